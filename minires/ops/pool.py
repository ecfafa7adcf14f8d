"""Pooling: one number per window and channel."""

from minires.backend import xp
from minires.ops.forms import op
from minires.ops.reduce import total
from minires.ops.windows import image_shape, output_size, overlap_add, pad_images, views, window


@op
def max_pool2d(x, *, kernel, stride=None, padding=0):
    """The largest number in each window. On a tie, the first in row order gets the gradient; of several NaNs, the last.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride`, windows are next to each other. The padding counts as -inf, and is at most half the kernel.

    Saves  the position in its window of each result's maximum (a byte, for up to 256 positions).
    Raises  ValueError: a window larger than the padded image, or too much padding. TypeError: x is not of floats.
    """
    _, h, w, _ = shape = image_shape(x, "max_pool2d")
    kernel, stride, padding = pool_window(x, kernel, stride, padding, "max_pool2d")
    oh, ow = output = output_size((h, w), kernel, stride, padding)
    patches = views(pad_images(x, padding, -xp.inf), kernel, stride, output)
    y = next(patches).copy()
    # In a window of -inf alone, the first pixel that is not padding wins: its position in each window.
    down = xp.maximum(padding[0] - stride[0] * xp.arange(oh), 0)
    across = xp.maximum(padding[1] - stride[1] * xp.arange(ow), 0)
    first = (kernel[1] * down[:, None] + across)[:, :, None]  # (OH, OW, 1)
    positions = kernel[0] * kernel[1]
    place = xp.broadcast_to(first, y.shape).astype(xp.uint8 if positions <= 256 else xp.int32)
    for k, patch in enumerate(patches, start=1):
        wins = (patch > y) | (patch != patch)  # a NaN wins
        place = xp.maximum(place, k * wins.astype(place.dtype))
        y = xp.maximum(y, patch)

    def backward(g):
        parts = (g * (place == k) for k in range(positions))
        return (overlap_add(parts, shape, kernel, stride, padding, g.dtype),)

    return y, backward


@op
def avg_pool2d(x, *, kernel, stride=None, padding=0):
    """The mean of the numbers in each window. The padding counts, as zeros.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride`, windows are next to each other. The padding is at most half the kernel.

    Saves  a shape.
    Raises  ValueError: a window larger than the padded image, or too much padding. TypeError: x is not of floats.
    """
    n, h, w, c = shape = image_shape(x, "avg_pool2d")
    kernel, stride, padding = pool_window(x, kernel, stride, padding, "avg_pool2d")
    output = output_size((h, w), kernel, stride, padding)
    positions = kernel[0] * kernel[1]
    y = xp.zeros((n, *output, c))  # float64, as in total
    for patch in views(pad_images(x, padding), kernel, stride, output):
        y += patch

    def backward(g):
        parts = [g / positions] * positions
        return (overlap_add(parts, shape, kernel, stride, padding, g.dtype),)

    return (y / positions).astype(x.dtype), backward


@op
def global_avg_pool(x):
    """The mean of each channel over the whole image.

    x  (N, H, W, C)    result  (N, C)

    Saves  a shape.
    """
    n, h, w, c = shape = image_shape(x, "global_avg_pool")

    def backward(g):
        return (xp.broadcast_to(g.reshape(n, 1, 1, c) / (h * w), shape),)

    return total(x, axis=(1, 2), divisor=h * w), backward


def pool_window(x, kernel, stride, padding, op):
    """Return kernel, stride (None means the kernel) and padding of a pooling op, each as a pair.

    Raises  ValueError: too much padding. TypeError: x is not of floats.
    """
    if x.dtype.kind != "f":
        raise TypeError(f"{op}: expected an x of floats, got {x.dtype}")
    kernel, stride, padding = window(kernel, kernel if stride is None else stride, padding)
    if 2 * padding[0] > kernel[0] or 2 * padding[1] > kernel[1]:
        raise ValueError(
            f"{op}: expected a padding of at most half the kernel {kernel}, got {padding}: a window could see padding alone"
        )
    return kernel, stride, padding
