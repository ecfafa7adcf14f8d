"""Pickles that would run something, in each way in which a pickle can: as a file of PyTorch's, none of them does."""

import copyreg
import io
import os
import pickle
import struct
import zipfile

import pytest

from minires import checkpoint, pth
from tests.test_pth import Storage, one_after_the_other, pickled, tensor, zipped

WAYS = pytest.mark.parametrize("packed", [zipped, one_after_the_other])
PROTOCOL = b"\x80\x04"
WEIGHTS = pickled({"state_dict": {"a.w": tensor()}})[2:-1]  # leaves the dict on the stack


def text(string):
    return b"X" + struct.pack("<I", len(string)) + string.encode()


def found(module, name, how="GLOBAL"):
    """Push a name."""
    if how == "STACK_GLOBAL":
        return text(module) + text(name) + b"\x93"
    return f"c{module}\n{name}\n".encode()


def calls(module, name, argument):
    """Each way of calling a name with a text, as opcodes that leave one thing on the stack."""
    for how in ("GLOBAL", "STACK_GLOBAL"):
        function = found(module, name, how)
        yield f"REDUCE {how}", function + text(argument) + b"\x85R"
        yield f"REDUCE from the memo {how}", function + b"p9\n0" + text(argument) + b"\x850g9\n" + text(argument) + b"\x85R"  # fmt: skip
        yield f"OBJ {how}", b"(" + function + text(argument) + b"o"
        yield f"NEWOBJ {how}", function + text(argument) + b"\x85\x81"
        yield f"NEWOBJ_EX {how}", function + text(argument) + b"\x85}\x92"
        yield f"BUILD {how}", function + b")R}" + text("__setstate__") + function + b"sb" + text(argument) + b"b"  # fmt: skip
        yield f"BUILD of the name {how}", function + b"}" + text("x") + text(argument) + b"sb"
        yield f"append {how}", function + b")R" + text(argument) + b"a"
        yield f"called twice {how}", function + text(argument) + b"\x85R" + text(argument) + b"\x85R"  # fmt: skip
        yield f"partial {how}", found("functools", "partial") + function + b"\x85R(" + function + b")}Ntb)R"  # fmt: skip
        yield f"as a key {how}", b"}" + function + text(argument) + b"\x85RNs"
        yield f"in a set {how}", b"\x8f(" + function + text(argument) + b"\x85R\x90"
        yield f"persistent id {how}", function + text(argument) + b"\x85RQ"
        yield f"in a storage {how}", b"(" + text("storage") + function + text(argument) + b"\x85R" + text("0") + text("cpu") + b"K\x0ctQ"  # fmt: skip
        yield f"module of a persistent id {how}", b"(" + text("module") + function + text(argument) + b"tQ" + text(argument) + b"\x85R"  # fmt: skip
        tensors = found("torch._tensor", "_rebuild_from_type_v2")
        yield f"in a tensor of its own kind {how}", tensors + b"(" + function + function + text(argument) + b"\x85}tR"  # fmt: skip
        yield f"getattr {how}", found("builtins", "getattr") + function + text("__call__") + b"\x86R" + text(argument) + b"\x85R"  # fmt: skip
    yield "INST", b"(" + text(argument) + f"i{module}\n{name}\n".encode()


NAMES = [
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "getoutput"), ("builtins", "eval"), ("builtins", "exec"),
    ("__builtin__", "eval"), ("importlib", "import_module"), ("os.path", "os.system"), ("tests.test_malicious", "harm"),
    ("tests.test_malicious", "Harm"), ("numpy", "load"), ("torch", "load"), ("torch.hub", "load"), ("collections", "OrderedDict.fromkeys"),
]  # fmt: skip
MADE = []


def harm(*arguments):
    """What must not run."""
    MADE.append(arguments)


class Harm:
    """What must not be made, or given a state."""

    def __init__(self, *arguments):
        harm(*arguments)

    def __new__(cls, *arguments):
        harm(*arguments)
        return super().__new__(cls)

    __setstate__ = append = harm


@WAYS
@pytest.mark.parametrize("name", NAMES, ids=".".join)
def test_no_way_of_calling_a_name_runs_it(packed, name, tmp_path):
    made = tmp_path / "made"
    argument = f"open({str(made)!r}, 'w')" if name[1] in ("eval", "exec") else f"touch {made}"
    for way, code in calls(*name, argument):
        beside = PROTOCOL + WEIGHTS + text("x") + code + b"s."
        among = PROTOCOL + b"}" + WEIGHTS[1:] + text("x.w") + code + b"s."
        (tmp_path / "w.pth").write_bytes(packed(beside))
        for content in (beside, among, PROTOCOL + code + b"."):
            try:
                state = pth.loads(packed(content))
            except pth.TorchFileError:
                continue
            assert [array.shape for array in state.values()] == [(3, 4)], way
        try:
            checkpoint.load_weights(tmp_path / "w.pth")
        except checkpoint.CheckpointError as error:
            assert str(tmp_path / "w.pth") in str(error)
    assert not made.exists() and MADE == []


def test_these_ways_run_what_they_name_where_a_pickle_is_read_without_care(monkeypatch):
    """So the test above can fail."""
    worked = set()
    for way, code in calls("tests.test_malicious", "harm", "x"):
        try:
            pickle.loads(PROTOCOL + code + b".")
        except Exception:
            pass
        if MADE:
            worked.add(way.rpartition(" ")[0] or way)
        MADE.clear()
    assert worked >= {"REDUCE", "REDUCE from the memo", "OBJ", "INST", "called twice", "as a key", "in a set", "getattr"}  # fmt: skip
    for way, code in calls("tests.test_malicious", "Harm", "x"):
        if way.startswith(("NEWOBJ", "append", "BUILD GLOBAL")):
            pickle.loads(PROTOCOL + code + b".")
            assert MADE, way
        MADE.clear()


@WAYS
def test_the_extension_registry_of_the_process_is_not_looked_into(packed, monkeypatch):
    """What is in its cache is handed out without find_class."""
    monkeypatch.setitem(copyreg._inverted_registry, 240, ("os", "system"))
    monkeypatch.setitem(copyreg._extension_cache, 240, os.getpid)
    assert pickle.loads(b"\x80\x02\x82\xf0.") is os.getpid
    for code in (b"\x82\xf0", b"\x83\xf0\x00", b"\x84\xf0\x00\x00\x00"):
        with pytest.raises(pth.TorchFileError, match="the extension registry: do not trust"):
            pth.loads(packed(PROTOCOL + WEIGHTS + text("x") + code + b"s."))


@WAYS
@pytest.mark.parametrize(
    "pid", ["text", b"bytes", 3, (), ("storage",), ("module", "os", "system", "x"), ("storage", ("a",), "0", "cpu", 12)], ids=str
)  # fmt: skip
def test_an_identifier_of_an_odd_form_is_refused(packed, pid):
    storage = Storage()
    storage.pid = pid
    with pytest.raises(pth.TorchFileError, match="something other than a storage|is damaged"):
        pth.loads(packed({"state_dict": {"w": tensor()}, "x": storage}))


@WAYS
def test_an_identifier_that_would_take_long_to_print_is_refused_at_once(packed):
    nested = ("x",)
    for _ in range(60):
        nested = (nested, nested)  # 2 ** 60 of them, if they are written out
    storage = Storage()
    storage.pid = nested
    with pytest.raises(pth.TorchFileError, match="something other than a storage"):
        pth.loads(packed({"w": tensor(storage=storage)}))


@WAYS
def test_dicts_that_hold_one_another_many_times_take_no_memory(packed):
    """1,000 ** 6 of them, if they are counted by their paths; and one that holds itself."""
    inner, cycle = {"a.w": tensor()}, {"a.w": tensor()}
    for _ in range(6):
        inner = {f"x{i}": inner for i in range(1000)}
    cycle["again"] = cycle
    with pytest.raises(pth.TorchFileError, match="contains no named tensors|sets of weights"):
        pth.loads(packed(inner))
    assert list(pth.loads(packed(cycle))) == ["a.w"]


def test_archives_of_other_kinds_are_refused_by_what_they_are(tmp_path):
    path = tmp_path / "w.pth"
    script = io.BytesIO()
    with zipfile.ZipFile(script, "w") as archive:
        for name in ("net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"):
            archive.writestr(name, b"\x80\x02}.")
    tar = bytearray(1024)
    tar[:7], tar[257:262] = b"storage", b"ustar"
    for data, told in (
        (script.getvalue(), "a TorchScript archive.*save its state_dict"),
        (bytes(tar), "a tar archive, as PyTorch wrote them before 0.2"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a Git LFS pointer"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (b"\0" * 100, "is damaged, cut off, or no file of PyTorch's"),
        (b"", "is damaged, cut off, or no file of PyTorch's"),
    ):
        path.write_bytes(data)
        with pytest.raises(checkpoint.CheckpointError, match=f"w.pth.* {told}"):
            checkpoint.load_weights(path)
