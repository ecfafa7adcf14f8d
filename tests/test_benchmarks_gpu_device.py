"""The timing of benchmarks.gpu, on an imitated GPU."""

import importlib.util
import json
import sys
import time
from contextlib import nullcontext
from types import SimpleNamespace
from unittest import mock

import pytest

from benchmarks import gpu, gpu_device, gpu_kinds, ours, timing
from benchmarks.problems import GPU_SMOKE, NETS, batch
from minires import backend, ops
from minires.backend import card, to_device
from tests.test_benchmarks_gpu import PARTS


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
    uncounted = ["way", "wait"]
    one = ["way", "wait"]
    several = ["wait", "way", "way", "way", "way", "wait"]
    assert said == (uncounted + one + several) * 2  # the first round warms up


def test_the_pieces_of_a_step_add_up_to_it_and_each_is_counted():
    with backend.using("strict"), ops.without(*ours.NOT_COLUMNS):
        step = ours.training(ours.build(NETS["tiny"]), *map(to_device, batch(4)))
        step()
        kinds, waiting = gpu_kinds.by_kind(step, gpu_device.Processor(), 2)
    assert sum(facts["seconds"] for facts in kinds.values()) == pytest.approx(waiting["seconds"])
    assert all(
        facts["min"] <= facts["seconds"] <= facts["max"] for facts in (waiting, *kinds.values())
    )
    calls = {kind: facts["calls"] for kind, facts in kinds.items()}
    # Five convolutions by 3x3 windows and one of one pixel, forward and backward; the images need no gradient.
    assert calls == {"im2col": 10 + 2, "col2im": 5, "GEMM": 6 + 11, "Winograd's transforms": 0, "norm": 3 * 6,
                     "convolutions, the rest": 12, "mean, linear layer, loss": 6, "optimizer": 1, "all else": 0}  # fmt: skip


class Events:
    """The part of CuPy that gpu_device.Card uses, on the processor: a queue that is as long as `behind` says at each look."""

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

        properties = {
            "name": b"NVIDIA Imitated",
            "multiProcessorCount": 1,
            "l2CacheSize": 1 << 16,
            "totalGlobalMem": 1 << 30,
            "major": 9,
            "minor": 0,
        }
        runtime = SimpleNamespace(getDeviceProperties=lambda number: properties, memGetInfo=lambda: (1 << 29, 1 << 30),
                                  runtimeGetVersion=lambda: 12090, driverGetVersion=lambda: 13000,
                                  getDeviceCount=lambda: 1, getDevice=lambda: 0)  # fmt: skip
        self.cuda = SimpleNamespace(
            Event=Event, MemoryHook=MemoryHook, runtime=runtime, get_elapsed_time=lambda a, b: 1e3 * (b.at - a.at),
            Device=Device,
        )  # fmt: skip
        self.get_default_memory_pool = lambda: SimpleNamespace(used_bytes=lambda: self.held, total_bytes=lambda: 4096,
                                                               free_all_blocks=release)  # fmt: skip
        self.RawKernel = lambda source, name: (
            lambda blocks, block, arguments: self.spun.append(int(arguments[0]))
        )
        self.__version__ = "14.0"

    def held_by(self, *sizes):
        """Return a step during which so much memory is held."""

        def step():
            for self.held in sizes:
                if self.hook:
                    self.hook.malloc_postprocess(
                        device_id=0, size=1, mem_size=512, mem_ptr=1, pmem_id=1
                    )

        return step


def imitated(monkeypatch, behind=()):
    events = Events(behind)
    monkeypatch.setattr(card, "load", lambda: events)
    return gpu_device.Card(), events


def test_the_card_is_held_longer_where_launching_took_longer_than_it_was_held(monkeypatch):
    device, events = imitated(monkeypatch, behind=[True, False])
    calls = []
    begun = time.perf_counter()
    seconds = device.seconds(lambda: (calls.append(1), time.sleep(0.001)), 3)
    assert 0.001 <= seconds < time.perf_counter() - begun  # of a call, not of all six
    assert events.spun == [1_200_000, 12_000_000] and len(calls) == 6  # nanoseconds
    device.seconds(lambda: calls.append(1), 3)
    assert len(events.spun) == 3 and len(calls) == 9


def test_the_hosts_time_for_a_step_is_taken_while_the_card_is_held(monkeypatch):
    device, events = imitated(monkeypatch, behind=[True, False])
    seconds = device.issuing(lambda: time.sleep(0.002))
    assert 0.002 <= seconds < 1 and events.spun == [
        100_000_000,
        1_000_000_000,
    ]  # held longer, as the first hold was over
    device, _ = imitated(monkeypatch, behind=[True, True])
    assert device.issuing(lambda: None) is None  # a step that waits


def test_the_peak_is_the_most_that_was_held_at_a_time(monkeypatch):
    device, events = imitated(monkeypatch)
    assert (
        device.peak(events.held_by(1500, 9000, 2000)) == {"used": 9000, "total": 4096}
        and events.hook is None
    )


def test_all_of_it_runs_on_a_card_that_is_imitated(monkeypatch, tmp_path, capsys):
    _, events = imitated(monkeypatch)
    for name in gpu.PINS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    monkeypatch.setattr(timing, "PAUSE", 0)
    monkeypatch.setattr(gpu_device.Card, "backend", "strict")
    monkeypatch.setattr(gpu, "GPU", GPU_SMOKE)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no PyTorch
    words = ["gpu", "--only", *PARTS, "--json", f"{tmp_path}/gpu.json", "--pictures", str(tmp_path)]
    with mock.patch.object(sys, "argv", words), pytest.raises(SystemExit) as ended:
        gpu.main()
    said, figures = (
        capsys.readouterr().out,
        json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8")),
    )
    assert ended.value.code == 0 and not figures["smoke"] and list(figures["parts"]) == PARTS
    machine = figures["machine"]
    assert (machine["card"], machine["cuda"], machine["cupy"]) == (
        "NVIDIA Imitated",
        "12.9",
        "14.0",
    )
    assert machine["torch"] is None
    assert "PyTorch is not installed: minires alone" in said and events.spun and events.freed
    assert (tmp_path / "gpu-roofline.png").exists() and (tmp_path / "gpu-step.png").exists()


def test_a_variable_that_changes_precision_or_time_is_no_result(monkeypatch, capsys):
    imitated(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["gpu"])
    for name, value, counts in [
        ("CUPY_TF32", "0", False),
        ("CUPY_TF32", "1", True),
        ("CUBLAS_EMULATE_SINGLE_PRECISION", "1", True),
        ("CUBLAS_EMULATION_STRATEGY", "eager", True),
        ("CUBLAS_WORKSPACE_CONFIG", ":4096:8", False),
        ("NVIDIA_TF32_OVERRIDE", "0", True),
    ]:
        with monkeypatch.context() as patch:
            for other in gpu.PINS:
                patch.delenv(other, raising=False)
            patch.setenv(name, value)
            assert bool(gpu.pinned()) == counts
            if counts:
                with pytest.raises(SystemExit) as ended:
                    gpu.main()
                assert (
                    ended.value.code == 2
                    and f"not measured: {name}={value}" in capsys.readouterr().err
                )
