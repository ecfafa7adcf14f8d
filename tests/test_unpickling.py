"""Properties of both readers of pickles: the one of arrays, and the one of PyTorch's files."""

import pytest

from minires import pth, unpickling
from minires.data import pickled
from tests.test_pth import zipped

READERS = {
    "arrays": (pickled._Unpickler, pickled.load),
    "PyTorch": (pth.tensors.Unpickler, lambda data: pth.loads(zipped(data, {}))),
}
each_reader = pytest.mark.parametrize(("unpickler", "read"), READERS.values(), ids=READERS)


@each_reader
def test_a_pickle_that_asks_for_many_places_is_refused_before_they_are_taken(unpickler, read):
    for asks in (b"]r\xff\xff\xff\x0f.", b"]p268435455\n."):
        with pytest.raises(
            ValueError, match="the pickle asks for 268,435,455 places, and contains 2 objects"
        ):
            read(b"\x80\x02" + asks)


@each_reader
def test_a_pickle_leaves_what_it_may_name_as_it_was(unpickler, read):
    """BUILD writes attributes: of an instance, not of what all pickles share."""
    admitted = list(unpickler.ADMITTED.items())
    before = [dict(vars(thing)) for _, thing in admitted if isinstance(thing, type)]
    for (module, name), _ in admitted:
        for state in (b"N}U\x05extraK\x01s\x86", b"}U\x05extraK\x01s"):
            with pytest.raises(ValueError):
                read(b"\x80\x02c" + f"{module}\n{name}\n".encode() + state + b"b.")
    assert [dict(vars(thing)) for _, thing in admitted if isinstance(thing, type)] == before
    assert not any(callable(thing) and not isinstance(thing, type) for _, thing in admitted)


def test_without_admitted_names_a_pickle_names_nothing(tmp_path):
    for data in (b"\x80\x02cbuiltins\nprint\n.", b"\x80\x02cposix\nsystem\nU\x01xQ."):
        (tmp_path / "p").write_bytes(data)
        with (
            open(tmp_path / "p", "rb") as file,
            pytest.raises(unpickling.PickleError, match="which nothing here needs: it was not run"),
        ):
            unpickling.load(unpickling.Unpickler, file)


@pytest.mark.parametrize(
    "name",
    ["io open", "_io open", "_posixsubprocess fork_exec", "zipimport zipimporter", "pkgutil resolve_name", "codeop compile_command",
     "_frozen_importlib _gcd_import", "numpy.testing._private.utils exec", "tempfile mkstemp", "sqlite3 connect", "platform popen"],
)  # fmt: skip
def test_names_that_run_code_or_open_files_are_refused_wherever_they_are(name):
    asked = ("\x80\x02}U\x01xc" + name.replace(" ", "\n") + "\ns.").encode("latin-1")
    with pytest.raises(pth.TorchFileError, match="it was not run. Do not trust this file"):
        pth.loads(zipped(asked, {}))


@pytest.mark.parametrize("name", ["io BytesIO", "_regex compile", "builtins getattr", "mmap mmap", "sympy.core Eval"])  # fmt: skip
def test_names_of_data_and_of_unknown_libraries_raise_no_alarm(name):
    asked = ("\x80\x02}U\x01xc" + name.replace(" ", "\n") + "\ns.").encode("latin-1")
    with pytest.raises(pth.TorchFileError, match="contains no named tensors"):
        pth.loads(zipped(asked, {}))
