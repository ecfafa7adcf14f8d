"""python -m benchmarks.gpu, small: without a card on "strict", on a card that is imitated, and beside PyTorch on the processor."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

from benchmarks import command, gpu, gpu_device, gpu_kernels, gpu_kinds, gpu_steps, ours, timing
from benchmarks.problems import GPU, GPU_SMOKE, NETS, SMOOTHING, Shape, batch
from minires import backend, ops
from minires.backend import card, to_device
from minires.ops.forms import FUNCTIONS
from tests import shim

ROOT = Path(__file__).parents[1]
TORCH = importlib.util.find_spec("torch") is not None
PARTS = ["kernels", "products", "kinds", "steps", "inference", "memory"]


def run(tmp_path, *words, **variables):
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path), **variables}
    command = [sys.executable, "-m", "benchmarks.gpu", *words]
    return subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)


def call(plan=GPU_SMOKE, peers=None):
    """A Call on the processor, whose limits are 1."""
    made = gpu.Call(gpu_device.Processor(), plan, peers)
    made.limits = {"copy": {"median": 1.0}, "product": {"median": 1.0}}
    return made


def test_the_smoke_run_writes_figures_and_pictures(tmp_path):
    result = run(tmp_path, "--smoke", "--json", f"{tmp_path}/a/gpu.json", "--pictures", f"{tmp_path}/b")
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert "the figures are no result" in result.stdout
    for name in ("gpu-roofline.png", "gpu-step.png"):
        assert (tmp_path / "b" / name).read_bytes().startswith(b"\x89PNG")
    figures = json.loads((tmp_path / "a" / "gpu.json").read_text())
    assert list(figures) == ["smoke", "date", "commit", "machine", "limits", "parts", "failed", "seconds"]
    assert figures["smoke"] and list(figures["parts"]) == PARTS and not figures["failed"]
    assert set(figures["limits"]) == {"copy", "product", "product tf32", "product bf16"} and figures["limits"]["copy"]["median"] > 0
    parts = figures["parts"]
    assert {found["kernel"] for found in parts["kernels"]} == {*gpu_kernels.KERNELS, "max_pool2d, backward"}
    assert all(found["rate"]["min"] > 0 and found["nbytes"] > 0 for found in parts["kernels"])
    assert [list(found["rate"]) for found in parts["products"]] == [["columns @ weight", "columns.T @ g", "g @ weight.T"]] * 3
    assert all(list(found["rate in"]) == ["tf32", "bf16"] for found in parts["products"])
    assert ["winograd" in found for found in parts["products"]] == [True, False, False]
    assert [found["way"] for found in parts["kinds"]] == ["float32", "float32, im2col", "bf16 mixed"]
    assert [found["mode"] for found in parts["inference"]] == ["float32", "tf32", "bf16 mixed"]
    assert list(parts["steps"][0]["rate"]) == ["minires", "minires, im2col alone"] and not parts["steps"][0]["missing"]
    assert parts["memory"][0]["bytes"]["minires"]["used"] > 0


def test_without_a_card_it_says_so_in_one_sentence(tmp_path):
    try:
        card.load()
    except card.Unusable as why:
        result = run(tmp_path)
        assert result.returncode == 2 and result.stderr == f"{why}\n" and not result.stdout
    else:
        pytest.skip("there is a card")


def test_a_part_alone_writes_nothing_that_it_was_not_told_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["gpu", "--only", "kernels"]
    with mock.patch.object(sys, "argv", words):
        options = command.arguments("gpu", "gpu: it", gpu.PARTS, [])
        assert options.json is None and options.pictures is None
    with mock.patch.object(sys, "argv", words[:1]):
        options = command.arguments("gpu", "gpu: it", gpu.PARTS, [])
        assert options.json == Path("benchmarks/results/gpu.json") and options.pictures == Path("docs")


# What is counted.


@pytest.mark.parametrize("name", ["numpy", "strict"])
def test_bytes_of_kernels_are_those_counted_by_hand(name):
    """x is (2, 3, 4, 8) in float32: 768 bytes. A number for each channel: 32 bytes."""
    rng = np.random.default_rng(0)
    with backend.using(name):
        x, g, y = (to_device(rng.standard_normal((2, 3, 4, 8), dtype=np.float32)) for _ in range(3))
        vector = to_device(np.ones(8, np.float32))
        w, slope, v, square = (to_device(np.ones(10, np.float32)) for _ in range(4))  # 40 bytes each
        images, chosen = to_device(np.zeros((100, 3, 4, 8), np.uint8)), to_device(np.arange(5))  # 96 an image, 40
        moves, offset = to_device(np.zeros((5, 5), np.int32)), to_device(np.zeros(8, np.float32))  # 100, 32
        window = {"kernel": 3, "padding": 1}
        pooling = {"kernel": 3, "stride": 2, "padding": 1}  # (2, 2, 2, 8): 256 bytes, and 64 positions
        logits, labels = to_device(np.zeros((2, 10), np.float32)), to_device(np.zeros(2, int))  # 80, 16
        columns = to_device(np.ones((24, 72), np.float32))  # 6912 bytes
        for name, arguments, options, expected in [
            ("im2col", (x,), window, 768 + 6912),
            ("col2im", (columns,), {"shape": (2, 3, 4, 8), **window}, 6912 + 768),
            ("channel_stats", (x,), {}, 768 + 2 * 32),
            ("norm_forward", (x, vector, vector, None, vector, vector, 1e-5, True), {}, 768 + 4 * 32 + 768),
            ("norm_forward", (x, vector, vector, g, vector, vector, 1e-5, True), {}, 2 * 768 + 4 * 32 + 768),
            # Two passes over g, y and x; g_x, and where something was added the gradient through the ReLU; g_gamma and g_beta.
            ("norm_backward", (g, y, x, vector, vector, vector, 1e-5, True, False), {}, 6 * 768 + 3 * 32 + 768 + 2 * 32),
            ("norm_backward", (g, y, x, vector, vector, vector, 1e-5, True, True), {}, 6 * 768 + 3 * 32 + 2 * 768 + 2 * 32),
            # Without a ReLU the gradient of what was added is g itself.
            ("norm_backward", (g, None, x, vector, vector, vector, 1e-5, True, True), {}, 4 * 768 + 3 * 32 + 768 + 2 * 32),
            ("max_pool2d", (x,), pooling, 768 + 256 + 64),
            ("cross_entropy", (logits, labels), {"label_smoothing": 0.1}, 80 + 16 + 80 + 8),
            ("sgd", (w, slope, v, 0.1, 0.9, 0.0, True), {}, 5 * 40),  # reads w, g, v, writes w, v
            ("sgd", (w, slope, None, 0.1), {}, 3 * 40),
            ("adam", (w, slope, v, square, 1, 0.1), {}, 7 * 40),
            ("update_running", (vector, offset, offset, vector, 0.1, 3), {}, 6 * 32),
            ("gather", (images, chosen, moves, 2, vector, offset), {}, 5 * 96 + 40 + 100 + 2 * 32 + 5 * 96 * 4),
        ]:
            results = FUNCTIONS[name].default(*arguments, **options)
            assert gpu_kernels.traffic(name, arguments, results) == expected, name
        y, backward = ops.max_pool2d(x, **pooling)
        assert gpu_kernels.traffic("max_pool2d, backward", (y,), backward(y)) == 256 + 64 + 768


def test_each_kernel_has_a_case_and_each_size_of_the_net_is_among_them():
    cases = list(gpu_kernels.cases(GPU))
    assert {case.function for case in cases} == set(gpu_kernels.KERNELS)
    sizes = {case.size for case in cases if case.kernel == "channel_stats"}
    assert sizes == {"512 x 32 x 32 x 64", "512 x 16 x 16 x 128", "512 x 8 x 8 x 256", "512 x 4 x 4 x 512"}
    assert sum(case.kernel == "im2col" for case in cases) == 8  # the convolutions with 3x3 kernels
    assert next(case.size for case in cases if case.kernel == "sgd") == "11,173,962 parameters"


def test_the_kernels_are_all_that_minires_has_in_cuda():
    folder = ROOT / "minires" / "fast" / "cuda"
    written = {path.stem for path in folder.glob("*.cu")}
    assert {kernel.__module__.rpartition(".")[2] for kernel in gpu_kernels.KERNELS.values()} == written


def test_a_case_has_the_sizes_that_its_convolution_has():
    with backend.using("numpy"):
        made = {case.kernel: case.make() for case in gpu_kernels.cases(GPU_SMOKE._replace(shapes=(Shape(4, 8, 4, 8, 3, 2),)))}
    options = {"kernel": 3, "stride": 2, "padding": 1}
    (images,), (columns,), (result,) = (made[name][0] for name in ("im2col", "col2im", "channel_stats"))
    assert images.shape == (4, 8, 8, 4) and made["im2col"][1] == options
    assert columns.shape == (4 * 4 * 4, 9 * 4) and made["col2im"][1] == {"shape": (4, 8, 8, 4), **options}
    assert result.shape == (4, 4, 4, 8)


def test_numbers_repeat_where_there_are_many():
    with backend.using("numpy"):
        many = gpu_kernels.numbers(((1 << 20) + 3,))
        assert many.dtype == np.float32 and many.flags.c_contiguous
        np.testing.assert_array_equal(many[-3:], many[:3])
        one, other = (gpu_kernels.numbers((2, 3), seed) for seed in (1, 2))
        assert one.shape == other.shape == (2, 3) and (one != other).all()


@pytest.mark.skipif(shim.COMPILER is None, reason="there is no g++ to run kernels on the processor")
def test_the_kernels_themselves_take_the_arguments_of_the_cases():
    with backend.using(library=shim.library()):
        found = gpu_kernels.kernels(call())
    assert {entry["kernel"] for entry in found} == {*gpu_kernels.KERNELS, "max_pool2d, backward"}


def test_a_kernel_that_does_not_take_a_type_is_told(monkeypatch):
    monkeypatch.setattr(gpu_kernels, "on_a_gpu", lambda: True)
    monkeypatch.setitem(gpu_kernels.KERNELS, "im2col", lambda *_, **__: NotImplemented)
    with backend.using("strict"), pytest.raises(ValueError, match="im2col has no kernel for 3x3 3->4, 8x8"):
        gpu_kernels.kernels(call())


# How it is timed.


def test_a_turn_on_a_device_is_waited_for_once_at_its_end(monkeypatch):
    monkeypatch.setattr(timing, "PAUSE", 0)
    said, now, queued = [], [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    def way():
        said.append("way")
        queued.append(0.5)  # seconds that the device works on it

    def synchronise():
        said.append("wait")
        now[0] += sum(queued)
        queued.clear()

    assert timing.alternated({"way": way}, 1, turn=2.0, synchronise=synchronise) == {"way": [0.5]}
    uncounted, one, several = ["way", "wait"], ["way", "wait"], ["wait", "way", "way", "way", "way", "wait"]
    assert said == (uncounted + one + several) * 2  # the first round warms up


def test_the_pieces_of_a_step_add_up_to_it_and_each_is_counted():
    with backend.using("strict"), ops.without(*ours.NOT_COLUMNS):
        step = ours.training(ours.build(NETS["tiny"]), *map(to_device, batch(4)))
        step()
        kinds, waiting = gpu_kinds.by_kind(step, gpu_device.Processor(), 2)
    assert sum(facts["seconds"] for facts in kinds.values()) == pytest.approx(waiting["seconds"])
    assert all(facts["min"] <= facts["seconds"] <= facts["max"] for facts in (waiting, *kinds.values()))
    calls = {kind: facts["calls"] for kind, facts in kinds.items()}
    # Five convolutions by 3x3 windows and one of one pixel, forward and backward; the images need no gradient.
    assert calls == {"im2col": 10 + 2, "col2im": 5, "GEMM": 6 + 11, "Winograd's transforms": 0, "norm": 3 * 6,
                     "convolutions, the rest": 12, "mean, linear layer, loss": 6, "optimizer": 1, "all else": 0}  # fmt: skip


class Events:
    """CuPy in so far as gpu_device.Card knows it, on the processor: a queue that is as long as `behind` says at each look."""

    def __init__(self, behind=()):
        self.behind, self.spun, self.freed, self.held = list(behind), [], 0, 1000
        outer = self

        class Event:
            def record(self):
                self.at = time.perf_counter()

            def synchronize(self):
                pass

            @property
            def done(self):
                return outer.behind.pop(0) if outer.behind else False

        class Device(nullcontext):
            id, synchronize = 0, lambda self: None

        class MemoryHook:
            def __enter__(self):
                outer.hook = self
                return self

            def __exit__(self, *_):
                outer.hook = None

        def release():
            self.freed += 1

        properties = {"name": b"NVIDIA Imitated", "multiProcessorCount": 1, "l2CacheSize": 1 << 16, "major": 9, "minor": 0}
        runtime = SimpleNamespace(getDeviceProperties=lambda number: properties, memGetInfo=lambda: (1 << 29, 1 << 30),
                                  runtimeGetVersion=lambda: 12090, driverGetVersion=lambda: 13000,
                                  getDeviceCount=lambda: 1)  # fmt: skip
        self.cuda = SimpleNamespace(
            Event=Event, MemoryHook=MemoryHook, runtime=runtime, get_elapsed_time=lambda a, b: 1e3 * (b.at - a.at),
            Device=Device,
        )  # fmt: skip
        self.get_default_memory_pool = lambda: SimpleNamespace(used_bytes=lambda: self.held, total_bytes=lambda: 4096,
                                                               free_all_blocks=release)  # fmt: skip
        self.RawKernel = lambda source, name: lambda blocks, block, arguments: self.spun.append(int(arguments[0]))
        self.__version__ = "14.0"

    def held_by(self, *sizes):
        """A step during which so much is held."""

        def step():
            for self.held in sizes:
                if self.hook:
                    self.hook.malloc_postprocess(device_id=0, size=1, mem_size=512, mem_ptr=1, pmem_id=1)

        return step


def imitated(monkeypatch, behind=()):
    events = Events(behind)
    monkeypatch.setattr(card, "load", lambda: events)
    return gpu_device.Card(), events


def test_the_card_is_held_longer_where_launching_took_longer_than_it_was_held(monkeypatch):
    device, events = imitated(monkeypatch, behind=[True, False])
    calls = []
    assert 0.001 <= device.seconds(lambda: (calls.append(1), time.sleep(0.001)), 3) < 0.1
    assert events.spun == [1_200_000, 12_000_000] and len(calls) == 6  # nanoseconds
    device.seconds(lambda: calls.append(1), 3)
    assert len(events.spun) == 3 and len(calls) == 9


def test_the_peak_is_the_most_that_was_held_at_a_time(monkeypatch):
    device, events = imitated(monkeypatch)
    assert device.peak(events.held_by(1500, 9000, 2000)) == {"used": 9000, "total": 4096} and events.hook is None


def test_all_of_it_runs_on_a_card_that_is_imitated(monkeypatch, tmp_path, capsys):
    _, events = imitated(monkeypatch)
    for name in gpu.PINS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    monkeypatch.setattr(timing, "PAUSE", 0)
    monkeypatch.setattr(gpu_device.Card, "backend", "strict")
    monkeypatch.setattr(gpu, "GPU", GPU_SMOKE)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no PyTorch
    words = ["gpu", "--json", f"{tmp_path}/gpu.json", "--pictures", str(tmp_path)]
    with mock.patch.object(sys, "argv", words), pytest.raises(SystemExit) as ended:
        gpu.main()
    said, figures = capsys.readouterr().out, json.loads((tmp_path / "gpu.json").read_text())
    assert ended.value.code == 0 and not figures["smoke"] and list(figures["parts"]) == PARTS
    machine = figures["machine"]
    assert (machine["card"], machine["cuda"], machine["cupy"]) == ("NVIDIA Imitated", "12.9", "14.0")
    assert machine["torch"] is None
    assert "PyTorch is not installed: minires alone" in said and events.spun and events.freed
    assert (tmp_path / "gpu-roofline.png").exists() and (tmp_path / "gpu-step.png").exists()


def test_a_variable_that_changes_precision_or_time_is_no_result(monkeypatch, capsys):
    imitated(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["gpu"])
    for name, value, counts in [("CUPY_TF32", "0", False), ("CUPY_TF32", "1", True), ("NVIDIA_TF32_OVERRIDE", "0", True)]:
        with monkeypatch.context() as patch:
            for other in gpu.PINS:
                patch.delenv(other, raising=False)
            patch.setenv(name, value)
            assert bool(gpu.pinned()) == counts
            if counts:
                with pytest.raises(SystemExit) as ended:
                    gpu.main()
                assert ended.value.code == 2 and f"no result: {name}={value}" in capsys.readouterr().err


# What goes wrong, and what minires does not have yet.


def test_a_part_that_fails_is_told_and_the_others_go_on(monkeypatch, tmp_path, capsys):
    def fails(call):
        """a part"""
        raise RuntimeError("no luck\nat all")

    monkeypatch.setitem(gpu.PARTS, "kernels", fails)
    words = ["gpu", "--smoke", "--only", "kernels", "products", "--json", f"{tmp_path}/gpu.json"]
    with mock.patch.object(sys, "argv", words), pytest.raises(SystemExit) as ended:
        gpu.main()
    figures = json.loads((tmp_path / "gpu.json").read_text())
    assert ended.value.code == 1 and list(figures["parts"]) == ["products"]
    assert figures["failed"] == {"kernels": "RuntimeError: no luck"}
    assert "failed: kernels: RuntimeError: no luck" in capsys.readouterr().err


def test_nothing_new_is_begun_when_the_time_is_over(capsys):
    late = call(GPU_SMOKE._replace(seconds=-1.0))
    with backend.using("strict"):
        assert gpu_steps.steps(late) == [] and gpu_steps.inference(late) == []
    assert "left out, as -1 s are over: tiny, batch 2, float32" in capsys.readouterr().out
    plan = GPU_SMOKE._replace(compiled=(4,))
    assert call(plan).compiles(4) and not call(plan).compiles(2) and not call(plan._replace(compiling=-1.0)).compiles(4)


def test_each_mode_is_measured_in_its_own_precision():
    seen = {}
    with backend.using("strict"):
        for mode in gpu_steps.MODES:
            with mode.context():
                seen[mode.name] = backend.settings().tf32, backend.settings().half
            found = gpu_steps.measured(call(), mode, gpu_steps.training(call(), mode, 2), 2)
            assert found["missing"] is None and found["rate"]["minires"]["median"] > 0
    assert seen == {"float32": (False, None), "tf32": (True, None), "bf16 mixed": (False, np.dtype("bfloat16"))}


def test_a_mode_that_cannot_be_had_is_left_out_with_the_reason(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with backend.using("strict"):
        mode = gpu_steps.MODES[2]
        assert not gpu_steps.training(call(), mode, 2)
        assert "pip install ml_dtypes" in gpu_steps.measured(call(), mode, {}, 2)["missing"]
        assert [found["way"] for found in gpu_kinds.kinds(call())] == ["float32", "float32, im2col"]
        assert list(gpu_kernels.precisions()) == ["float32", "tf32"]
    assert "without bf16 mixed: bfloat16 is a type of the package ml_dtypes" in capsys.readouterr().out


def on_the_processor():
    """benchmarks.gpu_peers on the processor, in a card's place."""
    from functools import partial

    from benchmarks import gpu_peers

    places = {name: partial(getattr(gpu_peers, name), device="cpu") for name in ("training", "inference", "products")}
    return SimpleNamespace(**places, precision=gpu_peers.precision, release=lambda: None,
                           peak=lambda step: (step(), {"used": 1 << 20, "total": 1 << 21})[1])  # fmt: skip


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
def test_beside_pytorch_each_mode_has_a_ratio(monkeypatch, capsys):
    import torch

    monkeypatch.setattr(timing, "PAUSE", 0)
    monkeypatch.setattr(torch, "compile", mock.Mock(side_effect=RuntimeError("no compiler here\nand a long story")))
    before = torch.backends.cudnn.allow_tf32
    with backend.using("strict"):
        beside = call(GPU_SMOKE._replace(batches=(4,), compiled=(4,)), on_the_processor())
        steps, inference, memory = gpu_steps.steps(beside), gpu_steps.inference(beside), gpu_steps.memory(beside)
        limits = gpu_kernels.limits(beside)
    exact, tf32, bf16 = steps
    assert exact["pytorch"] in ("PyTorch NCHW", "PyTorch channels_last") and exact["ratio"]["median"] > 0
    for found in steps:
        assert found["failed"] == {"PyTorch channels_last, compiled": "RuntimeError: no compiler here"}
    assert tf32["missing"] is None and list(tf32["rate"]) == ["minires", "PyTorch NCHW", "PyTorch channels_last"]
    assert bf16["missing"] is None and list(bf16["rate"]) == ["minires", "PyTorch channels_last"]
    assert inference[0]["ratio"]["median"] > 0 and list(inference[2]["rate"]) == ["minires", "PyTorch channels_last"]
    assert memory[0]["ratio"] == memory[0]["bytes"]["minires"]["used"] / 2**20
    assert list(memory[2]["bytes"]) == ["minires", "PyTorch channels_last"]
    assert set(limits) == {"copy", "product", "product tf32", "product bf16", "PyTorch float32", "PyTorch tf32", "PyTorch bf16"}
    assert torch.backends.cudnn.allow_tf32 == before and not beside.faults
    assert "PyTorch channels_last, compiled: not measured: RuntimeError: no compiler here\n" in capsys.readouterr().out


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
@pytest.mark.parametrize("bf16", [False, True])
def test_pytorch_on_the_card_does_the_step_that_minires_does(bf16):
    """After three steps both have the same loss on the batch, or in bfloat16 nearly."""
    import torch
    from torch.nn import functional

    from benchmarks import gpu_peers, peers
    from minires import Tensor
    from minires import functional as F

    (x, labels), net, made = batch(6), NETS["tiny"], []
    model = ours.build(net)
    state, step = model.state_dict(), ours.training(model, x, labels)
    build = peers.build
    with mock.patch.object(peers, "build", side_effect=lambda *words: made.append(build(*words)) or made[-1]):
        theirs = gpu_peers.training(net, state, x, labels, "PyTorch channels_last", bf16=bf16, device="cpu")
    for _ in range(3):
        step()
        theirs()
    wanted = F.cross_entropy(model(Tensor(x)), labels, label_smoothing=SMOOTHING).item()
    found = functional.cross_entropy(made[0](peers.images(x, "PyTorch channels_last")), torch.from_numpy(labels),
                                     label_smoothing=SMOOTHING).item()  # fmt: skip
    assert found == pytest.approx(wanted, rel=2e-2 if bf16 else 1e-5)


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
def test_precision_is_set_for_a_while():
    import torch

    from benchmarks import gpu_peers

    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    read = lambda: (cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark)  # noqa: E731
    before = read()
    for tf32 in (True, False):
        with gpu_peers.precision(tf32):
            assert read() == (tf32, tf32, True)
    assert read() == before


def test_logits_that_differ_are_no_comparison():
    ways = {"minires": lambda: np.zeros(3), "PyTorch NCHW": lambda: np.array([0, 0, 0.02])}
    with pytest.raises(ValueError, match="the logits of minires and PyTorch NCHW differ by 0.02"):
        gpu_steps._check(ways)
    gpu_steps._check({})


def test_a_way_runs_in_its_context_each_time():
    count = mock.Mock(side_effect=nullcontext)
    way = gpu_steps.within(count, lambda: 5)
    assert (way(), way()) == (5, 5) and count.call_count == 2
