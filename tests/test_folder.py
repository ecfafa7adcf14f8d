"""Folders of images sorted by class, made here."""

import os

import numpy
import pytest
from PIL import Image

from minires import data
from minires.data.cifar import DataError


def put(path, colour=(10, 20, 30), size=(6, 4), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)


def tree(folder, *places):
    """Images at these places; the red of each is its number."""
    for i, place in enumerate(places):
        put(folder / place, (i, 0, 0))
    return folder


def reds(dataset):
    return dataset.images[:, 0, 0, 0].tolist()


# Which image goes where.


def test_train_validation_and_test_are_read_from_folders_of_these_names(tmp_path):
    for name in ("validation", "valid", "val"):
        places = (
            "train/cat/1.png",
            "train/cat/2.png",
            "train/ant/1.png",
            f"{name}/cat/1.png",
            "test/ant/1.png",
        )
        parts = data.folder(tree(tmp_path / name, *places))
        assert [reds(part) for part in parts] == [[2, 0, 1], [3], [4]]
        assert [part.labels.tolist() for part in parts] == [[0, 1, 1], [1], [0]]
        assert all(
            part.classes == ("ant", "cat")
            and part.mean == parts[0].mean
            and part.std == parts[0].std
            for part in parts
        )
        assert parts[0].name == name and "unverified files" in parts[2].source


def test_a_test_folder_alone_is_for_evaluation(tmp_path):
    train, validation, test = data.folder(tree(tmp_path, "test/a/1.png", "test/b/1.png"))
    assert train is None and validation is None and reds(test) == [0, 1]


def test_without_such_folders_every_fifth_image_of_each_class_is_for_the_test(tmp_path):
    places = [f"{name}/{i:02}.png" for name in "ab" for i in range(11)]
    train, validation, test = data.folder(tree(tmp_path, *places))
    assert reds(test) == [4, 9, 11 + 4, 11 + 9] and validation is None
    assert sorted(reds(train) + reds(test)) == list(range(22))
    assert train.mean == test.mean != data.Dataset(test.images, test.labels, "ab").mean


def test_a_class_may_be_missing_in_the_test_part_and_not_new_there(tmp_path):
    tree(tmp_path, "train/a/1.png", "train/b/1.png", "test/b/1.png")
    assert data.folder(tmp_path)[2].labels.tolist() == [1]
    tree(tmp_path, "test/c/1.png")
    with pytest.raises(DataError, match="test has images of c, the training set has a, b"):
        data.folder(tmp_path)


def test_files_of_a_class_that_are_not_read_are_counted_in_a_line(tmp_path, capsys):
    tree(tmp_path, *(f"{name}/{i}.png" for name in ("cat", "dog") for i in range(5)))
    for name in ("cat", "dog"):
        for i in range(5):
            (tmp_path / name / f"{i}.heic").write_bytes(b"")
            put(tmp_path / name / "more" / f"{i}.png")
    train, _, test = data.folder(tmp_path)
    assert len(train) + len(test) == 10
    told = f"passed over 20 files in {tmp_path}: 10 .heic, 10 in sub-folders"
    assert capsys.readouterr().err == f"minires: {told}\n"


def test_every_reason_for_passing_a_file_over_is_told(tmp_path, capsys):
    tree(tmp_path, "train/a/1.png", "test/a/1.png", "extra/1.png", "loose.png", "train/loose.png")
    (tmp_path / "test" / "a" / "notes.TXT").write_text("")
    (tmp_path / "test" / "a" / "noname").write_text("")
    (tmp_path / "extra" / "program.py").write_text("")  # next to the parts, only images count
    (tmp_path / "README.md").write_text("")
    assert len(data.folder(tmp_path)[2]) == 1
    reasons = "2 outside the class folders, 1 .txt, 1 in extra/, 1 without a suffix"
    assert capsys.readouterr().err == f"minires: passed over 5 files in {tmp_path}: {reasons}\n"


def test_one_file_is_one_file_and_many_kinds_are_summed_up(tmp_path, capsys):
    tree(tmp_path, "test/a/1.png")
    for i in range(10):
        (tmp_path / "test" / "a" / f"x.k{i}").write_text("")
        data.folder(tmp_path)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"minires: passed over 1 file in {tmp_path}: 1 .k0"
    assert told[-1].startswith(f"minires: passed over 10 files in {tmp_path}: 1 .k0, 1 .k1, ")
    assert told[-1].endswith(", 1 .k7, 2 of other kinds")


def test_what_systems_leave_behind_is_passed_over_in_silence(tmp_path, capsys):
    tree(tmp_path, "test/.cache/1.png", "test/__MACOSX/1.png", "test/a/1.png", "test/a/.2.png")
    tree(tmp_path, "test/a/.hidden/1.png", "__MACOSX/test/a/1.png", "test/a/__MACOSX/1.png")
    for name in (".DS_Store", "desktop.ini", "Thumbs.db"):
        (tmp_path / "test" / "a" / name).write_text("")
        (tmp_path / name).write_text("")
    assert len(data.folder(tmp_path)[2]) == 1
    assert capsys.readouterr().err == ""


def test_a_jpeg_is_read_under_each_of_its_suffixes_in_either_case(tmp_path, capsys):
    for suffix in ("jpg", "jpeg", "jpe", "jfif", "JPG", "Jpeg", "JFIF"):
        put(tmp_path / "test" / "a" / f"of_{suffix}.{suffix}", format="JPEG")
    assert len(data.folder(tmp_path)[2]) == 7
    assert capsys.readouterr().err == ""


def test_names_in_any_script_are_classes(tmp_path):
    names = ("größe", "кот", "猫", "with space", "🐱")
    tree(tmp_path, *(f"test/{name}/{name}.png" for name in names))
    assert data.folder(tmp_path)[2].classes == tuple(sorted(names))


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("Train", "Val", "Test"), ("TRAIN", "VALIDATION", "TEST"), ("training", "Valid", "testing")],
)
def test_the_parts_are_known_in_other_spellings(tmp_path, train, validation, test):
    tree(tmp_path, f"{train}/a/1.png", f"{validation}/a/1.png", f"{test}/a/1.png")
    assert [reds(part) for part in data.folder(tmp_path)] == [[0], [1], [2]]


def test_two_folders_for_a_part_are_refused(tmp_path):
    tree(tmp_path, "train/a/1.png", "val/a/1.png", "valid/a/1.png", "test/a/1.png")
    with pytest.raises(DataError, match="one folder for validation, got val/ and valid/"):
        data.folder(tmp_path)


def test_train_may_be_the_name_of_a_class(tmp_path):
    places = [f"{name}/{i}.png" for name in ("bus", "train") for i in range(5)]
    assert data.folder(tree(tmp_path / "vehicles", *places))[2].classes == ("bus", "train")
    # Images without classes are not two classes named test and train.
    tree(tmp_path / "flat", *(f"{name}/{i}.png" for name in ("test", "train") for i in range(5)))
    with pytest.raises(
        DataError, match="train contains no folders: expected one per class, .* got 5 images"
    ):
        data.folder(tmp_path / "flat")


# Links, and what cannot be read.


def linked(path, to, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.symlink_to(to, **options)
    except OSError:  # Windows, without the right to
        pytest.skip("this system makes no links")


def test_links_to_images_and_to_class_folders_are_followed(tmp_path, capsys):
    tree(tmp_path / "store", "one.png", "b/1.png")
    linked(tmp_path / "d" / "test" / "a" / "1.png", tmp_path / "store" / "one.png")
    linked(tmp_path / "d" / "test" / "b", tmp_path / "store" / "b", target_is_directory=True)
    test = data.folder(tmp_path / "d")[2]
    assert test.classes == ("a", "b") and reds(test) == [0, 1]
    assert capsys.readouterr().err == ""


def test_broken_links_are_told_and_cycles_end(tmp_path, capsys):
    tree(tmp_path, "test/a/1.png")
    linked(tmp_path / "test" / "a" / "2.png", tmp_path / "gone.png")
    linked(tmp_path / "test" / "a" / "3.png", "3.png")
    linked(tmp_path / "test" / "a" / "up", tmp_path / "test", target_is_directory=True)
    linked(tmp_path / "test" / "a" / "self", ".", target_is_directory=True)
    assert len(data.folder(tmp_path)[2]) == 1
    assert capsys.readouterr().err.endswith(": 2 behind broken links\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_opened(tmp_path, capsys):
    tree(tmp_path, "test/a/1.png")
    os.mkfifo(tmp_path / "test" / "a" / "2.png")
    assert len(data.folder(tmp_path)[2]) == 1
    assert capsys.readouterr().err.endswith(": 1 that are pipes or devices\n")


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    tree(tmp_path, "test/a/1.png", "test/b/1.png")
    whole = type(tmp_path).iterdir

    def iterdir(path):
        if path.name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    monkeypatch.setattr(type(tmp_path), "iterdir", iterdir)
    with pytest.raises(DataError, match=r"b cannot be read: Permission denied$"):
        data.folder(tmp_path)


def test_a_class_folder_whose_name_is_not_utf_8_is_refused(tmp_path):
    tree(tmp_path, "test/a/1.png")
    try:
        os.mkdir(os.fsencode(tmp_path / "test") + b"/caf\xe9")
    except OSError:
        pytest.skip("this system's names are UTF-8")
    with pytest.raises(DataError, match="is not named in valid UTF-8: rename it") as caught:
        data.folder(tmp_path)
    str(caught.value).encode()


# What is refused.


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ((), "contains no folders: expected one per class"),
        (("train/a/1.png",), "has train/ and no folder test/"),
        (("a/1.txt",), "has no images of a: expected files such as a/1.png, got 1 .txt"),
        (("a/1.png", "a/2.png"), "no class of five images"),
        (
            ("train/a/1.png", "train/b/1.txt", "test/a/1.png"),
            "train has no images of b: expected files such as b/1.png, got 1 .txt",
        ),
        (("a/1.png", "b/1.txt", "c/1.txt"), "has no images of b, c: .*, got 2 .txt"),
        (("a/1.png", "b/more/1.png"), "has no images of b: .*, got 1 in sub-folders"),
        (("a/1.heic", "b/1.heic"), "has no images of a, b: .*, got 2 .heic"),
        (
            [f"{name}/1.py" for name in "abcdefg"],
            "has no images of a, b, c, d, e and 2 more: expected files such as a/1.png, got 7 .py$",
        ),
        (("train/a/1.png", "val/a/1.png"), "has train/ and val/ and no folder test/"),
        (("val/a/1.png",), "has val/ and no folder test/"),
    ],
)
def test_folders_without_what_is_needed_are_refused(tmp_path, places, message):
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        put(tmp_path / place) if place.endswith("png") else (tmp_path / place).write_text("")
    with pytest.raises(DataError, match=message):
        data.folder(tmp_path)


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere is not there"):
        data.folder(tmp_path / "nowhere")


def test_nobody_is_told_to_remove_folders_that_are_not_empty(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "program.py").write_text("print()")
    with pytest.raises(DataError) as caught:
        data.folder(tmp_path)
    advice = str(caught.value).removeprefix(str(tmp_path))
    assert "remove" not in advice and "empty" not in advice


@pytest.mark.parametrize("name", ["d.zip", "d.tar", "d.tar.gz", "d.tgz", "D.ZIP"])
def test_an_archive_is_to_be_unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(DataError, match=f"{name} is an archive: unpack it"):
        data.folder(tmp_path / name)


def test_a_file_is_not_a_folder(tmp_path):
    put(tmp_path / "a.png")
    with pytest.raises(DataError, match="a.png is not a folder: expected a folder"):
        data.folder(tmp_path / "a.png")


# Sizes.


def test_images_of_different_sizes_need_a_size(tmp_path):
    put(tmp_path / "test" / "a" / "1.png", size=(6, 4))
    put(tmp_path / "test" / "a" / "2.png", size=(4, 6))
    with pytest.raises(
        DataError, match=r"1.png is 4 x 6, .*2.png is 6 x 4: --size makes all images the same"
    ):
        data.folder(tmp_path)
    assert data.folder(tmp_path, size=3)[2].images.shape == (2, 3, 3, 3)


def test_images_of_different_sizes_take_the_size_that_is_given_for_them(tmp_path, capsys):
    put(tmp_path / "train" / "a" / "1.png", size=(6, 4))
    put(tmp_path / "train" / "a" / "2.png", size=(4, 6))
    put(tmp_path / "test" / "a" / "1.png", size=(9, 9))
    train, _, test = data.folder(tmp_path, mixed_size=5)
    assert train.images.shape == (2, 5, 5, 3) and test.images.shape == (1, 5, 5, 3)
    (line,) = capsys.readouterr().err.splitlines()
    assert "1.png is 4 x 6" in line and "2.png is 6 x 4" in line
    assert "resized and cropped to 5 x 5 (--size" in line
    # A size that is given comes first, and the one that all have.
    assert data.folder(tmp_path, size=3, mixed_size=5)[0].images.shape == (2, 3, 3, 3)
    put(tmp_path / "train" / "a" / "2.png", size=(6, 4))
    assert data.folder(tmp_path, mixed_size=5)[2].images.shape == (1, 4, 6, 3)
    assert capsys.readouterr().err == ""


def test_images_that_do_not_fit_in_memory_are_told_with_their_size(tmp_path, monkeypatch):
    tree(tmp_path, "test/a/1.png", "test/a/2.png")

    def full(*_):
        raise MemoryError

    monkeypatch.setattr(numpy, "empty", full)
    with pytest.raises(DataError, match="2 images of 4 x 6 do not fit in memory: --size makes"):
        data.folder(tmp_path)


# Holding out.


def test_held_out_images_are_evenly_spaced_in_each_class():
    labels = numpy.repeat([0, 1], [20, 35])
    images = numpy.arange(55, dtype=numpy.uint8).reshape(55, 1, 1, 1)
    training, validation = data.held_out(
        data.Dataset(images, labels, "ab", max_value=10, name="n", source="s"), 0.1
    )
    assert reds(validation) == [9, 19, 29, 39, 49] and validation.counts() == [2, 3]
    assert sorted(reds(training) + reds(validation)) == list(range(55))
    assert training.mean == validation.mean == (numpy.mean([r for r in reds(training)]) / 10,)
    assert (validation.max_value, validation.name, validation.source) == (10, "n", "s")


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 1 / 3, 0.5, 0.7])
def test_the_share_held_out_is_the_share_asked_for(share):
    dataset = data.Dataset(numpy.zeros((3000, 1, 1, 1), numpy.uint8), numpy.arange(3000) % 3, "abc")
    assert data.held_out(dataset, share)[1].counts() == [int(1000 * share + 1e-6)] * 3


def test_a_share_of_0_holds_out_nothing_and_others_are_refused():
    dataset = data.Dataset(numpy.zeros((4, 1, 1, 1), numpy.uint8), [0, 0, 1, 1], "ab")
    assert data.held_out(dataset, 0) == (dataset, None)
    for share, message in (
        (-0.1, "held_out: expected 0 <= share < 1, got"),
        (1, "held_out: expected 0 <= share < 1, got"),
        (0.1, "leaves no images for validation"),
    ):
        with pytest.raises(ValueError, match=message):
            data.held_out(dataset, share)
