"""A window that slides over images (N, H, W, C): the code that convolution and pooling share."""

import operator

from minires.backend import xp
from minires.ops.forms import has_forms


def pair(value, name, at_least):
    """Return an int or a pair of ints as a pair (for H, for W).

    Raises  TypeError: something else. ValueError: an int below `at_least`.
    """
    try:
        h, w = map(operator.index, value if isinstance(value, (tuple, list)) else (value, value))
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected an int or a pair of ints, got {value!r}") from None
    if min(h, w) < at_least:
        raise ValueError(f"{name}: expected at least {at_least}, got {value!r}")
    return h, w


def window(kernel, stride, padding):
    """Return kernel, stride and padding, each as a pair.

    Raises  TypeError: not an int or a pair of ints. ValueError: a kernel or stride below 1, a padding below 0.
    """
    return pair(kernel, "kernel", 1), pair(stride, "stride", 1), pair(padding, "padding", 0)


@has_forms
def output_size(size, kernel, stride, padding):
    """Return (OH, OW), the number of window positions down and across.

    OH = floor((H + 2 padding - KH) / stride) + 1, OW likewise.
    size, kernel, stride and padding are pairs. Raises  ValueError: the window is larger than the padded image.
    """
    h, w = size[0] + 2 * padding[0], size[1] + 2 * padding[1]
    if kernel[0] > h or kernel[1] > w:
        raise ValueError(
            f"kernel: expected at most {(h, w)}, the size of the image with padding {padding}, got {kernel}"
        )
    return (h - kernel[0]) // stride[0] + 1, (w - kernel[1]) // stride[1] + 1


def image_shape(x, op):
    """Return the shape (N, H, W, C) of a batch of images.

    Raises  ValueError: x is not a batch of images.
    """
    if getattr(x, "ndim", 0) != 4:
        raise ValueError(
            f"{op}: expected images of shape (N, H, W, C), got {getattr(x, 'shape', ())}"
        )
    return x.shape


def pad_images(x, padding, value=0):
    """Put a border of `value` around each image of x (N, H, W, C)."""
    ph, pw = padding
    if ph == pw == 0:
        return x
    n, h, w, c = x.shape
    padded = xp.full((n, h + 2 * ph, w + 2 * pw, c), value, dtype=x.dtype)
    padded[:, ph : ph + h, pw : pw + w] = x
    return padded


def views(x, kernel, stride, output):
    """Yield, for each kernel position (i, j) in row order, the pixels that it sees: a view (N, OH, OW, C) of x, not a copy."""
    (kh, kw), (sh, sw), (oh, ow) = kernel, stride, output
    for i in range(kh):
        for j in range(kw):
            yield x[:, i : i + sh * oh : sh, j : j + sw * ow : sw]


@has_forms
def overlap_add(parts, shape, kernel, stride, padding, dtype):
    """Return images (N, H, W, C) of this dtype, to which each kernel position adds its part (N, OH, OW, C).

    The adjoint of pad_images and views. PyTorch calls it fold.
    """
    (n, h, w, c), (ph, pw) = shape, padding
    image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), dtype=dtype)
    output = output_size((h, w), kernel, stride, padding)
    for view, part in zip(views(image, kernel, stride, output), parts):
        view += part
    return image[:, ph : ph + h, pw : pw + w]
