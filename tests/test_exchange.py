"""The world's ResNets in, ours out: files of PyTorch's and of safetensors, both ways, with logits equal to PyTorch's."""

import numpy
import pytest
from numpy.testing import assert_array_equal

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from minires import Tensor, models, nn, no_grad, pretrained  # noqa: E402
from minires.checkpoint import load_weights, save_weights  # noqa: E402
from tests.twins import Twin  # noqa: E402

WIDE, NARROW = (64, 128, 256, 512), (16, 32, 64)
IMAGENET = {
    "resnet18": ((2, 2, 2, 2), False), "resnet34": ((3, 4, 6, 3), False), "resnet50": ((3, 4, 6, 3), True),
    "resnet101": ((3, 4, 23, 3), True), "resnet152": ((3, 8, 36, 3), True),
}  # fmt: skip
LARGEST = {"float32": 1e-5, "float64": 1e-9}  # relative difference of the logits


def twin_of(name):
    depths, bottleneck = IMAGENET[name]
    return Twin(depths, WIDE, bottleneck=bottleneck, stem="imagenet", num_classes=1000)


def shaken(twin, dtype):
    """Random weights that keep numbers in range, random statistics; in evaluation."""
    generator = torch.Generator().manual_seed(0)
    for name, value in twin.state_dict().items():
        if value.ndim == 1:
            middle = 1.0 if name.endswith(("weight", "running_var")) else 0.0
            value.copy_(middle + 0.3 * (2 * torch.rand(value.shape, generator=generator) - 1))
    return twin.to(getattr(torch, dtype)).eval()


def pixels(dtype):
    return numpy.random.default_rng(0).standard_normal((2, 224, 224, 3)).astype(dtype)


def logits(model, x):
    if isinstance(model, torch.nn.Module):
        with torch.no_grad():
            return model(torch.tensor(x)).numpy()
    with no_grad():
        return model.eval()(Tensor(x)).numpy()


def apart(ours, theirs):
    """The relative L2 distance."""
    return numpy.linalg.norm(ours.astype("f8") - theirs) / numpy.linalg.norm(theirs)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("dtype", LARGEST)
@pytest.mark.parametrize("name", IMAGENET)
def test_a_net_of_imagenet_gives_pytorchs_logits_both_ways(name, dtype, tmp_path):
    theirs, x = shaken(twin_of(name), dtype), pixels(dtype)
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    state, facts = pretrained.read(tmp_path / "theirs.pth")
    other, _ = pretrained.read(tmp_path / "theirs.safetensors")
    assert list(state) and set(state) == set(other)
    for key, value in state.items():
        assert_array_equal(value, other[key])
    assert (
        facts["model"] == name and facts["size"] == [224, 224, 3] and len(facts["classes"]) == 1000
    )
    ours = models.build(name, **facts["options"]).astype(dtype)
    ours.load_state_dict(state)
    expected = logits(theirs, x)
    assert expected.dtype == dtype and numpy.abs(expected).max() > 0.01
    assert apart(logits(ours, x), expected) < LARGEST[dtype]

    nn.manual_seed(1)
    mine = models.build(name, stem="imagenet", num_classes=1000).astype(dtype)
    save_weights(tmp_path / "mine.safetensors", mine.state_dict())
    back = twin_of(name).to(getattr(torch, dtype)).eval()
    state = load_file(tmp_path / "mine.safetensors")
    assert set(state) == {
        key for key in back.state_dict() if not key.endswith("num_batches_tracked")
    }
    back.load_state_dict(state)  # strictly: what PyTorch counts beside them it adds itself
    assert apart(logits(mine, x), logits(back, x)) < LARGEST[dtype]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_a_net_for_cifar_comes_as_a_training_script_saved_it(zipped, tmp_path):
    """On several GPUs, as `linear`, in a dict with other things."""
    twin = shaken(Twin((3, 3, 3), NARROW, shortcut="A"), "float32")
    state = {
        f"module.{key.replace('fc.', 'linear.')}": value for key, value in twin.state_dict().items()
    }
    kept = {"state_dict": state, "epoch": 3, "best_prec1": torch.tensor(91.7), "name": "resnet20"}
    torch.save(kept, tmp_path / "w.th", _use_new_zipfile_serialization=zipped)
    state, facts = pretrained.read(tmp_path / "w.th")
    assert (
        facts["model"] == "resnet20"
        and facts["options"]["shortcut"] == "A"
        and "classes" not in facts
    )
    ours = models.build(facts["model"], **facts["options"])
    ours.load_state_dict(state)
    x = numpy.random.default_rng(0).standard_normal((4, 32, 32, 3)).astype("f4")
    assert apart(logits(ours, x), logits(twin, x)) < 1e-5


def test_what_does_not_fit_is_named(tmp_path):
    twin = Twin((1, 1, 1, 1), WIDE, stem="imagenet", num_classes=5)
    torch.save({**twin.state_dict(), "fc.extra": torch.zeros(2)}, tmp_path / "w.pth")
    state, facts = pretrained.read(tmp_path / "w.pth")
    assert facts == {}  # no net of ours has such depths
    with pytest.raises(ValueError, match=r"(?s)missing: layer1.1.conv1.weight.*and \d+ more"):
        models.resnet18(stem="imagenet", num_classes=1000).load_state_dict(state)
    with pytest.raises(
        ValueError, match=r"(?s)unknown: fc.extra.*fc.bias: expected shape \(1000,\), got \(5,\)"
    ):
        models.ResNet(
            models.BasicBlock, (1, 1, 1, 1), WIDE, stem="imagenet", num_classes=1000
        ).load_state_dict(state)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_tensors_of_each_kind_come_in(zipped, tmp_path):
    whole = torch.arange(100.0).reshape(10, 10)
    state = {
        "transposed": torch.randn(4, 3).t(), "part": whole[2:5, 1:4], "row": whole[3], "every second": whole[::2, ::2],
        "int64": torch.arange(5), "int32": torch.arange(5).int(), "int8": torch.arange(5).char(), "uint8": torch.arange(5).byte(),
        "float64": torch.randn(3).double(), "float16": torch.randn(2, 2).half(), "bool": torch.tensor([True, False]),
        "number": torch.tensor(3.5), "empty": torch.zeros(0, 3), "parameter": torch.nn.Parameter(torch.randn(2, 3)),
    }  # fmt: skip
    torch.save(
        {**state, "bfloat16": torch.tensor([1.5, -2.25]).bfloat16()},
        tmp_path / "w.pt",
        _use_new_zipfile_serialization=zipped,
    )
    found, _ = load_weights(tmp_path / "w.pt")
    assert_array_equal(found.pop("bfloat16"), numpy.array([1.5, -2.25], "f4"))
    assert found.keys() == state.keys()
    for key, value in state.items():
        value = value.detach().numpy()
        value = value.T if value.ndim == 2 else value  # a linear weight, as it is read
        assert found[key].dtype == value.dtype and found[key].shape == value.shape, key
        assert_array_equal(found[key], value)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_a_whole_pickled_module_is_refused(zipped, tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        ValueError,
        match=r"w.pth: the pickle asks for torch.nn.modules.linear.Linear, which was not run.*save its state_dict\(\) instead",
    ):
        load_weights(tmp_path / "w.pth")
