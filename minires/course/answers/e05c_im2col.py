"""Exercise 05c: what goes wrong with im2col."""

from minires.backend import xp
from minires.ops.conv import col2im
from minires.ops.windows import output_size, pad_images, views, window


def _columns(x, kernel, stride, padding, *, axes=(0, 1, 2, 3, 4), kind="constant"):
    """Return im2col's columns and (kernel, stride, padding), with mistakes as options. `axes` is the order of the axes of
    (N, OH, OW, K, C)."""
    kernel, stride, padding = window(kernel, stride, padding)
    output = output_size(x.shape[1:3], kernel, stride, padding)
    (ph, pw) = padding
    framed_x = (
        pad_images(x, padding)
        if kind == "constant"
        else xp.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)), mode=kind)
    )
    columns = xp.stack(list(views(framed_x, kernel, stride, output)), axis=3).transpose(axes)
    return columns, {"shape": x.shape, "kernel": kernel, "stride": stride, "padding": padding}


def _rows(columns):
    return columns.reshape(
        columns.shape[0] * columns.shape[1] * columns.shape[2], columns.shape[3] * columns.shape[4]
    )


def _back(options):
    return lambda g: (col2im(g, **options)[0],)


def channels_first(x, *, kernel, stride=1, padding=0):
    """a row is ordered channel by channel (C, KH, KW) instead of position by position (KH, KW, C)"""
    columns, options = _columns(x, kernel, stride, padding, axes=(0, 1, 2, 4, 3))
    return _rows(columns), _back(options)


def flipped(x, *, kernel, stride=1, padding=0):
    """the kernel is flipped, as in a true convolution: a layer computes cross-correlation"""
    columns, options = _columns(x, kernel, stride, padding)
    return _rows(columns[:, :, :, ::-1]), _back(options)


def columns_first(x, *, kernel, stride=1, padding=0):
    """the window is read column by column instead of row by row"""
    columns, options = _columns(x, kernel, stride, padding)
    n, oh, ow, _, c = columns.shape
    turned = columns.reshape(n, oh, ow, *options["kernel"], c).swapaxes(3, 4).reshape(columns.shape)
    return _rows(turned), _back(options)


def transposed(x, *, kernel, stride=1, padding=0):
    """the window moves down before it moves across: the rows are in the order N, OW, OH"""
    columns, options = _columns(x, kernel, stride, padding, axes=(0, 2, 1, 3, 4))
    return _rows(columns), _back(options)


def edge_repeated(x, *, kernel, stride=1, padding=0):
    """the padding repeats the edge of the image: it should be zeros"""
    columns, options = _columns(x, kernel, stride, padding, kind="edge")
    return _rows(columns), _back(options)


def stride_forgotten(x, *, kernel, stride=1, padding=0):
    """the window moves by one pixel, whatever the stride"""
    columns, options = _columns(x, kernel, 1, padding)
    return _rows(columns), _back(options)


def padding_forgotten(x, *, kernel, stride=1, padding=0):
    """the padding is left out"""
    columns, options = _columns(x, kernel, stride, 0)
    return _rows(columns), _back(options)


def dilated(x, *, kernel, stride=1, padding=0):
    """the stride spreads the pixels within the window: that is dilation. The window should move by the stride"""
    (kh, kw), (sh, sw), padding = window(kernel, stride, padding)
    spread = sh * (kh - 1) + 1, sw * (kw - 1) + 1
    columns, options = _columns(x, spread, 1, padding)
    n, oh, ow, _, c = columns.shape
    return _rows(
        columns.reshape(n, oh, ow, *spread, c)[:, :, :, ::sh, ::sw].reshape(n, oh, ow, kh * kw, c)
    ), _back(options)


def divided(x, *, kernel, stride=1, padding=0):
    """backward returns the mean of what the windows send to a pixel: it should be the sum"""
    columns, options = _columns(x, kernel, stride, padding)

    def backward(g):
        counts, _ = col2im(xp.ones_like(g), **options)
        return (col2im(g, **options)[0] / xp.maximum(counts, 1),)

    return _rows(columns), backward
