"""Pooling: one number for each window and channel."""

from minires.backend import has_kernel, is_float, sum_type, widened, xp
from minires.ops.windows import added_back, framed, image_shape, output_size, views, window


def max_pool2d(x, *, kernel, stride=None, padding=0):
    """The largest number under each window. On a tie the first, row by row, gets the gradient; of several NaNs the last.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride` windows lie side by side. The padding counts as -inf, and is at most half the kernel.

    Keeps  for each result the place of its maximum in the window (a byte, for up to 256 places).
    Raises  ValueError: a window larger than the padded image, or too much padding. TypeError: x is not of floats.
    """
    _, h, w, _ = shape = image_shape(x, "max_pool2d")
    size, steps, frame = _window(x, kernel, stride, padding, "max_pool2d")
    output = output_size((h, w), size, steps, frame)
    y, place = largest(x, size, steps, frame, output)

    def backward(g):
        return (to_largest(g, place, shape, size, steps, frame, output),)

    return y, backward


@has_kernel
def largest(x, size, steps, frame, output):
    """(y, place): of each window the largest number, and its place from 0, row by row; never one in the frame."""
    patches = views(framed(x, frame, -xp.inf), size, steps, output)
    y = next(patches).copy()
    down, across = (xp.maximum(frame[i] - steps[i] * xp.arange(output[i]), 0) for i in (0, 1))
    first = (size[1] * down[:, None] + across)[:, :, None]  # (OH, OW, 1)
    place = xp.broadcast_to(first, y.shape).astype(xp.uint8 if size[0] * size[1] <= 256 else xp.int32)
    for k, view in enumerate(patches, start=1):
        place = xp.where((view > y) | (view != view), k, place)  # a NaN wins; a number k leaves the type as it is
        y = xp.maximum(y, view)
    return y, place


@has_kernel
def to_largest(g, place, shape, size, steps, frame, output):
    """The image to which each window's gradient goes back, at the place of its largest number."""
    parts = (g * (place == k) for k in range(size[0] * size[1]))
    return added_back(parts, shape, size, steps, frame, sum_type(g.dtype)).astype(g.dtype, copy=False)


def avg_pool2d(x, *, kernel, stride=None, padding=0):
    """The mean of the numbers under each window. The padding counts, as zeros.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride` windows lie side by side. The padding is at most half the kernel.

    Keeps  a shape.
    Raises  ValueError: a window larger than the padded image, or too much padding. TypeError: x is not of floats.
    """
    n, h, w, c = shape = image_shape(x, "avg_pool2d")
    size, steps, frame = _window(x, kernel, stride, padding, "avg_pool2d")
    output = output_size((h, w), size, steps, frame)
    places = size[0] * size[1]
    dtype = x.dtype
    y = xp.zeros((n, *output, c), dtype=sum_type(dtype))
    for view in views(framed(x, frame), size, steps, output):
        y += view
    y = y / places

    def backward(g):
        parts = [widened(g) / places] * places
        return (added_back(parts, shape, size, steps, frame, sum_type(dtype)).astype(dtype, copy=False),)

    return y.astype(dtype, copy=False), backward


def global_avg_pool(x):
    """The mean of each channel over the whole image; of half types in float32.

    x  (N, H, W, C)    result  (N, C)

    Keeps  a shape.
    """
    n, h, w, c = shape = image_shape(x, "global_avg_pool")

    def backward(g):
        return (xp.broadcast_to(g.reshape(n, 1, 1, c) / (h * w), shape),)

    return widened(x).mean(axis=(1, 2)), backward


def _window(x, kernel, stride, padding, op):
    if not is_float(x.dtype):
        raise TypeError(f"{op}: x is {x.dtype}, wanted floats")
    kernel, stride, padding = window(kernel, kernel if stride is None else stride, padding)
    if 2 * padding[0] > kernel[0] or 2 * padding[1] > kernel[1]:
        raise ValueError(f"{op}: padding {padding} is more than half the kernel {kernel}: a window could see nothing else")
    return kernel, stride, padding
