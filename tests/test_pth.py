"""PyTorch's files, made here by hand: what is right is read; what runs code, reaches beyond its storage or is cut off is refused."""

import io
import os
import pickle
import struct
import zipfile

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from minires import pth
from minires.pth import TorchFileError

NOTHING = "no named tensors: expected what torch.save"
NUMBERS = numpy.arange(12, dtype="<f4")


class Named:
    """An object that a pickle names: `module.name`, called with arguments; or with None only named."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


class Pickler(pickle._Pickler):
    """Python's own pickler, which writes such names whether they can be imported or not, and storages by reference."""

    def save(self, thing, save_persistent_id=True):
        if isinstance(thing, Named):
            self.write(b"c" + f"{thing.module}\n{thing.name}\n".encode())
            if thing.arguments != (None,):
                super().save(thing.arguments)
                self.write(b"R")
        else:
            super().save(thing, save_persistent_id)

    def persistent_id(self, thing):
        return thing.pid if isinstance(thing, Storage) else None


class Storage:
    def __init__(self, kind="FloatStorage", key="0", length=12, *more):
        self.pid = ("storage", Named("torch", kind, None), key, "cpu", length, *more)


def tensor(offset=0, size=(3, 4), stride=(4, 1), storage=None):
    return Named(
        "torch._utils",
        "_rebuild_tensor_v2",
        storage or Storage(),
        offset,
        size,
        stride,
        False,
        Named("collections", "OrderedDict"),
    )


def pickled(thing):
    file = io.BytesIO()
    Pickler(file, protocol=2).dump(thing)
    return file.getvalue()


def zipped(content, storages=None, *, order=b"little", top="archive", method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(
            f"{top}/data.pkl", content if isinstance(content, bytes) else pickled(content)
        )
        if order:
            archive.writestr(f"{top}/byteorder", order)
        for key, data in ({"0": NUMBERS.tobytes()} if storages is None else storages).items():
            archive.writestr(f"{top}/data/{key}", data)
        archive.writestr(f"{top}/version", "3\n")
    return file.getvalue()


def one_after_the_other(content, storages=None, *, little=True, magic=pth.archive.MAGIC):
    storages = {"0": (12, NUMBERS.tobytes())} if storages is None else storages
    parts = [
        pickled(part) for part in (magic, 1001, {"protocol_version": 1001, "little_endian": little})
    ]
    parts += [content if isinstance(content, bytes) else pickled(content), pickled(list(storages))]
    return b"".join(parts) + b"".join(
        struct.pack("<q", length) + data for length, data in storages.values()
    )


WAYS = pytest.mark.parametrize("packed", [zipped, one_after_the_other])


@WAYS
def test_a_tensor_lies_in_its_storage_as_offset_size_and_stride_say(packed):
    parts = {"whole": tensor(), "turned": tensor(0, (4, 3), (1, 4)), "some": tensor(5, (2, 2), (4, 2)), "one": tensor(11, (), ()),
             "none": tensor(0, (0, 7), (7, 1)), "again": tensor(3, (4,), (0,)), "expanded": tensor(1, (5, 4), (0, 1))}  # fmt: skip
    found = pth.loads(packed(parts))
    whole = NUMBERS.reshape(3, 4)
    for name, expected in (("whole", whole), ("turned", whole.T), ("some", [[5, 7], [9, 11]]), ("one", 11), ("none", numpy.zeros((0, 7))),
                           ("again", [3, 3, 3, 3]), ("expanded", [[1, 2, 3, 4]] * 5)):  # fmt: skip
        assert_array_equal(found[name], expected)
        assert (
            found[name].dtype == "f4"
            and found[name].flags.c_contiguous
            and found[name].flags.owndata
        )


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        ("DoubleStorage", "f8", "f8"), ("HalfStorage", "f2", "f2"), ("LongStorage", "i8", "i8"), ("IntStorage", "i4", "i4"),
        ("ShortStorage", "i2", "i2"), ("CharStorage", "i1", "i1"), ("ByteStorage", "u1", "u1"), ("BoolStorage", "u1", "?"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", "<>")
def test_numbers_of_each_type_in_both_orders_of_bytes(kind, written, read, order):
    numbers = numpy.array([1, 2, 0, 5], written)
    data, storage = numbers.astype(order + written).tobytes(), Storage(kind, "0", 4)
    expected = numbers.astype(read)
    for packed in (zipped({"x": tensor(0, (4,), (1,), storage)}, {"0": data}, order=b"little" if order == "<" else b"big"),
                   one_after_the_other({"x": tensor(0, (4,), (1,), storage)}, {"0": (4, data)}, little=order == "<") if order == "<" else None):  # fmt: skip
        if packed:
            found = pth.loads(packed)["x"]
            assert_array_equal(found, expected)
            assert found.dtype == expected.dtype and found.dtype.isnative


def test_bfloat16_is_the_upper_half_of_a_float32():
    bits = numpy.array([0x3FC0, 0xC010, 0x7F80], "<u2")  # by hand: 1.5, -2.25, infinity
    content = {"x": tensor(0, (3,), (1,), Storage("BFloat16Storage", "0", 3))}
    for packed in (
        zipped(content, {"0": bits.tobytes()}),
        one_after_the_other(content, {"0": (3, bits.tobytes())}),
    ):
        assert_array_equal(pth.loads(packed)["x"], numpy.array([1.5, -2.25, numpy.inf], "f4"))


@WAYS
def test_weights_are_found_in_what_a_training_script_keeps(packed):
    state, other = {"w": tensor()}, {"w": tensor(), "b": tensor(0, (4,), (1,))}
    ordered = Named("collections", "OrderedDict", [["w", tensor()]])
    for content in (state, ordered, {"state_dict": state, "best": tensor(1, (), ()), "epoch": 3}, {"model": state, "optimizer": {"lr": 0.1}},
                    {"something": state, "lr": 0.1}, {"state_dict": state, "ema": other}):  # fmt: skip
        assert list(pth.loads(packed(content))) == ["w"]
    for content, told in (({"a": state, "b": other}, "2 sets of weights: choose one with FILE:a or FILE:b"), ({"lr": 0.1}, NOTHING), (3, NOTHING), ([tensor()], NOTHING)):  # fmt: skip
        storages = {"storages": {}} if content in ({"lr": 0.1}, 3) else {}
        with pytest.raises(TorchFileError, match=f"the file contains {told}"):
            pth.loads(packed(content, **storages))


def test_attributes_of_an_ordered_dict_are_left_out():
    changed = (
        b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00w"
        + pickled(tensor())[2:-1]
        + b"u}U\x09_metadataK\x01sb."
    )
    assert list(pth.loads(zipped(changed))) == ["w"]


# What is refused.

ACTING = [("os", "system", "touch {made}"), ("builtins", "eval", "open('{made}', 'w')"), ("builtins", "exec", "open('{made}', 'w')"),
          ("subprocess", "Popen", ["touch", "{made}"]), ("builtins", "open", "{made}", "w"), ("posix", "system", "touch {made}"),
          ("os.path", "join", "a"), ("importlib", "import_module", "antigravity"), ("__builtin__", "execfile", "{made}")]  # fmt: skip
INERT = [("torch", "load", "{made}"), ("torch.nn.modules.linear", "Linear", 2, 2), ("torchvision.models.resnet", "ResNet"),
         ("numpy", "load", "{made}"), ("torch._utils", "_rebuild_sparse_tensor", 1), ("builtins", "getattr", "a", "b"),
         ("torch.storage", "_load_from_bytes", b"x"), ("argparse", "Namespace"), ("builtins", "print", "x")]  # fmt: skip


def called(call, made):
    return Named(*(part.format(made=made) if isinstance(part, str) else part for part in call))


def by_name(call):
    return f"{call[0]}.{call[1]}" if isinstance(call, tuple) else None


@WAYS
@pytest.mark.parametrize("call", ACTING, ids=by_name)
def test_a_file_that_asks_for_code_to_be_run_is_refused_and_nothing_is_run(packed, call, tmp_path):
    made = tmp_path / "made"
    thing = called(call, made)
    for content in ({"w": tensor(), "x": thing}, {"w": tensor(storage=thing)}, thing, {"state_dict": {"w": tensor()}, "args": [thing]}):  # fmt: skip
        with pytest.raises(
            TorchFileError,
            match=rf"asks for {thing.module}\.{thing.name}, which no file of weights needs .* it was not run. Do not trust",
        ):
            pth.loads(packed(content))
    assert not made.exists()


@WAYS
@pytest.mark.parametrize("call", INERT, ids=by_name)
def test_other_objects_are_not_run_and_matter_only_among_the_weights(packed, call, tmp_path):
    made = tmp_path / "made"
    thing = called(call, made)
    for beside in ({"args": thing}, {"args": [{"deep": (thing,)}]}, {"args": {"a.b": thing}}):
        assert list(pth.loads(packed({"state_dict": {"w": tensor()}, **beside}))) == ["w"]
        assert list(pth.loads(packed({"layer.w": tensor(), **beside}))) == ["layer.w"]
    told = rf"x.w is {thing.module}\.{thing.name}: expected a plain tensor"
    for content in ({"state_dict": {"w": tensor(), "x.w": thing}}, {"w": tensor(), "x.w": thing}):
        with pytest.raises(TorchFileError, match=told) as error:
            pth.loads(packed(content))
        assert "trust" not in str(error.value)
    for content in (thing, {"model": thing}, {"state_dict": {"w": thing}}, {"w": tensor(storage=thing)}):  # fmt: skip
        with pytest.raises(TorchFileError, match=rf"asks for {thing.module}\.{thing.name}, which was not run"):  # fmt: skip
            pth.loads(packed(content, storages={}))
    assert not made.exists()


def test_python_would_have_run_that(tmp_path):
    """The file of the test above does harm where it is unpickled without care: so the test can fail."""
    data = pickled({"x": Named("os", "system", f"touch {tmp_path / 'made'}")})
    pickle.loads(data)
    assert (tmp_path / "made").exists()


BEYOND = [
    dict(offset=1), dict(size=(13,), stride=(1,)), dict(size=(2,), stride=(12,)), dict(offset=12, size=(1,), stride=(1,)),
    dict(size=(1 << 40,), stride=(0,)), dict(size=(4, 1 << 21), stride=(1, 0)), dict(size=(1 << 61, 1 << 61), stride=(0, 0)),
    dict(offset=-1, size=(1,), stride=(1,)), dict(size=(2,), stride=(-1,)), dict(size=(-3,), stride=(1,)), dict(offset=1 << 70),
    dict(size=(3,), stride=(1, 1)), dict(size=(1,) * 70, stride=(1,) * 70), dict(size="ab", stride=(1, 1)), dict(offset="0"),
    dict(offset=True), dict(size=(2.0,), stride=(1,)), dict(size=3, stride=1), dict(storage=3), dict(storage="FloatStorage"),
]  # fmt: skip


@WAYS
@pytest.mark.parametrize("claim", BEYOND, ids=str)
def test_a_tensor_that_is_none_or_reaches_beyond_its_storage_is_refused(packed, claim):
    with pytest.raises(TorchFileError, match="the pickle (contains a tensor|is damaged)"):
        pth.loads(packed({"w": tensor(**claim)}))


@pytest.mark.parametrize(
    "pid",
    [
        ("storage", "FloatStorage", "0", "cpu", 12), ("module", Named("torch", "FloatStorage", None), "0", "cpu", 12), ("storage",), 3, None,
        ("storage", Named("torch", "FloatStorage", None), 0, "cpu", 12), ("storage", Named("torch", "FloatStorage", None), "0", "cpu", -12),
        ("storage", Named("torch", "FloatStorage", None), "0", "cpu", "12"),
        ("storage", Named("torch", "FloatStorage", None), "0", "cpu", 12, ("view", 0, 3)),
    ],
    ids=str,
)  # fmt: skip
def test_a_storage_that_is_none_is_refused(pid):
    storage = Storage()
    storage.pid = pid
    if pid is not None:
        with pytest.raises(TorchFileError, match="the pickle refers to|the pickle is damaged"):
            pth.loads(zipped({"w": tensor(storage=storage)}))


@pytest.mark.parametrize("length", [0, 1, 11, 13, 1 << 50, (1 << 63) - 1])
def test_a_storage_that_is_shorter_or_longer_than_said_is_refused(length):
    content = {"w": tensor(0, (0,) if not length else (1,), (1,), Storage(length=length))}
    if length:
        with pytest.raises(
            TorchFileError,
            match="the file contains 48 bytes of a storage of|something other than a storage",
        ):
            pth.loads(zipped(content))
        with pytest.raises(TorchFileError, match="bytes of a storage of|beyond"):
            pth.loads(one_after_the_other({"w": tensor()}, {"0": (length, NUMBERS.tobytes())}))
    with pytest.raises(TorchFileError, match="the file contains 0 bytes of a storage of 48"):
        pth.loads(zipped({"w": tensor()}, {}))
    with pytest.raises(TorchFileError, match="the file contains 0 bytes of a storage of 48"):
        pth.loads(one_after_the_other({"w": tensor()}, {}))


@WAYS
def test_every_cut_of_a_file_is_refused(packed):
    whole = packed({"w": tensor()})
    assert_array_equal(pth.loads(whole)["w"], NUMBERS.reshape(3, 4))
    for size in range(len(whole)):
        with pytest.raises(TorchFileError):
            pth.loads(whole[:size])


@WAYS
@given(st.data())
def test_changed_bytes_are_refused_or_leave_weights_readable(packed, data):
    """No other error than the one that is said, and no crash. In a zip archive the numbers carry a checksum."""
    whole = bytearray(packed({"w": tensor()}))
    place, length = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 9))
    # Changed, cut out or put in.
    whole[place : place + length] = data.draw(st.binary(min_size=1, max_size=9))
    try:
        found = pth.loads(bytes(whole))
    except TorchFileError:
        return
    if packed is zipped and "w" in found:
        assert not set(found["w"].ravel()) - set(NUMBERS)  # offset, size or stride may be others


@WAYS
@given(st.binary(max_size=200))
def test_anything_after_the_first_bytes_is_refused_or_read(packed, noise):
    for begin in (b"PK", b"PK\x03\x04", b"\x80\x02", b"\x80\x04\x95"):
        assert pth.is_one(begin + noise)
        with pytest.raises(TorchFileError):
            pth.loads(begin + noise)


def test_archives_that_torch_never_writes_are_refused():
    content = {"w": tensor()}
    for data, told in [
        (zipped(content, method=zipfile.ZIP_DEFLATED), "is compressed in the archive"),
        (zipped(content, order=b"middle"), "bytes in the order 'middle'"),
        (zipped(content, top="a/b"), "contains 0 files data.pkl"),
        (zipped(b"\x80\x02."), "the pickle is damaged"),
    ]:
        with pytest.raises(TorchFileError, match=told):
            pth.loads(data)
    file = io.BytesIO(zipped(content))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data/0", bytes(48))
    with pytest.raises(TorchFileError, match="more bytes than it has"):
        pth.loads(file.getvalue())
    file = io.BytesIO(zipped(content))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("other/data.pkl", b"")
    with pytest.raises(TorchFileError, match="contains 2 files data.pkl"):
        pth.loads(file.getvalue())


def test_an_archive_that_claims_to_hold_much_takes_no_memory():
    """The size of an entry, written over: nothing as large is made."""
    whole = bytearray(zipped({"w": tensor()}))
    with zipfile.ZipFile(io.BytesIO(bytes(whole))) as archive:
        # In the directory: its sizes lie 26 and 22 bytes before the name.
        place = whole.index(b"archive/data/0", archive.start_dir)
    whole[place - 26 : place - 18] = struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0)
    with pytest.raises(TorchFileError, match="more bytes than it has"):
        pth.loads(bytes(whole))


def test_other_pickles_are_no_weights():
    for data in (pickle.dumps({"w": [1.0, 2.0]}), one_after_the_other({"w": tensor()}, magic=7)):
        with pytest.raises(
            TorchFileError, match="not with the number that torch.save writes there"
        ):
            pth.loads(data)
    assert (
        not pth.is_one(b"")
        and not pth.is_one(b"\x08\0\0\0\0\0\0\0{}")
        and not pth.is_one(b"\x80\x01")
    )


def test_a_tensor_made_without_its_arguments_is_refused():
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        with pytest.raises(TorchFileError):
            pth.loads(
                zipped(b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n" + name.encode() + b"\n)\x81s.")
            )


def test_nothing_is_written_beside_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pth.loads(zipped({"w": tensor()}, {"0": NUMBERS.tobytes(), "../../../out": b"x"}))
    assert os.listdir(tmp_path) == []
