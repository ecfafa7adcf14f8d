"""What a training step of ResNet-18 asks of a GPU and of its host, counted without one (benchmarks.gpu_counts)."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import gpu_counts
from minires import backend, ops
from tests.halves import needs_bfloat16

# At batch 512: launches of minires's kernels and of cuBLAS, and GB of the arrays that they and CuPy's own operations move. In brackets
# what the first version took, which made columns twice and moved the running statistics by themselves.
LIMITS = {
    "float32": (296, 52),  # (319, 52.2)
    "tf32": (220, 69),  # (254, 80.0)
    "bf16 mixed": (220, 35),  # (254, 40.4)
}
CALLS = {"float32": 10_300, "tf32": 8_300, "bf16 mixed": 8_600}  # Python functions a step
PARAMETERS = 62


@pytest.fixture(scope="module")
def counted():
    return {mode: gpu_counts.count(mode, 512) for mode in LIMITS}


@needs_bfloat16
@pytest.mark.parametrize("mode", LIMITS)
def test_a_step_launches_few_kernels_and_moves_few_bytes(counted, mode):
    launches, gigabytes = LIMITS[mode]
    counts = counted[mode]
    assert counts.launches.total() <= launches
    assert counts.nbytes.total() / 1e9 <= gigabytes
    # One copy of each gradient, the sums of residual gradients, a few small ones: nothing for each layer.
    assert counts.cupy.total() - counts.cupy["cast"] <= PARAMETERS + 50


@needs_bfloat16
@pytest.mark.parametrize("mode", LIMITS)
def test_the_host_calls_few_functions_for_a_step(counted, mode):
    assert counted[mode].calls <= CALLS[mode]


@needs_bfloat16
def test_each_batch_norm_takes_three_launches_each_way_and_a_convolution_makes_its_columns_once(
    counted,
):
    launches = counted["bf16 mixed"].launches
    norms = [launches[name] for name in launches if "normalise" in name or "_of_" in name]
    assert sum(norms) == 20 * 6
    assert launches["im2col"] == 17 and launches["product"] == 3 * 21 - 1
    assert (
        counted["float32"].launches["tile_images"] == 2 * 13
    )  # of x, and of g for the gradient of x


@needs_bfloat16
def test_no_gradient_is_copied_twice(counted):
    for counts in counted.values():
        assert not counts.cupy["concatenate"]


def test_the_counter_counts_what_can_be_counted_by_hand():
    launches, cupy, nbytes = Counter(), Counter(), Counter()
    library, stand_ins = gpu_counts.library(launches, cupy, nbytes)
    with backend.using(library), ops.standing_in(stand_ins):
        x = backend.xp.zeros((2, 5, 4, 8), dtype="float32")  # 1280 bytes
        weight = backend.xp.zeros((1, 1, 8, 3), dtype="float32")  # 96
        cupy.clear()
        nbytes.clear()
        y, backward = ops.conv2d(x, weight)  # one product: 40 x 8 by 8 x 3
        assert launches == {"product": 1} and nbytes == {"product": 1280 + 96 + 480}
        backward(y)
        assert launches == {"product": 3}
        ops.im2col(x, kernel=3)  # 2 * 3 * 2 rows of 72
        assert launches["im2col"] == 1 and nbytes["im2col"] == 1280 + 4 * 12 * 72
        assert not cupy
        x + x, x.copy(), x.astype("float64")
        x[...] = 0
        assert cupy == {"add": 1, "copy": 2, "cast": 1} and nbytes["add"] == 3 * 1280
        assert nbytes["copy"] == 3 * 1280 and nbytes["cast"] == 3 * 1280


def test_the_command_prints_each_mode():
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "benchmarks.gpu_counts", "--batch", "2", "--net", "tiny"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr
    for mode in gpu_counts.MODES:
        assert f"tiny, batch 2, {mode}: " in done.stdout
    assert done.stdout.split().count("sgd") == len(gpu_counts.MODES)
