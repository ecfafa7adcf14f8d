"""The linear maps of Winograd's convolution as kernels. They replace methods of minires.fast.tiles.Maps; `maps` is one."""

from functools import cache

from minires.backend import xp
from minires.fast.cuda.start import c_float, each
from minires.fast.tiles import Maps
from minires.ops.forms import faster


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
        xp.ascontiguousarray(x),
        v,
        n,
        h,
        w,
        c,
        tw,
        *maps.padding,
    )
    return v


@faster(Maps.untile_gradient, on="cupy")
def untile_gradient_kernel(maps, g_v, g_x):
    """Run one thread per tile and channel."""
    (n, h, w, c), (th, tw), kind = g_x.shape, maps.tiles, _kind(maps, g_v, g_x)
    if kind is None:
        return NotImplemented
    _each(maps, f"untile_gradient<{kind}>", (th + 1) * (tw + 1) * n * c, xp.ascontiguousarray(g_v), g_x, n, h, w, c, th, tw,
          *maps.padding)  # fmt: skip
    return None


@faster(Maps.untile, on="cupy")
def untile_kernel(maps, product, y):
    """Run one thread per tile and channel."""
    (n, oh, ow, f), (th, tw), kind = y.shape, maps.tiles, _kind(maps, product, y)
    if kind is None:
        return NotImplemented
    _each(
        maps, f"untile<{kind}>", th * tw * n * f, xp.ascontiguousarray(product), y, n, oh, ow, f, tw
    )
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
        xp.ascontiguousarray(g),
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
    _each(maps, f"tile_filters<{kind}>", c * f, xp.ascontiguousarray(weight), u)
    return u


@faster(Maps.untile_filters, on="cupy")
def untile_filters_kernel(maps, g_u):
    """Run one thread per tile and channel."""
    (_, c, f), kind = g_u.shape, _kind(maps, g_u)
    if kind is None:
        return NotImplemented
    g_weight = xp.empty((3, 3, c, f), dtype=maps.dtype)
    _each(maps, f"untile_filters<{kind}>", c * f, xp.ascontiguousarray(g_u), g_weight)
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
    transposed = [(f"{name}T", tuple(zip(*matrix))) for name, matrix in matrices]
    return sizes + "".join(_constant(*pair) for pair in (*matrices, *transposed))


def _constant(name, matrix):
    rows = ", ".join("{" + ", ".join(repr(float(value)) for value in row) + "}" for row in matrix)
    shape = f"[{len(matrix)}][{len(matrix[0])}]"
    return (f"struct {name} {{\n    enum {{ ROWS = {len(matrix)}, COLS = {len(matrix[0])} }};\n"
            f"    static __device__ inline double at(int i, int j) {{\n        const double values{shape} = {{{rows}}};\n"
            "        return values[i][j];\n    }\n};\n")  # fmt: skip
