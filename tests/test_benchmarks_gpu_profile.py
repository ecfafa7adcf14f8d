"""The time of a step by the names of kernels: from a trace, or from events around each launch."""

import pytest

from benchmarks import gpu_device, gpu_profile, ours
from benchmarks.problems import NETS, batch
from minires import backend
from minires.backend import to_device
from tests import shim
from tests.test_benchmarks_gpu import call

# What Kineto writes for a step: kernels of CuPy and cuBLAS, a copy, and the host's own events. Microseconds.
EVENTS = [
    {"ph": "X", "cat": "kernel", "name": "void sgd<float, true, true>(float*, float const*, float*, float, long long)", "dur": 40.0, "ts": 1},
    {"ph": "X", "cat": "kernel", "name": "sm90_xmma_gemm_f32f32_tf32f32_f32_nn_n", "dur": 1000.0, "ts": 2},
    {"ph": "X", "cat": "kernel", "name": "sm90_xmma_gemm_f32f32_tf32f32_f32_nn_n", "dur": 500.0, "ts": 3},
    {"ph": "X", "cat": "gpu_memcpy", "name": "Memcpy HtoD (Pinned -> Device)", "dur": 2.0, "ts": 4},
    {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "dur": 9000.0, "ts": 2},
    {"ph": "i", "cat": "kernel", "name": "no duration", "ts": 2},
]  # fmt: skip


class Peers:
    """benchmarks.gpu_peers with a trace that is written above."""

    @staticmethod
    def trace(step):
        step()
        return EVENTS


def step(n=4):
    return ours.training(ours.build(NETS["tiny"]), *map(to_device, batch(n)))


def test_a_trace_is_summed_by_name_and_only_the_gpus_work_counts():
    assert gpu_profile.of_trace(EVENTS) == {
        EVENTS[0]["name"]: pytest.approx([4e-5]),
        EVENTS[1]["name"]: pytest.approx([1e-3, 5e-4]),
        EVENTS[3]["name"]: pytest.approx([2e-6]),
    }


def test_kernels_have_their_bytes_beside_their_names(capsys):
    moved = {"sgd<float, true, true>": 4_000_000, "sgd<float, true>": 1, "im2col<Bfloat16, 8>": 7}
    with backend.using("strict"):
        made = call(peers=Peers())
        patched = pytest.MonkeyPatch()
        with patched.context() as patch:
            patch.setattr(gpu_profile, "launched", lambda step: moved)
            rows = gpu_profile.by_name(made, "minires", step())
            theirs = gpu_profile.by_name(made, "PyTorch", step(), ours=False)
    assert [(row["calls"], row["nbytes"]) for row in rows] == [(2, None), (1, 4_000_000), (1, None)]
    assert rows[0]["seconds"] == pytest.approx(1.5e-3) and not any(row["nbytes"] for row in theirs)
    said = capsys.readouterr().out
    assert "minires: 4 pieces of work, 1.542 ms" in said
    assert "4.0 MB,    100.0 GB/s" in said


def test_a_name_in_a_trace_is_that_of_one_kernel():
    moved = {"im2col<float, 4>": 1, "im2col<Bfloat16, 8>": 2, "stats_of_rows<float, 4>": 3}
    for name, wanted in [("void im2col<float, 4>(Run<float, 4> const*, int)", 1), ("void im2col<float,4>(int)", 1),
                         ("im2col<Bfloat16, 8>", 2), ("void im2col<float, 2>(int)", None), ("im2col", None),
                         ("void other_im2col<float, 4>(int)", None)]:  # fmt: skip
        assert gpu_profile._bytes(name, moved) == wanted, name


@pytest.mark.skipif(shim.COMPILER is None, reason="there is no g++ to run kernels on the processor")
def test_without_pytorch_each_launch_and_each_product_is_timed():
    with backend.using(library=shim.library()):
        training = step()
        training()
        pieces = gpu_profile.of_events(gpu_device.Processor(), training)
        moved = gpu_profile.launched(training)
    names = {name for name in pieces if not name.startswith("product ")}
    (sgd,) = (name for name in names if name.startswith("sgd<"))
    assert names == set(moved)
    assert len(pieces["product 4 x 16 @ 16 x 10"]) == 1  # the linear layer
    assert all(seconds > 0 for found in pieces.values() for seconds in found)
    # Weights, gradients and velocities, 4 bytes each.
    assert moved[sgd] == 3 * 4 * 5266


def test_pytorchs_profiler_writes_a_trace(monkeypatch):
    torch = pytest.importorskip("torch")
    from benchmarks import gpu_peers

    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    a = torch.ones(8, 8)
    events = gpu_peers.trace(lambda: a @ a)
    assert any(event.get("name") == "aten::mm" for event in events)
    assert not gpu_profile.of_trace(events)  # nothing ran on a GPU
