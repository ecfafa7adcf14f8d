"""The CUDA kernels, compared with the plain forms: on a GPU where CuPy works, and without one, run on the processor by a shim."""

import sys
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minires import Tensor, backend, functional, models, nn, ops, optim
from minires.backend import accumulation_dtype, to_device, to_host, xp
from minires.data.batches import gather, sample_augmentation
from minires.fast.cuda import augment, columns, device, loss, norm, pool, start, update
from minires.fast.cuda import winograd as maps_on_a_gpu
from minires.fast.onepass import norm_add_relu, norm_backward, norm_forward
from minires.fast.parts import sum_over_chunks
from minires.fast.tiles import F2, F4, F4_STRIDE2, Maps
from minires.gradcheck import check_backward
from minires.nn.layers import update_running
from minires.ops.forms import FUNCTIONS
from minires.optim.optimizers import adam, sgd
from tests import conftest, shim
from tests.halves import TYPES, each_half, needs_bfloat16
from tests.test_kernels_compiled import kernels_used

LIBRARIES = ["shim", *(name for name in conftest.BACKENDS if name == "cupy")]


@pytest.fixture(scope="module", params=LIBRARIES, autouse=True)
def on_a_gpu(request):
    """On CuPy where it works, and on the shim, with arrays that hide their numbers: what passes on them passes NumPy nothing."""
    if request.param == "shim" and shim.COMPILER is None:
        pytest.skip("there is no g++ to run kernels on the processor")
    with backend.using(shim.library(hidden=True) if request.param == "shim" else request.param):
        yield request.param


@pytest.fixture(scope="module", autouse=True)
def none_is_left_out_of_those_compiled_for_a_gpu(on_a_gpu):
    """Whatever the tests here launch is among what tests/test_kernels_compiled.py compiles."""
    launched, launch = set(), FUNCTIONS["launch"].default

    def noted(source, function, *rest):
        launched.add((source, function))
        launch(source, function, *rest)

    with ops.standing_in(launch=noted):
        yield
    assert not {function for _, function in launched - {*kernels_used()}}


def moved_there(value):
    """A NumPy array on the device; anything else as it is."""
    return to_device(value) if isinstance(value, np.ndarray) else value


def agree(kernel, function, /, *arguments, rtol=1e-5, **options):
    """Return the kernel's results, after a check that they equal the plain form's except for rounding; for an op, with its gradients.
    NumPy arrays among the arguments are moved to the device.
    """
    arguments = [moved_there(argument) for argument in arguments]
    with ops.plain():
        wanted = function.plain(*arguments, **options)
    got = kernel(*arguments, **options)
    assert got is not NotImplemented
    if isinstance(got, tuple) and callable(got[1]):
        g = np.asarray(np.random.default_rng(0).standard_normal(got[0].shape)).astype(got[0].dtype)
        g = to_device(g)
        with ops.plain():
            wanted = wanted[0], *wanted[1](g)
        got = got[0], *got[1](g)
    for a, b in zip(
        *(result if isinstance(result, tuple) else (result,) for result in (got, wanted)),
        strict=True,
    ):
        assert (a is None) == (b is None)
        if a is not None:
            close(a, b, rtol)
    return got


def close(a, b, rtol=1e-5):
    """Check for equal shapes, equal dtypes, and equal numbers except for rounding: for half types, by one step between neighbours."""
    a, b = (to_host(array) for array in (a, b))
    assert a.shape == b.shape and a.dtype == b.dtype
    tolerance = {"float64": 1e-12, "float16": 1e-3, "bfloat16": 8e-3}.get(a.dtype.name, rtol)
    tolerance = wider(tolerance, a.dtype)
    a, b = (array.astype("f8") for array in (a, b))
    scale = np.abs(np.where(np.isfinite(b), b, 0)).max(initial=1e-30)
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=wider(rtol, b.dtype) * scale)


def wider(tolerance, dtype):
    """A tolerance, two steps wider on CuPy: it flushes denormal numbers of float32 to 0, and a * b + c is rounded once there."""
    steps = 2 * np.finfo(accumulation_dtype(np.dtype(dtype))).eps
    return tolerance + steps if backend.name() == "cupy" else tolerance


def in_float32(function):
    """Return the function with a plain form that computes half types in float32, and rounds once."""

    def wide(value):
        return (
            value.astype("f4")
            if hasattr(value, "dtype") and value.dtype.name in backend.HALVES
            else value
        )

    def plain(*arguments, **options):
        half = next(
            (a.dtype for a in arguments if hasattr(a, "dtype") and a.dtype.name in backend.HALVES),
            None,
        )
        made = function.plain(*map(wide, arguments), **options)
        if half is None or not callable(made[1]):
            return made
        result, backward = made
        return result.astype(half), lambda g: tuple(
            x if x is None else x.astype(half) for x in backward(g.astype("f4"))
        )

    return SimpleNamespace(plain=plain)


floats = st.sampled_from([np.float32, np.float64])
images = st.sampled_from([np.float32, np.float64, *TYPES.values()])
channels = st.sampled_from([1, 2, 3, 4, 6, 8, 12, 20, 64])


@st.composite
def windows(draw):
    """(batch of images, {"kernel", "stride", "padding"})"""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = draw(st.tuples(st.integers(0, kernel[0] // 2), st.integers(0, kernel[1] // 2)))
    h, w = (draw(st.integers(max(k - 2 * p, 1), 9)) for k, p in zip(kernel, padding))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal((draw(st.integers(0, 3)), h, w, draw(channels))).astype(draw(images))
    return x, {"kernel": kernel, "stride": stride, "padding": padding}


@settings(max_examples=60)
@given(windows())
def test_columns_are_made_and_added_as_by_the_plain_form(case):
    x, options = case
    made, _ = agree(columns.im2col_kernel, in_float32(ops.im2col), x, **options)
    values = np.random.default_rng(0).standard_normal(made.shape).astype(x.dtype)
    agree(columns.col2im_kernel, in_float32(ops.col2im), values, shape=x.shape, **options)


def test_channels_that_fill_16_bytes_go_as_one_load():
    assert [start.run_length(c, np.dtype("f4")) for c in (64, 6, 3, 1)] == [4, 2, 1, 1]
    assert [start.run_length(c, np.dtype("f8")) for c in (64, 6, 3)] == [2, 2, 1]
    assert [start.run_length(c, np.dtype("f2")) for c in (64, 12, 6, 3)] == [8, 4, 2, 1]


@settings(max_examples=40)
@given(windows(), st.booleans())
def test_max_pooling_finds_the_positions_of_the_plain_form(case, ties):
    x, options = case
    agree(pool.max_pool2d_kernel, in_float32(ops.max_pool2d), np.round(x) if ties else x, **options)


@st.composite
def values(draw, least=2):
    """x (N, C) or (N, H, W, C), of a mean far from 0 in some channels."""
    c, dtype = draw(channels), draw(images)
    shape = draw(
        st.one_of(
            st.tuples(st.integers(least, 70)),
            st.tuples(st.integers(least, 5), st.integers(1, 9), st.integers(1, 9)),
        )
    )
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal((*shape, c)) * rng.uniform(0.5, 2, c) + rng.uniform(-3, 3, c)
    return x.astype(dtype)


@settings(max_examples=40)
@given(values(least=1))
def test_statistics_of_channels(x):
    agree(norm.channel_stats_kernel, in_float32(ops.channel_stats), x)


@pytest.mark.parametrize("shape", [(9000, 3), (5000, 64), (40, 13, 17, 20), (3, 700)])
def test_statistics_of_many_values_in_two_stages_and_far_from_zero(shape):
    x = (np.random.default_rng(0).standard_normal(shape) + 1000).astype("f4")
    mean, var = map(to_host, norm.channel_stats_kernel(to_device(x)))
    exact = x.astype("f8").reshape(-1, shape[-1])
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=wider(2e-7, "f4"))
    np.testing.assert_allclose(var, exact.var(axis=0), rtol=1e-4)


@pytest.mark.parametrize("shape, parts", [((3000, 3), 2), ((300, 600), 2), ((9, 11, 13, 20), 2),
    pytest.param((1024 * 2048 + 5, 1), norm.PARTS, marks=pytest.mark.slow)])  # fmt: skip
def test_sums_of_many_parts(shape, parts):
    """The blocks of the first stage lie in rows, one for each part of the values; with the most parts, threads take more values."""
    rng, rows = np.random.default_rng(0), []
    launch = FUNCTIONS["launch"].default

    def noted(source, function, blocks, *rest):
        rows.append(blocks[1])
        launch(source, function, blocks, *rest)

    x, g, y = (rng.standard_normal(shape).astype("f4") for _ in range(3))
    gamma, mean, var = (rng.uniform(0.5, 2, shape[-1]).astype("f4") for _ in range(3))
    with ops.standing_in(launch=noted):
        agree(norm.channel_stats_kernel, ops.channel_stats, x)
        agree(norm.norm_backward_kernel, norm_backward, g, y, x, gamma, mean, var, 1e-5, True, True,
              rtol=1e-4)  # fmt: skip
    assert max(rows) >= parts and sum(row > 1 for row in rows) == 2


@pytest.mark.parametrize("shape", [(0, 4), (0, 3, 3, 4), (4, 0), (2, 3, 3, 0)])
def test_batch_norm_without_images_or_channels_starts_no_kernel(shape):
    """The statistics of nothing are refused, and the rest is left to the plain form."""
    x, vector = xp.zeros(shape, dtype="f4"), xp.ones(shape[-1], dtype="f4")
    with ops.standing_in(launch=refused):
        with pytest.raises(ValueError, match="expected one or more values per channel"):
            norm.channel_stats_kernel(x)
        forward = vector, vector, None, vector, vector, 1e-5, True
        assert norm.norm_forward_kernel(x, *forward) is NotImplemented
        backward = x, x, x, vector, vector, vector, 1e-5, True, True
        assert norm.norm_backward_kernel(*backward) is NotImplemented


def test_frozen_batch_norm_of_no_images_has_gradients_of_0():
    x, vector = xp.zeros((0, 3, 3, 4), dtype="f4"), xp.ones(4, dtype="f4")
    y, backward = norm_add_relu(x, vector, vector, x, stats=(vector, vector), training=False)
    g_x, g_gamma, g_beta, g_add = backward(y)
    assert g_x.shape == g_add.shape == y.shape == x.shape
    assert (to_host(g_gamma) == 0).all() and (to_host(g_beta) == 0).all()


# Beyond the numbers that an int holds.

EDGE = 46_400  # pixels: a square of them is more than 2**31


def zeros(shape, dtype):
    """Zeros that a processor's memory holds none of until they are written: what no kernel reads costs nothing."""
    try:
        return xp.zeros(shape, dtype=dtype)
    except MemoryError:
        pytest.skip(f"there is no room for {shape} of {dtype}")


@pytest.mark.parametrize("op", [ops.im2col, ops.max_pool2d])
def test_a_window_beyond_2_to_the_31_pixels(op):
    x = zeros((1, EDGE, EDGE, 1), "f2")
    x[0, EDGE - 1, EDGE - 1, 0], x[0, EDGE - 1, 0, 0] = 3, 2
    y, _ = op(x, kernel=1, stride=EDGE - 1)
    np.testing.assert_array_equal(to_host(y).ravel(), [0, 0, 2, 3])


def test_an_image_beyond_2_to_the_31_bytes_is_picked():
    images = zeros((700_000, 32, 32, 3), "u1")
    images[-1] = 7
    one, nought = (to_device(np.full(3, value, "f4")) for value in (1, 0))
    x = augment.gather_kernel(images, to_device([699_999, 0]), None, 0, one, nought)
    assert (to_host(x[0]) == 7).all() and (to_host(x[1]) == 0).all()


@pytest.mark.parametrize("n", [3, pytest.param(65_537, marks=pytest.mark.slow)])
def test_kernels_that_change_nothing(n, on_a_gpu):
    """Windows of one pixel, batch norm by 0 and 1, and an update by 1/2: with 65,537 images, of more than 2**31 numbers."""
    if n > 3 and on_a_gpu == "shim":
        pytest.skip("on the processor that takes an hour")
    if n > 3 and device.memory()[0] < 40 << 30:
        pytest.skip("the GPU has less than 40 GiB")
    base = np.random.default_rng(0).integers(1, 100, (64, 64, 8)).astype("f2")
    x = to_device(base) + (xp.arange(n) % 7).astype("f2")[:, None, None, None]
    exact = base.astype("f8").mean((0, 1)) + (np.arange(n) % 7).mean()
    for op in (ops.im2col, ops.max_pool2d):
        y, backward = op(x, kernel=1)
        assert bool((y.reshape(x.shape) == x).all())
        assert bool((backward(y)[0] == x).all())
    del y, backward
    one, nought = (to_device(np.full(8, value, "f4")) for value in (1, 0))
    y = norm.norm_forward_kernel(x, one, nought, None, nought, one, 0.0, True)
    assert bool((y == x).all())
    g_x, _, g_beta, _ = norm.norm_backward_kernel(
        x, y, x, one, nought, one, 0.0, training=False, has_add=False
    )
    assert bool((g_x == x).all())
    del y, g_x
    np.testing.assert_allclose(to_host(g_beta), exact * n * 64 * 64, rtol=1e-5)
    np.testing.assert_allclose(to_host(norm.channel_stats_kernel(x)[0]), exact, rtol=1e-5)
    size = x.size
    del x
    w, g = xp.ones(size, dtype="f4"), xp.ones(size, dtype="f4")
    update.sgd_kernel(w, g, None, 0.5)
    assert bool((w == 0.5).all())


@settings(max_examples=60)
@given(values(), st.booleans(), st.booleans(), st.booleans())
def test_batch_norm_add_and_relu_each_way(x, adds, relu, training):
    rng = np.random.default_rng(1)
    vector = accumulation_dtype(x.dtype)
    gamma, beta, mean, shift = (rng.standard_normal(x.shape[-1]).astype(vector) for _ in range(4))
    var = (shift**2 + 0.1).astype(vector)
    add = rng.standard_normal(x.shape).astype(x.dtype) if adds else None
    y = agree(norm.norm_forward_kernel, norm_forward, x, gamma, beta, add, mean, var, 1e-5, relu)
    g = rng.standard_normal(x.shape).astype(x.dtype)
    agree(
        norm.norm_backward_kernel,
        norm_backward,
        g,
        y if relu else None,
        x,
        gamma,
        mean,
        var,
        1e-5,
        training,
        adds,
        rtol=2e-5,
    )


@each_half
def test_half_types_are_rounded_to_the_nearest_and_ties_to_even(half):
    """y = x * gamma, rounded once: by the kernel as by NumPy's own types, with ties, infinities and NaN among them."""
    x = np.random.default_rng(0).standard_normal((400, 8)).astype(TYPES[half])
    x[:4, 0] = 1, -1, np.inf, np.nan
    step = float(np.spacing(np.float16(1))) if half == "float16" else 2.0**-7
    gamma = np.array([1 + step / 2, 1 + 1.5 * step, 1.3, -0.7, 3e4, 1e-5, 1 / 3, 1], "f4")
    nought, one = np.zeros(8, "f4"), np.ones(8, "f4")
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = (x.astype("f4") * gamma).astype(TYPES[half])
    x, gamma, nought, one = map(to_device, (x, gamma, nought, one))
    y = to_host(norm.norm_forward_kernel(x, gamma, nought, None, nought, one, 0.0, False))
    np.testing.assert_array_equal(y.astype("f4"), wanted.astype("f4"))
    assert np.isnan(y[3, 0]) and y.dtype == TYPES[half]


@pytest.mark.parametrize("label_type", ["i4", "i8", "u1"])
@settings(max_examples=25)
@given(
    n=st.integers(1, 300),
    k=st.integers(1, 12),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    dtype=images,
    size=st.sampled_from([1, 100]),
)
def test_softmax_cross_entropy(label_type, n, k, smoothing, dtype, size):
    rng = np.random.default_rng(n)
    logits = to_device((rng.standard_normal((n, k)) * size).astype(dtype))
    labels = to_device(rng.integers(0, k, n).astype(label_type))
    found, backward = loss.cross_entropy_kernel(logits, labels, label_smoothing=smoothing)
    with ops.plain():
        wanted, plain_backward = ops.cross_entropy.plain(
            logits.astype(found.dtype), labels, label_smoothing=smoothing
        )
    close(found, wanted)
    g = to_device(np.asarray(3, found.dtype))
    close(backward(g)[0], plain_backward(g)[0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_mean_over_no_images_is_no_number():
    nothing = to_device(np.zeros((0, 3), "f4")), to_device(np.zeros(0, int))
    assert np.isnan(to_host(loss.cross_entropy_kernel(*nothing)[0]))


@pytest.mark.parametrize("bad", [-1, 3])
def test_a_label_out_of_range_gives_nan_and_not_the_loss_of_another_class(bad):
    logits, labels = np.zeros((4, 3), "f4"), np.array([0, 1, bad, 2])
    found, _ = ops.cross_entropy(to_device(logits), to_device(labels))
    assert np.isnan(to_host(found))


def moved(kernel, function, arrays, *options):
    """Return the arrays after the kernel, which changes them in place like the plain form."""
    ours, plain = (
        [None if array is None else to_device(array.copy()) for array in arrays] for _ in range(2)
    )
    assert kernel(*ours, *options) is None
    function.plain(*plain, *options)
    for a, b in zip(ours, plain):
        if a is not None:
            tolerance = wider(1e-6 if a.dtype == np.float32 else 1e-13, a.dtype)
            np.testing.assert_allclose(to_host(a), to_host(b), rtol=tolerance, atol=tolerance)


@settings(max_examples=30)
@given(st.integers(1, 700), floats, st.booleans(), st.booleans(), st.sampled_from([0.0, 5e-4]))
def test_sgd_and_adam(n, dtype, flag, nesterov, decay):
    rng = np.random.default_rng(n)
    w, g, m = (rng.standard_normal(n).astype(dtype) for _ in range(3))
    moved(
        update.sgd_kernel, sgd, (w, g, m if flag or nesterov else None), 0.1, 0.9, decay, nesterov
    )
    moved(update.adam_kernel, adam, (w, g, m, m**2), 3, 0.01, (0.9, 0.99), 1e-8, decay, flag)


@settings(max_examples=20)
@given(st.integers(1, 300), floats, st.sampled_from([0.0, 0.1, 1.0]), st.integers(2, 9))
def test_running_statistics_move(c, dtype, momentum, count):
    rng = np.random.default_rng(c)
    arrays = [rng.standard_normal(c).astype(dtype) for _ in range(4)]
    moved(norm.update_running_kernel, update_running, arrays, momentum, count)


@settings(max_examples=30)
@given(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 3), st.integers(0, 5),
       st.sampled_from(["u1", "f4"]), st.booleans())  # fmt: skip
def test_images_are_picked_moved_and_cut_out(n, h, w, c, crop, cutout, kind, moving):
    rng = np.random.default_rng(n)
    images, chosen = rng.integers(0, 256, (7, h, w, c)).astype(kind), rng.integers(0, 7, n)
    moves = sample_augmentation(
        rng, n, (h, w), crop=crop, mirrored=rng.random(n) < 0.5, cutout=cutout
    )
    factor, offset = (rng.standard_normal(c).astype("f4") for _ in range(2))
    agree(
        augment.gather_kernel,
        gather,
        images,
        chosen,
        moves if moving else None,
        cutout if moving else 0,
        factor,
        offset,
    )


def test_an_impossible_class_costs_nothing_and_a_nan_stays_one():
    logits = np.array([[1.0, -np.inf, 2.0], [0.0, np.nan, 1.0]], "f4")
    agree(loss.cross_entropy_kernel, ops.cross_entropy, logits, np.array([0, 0]))


# The ops and a training run, with kernels instead of the plain functions.


@pytest.mark.parametrize("forms", [("winograd",), ()])
def test_ops_have_right_gradients_on_kernels(forms):
    rng = np.random.default_rng(0)
    with ops.without(*forms):
        for kernel, c, f in (((3, 2), 3, 4), ((3, 3), 8, 8)):
            x, weight = rng.standard_normal((2, 5, 7, c)), rng.standard_normal((*kernel, c, f))
            for stride in ((2, 1), 1):
                check_backward(
                    partial(ops.conv2d, stride=stride, padding=1), x, weight, rng.standard_normal(f)
                )
    x = rng.permutation(210).astype(float).reshape(2, 5, 7, 3)
    check_backward(partial(ops.max_pool2d, kernel=3, stride=2, padding=1), x)
    gamma, beta = rng.standard_normal(3), rng.standard_normal(3)
    check_backward(
        partial(norm_add_relu, relu=False),
        rng.standard_normal(x.shape),
        gamma,
        beta,
        rng.standard_normal(x.shape),
    )


def test_parameters_lie_in_one_array_and_one_kernel_moves_them_all():
    parameters = [
        nn.Parameter(to_device(np.ones(shape, "f4"))) for shape in ((3, 4), (5,), (2, 2, 2))
    ]
    optimizer, launches = optim.SGD(parameters, lr=0.1, momentum=0.9), []
    launch = FUNCTIONS["launch"].default

    def noted(source, function, *arguments):
        launches.append(function)
        launch(source, function, *arguments)

    for _ in range(3):
        for parameter in parameters:
            parameter.grad = to_device(np.ones(parameter.shape, "f4"))
        with ops.standing_in(launch=noted):
            optimizer.step()
    assert len(launches) == 3
    whole = parameters[0].data.base
    assert all(xp.shares_memory(whole, parameter.data) for parameter in parameters)


def test_an_array_that_was_put_in_the_place_of_a_parameters_is_the_one_that_moves():
    parameters = [nn.Parameter(to_device(np.ones(3, "f4"))) for _ in range(2)]
    optimizer = optim.SGD(parameters, lr=0.5, momentum=0.5)
    for step in range(3):
        if step == 2:
            parameters[1].data = to_device(np.full(3, 10, "f4"))
        for parameter in parameters:
            parameter.grad = to_device(np.ones(3, "f4"))
        optimizer.step()
    first, second = (to_host(parameter.data) for parameter in parameters)
    np.testing.assert_allclose(first, 1 - 0.5 * (1 + 1.5 + 1.75))
    np.testing.assert_allclose(second, 10 - 0.5 * 1.75)  # its velocity stays


def refused(*arguments):
    raise AssertionError("a kernel was started")


@pytest.mark.parametrize("kind", ["i8", "u1"])
def test_types_without_a_kernel_take_the_plain_form(kind):
    x = np.full((1, 3, 3, 2), (1 << 40) + 1 if kind == "i8" else 1, kind)
    with ops.standing_in(launch=refused):
        made, backward = ops.im2col(to_device(x), kernel=3, padding=1)
        (image,) = backward(made)
    # Exact: not by way of float32.
    assert made.dtype == x.dtype and to_host(image)[0, 1, 1, 0] == 9 * x[0, 1, 1, 0]


@pytest.mark.parametrize("stride, exact, wanted", [(1, nullcontext, 1), (2, nullcontext, 0), (1, backend.using_tf32, 0),
                                                   (1, partial(backend.autocast, "float16"), 0)])  # fmt: skip
def test_winograd_is_taken_on_a_gpu_for_stride_1_in_float32_without_tf32(stride, exact, wanted):
    x, weight = xp.ones((64, 8, 8, 16), dtype="f4"), xp.ones((3, 3, 16, 16), dtype="f4")
    launches, launch = [], FUNCTIONS["launch"].default

    def noted(source, function, *arguments):
        launches.append(function.partition("<")[0])
        launch(source, function, *arguments)

    with exact(), ops.standing_in(launch=noted):
        ops.conv2d(x, weight, padding=1, stride=stride)
    assert launches.count("tile_images") == wanted


@settings(max_examples=60)
@given(st.sampled_from([F2, F4]), st.integers(0, 3), st.integers(3, 11), st.integers(3, 11), st.integers(0, 2), st.integers(0, 2),
       st.sampled_from([1, 3, 5]), st.sampled_from([1, 4]), floats)  # fmt: skip
def test_winograds_maps(tile, n, h, w, ph, pw, c, f, dtype):
    rng, gpu = np.random.default_rng(n), maps_on_a_gpu
    x = rng.standard_normal((n, h, w, c)).astype(dtype)
    weight = rng.standard_normal((3, 3, c, f)).astype(dtype)
    maps = Maps(x, weight, (ph, pw), tile, np.dtype(dtype))
    v = agree(gpu.tile_images_kernel, Maps.tile_images, maps, x)
    product = rng.standard_normal((*v.shape[:-1], f)).astype(dtype)
    found, wanted = (to_device(np.full((n, *maps.output, f), np.nan, dtype)) for _ in range(2))
    assert gpu.untile_kernel(maps, to_device(product), found) is None
    with ops.plain():
        Maps.untile.plain(maps, to_device(product), wanted)
    close(found, wanted)
    g = product[0, 0, 0, 0][:, None, None, :].repeat(maps.output[0], 1).repeat(maps.output[1], 2)
    agree(gpu.tile_gradient_kernel, Maps.tile_gradient, maps, g)
    u = agree(gpu.tile_filters_kernel, Maps.tile_filters, maps, weight.swapaxes(0, 1))
    agree(gpu.untile_filters_kernel, Maps.untile_filters, maps, u)


def test_winograds_tiles_of_stride_2_take_the_plain_form():
    x, weight = xp.ones((1, 9, 9, 2), dtype="f4"), xp.ones((3, 3, 2, 2), dtype="f4")
    assert (
        maps_on_a_gpu.tile_images_kernel(Maps(x, weight, (0, 0), F4_STRIDE2, x.dtype), x)
        is NotImplemented
    )


@pytest.mark.parametrize("every, parts", [(1 << 42, 1), (256 << 20, 4), (1, 128)])
def test_a_batch_is_cut_by_a_gpu_s_memory_and_not_by_what_is_free_now(every, parts):
    slices = []
    with ops.standing_in(memory=lambda: (every, 0)):
        sum_over_chunks(slices.append, 128, 1 << 20)
    assert len(slices) == parts and slices[0].start == 0 and slices[-1].stop == 128


def test_little_work_is_not_cut_and_the_gpu_is_not_asked():
    slices = []
    with ops.standing_in(memory=refused):
        sum_over_chunks(slices.append, 64, 1 << 20)
    assert slices == [slice(0, 64)]


@pytest.mark.parametrize("free, held, limit, used, wanted", [
    (8 << 30, 0, 0, 0, (8 << 30, 8 << 30)), (6 << 30, 2 << 30, 0, 1 << 30, (8 << 30, 7 << 30)),
    (80 << 30, 0, 4 << 30, 1 << 30, (4 << 30, 3 << 30)), (0, 1 << 20, 0, 1 << 20, (1 << 20, 0))])  # fmt: skip
def test_memory_is_what_is_free_and_what_the_pool_holds_and_the_driver_is_asked_once(
    free, held, limit, used, wanted
):
    asked = []
    pool = SimpleNamespace(
        total_bytes=lambda: held, get_limit=lambda: limit, used_bytes=lambda: used
    )
    runtime = SimpleNamespace(
        memGetInfo=lambda: asked.append(1) or (free, 141 << 30), getDevice=lambda: 0
    )
    cupy = SimpleNamespace(
        get_default_memory_pool=lambda: pool, cuda=SimpleNamespace(runtime=runtime)
    )
    device._memory.cache_clear()
    with mock.patch.dict(sys.modules, cupy=cupy), ops.standing_in(memory=device.memory.plain):
        assert device.memory() == wanted
        held, free = held + 1, free + 1  # what the process takes from now on changes nothing
        assert device.memory() == wanted and len(asked) == 1
        assert device.may_keep(0) == (wanted[1] >= 0.75 * wanted[0])
        assert not device.may_keep(wanted[1])
    device._memory.cache_clear()


@pytest.mark.parametrize(
    "every, wanted", [(141 << 30, 16 << 30), (7 << 30, 512 << 20), (0, 1 << 20)]
)
def test_a_chunk_takes_an_eighth_of_the_memory_as_a_power_of_two(every, wanted):
    with ops.standing_in(memory=lambda: (every, 0)):
        assert device.budget() == wanted


def kernels():
    """Yield (Forms, its faster form) for all faster forms that launch a kernel on a GPU."""
    for forms in FUNCTIONS.values():
        for form in forms.faster:
            if form.run.__name__.endswith("_kernel"):
                assert form.on == ("cupy",)
                yield forms, form


@pytest.mark.parametrize("half", [None, "float16", pytest.param("bfloat16", marks=needs_bfloat16)])
def test_every_step_of_a_training_step_has_its_kernel(half):
    """No plain form runs in a step with ImageNet's stem, max pooling, and stages with and without stride."""
    asked, changed = {}, {}

    def noted(form):
        def run(*arguments, **options):
            result = form.run(*arguments, **options)
            asked.setdefault(form.run.__name__, []).append(result is not NotImplemented)
            return result

        return form._replace(run=run)

    for forms, form in kernels():
        changed[forms] = forms.faster
        forms.faster = tuple(noted(other) if other is form else other for other in forms.faster)
    try:
        model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), stem="imagenet", num_classes=3)
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        with backend.autocast(half):
            x = Tensor(to_device(np.random.default_rng(0).random((4, 24, 24, 3), dtype="f4")))
            functional.cross_entropy(model(x), to_device([0, 1, 2, 0])).backward()
            optimizer.step()
    finally:
        for forms, faster in changed.items():
            forms.faster = faster
    tiles = {form.run.__name__ for forms, form in kernels() if forms.name.startswith("Maps.")}
    every = {form.run.__name__ for _, form in kernels()}
    unused = {
        "gather_kernel",
        "adam_kernel",
        "im2col_kernel",  # conv2d's own form makes the columns
        "channel_stats_kernel",  # these two are for a batch norm alone: in a block, moving_stats_kernel does the work of both
        "update_running_kernel",
    }
    assert set(asked) == every - unused - (tiles if half else set())
    assert all(all(found) for found in asked.values())
