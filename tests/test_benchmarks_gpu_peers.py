"""PyTorch does the same work as minires in benchmarks.gpu, here on the processor."""

from types import SimpleNamespace
from unittest import mock

import pytest

from benchmarks import gpu_kernels, gpu_steps, ours, timing
from benchmarks.problems import GPU_SMOKE, NETS, SMOOTHING, batch
from minires import backend
from tests.test_benchmarks_gpu import call

pytest.importorskip("torch")


def on_the_processor():
    """benchmarks.gpu_peers on the processor, instead of a GPU."""
    from functools import partial

    from benchmarks import gpu_peers

    places = {
        name: partial(getattr(gpu_peers, name), device="cpu")
        for name in ("training", "inference", "products")
    }
    return SimpleNamespace(**places, precision=gpu_peers.precision, release=lambda: None,
                           peak=lambda step: (step(), {"used": 1 << 20, "total": 1 << 21})[1])  # fmt: skip


def test_beside_pytorch_each_mode_has_a_ratio(monkeypatch, capsys):
    import torch

    monkeypatch.setattr(timing, "PAUSE", 0)
    monkeypatch.setattr(
        torch, "compile", mock.Mock(side_effect=RuntimeError("no compiler here\nand a long story"))
    )
    before = torch.backends.cudnn.allow_tf32
    with backend.using("strict"):
        beside = call(GPU_SMOKE._replace(batches=(4,), compiled=(4,)), on_the_processor())
        steps = gpu_steps.steps(beside)
        inference = gpu_steps.inference(beside)
        memory = gpu_steps.memory(beside)
        limits = gpu_kernels.limits(beside)
    exact, tf32, bf16 = steps
    assert "pytorch compiled" not in exact
    assert (
        exact["pytorch"] in ("PyTorch NCHW", "PyTorch channels_last")
        and exact["ratio"]["median"] > 0
    )
    for found in steps:
        assert found["failed"] == {
            "PyTorch channels_last, compiled": "RuntimeError: no compiler here"
        }
    assert tf32["missing"] is None and list(tf32["rate"]) == [
        "minires",
        "PyTorch NCHW",
        "PyTorch channels_last",
    ]
    assert bf16["missing"] is None and list(bf16["rate"]) == ["minires", "PyTorch channels_last"]
    assert inference[0]["ratio"]["median"] > 0 and list(inference[2]["rate"]) == [
        "minires",
        "PyTorch channels_last",
    ]
    assert memory[0]["ratio"] == memory[0]["bytes"]["minires"]["used"] / 2**20
    assert list(memory[2]["bytes"]) == ["minires", "PyTorch channels_last"]
    assert set(limits) == {
        "copy",
        "product",
        "product tf32",
        "product bf16",
        "PyTorch float32",
        "PyTorch tf32",
        "PyTorch bf16",
    }
    assert torch.backends.cudnn.allow_tf32 == before and not beside.faults
    assert (
        "PyTorch channels_last, compiled: not measured: RuntimeError: no compiler here\n"
        in capsys.readouterr().out
    )


def test_pytorch_compiles_in_the_mode_that_is_asked_for(monkeypatch):
    import torch

    seen, (x, labels), net = [], batch(4), NETS["tiny"]
    monkeypatch.setattr(torch, "compile", lambda model, mode: seen.append(mode))
    for compiled in (False, True, "reduce-overhead"):
        on_the_processor().training(
            net, ours.build(net).state_dict(), x, labels, "PyTorch NCHW", compiled=compiled
        )
    assert seen == [None, "reduce-overhead"]


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
    with mock.patch.object(
        peers, "build", side_effect=lambda *words: made.append(build(*words)) or made[-1]
    ):
        theirs = gpu_peers.training(
            net, state, x, labels, "PyTorch channels_last", bf16=bf16, device="cpu"
        )
    for _ in range(3):
        step()
        theirs()
    wanted = F.cross_entropy(model(Tensor(x)), labels, label_smoothing=SMOOTHING).item()
    found = functional.cross_entropy(made[0](peers.images(x, "PyTorch channels_last")), torch.from_numpy(labels),
                                     label_smoothing=SMOOTHING).item()  # fmt: skip
    assert found == pytest.approx(wanted, rel=2e-2 if bf16 else 1e-5)


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
