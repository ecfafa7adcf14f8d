"""Pooling: one number for each window and channel."""

from minires.backend import has_kernel, in_parts, is_float, sum_type, widened, xp
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
    """(y, place): what largest_of_part gives, for any number of images."""
    n, _, _, c = x.shape
    y = xp.empty((n, *output, c), dtype=x.dtype)
    place = xp.empty(y.shape, dtype=xp.uint8 if size[0] * size[1] <= 256 else xp.int32)

    def forward(part):
        y[part], place[part] = largest_of_part(x[part], size, steps, frame, output, place.dtype)

    in_parts(forward, n, 2 * x.nbytes // max(n, 1))
    return y, place


def largest_of_part(x, size, steps, frame, output, dtype):
    """(y, place): of each window the largest number, and its place from 0, row by row; never one in the frame."""
    patches = views(framed(x, frame, -xp.inf), size, steps, output)
    y = next(patches).copy()
    down, across = (xp.maximum(frame[i] - steps[i] * xp.arange(output[i]), 0) for i in (0, 1))
    first = (size[1] * down[:, None] + across)[:, :, None]  # (OH, OW, 1)
    place = xp.broadcast_to(first, y.shape).astype(dtype)
    for k, view in enumerate(patches, start=1):
        wins = (view > y) | (view != view)  # a NaN does
        xp.maximum(place, k * wins.astype(dtype), out=place)
        xp.maximum(y, view, out=y)
    return y, place


@has_kernel
def to_largest(g, place, shape, size, steps, frame, output):
    """What to_largest_of_part gives, for any number of images."""
    g_x = xp.empty(shape, dtype=g.dtype)

    def backward(part):
        g_x[part] = to_largest_of_part(g[part], place[part], g_x[part].shape, size, steps, frame)

    in_parts(backward, len(g), 2 * g_x.nbytes // max(len(g), 1))
    return g_x


def to_largest_of_part(g, place, shape, size, steps, frame):
    """The images to which each window's gradient goes back, at the place of its largest number."""
    parts = (g * (place == k) for k in range(size[0] * size[1]))
    return added_back(parts, shape, size, steps, frame, sum_type(g.dtype))


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
