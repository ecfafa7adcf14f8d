"""python -m benchmarks.gpu: each part in a process of its own, within its time; and what one that crashes costs."""

import json
import re
import sys
from contextlib import nullcontext
from types import SimpleNamespace
from unittest import mock

import pytest

from benchmarks import apart, gpu, gpu_steps, timing
from benchmarks.problems import GPU, GPU_SMOKE
from minires import backend
from tests.test_benchmarks_gpu import PARTS, call

CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


def run(*words):
    """Run the command in this process, and return its exit status."""
    with mock.patch.object(sys, "argv", ["gpu", *words]), pytest.raises(SystemExit) as ended:
        gpu.main()
    return ended.value.code


def test_the_limits_of_the_parts_add_up_to_less_than_eight_minutes():
    for plan in (GPU, GPU_SMOKE):
        assert list(plan.parts) == list(gpu.PARTS) == PARTS
        assert all(part.expected <= part.limit for part in plan.parts.values())
    assert sum(part.limit for part in GPU.parts.values()) <= GPU.seconds
    assert GPU.seconds + GPU.grace < 480
    assert GPU.compiling < GPU.parts["steps"].limit and GPU.batches[0] == GPU.n == 512


def test_a_part_that_crashes_or_hangs_costs_no_other_part(monkeypatch, tmp_path, capfd):
    """One dies of a signal after its first row, one never ends, one succeeds, and one fails."""
    monkeypatch.setattr(
        gpu, "PARTS", {name: gpu.PARTS[name] for name in ("steps", "kinds", "products", "kernels")}
    )
    parts = {name: part._replace(limit=2.0) for name, part in GPU_SMOKE.parts.items()}
    monkeypatch.setattr(gpu, "GPU_SMOKE", GPU_SMOKE._replace(parts=parts, grace=1.0))
    found = {"machine": {"card": "a", "cupy": None, "torch": None, "numpy": "2", "cache": None}, "limits": {"copy": {"median": 2.0}},
             "parts": {}, "failed": {}}  # fmt: skip
    real, seen = apart.run, []

    def process(words, seconds, **options):
        name, file = words[words.index("--only") + 1], words[words.index("--json") + 1]
        seen.append(
            (name, seconds, "--continued" in words, float(words[words.index("--within") + 1]))
        )
        does = {"steps": f"rows = {{'steps': [1]}}; {CRASH}", "kinds": "rows = {}; import time; time.sleep(60)",
                "products": "rows = {'products': [2]}", "kernels": "rows = {}; print('failed: a kernel', file=sys.stderr); sys.exit(1)"}  # fmt: skip
        rows, _, then = does[name].partition(";")
        code = f"import json, sys; {rows}; found = {found!r}; found['parts'] = rows; json.dump(found, open({file!r}, 'w')); {then}"
        return real((*apart.PYTHON, "-c", code), seconds, **options)

    monkeypatch.setattr(apart, "run", process)
    assert run("--smoke", "--json", f"{tmp_path}/gpu.json") == 1
    figures = json.loads((tmp_path / "gpu.json").read_text())
    assert figures["parts"] == {"steps": [1], "products": [2]} and figures["limits"] == {
        "copy": {"median": 2.0}
    }
    assert figures["failed"]["steps"].startswith("ended by SIGSEGV")
    assert figures["failed"]["kinds"].startswith("not finished after 3 s") and list(
        figures["failed"]
    ) == ["steps", "kinds"]
    assert seen == [
        (name, 3.0, i > 0, 2.0) for i, name in enumerate(("steps", "kinds", "products", "kernels"))
    ]
    err = capfd.readouterr().err
    assert (
        "failed: steps: ended by SIGSEGV" in err
        and "failed: a kernel" in err
        and "failed: kernels: " in err
    )


def test_no_part_begins_when_the_time_of_all_is_over(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "GPU_SMOKE", GPU_SMOKE._replace(seconds=-1.0))
    monkeypatch.setattr(apart, "run", None)
    assert run("--smoke") == 0
    said = capsys.readouterr().out
    assert all(f"{name}: left out, as -1 s are over" in said for name in PARTS)


def test_without_a_card_there_is_one_process_and_one_sentence(monkeypatch, capsys):
    monkeypatch.delenv("CUPY_TF32", raising=False)
    monkeypatch.setattr(gpu, "pinned", lambda: None)
    monkeypatch.setattr(
        apart, "run", mock.Mock(return_value=apart.Ended(2, 1.0, False, "no GPU\n"))
    )
    assert run() == 2 and capsys.readouterr() == ("", "no GPU\n") and apart.run.call_count == 1


def test_a_part_that_ends_without_a_file_is_named_in_the_figures(monkeypatch, tmp_path, capsys):
    """The first raises before it measures, and the GPU is lost to all others: that is not the exit status of no GPU."""
    ended = iter([apart.Ended(1, 1.0, False, "ImportError: a library")])
    lost = apart.Ended(2, 1.0, False, "no GPU\n")
    monkeypatch.setattr(apart, "run", lambda *_: next(ended, lost))
    assert run("--smoke", "--json", f"{tmp_path}/gpu.json") == 1
    failed = json.loads((tmp_path / "gpu.json").read_text())["failed"]
    assert failed == {"steps": "ImportError: a library", **dict.fromkeys(PARTS[1:], "no GPU")}
    assert "failed: memory: no GPU\n" in capsys.readouterr().err


def test_an_interrupt_ends_it_without_a_traceback(monkeypatch, capsys):
    monkeypatch.setattr(apart, "run", mock.Mock(side_effect=KeyboardInterrupt))
    assert run("--smoke") == 130 and capsys.readouterr().err == "interrupted\n"


def test_a_pytorch_that_cannot_be_imported_is_left_out_with_the_reason(monkeypatch, tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open it')")
    for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "benchmarks.gpu_peers", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    why = "cannot be imported (OSError: libcudart.so.12: cannot open it)"
    assert gpu.pytorch(smoke=False) == (None, why)


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(apart, "run", None)
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "gpu.json"):
        assert run("--smoke", "--json", str(path)) == 2
        assert f"cannot write {path}: expected a file in a folder" in capsys.readouterr().err


def test_a_part_has_the_time_that_is_left(capsys):
    made = call()
    made.begin("steps", made.begun, 7.0)
    assert made.limit == 7.0 and not made.late("it")
    made.begin("steps", made.begun, 1e6)
    assert made.limit == GPU_SMOKE.parts["steps"].limit
    made.begin("steps", made.begun - 8, 7.0)
    assert made.late("it") and capsys.readouterr().out == "  left out, as 7 s are over: it\n"


def test_after_an_error_that_loses_the_gpu_nothing_more_is_measured(monkeypatch, tmp_path, capsys):
    def loses(call):
        """a part"""
        call.keep([1])
        assert json.loads((tmp_path / "gpu.json").read_text())["parts"] == {
            "kernels": [1]
        }  # a crash would keep it
        call.tried("PyTorch", lambda: 1 / 0, failed := {})
        assert "ZeroDivisionError" in failed["PyTorch"]

        def way():
            raise RuntimeError(
                "CUDA error: an illegal memory access was encountered\nCompile with ..."
            )

        call.tried("minires", way, failed)
        raise AssertionError("it went on")

    monkeypatch.setitem(gpu.PARTS, "kernels", loses)
    monkeypatch.setitem(gpu.PARTS, "products", None)
    assert run("--smoke", "--only", "kernels", "products", "--json", f"{tmp_path}/gpu.json") == 1
    figures = json.loads((tmp_path / "gpu.json").read_text())
    assert figures["failed"] == {
        "kernels": "RuntimeError: CUDA error: an illegal memory access was encountered"
    }
    assert figures["parts"] == {"kernels": [1]}
    assert "this process can no longer use the GPU" in capsys.readouterr().out


def test_the_ratio_is_that_to_the_best_eager_way_and_another_to_the_best_compiled_one():
    seconds = {"minires": [1.0, 1.0, 2.0], "minires, im2col alone": [0.1] * 3, "PyTorch NCHW": [2.0, 3.0, 4.0],
               "PyTorch channels_last": [1.5, 1.5, 4.0], "PyTorch channels_last, compiled": [0.5, 0.5, 0.5]}  # fmt: skip
    found = timing.rates(seconds, 6)
    assert found["pytorch"] == "PyTorch channels_last" and found["ratio"] == {
        "median": 1.5,
        "min": 1.5,
        "max": 2.0,
    }
    assert found["pytorch compiled"] == "PyTorch channels_last, compiled"
    assert found["ratio compiled"] == {"median": 0.5, "min": 0.25, "max": 0.5}
    alone = timing.rates({"minires": [1.0]}, 6)
    assert alone["pytorch"] is None and set(alone) == {"rate", "pytorch"}


def test_the_report_names_both_peers(capsys):
    timing.report(
        "title",
        timing.rates({"minires": [1.0], "PyTorch NCHW": [2.0], "PyTorch NCHW, compiled": [4.0]}, 8),
        "images/s",
    )
    said = capsys.readouterr().out
    assert re.search(r"minires / PyTorch NCHW +2.00 ", said)
    assert re.search(r"minires / PyTorch NCHW, compiled +4.00 ", said)


def test_a_graph_is_a_part_of_its_own_and_is_compared_with_pytorchs_graph(monkeypatch):
    seen, steps = [], []
    monkeypatch.setattr(timing, "PAUSE", 0)

    def training(*words, bf16, compiled=False):
        seen.append(compiled)
        return lambda: steps.append(1)

    peers = SimpleNamespace(
        training=training, precision=lambda tf32: nullcontext(), release=lambda: None
    )
    beside = call(GPU_SMOKE._replace(batches=(4,), host=(4, 2), compiled=(4,)), peers)
    with backend.using("strict"):
        assert [found["mode"] for found in gpu_steps.steps(beside)] == [
            "float32",
            "tf32",
            "bf16 mixed",
        ]
        assert seen == [False, False, True] * 2 + [False, True]
        seen.clear()
        found = gpu_steps.graph(beside)
    name = "PyTorch channels_last, compiled (reduce-overhead)"
    assert seen == ["reduce-overhead"] and [list(row["rate"]) for row in found] == [
        ["minires", name],
        *[["minires"]] * 5,
    ]
    assert found[0]["mode"] == "bf16 mixed, CUDA graph" and found[0]["pytorch compiled"] == name
    assert found[0]["ratio compiled"]["median"] > 0 and found[0]["pytorch"] is None
