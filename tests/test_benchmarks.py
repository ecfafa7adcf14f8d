"""python -m benchmarks.cpu, small: it runs with and without PyTorch, writes data and figures, and knows a pinned kernel."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import host, table, timing
from benchmarks.problems import FULL, NETS, Net, Shape, batch
from minires.backend import machine

ROOT = Path(__file__).parents[1]
TORCH = importlib.util.find_spec("torch") is not None
WITHOUT = "import sys; sys.modules['torch'] = None; from benchmarks import cpu; cpu.main()"
PARTS = [
    "steps",
    "inference",
    "memory",
    "convolutions",
    "imports",
    "threads",
    "loop",
    "growth",
    "accuracy",
    "ladder",
]


def run(*words, start=("-m", "benchmarks.cpu"), **variables):
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, *start, *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def small(tmp_path, start, threads):
    """Call it with --smoke, look at its pictures, and return (what it printed, the figures)."""
    result = run("--smoke", "--json", f"{tmp_path}/a/cpu.json", "--pictures", f"{tmp_path}/b", start=start,
                 MINIRES_THREADS=threads)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
        "roofline.png",
        "speed-ladder.png",
    ]
    for path in (tmp_path / "b").iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")
    figures = json.loads((tmp_path / "a" / "cpu.json").read_text(encoding="utf-8"))
    assert list(figures) == [
        "smoke",
        "pinned",
        "date",
        "commit",
        "machine",
        "limits",
        "parts",
        "others",
        "seconds",
    ]
    assert figures["smoke"] and "the figures mean nothing" in result.stdout
    assert list(figures["parts"]) == PARTS and all(f"\n{name}: " in result.stdout for name in PARTS)
    assert (
        figures["machine"]["processor"] == machine.processor()
        and figures["limits"]["product"]["median"] > 0
    )
    return result.stdout, figures


@pytest.mark.slow
def test_without_pytorch_minires_is_measured_alone(tmp_path):
    said, figures = small(tmp_path, ("-c", WITHOUT), "2")
    assert (
        "PyTorch is not installed: these are minires's figures alone" in said
        and figures["machine"]["torch"] is None
    )
    step = figures["parts"]["steps"]["tiny"]
    assert (
        list(step["rate"]) == ["minires"]
        and "ratio" not in step
        and step["rate"]["minires"]["median"] > 0
    )
    assert (
        figures["parts"]["memory"]["minires"]["peak"]
        > figures["parts"]["memory"]["minires"]["imported"]
    )


@pytest.mark.slow
@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
def test_with_pytorch_the_ratio_is_against_its_better_layout(tmp_path):
    # On a busy machine two threads of PyTorch wait for each other.
    _, figures = small(tmp_path, ("-m", "benchmarks.cpu"), "1")
    assert figures["machine"]["torch"]["threads"] == figures["machine"]["threads"] == 1
    parts = figures["parts"]
    for part in (
        parts["steps"]["tiny"],
        parts["inference"]["tiny"],
        parts["ladder"],
        parts["convolutions"][0]["forward"],
    ):
        rates = {name: rate["median"] for name, rate in part["rate"].items()}
        assert {"minires", "PyTorch NCHW", "PyTorch channels_last"} <= set(rates)
        assert rates[part["pytorch"]] == max(rates["PyTorch NCHW"], rates["PyTorch channels_last"])
        # Of one round.
        assert part["ratio"]["median"] == pytest.approx(rates["minires"] / rates[part["pytorch"]])


def test_a_pinned_kernel_is_no_result(tmp_path):
    if (machine.blas() or {}).get("name") != "openblas" or "AVX2" not in machine.features():
        pytest.skip("no OpenBLAS to pin")
    result = run("--only", "imports", OPENBLAS_CORETYPE="Nehalem")
    assert result.returncode == 2 and "not measured: the BLAS kernel Nehalem" in result.stderr
    assert "unset OPENBLAS_CORETYPE" in result.stderr and "imports:" not in result.stdout


def test_what_holds_pytorch_down_is_seen(monkeypatch):
    facts = {"blas": {"kernel": None}, "torch": {"version": "2"}}
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert (
        "unset ONEDNN_MAX_CPU_ISA" in host.pinned(facts)
        and host.pinned({**facts, "torch": None}) is None
    )


def test_ways_alternate_and_neither_the_first_round_nor_the_first_call_of_a_turn_counts(
    monkeypatch,
):
    monkeypatch.setattr(timing, "PAUSE", 0)
    calls = []
    seconds = timing.alternated({name: lambda name=name: calls.append(name) for name in "abc"}, 3)
    assert "".join(calls) == "ccbbaaaabbccccbbaaaabbcc" and {
        name: len(values) for name, values in seconds.items()
    } == dict.fromkeys("abc", 3)


def test_rates_compare_round_by_round_with_the_better_peer():
    figures = timing.rates(
        {"minires": [1, 2, 4], "PyTorch NCHW": [9, 9, 9], "PyTorch channels_last": [2, 2, 2]},
        work=8,
    )
    assert figures["rate"]["minires"] == {"median": 4, "min": 2, "max": 8}
    assert figures["pytorch"] == "PyTorch channels_last" and figures["ratio"] == {
        "median": 1,
        "min": 0.5,
        "max": 2,
    }


def test_the_table_shows_medians_and_the_ratio():
    rate = {
        name: {"median": median}
        for name, median in [
            ("minires", 123.4),
            ("PyTorch NCHW", 49.96),
            ("PyTorch channels_last", 100.0),
        ]
    }
    found = {
        "batch": 4,
        "rate": rate,
        "pytorch": "PyTorch channels_last",
        "ratio": {"median": 1.238},
    }
    memory = {
        "net": "a",
        "batch": 4,
        "minires": {"step": 3 << 20},
        "PyTorch NCHW": {"step": 4 << 20},
        "pytorch": "PyTorch NCHW",
        "ratio": 0.75,
    }
    threads = {
        "threads": 2,
        "minires": {"median": 1.8},
        "PyTorch NCHW": {"median": 1.5},
        "PyTorch channels_last": {"median": 1.75},
    }
    figures = {"machine": {"threads": 2, "torch": {"version": "2.13.0+cpu"}},
               "parts": {"steps": {"a": found}, "inference": {"b": {**found, "pytorch": "PyTorch NCHW"}}, "memory": memory, "threads": threads}}  # fmt: skip
    assert table.markdown(figures) == [
        "| float32, 2 threads | minires | PyTorch 2.13.0 | ratio |",
        "| --- | --- | --- | --- |",
        "| a, training step, batch 4 | 123 images/s | 100 images/s | 1.24 |",
        "| b, inference, batch 4, batch norm folded | 123 images/s | 50.0 images/s | 1.24 |",
        "| a, peak memory of a step, batch 4 | 3 MiB | 4 MiB | 0.75 |",
        "| a step of it, on 2 threads and on one | 1.80 times | 1.75 times | |",
    ]


def test_the_profile_of_a_step_adds_up_to_the_step(tmp_path):
    pytest.importorskip("threadpoolctl")
    result = run("tiny", "4", start=("-m", "benchmarks.profile"), MINIRES_THREADS="2")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    whole = next(
        re.search(r"tiny, batch 4, on one thread: (\d+) ms a step", line)
        for line in lines
        if "on one thread" in line
    )
    kinds = dict(re.findall(r"(?m)^  (\w.*?) +([\d.]+) ms", result.stdout))
    assert {"batch norm, ReLU, add", "all else"} <= set(kinds)
    assert sum(map(float, kinds.values())) == pytest.approx(float(whole[1]), abs=1)
    assert re.fullmatch(r"2 threads: \d+ ms a step, \d+ ms of work; waited [\d,]+ times", lines[-1])


def test_the_shapes_are_the_convolutions_of_resnet18():
    from minires import models

    rows = [
        row for row in models.summary(models.resnet18(), (32, 32, 3)).rows if row.kind == "Conv2d"
    ]
    assert {2 * 128 * row.multiply_adds for row in rows} == {
        shape.flop for shape in FULL.shapes
    } and len(FULL.shapes) == 11
    shape = Shape(2, 4, 3, 5, 3, 2)
    assert shape.nbytes == 4 * (2 * 4 * 4 * 3 + 2 * 2 * 2 * 5 + 9 * 3 * 5) and [a.shape for a in shape.arrays()] == [
        (2, 4, 4, 3), (3, 3, 3, 5), (2, 2, 2, 5)]  # fmt: skip


@pytest.mark.skipif(not TORCH, reason="PyTorch is not installed")
@pytest.mark.parametrize(
    "net", [NETS["tiny"], NETS["tiny bottleneck"], Net("BasicBlock", (2, 1), (8, 12))], ids=str
)
def test_the_peers_do_the_same_work(net):
    import numpy
    import torch

    from benchmarks import ours, peers
    from minires import Tensor, no_grad

    model, (x, labels) = ours.build(net), batch(6)
    twins = {layout: peers.build(net, layout, model.state_dict()) for layout in peers.LAYOUTS}
    step = ours.training(model, x, labels)
    for layout, twin in twins.items():
        step_of_twin = peers.training(twin, peers.images(x, layout), labels)
        for _ in range(3):
            step_of_twin()
    for _ in range(3):
        step()
    with no_grad():
        logits = model.eval()(Tensor(x)).numpy()
    for layout, twin in twins.items():
        images = peers.images(x, layout)
        with torch.inference_mode():
            numpy.testing.assert_allclose(twin.eval()(images).numpy(), logits, atol=1e-4)
        numpy.testing.assert_allclose(peers.inference(twin, images, layout)(), logits, atol=1e-4)
