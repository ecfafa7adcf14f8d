"""Pooling: one number for each window and channel."""

from minires.backend import xp
from minires.ops.windows import added_back, framed, image_shape, output_size, views, window


def max_pool2d(x, *, kernel, stride=None, padding=0):
    """The largest number under each window. On a tie the first, row by row, gets the gradient.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride` windows lie side by side. The padding counts as -inf, and is at most half the kernel.

    Keeps  for each result the place of its maximum in the window (a byte, for up to 256 places).
    Raises  ValueError: a window larger than the padded image, or too much padding.
    """
    _, h, w, _ = shape = image_shape(x, "max_pool2d")
    kernel, stride, padding = _window(kernel, stride, padding, "max_pool2d")
    output = output_size((h, w), kernel, stride, padding)
    patches = views(framed(x, padding, -xp.inf), kernel, stride, output)
    y = next(patches).copy()
    places = kernel[0] * kernel[1]
    place = xp.zeros(y.shape, dtype=xp.uint8 if places <= 256 else xp.int32)  # a number k leaves the type as it is
    for k, view in enumerate(patches, start=1):
        place = xp.where(view > y, k, place)
        y = xp.maximum(y, view)

    def backward(g):
        parts = (g * (place == k) for k in range(places))
        return (added_back(parts, shape, kernel, stride, padding, g.dtype),)

    return y, backward


def avg_pool2d(x, *, kernel, stride=None, padding=0):
    """The mean of the numbers under each window. The padding counts, as zeros.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride` windows lie side by side. The padding is at most half the kernel.

    Keeps  a shape.
    Raises  ValueError: a window larger than the padded image, or too much padding.
    """
    n, h, w, c = shape = image_shape(x, "avg_pool2d")
    kernel, stride, padding = _window(kernel, stride, padding, "avg_pool2d")
    output = output_size((h, w), kernel, stride, padding)
    places = kernel[0] * kernel[1]
    y = xp.zeros((n, *output, c), dtype=x.dtype)
    for view in views(framed(x, padding), kernel, stride, output):
        y += view
    y = y / places

    def backward(g):
        parts = [g / places] * places
        return (added_back(parts, shape, kernel, stride, padding, g.dtype),)

    return y, backward


def global_avg_pool(x):
    """The mean of each channel over the whole image.

    x  (N, H, W, C)    result  (N, C)

    Keeps  a shape.
    """
    n, h, w, c = shape = image_shape(x, "global_avg_pool")

    def backward(g):
        return (xp.broadcast_to(g.reshape(n, 1, 1, c) / (h * w), shape),)

    return x.mean(axis=(1, 2)), backward


def _window(kernel, stride, padding, op):
    kernel, stride, padding = window(kernel, kernel if stride is None else stride, padding)
    if 2 * padding[0] > kernel[0] or 2 * padding[1] > kernel[1]:
        raise ValueError(f"{op}: padding {padding} is more than half the kernel {kernel}: a window could see nothing else")
    return kernel, stride, padding
