"""Exported nets give our logits in onnxruntime, for any number of images; what has no counterpart is said."""

import json
import sys
import threading

import numpy
import pytest
from numpy.testing import assert_allclose

from minires import Tensor, models, nn, no_grad, ops, optim
from minires import functional as F
from minires.backend import settings
from minires.checkpoint import save_weights
from minires.export import export
from tests.test_cli import elsewhere, typed  # noqa: F401

onnx, onnxruntime = map(pytest.importorskip, ("onnx", "onnxruntime"))


def shaken(model):
    """Norms and statistics that are not 1 and 0."""
    rng, state = numpy.random.default_rng(0), model.state_dict()
    for name, value in state.items():
        if value.ndim == 1 and not name.startswith("fc"):
            state[name] = (
                name.endswith(("weight", "var")) + rng.uniform(-0.3, 0.3, value.shape)
            ).astype("f4")
    model.load_state_dict(state)
    return model


def agrees(model, size, n=3, **options):
    export(model, "net.onnx", size)
    x = numpy.random.default_rng(1).standard_normal((n, *size)).astype("f4")
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": numpy.ascontiguousarray(x.transpose(0, 3, 1, 2))})
    modes = [module.training for _, module in model.modules()]
    with no_grad():
        expected = model.eval()(Tensor(x)).numpy()
    assert (
        all(modes)
        and found.shape == expected.shape == (n, expected.shape[1])
        and numpy.abs(expected).max() > 0.01
    )
    assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * numpy.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("resnet20", {}, (32, 32, 3)), ("resnet20", {"shortcut": "B", "num_classes": 3}, (9, 11, 3)), ("resnet20", {"shortcut": "none"}, (8, 8, 3)),
        ("resnet18", {"stem": "imagenet", "num_classes": 1000}, (65, 97, 3)), ("resnet50", {"in_channels": 1}, (32, 32, 1)),
        ("resnet18", {"preactivation": True}, (32, 32, 3)), ("resnet8", {}, (32, 32, 3)),
    ],
    ids=str,
)  # fmt: skip
def test_a_model_gives_the_same_logits(name, options, size):
    nn.manual_seed(0)
    agrees(shaken(models.build(name, **options)), size)


class Other(nn.Module):
    """Ops that no ResNet here has."""

    def __init__(self):
        self.conv = nn.Conv2d(3, 5, (3, 2), stride=(2, 1), padding=(1, 0))
        self.norm = nn.BatchNorm(5)
        self.pool, self.fc = nn.AvgPool2d(3, stride=2, padding=1), nn.Linear(5 * 2 * 2, 4)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)) * 2 + 1)
        x = F.pad(F.max_pool2d(x, (2, 3), stride=1)[:, 1:, :-1], ((0, 0), (1, 0), (0, 2), (0, 0)))
        # Onnxruntime makes one of Pad and AveragePool, and then finds the frame too wide.
        x = F.relu(x)
        return self.fc(F.reshape(self.pool(x)[:, :2, :2], (x.shape[0], -1)))


def test_other_ops_have_their_counterparts_too():
    nn.manual_seed(0)
    agrees(shaken(Other()), (7, 9, 3), n=2)


def test_plain_forms_are_written_as_faster_ones_are():
    nn.manual_seed(0)
    with ops.plain():
        agrees(shaken(models.resnet20()), (8, 8, 3))


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda x: F.tanh(x), "the model uses tanh, which has no counterpart here"), (lambda x: x[:1], "the number of images is not known"),
        (lambda x: x[:, 0], "only slices have a counterpart"), (lambda x: F.reshape(x, (1, 4, 12)), "only Flatten has a counterpart"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_said_and_nothing_written(forward, message, tmp_path):
    model = nn.Sequential(nn.ReLU())
    model.forward = forward
    with pytest.raises(ValueError, match=f"export: .*{message}"):
        export(model, tmp_path / "net.onnx", (4, 4, 3))
    assert not list(tmp_path.glob("*.onnx")) and F.relu(Tensor([-1.0])).item() == 0
    assert not settings().stand_ins  # nobody records any more


class Paused(nn.Module):
    """A net that calls a function while it runs."""

    pause = staticmethod(lambda: None)

    def __init__(self):
        self.conv, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)

    def forward(self, x):
        x = self.conv(x)
        self.pause()
        return self.fc(F.global_avg_pool(x))


def test_a_training_in_another_thread_does_not_notice(tmp_path, monkeypatch):
    """It takes a step, with a loss that has no counterpart, while the exported model runs."""
    nn.manual_seed(0)
    learner, model = models.resnet8(), Paused()
    optimizer = optim.SGD(learner.parameters(), lr=0.01)
    x, labels, losses = numpy.ones((2, 8, 8, 3), "f4"), numpy.array([0, 1]), []

    def step():
        loss = F.cross_entropy(learner(Tensor(x)), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    def step_elsewhere():
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()

    export(model, tmp_path / "quiet.onnx", (8, 8, 3))
    monkeypatch.setattr(Paused, "pause", staticmethod(step_elsewhere))
    export(model, tmp_path / "net.onnx", (8, 8, 3))
    assert len(losses) == 1 and numpy.isfinite(losses).all()
    assert (tmp_path / "net.onnx").read_bytes() == (tmp_path / "quiet.onnx").read_bytes()


def test_without_the_package_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match="the package onnx is missing: pip install onnx"):
        export(models.resnet20(), tmp_path / "net.onnx", (8, 8, 3))


def test_the_command_exports_a_trained_net_with_what_is_needed_to_use_it(capsys):
    nn.manual_seed(0)
    facts = {
        "model": "resnet20",
        "classes": ["ant", "bee"],
        "size": [16, 16, 3],
        "mean": [0.4, 0.5, 0.6],
        "std": [0.2, 0.3, 0.4],
    }
    model = models.resnet20(num_classes=2)
    save_weights("w.safetensors", model.state_dict(), **facts)
    assert typed("export", "--weights", "w.safetensors") == 0
    assert (
        capsys.readouterr().out
        == "resnet20.onnx: from images (N, 3, 16, 16), each channel normalised by mean and std, to logits (N, 2)\n"
    )
    found = onnx.load("resnet20.onnx")
    told = {entry.key: json.loads(entry.value) for entry in found.metadata_props}
    assert told == {name: fact for name, fact in facts.items() if name not in ("model", "size")}
    assert typed("export", "--weights", "w.safetensors", "--to", "missing/net.onnx") == 2
    assert typed("export", "nothing") == 2
    save_weights("bare.safetensors", model.state_dict())
    capsys.readouterr()
    assert typed("export", "--weights", "bare.safetensors") == 2
    assert "the weights do not say how large an image is: add --size" in capsys.readouterr().err
