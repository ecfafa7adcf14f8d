"""Convolution in chunks of the batch, whose columns stay in the cache; and with 1x1 kernels, without columns.

These forms replace ops.conv2d, which makes the columns of the whole batch. Winograd's form is in minires.fast.winograd.
"""

from minires.backend import accumulation_dtype, result_dtype, upcast
from minires.fast.memory import empty
from minires.fast.parts import sum_over_chunks
from minires.fast.products import product
from minires.ops.conv import check_shapes, col2im, im2col
from minires.ops.forms import faster
from minires.ops.reduce import total
from minires.ops.windows import output_size, window

COVERS = ("im2col", "col2im", "overlap_add")
NEEDED = (True, True, True)


@faster("conv2d", covers=COVERS)
def columns_in_chunks(x, weight, bias=None, *, stride=1, padding=0, needs_input_grad=NEEDED):
    """columns @ weight, a chunk of the batch at a time. Saves  x and weight."""
    n, h, w, _ = check_shapes(x, weight, bias)
    kh, kw, _, f = weight.shape
    kernel, stride, padding = window((kh, kw), stride, padding)
    options = {"kernel": kernel, "stride": stride, "padding": padding}
    oh, ow = output_size((h, w), kernel, stride, padding)
    matrix = weight.reshape(-1, f)  # (KH*KW*C, F)
    size = oh * ow * matrix.shape[0] * x.dtype.itemsize  # bytes of an image's columns
    y = empty((n, oh, ow, f), result_dtype(x, weight, bias))

    def forward(chunk):
        columns, _ = im2col(x[chunk], **options)  # (chunk of N*OH*OW, KH*KW*C)
        y_chunk = product(columns, matrix, y[chunk].reshape(-1, f))
        if bias is not None:
            y_chunk += bias

    sum_over_chunks(forward, n, size)
    has_bias = bias is not None

    def backward(g):
        g_x = empty(x.shape, g.dtype) if needs_input_grad[0] else None

        def chunk_backward(chunk):
            columns, _ = im2col(x[chunk], **options)
            g_chunk = g[chunk].reshape(-1, f)
            if needs_input_grad[0]:
                g_columns = product(g_chunk, weight.reshape(-1, f).T)
                g_x[chunk], _ = col2im(g_columns, shape=x[chunk].shape, **options)
            return summed(columns.T, g_chunk)

        g_weight = sum_over_chunks(chunk_backward, n, size)
        g_bias = total(upcast(g), axis=(0, 1, 2)) if has_bias else None
        return g_x, g_weight.reshape(weight.shape), g_bias

    return y, backward


@faster("conv2d", covers=COVERS)
def pointwise(x, weight, bias=None, *, stride=1, padding=0, needs_input_grad=NEEDED):
    """A 1x1 kernel: a linear layer on every stride-th pixel, without columns. Saves  x and weight."""
    n, h, w, c = check_shapes(x, weight, bias)
    kernel, stride, padding = window(weight.shape[:2], stride, padding)
    if kernel != (1, 1) or padding != (0, 0):
        return NotImplemented
    f, (sh, sw) = weight.shape[-1], stride
    matrix, dtype = weight.reshape(c, f), result_dtype(x, weight, bias)
    oh, ow = output_size((h, w), (1, 1), stride, (0, 0))
    y = empty((n, oh, ow, f), dtype)
    size = oh * ow * (c + f) * dtype.itemsize

    def forward(chunk):
        out = y[chunk].reshape(-1, f)
        product(x[chunk, ::sh, ::sw].reshape(-1, c), matrix, out)
        if bias is not None:
            out += bias

    sum_over_chunks(forward, n, size)
    has_bias = bias is not None

    def backward(g):
        g_x = empty(x.shape, g.dtype) if needs_input_grad[0] else None

        def chunk_backward(chunk):
            g_chunk = g[chunk].reshape(-1, f)
            if needs_input_grad[0] and stride == (1, 1):
                product(g_chunk, weight.reshape(c, f).T, g_x[chunk].reshape(-1, c))
            elif needs_input_grad[0]:
                g_x[chunk] = 0
                g_x[chunk, ::sh, ::sw] = product(g_chunk, weight.reshape(c, f).T).reshape(
                    -1, oh, ow, c
                )
            return summed(x[chunk, ::sh, ::sw].reshape(-1, c).T, g_chunk)

        g_weight = sum_over_chunks(chunk_backward, n, size)
        g_bias = total(upcast(g), axis=(0, 1, 2)) if has_bias else None
        return g_x, g_weight.reshape(weight.shape), g_bias

    return y, backward


def summed(a, b):
    """a @ b in the dtype of sums: a chunk's gradient of the weight, which is then summed over the chunks."""
    return product(a, b, empty((a.shape[0], b.shape[1]), accumulation_dtype(b.dtype)))
