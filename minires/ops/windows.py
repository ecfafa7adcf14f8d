"""A window that slides over images (N, H, W, C): what convolution and pooling have in common."""

import operator

from minires.backend import xp


def pair(value, name, *, at_least):
    """An int or a pair of ints, as a pair (for H, for W).

    Raises  TypeError: something else. ValueError: an int below `at_least`.
    """
    try:
        both = (value, value) if not isinstance(value, (tuple, list)) else tuple(value)
        h, w = (operator.index(number) for number in both)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is {value!r}: wanted an int or a pair of ints") from None
    if min(h, w) < at_least:
        raise ValueError(f"{name} is {value!r}: it must be at least {at_least}")
    return h, w


def window(kernel, stride, padding):
    """Kernel, stride and padding, each as a pair.

    Raises  TypeError, ValueError: one that is no int or pair of ints, a kernel or stride below 1, a padding below 0.
    """
    return pair(kernel, "kernel", at_least=1), pair(stride, "stride", at_least=1), pair(padding, "padding", at_least=0)


def output_size(size, kernel, stride, padding):
    """(OH, OW), the steps that a window makes down and across: floor((size + 2 padding - kernel) / stride) + 1.

    All four are pairs. Raises  ValueError: the window is larger than the padded image.
    """
    padded = tuple(s + 2 * p for s, p in zip(size, padding))
    if kernel[0] > padded[0] or kernel[1] > padded[1]:
        raise ValueError(f"a window of {kernel} is larger than the image, {padded} with its padding of {padding}")
    return tuple((whole - k) // s + 1 for whole, k, s in zip(padded, kernel, stride))


def image_shape(x, op):
    """The sizes (N, H, W, C) of a batch of images.

    Raises  ValueError: it is none.
    """
    if getattr(x, "ndim", 0) != 4:
        raise ValueError(f"{op}: x has shape {getattr(x, 'shape', ())}, wanted images (N, H, W, C)")
    return x.shape


def framed(x, padding, value=0):
    """x (N, H, W, C) with a frame of `value` around each image."""
    ph, pw = padding
    if ph == pw == 0:
        return x
    n, h, w, c = x.shape
    result = xp.full((n, h + 2 * ph, w + 2 * pw, c), value, dtype=x.dtype)
    result[:, ph : ph + h, pw : pw + w] = x
    return result


def views(x, kernel, stride, output):
    """For each place (i, j) in the window, row by row, what lies under it: a view (N, OH, OW, C) of x, not a copy."""
    (kh, kw), (sh, sw), (oh, ow) = kernel, stride, output
    for i in range(kh):
        for j in range(kw):
            yield x[:, i : i + sh * oh : sh, j : j + sw * ow : sw]


def patches_of(x, kernel, stride):
    """All that lies under the window at each of its steps: a view (N, OH, OW, KH, KW, C) of x, whose patches overlap."""
    every = xp.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))  # (N, H - KH + 1, W - KW + 1, C, KH, KW)
    return every[:, :: stride[0], :: stride[1]].transpose(0, 1, 2, 4, 5, 3)


def added_back(parts, shape, kernel, stride, padding, dtype):
    """An image (N, H, W, C) to which each place in the window adds its part (N, OH, OW, C): the adjoint of framed and views."""
    (n, h, w, c), (ph, pw) = shape, padding
    image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), dtype=dtype)
    output = output_size((h, w), kernel, stride, padding)
    for view, part in zip(views(image, kernel, stride, output), parts):
        view += part
    return image[:, ph : ph + h, pw : pw + w]
