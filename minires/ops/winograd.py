"""Convolution by a 3x3 window with fewer multiplications: Winograd's F(m x m, 3x3), for stride 1 and 2.

An output tile of m x m pixels comes from an input tile of p x p. Three matrices make it so:

    y = A [ (G w G') * (B x B') ] A'      on each tile and channel; * element by element, ' transposed

That is k^2 multiplications for a tile and filter in place of 9 m^2, where k = m + 2 for stride 1: 4 times fewer for m = 4.
Summed over the channels the middle becomes k^2 products of matrices, one for each place in the tile. To multiply by A, B or G
on one side is a product of small matrices for each row of tiles, on the other side for each tile: all of it is matmul.
The way back is the chain rule: each linear map is replaced by its adjoint, in the other order.

Source  Winograd 1980; Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", whose B^T, G, A^T are B, G, A
here. In float32 the result is 2e-7 (m = 2) to 3e-6 (m = 4) of its size away from the true one.
"""

from minires.backend import has_kernels, in_parts, xp
from minires.ops.arithmetic import common_type
from minires.ops.tiles import F4, Maps, matrices


def conv2d_winograd(x, weight, bias=None, *, padding=(0, 0), tile=F4):
    """conv2d by 3x3 windows with the tile's stride, in another order of sums.

    x  (N, H, W, C)    weight  (3, 3, C, F)    bias  (F,)    result  (N, OH, OW, F)

    Keeps  x and weight. B x B', 2.25 times as large as x for m = 4, is made again when it is needed.
    """
    n, f = len(x), weight.shape[-1]
    maps = Maps(x, weight, padding, tile, common_type(x, weight, bias))
    if 0 < n * maps.tiles[0] * maps.tiles[1] < max(x.shape[-1], f) and not has_kernels():
        return _channels_in_parts(x, weight, bias, maps)
    y = xp.empty((n, *maps.output, f), dtype=maps.dtype)
    u = maps.tile_filters(weight)

    def forward(part):
        v = maps.tile_images(x[part])
        maps.untile(maps.product(v, u, f), y[part])
        if bias is not None:
            y[part] += bias

    in_parts(forward, n, maps.size, shared=maps.shared)
    biased = bias is not None

    def backward(g, wanted=(True, True, True)):
        g_x = xp.empty(x.shape, dtype=maps.dtype) if wanted[0] else None
        u_t = maps.tile_filters(weight.swapaxes(2, 3)) if wanted[0] else None  # (K*K, F, C)

        def part_backward(part):
            g_product = maps.tile_gradient(g[part])
            g_u = maps.filters_product(maps.tile_images(x[part]), g_product)
            if wanted[0]:
                maps.untile_gradient(maps.product(g_product, u_t, x.shape[-1]), g_x[part])
            return g_u

        g_weight = maps.untile_filters(in_parts(part_backward, n, maps.size, shared=maps.shared))
        return g_x, g_weight, g.sum(axis=(0, 1, 2)) if biased else None

    return y, backward


BLOCK = 128  # channels


def _channels_in_parts(x, weight, bias, maps):
    """The same where there are fewer tiles than channels: G w G' is larger than B x B' then, and should stay in the cache: it is
    never there as a whole. The whole batch is tiled, and each part works with the filters of some channels.
    """
    (n, _, _, c), f = x.shape, weight.shape[-1]
    v, product, y = maps.whole_input(x), maps.tiled(n, f), xp.empty((n, *maps.output, f), dtype=maps.dtype)

    def forward(filters):
        xp.matmul(matrices(v), maps.tile_filters(weight[..., filters]), out=matrices(product)[:, :, filters])

    def result(part):
        maps.untile(product[..., part, :], y[part])
        if bias is not None:
            y[part] += bias

    _each_block(maps, forward, f)
    in_parts(result, n, maps.size)
    biased = bias is not None

    def backward(g, wanted=(True, True, True)):
        v, g_product, g_weight = maps.whole_input(x), maps.tiled(n, f), xp.empty(weight.shape, dtype=maps.dtype)

        def tile_g(part):
            maps.tile_gradient(g[part], g_product[..., part, :])

        in_parts(tile_g, n, maps.size)

        def channels_backward(channels):
            v_part, g_part = matrices(v)[:, :, channels], matrices(g_product)
            g_weight[:, :, channels] = maps.untile_filters(xp.matmul(v_part.transpose(0, 2, 1), g_part))
            if wanted[0]:  # and where v was there is room for its gradient
                xp.matmul(g_part, maps.tile_filters(weight[:, :, channels]).transpose(0, 2, 1), out=v_part)

        _each_block(maps, channels_backward, c)
        g_x = xp.empty(x.shape, dtype=maps.dtype) if wanted[0] else None
        if wanted[0]:
            in_parts(lambda part: maps.untile_gradient(v[..., part, :], g_x[part]), n, maps.size)
        return g_x, g_weight, g.sum(axis=(0, 1, 2)) if biased else None

    return y, backward


def _each_block(maps, work, channels):
    """work(slice) for each BLOCK of channels, side by side."""
    blocks = -(-channels // BLOCK)
    in_parts(lambda part: work(slice(part.start * BLOCK, part.stop * BLOCK)), blocks, BLOCK * maps.shared // channels)
