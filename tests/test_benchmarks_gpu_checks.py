"""What each check of the preflight finds, without a GPU: faults that are put in by hand are found and named."""

import itertools
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import gpu_agreement, gpu_checks, gpu_device, gpu_preflight, gpu_training, ours
from benchmarks.gpu_agreement import NotThere, Wrong
from benchmarks.problems import NETS, PREFLIGHT, PREFLIGHT_SMOKE, Shape
from minires import backend, ops
from minires.fast.cuda import winograd
from minires.ops.forms import FUNCTIONS
from tests import recorder, shim
from tests.halves import TYPES, needs_bfloat16

needs_compiler = pytest.mark.skipif(
    shim.COMPILER is None, reason="there is no g++ to run kernels on the processor"
)


def place(folder=None, plan=PREFLIGHT_SMOKE, device=None):
    return gpu_preflight.Place(device or gpu_device.Processor(), plan, folder, {}, float("inf"))


# Kernels.


@pytest.fixture
def on_kernels():
    """Kernels run on the processor, on arrays that hide their numbers as CuPy's do."""
    with backend.using(library=shim.library(hidden=True)):
        yield


def tampered(kernel, before, after):
    """Return a launch of kernels in whose source one text stands for another if their name begins so, and a list of those."""
    launch, changed = FUNCTIONS["launch"].default, []

    def run(source, function, *arguments):
        if function.startswith(kernel):
            assert before in source
            source = source.replace(before, after)
            changed.append(function)
        launch(source, function, *arguments)

    return run, changed


@needs_compiler
@needs_bfloat16
@pytest.mark.slow
@pytest.mark.parametrize("file", gpu_agreement.files())
def test_each_kernel_agrees_with_its_plain_form_in_each_type_that_it_knows(on_kernels, file):
    small = PREFLIGHT_SMOKE._replace(kernels=(*PREFLIGHT_SMOKE.kernels, PREFLIGHT.kernels[0]))
    checked = place(plan=small)
    assert gpu_agreement.kernels(checked, file).startswith("largest error ")
    names = {
        name
        for name, kernel in gpu_agreement.KERNELS.items()
        if kernel.__module__.endswith(f".{file}")
    }
    assert set(checked.figures["errors"]) == names


@needs_compiler
@needs_bfloat16
def test_a_case_lists_all_types_that_its_kernel_knows(on_kernels):
    for case in gpu_agreement.cases(PREFLIGHT_SMOKE.kernels[0]):
        # The images of gather are bytes, and running statistics have the type of sums.
        others = (
            set(TYPES) - set(case.types)
            if case.function not in ("gather", "update_running")
            else ()
        )
        for dtype in others:
            arguments, options = case.make(gpu_agreement.Numbers(dtype))
            assert gpu_agreement.KERNELS[case.function](*arguments, **options) is NotImplemented, (
                case.kernel,
                dtype,
            )


@needs_compiler
@needs_bfloat16
@pytest.mark.parametrize("kernel, before, after, told", [
    ("sgd<float", "w[i] -= lr * step", "w[i] -= T(1.001) * lr * step", "sgd, float32, .*: off by [12].*e-05 "),
    ("adam<double", "+ eps);", "+ 2 * eps);", "adam, float64, .*: off by .*e-1[01] "),
    ("col2im<Bfloat16", "+ 0x7fff + (whole >> 16 & 1)", "", "im2col, bfloat16, .*: off by 0.00[4-7].* "),  # cut off, not rounded: the gradient of im2col
])  # fmt: skip
def test_a_wrong_kernel_is_named(on_kernels, kernel, before, after, told):
    launch, changed = tampered(kernel, before, after)
    file = "columns" if kernel.startswith("col2im") else "update"
    with ops.standing_in(launch=launch), pytest.raises(Wrong, match=f"^{told}of the largest value"):
        gpu_agreement.kernels(place(), file)
    assert changed


@needs_compiler
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_kernel_that_writes_outside_of_its_results_or_nothing_at_all_is_wrong(on_kernels):
    def changes_its_input(source, function, blocks, block, arguments):
        FUNCTIONS["launch"].default(source, function, blocks, block, arguments)
        arguments[0][...] += 1

    for launch in (changes_its_input, lambda *_: None):
        with ops.standing_in(launch=launch), pytest.raises(Wrong, match="off by"):
            gpu_agreement.kernels(place(), "pool")


def test_errors_of_a_kernel_are_told_and_those_that_lose_the_gpu_end_the_check(monkeypatch):
    monkeypatch.setattr(gpu_agreement, "on_a_gpu", lambda: True)
    errors = {
        "sgd": RuntimeError("nvrtc: error: identifier NAN is undefined\nmore"),
        "adam": ValueError("other"),
    }

    def fails(name):
        def kernel(*_, **__):
            raise errors[name]

        kernel.__module__ = "minires.fast.cuda.update"
        return kernel

    monkeypatch.setattr(
        gpu_agreement,
        "KERNELS",
        {**gpu_agreement.KERNELS, "sgd": fails("sgd"), "adam": fails("adam")},
    )
    with (
        backend.using("strict"),
        pytest.raises(
            Wrong, match="^sgd, float32, .*: RuntimeError: nvrtc: error: .* undefined, and 3 more$"
        ),
    ):
        gpu_agreement.kernels(place(), "update")
    errors["sgd"] = RuntimeError(
        "cudaErrorIllegalAddress: an illegal memory access was encountered"
    )
    with (
        backend.using("strict"),
        pytest.raises(
            Wrong, match="^sgd, float32, .*: RuntimeError: cudaErrorIllegalAddress[^,]*$"
        ),
    ):
        gpu_agreement.kernels(place(), "update")
    monkeypatch.setitem(gpu_agreement.KERNELS, "gather", lambda *_, **__: NotImplemented)
    gpu_agreement.KERNELS["gather"].__module__ = "minires.fast.cuda.augment"
    with (
        backend.using("strict"),
        pytest.raises(Wrong, match="^gather, float32, .*: there is no kernel for it$"),
    ):
        gpu_agreement.kernels(place(), "augment")


# Convolutions, training steps, streams and views.

SMALL = PREFLIGHT_SMOKE._replace(convolutions=(Shape(2, 6, 8, 8, 3, 1), Shape(2, 6, 8, 8, 1, 1)))


def times(factor, name):
    """Return a stand-in for a function, whose result is multiplied."""
    function = FUNCTIONS[name].default

    def run(a, b, out=None):
        made = function(a, b, out=out)
        made *= factor
        return made

    return {name: run}


def test_a_convolution_in_the_wrong_precision_is_found():
    with backend.using("strict"):
        assert "Winograd F(2x2)" in gpu_agreement.convolution(place(plan=SMALL), "float32")
        # As far from the truth as TF32 is.
        with (
            ops.standing_in(times(1 + 2.0**-11, "product")),
            pytest.raises(Wrong, match="^im2col, 3x3 8->8, 6x6: off by 0.0004"),
        ):
            gpu_agreement.convolution(place(plan=SMALL), "float32")
        with ops.standing_in(times(1 + 2.0**-11, "product")):
            gpu_agreement.convolution(place(plan=SMALL), "tf32")
        with ops.standing_in(times(1.01, "product")), pytest.raises(Wrong, match="off by"):
            gpu_agreement.convolution(place(plan=SMALL), "fp16")


@needs_compiler
def test_a_fault_in_the_convolution_that_a_network_takes_on_a_gpu_is_found(on_kernels, monkeypatch):
    """Its gradient of the image is of its own: by_tiles, which is compared as well, computes another."""
    plan = PREFLIGHT_SMOKE._replace(convolutions=(Shape(8, 8, 8, 8, 3, 1),))
    assert "conv2d" in gpu_agreement.convolution(place(plan=plan), "float32")
    real, calls = winograd._by_tiles, []

    def unflipped(maps, x, weight):
        calls.append(weight.shape)
        backward = len(calls) % 2 == 0
        return real(maps, x, weight[::-1, ::-1] if backward else weight)

    monkeypatch.setattr(winograd, "_by_tiles", unflipped)
    with pytest.raises(Wrong, match="^conv2d, 3x3 8->8, 8x8: off by [01]"):
        gpu_agreement.convolution(place(plan=plan), "float32")
    assert calls


def test_the_error_of_no_number_is_no_small_error():
    one = np.ones(3)
    assert gpu_agreement._error(one, one, 1e-5, 1e-5) == (0, 0)
    assert gpu_agreement._error(np.array([1, np.nan, 1]), one, 1e-5, 1e-5) == (np.inf, np.inf)
    assert gpu_agreement._error(np.array([1, 1, 1.5]), one, 1e-5, 1e-5)[0] == 0.5
    with pytest.raises(Wrong, match=r"shape \(2,\), expected \(3,\)"):
        gpu_agreement._error(one[:2], one, 1e-5, 1e-5)


def test_training_that_loses_its_way_or_repeats_badly_is_found(tmp_path):
    with backend.using("strict"):
        assert gpu_training.training(place(tmp_path), "float32").endswith("the same bits twice")
        update = FUNCTIONS["sgd"].default

        def too_fast(w, g, v, *, lr, **options):
            update(w, g, v, lr=1.2 * lr, **options)

        with (
            ops.standing_in(sgd=too_fast),
            pytest.raises(Wrong, match="% from NumPy's, expected 0.02 % at most"),
        ):
            gpu_training.training(place(tmp_path), "float32")
        runs = itertools.count()

        def unsteady(w, g, v, *, lr, **options):
            update(w, g, v, lr=lr * (1 + 1e-6 * next(runs)), **options)

        with ops.standing_in(sgd=unsteady), pytest.raises(Wrong, match="two runs differ"):
            gpu_training.training(place(tmp_path), "float32")


def test_batches_that_another_stream_reads_too_early_are_found():
    gather = FUNCTIONS["gather"].default

    def too_early(*arguments):
        x = gather(*arguments)
        x[0] = 0
        return x

    with backend.using("strict"):
        assert "the same losses" in gpu_training.stream(place())
        torn = gpu_device.Processor()
        torn.stream = lambda: ops.standing_in(gather=too_early)
        with pytest.raises(Wrong, match="% from those on the default stream"):
            gpu_training.stream(place(device=torn))


@pytest.mark.parametrize("name", ["im2col", "channel_stats", "max_pool2d"])
def test_an_op_that_reads_a_view_from_the_wrong_address_is_named(name):
    function = FUNCTIONS[name].default

    def aligned(x, **options):
        if x.ctypes.data % 16:
            x = np.roll(x, 1)
        return function(x, **options)

    with backend.using("numpy"):
        assert name in gpu_checks.views(place())
        with (
            ops.standing_in({name: aligned}),
            pytest.raises(
                Wrong, match=f"{name} of float32 that start anywhere: .* from the result"
            ),
        ):
            gpu_checks.views(place())


# The first step of a process, compute-sanitizer, and the graph.


def started(monkeypatch, *writes):
    """Let processes write these files to CuPy's cache, one after the other."""
    todo = list(writes)

    def training(place, n, steps, *, variables):
        for name in todo.pop(0):
            file = Path(variables["CUPY_CACHE_DIR"]) / name
            file.unlink(missing_ok=True)
            (file.parent / f"{name}.new").write_text("x")
            (file.parent / f"{name}.new").rename(file)
        return {"imported": 0.5, "steps": [2.0, 2.1], "losses": []}

    monkeypatch.setattr(gpu_checks, "_training", training)


def test_kernels_that_every_process_compiles_again_are_found(monkeypatch, tmp_path):
    on_cupy = SimpleNamespace(backend="cupy")
    started(monkeypatch, ["a.cubin", "b.cubin"], [])
    assert (
        gpu_checks.first_step(place(tmp_path, device=on_cupy))
        == "after 2.0 s, and 2.0 s with the 2 files in the cache"
    )
    started(monkeypatch, ["a.cubin", "b.cubin"], ["b.cubin"])
    with pytest.raises(Wrong, match="1 of 2 kernels were compiled again"):
        gpu_checks.first_step(place(tmp_path, device=on_cupy))
    started(monkeypatch, [], [])
    with pytest.raises(Wrong, match="the cache of kernels stays empty"):
        gpu_checks.first_step(place(tmp_path, device=on_cupy))


SANITIZER = """#!/bin/sh
[ "$1" = --version ] && echo 2025.2.1 && exit
echo "========= COMPUTE-SANITIZER"
while [ "$1" != --error-exitcode ]; do shift; done
shift 2
"$@"
{errors}
"""
BAD = """echo "========= Invalid __global__ write of size 4 bytes"
echo "=========     at im2col<float, 4>(const float *)+0x160"
echo "========= ERROR SUMMARY: 1 error"
exit 86
"""


@pytest.mark.parametrize(
    "errors, told",
    [
        ("", None),
        (BAD, "Invalid __global__ write of size 4 bytes at im2col.*; ERROR SUMMARY: 1 error"),
    ],
)
def test_what_the_sanitizer_finds_is_told_in_a_line(monkeypatch, tmp_path, errors, told):
    program = tmp_path / "compute-sanitizer"
    program.write_text(SANITIZER.replace("{errors}", errors))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(gpu_checks, "on_a_gpu", lambda: True)
    checked = place(tmp_path)._replace(ends=gpu_preflight.time.perf_counter() + 60)
    if told:
        with pytest.raises(Wrong, match=told):
            gpu_checks.sanitizer(checked, "memcheck")
    else:
        assert gpu_checks.sanitizer(checked, "memcheck") == "no error in two steps at batch 2"
        assert checked.figures["version"] == "2025.2.1"


def test_a_graph_that_trains_otherwise_or_cannot_be_recorded_is_found(monkeypatch):
    epoch, off = ours.epoch, 1.0

    def run(*words, cuda_graph):
        train = epoch(*words)
        return lambda: SimpleNamespace(loss=train().loss * (off if cuda_graph else 1))

    monkeypatch.setattr(ours, "epoch", run)
    with backend.using("strict"):
        assert gpu_checks.graphs_agree(place()).startswith("losses within 0 %")
        off = 1.02
        with pytest.raises(Wrong, match="the losses of a graph are 2 % from"):
            gpu_checks.graphs_agree(place())


def test_a_step_that_is_no_graph_is_not_taken_for_one():
    def warns(*_, **__):
        warnings.warn("cuda_graph: the step cannot be recorded", stacklevel=1)

    with backend.using("strict"):
        run = ours.epoch(ours.build(NETS["tiny"]), None, None, 1, cuda_graph=True)
        with (
            ops.standing_in(train_epoch=warns),
            pytest.raises(UserWarning, match="cannot be recorded"),
        ):
            run()


@needs_compiler
@needs_bfloat16
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "views",
        "convolution float32",
        "convolution bf16",
        "training float32",
        "training fp16",
        "stream",
        "costs",
    ],
)
def test_a_check_works_where_kernels_run(on_kernels, tmp_path, name):
    assert gpu_preflight.CHECKS[name].run(place(tmp_path))


def test_what_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(gpu_checks, "_program", lambda: None)
    with pytest.raises(NotThere, match="compute-sanitizer is not on PATH"):
        gpu_checks.sanitizer(place(), "memcheck")
    with pytest.raises(NotThere, match="nothing to record"):
        gpu_checks.graph(place())
    with backend.using("strict"):
        monkeypatch.setitem(sys.modules, "ml_dtypes", None)
        with pytest.raises(NotThere, match="bfloat16 needs the package ml_dtypes"):
            gpu_agreement.convolution(place(), "bf16")
        with pytest.raises(NotThere, match="bfloat16 needs the package ml_dtypes"):
            gpu_training.training(place(tmp_path), "bf16")


@needs_compiler
@pytest.mark.slow
def test_a_graph_is_checked_where_steps_can_be_recorded():
    with backend.using(library=recorder.library()):
        recorder.NOW.calls.clear()
        assert gpu_checks.graph(place()).startswith("losses within ")
    assert [call[0] for call in recorder.NOW.calls].count(
        "launch"
    ) == 12  # after three steps, and one that is compared
