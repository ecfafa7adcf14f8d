"""The CUDA kernels, without a card: run on the processor by a shim, against the plain form of each; and compiled for a card."""

import importlib
import shutil
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_dtypes import bfloat16

from minires import Tensor, backend, functional, models, nn, ops, optim
from minires.backend import PLAIN, cuda, kernels
from minires.backend.kernels import start
from minires.gradcheck import check_backward
from minires.ops import conv
from minires.ops.tiles import F2, F4, F4_STRIDE2, Maps
from minires.ops.windows import output_size
from tests import compilers, shim

batches_module = importlib.import_module("minires.data.batches")  # the class of that name hides it
needs_compiler = pytest.mark.skipif(shim.COMPILER is None, reason="there is no g++ to run kernels on the processor")


@pytest.fixture(scope="module", autouse=True)
def on_the_shim():
    with mock.patch.object(backend, "_current", shim.library()):
        yield


def test_each_kernel_stands_for_a_plain_function_and_each_of_those_has_one():
    assert set(kernels.__all__) == set(PLAIN)


def agree(name, *arguments, rtol=1e-5):
    """The kernel's results, which are the plain function's but for rounding."""
    got, wanted = getattr(kernels, name)(*arguments), PLAIN[name](*arguments)
    assert got is not NotImplemented
    for a, b in zip(*(result if isinstance(result, tuple) else (result,) for result in (got, wanted)), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            close(a, b, rtol)
    return got


def close(a, b, rtol=1e-5):
    """Of one shape and type, and the same but for rounding: of half types, by one step between neighbours."""
    assert a.shape == b.shape and a.dtype == b.dtype
    tolerance = {"float64": 1e-12, "float16": 1e-3, "bfloat16": 8e-3}.get(a.dtype.name, rtol)
    a, b = (array.astype("f8") for array in (a, b))
    scale = np.abs(np.where(np.isfinite(b), b, 0)).max(initial=1e-30)
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=rtol * scale)


floats = st.sampled_from([np.float32, np.float64])
images = st.sampled_from([np.float32, np.float64, np.float16, bfloat16])
channels = st.sampled_from([1, 2, 3, 4, 6, 8, 12, 20, 64])


@st.composite
def windows(draw):
    """(batch of images, kernel, stride, padding, output)"""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = draw(st.tuples(st.integers(0, kernel[0] // 2), st.integers(0, kernel[1] // 2)))
    h, w = (draw(st.integers(max(k - 2 * p, 1), 9)) for k, p in zip(kernel, padding))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal((draw(st.integers(0, 3)), h, w, draw(channels))).astype(draw(images))
    return x, kernel, stride, padding, output_size((h, w), kernel, stride, padding)


@needs_compiler
@settings(max_examples=60)
@given(windows())
def test_columns_are_made_and_added_as_by_the_plain_form(case):
    x, *options = case
    columns = agree("make_columns", x, *options)
    agree("add_columns", np.random.default_rng(0).standard_normal(columns.shape).astype(x.dtype), x.shape, *options)


@needs_compiler
def test_channels_that_fill_16_bytes_go_as_one_load():
    assert [start.run_length(c, np.dtype("f4")) for c in (64, 6, 3, 1)] == [4, 2, 1, 1]
    assert [start.run_length(c, np.dtype("f8")) for c in (64, 6, 3)] == [2, 2, 1]
    assert [start.run_length(c, np.dtype("f2")) for c in (64, 12, 6, 3)] == [8, 4, 2, 1]


@needs_compiler
@settings(max_examples=40)
@given(windows(), st.booleans())
def test_max_pooling_finds_the_places_of_the_plain_form(case, ties):
    x, kernel, stride, padding, output = case
    x = np.round(x) if ties else x
    y, place = agree("largest", x, kernel, stride, padding, output)
    g = np.random.default_rng(0).standard_normal(y.shape).astype(x.dtype)
    agree("to_largest", g, place, x.shape, kernel, stride, padding, output)


@needs_compiler
def test_max_pooling_of_nans_and_of_negative_infinity():
    x = np.array([[1, np.nan, 2], [np.nan, 5, -np.inf], [-np.inf, -np.inf, -np.inf]], "f4").reshape(1, 3, 3, 1)
    for options in (((2, 2), (1, 1), (0, 0), (2, 2)), ((3, 3), (1, 1), (1, 1), (3, 3)), ((1, 3), (1, 1), (0, 1), (3, 3))):
        agree("largest", x, *options)


@st.composite
def values(draw, least=2):
    """x (N, C) or (N, H, W, C), of a mean far from 0 in some channels."""
    c, dtype = draw(channels), draw(images)
    shape = draw(st.one_of(st.tuples(st.integers(least, 70)), st.tuples(st.integers(least, 5), st.integers(1, 9), st.integers(1, 9))))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal((*shape, c)) * rng.uniform(0.5, 2, c) + rng.uniform(-3, 3, c)
    return x.astype(dtype)


@needs_compiler
@settings(max_examples=40)
@given(values(least=1))
def test_moments_of_channels(x):
    agree("moments", x)


@needs_compiler
@pytest.mark.parametrize("shape", [(9000, 3), (5000, 64), (40, 13, 17, 20), (3, 700)])
def test_moments_of_many_values_in_two_stages_and_far_from_zero(shape):
    x = (np.random.default_rng(0).standard_normal(shape) + 1000).astype("f4")
    mean, var = kernels.moments(x)
    exact = x.astype("f8").reshape(-1, shape[-1])
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=2e-7)
    np.testing.assert_allclose(var, exact.var(axis=0), rtol=1e-4)


@needs_compiler
@settings(max_examples=60)
@given(values(), st.booleans(), st.booleans(), st.booleans())
def test_batch_norm_add_and_relu_each_way(x, adds, relu, moving):
    rng = np.random.default_rng(1)
    vector = backend.sum_type(x.dtype)
    gamma, beta, mean, shift = (rng.standard_normal(x.shape[-1]).astype(vector) for _ in range(4))
    var, add = (shift**2 + 0.1).astype(vector), rng.standard_normal(x.shape).astype(x.dtype) if adds else None
    y = agree("norm_forward", x, gamma, beta, add, mean, var, 1e-5, relu)
    g = rng.standard_normal(x.shape).astype(x.dtype)
    agree("norm_backward", g, y if relu else None, x, gamma, mean, var, 1e-5, moving, adds, rtol=2e-5)


@needs_compiler
@pytest.mark.parametrize("half", [np.float16, bfloat16])
def test_half_types_are_rounded_to_the_nearest_and_ties_to_even(half):
    """y = x * gamma, rounded once: by the kernel as by NumPy's own types, with ties, infinities and NaN among them."""
    x = np.random.default_rng(0).standard_normal((400, 8)).astype(half)
    x[:4, 0] = 1, -1, np.inf, np.nan
    step = float(np.spacing(np.float16(1))) if half is np.float16 else 2.0**-7
    gamma = np.array([1 + step / 2, 1 + 1.5 * step, 1.3, -0.7, 3e4, 1e-5, 1 / 3, 1], "f4")
    nought, one = np.zeros(8, "f4"), np.ones(8, "f4")
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = (x.astype("f4") * gamma).astype(half)
    y = kernels.norm_forward(x, gamma, nought, None, nought, one, 0.0, False)
    np.testing.assert_array_equal(y.astype("f4"), wanted.astype("f4"))
    assert np.isnan(y[3, 0]) and y.dtype == half


@needs_compiler
@pytest.mark.parametrize("label_type", ["i4", "i8", "u1"])
@settings(max_examples=25)
@given(n=st.integers(0, 300), k=st.integers(1, 12), smoothing=st.sampled_from([0.0, 0.1, 1.0]), dtype=images, size=st.sampled_from([1, 100]))
def test_softmax_cross_entropy(label_type, n, k, smoothing, dtype, size):
    rng = np.random.default_rng(n)
    logits = (rng.standard_normal((n, k)) * size).astype(dtype)
    agree("softmax_losses", logits, rng.integers(0, k, n).astype(label_type), smoothing)


@needs_compiler
@pytest.mark.parametrize("bad", [-1, 3])
def test_a_label_out_of_range_gives_nan_and_not_the_loss_of_another_class(bad):
    loss, _ = ops.cross_entropy(np.zeros((4, 3), "f4"), np.array([0, 1, bad, 2]))
    assert np.isnan(loss)


def moved(name, arrays, *options):
    """The arrays after the kernel, which changes them in place as the plain function does."""
    ours, plain = ([None if array is None else array.copy() for array in arrays] for _ in range(2))
    assert getattr(kernels, name)(*ours, *options) is None
    PLAIN[name](*plain, *options)
    for a, b in zip(ours, plain):
        if a is not None:
            tolerance = 1e-6 if a.dtype == np.float32 else 1e-13
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@needs_compiler
@settings(max_examples=30)
@given(st.integers(1, 700), floats, st.booleans(), st.booleans(), st.sampled_from([0.0, 5e-4]))
def test_sgd_and_adam(n, dtype, flag, nesterov, decay):
    rng = np.random.default_rng(n)
    w, g, m = (rng.standard_normal(n).astype(dtype) for _ in range(3))
    moved("move_sgd", (w, g, m if flag or nesterov else None), 0.1, 0.9, decay, nesterov)
    moved("move_adam", (w, g, m, m**2), 0.01, 0.9, 0.99, 1e-8, decay, 0.3, 0.2, flag)


@needs_compiler
@settings(max_examples=20)
@given(st.integers(1, 300), floats, st.sampled_from([0.0, 0.1, 1.0]), st.integers(2, 9))
def test_running_statistics_move(c, dtype, momentum, count):
    rng = np.random.default_rng(c)
    arrays = [rng.standard_normal(c).astype(dtype) for _ in range(4)]
    moved("move_running", arrays, momentum, count)


@needs_compiler
@settings(max_examples=30)
@given(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 3), st.integers(0, 5),
       st.sampled_from(["u1", "f4"]), st.booleans())  # fmt: skip
def test_images_are_picked_moved_and_cut_out(n, h, w, c, crop, cutout, kind, moving):
    rng = np.random.default_rng(n)
    images, chosen = rng.integers(0, 256, (7, h, w, c)).astype(kind), rng.integers(0, 7, n)
    moves = batches_module.draw_moves(rng, n, (h, w), crop=crop, mirrored=rng.random(n) < 0.5, cutout=cutout)
    factor, offset = (rng.standard_normal(c).astype("f4") for _ in range(2))
    agree("pick", images, chosen, moves if moving else None, cutout if moving else 0, factor, offset)


@needs_compiler
def test_an_impossible_class_costs_nothing_and_a_nan_stays_one():
    logits = np.array([[1.0, -np.inf, 2.0], [0.0, np.nan, 1.0]], "f4")
    agree("softmax_losses", logits, np.array([0, 0]), 0.0)


# The ops and a training, with kernels in the places of the plain functions.


@needs_compiler
@pytest.mark.parametrize("algorithm", ["im2col", "auto"])
def test_ops_have_right_gradients_on_kernels(algorithm):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 5, 7, 3)), rng.standard_normal((3, 2, 3, 4))
    check_backward(lambda *a: ops.conv2d(*a, stride=(2, 1), padding=1, algorithm=algorithm), x, weight, rng.standard_normal(4))
    check_backward(lambda a: ops.max_pool2d(a, kernel=3, stride=2, padding=1), rng.permutation(210).astype(float).reshape(2, 5, 7, 3))
    gamma, beta = rng.standard_normal(3), rng.standard_normal(3)
    check_backward(lambda *a: ops.norm_add_relu(*a, relu=False), x, gamma, beta, rng.standard_normal(x.shape))


@needs_compiler
def test_parameters_lie_in_one_array_and_go_on_from_a_saved_state():
    """On the shim, where they do, and on numpy, where they do not, with a stop and a frozen parameter on the way."""

    def moved(make):
        rng = np.random.default_rng(0)
        parameters = [nn.Parameter(rng.standard_normal(shape, dtype="f4")) for shape in ((3, 4), (5,), (2, 2, 2))]
        optimizer, launches = make(parameters), []
        for step in range(6):
            if step == 3:
                kept = optimizer.state_dict()
                optimizer = make(parameters)
                optimizer.load_state_dict(kept)
            for i, parameter in enumerate(parameters):
                parameter.grad = None if step == 4 and i == 1 else rng.standard_normal(parameter.shape, dtype="f4")
            with mock.patch.object(backend, "launch", side_effect=backend.launch) as launch:
                optimizer.step()
            launches.append(launch.call_count)
        return [parameter.data.copy() for parameter in parameters], optimizer.state_dict(), launches

    for make in (lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-3), lambda p: optim.AdamW(p, lr=0.1)):
        arrays, state, launches = moved(make)
        with backend.using("numpy"):
            plain_arrays, plain_state, _ = moved(make)
        assert launches[0] == 1
        assert state.keys() == plain_state.keys()
        for a, b in zip((*arrays, *state.values()), (*plain_arrays, *plain_state.values())):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@needs_compiler
def test_an_array_that_was_put_in_the_place_of_a_parameters_is_the_one_that_moves():
    parameters = [nn.Parameter(np.ones(3, "f4")) for _ in range(2)]
    optimizer = optim.SGD(parameters, lr=0.5, momentum=0.5)
    for step in range(3):
        if step == 2:
            parameters[1].data = np.full(3, 10, "f4")
        for parameter in parameters:
            parameter.grad = np.ones(3, "f4")
        optimizer.step()
    np.testing.assert_allclose(parameters[0].data, 1 - 0.5 * (1 + 1.5 + 1.75))
    np.testing.assert_allclose(parameters[1].data, 10 - 0.5 * 1.75)  # its velocity stays


@pytest.mark.parametrize("kind", ["i8", "u1"])
def test_types_without_a_kernel_take_the_plain_form(kind):
    x = np.full((1, 3, 3, 2), (1 << 40) + 1 if kind == "i8" else 1, kind)
    with mock.patch.object(backend, "launch", side_effect=AssertionError):
        columns, backward = ops.im2col(x, kernel=3, padding=1)
        (image,) = backward(columns)
    assert columns.dtype == x.dtype and image[0, 1, 1, 0] == 9 * x[0, 1, 1, 0]  # exact: not by way of float32


@needs_compiler
@pytest.mark.parametrize("stride, exact, wanted", [(1, nullcontext, 1), (2, nullcontext, 0), (1, backend.using_tf32, 0),
                                                   (1, partial(backend.using_mixed, "float16"), 0)])  # fmt: skip
def test_auto_takes_winograd_on_a_card_for_stride_1_in_float32_without_tf32(stride, exact, wanted):
    x, weight = np.ones((64, 8, 8, 16), "f4"), np.ones((3, 3, 16, 16), "f4")
    with exact(), mock.patch.object(conv, "conv2d_winograd", side_effect=conv.conv2d_winograd) as winograd:
        ops.conv2d(x, weight, padding=1, stride=stride)
    assert winograd.call_count == wanted


@needs_compiler
@settings(max_examples=60)
@given(st.sampled_from([F2, F4]), st.integers(0, 3), st.integers(3, 11), st.integers(3, 11), st.integers(0, 2), st.integers(0, 2),
       st.sampled_from([1, 3, 5]), st.sampled_from([1, 4]), floats)  # fmt: skip
def test_winograds_maps(tile, n, h, w, ph, pw, c, f, dtype):
    rng = np.random.default_rng(n)
    x, weight = rng.standard_normal((n, h, w, c)).astype(dtype), rng.standard_normal((3, 3, c, f)).astype(dtype)
    maps = Maps(x, weight, (ph, pw), tile, np.dtype(dtype))
    v = agree("tile_images", maps, x)
    product = rng.standard_normal((*v.shape[:-1], f)).astype(dtype)
    y, g_x = (np.full(shape, np.nan, dtype) for shape in ((n, *maps.output, f), x.shape))
    for name, tiled, images in (("untile", product, y), ("untile_gradient", v, g_x)):
        found = images.copy(), images.copy()
        assert getattr(kernels, name)(maps, tiled, found[0]) is None
        PLAIN[name](maps, tiled, found[1])
        close(*found)
    agree("tile_gradient", maps, product[0, 0, 0, 0][:, None, None, :].repeat(maps.output[0], 1).repeat(maps.output[1], 2))
    u = agree("tile_filters", maps, weight.swapaxes(0, 1))
    agree("untile_filters", maps, u)


def test_winograds_tiles_of_stride_2_take_the_plain_form():
    x, weight = np.ones((1, 9, 9, 2), "f4"), np.ones((3, 3, 2, 2), "f4")
    assert kernels.tile_images(Maps(x, weight, (0, 0), F4_STRIDE2, x.dtype), x) is NotImplemented


@pytest.mark.parametrize("budget, parts", [(1 << 40, 1), (32 << 20, 4), (1, 128)])
def test_a_batch_is_cut_by_a_cards_free_memory(budget, parts):
    slices = []
    with mock.patch.object(backend, "_current", backend._current._replace(part=lambda: budget)):
        backend.in_parts(slices.append, 128, 1 << 20)
    assert len(slices) == parts and slices[0].start == 0 and slices[-1].stop == 128


def test_little_work_is_not_cut_and_the_card_is_not_asked():
    slices = []
    with mock.patch.object(backend, "_current", backend._current._replace(part=mock.Mock(side_effect=AssertionError))):
        backend.in_parts(slices.append, 64, 1 << 20)
    assert slices == [slice(0, 64)]


@pytest.mark.parametrize("free, pooled, limit, used, wanted", [
    (8 << 30, 0, 0, 0, 2 << 30), (7 << 30, 0, 0, 0, 1 << 30), (1 << 30, 1 << 30, 0, 0, 512 << 20),
    (80 << 30, 0, 4 << 30, 2 << 30, 512 << 20), (0, 0, 0, 0, 1 << 20)])  # fmt: skip
def test_the_budget_is_a_quarter_of_what_is_free_as_a_power_of_two(free, pooled, limit, used, wanted):
    pool = SimpleNamespace(free_bytes=lambda: pooled, get_limit=lambda: limit, used_bytes=lambda: used)
    runtime = SimpleNamespace(memGetInfo=lambda: (free, 141 << 30))
    cupy = SimpleNamespace(get_default_memory_pool=lambda: pool, cuda=SimpleNamespace(runtime=runtime))
    with mock.patch.dict(sys.modules, cupy=cupy):
        assert cuda.budget() == wanted


@needs_compiler
@pytest.mark.parametrize("half", [None, "bfloat16", "float16"])
def test_every_step_of_a_training_step_has_its_kernel(half):
    """None of them is left to its plain form: ImageNet's stem, with max pooling, and stages with and without stride."""
    asked = {}

    def noted(name, kernel):
        def run(*arguments):
            result = kernel(*arguments)
            asked.setdefault(name, []).append(result is not NotImplemented)
            return result

        return run

    model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), stem="imagenet", num_classes=3)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    kernel_of = {name: noted(name, getattr(kernels, name)) for name in kernels.__all__}
    with mock.patch.multiple(kernels, **kernel_of), backend.using_mixed(half):
        loss = functional.cross_entropy(model(Tensor(np.random.default_rng(0).random((4, 24, 24, 3), dtype="f4"))), np.array([0, 1, 2, 0]))
        loss.backward()
        optimizer.step()
    tiles = {"tile_images", "untile", "tile_gradient", "untile_gradient", "tile_filters", "untile_filters"}
    assert set(asked) == set(kernels.__all__) - {"pick", "move_adam"} - (tiles if half else set())
    assert all(all(found) for found in asked.values())


# Compiled for a card.


def kernels_used():
    """(file, function) of every kernel that the tests above start, and those of large arrays."""
    seen = set()

    def noted(source, function, blocks, block, arguments):
        seen.add((source, function))

    with mock.patch.object(backend, "launch", noted):
        for dtype in (np.float32, np.float64, np.float16, bfloat16):
            for c in (8, 3):
                x = np.ones((2, 4, 4, c), dtype)
                vector = np.ones(c, backend.sum_type(x.dtype))
                options = (3, 3), (1, 1), (1, 1), (4, 4)
                columns = kernels.make_columns(x, *options)
                kernels.add_columns(columns, x.shape, *options)
                kernels.moments(x)
                for adds in (True, False):
                    for relu in (True, False):
                        kernels.norm_forward(x, vector, vector, x if adds else None, vector, vector, 1e-5, relu)
                        for moving in (True, False):
                            kernels.norm_backward(x, x if relu else None, x, vector, vector, vector, 1e-5, moving, adds)
                for window in (options, ((17, 17), (1, 1), (8, 8), (4, 4))):
                    y, place = kernels.largest(x, *window)
                    kernels.to_largest(y, place, x.shape, *window)
            for nesterov in (True, False):
                kernels.move_sgd(vector, vector, vector, 0.1, 0.9, 0.0, nesterov)
                kernels.move_adam(vector, vector, vector, vector, 0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, nesterov)
            kernels.move_sgd(vector, vector, None, 0.1, 0.0, 0.0, False)
            kernels.move_running(vector, vector, vector, vector, 0.1, 2)
            if vector.dtype == dtype:
                for tile in (F2, F4):
                    maps = Maps(x, np.ones((3, 3, c, c), dtype), (1, 1), tile, x.dtype)
                    v = kernels.tile_images(maps, x)
                    kernels.untile_gradient(maps, v, x)
                    kernels.untile(maps, v, x)
                    kernels.tile_gradient(maps, x)
                    u = kernels.tile_filters(maps, np.ones((3, 3, c, c), dtype))
                    kernels.untile_filters(maps, u)
            for ints in ("i4", "i8", "u1"):
                kernels.softmax_losses(np.ones((2, 3), dtype), np.zeros(2, ints), 0.1)
        for kind in ("u1", "f4"):
            for ints in ("i4", "i8"):
                kernels.pick(np.ones((2, 3, 3, 3), kind), np.zeros(2, ints), None, 0, np.ones(3, "f4"), np.ones(3, "f4"))
    return sorted(seen)


@pytest.mark.parametrize("file", sorted(path.name for path in Path(start.__file__).parent.glob("*.cu")))
def test_every_kernel_compiles_for_a_card(file, tmp_path):
    """By NVRTC where its wheel is installed, as CuPy does it; else by nvcc."""
    text, sources = (Path(start.__file__).parent / file).read_text(), {}
    for source, function in kernels_used():
        if source.endswith(text):
            sources.setdefault(source, []).append(function)
    assert sources
    library = compilers.nvrtc()
    for source, functions in sources.items():
        if library is not None:
            compilers.with_nvrtc(library, source, functions)
        elif shutil.which("nvcc"):
            compilers.with_nvcc(source, functions, tmp_path)
        else:
            pytest.skip(compilers.name())
