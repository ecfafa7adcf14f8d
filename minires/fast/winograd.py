"""Convolution by a 3x3 kernel with fewer multiplications: Winograd's F(m x m, 3x3), for stride 1 and 2.

Replaces ops.conv2d in float32 and float64, if it is faster.

An output tile of m x m pixels comes from an input tile of p x p. Three matrices compute it:

    y = A [ (G w G') * (B x B') ] A'      on each tile and channel; * element by element, ' transposed

That is k^2 multiplications per tile and filter instead of 9 m^2, where k = m + 2 for stride 1: 4 times fewer for m = 4.
Summed over the channels, the middle becomes k^2 matrix multiplications, one for each position in the tile. Multiplying by A, B or
G takes products of small matrices: on one side for each row of tiles, on the other side for each tile. All of it is matmul.
The backward pass is the chain rule: each linear map is replaced by its adjoint, in reverse order. With stride 1 there is a cheaper
way. The gradient of x is itself a convolution: that of g, with the kernel rotated by 180 degrees. It takes the forward maps,
and its tiles B g B' also serve for the gradient of the weight, whose other factor is then A' x A.

Source  Winograd 1980; Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", whose B^T, G, A^T are B, G, A
here. In float32 the result is 2e-7 (m = 2) to 3e-6 (m = 4) of its size away from the true one.
"""

from minires.backend import result_dtype, xp
from minires.fast.conv import COVERS, NEEDED
from minires.fast.memory import empty
from minires.fast.parts import sum_over_chunks
from minires.fast.tiles import F2, F4, F4_STRIDE2, Maps, matrices
from minires.ops.conv import check_shapes
from minires.ops.forms import faster
from minires.ops.reduce import total
from minires.ops.windows import output_size, window

TILES = {(1, 1): (F4, F2), (2, 2): (F4_STRIDE2,)}  # by stride


@faster("conv2d", on=("numpy", "strict"), covers=COVERS)
def winograd(x, weight, bias=None, *, stride=1, padding=0, needs_input_grad=NEEDED):
    """conv2d by Winograd's tiles, where they pay."""
    tile, stride, padding = tile_that_pays(x, weight, bias, stride, padding)
    if tile is None:
        return NotImplemented
    return by_tiles(x, weight, bias, padding=padding, tile=tile, needs_input_grad=needs_input_grad)


def tile_that_pays(x, weight, bias, stride, padding):
    """Return (the Tile to take or None, stride, padding): with few channels the transforms cost more than the multiplications saved."""
    n, h, w, _ = check_shapes(x, weight, bias)
    kernel, stride, padding = window(weight.shape[:2], stride, padding)
    dtype, output = result_dtype(x, weight, bias), output_size((h, w), kernel, stride, padding)
    if kernel == (3, 3) and stride in TILES and dtype.kind == "f" and dtype.itemsize >= 4:
        for tile in TILES[stride]:
            count = n * -(-output[0] // tile.m) * -(-output[1] // tile.m)
            if min(weight.shape[2:]) >= 8 and count >= tile.pays * max(weight.shape[2:]):
                return tile, stride, padding
    return None, stride, padding


def by_tiles(x, weight, bias=None, *, padding=(0, 0), tile=F4, needs_input_grad=NEEDED):
    """conv2d by 3x3 kernels with the tile's stride, in a different order of sums.

    x  (N, H, W, C)    weight  (3, 3, C, F)    bias  (F,)    result  (N, OH, OW, F)

    Saves  x and weight. B x B', which is 2.25 times as large as x for m = 4, is computed again when it is needed.
    """
    n, f = len(x), weight.shape[-1]
    maps = Maps(x, weight, padding, tile, result_dtype(x, weight, bias))
    if 0 < n * maps.tiles[0] * maps.tiles[1] < max(x.shape[-1], f):
        return _channels_in_blocks(x, weight, bias, maps, needs_input_grad)
    y = empty((n, *maps.output, f), maps.dtype)
    u = maps.tile_filters(weight)

    def forward(chunk):
        v = maps.tile_images(x[chunk])
        maps.untile(maps.product(v, u, f), y[chunk])
        if bias is not None:
            y[chunk] += bias

    sum_over_chunks(forward, n, maps.size, maps.shared)
    has_bias = bias is not None

    def backward(g):
        if rotates(maps):
            g_x, g_weight = _rotated_backward(x, weight, g, maps, needs_input_grad)
            return g_x, g_weight, total(g, axis=(0, 1, 2)) if has_bias else None
        g_x = empty(x.shape, maps.dtype) if needs_input_grad[0] else None
        # (K*K, F, C)
        u_t = maps.tile_filters(weight.swapaxes(2, 3)) if needs_input_grad[0] else None

        def chunk_backward(chunk):
            g_product = maps.tile_gradient(g[chunk])
            g_u = maps.filters_product(maps.tile_images(x[chunk]), g_product)
            if needs_input_grad[0]:
                maps.untile_gradient(maps.product(g_product, u_t, x.shape[-1]), g_x[chunk])
            return g_u

        g_weight = maps.untile_filters(sum_over_chunks(chunk_backward, n, maps.size, maps.shared))
        return g_x, g_weight, total(g, axis=(0, 1, 2)) if has_bias else None

    return y, backward


def rotates(maps):
    """Return True if the gradient of x is a convolution with the rotated kernel."""
    return maps.tile.stride == 1 and max(maps.padding) <= 2


def rotated(weight):
    """Return the kernel rotated by 180 degrees, from F to C channels."""
    return weight[::-1, ::-1].swapaxes(2, 3)


def _rotated_maps(x, weight, g, maps):
    padding = tuple(2 - pixels for pixels in maps.padding)
    return Maps(g, rotated(weight), padding, maps.tile, maps.dtype)


def _rotated_backward(x, weight, g, maps, needs_input_grad):
    """Return (g_x, g_weight): a convolution of g, and the gradient of its kernel where x is the gradient of its result."""
    maps = _rotated_maps(x, weight, g, maps)
    g_x = empty(x.shape, maps.dtype) if needs_input_grad[0] else None
    u = maps.tile_filters(rotated(weight)) if needs_input_grad[0] else None

    def chunk_backward(chunk):
        v = maps.tile_images(g[chunk])
        if needs_input_grad[0]:
            maps.untile(maps.product(v, u, x.shape[-1]), g_x[chunk])
        return maps.filters_product(v, maps.tile_gradient(x[chunk]))

    g_u = sum_over_chunks(chunk_backward, len(x), maps.size, maps.shared)
    return g_x, rotated(maps.untile_filters(g_u))


BLOCK = 128  # channels


def _channels_in_blocks(x, weight, bias, maps, needs_input_grad):
    """Do the same if there are fewer tiles than channels: G w G' is then larger than B x B', and should stay in the cache, so it
    is never computed as a whole. The whole batch is tiled, and each part works with the filters of some channels.
    """
    (n, _, _, c), f = x.shape, weight.shape[-1]
    v = maps.whole_input(x)
    product = maps.tiled(n, f)
    y = empty((n, *maps.output, f), maps.dtype)

    def forward(filters):
        xp.matmul(
            matrices(v),
            maps.tile_filters(weight[..., filters]),
            out=matrices(product)[:, :, filters],
        )

    def result(chunk):
        maps.untile(product[..., chunk, :], y[chunk])
        if bias is not None:
            y[chunk] += bias

    _each_block(maps, forward, f)
    sum_over_chunks(result, n, maps.size)
    has_bias = bias is not None

    def backward(g):
        if rotates(maps):
            g_x, g_weight = _rotated_in_blocks(x, weight, g, maps, needs_input_grad)
            return g_x, g_weight, total(g, axis=(0, 1, 2)) if has_bias else None
        v = maps.whole_input(x)
        g_product = maps.tiled(n, f)
        g_weight = empty(weight.shape, maps.dtype)

        def tile_g(chunk):
            maps.tile_gradient(g[chunk], g_product[..., chunk, :])

        sum_over_chunks(tile_g, n, maps.size)

        def channels_backward(channels):
            v_part, g_part = matrices(v)[:, :, channels], matrices(g_product)
            g_weight[:, :, channels] = maps.untile_filters(
                xp.matmul(v_part.transpose(0, 2, 1), g_part)
            )
            if needs_input_grad[0]:  # the gradient of v replaces v
                xp.matmul(
                    g_part, maps.tile_filters(weight[:, :, channels]).transpose(0, 2, 1), out=v_part
                )

        _each_block(maps, channels_backward, c)
        g_x = empty(x.shape, maps.dtype) if needs_input_grad[0] else None
        if needs_input_grad[0]:
            sum_over_chunks(
                lambda chunk: maps.untile_gradient(v[..., chunk, :], g_x[chunk]), n, maps.size
            )
        return g_x, g_weight, total(g, axis=(0, 1, 2)) if has_bias else None

    return y, backward


def _rotated_in_blocks(x, weight, g, maps, needs_input_grad):
    """Do what _rotated_backward does, with the filters of some channels at a time."""
    maps, (n, _, _, c) = _rotated_maps(x, weight, g, maps), x.shape
    v, tiled_x = maps.whole_input(g), maps.tiled(n, c)
    g_weight = empty(weight.shape, maps.dtype)

    def tile_x(chunk):
        maps.tile_gradient(x[chunk], tiled_x[..., chunk, :])

    def channels_backward(channels):
        part = matrices(tiled_x)[:, :, channels]
        g_u = xp.matmul(matrices(v).transpose(0, 2, 1), part)
        g_weight[:, :, channels] = rotated(maps.untile_filters(g_u))
        if needs_input_grad[0]:  # the gradient of x, tiled, replaces x, tiled
            xp.matmul(matrices(v), maps.tile_filters(rotated(weight[:, :, channels])), out=part)

    sum_over_chunks(tile_x, n, maps.size)
    _each_block(maps, channels_backward, c)
    g_x = empty(x.shape, maps.dtype) if needs_input_grad[0] else None
    if needs_input_grad[0]:
        sum_over_chunks(lambda chunk: maps.untile(tiled_x[..., chunk, :], g_x[chunk]), n, maps.size)
    return g_x, g_weight


def _each_block(maps, work, channels):
    """Call work(slice) for each BLOCK of channels, in parallel."""
    blocks = -(-channels // BLOCK)
    sum_over_chunks(
        lambda chunk: work(slice(chunk.start * BLOCK, chunk.stop * BLOCK)),
        blocks,
        BLOCK * maps.shared // channels,
    )
