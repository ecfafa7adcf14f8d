"""Convolution as one product of matrices: im2col, GEMM, and col2im on the way back."""

from minires.backend import xp
from minires.ops.windows import added_back, framed, image_shape, output_size, views, window


def im2col(x, *, kernel, stride=1, padding=0):
    """Each patch that the window sees becomes a row.

    x  (N, H, W, C)    result  (N*OH*OW, KH*KW*C), rows in the order of N, OH, OW

    Keeps  a shape: backward is col2im.
    Raises  ValueError: x is no batch of images, or the window is larger than the padded image.
    """
    kernel, stride, padding = window(kernel, stride, padding)
    n, h, w, c = shape = image_shape(x, "im2col")
    (kh, kw), (oh, ow) = kernel, output_size((h, w), kernel, stride, padding)
    patches = xp.empty((n, oh, ow, kh * kw, c), dtype=x.dtype)
    for k, view in enumerate(views(framed(x, padding), kernel, stride, (oh, ow))):
        patches[:, :, :, k] = view

    def backward(g):
        g_x, _ = col2im(g, shape=shape, kernel=kernel, stride=stride, padding=padding)
        return (g_x,)

    return patches.reshape(n * oh * ow, kh * kw * c), backward


def col2im(columns, *, shape, kernel, stride=1, padding=0):
    """Each row is added back to where its patch lay, so a pixel that k windows see is the sum of k entries.

    columns  (N*OH*OW, KH*KW*C)    result  (N, H, W, C), which is `shape`

    The adjoint of im2col: <im2col(x), c> = <x, col2im(c)>. It is not its inverse.
    Keeps  nothing: backward is im2col.
    Raises  ValueError: columns of another shape than such an image gives.
    """
    kernel, stride, padding = window(kernel, stride, padding)
    n, h, w, c = shape
    (kh, kw), (oh, ow) = kernel, output_size((h, w), kernel, stride, padding)
    if columns.shape != (n * oh * ow, kh * kw * c):
        raise ValueError(f"col2im: columns have shape {columns.shape}, wanted {(n * oh * ow, kh * kw * c)}")
    patches = columns.reshape(n, oh, ow, kh * kw, c)
    parts = (patches[:, :, :, k] for k in range(kh * kw))
    image = added_back(parts, shape, kernel, stride, padding, columns.dtype)

    def backward(g):
        g_columns, _ = im2col(g, kernel=kernel, stride=stride, padding=padding)
        return (g_columns,)

    return image, backward


def conv2d(x, weight, bias=None, *, stride=1, padding=0):
    """y[n, i, j, f] = sum over u, v, c of x[n, i * stride + u, j * stride + v, c] * weight[u, v, c, f], plus bias[f].

    x  (N, H, W, C)    weight  (KH, KW, C, F)    bias  (F,)    result  (N, OH, OW, F)
    OH = floor((H + 2 padding - KH) / stride) + 1, OW likewise; the padding is zeros. stride, padding: an int or a pair.

    Keeps  x and weight. The columns, KH*KW times as large as x, are made again when they are needed.
    Raises  ValueError: shapes that do not fit, or a window larger than the padded image.
    """
    _check_shapes(x, weight, bias)
    (n, h, w, _), (kh, kw, _, f) = x.shape, weight.shape
    oh, ow = output_size((h, w), *window((kh, kw), stride, padding))

    columns, _ = im2col(x, kernel=(kh, kw), stride=stride, padding=padding)  # (N*OH*OW, KH*KW*C)
    y = columns @ weight.reshape(-1, f)  # (N*OH*OW, F)
    has_bias = bias is not None
    if has_bias:
        y += bias

    def backward(g):
        g = g.reshape(-1, f)  # (N*OH*OW, F)
        columns, _ = im2col(x, kernel=(kh, kw), stride=stride, padding=padding)
        g_weight = (columns.T @ g).reshape(weight.shape)
        g_columns = g @ weight.reshape(-1, f).T
        g_x, _ = col2im(g_columns, shape=x.shape, kernel=(kh, kw), stride=stride, padding=padding)
        g_bias = g.sum(axis=0) if has_bias else None
        return g_x, g_weight, g_bias

    return y.reshape(n, oh, ow, f), backward


def _check_shapes(x, weight, bias):
    *_, c = image_shape(x, "conv2d")
    if weight.ndim != 4:
        raise ValueError(f"conv2d: weight has shape {weight.shape}, wanted (KH, KW, C, F)")
    if weight.shape[2] != c:
        raise ValueError(f"conv2d: weight has {weight.shape[2]} input channels, x has {c}")
    if bias is not None and bias.shape != weight.shape[3:]:
        raise ValueError(f"conv2d: bias has shape {bias.shape}, wanted {weight.shape[3:]}")
