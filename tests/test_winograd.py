"""Winograd's matrices, their linear maps and the convolution by tiles, compared with the definition, loops and conv2d."""

from fractions import Fraction
from functools import partial
from threading import Event, Thread

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import ops
from minires.backend import to_device, to_host, xp
from minires.fast.tiles import F2, F4, F4_STRIDE2, Maps
from minires.fast.winograd import by_tiles
from minires.gradcheck import check_backward
from tests.chunks import in_chunks_of
from tests.strategies import SEEDS, numbers, run, saved_by, threes, types

pytestmark = pytest.mark.usefixtures("each_backend")

on_each_tile = pytest.mark.parametrize(
    "tile", [F2, F4, F4_STRIDE2], ids=["F2", "F4", "F4, stride 2"]
)
TILES = st.sampled_from([F2, F4, F4_STRIDE2])


def exact(matrix):
    """Convert a matrix to rows of fractions."""
    return [[Fraction(number).limit_denominator(100) for number in row] for row in matrix]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


# The matrices.


def test_the_matrices_of_one_convolution_wait_for_those_of_no_other():
    class Slow:
        """A row that is equal to no other, so that no cache knows it."""

        def __init__(self, row):
            self.row = row

        def __len__(self):
            return len(self.row)

        def __getitem__(self, i):
            begun.set()
            go_on.wait(60)
            return self.row[i]

    def maps(tile):
        shapes = numpy.ones((1, 4, 4, 1), numpy.float32), numpy.ones((3, 3, 1, 1), numpy.float32)
        return Maps(*map(to_device, shapes), (1, 1), tile, numpy.dtype("float32"))

    begun, go_on, made = Event(), Event(), []
    slow, fast = maps(F2._replace(B=tuple(Slow(row) for row in F2.B))), maps(F2)
    threads = [Thread(target=lambda of=of: made.append(of.B)) for of in (slow, fast)]
    threads[0].start()
    begun.wait(60)
    threads[1].start()
    threads[1].join(5)
    alone = len(made)
    go_on.set()
    for thread in threads:
        thread.join()
    assert alone == 1
    assert fast.B is fast.B and not hasattr(fast, "C")
    for array in made:
        assert_array_equal(to_host(array), F2.B)


@on_each_tile
def test_a_of_gw_times_bx_is_the_correlation_exactly(tile):
    """Both sides are linear in x and in w, so if they agree on all unit vectors, they agree everywhere."""
    A, B, G = map(exact, (tile.A, tile.B, tile.G))
    pixels, products = {(2, 1): (4, 4), (4, 1): (6, 6), (4, 2): (9, 9)}[tile.m, tile.stride]
    assert (len(A), len(B), len(G), len(B[0])) == (tile.m, products, products, pixels)
    for u in range(3):
        for j in range(pixels):
            w, x = [int(i == u) for i in range(3)], [int(i == j) for i in range(pixels)]
            y = times(A, [a * b for a, b in zip(times(G, w), times(B, x), strict=True)])
            assert y == [
                sum(w[k] * x[tile.stride * i + k] for k in range(3)) for i in range(tile.m)
            ]


@pytest.mark.parametrize("tile", [F2, F4], ids=["F2", "F4"])
def test_the_matrices_are_polynomials_at_0_1_minus_1_2_minus_2_and_infinity(tile):
    """A and G contain powers of the points; a row of B is the polynomial that is 0 at all other points, and G scales it to 1."""
    A, B, G = map(exact, (tile.A, tile.B, tile.G))
    points = [0, 1, -1, 2, -2][: tile.m + 1]
    for i, p in enumerate(points):
        powers = [Fraction(p) ** k for k in range(tile.m + 2)]
        at = [sum(b * Fraction(q) ** k for k, b in enumerate(B[i])) for q in points]
        assert [row[i] for row in A] == powers[: tile.m]
        assert G[i] == [power / at[i] for power in powers[:3]]
        assert [bool(value) for value in at] == [q == p for q in points] and B[i][-1] == 0
    assert [row[-1] for row in A[:-1]] == [0] * (tile.m - 1) and G[-1] == [0, 0, 1]
    assert A[-1][-1] * B[-1][-1] == 1 and all(
        sum(b * q**k for k, b in enumerate(B[-1])) == 0 for q in points
    )


# The convolution.


def by_loops(x, weight, bias, g, padding, stride=1):
    """Return y, g_x, g_weight and g_bias, pixel by pixel of each window."""
    (ph, pw), (_, h, w, _), (oh, ow) = padding, x.shape, g.shape[1:3]
    frame = numpy.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    y, g_frame, g_weight = numpy.zeros(g.shape), numpy.zeros(frame.shape), numpy.zeros(weight.shape)
    for i in range(oh):
        for j in range(ow):
            for u in range(3):
                for v in range(3):
                    row, column = stride * i + u, stride * j + v
                    y[:, i, j] += frame[:, row, column] @ weight[u, v]
                    g_frame[:, row, column] += g[:, i, j] @ weight[u, v].T
                    g_weight[u, v] += frame[:, row, column].T @ g[:, i, j]
    return y + bias, g_frame[:, ph : ph + h, pw : pw + w], g_weight, g.sum(axis=(0, 1, 2))


def output_shape(shape, f, padding, stride):
    return (
        shape[0],
        (shape[1] + 2 * padding[0] - 3) // stride + 1,
        (shape[2] + 2 * padding[1] - 3) // stride + 1,
        f,
    )


def drawn(seed, shape, f, padding, stride=1):
    """x, weight, bias and the gradient of the result."""
    shapes = shape, (3, 3, shape[3], f), (f,), output_shape(shape, f, padding, stride)
    return [numbers(seed + i, each) for i, each in enumerate(shapes)]


@given(threes(), TILES, st.booleans(), SEEDS)
def test_by_tiles_is_conv2d_by_loops_forward_and_back(images, tile, contiguous, seed):
    padding = images[2]
    x, weight, bias, g = drawn(seed, *images, tile.stride)
    x, weight, g = map(numpy.ascontiguousarray, (x, weight, g)) if contiguous else (x, weight, g)
    y, backward = run(by_tiles, x, weight, bias, padding=padding, tile=tile)
    for found, expected in zip(
        (y, *backward(g)), by_loops(x, weight, bias, g, padding, tile.stride), strict=True
    ):
        assert_allclose(found, expected, atol=1e-11)


@given(threes(), TILES, SEEDS)
def test_by_tiles_is_conv2d(images, tile, seed):
    x, weight, bias, g = drawn(seed, *images, tile.stride)
    y, backward = run(by_tiles, x, weight, bias, padding=images[2], tile=tile)
    expected, other = run(ops.conv2d.plain, x, weight, bias, padding=images[2], stride=tile.stride)
    for a, b in zip((y, *backward(g)), (expected, *other(g)), strict=True):
        assert_allclose(a, b, atol=1e-11)


@on_each_tile
def test_a_stretched_gradient_and_every_second_pixel_of_an_image_are_taken_as_they_are(tile):
    x = numbers(0, (2, 14, 18, 6))[:, ::2, ::2, ::2]
    weight = numbers(1, (3, 6, 3, 8)).transpose(0, 2, 1, 3)[:, :, ::2, ::2]
    g = numpy.broadcast_to(
        numbers(2, (2, 1, 1, 4)), output_shape((2, 7, 9, 3), 4, (0, 0), tile.stride)
    )
    y, backward = by_tiles(to_device(x), to_device(weight), tile=tile)
    g_x, g_weight, g_bias = backward(xp.broadcast_to(to_device(g[:, :1, :1]), g.shape))
    for found, expected in zip((y, g_x, g_weight), by_loops(x, weight, 0, g, (0, 0), tile.stride)):
        assert_allclose(to_host(found), expected, atol=1e-11)
    assert g_bias is None


@on_each_tile
@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (2, 0)])
def test_the_gradients_of_by_tiles(tile, padding):
    x, weight, bias, _ = drawn(0, (2, 6, 5, 3), 4, padding, tile.stride)
    check_backward(partial(by_tiles, padding=padding, tile=tile), x, weight, bias)
    check_backward(partial(by_tiles, padding=padding, tile=tile), x[:1], weight)


@on_each_tile
@pytest.mark.parametrize(
    "images",
    [((2, 9, 13, 64), 64, (1, 1)), ((4, 16, 16, 16), 32, (1, 1)), ((1, 6, 7, 64), 8, (0, 2))],
)
def test_in_float32_it_is_within_a_hundred_thousandth_of_the_truth(tile, images):
    """For m = 4 the matrices have elements up to 8, which costs one digit more than im2col."""
    x, weight, _, g = drawn(0, *images, tile.stride)
    y, backward = run(by_tiles, *map(numpy.float32, (x, weight)), padding=images[2], tile=tile)
    truth, exactly = run(ops.conv2d.plain, x, weight, padding=images[2], stride=tile.stride)
    for found, expected in zip(
        (y, *backward(numpy.float32(g))[:2]), (truth, *exactly(g)[:2]), strict=True
    ):
        assert found.dtype == numpy.float32
        assert numpy.linalg.norm(found - expected) <= (
            1e-6 if tile is F2 else 1e-5
        ) * numpy.linalg.norm(expected)


@on_each_tile
def test_a_gradient_of_the_images_that_is_not_needed_is_left_out_and_the_rest_stays(tile):
    x, weight, bias, g = map(to_device, drawn(0, (2, 6, 5, 3), 4, (1, 1), tile.stride))
    options = {"padding": (1, 1), "tile": tile}
    _, g_weight, g_bias = by_tiles(x, weight, bias, **options)[1](g)
    nothing, *rest = by_tiles(x, weight, bias, **options, needs_input_grad=(False, True, True))[1](
        g
    )
    assert nothing is None
    for a, b in zip(rest, (g_weight, g_bias), strict=True):
        assert_array_equal(to_host(a), to_host(b))


@on_each_tile
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_elements_stays_and_backward_saves_x_and_weight(tile, dtype):
    x, weight, bias, _ = drawn(0, (2, 6, 5, 3), 4, (1, 1), tile.stride)
    assert types(by_tiles, x, weight, bias, dtype=dtype, padding=(1, 1), tile=tile) == {dtype}
    assert sorted(saved_by(by_tiles, x, weight, tile=tile)) == ["weight", "x"]


@on_each_tile
@pytest.mark.parametrize("images", [10, 1, 2])
def test_the_cut_into_chunks_changes_nothing_but_rounding(tile, images):
    """Five images at once, one by one, and two by two; a chunk reuses the memory of the one before, with its numbers."""
    x, weight, bias, g = drawn(0, (5, 7, 10, 3), 4, (1, 2), tile.stride)
    with in_chunks_of(images * Maps(x, weight, (1, 2), tile, x.dtype).size) as cuts:
        y, backward = run(by_tiles, x, weight, bias, padding=(1, 2), tile=tile)
        found = (y, *backward(g))
    assert {10: [5], 1: [1] * 5, 2: [2, 1, 1, 1]}[images] in cuts
    for a, b in zip(found, by_loops(x, weight, bias, g, (1, 2), tile.stride), strict=True):
        assert_allclose(a, b, atol=1e-11)


@on_each_tile
@pytest.mark.parametrize(("c", "f"), [(130, 3), (3, 130), (70, 70)])
@pytest.mark.parametrize("size", [1 << 30, 1, 20_000])
def test_where_channels_are_more_than_tiles_it_is_the_same(tile, size, c, f):
    """The filters are then cut into blocks, instead of the batch."""
    x, weight, bias, g = drawn(0, (3, 5, 6, c), f, (1, 0), tile.stride)
    expected = by_loops(x, weight, bias, g, (1, 0), tile.stride)
    options = {"padding": (1, 0), "tile": tile}
    with in_chunks_of(size):
        y, backward = run(by_tiles, x, weight, bias, **options)
        for found, wanted in zip((y, *backward(g)), expected, strict=True):
            assert_allclose(found, wanted, atol=1e-10)
        _, backward = by_tiles(
            *map(to_device, (x, weight, bias)), **options, needs_input_grad=(False, True, True)
        )
        nothing, g_weight, _ = backward(to_device(g))
    assert nothing is None
    assert_allclose(to_host(g_weight), expected[2], atol=1e-10)


def test_no_number_of_an_image_before_is_left_in_the_frame():
    """The memory of padded images is reused, for images of different sizes, too."""
    for n, h, w, padding in (
        (2, 9, 9, (0, 0)),
        (2, 5, 6, (2, 2)),
        (1, 3, 8, (1, 0)),
        (2, 5, 6, (0, 1)),
    ):
        for tile in (F4, F2, F4_STRIDE2):
            x, weight, bias, g = drawn(h, (n, h, w, 2), 3, padding, tile.stride)
            y, backward = run(by_tiles, x + 1000, weight, bias, padding=padding, tile=tile)
            for found, expected in zip(
                (y, *backward(g)),
                by_loops(x + 1000, weight, bias, g, padding, tile.stride),
                strict=True,
            ):
                assert_allclose(found, expected, atol=1e-8)


# The maps.


@given(threes(), TILES, SEEDS)
def test_each_map_and_its_adjoint_agree(images, tile, seed):
    """<map(a), b> = <a, adjoint(b)>, for images to tiles, tiles to the result, and weights to filters."""
    shape, f, padding = images
    x, weight, _, g = drawn(seed, *images, tile.stride)
    maps = Maps(to_device(x), to_device(weight), padding, tile, x.dtype)

    def assert_equal(a, adjoint_of_b, mapped, b):
        assert adjoint_of_b.shape == a.shape and mapped.shape == b.shape
        assert_allclose((mapped * b).sum(), (a * adjoint_of_b).sum(), atol=1e-8)

    tiled = to_host(maps.tile_images(to_device(x))).copy()
    v, g_x = numbers(seed + 4, tiled.shape), to_device(numpy.full(shape, numpy.nan))
    maps.untile_gradient(to_device(v), g_x)
    assert_equal(x, to_host(g_x), tiled, v)

    product = numbers(seed + 5, (*tiled.shape[:-1], f))
    y = to_device(numpy.full(g.shape, numpy.nan))
    maps.untile(to_device(numpy.ascontiguousarray(product)), y)
    assert_equal(product, to_host(maps.tile_gradient(to_device(g))), to_host(y), g)

    filters = to_host(maps.tile_filters(to_device(weight)))
    u = numpy.ascontiguousarray(numbers(seed + 6, filters.shape))
    assert_equal(weight, to_host(maps.untile_filters(to_device(u))), filters, u)


def test_a_nan_reaches_its_tiles_and_without_winograd_only_its_windows():
    """The spread that docs/speed.md and conv2d describe."""
    rng = numpy.random.default_rng(0)
    x = rng.standard_normal((8, 32, 32, 16)).astype("float32")
    weight = (rng.standard_normal((3, 3, 16, 16)) / 12).astype("float32")
    exact = [to_device(array.astype("float64")) for array in (x, weight)]
    right = to_host(ops.conv2d.plain(*exact, padding=1)[0])
    x[0, 11, 11, 0] = numpy.nan
    found = []
    for forms in (ops.without(), ops.without("winograd")):
        with forms:
            y, _ = ops.conv2d(to_device(x), to_device(weight), padding=1)
        found.append(to_host(y))
    spread, kept = (int(numpy.isnan(y[..., 0]).sum()) for y in found)
    assert kept == 9 < spread <= 64
    for y in found:
        seen = ~numpy.isnan(y)
        numpy.testing.assert_allclose(y[seen], right[seen], atol=1e-4)
