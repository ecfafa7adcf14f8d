"""python -m benchmarks.gpu, small, without a GPU: what it writes, what it prints, and its errors."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from benchmarks import (
    command,
    gpu,
    gpu_call,
    gpu_cases,
    gpu_device,
    gpu_kernels,
    gpu_kinds,
    gpu_steps,
)
from benchmarks.problems import GPU_SMOKE
from minires import backend
from minires.backend import card
from tests.halves import needs_bfloat16

ROOT = Path(__file__).parents[1]
PARTS = ["steps", "kinds", "graph", "products", "kernels", "inference", "memory"]


def run(*words, **variables):
    environment = {**os.environ, **variables}
    command = [sys.executable, "-m", "benchmarks.gpu", *words]
    return subprocess.run(
        command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True
    )


def call(plan=GPU_SMOKE, peers=None):
    """Return a Call on the processor, whose limits are 1."""
    made = gpu_call.Call(gpu_device.Processor(), plan, peers)
    made.limits = {"copy": {"median": 1.0}, "product": {"median": 1.0}}
    return made


@needs_bfloat16
def test_the_smoke_run_writes_figures_and_pictures(tmp_path, fonts):
    result = run("--smoke", "--json", f"{tmp_path}/a/gpu.json", "--pictures", f"{tmp_path}/b")
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert "the figures mean nothing" in result.stdout
    for name in ("gpu-roofline.png", "gpu-step.png"):
        assert (tmp_path / "b" / name).read_bytes().startswith(b"\x89PNG")
    figures = json.loads((tmp_path / "a" / "gpu.json").read_text(encoding="utf-8"))
    assert list(figures) == [
        "smoke",
        "date",
        "commit",
        "machine",
        "limits",
        "parts",
        "failed",
        "took",
        "seconds",
    ]
    assert figures["smoke"] and list(figures["parts"]) == PARTS and not figures["failed"]
    assert (
        set(figures["limits"]) == {"copy", "product", "product tf32", "product bf16"}
        and figures["limits"]["copy"]["median"] > 0
    )
    parts = figures["parts"]
    assert {found["kernel"] for found in parts["kernels"]} == {
        *gpu_cases.KERNELS,
        "max_pool2d, backward",
    }
    assert all(found["rate"]["min"] > 0 and found["nbytes"] > 0 for found in parts["kernels"])
    assert [list(found["rate"]) for found in parts["products"]] == [
        ["columns @ weight", "columns.T @ g", "g @ weight.T"]
    ] * 3
    assert all(list(found["rate in"]) == ["tf32", "bf16"] for found in parts["products"])
    assert ["winograd" in found for found in parts["products"]] == [True, False, False]
    assert [found["way"] for found in parts["kinds"]] == [
        "float32",
        "float32, im2col",
        "tf32",
        "bf16 mixed",
    ]
    assert list(figures["took"]) == PARTS
    assert [(found["batch"], found["mode"]) for found in parts["steps"]][:4] == [
        (4, "float32"),
        (4, "tf32"),
        (4, "bf16 mixed"),
        (2, "float32"),
    ]
    for found in parts["kinds"]:
        assert found["host"]["4"]["median"] > 0 and found["names"] and not found["names of PyTorch"]
    assert [found["mode"] for found in parts["inference"]] == ["float32", "tf32", "bf16 mixed"]
    assert (
        list(parts["steps"][0]["rate"]) == ["minires", "minires, im2col alone"]
        and not parts["steps"][0]["missing"]
    )
    assert parts["memory"][0]["bytes"]["minires"]["used"] > 0


def test_without_a_card_it_says_so_in_one_sentence():
    try:
        card.load()
    except card.Unusable as why:
        result = run()
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
        assert options.json == Path("benchmarks/results/gpu.json") and options.pictures == Path(
            "docs"
        )


# Errors, and what is not available.


def test_a_part_that_fails_is_told_and_the_others_go_on(monkeypatch, tmp_path, capsys):
    def fails(call):
        """a part"""
        raise RuntimeError("no luck\nat all")

    monkeypatch.setitem(gpu.PARTS, "kernels", fails)
    words = ["gpu", "--smoke", "--only", "kernels", "products", "--json", f"{tmp_path}/gpu.json"]
    with mock.patch.object(sys, "argv", words), pytest.raises(SystemExit) as ended:
        gpu.main()
    figures = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert ended.value.code == 1 and list(figures["parts"]) == ["products"]
    assert figures["failed"] == {"kernels": "RuntimeError: no luck"}
    assert "failed: kernels: RuntimeError: no luck" in capsys.readouterr().err


def test_nothing_new_is_begun_when_the_time_is_over(capsys):
    late = call(GPU_SMOKE._replace(seconds=-1.0))
    parts = (
        gpu_steps.steps,
        gpu_steps.graph,
        gpu_steps.inference,
        gpu_steps.memory,
        gpu_kinds.kinds,
        gpu_kernels.kernels,
        gpu_kernels.products,
    )
    with backend.using("strict"):
        assert [part(late) for part in parts] == [[]] * 7
    assert "left out, as -1 s are over: tiny, batch 4, float32\n" in capsys.readouterr().out
    plan = GPU_SMOKE._replace(compiled=(4,))
    assert (
        call(plan).compiles(4)
        and not call(plan).compiles(2)
        and not call(plan._replace(compiling=-1.0)).compiles(4)
    )


@needs_bfloat16
def test_each_mode_is_measured_in_its_own_precision():
    seen = {}
    with backend.using("strict"):
        for mode in gpu_steps.MODES:
            with mode.context():
                seen[mode.name] = backend.settings().tf32, backend.settings().half
            found = gpu_steps.measured(call(), mode, gpu_steps.training(call(), mode, 2), 2)
            assert found["missing"] is None and found["rate"]["minires"]["median"] > 0
    assert seen == {
        "float32": (False, None),
        "tf32": (True, None),
        "bf16 mixed": (False, np.dtype("bfloat16")),
    }


def test_a_mode_that_cannot_be_had_is_left_out_with_the_reason(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with backend.using("strict"):
        mode = gpu_steps.MODES[2]
        assert not gpu_steps.training(call(), mode, 2)
        assert "pip install ml_dtypes" in gpu_steps.measured(call(), mode, {}, 2)["missing"]
        assert [found["way"] for found in gpu_kinds.kinds(call())] == [
            "float32",
            "float32, im2col",
            "tf32",
        ]
        assert list(gpu_kernels.precisions()) == ["float32", "tf32"]
    assert "without bf16 mixed: bfloat16 needs the package ml_dtypes" in capsys.readouterr().out


def test_logits_that_differ_are_no_comparison():
    ways = {"minires": lambda: np.zeros(3), "PyTorch NCHW": lambda: np.array([0, 0, 0.02])}
    with pytest.raises(ValueError, match="the logits of minires and PyTorch NCHW differ by 0.02"):
        gpu_steps._check(ways)
    gpu_steps._check({})


def test_a_way_runs_in_its_context_each_time():
    count = mock.Mock(side_effect=nullcontext)
    way = gpu_steps.within(count, lambda: 5)
    assert (way(), way()) == (5, 5) and count.call_count == 2
