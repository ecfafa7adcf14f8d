"""Files of weights: PyTorch's layout and names, a checksum over everything, and sentences for what is damaged."""

import json
import struct

import numpy
import pytest
from numpy.testing import assert_array_equal
from safetensors import safe_open
from safetensors.numpy import save_file

from minires import Tensor, checkpoint, models, nn
from minires.backend import to_device, to_host
from minires.checkpoint import CheckpointError, load, load_weights, packed, save_weights

pytestmark = pytest.mark.usefixtures("each_backend")

STATE = {
    "conv1.weight": numpy.arange(2 * 3 * 4 * 5, dtype=numpy.float32).reshape(2, 3, 4, 5),
    "fc.weight": numpy.arange(6, dtype=numpy.float64).reshape(2, 3),
    "fc.bias": numpy.array([1.0, -2.0, numpy.pi], numpy.float32),
    "count": numpy.array(7),
}
FACTS = {
    "model": "resnet20",
    "options": {"shortcut": "A"},
    "classes": ["ä", "b"],
    "mean": [0.1, 0.2, 0.30000000000000004],
}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, STATE, **FACTS)
    return path


def test_what_is_saved_comes_back_bit_for_bit(saved):
    state, facts = load_weights(saved)
    assert facts == FACTS and set(state) == set(STATE)
    for name, array in STATE.items():
        assert state[name].dtype == array.dtype
        assert_array_equal(state[name], array)


def test_the_same_state_gives_the_same_bytes(saved):
    assert len({packed(STATE, FACTS) for _ in range(20)}) == 1


def test_the_file_is_in_pytorchs_layout(saved):
    with safe_open(saved, "np") as file:
        conv, linear = file.get_tensor("conv1.weight"), file.get_tensor("fc.weight")
    assert conv.shape == (5, 4, 2, 3) and linear.shape == (3, 2)
    assert (
        conv[4, 3, 1, 2] == STATE["conv1.weight"][1, 2, 3, 4]
        and linear[2, 0] == STATE["fc.weight"][0, 2]
    )


def test_a_whole_model_goes_out_and_comes_in(tmp_path):
    nn.manual_seed(0)
    one, other = models.resnet20(), models.resnet20()
    one.bn1.running_mean[...] = to_device(numpy.arange(16, dtype=numpy.float32))
    save_weights(tmp_path / "m", one.state_dict())
    other.load_state_dict(load_weights(tmp_path / "m")[0])
    assert_array_equal(to_host(other.bn1.running_mean), numpy.arange(16))
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert_array_equal(a, b, err_msg=name)


def test_names_of_others_are_read_as_ours(tmp_path):
    others = {"module.conv1.weight": numpy.zeros((5, 4, 2, 3)), "module.linear.weight": numpy.zeros((3, 2)), "module.linear.bias": numpy.ones(3),
              "module.bn1.num_batches_tracked": numpy.array(5), "module.layer1.0.linear.weight": numpy.zeros((1, 2))}  # fmt: skip
    save_file(others, tmp_path / "w")
    state, facts = load_weights(tmp_path / "w")
    shapes = {name: array.shape for name, array in state.items()}
    assert facts == {}
    assert shapes == {
        "conv1.weight": (2, 3, 4, 5),
        "fc.weight": (2, 3),
        "fc.bias": (3,),
        "layer1.0.linear.weight": (2, 1),
    }


def test_every_flipped_bit_is_seen(saved):
    """In the header, in the facts, in the checksum, in the numbers: none goes unnoticed."""
    whole = bytearray(saved.read_bytes())
    rng = numpy.random.default_rng(0)
    length = int.from_bytes(whole[:8], "little")
    places = [
        *range(8),
        *rng.integers(8, 8 + length, 150),
        *rng.integers(8 + length, len(whole), 60),
    ]
    for place in places:
        broken = whole.copy()
        broken[place] ^= 1 << int(rng.integers(8))
        saved.write_bytes(broken)
        try:
            state, facts = load_weights(saved)
        except CheckpointError as error:
            assert "w.safetensors" in str(error) and "another copy" in str(error)
        else:  # spaces that pad the header may change
            assert facts == FACTS and all((state[name] == STATE[name]).all() for name in STATE)
            assert 8 <= place < 8 + length


@pytest.mark.parametrize("size", [0, 4, 8, 50, 300, -1, -200])
def test_a_file_that_is_cut_off_is_refused(saved, size):
    saved.write_bytes(saved.read_bytes()[:size])
    with pytest.raises(
        CheckpointError,
        match=r"w.safetensors is damaged, cut off, or no safetensors file .*: [\d,]+ bytes",
    ):
        load_weights(saved)


def test_something_else_is_refused(tmp_path):
    for data, message in ((b"a text, say" * 10, "is damaged, cut off, or no safetensors file"),
                          (b"\x80\x04 a pickle, say" * 10, "w: the pickle is damaged"), (b"PK, say" * 10, "w: the archive is damaged")):  # fmt: skip
        (tmp_path / "w").write_bytes(data)
        with pytest.raises(CheckpointError, match=message):
            load_weights(tmp_path / "w")
    with pytest.raises(FileNotFoundError):
        load_weights(tmp_path / "none")


def test_a_file_of_a_newer_version_says_what_to_do(tmp_path, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(checkpoint, "VERSION", checkpoint.VERSION + 1)
        save_weights(tmp_path / "w", STATE)
    with pytest.raises(CheckpointError, match="written by a newer minires: update this one"):
        load_weights(tmp_path / "w")


def test_a_changed_fact_is_seen(saved):
    """Somebody edits the mean by hand."""
    data = saved.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = data[8 : 8 + length].replace(b"0.2,", b"0.3,")
    assert header != data[8 : 8 + length] and json.loads(header)
    saved.write_bytes(data[:8] + header + data[8 + length :])
    with pytest.raises(CheckpointError, match="its checksum does not match"):
        load_weights(saved)


def test_arrays_that_are_no_weights_keep_their_layout(tmp_path):
    (tmp_path / "l").write_bytes(
        packed({"0.velocity": STATE["conv1.weight"], "empty": numpy.zeros((0, 3))}, {"step": 2**70})
    )
    arrays, facts = load(tmp_path / "l")
    assert (
        arrays["0.velocity"].shape == (2, 3, 4, 5)
        and arrays["empty"].shape == (0, 3)
        and facts == {"step": 2**70}
    )


def test_an_array_in_another_order_of_memory_is_saved_as_it_reads(tmp_path):
    state = {"a": numpy.arange(6.0).reshape(2, 3).T, "b": numpy.arange(12.0)[::3]}
    save_weights(tmp_path / "w", state)
    for name, array in load_weights(tmp_path / "w")[0].items():
        assert_array_equal(array, state[name])


# Numbers in every order and width.


def test_arrays_are_saved_as_they_read_whatever_their_order_in_memory(tmp_path):
    """The file is compared with what another library reads from it."""
    plain = numpy.arange(24.0).reshape(2, 3, 4)
    state = {
        "big": plain.astype(">f4"), "big ints": numpy.arange(3, dtype=">i8"), "fortran": numpy.asfortranarray(plain), "turned": plain.T,
        "backwards": plain[::-1, :, ::-1], "row": plain[1, 1], "repeated": numpy.broadcast_to(numpy.float32(2), (2, 3)),
        "number": numpy.array(7, ">u2"), "scalar": numpy.float32(3), "empty": numpy.zeros((0, 3, 2, 2)), "bool": numpy.array([True, False]),
        "half": numpy.array([0.5], ">f2"), "complex": numpy.array([1 + 2j], "c8"), "bytes": numpy.arange(3, dtype="u1"),
        "read-only": numpy.frombuffer(bytes(8)), "part of another": plain[:, 1:, ::2], "unaligned": numpy.frombuffer(bytes(9), "u1")[1:].view("f8"),
    }  # fmt: skip
    (tmp_path / "w").write_bytes(packed(state, {"model": "x"}))
    with safe_open(tmp_path / "w", "np") as file:
        others = {name: file.get_tensor(name) for name in state}
    arrays, _ = load(tmp_path / "w")
    for name, array in state.items():
        for found in (arrays[name], others[name]):
            assert_array_equal(found, array, err_msg=name)
            assert found.shape == array.shape and found.dtype == array.dtype.newbyteorder("=")
    save_weights(tmp_path / "w", state)
    again, _ = load_weights(tmp_path / "w")
    assert all((again[name] == array).all() for name, array in state.items())


@pytest.mark.parametrize(
    ("value", "told"),
    [(numpy.ones(2, complex), "complex128"), (numpy.array(["a"]), "<U1"), (numpy.array([{}]), "object"), (numpy.ones(2, "M8[D]"), "datetime64"),
     (1.0, "a float"), ([1.0], "a list"), (None, "a NoneType"), (Tensor([1.0]), "a Tensor")],
    ids=str,
)  # fmt: skip
def test_what_a_file_cannot_hold_is_named_before_anything_is_written(value, told, tmp_path):
    with pytest.raises(ValueError, match=f"b.w: expected .*, got {told}"):
        save_weights(tmp_path / "w", {"a.w": numpy.ones(2), "b.w": value})
    for name in ("__metadata__", 3):
        with pytest.raises(ValueError, match=f"expected the name of an array, got {name!r}"):
            save_weights(tmp_path / "w", {name: numpy.ones(2)})
    assert list(tmp_path.iterdir()) == []


def written_by_hand(path, **tensors):
    """A safetensors file from (type, shape, bytes) by name, as the format's description has it."""
    header, data = {}, b""
    for name, (kind, shape, numbers) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(numbers)]}  # fmt: skip
        data += numbers
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_bfloat16_is_read_as_float32(tmp_path):
    bits = struct.pack("<4H", 0x3FC0, 0xC010, 0x7F80, 0x0001)  # by hand
    written_by_hand(tmp_path / "w", a=("BF16", [2, 2], bits), b=("BF16", [], bits[2:4]), c=("BF16", [0, 3], b""))  # fmt: skip
    state, facts = load_weights(tmp_path / "w")
    assert facts == {} and {array.dtype for array in state.values()} == {numpy.dtype("f4")}
    assert_array_equal(state["a"], numpy.array([[1.5, numpy.inf], [-2.25, 2.0**-133]], "f4"))
    assert state["b"] == -2.25 and state["b"].shape == () and state["c"].shape == (3, 0)


def test_a_state_in_bfloat16_is_saved_as_float32(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    save_weights(tmp_path / "w", {"a": numpy.array([1.5, -2.25], ml_dtypes.bfloat16)}, model="x")
    state, facts = load_weights(tmp_path / "w")
    assert state["a"].dtype == "f4" and state["a"].tolist() == [1.5, -2.25] and facts == {"model": "x"}  # fmt: skip


def test_types_that_numpy_does_not_have_are_named(tmp_path):
    written_by_hand(tmp_path / "w", a=("F32", [1], bytes(4)), b=("F8_E4M3", [2], bytes(2)))
    with pytest.raises(
        CheckpointError, match="w: b has the type F8_E4M3, which NumPy does not have"
    ):
        load_weights(tmp_path / "w")


# Names.


def test_names_in_our_own_files_are_left_as_they_are(tmp_path):
    """A net of one's own may have a `module`, a `linear` or an `n_averaged`, and a ResNet's names under them."""
    state = {name: numpy.ones(2) for name in ("module.conv1.weight", "module.layer1.0.shortcut.w", "module.linear.weight",
                                              "module._orig_mod.x", "module.num_batches_tracked")}  # fmt: skip
    for facts in ({}, {"model": "x"}):
        save_weights(tmp_path / "w", state, **facts)
        assert load_weights(tmp_path / "w")[0].keys() == state.keys()


def test_a_name_that_only_some_have_in_front_is_no_wrapper(tmp_path):
    state = {"module.w": numpy.ones(2), "other.w": numpy.ones(2), "linear.weight": numpy.ones(2)}
    save_file(state, tmp_path / "w")
    assert load_weights(tmp_path / "w")[0].keys() == state.keys()


def test_a_name_that_is_there_twice_is_refused(tmp_path):
    save_file({"_orig_mod.a.w": numpy.ones(2), "a.w": numpy.zeros(2)}, tmp_path / "w")
    with pytest.raises(CheckpointError, match="w: .*_orig_mod.a.w.* would both be a.w"):
        load_weights(tmp_path / "w")
    names = ("conv1.weight", "layer1.0.conv1.weight", "fc.weight", "linear.weight")
    save_file({name: numpy.ones(2) for name in names}, tmp_path / "w")
    with pytest.raises(
        CheckpointError, match="(fc|linear).weight and (fc|linear).weight would both be fc.weight"
    ):
        load_weights(tmp_path / "w")
