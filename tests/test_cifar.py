"""CIFAR in all its formats, made here by hand, and every way in which its files can be wrong."""

import functools
import hashlib
import http.server
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import numpy
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from minires import data
from minires.data import cifar, jpeg, pickled
from minires.data.cifar import CIFAR10, CIFAR100, DataError
from minires.data.pickled import PickleError

ROOT = Path(__file__).parents[1]
KINDS = {"cifar10": (CIFAR10, 3), "cifar100": (CIFAR100, 3)}
FORMS = [(name, i) for name in KINDS for i in range(2)]


def pixels(name, number):
    """Return image i of a file: red is the file, green the row, blue the column; the corner holds i."""
    image = numpy.zeros((32, 32, 3), numpy.uint8)
    image[..., 0] = sum(name.encode()) % 200
    image[..., 1] = numpy.arange(32)[:, None]
    image[..., 2] = numpy.arange(32) + 100
    image[0, 0] = number
    return image


def label(kind, number):
    return number * 7 % len(kind.classes)


def python2(thing):
    """Write a pickle of numbers, byte strings, lists, dicts and an array as Python 2 did."""
    out = bytearray(b"\x80\x02")

    def put(value):
        if isinstance(value, dict):
            out.extend(b"}")
            for key, item in value.items():
                put(key)
                put(item)
                out.extend(b"s")
        elif isinstance(value, list):
            out.extend(b"]")
            for item in value:
                put(item)
                out.extend(b"a")
        elif isinstance(value, bytes):
            out.extend(b"T" + len(value).to_bytes(4, "little") + value)
        elif isinstance(value, int):
            out.extend(b"J" + value.to_bytes(4, "little", signed=True))
        elif isinstance(value, numpy.ndarray):
            shape = (
                b"(" + b"".join(b"J" + size.to_bytes(4, "little") for size in value.shape) + b"t"
            )
            out.extend(b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR")
            out.extend(
                b"(K\x01"
                + shape
                + b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
            )
            out.extend(b"\x89")
            put(value.tobytes())
            out.extend(b"tb")

    put(thing)
    return bytes(out) + b"."


def contents(kind, form, images=3):
    """Make file name -> bytes of a version of a set, with a given number of images per file."""
    version, result = kind.versions[form], {}
    for name in (*version.train, version.test):
        flat = [pixels(name, i).transpose(2, 0, 1).ravel() for i in range(images)]
        labels = [label(kind, i) for i in range(images)]
        if form == 0:
            front = [bytes([99] * (version.label - 1) + [k]) for k in labels]
            result[name] = b"".join(head + body.tobytes() for head, body in zip(front, flat))
        else:
            result[name] = python2(
                {b"batch_label": b"a batch", version.label: labels, b"data": numpy.array(flat)}
            )
    return result


def unpacked(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def packed(path, members, **more):
    """Write a tar.gz of name -> bytes, and of TarInfos. Returns its MD5."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in more.get("infos", ()):
            archive.addfile(info)
    return hashlib.md5(path.read_bytes()).hexdigest()


def archived(monkeypatch, folder, kind, form, members=None, **more):
    """Write an archive of a version in `folder`, whose MD5 counts as the published one. Returns its path."""
    version = kind.versions[form]
    if members is None:
        members = {
            f"{version.folder}/{name}": content for name, content in contents(kind, form).items()
        }
    folder.mkdir(parents=True, exist_ok=True)
    md5 = packed(folder / version.archive, members, **more)
    versions = [old._replace(md5=md5) if old is version else old for old in kind.versions]
    monkeypatch.setattr(cifar, kind.name.replace("-", ""), kind._replace(versions=tuple(versions)))
    return folder / version.archive


def assert_is_the_set(parts, kind, form):
    version = kind.versions[form]
    for part, names in zip(parts, (version.train, (version.test,)), strict=True):
        expected = [(pixels(name, i), label(kind, i)) for name in names for i in range(3)]
        assert_array_equal(part.images, [image for image, _ in expected])
        assert_array_equal(part.labels, [k for _, k in expected])
        assert (
            part.classes == kind.classes and part.mean == parts[0].mean and part.std == parts[0].std
        )


# What is read.


@pytest.mark.parametrize(("name", "form"), FORMS)
@pytest.mark.parametrize("inside", [True, False])
def test_unpacked_files_are_read_and_called_unverified(tmp_path, name, form, inside):
    kind = KINDS[name][0]
    unpacked(tmp_path / kind.versions[form].folder if inside else tmp_path, contents(kind, form))
    parts = getattr(data, name)(data_dir=tmp_path)
    assert_is_the_set(parts, kind, form)
    assert all(
        part.source.startswith("unverified files: ") and part.name == kind.name for part in parts
    )
    assert getattr(data, name)(data_dir=tmp_path, label="mine")[1].name == "mine"


@pytest.mark.parametrize(("name", "form"), FORMS)
@pytest.mark.parametrize("direct", [True, False])
def test_archives_are_read_and_called_verified(tmp_path, monkeypatch, name, form, direct):
    kind = KINDS[name][0]
    path = archived(monkeypatch, tmp_path, kind, form)
    parts = getattr(data, name)(data_dir=path if direct else tmp_path)
    assert_is_the_set(parts, kind, form)
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    assert parts[0].source == parts[1].source == f"{path.name}, MD5 {md5} verified"


def test_the_classes_are_in_their_published_order():
    assert (
        CIFAR10.classes[3] == "cat" and CIFAR10.classes[9] == "truck" and len(CIFAR10.classes) == 10
    )
    assert len(set(CIFAR100.classes)) == 100 and list(CIFAR100.classes) == sorted(CIFAR100.classes)
    assert CIFAR100.classes[0] == "apple" and CIFAR100.classes[99] == "worm"


@pytest.mark.skipif(
    not os.environ.get("MINIRES_DATA_DIR"), reason="MINIRES_DATA_DIR names no folder with CIFAR-10"
)
def test_real_files_hold_5000_and_1000_images_of_each_class():
    train, test = data.cifar10(data_dir=os.environ["MINIRES_DATA_DIR"])
    assert train.counts() == [5000] * 10 and test.counts() == [1000] * 10
    numpy.testing.assert_allclose(train.mean, [0.4914, 0.4822, 0.4465], atol=2e-4)


def test_an_archive_of_any_name_is_known_by_its_checksum(tmp_path, monkeypatch):
    path = archived(monkeypatch, tmp_path, CIFAR10, 1)
    other = path.rename(tmp_path / "saved.tgz")
    parts = data.cifar10(data_dir=other)
    assert_is_the_set(parts, CIFAR10, 1)
    assert parts[0].source.startswith("cifar-10-python.tar.gz, MD5 ")
    other.write_bytes(b"something else")
    with pytest.raises(
        DataError,
        match="saved.tgz has MD5 .*, the published cifar-10-binary.* has .*, cifar-10-python.* has",
    ):
        data.cifar10(data_dir=other)


def test_what_is_read_are_the_bytes_that_were_checked(tmp_path, monkeypatch):
    """The file is replaced after it has been read for its checksum."""
    path = archived(monkeypatch, tmp_path, CIFAR10, 0)
    reads, read = [], Path.read_bytes
    monkeypatch.setattr(
        Path,
        "read_bytes",
        lambda self: (read(self), reads.append(self), self.write_bytes(b"exchanged"))[0],
    )
    assert_is_the_set(data.cifar10(data_dir=path), CIFAR10, 0)
    assert reads == [path] and path.stat().st_size == len(b"exchanged")


@pytest.mark.parametrize("form", [0, 1])
def test_without_a_folder_an_archive_is_fetched_and_stays_packed(tmp_path, monkeypatch, form):
    path = archived(monkeypatch, tmp_path / "mirror", CIFAR10, form)
    handler = functools.partial(Quiet, directory=path.parent)
    monkeypatch.setenv("MINIRES_CACHE", str(tmp_path / "cache"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        source = f"http://127.0.0.1:{server.server_port}/{path.name}"
        assert_is_the_set(data.cifar10(sources=[source]), CIFAR10, form)
        server.shutdown()
    assert_is_the_set(data.cifar10(), CIFAR10, form)  # from the cache
    assert [entry.name for entry in (tmp_path / "cache").rglob("[!.]*")] == [path.name]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_one_address_that_is_not_in_a_list_is_refused():
    with pytest.raises(
        TypeError, match="sources: expected a list of addresses, got one string, 'http://a/b'"
    ):
        data.cifar10(sources="http://a/b")


# What is refused: archives.


def test_an_archive_with_another_checksum_is_refused_before_it_is_opened(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    found = packed(path, {"cifar-10-batches-bin/test_batch.bin": b"x"})
    published = "cifar-10-binary.tar.gz has c32a1d4ab5d03f1284b67883e8d87530"
    with pytest.raises(
        DataError,
        match=f"has MD5 {found}, the published {published}: delete it and download it again",
    ):
        data.cifar10(data_dir=tmp_path)


def member(name, kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (member("../../outside"), "a path outside of it"),
        (member("/etc/passwd"), "a path outside of it"),
        (member("a/../../b"), "a path outside of it"),
        (member("C:\\b"), "a path outside of it"),
        (member("cifar-10-batches-bin/x", tarfile.SYMTYPE, "/etc/passwd"), "a link or a device"),
        (
            member(
                "cifar-10-batches-bin/x", tarfile.LNKTYPE, "cifar-10-batches-bin/test_batch.bin"
            ),
            "a link or a device",
        ),
        (member("cifar-10-batches-bin/x", tarfile.FIFOTYPE), "a link or a device"),
        (member("cifar-10-batches-bin/x", tarfile.CHRTYPE), "a link or a device"),
    ],
)
def test_an_archive_that_looks_outside_is_refused_and_nothing_is_unpacked(
    tmp_path, monkeypatch, info, message
):
    members = {
        f"cifar-10-batches-bin/{name}": content for name, content in contents(CIFAR10, 0).items()
    }
    path = archived(monkeypatch, tmp_path / "d", CIFAR10, 0, members, infos=[info])
    with pytest.raises(DataError, match=message):
        data.cifar10(data_dir=path)
    assert [entry.name for entry in tmp_path.rglob("*")] == ["d", path.name]


def test_an_archive_without_a_file_names_it(tmp_path, monkeypatch):
    members = {
        f"cifar-10-batches-bin/{name}": content
        for name, content in contents(CIFAR10, 0).items()
        if "3" not in name
    }
    path = archived(monkeypatch, tmp_path, CIFAR10, 0, members)
    with pytest.raises(DataError, match="lacks data_batch_3.bin in cifar-10-batches-bin"):
        data.cifar10(data_dir=path)


@pytest.mark.parametrize("harm", ["cut", "noise", "no gzip"])
def test_a_damaged_archive_is_refused_even_if_its_checksum_were_right(tmp_path, monkeypatch, harm):
    path = archived(monkeypatch, tmp_path, CIFAR10, 0)
    whole = path.read_bytes()
    harmed = {
        "cut": whole[:-200],
        "noise": whole[:200] + bytes(100) + whole[300:],
        "no gzip": b"hello" * 100,
    }[harm]
    path.write_bytes(harmed)
    version = cifar.CIFAR10.versions[0]._replace(md5=hashlib.md5(harmed).hexdigest())
    monkeypatch.setattr(cifar, "CIFAR10", CIFAR10._replace(versions=(version, CIFAR10.versions[1])))
    with pytest.raises(
        DataError, match="is damaged .*: delete it and download it again|lacks data_batch_2.bin"
    ):
        data.cifar10(data_dir=path)


# What is refused: files.


@pytest.mark.parametrize("cut", [1, 3073 * 3 - 1, 3073 * 3])
def test_a_file_that_is_no_whole_number_of_records_is_refused(tmp_path, cut):
    files = contents(CIFAR10, 0)
    files["data_batch_2.bin"] = files["data_batch_2.bin"][:-cut]
    size = f"{3 * 3073 - cut:,}"
    with pytest.raises(
        DataError,
        match=f"data_batch_2.bin: expected a whole number of records of 3,073 bytes, got {size} bytes: it is cut off",
    ):
        data.cifar10(data_dir=unpacked(tmp_path, files))


def test_a_label_out_of_range_is_refused_with_its_record(tmp_path):
    files = contents(CIFAR10, 0)
    spoiled = bytearray(files["test_batch.bin"])
    spoiled[3073 * 2] = 10
    files["test_batch.bin"] = bytes(spoiled)
    with pytest.raises(
        DataError,
        match="test_batch.bin: record 2: expected a label below 10, got 10: the file is damaged",
    ):
        data.cifar10(data_dir=unpacked(tmp_path, files))


def test_a_missing_file_is_named(tmp_path):
    files = contents(CIFAR10, 0)
    del files["data_batch_4.bin"]
    with pytest.raises(DataError, match="lacks data_batch_4.bin: copy or unpack it again"):
        data.cifar10(data_dir=unpacked(tmp_path, files))


def test_a_folder_of_something_else_says_what_is_in_it_and_what_was_wanted(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(
        DataError,
        match="expected cifar-10-binary.tar.gz or cifar-10-batches-bin/ or .*, got holiday.jpg$",
    ):
        data.cifar10(data_dir=tmp_path)
    with pytest.raises(DataError, match="nowhere is not there: --data-dir expects a folder"):
        data.cifar100(data_dir=tmp_path / "nowhere")


# Pickles.


class Ran(Exception):
    """Raised by code in a pickle, if it runs."""


def shout(*_):
    raise Ran


class Evil:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize(
    "function",
    [shout, os.system, eval, getattr, subprocess.Popen, numpy.fromfile, numpy.load, type, open],
)
def test_a_pickle_that_names_anything_but_arrays_is_refused_and_not_run(
    tmp_path, protocol, function
):
    bad = pickle.dumps({b"data": Evil(function, str(tmp_path / "made"), "w")}, protocol)
    with pytest.raises(
        PickleError, match=r"the pickle asks for .*\..*, which no array needs: it was not run"
    ):
        pickled.load(bad)
    files = contents(CIFAR10, 1)
    files["data_batch_1"] = bad
    with pytest.raises(DataError, match="data_batch_1: the pickle asks for"):
        data.cifar10(data_dir=unpacked(tmp_path / "d", files))
    assert not (tmp_path / "made").exists()


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02cnumpy\ndtype\n(U\x01OK\x00K\x01tR.",  # an array of objects would hold pickles again
        b"\x80\x02cnumpy\ndtype\n(U\x03V99K\x00K\x01tR.",
        b"\x80\x02" + ARRAY + b".",  # without numbers
        b"\x80\x02"
        + ARRAY
        + b"(K\x01(J\xff\xff\xff\x7ftcnumpy\ndtype\n(U\x02u1K\x00K\x01tR\x89U\x01atb.",  # 2 GiB out of a byte
        b"\x80\x02"
        + ARRAY
        + b"(K\x01(J\xff\xff\xff\xfftcnumpy\ndtype\n(U\x02u1K\x00K\x01tR\x89U\x01atb.",
        b"\x80\x02" + ARRAY + b"(K\x01(K\x01tNK\x00U\x01atb.",
        b"\x80\x02cnumpy\nndarray\n(J\xff\xff\xff\x7ftR.",
        b"\x80\x02cnumpy\ndtype\n.",
        b"\x80\x02P1\n.",
        b"\x80\x02]" + b"(" * 9999 + b".",
        b"\x80\x02]\x94h\x00a.",  # a list that holds itself
        b"\x80\x02]\x94r\xff\xff\xff\x0f.",  # a place for which 4 GiB would be taken
        b"\x80\x02]p268435455\n.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nN}U\x08__name__U\x04evils\x86b.",  # a name admitted, to be changed
        b"\x80\x02cnumpy\ndtype\n)\x81.",  # made without its arguments
        b"not a pickle",
        b"",
    ],
)
def test_a_pickle_that_is_no_plain_array_is_refused(data):
    with pytest.raises(PickleError, match="the pickle "):
        pickled.load(data)


def test_every_cut_of_a_pickle_is_refused():
    whole = python2({b"labels": [1, 2], b"data": numpy.arange(6, dtype=numpy.uint8).reshape(2, 3)})
    assert_array_equal(pickled.load(whole)[b"data"], [[0, 1, 2], [3, 4, 5]])
    for size in range(len(whole)):
        with pytest.raises(PickleError):
            pickled.load(whole[:size])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({b"data": numpy.zeros((3, 3071), numpy.uint8)}, "has no uint8 array"),
        ({b"data": [1, 2, 3]}, "has no uint8 array"),
        ({b"labels": [1, 2]}, "has no list of 3 ints"),
        ({b"labels": [1, 2, b"3"]}, "has no list of 3 ints"),
        ({b"labels": [1, 2, -1]}, "record 2: expected a label below 10, got -1"),
    ],
)
def test_a_pickle_of_other_arrays_is_refused(tmp_path, changes, message):
    good = {b"labels": [1, 2, 3], b"data": numpy.zeros((3, 3072), numpy.uint8)}
    files = {**contents(CIFAR10, 1), "test_batch": python2({**good, **changes})}
    with pytest.raises(DataError, match=f"test_batch.* {message}"):
        data.cifar10(data_dir=unpacked(tmp_path, files))
    with pytest.raises(
        DataError, match="test_batch: the pickle holds a list: expected an array, or a dict"
    ):
        data.cifar10(data_dir=unpacked(tmp_path, {**files, "test_batch": python2([1])}))


def test_lists_that_hold_each_other_twice_are_not_gone_through(tmp_path):
    """30 lists in 300 bytes: traversed, they would be a billion."""
    lists = (
        b"]q\x000"
        + b"".join(
            b"]q" + bytes([i + 1]) + (b"h" + bytes([i]) + b"a") * 2 + b"0" for i in range(30)
        )
        + b"h\x1e"
    )
    begun = time.monotonic()
    with pytest.raises(DataError, match="has no list of 3 ints under b'labels'"):
        good = python2({b"data": numpy.zeros((3, 3072), numpy.uint8)})[:-1]
        files = {**contents(CIFAR10, 1), "test_batch": good + b"U\x06labels" + lists + b"s."}
        data.cifar10(data_dir=unpacked(tmp_path, files))
    assert time.monotonic() - begun < 60


# Through JPEG.


def test_images_come_out_of_jpeg_with_quality_75_and_colours_at_half_the_resolution(tmp_path):
    image = numpy.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(numpy.uint8)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=75, subsampling=2)
    assert_array_equal(jpeg.through_jpeg(image), numpy.asarray(Image.open(file)))
    grey = numpy.full((32, 32, 3), 90, numpy.uint8)
    assert_array_equal(jpeg.through_jpeg(grey), grey)


def test_the_script_writes_what_data_dir_reads(tmp_path):
    unpacked(tmp_path / "in", contents(CIFAR10, 0))
    command = [
        sys.executable,
        "-m",
        "minires.data.jpeg",
        "out",
        "--data-dir",
        "in",
        "--quality",
        "60",
    ]
    options = {
        "cwd": tmp_path,
        "capture_output": True,
        "text": True,
        "env": {**os.environ, "PYTHONPATH": str(ROOT)},
    }
    done = subprocess.run(command, **options)
    assert (
        done.returncode == 0
        and '--data-dir out --data-label "CIFAR-10, JPEG q60 4:2:0"' in done.stdout
    ), done.stderr
    for wrong, message in (
        ("0", "--quality: expected 1 to 95, got 0"),
        ("high", "invalid int value"),
    ):
        refused = subprocess.run([*command[:-1], wrong], **options)
        assert (
            refused.returncode and message in refused.stderr and "Traceback" not in refused.stderr
        )
    before, after = data.cifar10(data_dir=tmp_path / "in"), data.cifar10(data_dir=tmp_path / "out")
    for a, b in zip(before, after, strict=True):
        assert_array_equal(a.labels, b.labels)
        assert_array_equal(b.images, [jpeg.through_jpeg(image, 60) for image in a.images])
