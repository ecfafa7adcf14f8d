"""The parts of Winograd's convolution: its matrices, and the linear maps from images to tiles and back.

The names are those of minires.fast.winograd, which explains the method.
"""

from functools import cache
from typing import NamedTuple

import numpy

from minires.backend import settings, xp
from minires.fast.memory import empty
from minires.fast.parts import scratch, sum_over_chunks
from minires.fast.products import product
from minires.ops.forms import faster, has_forms
from minires.ops.windows import output_size


class Tile(NamedTuple):
    """The matrices for output tiles of m x m."""

    m: int
    B: tuple  # (K, P)
    G: tuple  # (K, 3)
    A: tuple  # (M, K)
    stride: int = 1
    # The least tiles per channel, as measured: with fewer, the transforms of the filters cost more than they save.
    pays: float = 1 / 4


F2 = Tile(
    m=2,
    B=((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
    G=((1, 0, 0), (1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (0, 0, 1)),
    A=((1, 1, 1, 0), (0, 1, -1, -1)),
)
F4 = Tile(
    m=4,
    B=((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0), (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0), (0, 4, 0, -5, 0, 1)),
    G=((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6), (1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1)),
    A=((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1)),
)  # fmt: skip


def _strided(m, B, G, A):
    """Return the tile for stride 2, from the matrices for m results of a 2-pixel kernel: the ends of the 3-pixel kernel see the
    even pixels; its middle sees the odd ones, which are multiplied one by one. Source  Lavin and Gray 2016 name the split.
    """
    evens = m + 1
    every = range(2 * evens - 1)
    on_evens = [tuple(row[i // 2] if i % 2 == 0 else 0 for i in every) for row in B]
    on_odds = [tuple(int(i == 2 * j + 1) for i in every) for j in range(m)]
    ends, middle = [(first, 0, last) for first, last in G], [(0, 1, 0)] * m
    both = [(*row, *(int(i == j) for j in range(m))) for i, row in enumerate(A)]
    return Tile(m, B=(*on_evens, *on_odds), G=(*ends, *middle), A=tuple(both), stride=2, pays=4)


# 81 multiplications instead of 144.
F4_STRIDE2 = _strided(
    m=4,
    B=((2, -1, -2, 1, 0), (0, -2, -1, 1, 0), (0, 2, -3, 1, 0), (0, -1, 0, 1, 0), (0, 2, -1, -2, 1)),
    G=((1 / 2, 0), (-1 / 2, -1 / 2), (-1 / 6, 1 / 6), (1 / 6, 1 / 3), (0, 1)),
    A=((1, 1, 1, 1, 0), (0, 1, -1, 2, 0), (0, 1, 1, 4, 0), (0, 1, -1, 8, 1)),
)


@cache
def _made(tile, name, dtype, library):
    """Return a matrix of a tile as the library's array; named twice, as "GG", its Kronecker product with itself."""
    matrix = library.array(getattr(tile, name[0]), dtype=dtype)
    return library.kron(matrix, matrix) if len(name) > 1 else matrix


@has_forms
def overlapping(x, axis, length, step):
    """Return the slices of x along an axis that begin every `step`: a view (..., T, length, ...), in which they overlap."""
    shape, strides = _overlaps(x, axis, length, step)
    return xp.lib.stride_tricks.as_strided(x, shape, strides)


@faster(overlapping, on="numpy")
def overlapping_at_once(x, axis, length, step):
    """Make the view without as_strided, which takes 10 microseconds."""
    if not x.flags.c_contiguous:
        return NotImplemented
    shape, strides = _overlaps(x, axis, length, step)
    return numpy.ndarray(shape, x.dtype, x, strides=strides)


def _overlaps(x, axis, length, step):
    shape, strides = x.shape, x.strides
    count = (shape[axis] - length) // step + 1
    return (
        (*shape[:axis], count, length, *shape[axis + 1 :]),
        (*strides[:axis], step * strides[axis], *strides[axis:]),
    )


class Maps:
    """The linear maps for images of one shape. Tiled, images are (K, K, TH, TW, N, C): one matrix (TH*TW*N, C) for each
    position in a tile, where TH * TW tiles cover the output. Before and after, they are copied as (H, W, N, C): then each small
    matrix is multiplied by long rows in memory, of W*N*C elements along the height and N*C elements along the width.
    """

    def __init__(self, x, weight, padding, tile, dtype):
        (_, h, w, c), f = x.shape, weight.shape[-1]
        self.tile, self.m, self.k, self.padding = tile, tile.m, len(tile.B), padding
        # Pixels from one tile to the next, and the number of further pixels that a tile sees.
        self.step = tile.stride * tile.m
        self.beyond = len(tile.B[0]) - self.step
        self.output = output_size((h, w), (3, 3), (tile.stride,) * 2, padding)
        oh, ow = self.output
        self.tiles = -(-oh // self.m), -(-ow // self.m)
        self.dtype, self.scratch = dtype, scratch.here()
        values = self.k**2 * self.dtype.itemsize
        # In bytes, see sum_over_chunks.
        self.size, self.shared = values * self.tiles[0] * self.tiles[1] * (c + f), values * c * f

    def __getattr__(self, name):
        """A, B and G, and GG, the Kronecker product of G with itself: arrays that are made on first use."""
        if name not in ("A", "B", "G", "GG"):
            raise AttributeError(name)
        return _made(self.tile, name, self.dtype, settings().library.module)

    @has_forms
    def tile_images(self, x, v=None):
        """Return B x B', tiled, from images (N, H, W, C); in v if it is given."""
        (n, h, w, c), (th, tw), (ph, pw), k = x.shape, self.tiles, self.padding, self.k
        image = self._scratch(
            "image", *(tiles * self.step + self.beyond for tiles in self.tiles), n, c
        )
        image[:ph], image[ph + h :], image[:, :pw], image[:, pw + w :] = 0, 0, 0, 0
        inside = image[ph : ph + h, pw : pw + w]
        inside[...] = x.transpose(1, 2, 0, 3)[: inside.shape[0], : inside.shape[1]]
        rows = self._scratch("rows", th, k, image.shape[1], n * c)
        xp.matmul(
            self.B,
            self._seen(image.reshape(len(image), -1), axis=0),
            out=rows.reshape(th, k, -1),
        )
        v = self._scratch("v", k, k, th, tw, n, c) if v is None else v
        xp.matmul(self.B, self._seen(rows, axis=2), out=_by_tiles(v))
        return v

    @has_forms
    def untile_gradient(self, g_v, g_x):
        """Write B' g_v B to images g_x (N, H, W, C); a pixel that several tiles see is the sum of their contributions."""
        (n, h, w, c) = g_x.shape
        (th, tw) = self.tiles
        (ph, pw) = self.padding
        k = self.k
        step = self.step
        beyond = self.beyond
        # The pixels from `step` on belong to the next tile, too.
        own, shared = self.B.T[:step], self.B.T[step:]
        tiles = _by_tiles(g_v)
        rows = self._scratch("rows", th, k, tw + 1, step, n * c)
        xp.matmul(own, tiles, out=rows[:, :, :tw])
        rows[:, :, tw] = 0
        rows[:, :, 1:, :beyond] += xp.matmul(
            shared, tiles, out=self._scratch("beyond", th, k, tw, beyond, n * c)
        )
        rows = rows.reshape(th, k, -1)
        image = self._scratch("image", th + 1, step, rows.shape[-1])
        xp.matmul(own, rows, out=image[:th])
        image[th] = 0
        image[1:, :beyond] += xp.matmul(
            shared, rows, out=self._scratch("beyond", th, beyond, rows.shape[-1])
        )
        inside = image.reshape((th + 1) * step, (tw + 1) * step, n, c)[
            ph : ph + h, pw : pw + w
        ].transpose(2, 0, 1, 3)
        if inside.shape != g_x.shape:
            g_x[...] = 0
        g_x[:, : inside.shape[1], : inside.shape[2]] = inside

    def tiled(self, n, channels):
        """Return memory for a whole batch, tiled."""
        return empty((self.k, self.k, *self.tiles, n, channels), self.dtype)

    def whole_input(self, x):
        """Return tile_images() of a whole batch."""
        v = self.tiled(len(x), x.shape[-1])

        def tile(part):
            self.tile_images(x[part], v[..., part, :])

        sum_over_chunks(tile, len(x), self.size)
        return v

    def product(self, tiled, filters, channels):
        """Multiply the matrices of each position in the tile by the filters."""
        result = self._scratch("product", *tiled.shape[:-1], channels)
        product(matrices(tiled), filters, matrices(result))
        return result

    def filters_product(self, v, g_product):
        """Return the gradient of the filters, (K*K, C, F), from g_product."""
        return product(matrices(v).transpose(0, 2, 1), matrices(g_product))

    @has_forms
    def untile(self, product, y):
        """Write A product A' to y (N, OH, OW, F)."""
        (n, oh, ow, f), (th, tw), m, k = y.shape, self.tiles, self.m, self.k
        rows = self._scratch("rows", th, k, tw, m, n * f)
        xp.matmul(self.A, _by_tiles(product), out=rows)
        image = self._scratch("image", th, m, tw * m * n * f)
        xp.matmul(self.A, rows.reshape(th, k, -1), out=image)
        y[...] = image.reshape(th * m, tw * m, n, f)[:oh, :ow].transpose(2, 0, 1, 3)

    @has_forms
    def tile_gradient(self, g, product=None):
        """Return A' g A, tiled, from images (N, OH, OW, F); in product if it is given."""
        (n, oh, ow, f), (th, tw), m, k = g.shape, self.tiles, self.m, self.k
        image = self._scratch("image", th * m, tw * m, n, f)
        image[oh:], image[:, ow:] = 0, 0
        image[:oh, :ow] = g.transpose(1, 2, 0, 3)
        rows = self._scratch("rows", th, k, tw * m * n * f)
        xp.matmul(self.A.T, image.reshape(th, m, -1), out=rows)
        product = self._scratch("g_product", k, k, th, tw, n, f) if product is None else product
        xp.matmul(self.A.T, rows.reshape(th, k, tw, m, n * f), out=_by_tiles(product))
        return product

    @has_forms
    def tile_filters(self, weight):
        """Return G w G' of each channel and filter: (K*K, C, F)."""
        _, _, c, f = weight.shape
        u, G = empty((self.k**2, c, f), self.dtype), self.GG  # (K*K, 9)

        def transform(part):
            xp.matmul(G, weight[:, :, part].reshape(9, -1), out=_lines(u[:, part]))

        sum_over_chunks(transform, c, (self.k**2 + 9) * f * self.dtype.itemsize)
        return u

    @has_forms
    def untile_filters(self, g_u):
        """Return G' g_u G: (3, 3, C, F)."""
        _, c, f = g_u.shape
        g_weight, G = empty((9, c, f), self.dtype), self.GG

        def transform(part):
            xp.matmul(G.T, _lines(g_u[:, part]), out=_lines(g_weight[:, part]))

        sum_over_chunks(transform, c, (self.k**2 + 9) * f * self.dtype.itemsize)
        return g_weight.reshape(3, 3, c, f)

    def _seen(self, x, axis):
        """Return the pixels along an axis that each tile sees: those of neighbours overlap."""
        return overlapping(x, axis, self.step + self.beyond, self.step)

    def _scratch(self, name, *shape):
        return self.scratch(f"winograd {name}", shape, self.dtype)


def _lines(x):
    """Reshape (..., N, C) to (..., N*C)."""
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def matrices(tiled):
    """Reshape (K, K, TH, TW, N, C) to one matrix (TH*TW*N, C) for each position in the tile."""
    return tiled.reshape(len(tiled) ** 2, -1, tiled.shape[-1])


def _by_tiles(tiled):
    """View (K, K, TH, TW, N, C) as (TH, K, TW, K, N*C): rows of tiles, after the first of the two products."""
    return _lines(tiled).transpose(2, 0, 3, 1, 4)
