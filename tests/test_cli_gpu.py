"""What the commands say about a GPU: CUDA kernels run on the processor here, and CuPy's errors are imitated."""

import pytest
from PIL import Image

from minires import backend, ops, runs, shards
from minires.backend.library import load
from minires.cli import gpu, loop, predict
from tests import shim
from tests.test_cli import elsewhere, few_digits, typed  # noqa: F401  (two are fixtures)

TRAIN = ("train", "--epochs", "1", "--batch-size", "60", "--name", "a")
SAID = "minires: {} compiles the CUDA kernels that no earlier run has kept on disk\n"


@pytest.fixture(autouse=True)
def nothing_said_yet():
    gpu._announce.cache_clear()


def on(name):
    """Use a library until `typed` has run the next command."""
    backend.use(shim.library() if name == "shim" else load(name))


@pytest.mark.parametrize("name", ["numpy", "strict", "shim"])
def test_train_says_once_before_the_first_step_that_kernels_are_compiled(name, monkeypatch, capsys):
    told = []

    def go(self, run, stop, *, save_every):
        told.append(capsys.readouterr().err)
        raise ValueError("no further")

    monkeypatch.setattr(loop.Loop, "go", go)
    for folder in "ab":
        on(name)
        assert typed(*TRAIN[:-1], folder) == 2
        capsys.readouterr()
    assert told == [SAID.format("the first step") if name == "shim" else "", ""]


@pytest.mark.parametrize("name", ["numpy", "strict", "shim"])
@pytest.mark.parametrize("words", [("evaluate", "a"), ("predict", "three.png", "--run", "a")])
def test_evaluate_and_predict_say_it_before_the_first_batch(
    name, words, elsewhere, monkeypatch, capsys, few_digits
):
    assert typed(*TRAIN) == 0
    Image.fromarray(few_digits[2].images[0, ..., 0] * 15).save(elsewhere / "three.png")
    capsys.readouterr()
    told = []

    def stop(*_):
        told.append(capsys.readouterr().err)
        raise ValueError("no further")

    monkeypatch.setattr(shards, "evaluate", stop)
    monkeypatch.setattr(predict, "_probabilities", stop)
    on(name)
    assert typed(*words) == 2
    assert told == [SAID.format("the first batch") if name == "shim" else ""]


class CUDARuntimeError(RuntimeError):
    """As CuPy calls it, with the number that CUDA gives."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


class CUDADriverError(CUDARuntimeError):
    """As CuPy calls it."""


class OutOfMemoryError(MemoryError):
    """As CuPy calls it."""


ILLEGAL = CUDARuntimeError(700, "cudaErrorIllegalAddress: an illegal memory access was encountered")
MISALIGNED = CUDADriverError(716, "CUDA_ERROR_MISALIGNED_ADDRESS: misaligned address")
LARGE = CUDADriverError(701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES: too many resources requested")


def failing(error, after):
    """A launch that fails, `after` launches later than the first."""
    default, launches = ops.forms.FUNCTIONS["launch"].default, []

    def launch(*inputs):
        launches.append(inputs)
        if len(launches) > after:
            raise error
        return default(*inputs)

    return ops.standing_in(launch=launch)


@pytest.mark.skipif(shim.COMPILER is None, reason="there is no g++ to run kernels on the processor")
@pytest.mark.parametrize("error", [ILLEGAL, MISALIGNED], ids=str)
def test_a_gpu_that_fails_is_said_in_one_line_and_the_run_resumes(error, capsys):
    on("shim")
    with failing(error, after=2):
        assert typed(*TRAIN) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith(
        f"minires train: the GPU failed: {error}. A GPU reports an error later"
    )
    assert "CUDA_LAUNCH_BLOCKING=1" in told[-1] and "compute-sanitizer" in told[-1]
    assert told[-3:-1] == [
        "minires train: stopped. To resume:",
        "  minires train --resume runs/a",
    ]
    assert runs.Run(runs.find("a")).saved()
    assert typed("train", "--resume", "a", "--backend", "numpy") == 0


@pytest.mark.parametrize(
    ("error", "blocking"),
    [(LARGE, "0"), (ILLEGAL, "1"), (RuntimeError("a bug"), "0")],
    ids=["not lost", "traced", "no error of CUDA"],
)
def test_another_error_or_one_that_is_traced_keeps_its_traceback(error, blocking, monkeypatch):
    monkeypatch.setenv("CUDA_LAUNCH_BLOCKING", blocking)
    on("shim")
    with failing(error, after=0), pytest.raises(RuntimeError) as raised:
        typed(*TRAIN)
    assert raised.value is error


@pytest.mark.skipif(shim.COMPILER is None, reason="there is no g++ to run kernels on the processor")
def test_a_full_gpu_is_said_with_the_op_and_what_helps(capsys):
    on("shim")
    full = OutOfMemoryError("Out of memory allocating 1,024 bytes (allocated so far: 512 bytes).")
    with failing(full, after=1):  # the first launch makes the batch
        assert typed(*TRAIN) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith("minires train: not enough memory: conv2d of (60, 8, 8, 1), ")
    assert f"{full}. Try a smaller batch (it has 60 examples)" in told[-1]
