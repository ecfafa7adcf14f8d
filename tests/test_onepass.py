"""norm_add_relu compared with batch norm, add and ReLU one after the other, with loops and with numbers by hand."""

import re
from functools import partial

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import backend, ops
from minires.backend import on_a_gpu, to_device, to_host
from minires.fast.onepass import add_relu, norm_add_relu
from minires.gradcheck import check_backward
from minires.graph import saved
from tests.chunks import in_chunks_of
from tests.strategies import SEEDS, numbers, run, saved_by, types
from tests.test_norm import BATCHES, normalised_by_loops, stats_by_loops

pytestmark = pytest.mark.usefixtures("each_backend")

with_and_without_relu = pytest.mark.parametrize("relu", [True, False], ids=["relu", "no relu"])
with_and_without_add = pytest.mark.parametrize("added", [True, False], ids=["add", "no add"])
training_and_frozen = pytest.mark.parametrize("training", [True, False], ids=["training", "frozen"])


def every_way(test):
    return with_and_without_relu(with_and_without_add(training_and_frozen(test)))


def drawn(seed, shape, added=False, *, shift=2.0):
    """Draw x, gamma and beta, and the add if requested. gamma is far from 0 and has both signs."""
    c = shape[-1:]
    arrays = [
        numbers(seed, shape) + shift,
        numbers(seed + 1, c, away_from_zero=0.5),
        numbers(seed + 2, c),
    ]
    return arrays + [numbers(seed + 3, shape)] * added


def statistics(seed, c):
    """Draw a mean and a variance."""
    return numbers(seed, (c,)), numbers(seed + 1, (c,), positive=True) + 0.1


def one_after_the_other(x, gamma, beta, add=None, *, eps, stats, relu, g):
    """Return the result and the gradients of the three ops: those of batch norm and that of `add`."""
    norm = (
        {"eps": eps}
        if stats is None
        else {"eps": eps, "mean": to_device(stats[0]), "var": to_device(stats[1])}
    )
    y, back_norm = run(
        ops.batch_norm if stats is None else ops.batch_norm_frozen, x, gamma, beta, **norm
    )
    y, back_add = run(ops.add, y, add) if add is not None else (y, lambda g: (g, None))
    y, back_relu = run(ops.relu, y) if relu else (y, lambda g: (g,))
    g_sum, g_add = back_add(*back_relu(g))
    return (y, *back_norm(g_sum), g_add)


def options_of(training, seed, c):
    """Return (stats or None, the options of norm_add_relu for them)."""
    stats = None if training else statistics(seed, c)
    return stats, {"training": training, "stats": stats and tuple(map(to_device, stats))}


@every_way
@pytest.mark.parametrize(
    "shape",
    [
        (6, 1),
        (5, 3),
        (7, 600),
        (3, 5, 4, 1),
        (2, 31, 3, 3),
        (4, 7, 5, 16),
        (2, 8, 8, 64),
        (2, 3, 1, 600),
    ],
)
def test_it_is_batch_norm_then_add_then_relu(shape, relu, added, training):
    stats, options = options_of(training, 10, shape[-1])
    operands, g = drawn(0, shape, added), numbers(5, shape)
    expected = one_after_the_other(*operands, eps=0.01, stats=stats, relu=relu, g=g)
    y, backward = run(norm_add_relu, *operands, eps=0.01, relu=relu, **options)
    for found, wanted in zip((y, *backward(g)), expected, strict=True):
        assert (found is None) == (wanted is None)
        assert found is None or found.shape == wanted.shape
        assert found is None or abs(found - wanted).max() <= 1e-12 * max(1, abs(wanted).max())


@given(BATCHES, st.booleans(), st.booleans(), st.booleans(), SEEDS)
def test_it_is_its_formula(shape, relu, added, training, seed):
    x, gamma, beta, *add = drawn(seed, shape, added)
    stats, options = options_of(training, seed + 10, shape[-1])
    y, _ = run(norm_add_relu, x, gamma, beta, *add, eps=0.3, relu=relu, **options)
    expected = normalised_by_loops(x, gamma, beta, *(stats or stats_by_loops(x)), 0.3) + (
        add[0] if add else 0
    )
    for index in numpy.ndindex(shape):
        assert_allclose(
            y[index], max(expected[index], 0) if relu else expected[index], rtol=1e-10, atol=1e-11
        )


@every_way
@pytest.mark.parametrize("shape", [(5, 3), (2, 4, 3, 2)])
def test_its_gradients(shape, relu, added, training):
    _, options = options_of(training, 10, shape[-1])
    for seed in (0, 20):
        check_backward(
            partial(norm_add_relu, relu=relu, eps=0.1), *drawn(seed, shape, added), **options
        )


def test_eps_is_1e_5_and_relu_is_taken_and_statistics_follow_x_unless_told_otherwise():
    x, gamma, beta = drawn(0, (4, 3, 5, 2))
    x = 0.003 * x
    y, backward = run(norm_add_relu, x, gamma, beta)
    expected = one_after_the_other(x, gamma, beta, eps=1e-5, stats=None, relu=True, g=x)
    for found, wanted in zip((y, *backward(x)), expected, strict=True):
        assert (
            found is wanted is None or assert_allclose(found, wanted, rtol=1e-9, atol=1e-12) is None
        )


# x = -1, 1, -1, 1 has mean 0 and variance 1, exactly: with eps 0 it is its own x_hat.

X = numpy.array([[-1.0], [1.0], [-1.0], [1.0]])
ONE = numpy.ones(1)


def test_by_hand():
    """2 x + 1 + add is -1 + 0, 3 - 8, -1 + 4, 3 + 0: of g = 1, 10, 100, 1000, the sum gets 0, 0, 100, 1000."""
    add = numpy.array([[0.0], [-8.0], [4.0], [0.0]])
    g = numpy.array([[1.0], [10.0], [100.0], [1000.0]])
    y, backward = run(norm_add_relu, X, 2 * ONE, ONE, add, eps=0)
    assert_array_equal(y, [[0], [0], [3], [3]])
    g_x, g_gamma, g_beta, g_add = backward(g)
    assert_array_equal(g_add, [[0], [0], [100], [1000]])
    assert_array_equal(g_beta, [1100])
    assert_array_equal(g_gamma, [900])
    assert_allclose(g_x, 2 * (g_add - 1100 / 4 - X * 900 / 4))
    stats = to_device(numpy.zeros(1)), to_device(ONE)
    g_x, *_ = run(norm_add_relu, X, 2 * ONE, ONE, add, eps=0, stats=stats, training=False)[1](g)
    assert_array_equal(g_x, 2 * g_add)


@with_and_without_add
def test_the_slope_at_exactly_0_is_0(added):
    beta, add = (0 * ONE, [X * 0 + 1]) if added else (ONE, [])
    y, backward = run(norm_add_relu, X, ONE, beta, *add, eps=0)
    assert_array_equal(y, [[0], [2], [0], [2]])
    *_, g_beta, g_add = backward(numpy.array([[5.0], [7.0], [11.0], [13.0]]))
    assert_array_equal(g_beta, [20])
    assert g_add is None or g_add.tolist() == [[0], [7], [0], [13]]


def test_statistics_that_are_given_are_used_and_follow_x_all_the_same():
    """Statistics that the layer has already computed."""
    x, gamma, beta = drawn(0, (4, 3, 5, 2))
    g = numbers(5, x.shape)
    y, backward = run(norm_add_relu, x, gamma, beta, eps=0.1)
    y_given, backward_given = run(
        norm_add_relu, x, gamma, beta, eps=0.1, stats=ops.channel_stats(to_device(x))
    )
    for a, b in zip((y, *backward(g)[:3]), (y_given, *backward_given(g)[:3]), strict=True):
        assert_array_equal(a, b)
    stats = to_device(numpy.array([1.0])), to_device(numpy.array([4.0]))
    y, _ = run(norm_add_relu, numpy.array([[3.0], [-7.0]]), 10 * ONE, ONE, eps=0, stats=stats)
    assert_array_equal(y, [[11], [0]])


@pytest.mark.parametrize("shape", [(4096, 3), (16, 16, 16, 3)])
def test_a_mean_of_1000_deviations_costs_no_accuracy(shape):
    """x and its mean are exact to 3e-5 in float32, and their difference loses nothing more. x * slope would."""
    x, gamma, beta = (numpy.float32(array) for array in drawn(0, shape, shift=1000.0))
    gamma *= 30
    g = numpy.float32(numbers(5, shape))
    exact = [array.astype("float64") for array in (x, gamma, beta)]
    truth, *gradients, _ = one_after_the_other(
        *exact, eps=1e-5, stats=None, relu=False, g=g.astype("float64")
    )
    y, backward = run(norm_add_relu, x, gamma, beta, relu=False)
    assert (abs(y - truth) <= 1e-4 * abs(gamma)).all()
    for found, wanted in zip(backward(g)[:3], gradients, strict=True):
        assert numpy.linalg.norm(found - wanted) <= 1e-4 * numpy.linalg.norm(wanted)
    mean, var = (numpy.float32(array) for array in statistics(10, 3))
    mean += 1000
    stats = tuple(map(to_device, (mean, var)))
    y, _ = run(norm_add_relu, x, gamma, beta, relu=False, training=False, stats=stats)
    truth = (exact[0] - mean) / numpy.sqrt(var.astype("float64") + 1e-5) * gamma + beta
    assert (abs(y - truth) <= 1e-6 * (abs(truth) + abs(gamma))).all()


@training_and_frozen
def test_nan_comes_through(training):
    """A NaN shows that training went wrong. Python's max(0, nan) would hide it."""
    x, gamma, beta, add = drawn(0, (4, 3, 5, 2), added=True)
    _, options = options_of(training, 10, 2)
    x[1, 2, 0, 1] = add[0, 1, 3, 0] = numpy.nan
    y, _ = run(norm_add_relu, x, gamma, beta, add, **options)
    expected = numpy.zeros(x.shape, bool)
    expected[(1, 2, 0, 1) if not training else (..., 1)] = expected[0, 1, 3, 0] = True
    assert_array_equal(numpy.isnan(y), expected)
    x, _, _, add = drawn(0, (4, 3, 5, 2), added=True)
    g = numpy.ones(x.shape)
    g[0, 0, 0, 1] = numpy.nan
    for gradient in run(norm_add_relu, x, gamma, beta, add, **options)[1](g)[:3]:
        assert numpy.isnan(gradient[..., 1]).any() and not numpy.isnan(gradient[..., 0]).any()


def test_infinity_is_cut_off_below_and_comes_through_above():
    add = numpy.array([[-numpy.inf], [numpy.inf], [0.0], [0.0]])
    y, backward = run(norm_add_relu, X, ONE, 0 * ONE, add, eps=0)
    assert_array_equal(y, [[0], [numpy.inf], [0], [1]])
    assert_array_equal(backward(X * 0 + 1)[3], [[0], [1], [0], [1]])


@every_way
def test_arrays_that_lie_askew_in_memory_are_taken_as_they_are(relu, added, training):
    x, gamma, beta, *add = drawn(0, (6, 5, 8, 6), added)
    x, *add = (array[::2, :, ::2, ::2] for array in (x, *add))
    gamma, beta, g = gamma[::2], beta[::2], numbers(5, (5, 3, 4, 3)).transpose(1, 0, 2, 3)
    _, options = options_of(training, 10, 3)
    results = []
    for made in (numpy.asarray, numpy.ascontiguousarray):
        y, backward = run(norm_add_relu, *map(made, (x, gamma, beta, *add)), relu=relu, **options)
        results.append((y, *backward(made(g))))
    for a, b in zip(*results, strict=True):
        assert_array_equal(a, b)
    _, backward = norm_add_relu(*map(to_device, (x, gamma, beta, *add)), relu=relu, **options)
    stretched = backward(backend.xp.broadcast_to(to_device(numpy.ones(1)), x.shape))
    for a, b in zip(stretched, backward(to_device(numpy.ones(x.shape))), strict=True):
        assert a is b is None or assert_array_equal(to_host(a), to_host(b)) is None


@every_way
def test_neither_operands_nor_the_gradient_are_written_to(relu, added, training):
    operands = [numpy.ascontiguousarray(array) for array in drawn(0, (3, 5, 4, 2), added)]
    g = numpy.ones((3, 5, 4, 2))
    _, options = options_of(training, 10, 2)
    given = [to_device(array.copy()) for array in (*operands, g)]
    if backend.name() == "numpy":
        for array in given:
            array.flags.writeable = False
    _, backward = norm_add_relu(*given[:-1], relu=relu, **options)
    first = [None if array is None else to_host(array).copy() for array in backward(given[-1])]
    for a, b in zip(first, backward(given[-1]), strict=True):
        assert a is b is None or assert_array_equal(a, to_host(b)) is None
    for array, before in zip(given, (*operands, g), strict=True):
        assert_array_equal(to_host(array), before)


@with_and_without_relu
def test_backward_saves_x_and_the_result(relu):
    x, gamma, beta, add = (to_device(array) for array in drawn(0, (4, 3, 5, 2), added=True))
    y, backward = norm_add_relu(x, gamma, beta, add, relu=relu)
    large = {name: array for name, array in saved(backward).items() if array.size >= x.size}
    assert sorted(large) == (["saved_y", "x"] if relu else ["x"])
    assert large["x"] is x and (not relu or large["saved_y"] is y)
    assert set(saved_by(norm_add_relu, *drawn(0, (4, 2)), relu=relu)) - set(large) <= {
        "gamma",
        "mean",
        "var",
    }


@every_way
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_elements_stays(dtype, relu, added, training):
    stats, options = options_of(training, 10, 2)
    if stats:
        options["stats"] = tuple(to_device(array.astype(dtype)) for array in stats)
    for shape in ((4, 2), (2, 4, 3, 2)):
        assert types(norm_add_relu, *drawn(0, shape, added), dtype=dtype, relu=relu, **options) == {
            dtype
        }


def test_float64_added_to_float32_gives_float64():
    operands = [
        numpy.ones((4, 2), "float32"),
        *numpy.ones((2, 2), "float32"),
        numpy.full((4, 2), 1e-9),
    ]
    y, _ = run(norm_add_relu, *operands)
    assert y.dtype == "float64" and (y == 1 + 1e-9).all()


ONE_IMAGE = (
    "; leave out a last batch of one image (drop_last=True), or choose a different batch size"
)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(4, 2), (3,), (2,)], "expected a gamma of shape (2,), got (3,)"),
        ([(4, 2), (2,), (1,)], "expected a beta of shape (2,), got (1,)"),
        (
            [(4, 3, 5, 2), (2,), (2,), (4, 3, 1, 2)],
            "expected an add of x's shape, (4, 3, 5, 2), got (4, 3, 1, 2)",
        ),
        ([(4, 2), (2,), (2,), (2,)], "expected an add of x's shape, (4, 2), got (2,)"),
        (
            [(1, 2), (2,), (2,)],
            f"expected two or more values per channel, as a variance needs, got 1 in an x of shape (1, 2){ONE_IMAGE}",
        ),
        (
            [(1, 1, 1, 2), (2,), (2,)],
            f"expected two or more values per channel, as a variance needs, got 1 in an x of shape (1, 1, 1, 2){ONE_IMAGE}",
        ),
    ],
)
def test_it_refuses(shapes, message):
    with pytest.raises(ValueError, match=f"^(norm_add_relu|batch_norm): {re.escape(message)}$"):
        run(norm_add_relu, *map(numpy.ones, shapes))


@pytest.mark.parametrize(("name", "shape"), [("mean", (3,)), ("var", (1,))])
def test_it_refuses_statistics_of_another_size(name, shape):
    stats = tuple(
        to_device(numpy.ones(shape if name == which else (2,))) for which in ("mean", "var")
    )
    with pytest.raises(
        ValueError,
        match=rf"^batch_norm: expected a {name} of shape \(2,\), got {re.escape(str(shape))}$",
    ):
        run(norm_add_relu, *map(numpy.ones, [(4, 2), (2,), (2,)]), stats=stats)


def test_frozen_takes_a_single_value_and_an_empty_batch():
    _, options = options_of(False, 0, 2)
    for shape in ((1, 2), (1, 1, 1, 2), (0, 2), (0, 5, 4, 2)):
        y, backward = run(norm_add_relu, *drawn(0, shape, added=True), **options)
        expected = one_after_the_other(
            *drawn(0, shape, added=True), eps=1e-5, stats=statistics(0, 2), relu=True, g=y
        )
        for found, wanted in zip((y, *backward(y)), expected, strict=True):
            assert_allclose(found, wanted, rtol=1e-12)


# In chunks.


@training_and_frozen
@pytest.mark.parametrize("size", [1, 3000, 8000])
def test_the_cut_into_chunks_changes_nothing_but_rounding(size, training):
    """Seven images one by one, and a few at a time."""
    operands, g = drawn(0, (7, 5, 3, 4), added=True, shift=50.0), numbers(5, (7, 5, 3, 4))
    stats, options = options_of(training, 10, 4)
    with in_chunks_of(size) as cuts:
        y, backward = run(norm_add_relu, *operands, **options)
        found = (y, *backward(g))
    assert on_a_gpu() or any(len(cut) > 1 for cut in cuts)
    for a, b in zip(
        found, one_after_the_other(*operands, eps=1e-5, stats=stats, relu=True, g=g), strict=True
    ):
        assert_allclose(a, b, rtol=1e-10, atol=1e-10)


def test_the_same_bits_come_out_on_any_number_of_threads():
    operands = [numpy.float32(array) for array in drawn(0, (13, 9, 8, 16), True)]
    g = numpy.float32(numbers(5, (13, 9, 8, 16)))
    results = []
    for threads in (1, 2, 3, 2):
        with backend.using_threads(threads), in_chunks_of(60_000):
            y, backward = run(norm_add_relu, *operands)
            results.append([array.tobytes() for array in (y, *backward(g))])
    assert all(result == results[0] for result in results)


def test_whole_numbers_are_refused():
    ones = numpy.ones(2)
    for options in ({}, {"stats": (to_device(ones), to_device(ones)), "training": False}):
        with pytest.raises(
            TypeError,
            match="batch_norm(_frozen)?: expected an x of floats, got int64: x.astype",
        ):
            run(norm_add_relu, numpy.ones((3, 2), "int64"), ones, ones, **options)


# add_relu.


@with_and_without_relu
@with_and_without_add
def test_add_relu_by_hand(relu, added):
    x = numpy.array([[-3.0, 0.0], [0.5, 2.0], [-1.0, 4.0]])
    add = numpy.array([[1.0, 0.0], [-2.0, 1.0], [3.0, -4.0]])
    summed = x + add if added else x
    y, backward = run(add_relu, *[x, add][: 1 + added], relu=relu)
    assert_array_equal(y, numpy.where(summed > 0, summed, 0) if relu else summed)
    g = numpy.array([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]])
    g_x, g_add = backward(g)
    wanted = numpy.where(summed > 0, g, 0) if relu else g
    assert_array_equal(g_x, wanted)
    assert (g_add is None) is not added
    if added:
        assert_array_equal(g_add, wanted)


def test_the_gradient_of_add_relu_is_right_and_its_type_that_of_both():
    check_backward(
        partial(add_relu),
        numbers(0, (3, 4, 5, 2), away_from_zero=0.5),
        numbers(1, (3, 4, 5, 2)) * 0.1,
    )
    x = to_device(numpy.ones((2, 3), "float32"))
    assert add_relu(x)[0].dtype == numpy.float32
    assert add_relu(x, to_device(numpy.ones((2, 3))))[0].dtype == numpy.float64
    assert add_relu(to_device(numpy.ones((2, 3))), x)[0].dtype == numpy.float64


def test_add_relu_saves_its_result_alone_and_only_with_relu():
    x, add = to_device(numpy.ones((2, 3))), to_device(numpy.ones((2, 3)))
    assert {name: array.shape for name, array in saved(add_relu(x, add)[1]).items()} == {
        "saved_y": (2, 3)
    }
    assert saved(add_relu(x, add, relu=False)[1]) == {}


def test_add_relu_of_no_example_of_a_batch_in_chunks_and_of_two_shapes():
    assert run(add_relu, numpy.zeros((0, 3)))[0].shape == (0, 3)
    with pytest.raises(
        ValueError,
        match=re.escape(
            "add: expected shapes that broadcast (from the right, sizes equal or 1), got (2, 3) and (2, 4)"
        ),
    ):
        run(add_relu, numpy.ones((2, 3)), numpy.ones((2, 4)))
    x = numbers(0, (6, 4))
    y = run(add_relu, x)[0]
    with in_chunks_of(2 * 3 * 4 * 8) as cuts:  # bytes of two examples
        assert_array_equal(run(add_relu, x)[0], y)
    assert cuts == [[2, 1, 2, 1]]
