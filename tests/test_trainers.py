"""Checkpoints in the layouts of common trainers: the weights in them are read, whatever is next to them."""

import argparse
import collections
import dataclasses
import datetime
import enum
import functools
import pathlib
import warnings

import numpy
import pytest
from numpy.testing import assert_array_equal

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from minires import models, pretrained  # noqa: E402
from minires.checkpoint import CheckpointError, load_weights  # noqa: E402
from minires.cli import weights  # noqa: E402
from tests.twins import Twin  # noqa: E402

NARROW, WIDE = (16, 32, 64), (64, 128, 256, 512)


def net(seed=0, **options):
    torch.manual_seed(seed)
    return Twin((3, 3, 3), NARROW, **{"shortcut": "A", "num_classes": 3, **options})


def trained(model):
    """An optimizer and a scheduler after a step, as they are saved."""
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.zeros(2, 8, 8, 3)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [100, 100, 150])
    return optimizer.state_dict(), scheduler.state_dict()


class AttributeDict(dict):
    """As Lightning keeps hyperparameters."""

    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


class Ordered(collections.OrderedDict):
    """A state dict of a class of its own."""


class Colour(enum.Enum):
    RED = 1


class Flags(enum.IntFlag):
    ONE = 1


@dataclasses.dataclass(frozen=True)
class Config:
    lr: float = 0.1


class Itself:
    def __init__(self):
        self.me = self


def prefixed(prefix, state):
    return {prefix + name: value for name, value in state.items()}


MODEL = net()
STATE = MODEL.state_dict()
EMA = {name: value + 1 for name, value in STATE.items()}
OPTIMIZER, SCHEDULER = trained(net())
AVERAGED = torch.optim.swa_utils.AveragedModel(MODEL, use_buffers=True)
ARGS = argparse.Namespace(lr=0.1, data=pathlib.Path("data"), device=torch.device("cpu"), seed=None)
LIGHTNING = {
    "epoch": 3, "global_step": 120, "pytorch-lightning_version": "2.4.0", "loops": {"fit_loop": {"state_dict": {}}},
    "callbacks": {"ModelCheckpoint{'monitor': 'val_loss'}": {"best_model_score": torch.tensor(0.3), "best_model_path": "x"}, Config: {}},
    "optimizer_states": [OPTIMIZER], "lr_schedulers": [SCHEDULER], "hparams_name": "kwargs", "hparams_type": AttributeDict,
    "hyper_parameters": AttributeDict(lr=0.1, config=Config()),
}  # fmt: skip

FILES = {
    "bare": STATE,
    "with parameters": {**STATE, **dict(MODEL.named_parameters())},
    "an ordered dict of its own class": Ordered(STATE),
    "flat, with other things": {**STATE, "epoch": 3, "args": ARGS, "accuracy": numpy.float64(0.9), "note": None},
    "timm": {"epoch": 3, "arch": "resnet20", "state_dict": STATE, "optimizer": OPTIMIZER, "version": 2, "args": ARGS, "amp_scaler":
             {"scale": 65536.0, "growth_factor": 2.0}, "state_dict_ema": EMA, "metric": numpy.float64(91.5)},
    "Lightning": {**LIGHTNING, "state_dict": {**prefixed("model.", STATE), "criterion.weight": torch.ones(3),
                                              "val_accuracy.confusion": torch.zeros(3, 3)}},
    "Lightning, compiled": {**LIGHTNING, "state_dict": prefixed("model._orig_mod.", STATE)},
    "Lightning with an average": {**LIGHTNING, "state_dict": {**prefixed("net.", STATE), **prefixed("ema_net.module.", EMA)}},
    "torchvision's references": {"model": STATE, "optimizer": OPTIMIZER, "lr_scheduler": SCHEDULER, "epoch": 3, "args": ARGS,
                                 "model_ema": {"n_averaged": torch.tensor(5), **prefixed("module.", EMA)}, "scaler": {"scale": 1.0}},
    "akamaster": {"state_dict": {"module." + name.replace("fc.", "linear."): value for name, value in STATE.items()}, "best_prec1": 91.7},
    "kuangliu": {"net": prefixed("module.", STATE), "acc": numpy.float32(91.2), "epoch": 3},
    "fastai": {"model": STATE, "opt": {"state": [], "hypers": [{"lr": numpy.float64(0.1)}]}},
    "ImageNet's example": {"epoch": 3, "arch": "resnet", "state_dict": prefixed("module.", STATE), "best_acc1": torch.tensor(70.0),
                           "optimizer": OPTIMIZER, "scheduler": SCHEDULER},
    "torch.compile": prefixed("_orig_mod.", STATE),
    "compiled in parts": {name.replace("layer1.", "layer1._orig_mod."): value for name, value in STATE.items()},
    "compiled, then parallel": prefixed("module._orig_mod.", STATE),
    "parallel, then compiled": prefixed("_orig_mod.module.", STATE),
    "parallel twice": prefixed("module.module.", STATE),
    "sharded": prefixed("_fsdp_wrapped_module.", STATE),
    "in the manner of MMEngine": {"meta": {"time": datetime.datetime(2026, 1, 1), "cfg": "x"}, "state_dict": prefixed("backbone.", STATE), "message_hub":
                 {"log": {"loss": collections.deque([1.0])}}},
    "DeepSpeed": {"module": STATE, "optimizer": None, "dtype": torch.float32, "mp_world_size": 1},
    "an average alone": {"epoch": 3, "state_dict_ema": STATE},
    "an averaged model": AVERAGED.state_dict(),
    "an average within": {"ema": {"module": STATE, "decay": 0.999}, "rng": {"cpu": torch.get_rng_state()}},
    "in the manner of VISSL": {"phase_idx": 9, "classy_state_dict": {"base_model": {"model": {"trunk": prefixed("_feature_blocks.", STATE)}},
                               "optimizer": OPTIMIZER}},
    "weights within": {"model": {"state_dict": STATE, "args": ARGS}, "epoch": 3},
    "a name of one's own": {"resnet": STATE, "random": {"torch": torch.get_rng_state(), "numpy": numpy.random.get_state(legacy=False)}},
}  # fmt: skip


def ours(value):
    """An array in our layout."""
    axes = {4: (2, 3, 1, 0), 2: (1, 0)}.get(value.ndim, range(value.ndim))
    return value.detach().numpy().transpose(axes)


def in_our_layout(state):
    return {name: ours(value) for name, value in state.items() if "num_batches" not in name}


def assert_same(found, state):
    state = in_our_layout(state)
    assert found.keys() == state.keys()
    for name, value in state.items():
        assert_array_equal(found[name], value)


@pytest.mark.parametrize("layout", FILES)
def test_weights_are_read_from_the_layout_of_a_trainer(layout, tmp_path):
    for options in ({}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 5}):
        torch.save(FILES[layout], tmp_path / "w.pth", **options)
        state, facts = pretrained.read(tmp_path / "w.pth")
        assert_same(state, STATE)
        assert facts["model"] == "resnet20" and facts["options"]["num_classes"] == 3


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch's, of what it will not keep
    BESIDE = {
        "number": numpy.float64(91.2), "numbers": numpy.arange(3.0), "texts": numpy.array(["a"]), "objects": numpy.array([{}], object),
        "type of NumPy": numpy.dtype("f4"), "generator": numpy.random.default_rng(0), "state of NumPy": numpy.random.get_state(),
        "arguments": ARGS, "counter": collections.Counter([100]), "default": collections.defaultdict(list, a=[1]), "set": {1, 2},
        "deque": collections.deque([1]), "type": torch.float32, "device": torch.device("cpu"), "size": torch.Size([1, 2]),
        "layout": torch.strided, "path": pathlib.PosixPath("/a"), "other path": pathlib.PureWindowsPath("c:/a"),
        "date": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "enum": Colour.RED, "flags": Flags.ONE, "function": functools.partial(print, 1),
        "another function": torch.nn.functional.relu, "class": Config, "dataclass": Config(), "dict": AttributeDict(a=1),
        "cycle": Itself(), "error": ValueError("x"), "complex": 1j, "bytes": b"\xff", "bytearray": bytearray(b"x"), "slice": slice(1, 2),
        "large": 1 << 100, "keys": {Config(): 1, Colour.RED: 2, torch.float32: 3, numpy.float64(2): 4, (1, Config()): 5},
        "module": torch.nn.Linear(2, 2), "parameter": torch.nn.Parameter(torch.ones(2, 2)), "random": torch.Generator().get_state(),
        "storage": torch.ones(2).untyped_storage(), "typed": torch.ones(2).storage(), "sparse": torch.ones(2, 2).to_sparse(),
        "rows": torch.ones(2, 2).to_sparse_csr(), "no data": torch.ones(2, 2, device="meta"), "float8": torch.ones(2, 2).to(torch.float8_e4m3fn),
        "conjugate": torch.ones(2, 2, dtype=torch.complex64).conj(), "optimizer": OPTIMIZER, "scheduler": SCHEDULER,
        "quantised": torch.quantize_per_tensor(torch.ones(2, 2), 1.0, 0, torch.qint8),
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}], ids=str)  # fmt: skip
def test_whatever_is_beside_the_weights_does_not_matter(options, tmp_path):
    for name, thing in BESIDE.items():
        for content in ({"state_dict": {"a.w": torch.ones(2, 3)}, name: thing}, {"model": {"a.w": torch.ones(2, 3)}, "more": {"x": [thing]}}):  # fmt: skip
            torch.save(content, tmp_path / "w.pth", **options)
            state, _ = load_weights(tmp_path / "w.pth")
            assert list(state) == ["a.w"], name
            assert_array_equal(state["a.w"], numpy.ones((3, 2)))


AMONG = {
    "quantised": "torch.QInt8Storage|torch._utils._rebuild_qtensor", "sparse": "torch._utils._rebuild_sparse_tensor",
    "rows": "torch._utils._rebuild_sparse_tensor", "no data": "torch._utils._rebuild_meta_tensor_no_storage", "float8": "torch.float8_e4m3fn",
    "conjugate": "a tensor with a pending conjugation", "numbers": r"numpy\..*_reconstruct", "arguments": "argparse.Namespace",
    "type": "torch.float32", "module": "torch.nn.modules.linear.Linear",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", AMONG)
def test_what_is_no_plain_tensor_among_the_weights_is_named(kind, tmp_path):
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        content = {"state_dict": {"a.w": torch.ones(2), "b.w": BESIDE[kind]}}
        torch.save(content, tmp_path / "w.pth", **options)
        with pytest.raises(CheckpointError, match=rf"w.pth: b.w is ({AMONG[kind]}).*: expected a plain tensor"):  # fmt: skip
            load_weights(tmp_path / "w.pth")


def test_a_tensor_with_attributes_or_of_its_own_class_is_a_tensor(tmp_path):
    class Named(torch.Tensor):
        pass

    globals()["Named"] = Named
    Named.__qualname__ = "Named"
    plain, parameter = torch.arange(6.0).reshape(2, 3), torch.nn.Parameter(torch.ones(2))
    plain.note, parameter.note = "a", "b"
    state = {"a.w": plain, "b.w": parameter, "c.w": torch.ones(4).as_subclass(Named)}
    state |= {"d.w": torch.arange(3).to(torch.uint16), "e.w": torch.ones(4, dtype=torch.complex64)}  # fmt: skip
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        torch.save(state, tmp_path / "w.pth", **options)
        found, _ = load_weights(tmp_path / "w.pth")
        assert found.keys() == state.keys()
        for name, value in state.items():
            value = value.detach().as_subclass(torch.Tensor)
            assert_array_equal(found[name], ours(value))
            assert found[name].dtype == value.numpy().dtype


def test_both_kinds_of_files_give_the_same_arrays(tmp_path):
    """Of each type, in each order in memory, and for views of one storage."""
    whole = torch.arange(24.0).reshape(2, 3, 2, 2)
    state = {str(dtype): torch.arange(5).to(dtype) for dtype in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
        torch.uint16, torch.uint32, torch.uint64, torch.bool, torch.complex64)}  # fmt: skip
    state |= {"number": torch.tensor(3.5), "count": torch.tensor(7), "empty": torch.zeros(0, 3), "half empty": torch.zeros(2, 0, 3, 3).bfloat16(),
              "whole": whole, "part": whole[1, 1:], "turned": whole.permute(3, 1, 0, 2), "channels last": whole.to(memory_format=torch.channels_last),
              "repeated": torch.ones(1).expand(2, 3), "bfloat16 part": whole.bfloat16()[0, :, 1]}  # fmt: skip
    save_file({name: value.clone().contiguous() for name, value in state.items()}, tmp_path / "w")
    others, _ = load_weights(tmp_path / "w")
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        torch.save(state, tmp_path / "w.pth", **options)
        found, _ = load_weights(tmp_path / "w.pth")
        assert found.keys() == others.keys() == state.keys()
        for name, value in state.items():
            expected = ours(value.float() if value.dtype == torch.bfloat16 else value)
            for array in (found[name], others[name]):
                assert array.dtype == expected.dtype and array.shape == expected.shape, name
                assert_array_equal(array, expected, err_msg=name)


# Several sets of weights.


def test_of_weights_and_their_average_the_weights_are_read_unless_the_other_is_named(tmp_path):
    path = tmp_path / "w.pth"
    for layout, key in (("timm", "state_dict_ema"), ("torchvision's references", "model_ema"), ("Lightning with an average", "ema_net.module")):  # fmt: skip
        torch.save(FILES[layout], path)
        told = []
        assert_same(pretrained.read(path, told.append)[0], STATE)
        assert len(told) == 1 and key.partition(".")[0] in told[0]
        assert_same(pretrained.read(f"{path}:{key}")[0], EMA)
        with pytest.raises(ValueError, match="w.pth.* no weights under 'average'"):
            pretrained.read(f"{path}:average")


def test_two_nets_of_equal_right_are_named(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"state_dict": {**prefixed("module.encoder_q.", STATE), **prefixed("module.encoder_k.", EMA)}}, path)  # fmt: skip
    with pytest.raises(
        CheckpointError,
        match=r"expected one network, got 2, whose names begin with encoder_q., encoder_k.",
    ):
        pretrained.read(path)
    assert_same(pretrained.read(f"{path}:encoder_k")[0], EMA)
    torch.save({"generator": STATE, "critic": EMA}, path)
    with pytest.raises(
        CheckpointError, match="2 sets of weights: choose one with FILE:generator or FILE:critic"
    ):
        pretrained.read(path)
    assert_same(pretrained.read(f"{path}:critic")[0], EMA)


# Names.


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "module.module.", "model.",
                                    "backbone.", "model.net.", "ema.module.", "module.model._orig_mod."])  # fmt: skip
def test_a_net_is_built_whatever_its_names_begin_with(prefix, tmp_path):
    save_file({prefix + name: value.clone() for name, value in STATE.items()}, tmp_path / "w")
    for state, facts in (pretrained.read(tmp_path / "w"), (load_weights(tmp_path / "w")[0], {"model": "resnet20", "options": {"shortcut": "A"}})):  # fmt: skip
        model = weights.built("w", state, facts)
        assert_same(model.state_dict(), STATE)
        other = models.resnet20(num_classes=5, shortcut="A")
        assert "is new" in weights.take_over(other, state, facts, list("abcde"))
        assert_array_equal(other.state_dict()["conv1.weight"], in_our_layout(STATE)["conv1.weight"])


def test_kuangliu_calls_the_projection_shortcut(tmp_path):
    state = Twin((2, 2, 2, 2), WIDE, num_classes=10).state_dict()
    others = {"module." + name.replace("downsample", "shortcut").replace("fc.", "linear."): value for name, value in state.items()}  # fmt: skip
    torch.save({"net": others, "acc": 95.0, "epoch": 3}, tmp_path / "w.pth")
    found, facts = pretrained.read(tmp_path / "w.pth")
    assert_same(found, state)
    assert facts["model"] == "resnet18" and facts["options"]["shortcut"] == "B"


def test_what_is_no_part_of_the_net_is_said_to_be_left_out(tmp_path):
    torch.save(FILES["Lightning"], tmp_path / "w.ckpt")
    told = []
    pretrained.read(tmp_path / "w.ckpt", told.append)
    assert [line for line in told if "left out 2 arrays that are not part of the network: criterion.weight, val_accuracy.confusion" in line]  # fmt: skip


def test_names_that_nothing_explains_are_shown_next_to_the_missing_ones(tmp_path):
    save_file({f"x{name}": value.clone() for name, value in STATE.items()}, tmp_path / "w")
    with pytest.raises(ValueError) as error:
        weights.built("w", load_weights(tmp_path / "w")[0], {"model": "resnet20"})
    lines = str(error.value).splitlines()
    assert sum("missing: " in line for line in lines) == sum("unknown: x" in line for line in lines) == 6  # fmt: skip
    assert lines[-1].strip().startswith("and ")


@pytest.mark.parametrize("wrap", [lambda state: (state, 91.5), lambda state: [3, {"net": state}],
    lambda state: {"models": [state], "rng": torch.get_rng_state(), "optimizer": {"state": {0: {"exp_avg": torch.ones(3, 3)}}}}],
    ids=["a tuple", "nested", "a list beside others"])  # fmt: skip
def test_weights_in_a_list_or_tuple_are_read(wrap, tmp_path):
    state = net().state_dict()
    torch.save(state, tmp_path / "plain.pth")
    torch.save(wrap(state), tmp_path / "w.pth")
    found, plain = (load_weights(tmp_path / name)[0] for name in ("w.pth", "plain.pth"))
    assert list(found) == list(plain)
    for name, value in plain.items():
        assert_array_equal(found[name], value)


def test_of_several_in_a_list_one_is_chosen_by_its_number(tmp_path):
    first, second = net(0).state_dict(), net(1).state_dict()
    torch.save({"models": [first, second]}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"FILE:models\.0 or FILE:models\.1"):
        load_weights(tmp_path / "w.pth")
    found, _ = load_weights(tmp_path / "w.pth", key="models.1")
    assert_array_equal(found["fc.weight"].T, second["fc.weight"].numpy())


def test_a_list_does_not_compete_with_weights_under_a_name(tmp_path):
    state = net().state_dict()
    torch.save({"history": [{"a.w": torch.ones(9, 9)}], "student": state}, tmp_path / "w.pth")
    assert "fc.weight" in load_weights(tmp_path / "w.pth")[0]


@pytest.mark.parametrize("extra", [numpy.float32(3), argparse.Namespace(a=1), {"a": 1}, None, b"x"])
def test_the_extra_state_of_a_module_is_no_weight(extra, tmp_path):
    torch.save({**net().state_dict(), "fc._extra_state": extra}, tmp_path / "w.pth")
    found, _ = load_weights(tmp_path / "w.pth")
    assert "fc.weight" in found and "fc._extra_state" not in found
