"""Batch norm's kernels: three launches each way, many rows per thread, means far from 0, and what they leave to the plain form."""

from functools import partial
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minires import Tensor, backend, models, nn, ops
from minires.backend import accumulation_dtype, to_device, to_host
from minires.fast.blocks import moving_stats, norm_relu
from minires.fast.cuda import norm
from minires.fast.cuda.device import address
from minires.fast.cuda.start import dense, source
from minires.fast.onepass import norm_add_relu, norm_backward, norm_forward
from minires.nn.layers import update_running
from minires.ops.forms import FUNCTIONS
from tests import shim
from tests.halves import needs_bfloat16
from tests.test_kernels import agree, close, in_float32, on_a_gpu, refused, values  # noqa: F401 (a fixture)


def launched(run, start=True):
    """Return (what run() returns, the functions that it launches); start=False to launch none of them."""
    seen = []

    def noted(text, function, *arguments):
        seen.append((text, function.partition("<")[0]))
        if start:
            FUNCTIONS["launch"].default(text, function, *arguments)

    with ops.standing_in(launch=noted):
        made = run()
    return made, [function for text, function in seen if text == source("norm.cu")]


def statistics_of(layer):
    return [to_host(array).copy() for array in (layer.running_mean, layer.running_var)]


FORWARD = ["stats_of_rows", "stats_of_parts", "normalise"]
BACKWARD = ["gradient_sums_of_rows", "gradient_sums_of_parts", "normalise_backward"]


def test_batch_norm_takes_three_launches_each_way():
    layer = nn.BatchNorm(6)
    x, add = (
        Tensor(to_device(np.random.default_rng(i).random((5, 3, 4, 6), "f4")), requires_grad=True)
        for i in range(2)
    )
    y, forward = launched(lambda: norm_relu(layer, x, add))
    _, backward = launched(lambda: y.sum().backward())
    assert (forward, backward) == (FORWARD, BACKWARD)


@pytest.mark.parametrize("half", [None, pytest.param("bfloat16", marks=needs_bfloat16)])
def test_a_step_of_resnet_18_takes_120_launches_for_its_20_batch_norms(half):
    """Nothing is launched but counted: kernels' results are whatever was in the memory."""
    model = models.resnet18()
    x = to_device(np.zeros((2, 8, 8, 3), "f4"))

    def step():
        with backend.autocast(half), np.errstate(all="ignore"):
            model(Tensor(x)).sum().backward()

    _, seen = launched(step, start=False)
    assert sorted(seen) == sorted(20 * (FORWARD + BACKWARD))


@settings(max_examples=30)
@given(values(), st.sampled_from([0.0, 0.1, 1.0]))
def test_running_statistics_move_with_the_batch_s(x, momentum):
    rng, c, dtype = np.random.default_rng(0), x.shape[-1], accumulation_dtype(x.dtype)
    vectors = [rng.standard_normal(c).astype(dtype) for _ in range(4)]
    ours, plain = ([to_device(vector.copy()) for vector in vectors] for _ in range(2))
    found = norm.moving_stats_kernel(to_device(x), *ours, momentum)
    with ops.plain():
        wanted = moving_stats.plain(to_device(x.astype(dtype)), *plain, momentum)
    for a, b in zip([*found, *ours], [*wanted, *plain], strict=True):
        close(a, b)


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
@pytest.mark.parametrize("shape", [(9000, 3), (3000, 8), (2, 700), (40, 9, 7, 12)])
def test_a_thread_may_take_many_rows_and_a_part_many_of_a_thread_s(dtype, shape):
    """As on arrays of gigabytes: few parts, few threads, and numbers of rows that these do not divide."""
    rng, vector = np.random.default_rng(0), accumulation_dtype(np.dtype(dtype))
    x, add, g = (rng.standard_normal(shape).astype(dtype) for _ in range(3))
    gamma, beta, mean, var = (rng.random(shape[-1]).astype(vector) + 0.5 for _ in range(4))
    with mock.patch.multiple(norm, PARTS=3, THREADS=5 * shape[-1]):
        found = norm.channel_stats_kernel(to_device(x))
        for a, b in zip(found, ops.channel_stats.plain(x.astype("f8")), strict=True):
            np.testing.assert_allclose(to_host(a), b, rtol=1e-5, atol=1e-5)
        run = partial(agree, norm.norm_forward_kernel, norm_forward)
        y = run(x, gamma, beta, add, mean, var, 1e-5, True)
        run = partial(agree, norm.norm_backward_kernel, norm_backward, rtol=2e-5)
        run(g, y, x, gamma, mean, var, 1e-5, True, True)


def test_a_first_value_far_from_the_others_costs_no_accuracy():
    """As in a corner of an image, whose convolution sees mostly padding. The others are equal, so that errors add up."""
    x = np.broadcast_to(np.linspace(1000, 1010, 20, dtype="f4"), (60000, 20)).copy()
    x[0] = 0
    mean, var = map(to_host, norm.channel_stats_kernel(to_device(x)))
    np.testing.assert_allclose(mean, x.astype("f8").mean(axis=0), rtol=2e-7)
    np.testing.assert_allclose(var, x.astype("f8").var(axis=0), rtol=1e-5)


def test_equal_values_have_no_variance():
    _, var = norm.channel_stats_kernel(to_device(np.full((3000, 6), 1000.1, "f4")))
    assert not to_host(var).any()


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_and_infinity_pass_as_in_the_plain_form(relu):
    bad = np.array([np.nan, np.inf, -np.inf, 1, -1, 0], "f4")
    x, add, g = (array.copy() for array in np.meshgrid(bad, bad, bad, indexing="ij"))
    x, add, g = (array.reshape(-1, 4) for array in (x, add, g))
    one, two, nought = (np.full(4, value, "f4") for value in (1, 2, 0))
    y = agree(norm.norm_forward_kernel, norm_forward, x, two, one, add, nought, one, 1e-5, relu)
    assert np.isnan(to_host(y)).any() and np.isinf(to_host(y)).any()
    for training in (True, False):
        agree(norm.norm_backward_kernel, norm_backward, g, y if relu else None, np.ones_like(x), two, one, one, 1e-5,
              training, True)  # fmt: skip


def test_the_same_call_gives_the_same_bits():
    x = to_device(np.random.default_rng(0).standard_normal((3000, 20)).astype("f4"))
    gamma, beta = (to_device(np.ones(20, "f4")) for _ in range(2))
    results = []
    for _ in range(2):
        y, backward = norm_add_relu(x, gamma, beta)
        results.append([to_host(array).tobytes() for array in (y, *backward(x)[:3])])
    assert results[0] == results[1]


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 4, 8), (5, 0), (0, 0), (2, 3, 3, 0)])
def test_an_empty_batch_or_no_channel_starts_no_kernel(shape):
    x, (gamma, beta, mean, var) = np.ones(shape, "f4"), np.ones((4, shape[-1]), "f4")
    x, gamma, beta, mean, var = map(to_device, (x, gamma, beta, mean, var))
    with ops.standing_in(launch=refused):
        y, backward = norm_add_relu(x, gamma, beta, x, stats=(mean, var), training=False)
        assert [array.shape for array in (y, *backward(x))] == [
            shape,
            shape,
            *2 * [shape[-1:]],
            shape,
        ]
        assert not to_host(backward(x)[1]).any()
        for training in (True, False):
            made = norm.norm_backward_kernel(x, y, x, gamma, mean, var, 1e-5, training, True)
            assert made is NotImplemented
        with pytest.raises(ValueError, match="expected one or more values per channel"):
            ops.channel_stats(x)


def forms_called(stand_ins):
    """Return the launches of a batch norm while these functions have stand-ins, and how often each of those ran."""
    counts = dict.fromkeys(stand_ins, 0)

    def counted(name):
        def run(*arguments, **options):
            counts[name] += 1
            return FUNCTIONS[name].default(*arguments, **options)

        return run

    with ops.standing_in({name: counted(name) for name in stand_ins}):
        _, seen = launched(lambda: norm_relu(nn.BatchNorm(2), to_device(np.ones((4, 2), "f4"))))
    return seen, counts


@pytest.mark.parametrize("name", ["channel_stats", "update_running"])
def test_the_fused_statistics_give_way_to_a_stand_in_for_either_half(name):
    seen, counts = forms_called([name])
    assert counts == {name: 1} and "moved_statistics" in seen


@pytest.mark.parametrize(
    ("shape", "c", "message"),
    [
        ((1, 3), 3, "batch_norm: expected two or more values per channel"),
        ((1, 1, 1, 3), 3, "batch_norm: expected two or more values per channel"),
        ((4, 2), 3, r"batch_norm: expected a gamma of shape \(2,\), got \(3,\)"),
        ((0, 3), 3, "channel_stats: expected one or more values per channel"),
        ((3,), 3, r"channel_stats: expected an x of shape \(N, C\)"),
    ],
)
def test_what_batch_norm_refuses_leaves_the_running_statistics(shape, c, message):
    layer = nn.BatchNorm(c)
    before = statistics_of(layer)
    with pytest.raises(ValueError, match=f"^{message}"):
        norm_relu(layer, Tensor(to_device(np.ones(shape, "f4"))))
    np.testing.assert_array_equal(statistics_of(layer), before)


def test_a_bias_of_another_shape_is_refused_and_leaves_the_running_statistics():
    layer = nn.BatchNorm(3)
    layer.bias.data = to_device(np.zeros(2, "f4"))
    before = statistics_of(layer)
    with pytest.raises(
        ValueError, match=r"^batch_norm: expected a beta of shape \(3,\), got \(2,\)"
    ):
        norm_relu(layer, Tensor(to_device(np.ones((4, 3), "f4"))))
    np.testing.assert_array_equal(statistics_of(layer), before)


@pytest.mark.parametrize("gaps, dtype", [(True, "f4"), (False, "f8")])
def test_running_statistics_with_gaps_or_of_another_type_move_by_the_plain_form(gaps, dtype):
    x = to_device(np.random.default_rng(0).random((5, 3), "f4"))
    layer, wide = nn.BatchNorm(3), to_device(np.ones(6, dtype))
    layer.running_mean = wide[::2] if gaps else wide[:3]
    vectors = layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var
    assert norm.moving_stats_kernel(x, *vectors, 0.1) is NotImplemented
    norm_relu(layer, Tensor(x))
    wanted = np.ones(3, dtype)
    update_running.plain(wanted, np.ones(3), to_host(x).mean(axis=0), np.ones(3), 0.1, 5)
    np.testing.assert_allclose(to_host(layer.running_mean), wanted, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["f4", "f2"])
def test_every_array_that_is_read_16_bytes_at_a_time_starts_there(dtype):
    """Views that start one number later, as parameters in a packed array do."""
    rng = np.random.default_rng(0)
    size = 16 // np.dtype(dtype).itemsize

    def shifted(shape, kind):
        flat = to_device(rng.random(np.prod(shape) + 1).astype(kind))
        return flat[1:].reshape(shape)

    x, g = (shifted((6, size), dtype) for _ in range(2))
    gamma, beta, mean, var = (shifted((size,), "f4") for _ in range(4))

    def aligned(text, function, blocks, block, arguments):
        starts = [address(a) % 16 for a in arguments if getattr(a, "shape", ())]
        assert not any(starts), f"{function}: {starts}"
        FUNCTIONS["launch"].default(text, function, blocks, block, arguments)

    with ops.standing_in(launch=aligned):
        agree(norm.channel_stats_kernel, in_float32(ops.channel_stats), x)
        y = agree(norm.norm_forward_kernel, norm_forward, x, gamma, beta, g, mean, var, 1e-5, True)
        agree(norm.norm_backward_kernel, norm_backward, g, y, x, gamma, mean, var, 1e-5, True, True, rtol=2e-5)  # fmt: skip


def test_a_thread_s_rows_may_lie_more_than_2_to_the_31_numbers_apart(on_a_gpu, tmp_path):
    """In files of which only the ends are written: 256 threads of normalise, two rows each."""
    if on_a_gpu != "shim":
        pytest.skip("arrays in files, which are there without their 8 GiB: on the shim only")
    apart = 2**31 + 4
    x, y = (np.memmap(tmp_path / name, "f4", "w+", shape=apart + 256) for name in "xy")
    x[:256], x[apart:] = np.arange(256), 1000 + np.arange(256)
    mean, var, gamma, beta = (np.full(256, value, "f4") for value in (1, 1, 2, 3))
    numbers = [np.float32(0), np.int64(x.size), np.int32(2**30), np.int32(2), np.int64(apart)]
    shim.launch_here(source("norm.cu"), "normalise<float, 1, false, false>", (1, 1), 256,
                     [*(np.asarray(array) for array in (x, x, y)), mean, var, gamma, beta, *numbers])  # fmt: skip
    for part in (slice(256), slice(apart, None)):
        np.testing.assert_array_equal(y[part], (x[part] - 1) * 2 + 3)


def test_memory_that_does_not_start_on_16_bytes_is_copied_whoever_owns_it():
    """Another library's memory is no view in CuPy, and may start anywhere."""
    x = to_device(np.ones((4, 8), "f4"))
    assert dense(x)[0] is x
    with ops.standing_in(address=lambda array: 1 << 20 | 4):
        (copied,) = dense(x)
    assert copied is not x and (to_host(copied) == 1).all()
