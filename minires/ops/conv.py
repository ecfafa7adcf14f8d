"""Convolution as one matrix multiplication: im2col and GEMM, and col2im in the backward pass."""

from minires.backend import xp
from minires.ops.forms import op
from minires.ops.reduce import total
from minires.ops.windows import image_shape, output_size, overlap_add, pad_images, window


@op
def im2col(x, *, kernel, stride=1, padding=0):
    """Return the patches that the window sees as the rows of a matrix.

    x  (N, H, W, C)    result  (N*OH*OW, KH*KW*C), a new array; rows in the order of N, OH, OW

    Saves  a shape: backward is col2im.
    Raises  ValueError: x is not a batch of images, or the window is larger than the padded image.
    """
    kernel, stride, padding = window(kernel, stride, padding)
    (kh, kw), (sh, sw) = kernel, stride
    n, h, w, c = shape = image_shape(x, "im2col")
    oh, ow = output_size((h, w), kernel, stride, padding)
    patches = xp.lib.stride_tricks.sliding_window_view(pad_images(x, padding), kernel, axis=(1, 2))
    patches = patches[:, ::sh, ::sw].transpose(0, 1, 2, 4, 5, 3)  # (N, OH, OW, KH, KW, C), a view

    def backward(g):
        return col2im(g, shape=shape, kernel=kernel, stride=stride, padding=padding)[:1]

    return xp.array(patches, order="C").reshape(n * oh * ow, kh * kw * c), backward


@op
def col2im(columns, *, shape, kernel, stride=1, padding=0):
    """Add each row back at the position of its patch, so a pixel that k windows see is the sum of k entries.

    columns  (N*OH*OW, KH*KW*C)    result  (N, H, W, C), which is `shape`

    The adjoint of im2col: <im2col(x), c> = <x, col2im(c)>. It is not its inverse.
    Saves  nothing: backward is im2col.
    Raises  ValueError: columns of a different shape than im2col returns for such an image.
    """
    kernel, stride, padding = window(kernel, stride, padding)
    (kh, kw), (n, h, w, c) = kernel, shape
    oh, ow = output_size((h, w), kernel, stride, padding)
    if columns.shape != (n * oh * ow, kh * kw * c):
        raise ValueError(
            f"col2im: expected columns of shape {(n * oh * ow, kh * kw * c)}, got {columns.shape}"
        )
    parts = columns.reshape(n, oh, ow, kh * kw, c).transpose(3, 0, 1, 2, 4)  # by position

    def backward(g):
        g_columns, _ = im2col(g, kernel=kernel, stride=stride, padding=padding)
        return (g_columns,)

    return overlap_add(parts, shape, kernel, stride, padding, columns.dtype), backward


@op
def conv2d(x, weight, bias=None, *, stride=1, padding=0):
    """y[n, i, j, f] = sum over u, v, c of x[n, i * stride + u, j * stride + v, c] * weight[u, v, c, f], plus bias[f].

    x  (N, H, W, C)    weight  (KH, KW, C, F)    bias  (F,)    result  (N, OH, OW, F)
    OH = floor((H + 2 padding - KH) / stride) + 1, OW likewise; padding is with zeros. stride, padding: an int or a pair.

    Saves  x and weight. The columns are KH*KW times as large as x, so the backward pass makes them again.
    A faster form works on tiles of images, and spreads a NaN or a very large pixel over its tile: see docs/speed.md.
    Raises  ValueError: shapes that do not match, or a window larger than the padded image.
    """
    (n, h, w, c), (kh, kw, _, f) = check_shapes(x, weight, bias), weight.shape
    kernel, stride, padding = window((kh, kw), stride, padding)
    oh, ow = output_size((h, w), kernel, stride, padding)
    matrix = weight.reshape(kh * kw * c, f)
    columns, _ = im2col(x, kernel=kernel, stride=stride, padding=padding)  # (N*OH*OW, KH*KW*C)
    has_bias = bias is not None
    y = columns @ matrix + bias if has_bias else columns @ matrix

    def backward(g):
        g = g.reshape(n * oh * ow, f)
        columns, from_columns = im2col(x, kernel=kernel, stride=stride, padding=padding)
        (g_x,) = from_columns(g @ matrix.T)
        g_weight = (columns.T @ g).reshape(kh, kw, c, f)
        return g_x, g_weight, total(g, axis=0) if has_bias else None

    return y.reshape(n, oh, ow, f), backward


def check_shapes(x, weight, bias):
    """Return the shape of x, if the shapes of a convolution's operands match.

    Raises  ValueError: they don't.
    """
    shape = image_shape(x, "conv2d")
    if weight.ndim != 4:
        raise ValueError(f"conv2d: expected a weight of shape (KH, KW, C, F), got {weight.shape}")
    if weight.shape[2] != shape[3]:
        raise ValueError(
            f"conv2d: expected {weight.shape[2]} channels in x, as in weight, got {shape[3]}"
        )
    if bias is not None and bias.shape != weight.shape[3:]:
        raise ValueError(f"conv2d: expected a bias of shape {weight.shape[3:]}, got {bias.shape}")
    return shape
