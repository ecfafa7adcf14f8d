"""benchmarks.others: minires alone, and the table of made-up times."""

import numpy as np

from benchmarks import others
from benchmarks.others_steps import forward, weights
from minires import Tensor, models
from minires import functional as F


def test_a_library_that_is_installed_takes_its_turns(monkeypatch, capsys):
    monkeypatch.setattr(others, "LIBRARIES", {"minires": ("numpy", others.BOTH)})
    for problem, images in others.SMOKE.items():
        figures = others.measured(problem, images, rounds=2, threads=1)["minires"]
        assert 0 < figures["min"] <= figures["median"] <= figures["max"]
    assert "ready after" in capsys.readouterr().out


def test_a_library_that_fails_says_why_and_the_others_go_on(monkeypatch):
    libraries = {"minires": ("numpy", others.BOTH), "no such library": ("numpy", others.BOTH)}
    monkeypatch.setattr(others, "LIBRARIES", libraries)
    found = others.measured("convolution", 1, rounds=1, threads=1)
    assert "no such library" in found["no such library"]["why"] and found["minires"]["median"] > 0
    table = others.markdown("convolution", 1, found)
    assert len(table) == 3


def test_the_table_compares_rates_with_minires():
    seconds = {"minires": 0.5, "PyTorch NCHW": 0.25, "JAX": 2.0}
    figures = {name: {"median": s, "min": s, "max": s, "ready": 1.0} for name, s in seconds.items()}
    figures["DeZero"] = {"why": "it does not run here"}
    rows = others.markdown("resnet20", 128, figures)[2:]
    assert rows == [
        "| PyTorch NCHW | 512 | 2.00 | 1 s |",
        "| minires | 256 | 1.00 | 1 s |",
        "| JAX | 64 | 0.25 | 1 s |",
    ]


def test_the_network_that_other_libraries_run_is_resnet20():
    """Its parameters, and its logits in minires's own ops, whose network has the same weights."""
    model = models.resnet20(shortcut="B")
    parameters = weights()
    assert sum(array.size for array in parameters) == sum(p.size for p in model.parameters())

    def conv(x, weight, stride, padding):
        return F.conv2d(x, weight.transpose(2, 3, 1, 0), stride=stride, padding=padding)

    def norm(x, gamma, beta):
        return F.batch_norm(x, gamma, beta)

    x = np.random.default_rng(0).standard_normal((2, 32, 32, 3), dtype=np.float32)
    logits = forward(conv, norm, F.relu, F.global_avg_pool, F.linear, map(Tensor, parameters), Tensor(x))  # fmt: skip
    for parameter, array in zip(model.parameters(), parameters, strict=True):
        parameter.data[...] = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
    np.testing.assert_allclose(model(Tensor(x)).data, logits.data, rtol=1e-4, atol=1e-5)
