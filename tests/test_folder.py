"""Folders of images by class, made here; and every image that one may find in one."""

import io

import numpy
import pytest
from numpy.testing import assert_array_equal
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
    with pytest.raises(DataError, match="test has images of c, the training part has a, b"):
        data.folder(tmp_path)


def test_other_files_and_hidden_ones_are_passed_over(tmp_path):
    tree(tmp_path, "test/a/1.png", "test/.cache/1.png", "test/a/.2.png")
    (tmp_path / "test" / "a" / "notes.txt").write_text("no image")
    assert len(data.folder(tmp_path)[2]) == 1


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ((), "holds no folders: wanted one for each class"),
        (("train/a/1.png",), "has a folder train/ and none named test/"),
        (("a/1.txt",), "holds no images: wanted files such as a/1.png"),
        (("a/1.png", "a/2.png"), "no class of five images"),
        (
            ("train/a/1.png", "train/b/1.txt", "test/a/1.png"),
            "train has no images of b: add some, or remove the empty folders",
        ),
        (("a/1.png", "b/1.txt", "c/1.txt"), "has no images of b, c"),
    ],
)
def test_folders_without_what_is_needed_are_refused(tmp_path, places, message):
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        put(tmp_path / place) if place.endswith("png") else (tmp_path / place).write_text("")
    with pytest.raises(DataError, match=message):
        data.folder(tmp_path)


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere is no folder"):
        data.folder(tmp_path / "nowhere")


# Sizes.


def test_images_of_different_sizes_need_a_size(tmp_path):
    put(tmp_path / "test" / "a" / "1.png", size=(6, 4))
    put(tmp_path / "test" / "a" / "2.png", size=(4, 6))
    with pytest.raises(
        DataError, match=r"1.png is 4 x 6, .*2.png is 6 x 4: --size makes all images the same"
    ):
        data.folder(tmp_path)
    assert data.folder(tmp_path, size=3)[2].images.shape == (2, 3, 3, 3)


def test_the_shorter_side_is_resized_and_the_centre_is_kept(tmp_path):
    """A picture of 40 x 20: its left quarter is red, its right quarter is blue; the centre is green."""
    pixels = numpy.zeros((20, 40, 3), numpy.uint8)
    pixels[:, :10, 0], pixels[:, 10:30, 1], pixels[:, 30:, 2] = 255, 255, 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    Image.fromarray(pixels.transpose(1, 0, 2)).save(tmp_path / "high.png")
    for name in ("wide", "high"):
        image = data.load_image(tmp_path / f"{name}.png", size=10)
        assert image.shape == (10, 10, 3) and (image[1:-1, 1:-1] == (0, 255, 0)).all()
    assert data.load_image(tmp_path / "wide.png", size=(5, 10)).shape == (5, 10, 3)
    assert_array_equal(data.load_image(tmp_path / "wide.png"), pixels)


def test_a_small_image_is_enlarged(tmp_path):
    put(tmp_path / "a.png", (7, 8, 9), size=(2, 3))
    assert (data.load_image(tmp_path / "a.png", size=8) == (7, 8, 9)).all()


# Kinds of images.


def test_grey_palette_transparent_and_16_bit_images_become_rgb(tmp_path):
    put(tmp_path / "grey.png", 77, mode="L")
    put(tmp_path / "grey.jpg", 77, mode="L")
    put(tmp_path / "bit.png", 1, mode="1")
    Image.new("RGB", (4, 4), (200, 100, 50)).quantize(2).save(tmp_path / "palette.gif")
    Image.new("RGBA", (4, 4), (200, 100, 50, 51)).save(tmp_path / "clear.png")
    Image.fromarray(numpy.full((4, 4), 77 * 257, numpy.uint16)).save(tmp_path / "deep.png")
    Image.new("CMYK", (4, 4), (0, 0, 0, 0)).save(tmp_path / "ink.tif")
    expected = {"grey.png": 77, "grey.jpg": 77, "bit.png": 255, "palette.gif": (200, 100, 50), "clear.png": (40, 20, 10),
                "deep.png": 77, "ink.tif": 255}  # fmt: skip
    for name, colour in expected.items():
        image = data.load_image(tmp_path / name)
        assert image.dtype == numpy.uint8 and image.shape[2] == 3
        assert abs(image.astype(int) - colour).max() <= 1, name


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (
            numpy.full((4, 4), 0.5, numpy.float32),
            "its pixels are float32 from 0.5 to 0.5, wanted ints from 0 to 65535",
        ),
        (numpy.full((4, 4), 70_000, numpy.int32), "its pixels are int32 from 70000 to 70000"),
        (numpy.full((4, 4), -1, numpy.int32), "its pixels are int32 from -1 to -1"),
    ],
)
def test_pixels_whose_white_is_unknown_are_refused(tmp_path, pixels, message):
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=f"a.tif does not decode as an image .{message}"):
        data.load_image(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size is 0, wanted at least 1 pixel a side"),
        ({"size": -3}, "size is -3"),
        ({"size": (4, 0)}, r"size is \(4, 0\)"),
        ({"size": (4,)}, r"size is \(4,\)"),
        ({"channels": 2}, "wanted in 2 channels: it can be had in 1 .grey. or 3"),
    ],
)
def test_a_size_or_channels_that_cannot_be_are_not_blamed_on_the_file(tmp_path, options, message):
    put(tmp_path / "a.png")
    with pytest.raises(ValueError, match=message) as caught:
        data.load_image(tmp_path / "a.png", **options)
    assert not isinstance(caught.value, DataError)


@pytest.mark.filterwarnings("ignore")  # Pillow's own, of damaged tags
def test_no_damage_to_an_image_escapes_the_sentence(tmp_path, monkeypatch):
    """Bytes changed at random: each file is read, or refused by name."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    rng = numpy.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (9, 7, 3)).astype(numpy.uint8))
    refused = 0
    for suffix in (".png", ".jpg", ".gif", ".bmp", ".webp", ".tif", ".ppm"):
        picture.save(tmp_path / f"a{suffix}")
        whole = (tmp_path / f"a{suffix}").read_bytes()
        for _ in range(60):
            harmed = bytearray(whole)
            for place in rng.integers(0, min(len(whole), 300), 4):
                harmed[place] = rng.integers(256)
            (tmp_path / f"a{suffix}").write_bytes(harmed)
            try:
                assert data.load_image(tmp_path / f"a{suffix}", size=4).shape == (4, 4, 3)
            except DataError as error:
                refused += f"a{suffix}" in str(error)
    assert refused > 100


def test_one_channel_is_grey(tmp_path):
    put(tmp_path / "a.png", (100, 100, 100))
    image = data.load_image(tmp_path / "a.png", size=(8, 8), channels=1)
    assert image.shape == (8, 8, 1) and (image == 100).all()


def test_a_photo_is_turned_as_its_camera_says(tmp_path):
    pixels = numpy.zeros((20, 40, 3), numpy.uint8)
    pixels[:10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    image = data.load_image(tmp_path / "a.jpg")
    assert image.shape == (40, 20, 3) and image[:, 12:].min() > 200 > 50 > image[:, :8].max()


@pytest.mark.parametrize("harm", ["cut", "empty", "text", "flipped"])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_file_that_does_not_decode_is_refused_by_name(tmp_path, harm, suffix):
    noise = Image.fromarray(
        numpy.random.default_rng(0).integers(0, 255, (30, 30, 3)).astype(numpy.uint8)
    )
    file = io.BytesIO()
    noise.save(file, {".png": "PNG", ".jpg": "JPEG"}[suffix])
    whole = file.getvalue()
    (tmp_path / "test" / "a").mkdir(parents=True)
    path = tmp_path / "test" / "a" / f"bad{suffix}"
    path.write_bytes(
        {
            "cut": whole[: len(whole) // 2],
            "empty": b"",
            "text": b"hello",
            "flipped": b"\x00" + whole[1:],
        }[harm]
    )
    with pytest.raises(
        DataError, match=rf"bad{suffix} does not decode as an image .*: replace or remove it"
    ):
        data.folder(tmp_path)


def test_an_image_that_unpacks_to_gigabytes_is_refused(tmp_path, monkeypatch):
    put(tmp_path / "a.png", size=(100, 100))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match="a.png is too large to be opened"):
        data.load_image(tmp_path / "a.png")


def test_an_image_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="a.png is not there"):
        data.load_image(tmp_path / "a.png")
    (tmp_path / "d.png").mkdir()
    with pytest.raises(DataError, match="d.png does not decode"):
        data.load_image(tmp_path / "d.png")


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
        (-0.1, "wanted 0 <= share < 1"),
        (1, "wanted 0 <= share < 1"),
        (0.1, "leaves no images for validation"),
    ):
        with pytest.raises(ValueError, match=message):
            data.held_out(dataset, share)
