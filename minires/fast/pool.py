"""Max pooling in chunks of the batch, on all cores. Replaces ops.max_pool2d."""

from minires.backend import is_half, xp
from minires.fast.parts import sum_over_chunks
from minires.ops.forms import faster
from minires.ops.pool import max_pool2d, pool_window
from minires.ops.windows import image_shape, output_size


@faster("max_pool2d", covers=("overlap_add",))
def pool_in_chunks(x, *, kernel, stride=None, padding=0):
    """The plain form, a chunk of the images at a time. Saves  what the plain form saves."""
    n, h, w, c = shape = image_shape(x, "max_pool2d")
    if is_half(x.dtype):
        return NotImplemented  # sums of gradients belong in float32
    size, stride, padding = pool_window(x, kernel, stride, padding, "max_pool2d")
    y = xp.empty((n, *output_size((h, w), size, stride, padding), c), dtype=x.dtype)
    done, bytes_each = [], 2 * x.nbytes // max(n, 1)

    def forward(chunk):
        y[chunk], chunk_backward = max_pool2d.plain(
            x[chunk], kernel=size, stride=stride, padding=padding
        )
        done.append((chunk, chunk_backward))

    sum_over_chunks(forward, n, bytes_each)

    def backward(g):
        g_x = xp.empty(shape, dtype=g.dtype)

        def write(some):
            for chunk, chunk_backward in done[some]:
                (g_x[chunk],) = chunk_backward(g[chunk])

        sum_over_chunks(write, len(done), g_x.nbytes)
        return (g_x,)

    return y, backward
