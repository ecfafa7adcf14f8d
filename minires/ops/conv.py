"""Convolution as one product of matrices: im2col, GEMM, and col2im on the way back; and at the end, which algorithm when."""

import os
from contextlib import contextmanager

from minires import names
from minires.backend import has_kernel, has_kernels, in_parts, is_half, matmul, mixed, sum_type, tf32, widened, xp
from minires.ops.arithmetic import common_type
from minires.ops.tiles import F2, F4, F4_STRIDE2
from minires.ops.windows import added_back, framed, image_shape, output_size, patches_of, window
from minires.ops.winograd import conv2d_winograd


def im2col(x, *, kernel, stride=1, padding=0):
    """Each patch that the window sees becomes a row.

    x  (N, H, W, C)    result  (N*OH*OW, KH*KW*C), rows in the order of N, OH, OW

    Keeps  a shape: backward is col2im.
    Raises  ValueError: x is no batch of images, or the window is larger than the padded image.
    """
    (kh, kw), steps, frame = window(kernel, stride, padding)
    _, h, w, _ = shape = image_shape(x, "im2col")
    oh, ow = output_size((h, w), (kh, kw), steps, frame)
    columns = make_columns(x, (kh, kw), steps, frame, (oh, ow))

    def backward(g):
        g_x, _ = col2im(g, shape=shape, kernel=(kh, kw), stride=steps, padding=frame)
        return (g_x,)

    return columns, backward


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
    image = add_columns(columns, shape, (kh, kw), steps, frame, (oh, ow))

    def backward(g):
        g_columns, _ = im2col(g, kernel=(kh, kw), stride=steps, padding=frame)
        return (g_columns,)

    return image, backward


@has_kernel
def make_columns(x, kernel, stride, padding, output):
    """The columns of im2col."""
    patches = patches_of(framed(x, padding), kernel, stride)  # (N, OH, OW, KH, KW, C), a view
    return xp.array(patches, order="C").reshape(len(x) * output[0] * output[1], kernel[0] * kernel[1] * x.shape[-1])


@has_kernel
def add_columns(columns, shape, kernel, stride, padding, output):
    """The image of col2im."""
    patches = columns.reshape(shape[0], *output, kernel[0] * kernel[1], shape[-1])
    parts = (patches[:, :, :, k] for k in range(kernel[0] * kernel[1]))
    return added_back(parts, shape, kernel, stride, padding, sum_type(columns.dtype)).astype(columns.dtype, copy=False)


def conv2d_im2col(x, weight, bias=None, *, stride=1, padding=0):
    """conv2d as columns @ weight: what it is first of all, and what the other ways are held against.

    The batch is cut into parts whose columns stay in the cache. They are KH*KW times as large as x, and made again when
    they are needed: keeps x and weight.
    """
    (n, h, w, c), (kh, kw, _, f) = x.shape, weight.shape
    kernel, steps, frame = window((kh, kw), stride, padding)
    options = {"kernel": kernel, "stride": steps, "padding": frame}
    oh, ow = output_size((h, w), kernel, steps, frame)

    matrix = weight.reshape(-1, f)  # (KH*KW*C, F)
    size = oh * ow * matrix.shape[0] * x.dtype.itemsize  # of an image's columns
    y = xp.empty((n, oh, ow, f), dtype=common_type(x, weight, bias))

    def forward(part):
        columns, _ = im2col(x[part], **options)  # (part of N*OH*OW, KH*KW*C)
        y_part = matmul(columns, matrix, out=y[part].reshape(-1, f))
        if bias is not None:
            y_part += bias

    in_parts(forward, n, size)
    biased = bias is not None

    def backward(g, wanted=(True, True, True)):
        g_x = xp.empty(x.shape, dtype=g.dtype) if wanted[0] else None

        def part_backward(part):
            columns, _ = im2col(x[part], **options)
            g_part = g[part].reshape(-1, f)
            if wanted[0]:
                g_x[part], _ = col2im(matmul(g_part, weight.reshape(-1, f).T), shape=x[part].shape, **options)
            return _summed(columns.T, g_part)

        g_weight = in_parts(part_backward, n, size)
        g_bias = widened(g).sum(axis=(0, 1, 2)) if biased else None
        return g_x, g_weight.reshape(weight.shape), g_bias

    return y, backward


def conv2d_pointwise(x, weight, bias=None, *, stride=1):
    """conv2d with a window of one pixel: a linear layer on every stride-th pixel, without columns."""
    (n, h, w, c), f, (sh, sw) = x.shape, weight.shape[-1], stride
    matrix, dtype = weight.reshape(c, f), common_type(x, weight, bias)
    oh, ow = output_size((h, w), (1, 1), stride, (0, 0))
    y = xp.empty((n, oh, ow, f), dtype=dtype)
    size = oh * ow * (c + f) * dtype.itemsize

    def forward(part):
        out = y[part].reshape(-1, f)
        matmul(x[part, ::sh, ::sw].reshape(-1, c), matrix, out=out)
        if bias is not None:
            out += bias

    in_parts(forward, n, size)
    biased = bias is not None

    def backward(g, wanted=(True, True, True)):
        g_x = xp.empty(x.shape, dtype=g.dtype) if wanted[0] else None

        def part_backward(part):
            g_part = g[part].reshape(-1, f)
            if wanted[0] and stride == (1, 1):
                matmul(g_part, weight.reshape(c, f).T, out=g_x[part].reshape(-1, c))
            elif wanted[0]:
                g_x[part] = 0
                g_x[part, ::sh, ::sw] = matmul(g_part, weight.reshape(c, f).T).reshape(-1, oh, ow, c)
            return _summed(x[part, ::sh, ::sw].reshape(-1, c).T, g_part)

        g_weight = in_parts(part_backward, n, size)
        g_bias = widened(g).sum(axis=(0, 1, 2)) if biased else None
        return g_x, g_weight.reshape(weight.shape), g_bias

    return y, backward


def _summed(a, b):
    """a @ b in the type of sums: gradients of weights, of which the parts are added up."""
    return matmul(a, b, out=xp.empty((a.shape[0], b.shape[1]), dtype=sum_type(b.dtype)))


@mixed
def conv2d(x, weight, bias=None, *, stride=1, padding=0, algorithm=None):
    """y[n, i, j, f] = sum over u, v, c of x[n, i * stride + u, j * stride + v, c] * weight[u, v, c, f], plus bias[f].

    x  (N, H, W, C)    weight  (KH, KW, C, F)    bias  (F,)    result  (N, OH, OW, F)
    OH = floor((H + 2 padding - KH) / stride) + 1, OW likewise; the padding is zeros. stride, padding: an int or a pair.
    algorithm  "im2col"; "winograd", for 3x3 windows with stride 1 or 2 in float32 or float64, elsewhere as "auto", which is the
        faster as a rule. Without it what `algorithm` or MINIRES_ALGORITHM says, or "auto"
    Under backend.using_mixed the result, what is kept and the gradient of x are of the half type.

    Keeps  x and weight.
    Raises  ValueError: shapes that do not fit, or a window larger than the padded image.
    """
    _check_shapes(x, weight, bias)
    kernel, steps, frame = window(weight.shape[:2], stride, padding)
    output = output_size(x.shape[1:3], kernel, steps, frame)
    chosen = names.check("algorithm", _forced if algorithm is None else algorithm, ALGORITHMS)
    if chosen != "im2col" and kernel == (1, 1) and frame == (0, 0):
        return conv2d_pointwise(x, weight, bias, stride=steps)
    tile, dtype = None, common_type(x, weight, bias)
    if chosen == "auto" and has_kernels() and (steps != (1, 1) or tf32() or is_half(dtype)):
        chosen = "im2col"  # a card's kernels know tiles of stride 1, and its fast units need no fewer multiplications
    if chosen != "im2col" and kernel == (3, 3) and steps in TILES and dtype.kind == "f" and dtype.itemsize >= 4:
        tile = _tile(len(x), output, weight.shape, TILES[steps], forced=chosen == "winograd")
    if tile is None:
        return conv2d_im2col(x, weight, bias, stride=steps, padding=frame)
    return conv2d_winograd(x, weight, bias, padding=frame, tile=tile)


ALGORITHMS = ("auto", "im2col", "winograd")
TILES = {(1, 1): (F4, F2), (2, 2): (F4_STRIDE2,)}  # by stride


def _tile(n, output, shape, tiles, *, forced):
    """Which Winograd, if any. The rule: few channels are not worth the transforms, and few tiles not those of the filters."""
    _, _, c, f = shape
    for tile in tiles:
        count = n * -(-output[0] // tile.m) * -(-output[1] // tile.m)
        if min(c, f) >= 8 and count >= tile.pays * max(c, f):
            return tile
    return tiles[-1] if forced else None


@contextmanager
def algorithm(name):
    """For a while, this algorithm for all convolutions that do not name one.

    Raises  ValueError: an unknown name.
    """
    global _forced
    before, _forced = _forced, names.check("algorithm", name, ALGORITHMS)
    try:
        yield
    finally:
        _forced = before


_forced = os.environ.get("MINIRES_ALGORITHM") or "auto"


def _check_shapes(x, weight, bias):
    *_, c = image_shape(x, "conv2d")
    if weight.ndim != 4:
        raise ValueError(f"conv2d: weight has shape {weight.shape}, wanted (KH, KW, C, F)")
    if weight.shape[2] != c:
        raise ValueError(f"conv2d: weight has {weight.shape[2]} input channels, x has {c}")
    if bias is not None and bias.shape != weight.shape[3:]:
        raise ValueError(f"conv2d: bias has shape {bias.shape}, wanted {weight.shape[3:]}")
