"""Convolution as one product of matrices: im2col, GEMM, and col2im on the way back."""

from minires.backend import in_parts, xp
from minires.ops.windows import added_back, framed, image_shape, output_size, views, window


def im2col(x, *, kernel, stride=1, padding=0):
    """Each patch that the window sees becomes a row.

    x  (N, H, W, C)    result  (N*OH*OW, KH*KW*C), rows in the order of N, OH, OW

    Keeps  a shape: backward is col2im.
    Raises  ValueError: x is no batch of images, or the window is larger than the padded image.
    """
    (kh, kw), steps, frame = window(kernel, stride, padding)
    n, h, w, c = shape = image_shape(x, "im2col")
    oh, ow = output_size((h, w), (kh, kw), steps, frame)
    patches = xp.empty((n, oh, ow, kh * kw, c), dtype=x.dtype)
    for k, view in enumerate(views(framed(x, frame), (kh, kw), steps, (oh, ow))):
        patches[:, :, :, k] = view

    def backward(g):
        g_x, _ = col2im(g, shape=shape, kernel=(kh, kw), stride=steps, padding=frame)
        return (g_x,)

    return patches.reshape(n * oh * ow, kh * kw * c), backward


def col2im(columns, *, shape, kernel, stride=1, padding=0):
    """Each row is added back to where its patch lay, so a pixel that k windows see is the sum of k entries.

    columns  (N*OH*OW, KH*KW*C)    result  (N, H, W, C), which is `shape`

    The adjoint of im2col: <im2col(x), c> = <x, col2im(c)>. It is not its inverse.
    Keeps  nothing: backward is im2col.
    Raises  ValueError: columns of another shape than such an image gives.
    """
    (kh, kw), steps, frame = window(kernel, stride, padding)
    n, h, w, c = shape
    oh, ow = output_size((h, w), (kh, kw), steps, frame)
    if columns.shape != (n * oh * ow, kh * kw * c):
        raise ValueError(f"col2im: columns have shape {columns.shape}, wanted {(n * oh * ow, kh * kw * c)}")
    patches = columns.reshape(n, oh, ow, kh * kw, c)
    parts = (patches[:, :, :, k] for k in range(kh * kw))
    image = added_back(parts, shape, (kh, kw), steps, frame, columns.dtype)

    def backward(g):
        g_columns, _ = im2col(g, kernel=(kh, kw), stride=steps, padding=frame)
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
    (n, h, w, c), (kh, kw, _, f) = x.shape, weight.shape
    kernel, steps, frame = window((kh, kw), stride, padding)
    options = {"kernel": kernel, "stride": steps, "padding": frame}
    oh, ow = output_size((h, w), kernel, steps, frame)

    matrix = weight.reshape(-1, f)  # (KH*KW*C, F)
    parts = in_parts(n, oh * ow * matrix.shape[0] * x.dtype.itemsize)
    y = xp.empty((n, oh, ow, f), dtype=xp.result_type(x.dtype, weight.dtype))
    for part in parts:
        columns, _ = im2col(x[part], **options)  # (part of N*OH*OW, KH*KW*C)
        y[part] = (columns @ matrix).reshape(-1, oh, ow, f)
    has_bias = bias is not None
    if has_bias:
        y += bias

    def backward(g):
        matrix_t = weight.reshape(-1, f).T  # (F, KH*KW*C)
        g_x, g_weight = xp.empty(x.shape, dtype=g.dtype), xp.zeros((kh * kw * c, f), dtype=g.dtype)
        for part in parts:
            columns, _ = im2col(x[part], **options)
            g_part = g[part].reshape(-1, f)
            g_weight += columns.T @ g_part
            g_x[part], _ = col2im(g_part @ matrix_t, shape=x[part].shape, **options)
        g_bias = g.sum(axis=(0, 1, 2)) if has_bias else None
        return g_x, g_weight.reshape(weight.shape), g_bias

    return y, backward


def _check_shapes(x, weight, bias):
    *_, c = image_shape(x, "conv2d")
    if weight.ndim != 4:
        raise ValueError(f"conv2d: weight has shape {weight.shape}, wanted (KH, KW, C, F)")
    if weight.shape[2] != c:
        raise ValueError(f"conv2d: weight has {weight.shape[2]} input channels, x has {c}")
    if bias is not None and bias.shape != weight.shape[3:]:
        raise ValueError(f"conv2d: bias has shape {bias.shape}, wanted {weight.shape[3:]}")
