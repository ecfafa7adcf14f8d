"""Winograd's convolution on a GPU: its linear maps as kernels, and the convolution with tiles that are kept.

They replace methods of minires.fast.tiles.Maps, of which `maps` is one, and ops.conv2d.
"""

from functools import cache

from minires.backend import result_dtype, settings, xp
from minires.fast.conv import COVERS, NEEDED
from minires.fast.cuda.device import may_keep
from minires.fast.cuda.start import c_float, dense, each
from minires.fast.parts import sum_over_chunks
from minires.fast.tiles import Maps
from minires.fast.winograd import tile_that_pays
from minires.ops.forms import faster
from minires.ops.reduce import total


@faster(Maps.tile_images, on="cupy")
def tile_images_kernel(maps, x, v=None):
    """Run one thread per tile and channel."""
    (n, h, w, c), (th, tw), kind = x.shape, maps.tiles, _kind(maps, x, v)
    if kind is None:
        return NotImplemented
    v = maps.tiled(n, c) if v is None else v
    _each(
        maps,
        f"tile_images<{kind}>",
        th * tw * n * c,
        *dense(x),
        v,
        n,
        h,
        w,
        c,
        tw,
        *maps.padding,
    )
    return v


@faster(Maps.untile, on="cupy")
def untile_kernel(maps, product, y):
    """Run one thread per tile and channel."""
    (n, oh, ow, f), (th, tw), kind = y.shape, maps.tiles, _kind(maps, product, y)
    if kind is None:
        return NotImplemented
    _each(maps, f"untile<{kind}>", th * tw * n * f, *dense(product), y, n, oh, ow, f, tw)
    return None


@faster(Maps.tile_gradient, on="cupy")
def tile_gradient_kernel(maps, g, product=None):
    """Run one thread per tile and channel."""
    (n, oh, ow, f), (th, tw), kind = g.shape, maps.tiles, _kind(maps, g, product)
    if kind is None:
        return NotImplemented
    product = maps.tiled(n, f) if product is None else product
    _each(
        maps,
        f"tile_gradient<{kind}>",
        th * tw * n * f,
        *dense(g),
        product,
        n,
        oh,
        ow,
        f,
        tw,
    )
    return product


@faster(Maps.tile_filters, on="cupy")
def tile_filters_kernel(maps, weight):
    """Run one thread per tile and channel."""
    (_, _, c, f), kind = weight.shape, _kind(maps, weight)
    if kind is None:
        return NotImplemented
    u = xp.empty((maps.k**2, c, f), dtype=maps.dtype)
    _each(maps, f"tile_filters<{kind}>", c * f, *dense(weight), u)
    return u


@faster(Maps.untile_filters, on="cupy")
def untile_filters_kernel(maps, g_u):
    """Run one thread per tile and channel."""
    (_, c, f), kind = g_u.shape, _kind(maps, g_u)
    if kind is None:
        return NotImplemented
    g_weight = xp.empty((3, 3, c, f), dtype=maps.dtype)
    _each(maps, f"untile_filters<{kind}>", c * f, *dense(g_u), g_weight)
    return g_weight


def _kind(maps, x, other=None):
    """Return the C type, or None for two types, or for stride 2, whose tiles of 81 elements do not fit a thread's registers."""
    kind = c_float(x, x if other is None else other)
    writable = other is None or other.flags.c_contiguous
    return kind if x.dtype == maps.dtype and maps.tile.stride == 1 and writable else None


def _each(maps, function, threads, *arguments):
    each("winograd.cu", function, threads, *arguments, before=_constants(maps.tile))


@cache
def _constants(tile):
    """Return the matrices in C: types with ROWS, COLS and at(i, j)."""
    sizes = f"enum {{ M = {tile.m}, P = {len(tile.B[0])}, STEP = {tile.stride * tile.m} }};\n"
    matrices = [(name, getattr(tile, name)) for name in "ABG"]
    transposed = [(f"{name}T", tuple(zip(*matrix))) for name, matrix in matrices if name != "B"]
    return sizes + "".join(_constant(*pair) for pair in (*matrices, *transposed))


def _constant(name, matrix):
    rows = ", ".join("{" + ", ".join(repr(float(value)) for value in row) + "}" for row in matrix)
    shape = f"[{len(matrix)}][{len(matrix[0])}]"
    return (f"struct {name} {{\n    enum {{ ROWS = {len(matrix)}, COLS = {len(matrix[0])} }};\n"
            f"    static __device__ inline double at(int i, int j) {{\n        const double values{shape} = {{{rows}}};\n"
            "        return values[i][j];\n    }\n};\n")  # fmt: skip


@faster("conv2d", on="cupy", covers=COVERS)
def winograd_kept(x, weight, bias=None, *, stride=1, padding=0, needs_input_grad=NEEDED):
    """conv2d by Winograd's tiles of stride 1, where they pay; never with TF32, as tensor cores gain nothing from fewer multiplications.

    It differs from winograd in two ways. B x B' is kept for the gradient of the weight, while most of the memory is free.
    And the gradient of x is a convolution by tiles as well: of g with the filters rotated by 180 degrees. Its tiles do not overlap.
    Saves  weight, and x or B x B', which is 2.25 times as large for m = 4.
    """
    tile, stride, padding = tile_that_pays(x, weight, bias, stride, padding)
    if tile is None or stride != (1, 1) or max(padding) > 2 or settings().tf32:
        return NotImplemented
    maps = Maps(x, weight, padding, tile, result_dtype(x, weight, bias))
    y, tiles = _by_tiles(maps, x, weight)
    if bias is not None:
        y += bias
    n, has_bias, seen = len(x), bias is not None, x if tiles is None else None

    def backward(g):
        def of_filters(chunk):
            v = maps.tile_images(seen[chunk]) if tiles is None else tiles
            return maps.filters_product(v, maps.tile_gradient(g[chunk]))

        if tiles is None:
            g_u = sum_over_chunks(of_filters, n, maps.size, maps.shared)
        else:  # they are of the whole batch
            g_u = of_filters(slice(0, n))
        g_weight, g_x = maps.untile_filters(g_u), None
        if needs_input_grad[0]:
            turned = weight[::-1, ::-1].swapaxes(2, 3)  # (3, 3, F, C)
            around = 2 - padding[0], 2 - padding[1]
            g_x, _ = _by_tiles(Maps(g, turned, around, tile, maps.dtype), g, turned)
        return g_x, g_weight, total(g, axis=(0, 1, 2)) if has_bias else None

    return y, backward


def _by_tiles(maps, x, weight):
    """Return (the convolution without bias, B x B' if it may be kept and was not cut into chunks, otherwise None)."""
    n, f = len(x), weight.shape[-1]
    y, u, kept = xp.empty((n, *maps.output, f), dtype=maps.dtype), maps.tile_filters(weight), []

    def forward(chunk):
        v = maps.tile_images(x[chunk])
        maps.untile(maps.product(v, u, f), y[chunk])
        if chunk == slice(0, n) and may_keep(v.nbytes):
            kept.append(v)

    sum_over_chunks(forward, n, maps.size, maps.shared)
    return y, kept[0] if kept else None
