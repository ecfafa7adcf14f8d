"""The bytes that benchmarks.gpu counts for each kernel, and the arguments that it calls it with."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpu_cases, gpu_kernels
from benchmarks.problems import GPU, GPU_SMOKE, Shape
from minires import backend, ops
from minires.backend import to_device
from minires.ops.forms import FUNCTIONS
from tests import shim
from tests.test_benchmarks_gpu import call

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["numpy", "strict"])
def test_bytes_of_kernels_are_those_counted_by_hand(name):
    """x is (2, 3, 4, 8) in float32: 768 bytes. A number per channel: 32 bytes."""
    rng = np.random.default_rng(0)
    with backend.using(name):
        x, g, y = (to_device(rng.standard_normal((2, 3, 4, 8), dtype=np.float32)) for _ in range(3))
        vector = to_device(np.ones(8, np.float32))
        moved = [to_device(np.ones(8, np.float32)) for _ in range(2)]
        # 40 bytes each.
        w, slope, v, square = (to_device(np.ones(10, np.float32)) for _ in range(4))
        # 96 an image, 40.
        images, chosen = (to_device(np.zeros((100, 3, 4, 8), np.uint8)), to_device(np.arange(5)))
        # 100, 32.
        moves, offset = (to_device(np.zeros((5, 5), np.int32)), to_device(np.zeros(8, np.float32)))
        window = {"kernel": 3, "padding": 1}
        # (2, 2, 2, 8): 256 bytes, and 64 positions.
        pooling = {"kernel": 3, "stride": 2, "padding": 1}
        # 80, 16.
        logits, labels = (to_device(np.zeros((2, 10), np.float32)), to_device(np.zeros(2, int)))
        columns = to_device(np.ones((24, 72), np.float32))  # 6912 bytes
        for name, arguments, options, expected in [
            ("im2col", (x,), window, 768 + 6912),
            ("col2im", (columns,), {"shape": (2, 3, 4, 8), **window}, 6912 + 768),
            ("channel_stats", (x,), {}, 768 + 2 * 32),
            # The running ones are read and written.
            ("moving_stats", (x, vector, vector, *moved, 0.1), {}, 768 + 6 * 32),
            (
                "norm_forward",
                (x, vector, vector, None, vector, vector, 1e-5, True),
                {},
                768 + 4 * 32 + 768,
            ),
            (
                "norm_forward",
                (x, vector, vector, g, vector, vector, 1e-5, True),
                {},
                2 * 768 + 4 * 32 + 768,
            ),
            # Two passes over g, y and x; g_x, and where something was added the gradient through the ReLU; g_gamma and g_beta.
            (
                "norm_backward",
                (g, y, x, vector, vector, vector, 1e-5, True, False),
                {},
                6 * 768 + 3 * 32 + 768 + 2 * 32,
            ),
            (
                "norm_backward",
                (g, y, x, vector, vector, vector, 1e-5, True, True),
                {},
                6 * 768 + 3 * 32 + 2 * 768 + 2 * 32,
            ),
            # Without a ReLU the gradient of what was added is g itself.
            (
                "norm_backward",
                (g, None, x, vector, vector, vector, 1e-5, True, True),
                {},
                4 * 768 + 3 * 32 + 768 + 2 * 32,
            ),
            ("max_pool2d", (x,), pooling, 768 + 256 + 64),
            ("cross_entropy", (logits, labels), {"label_smoothing": 0.1}, 80 + 16 + 80 + 8),
            ("sgd", (w, slope, v, 0.1, 0.9, 0.0, True), {}, 5 * 40),  # reads w, g, v, writes w, v
            ("sgd", (w, slope, None, 0.1), {}, 3 * 40),
            ("adam", (w, slope, v, square, 1, 0.1), {}, 7 * 40),
            ("update_running", (vector, offset, offset, vector, 0.1, 3), {}, 6 * 32),
            (
                "gather",
                (images, chosen, moves, 2, vector, offset),
                {},
                5 * 96 + 40 + 100 + 2 * 32 + 5 * 96 * 4,
            ),
        ]:
            results = FUNCTIONS[name].default(*arguments, **options)
            assert gpu_cases.traffic(name, arguments, results) == expected, name
        y, backward = ops.max_pool2d(x, **pooling)
        assert gpu_cases.traffic("max_pool2d, backward", (y,), backward(y)) == 256 + 64 + 768


def test_each_kernel_has_a_case_and_each_size_of_the_net_is_among_them():
    cases = list(gpu_cases.cases(GPU))
    assert {case.function for case in cases} == set(gpu_cases.KERNELS)
    sizes = {case.size for case in cases if case.kernel == "channel_stats"}
    assert sizes == {
        "512 x 32 x 32 x 64",
        "512 x 16 x 16 x 128",
        "512 x 8 x 8 x 256",
        "512 x 4 x 4 x 512",
    }
    assert sum(case.kernel == "im2col" for case in cases) == 8  # the convolutions with 3x3 kernels
    assert next(case.size for case in cases if case.kernel == "sgd") == "11,173,962 parameters"


def test_the_kernels_are_all_that_minires_has_in_cuda():
    folder = ROOT / "minires" / "fast" / "cuda"
    written = {path.stem for path in folder.glob("*.cu")}
    assert {
        kernel.__module__.rpartition(".")[2] for kernel in gpu_cases.KERNELS.values()
    } == written


def test_a_case_has_the_sizes_that_its_convolution_has():
    with backend.using("numpy"):
        made = {
            case.kernel: case.make(gpu_cases.Numbers())
            for case in gpu_cases.cases(GPU_SMOKE._replace(shapes=(Shape(4, 8, 4, 8, 3, 2),)))
        }
    options = {"kernel": 3, "stride": 2, "padding": 1}
    (images,), (columns,), (result,) = (
        made[name][0] for name in ("im2col", "col2im", "channel_stats")
    )
    assert images.shape == (4, 8, 8, 4) and made["im2col"][1] == options
    assert columns.shape == (4 * 4 * 4, 9 * 4) and made["col2im"][1] == {
        "shape": (4, 8, 8, 4),
        **options,
    }
    assert result.shape == (4, 4, 4, 8)


def test_numbers_repeat_where_there_are_many():
    with backend.using("numpy"):
        many = gpu_cases.numbers(((1 << 20) + 3,))
        assert many.dtype == np.float32 and many.flags.c_contiguous
        np.testing.assert_array_equal(many[-3:], many[:3])
        one, other = (gpu_cases.numbers((2, 3), seed) for seed in (1, 2))
        assert one.shape == other.shape == (2, 3) and (one != other).all()


@pytest.mark.skipif(shim.COMPILER is None, reason="there is no g++ to run kernels on the processor")
def test_the_kernels_themselves_take_the_arguments_of_the_cases():
    with backend.using(library=shim.library()):
        found = gpu_kernels.kernels(call())
    assert {entry["kernel"] for entry in found} == {*gpu_cases.KERNELS, "max_pool2d, backward"}


def test_a_kernel_that_does_not_take_a_type_is_told_and_the_others_are_measured(
    monkeypatch, capsys
):
    monkeypatch.setitem(gpu_cases.KERNELS, "im2col", lambda *_, **__: NotImplemented)
    made = call()
    with backend.using("strict"):
        for name, forms in FUNCTIONS.items():
            if name in gpu_cases.KERNELS and name != "im2col":
                monkeypatch.setitem(gpu_cases.KERNELS, name, forms.default)
        monkeypatch.setattr(gpu_kernels, "on_a_gpu", lambda: True)
        found = gpu_kernels.kernels(made)
    assert {entry["kernel"] for entry in found} == {*gpu_cases.KERNELS, "max_pool2d, backward"} - {
        "im2col"
    }
    assert (
        made.faults[0]
        == "im2col, 3x3 3->4, 8x8: ValueError: im2col has no kernel for 3x3 3->4, 8x8"
    )
    assert (
        len(made.faults) == 2
        and f"{made.faults[1].split(':')[0]}: not measured" in capsys.readouterr().out
    )
