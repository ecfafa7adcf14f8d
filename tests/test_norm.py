"""channel_stats, batch_norm, batch_norm_frozen and dropout, against their formulas by loops."""

import math
import re

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import ops
from minires.backend import to_device, to_host
from minires.gradcheck import check_backward
from tests.strategies import SEEDS, SIZES, numbers, run, saved_by, types

pytestmark = pytest.mark.usefixtures("each_backend", "each_form")

BATCHES = st.tuples(st.integers(2, 4), SIZES) | st.tuples(st.integers(2, 3), SIZES, SIZES, SIZES)


def channels(x):
    """Return the list of values of each channel."""
    return [
        [float(x[index]) for index in numpy.ndindex(x.shape) if index[-1] == c]
        for c in range(x.shape[-1])
    ]


def stats_by_loops(x):
    means = [math.fsum(values) / len(values) for values in channels(x)]
    return means, [
        math.fsum((value - m) ** 2 for value in values) / len(values)
        for m, values in zip(means, channels(x))
    ]


def normalised_by_loops(x, gamma, beta, mean, var, eps):
    y = numpy.zeros(x.shape)
    for *at, c in numpy.ndindex(x.shape):
        y[*at, c] = (x[*at, c] - mean[c]) / math.sqrt(var[c] + eps) * gamma[c] + beta[c]
    return y


def drawn(seed, shape, scale=1.0, shift=0.0):
    """x, gamma and beta; gamma is far from 0 and has both signs."""
    gamma, beta = numbers(seed + 1, shape[-1:], away_from_zero=0.5), numbers(seed + 2, shape[-1:])
    return scale * numbers(seed, shape) + shift, gamma, beta


# channel_stats


def stats_on_host(x):
    return tuple(map(to_host, ops.channel_stats(to_device(x))))


@given(BATCHES, SEEDS)
def test_channel_stats_are_those_of_all_axes_but_the_last(shape, seed):
    x = numbers(seed, shape) + 3
    before = x.copy()
    mean, var = stats_on_host(x)
    assert mean.shape == var.shape == shape[-1:]
    assert_allclose(mean, stats_by_loops(x)[0], rtol=1e-13)
    assert_allclose(var, stats_by_loops(x)[1], rtol=1e-10, atol=1e-14)
    assert_array_equal(x, before)


def test_channel_stats_by_hand():
    mean, var = stats_on_host(numpy.array([[1.0, 5.0], [3.0, 5.0], [8.0, 8.0]]))
    assert_allclose(mean, [4, 6], rtol=1e-15)
    assert_allclose(var, [26 / 3, 2], rtol=1e-14)


@pytest.mark.parametrize("shape", [(65536, 3), (64, 32, 32, 3), (5, 3)])
def test_a_mean_of_1000_deviations_costs_no_accuracy(shape):
    """float32 has 7 digits. Adding 65536 numbers of about 1003 in it, one by one, is wrong from the fourth digit."""
    x = numpy.float32(
        numpy.array([1003, -1003, 3]) + numpy.random.default_rng(0).standard_normal(shape)
    )
    exact = x.reshape(-1, 3).astype("float64")
    mean, var = stats_on_host(x)
    assert mean.dtype == var.dtype == numpy.float32
    assert_allclose(mean, exact.mean(axis=0), rtol=2.4e-7)  # two to four units in the last place
    assert_allclose(var, exact.var(axis=0), rtol=1e-5)


def test_channel_stats_keep_the_type():
    assert {array.dtype for array in stats_on_host(numpy.ones((4, 3)))} == {numpy.dtype("float64")}


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_channel_stats_of_whole_numbers_are_refused(dtype):
    with pytest.raises(
        TypeError, match=f"channel_stats: expected an x of floats, got {dtype}: x.astype"
    ):
        stats_on_host(numpy.ones((4, 3), dtype=dtype))


@pytest.mark.parametrize("shape", [(3,), ()])
def test_channel_stats_want_two_axes(shape):
    with pytest.raises(
        ValueError,
        match=f"^{re.escape(f'channel_stats: expected an x of shape (N, C) or (N, H, W, C), got {shape}')}$",
    ):
        stats_on_host(numpy.ones(shape))


@pytest.mark.parametrize(
    ("n", "value"), [(3000, 1000.1), (3000, 1 / 3), (15000, 0.1), (5001, 1e3 / 7)]
)
def test_no_variance_of_a_constant_is_below_0(n, value):
    """The rounding error of many equal numbers in float32 may have either sign."""
    x = numpy.full((n, 1, 3), value, dtype="float32")
    assert (stats_on_host(x)[1] >= 0).all()


# batch_norm


@given(BATCHES, st.sampled_from([1.0, 0.003]), SEEDS)
def test_batch_norm_is_its_formula_with_the_batch_s_mean_and_biased_variance(shape, scale, seed):
    x, gamma, beta = drawn(seed, shape, scale, shift=2.0)
    mean, var = stats_by_loops(x)
    for options, eps in [({}, 1e-5), ({"eps": 1e-5}, 1e-5), ({"eps": 0.3}, 0.3)]:
        y, _ = run(ops.batch_norm, x, gamma, beta, **options)
        assert_allclose(
            y, normalised_by_loops(x, gamma, beta, mean, var, eps), rtol=1e-10, atol=1e-10
        )


@given(BATCHES, st.sampled_from([0.01, 0.3]), SEEDS)
def test_batch_norm_backward(shape, eps, seed):
    check_backward(ops.batch_norm, *drawn(seed, shape, shift=2.0), eps=eps)


def test_batch_norm_backward_with_the_default_eps():
    """Variances as small as eps, so that a gradient with a different eps is wrong."""
    check_backward(
        ops.batch_norm, *drawn(0, (6, 4, 5, 3), 0.003, shift=0.5), step=1e-8, tolerance=1e-5
    )
    check_backward(ops.batch_norm, *drawn(0, (6, 3), 2.0, shift=100.0))


def test_eps_is_inside_the_root():
    for op, options in [
        (ops.batch_norm, {}),
        (ops.batch_norm_frozen, {"mean": numpy.zeros(1), "var": numpy.full(1, 9.0)}),
    ]:
        options = {name: to_device(value) for name, value in options.items()}
        y, _ = run(
            op,
            numpy.array([[-3.0], [3.0]]),
            numpy.array([10.0]),
            numpy.array([1.0]),
            eps=16,
            **options,
        )
        assert_allclose(y, [[-5], [7]], rtol=1e-14)  # 3 / sqrt(9 + 16) = 0.6


@given(st.sampled_from([(4, 3), (50, 3), (2, 4, 5, 3)]), SEEDS)
def test_the_output_has_mean_0_and_biased_variance_1(shape, seed):
    x = 5 * numbers(seed, shape, away_from_zero=0.1) - 7
    y, _ = run(ops.batch_norm, x, numpy.ones(3), numpy.zeros(3), eps=0)
    mean, var = stats_by_loops(y)
    assert_allclose(mean, 0, atol=1e-9)
    assert_allclose(var, 1, rtol=1e-6)


@pytest.mark.parametrize("shape", [(7, 3), (2, 4, 5, 3)])
def test_the_gradient_is_the_same_whether_the_statistics_are_given_or_not(shape):
    x, gamma, beta = drawn(0, shape, 3.0, shift=1.0)
    y, backward = run(ops.batch_norm, x, gamma, beta, eps=0.1)
    y_given, backward_given = run(
        ops.batch_norm, x, gamma, beta, eps=0.1, stats=ops.channel_stats(to_device(x))
    )
    assert_array_equal(y, y_given)
    g = numbers(3, shape)
    for gradient, given_gradient in zip(backward(g), backward_given(g), strict=True):
        assert_array_equal(gradient, given_gradient)


def test_statistics_that_are_given_are_used():
    stats = to_device(numpy.array([1.0])), to_device(numpy.array([4.0]))
    y, _ = run(
        ops.batch_norm,
        numpy.array([[3.0], [7.0]]),
        numpy.array([10.0]),
        numpy.array([0.5]),
        eps=0,
        stats=stats,
    )
    assert_array_equal(y, [[10.5], [30.5]])


def test_the_gradients_of_batch_norm_by_hand():
    """x = -1, 0, 1 three times over: variance 2/3, with eps 1/3 a scale of 1, x_hat = x, and sum(x_hat * x_hat) / m = 2/3."""
    x = numpy.tile([[-1.0], [0.0], [1.0]], (3, 1))
    g = numpy.zeros((9, 1))
    g[2] = 9
    _, backward = run(ops.batch_norm, x, numpy.array([2.0]), numpy.array([5.0]), eps=1 / 3)
    g_x, g_gamma, g_beta = backward(g)
    assert_allclose(g_gamma, [9])
    assert_allclose(g_beta, [9])
    assert_allclose(g_x, 2 * (g - 1 - x), atol=1e-14)


@pytest.mark.parametrize("shape", [(256, 3), (8, 8, 8, 3)])
def test_a_mean_far_from_0_changes_nothing_in_batch_norm(shape):
    x, gamma, beta = (numpy.float32(array) for array in drawn(0, shape, shift=1000.0))
    y, backward = run(ops.batch_norm, x, gamma, beta)
    exact = [array.astype("float64") for array in (x, gamma, beta)]
    # 1000 in float32 is exact to 3e-5.
    assert_allclose(y, normalised_by_loops(*exact, *stats_by_loops(x), 1e-5), atol=3e-4)
    g = numbers(1, shape)
    truth = run(ops.batch_norm, exact[0] - 1000, *exact[1:])[1](g)
    for gradient, expected in zip(backward(numpy.float32(g)), truth, strict=True):
        assert_allclose(gradient, expected, rtol=1e-3, atol=1e-2)


def test_a_permuted_batch_permutes_the_result():
    (x, gamma, beta), order = drawn(0, (4, 2, 3, 2)), [2, 0, 3, 1]
    permuted, _ = run(ops.batch_norm, x[order], gamma, beta)
    assert_allclose(permuted, run(ops.batch_norm, x, gamma, beta)[0][order], atol=1e-12)


# batch_norm_frozen


@given(st.lists(SIZES, min_size=2, max_size=4).map(tuple), SEEDS)
def test_batch_norm_frozen_is_its_formula(shape, seed):
    x, gamma, beta = drawn(seed, shape)
    mean, var = numbers(seed + 3, shape[-1:]), numbers(seed + 4, shape[-1:], positive=True) * 1e-5
    for options, eps in [({}, 1e-5), ({"eps": 0.3}, 0.3)]:
        options |= {"mean": to_device(mean), "var": to_device(var)}
        y, _ = run(ops.batch_norm_frozen, x, gamma, beta, **options)
        assert_allclose(
            y, normalised_by_loops(x, gamma, beta, mean, var, eps), rtol=1e-10, atol=1e-10
        )
        check_backward(ops.batch_norm_frozen, x, gamma, beta, **options)


def test_in_batch_norm_frozen_the_statistics_do_not_move_with_x():
    options = {
        "mean": to_device(numpy.array([1.0, 2.0])),
        "var": to_device(numpy.array([3.0, 8.0])),
    }
    gamma, beta = numpy.array([4.0, 6.0]), numpy.array([0.5, -0.5])
    y, backward = run(
        ops.batch_norm_frozen, numpy.array([[5.0, 5.0], [1.0, 8.0]]), gamma, beta, eps=1, **options
    )
    assert_array_equal(y, [[8.5, 5.5], [0.5, 11.5]])
    g_x, g_gamma, g_beta = backward(numpy.array([[1.0, 10.0], [100.0, 1000.0]]))
    assert_array_equal(g_x, [[2, 20], [200, 2000]])
    assert_array_equal(g_gamma, [2, 2010])
    assert_array_equal(g_beta, [101, 1010])


def test_batch_norm_frozen_takes_a_single_value_and_an_empty_batch():
    options = {"mean": to_device(numpy.ones(3)), "var": to_device(numpy.ones(3))}
    y, _ = run(
        ops.batch_norm_frozen,
        numpy.full((1, 3), 3.0),
        numpy.ones(3),
        numpy.ones(3),
        eps=3,
        **options,
    )
    assert_array_equal(y, [[2, 2, 2]])
    for shape in ((0, 3), (0, 5, 4, 3)):
        y, backward = run(
            ops.batch_norm_frozen, numpy.ones(shape), numpy.ones(3), numpy.ones(3), **options
        )
        assert y.shape == shape
        g_x, g_gamma, g_beta = backward(y)
        assert g_x.shape == shape
        assert_array_equal(g_gamma, [0, 0, 0])
        assert_array_equal(g_beta, [0, 0, 0])


# Both.


def options_of(op, dtype="float64"):
    """Return mean 0.5 and var 3 for ops that take them."""
    values = (
        {"mean": numpy.full(2, 0.5, dtype), "var": numpy.full(2, 3.0, dtype)}
        if op is ops.batch_norm_frozen
        else {}
    )
    return {name: to_device(value) for name, value in values.items()}


both = pytest.mark.parametrize("op", [ops.batch_norm, ops.batch_norm_frozen])


@both
def test_the_plain_backward_saves_x_hat_and_two_vectors_and_the_faster_one_x(op, each_form):
    x, gamma = numpy.array([[-1.0, 2.0], [2.0, -1.0]]), numpy.array([4.0, 5.0])
    held = saved_by(op, x, gamma, numpy.ones(2), eps=1, **options_of(op))
    if each_form == "default":
        (name,) = [name for name, array in held.items() if array.size >= x.size]
        assert name.endswith("x")
        assert_array_equal(held[name], x)
        return
    assert sorted(held) == ["gamma", "scale", "x_hat"]
    mean, var = (0.5, 3) if op is ops.batch_norm_frozen else (0.5, 2.25)
    assert_array_equal(held["gamma"], gamma)
    assert_allclose(held["scale"], [1 / math.sqrt(var + 1)] * 2)
    assert_allclose(held["x_hat"], (x - mean) / math.sqrt(var + 1))


@both
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_elements_stays(op, dtype):
    for shape in ((4, 2), (2, 4, 3, 2)):
        assert types(op, *drawn(0, shape), dtype=dtype, **options_of(op, dtype)) == {dtype}


@both
@pytest.mark.parametrize(
    ("x", "gamma", "beta", "message"),
    [
        ((4,), (4,), (4,), "expected an x of shape (N, C) or (N, H, W, C), got (4,)"),
        ((), (1,), (1,), "expected an x of shape (N, C) or (N, H, W, C), got ()"),
        ((4, 2), (3,), (2,), "expected a gamma of shape (2,), got (3,)"),
        ((4, 2), (2,), (3,), "expected a beta of shape (2,), got (3,)"),
        ((4, 2), (1,), (2,), "expected a gamma of shape (2,), got (1,)"),
        ((4, 2), (2,), (), "expected a beta of shape (2,), got ()"),
        ((4, 2), (4, 2), (2,), "expected a gamma of shape (2,), got (4, 2)"),
        ((2, 3, 4, 2), (4,), (2,), "expected a gamma of shape (2,), got (4,)"),
    ],
)
def test_batch_norm_refuses(op, x, gamma, beta, message):
    with pytest.raises(ValueError, match=f"^{re.escape(f'{op.__name__}: {message}')}$"):
        run(op, *map(numpy.ones, (x, gamma, beta)), **options_of(op))


@pytest.mark.parametrize(
    ("name", "shape"), [("mean", (3,)), ("var", (3,)), ("mean", (1,)), ("var", ())]
)
def test_batch_norm_frozen_refuses_statistics_of_another_size(name, shape):
    options = options_of(ops.batch_norm_frozen) | {name: to_device(numpy.ones(shape))}
    with pytest.raises(
        ValueError,
        match=rf"^batch_norm_frozen: expected a {name} of shape \(2,\), got {re.escape(str(shape))}$",
    ):
        run(ops.batch_norm_frozen, numpy.ones((4, 2)), numpy.ones(2), numpy.ones(2), **options)


@pytest.mark.parametrize(("name", "shape"), [("mean", (3,)), ("var", (1,))])
def test_batch_norm_refuses_given_statistics_of_another_size(name, shape):
    stats = tuple(
        to_device(numpy.ones(shape if name == which else (2,))) for which in ("mean", "var")
    )
    with pytest.raises(
        ValueError,
        match=rf"^batch_norm: expected a {name} of shape \(2,\), got {re.escape(str(shape))}$",
    ):
        run(ops.batch_norm, *map(numpy.ones, [(4, 2), (2,), (2,)]), stats=stats)


@pytest.mark.parametrize(
    ("shape", "m"), [((1, 2), 1), ((1, 1, 1, 2), 1), ((0, 2), 0), ((0, 4, 4, 2), 0)]
)
def test_batch_norm_refuses_fewer_than_two_values_per_channel(shape, m):
    message = f"batch_norm: expected two or more values per channel, as a variance needs, got {m} in an x of shape {shape}"
    if m:
        message += "; leave out a last batch of one image (drop_last=True), or choose a different batch size"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(ops.batch_norm, numpy.ones(shape), numpy.ones(2), numpy.ones(2))


@pytest.mark.parametrize("shape", [(2, 2), (1, 2, 1, 2), (1, 1, 2, 2)])
def test_two_values_per_channel_are_enough(shape):
    x = numpy.array([1.0, 10.0, 3.0, 50.0]).reshape(shape)
    y, _ = run(ops.batch_norm, x, numpy.ones(2), numpy.zeros(2))
    assert_allclose(y.ravel(), [-1, -1, 1, 1], rtol=1e-5)


# dropout


def test_dropout_by_hand():
    keep = numpy.array([[True, False], [False, True]])
    y, backward = run(ops.dropout, numpy.array([[1.0, 2.0], [3.0, 4.0]]), keep, p=0.2)
    assert_allclose(y, [[1.25, 0], [0, 5]], rtol=1e-15)
    g_x, g_keep = backward(numpy.array([[8.0, 16.0], [32.0, 64.0]]))
    assert_allclose(g_x, [[10, 0], [0, 80]], rtol=1e-15)
    assert g_keep is None


@given(
    st.lists(SIZES, min_size=1, max_size=4).map(tuple), st.sampled_from([0, 0.1, 0.5, 0.9]), SEEDS
)
def test_dropout_backward(shape, p, seed):
    x, keep = numbers(seed, shape), numbers(seed + 1, shape) > 0
    y, _ = run(ops.dropout, x, keep, p=p)
    for index in numpy.ndindex(shape):
        assert_allclose(y[index], x[index] / (1 - p) if keep[index] else 0, rtol=1e-14)
    check_backward(ops.dropout, x, keep, p=p)


def test_the_mean_over_all_masks_of_dropout_is_x():
    """With p = 1/4, each element is kept by three of the four masks, each of which drops a different quarter."""
    x, masks = numpy.array([1.0, -2.0, 3.0, 5.0]), ~numpy.eye(4, dtype=bool)
    assert_allclose(sum(run(ops.dropout, x, mask, p=0.25)[0] for mask in masks) / 4, x, rtol=1e-15)


def test_dropout_saves_the_mask_and_keeps_the_type():
    x, keep = numpy.ones((2, 3)), numpy.array([[True, False, True]] * 2)
    (array,) = saved_by(ops.dropout, x, keep, p=0.5).values()
    assert array.dtype == bool
    assert_array_equal(array, keep)
    for dtype in ("float32", "float64"):
        assert types(ops.dropout, x, keep, dtype=dtype, p=0.3) == {dtype}


def test_dropout_of_an_empty_batch():
    y, backward = run(ops.dropout, numpy.ones((0, 3)), numpy.ones((0, 3), bool), p=0.5)
    assert y.shape == backward(y)[0].shape == (0, 3)


@pytest.mark.parametrize("p", [1, 1.0, 1.5, -0.1])
def test_dropout_refuses_a_share_that_leaves_nothing_or_is_no_share(p):
    with pytest.raises(ValueError, match=f"^dropout: expected 0 <= p < 1, got {p}$"):
        run(ops.dropout, numpy.ones(2), numpy.ones(2, bool), p=p)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 1), (3, 2)])
def test_dropout_refuses_a_mask_of_another_shape_even_if_it_broadcasts(shape):
    with pytest.raises(
        ValueError,
        match=rf"^dropout: expected a mask of x's shape, \(2, 3\), got {re.escape(str(shape))}$",
    ):
        run(ops.dropout, numpy.ones((2, 3)), numpy.ones(shape, bool), p=0.5)


def test_dropout_refuses_a_mask_that_is_not_of_bools():
    with pytest.raises(TypeError, match="^dropout: expected a mask of bools, got float64$"):
        run(ops.dropout, numpy.ones((2, 3)), numpy.ones((2, 3)), p=0.5)


def test_the_plain_variance_of_many_values_is_exact_to_a_rounding():
    """2^20 values per channel around 0: float32 sums of their squares, added one by one, would be off by 1e-4."""
    x = numpy.random.default_rng(0).standard_normal((2**20, 3)).astype(numpy.float32)
    mean, var = ops.channel_stats.plain(to_device(x))
    wide = x.astype(numpy.float64)
    assert_allclose(to_host(mean), wide.mean(axis=0), atol=1e-8)
    assert_allclose(to_host(var), wide.var(axis=0), rtol=2e-7)


def test_one_value_per_channel_has_statistics_and_none_has_not():
    mean, var = ops.channel_stats(to_device(numpy.array([[3.0, 4.0]])))
    assert to_host(mean).tolist() == [3, 4] and to_host(var).tolist() == [0, 0]
    with pytest.raises(
        ValueError,
        match=r"expected one or more values per channel, as a variance needs, got 0 in an x of shape \(0, 3\)$",
    ):
        ops.channel_stats(to_device(numpy.zeros((0, 3))))
    with pytest.raises(
        ValueError,
        match=r"expected two or more values per channel, .* got 1 in an x of shape \(1, 3\); leave out a last batch of one image",
    ):
        ops.batch_norm(*map(to_device, (numpy.zeros((1, 3)), numpy.ones(3), numpy.ones(3))))
