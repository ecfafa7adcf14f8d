"""One image file: every kind that a folder of photos may contain, and its size."""

import io
import struct
import zlib

import numpy
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from minires import data
from minires.data.cifar import DataError
from tests.test_folder import put

# Sizes.


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


def png(kind, pixels, transparent=()):
    """The bytes of a 16-bit PNG of 2 x 2 equal pixels. kind  0 grey, 2 RGB, 4 grey and alpha, 6 RGBA"""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    def words(values):
        return struct.pack(f">{len(values)}H", *values)

    header = struct.pack(">IIBBBBB", 2, 2, 16, kind, 0, 0, 0)
    rows = zlib.compress(2 * (b"\0" + 2 * words(pixels)))
    clear = chunk(b"tRNS", words(transparent)) if transparent else b""
    parts = chunk(b"IHDR", header), clear, chunk(b"IDAT", rows), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(bits, content, *, white_is_0=False, kind=1, order="<"):
    """The bytes of a grey TIFF of 2 x 2. kind  1 unsigned, 2 signed"""
    shorts = {256: 2, 257: 2, 258: bits, 259: 1, 262: 0 if white_is_0 else 1, 273: 8, 277: 1, 278: 2, 279: len(content),
              339: kind}  # fmt: skip
    entries = [struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in shorts.items()]
    header = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8 + len(content))
    count = struct.pack(f"{order}H", len(entries))
    return header + content + count + b"".join(entries) + bytes(4)


DEEP = {  # 200, 100 and 50 of 255, with alpha 51 of 255: in 16 bits times 257, in 12 times 4095 / 255
    "grey.png": (png(0, [200 * 257]), 200),
    "clear_grey.png": (png(0, [200 * 257], transparent=[200 * 257]), 0),
    "rgb.png": (png(2, [200 * 257, 100 * 257, 50 * 257]), (200, 100, 50)),
    "grey_alpha.png": (png(4, [200 * 257, 51 * 257]), 40),
    "rgba.png": (png(6, [200 * 257, 100 * 257, 50 * 257, 51 * 257]), (40, 20, 10)),
    "little.tif": (tiff(16, struct.pack("<4H", *4 * [200 * 257])), 200),
    "big.tif": (tiff(16, struct.pack(">4H", *4 * [200 * 257]), order=">"), 200),
    "white_is_0.tif": (tiff(16, struct.pack("<4H", *4 * [55 * 257]), white_is_0=True), 200),
    "12_bits.tif": (tiff(12, bytes.fromhex("c8cc8c" * 2)), 200),  # 3212 = 0xc8c
    "10_bits.pgm": (b"P5 2 2 1023\n" + struct.pack(">4H", *4 * [802]), 200),
    "16_bits.pgm": (b"P5 2 2 65535\n" + struct.pack(">4H", *4 * [200 * 257]), 200),
    "plain.pgm": (b"P2 2 2 1000\n784 784 784 784\n", 200),
}


@pytest.mark.parametrize("name", DEEP)
def test_pixels_of_more_than_8_bits_are_scaled_by_the_files_own_width(tmp_path, name):
    content, expected = DEEP[name]
    (tmp_path / name).write_bytes(content)
    image = data.load_image(tmp_path / name)
    assert image.shape == (2, 2, 3) and abs(image.astype(int) - expected).max() <= 1


SIGNED = tiff(16, struct.pack("<4h", *4 * [200]), kind=2)
UNSIGNED_32 = tiff(32, struct.pack("<4I", *4 * [200]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (numpy.full((4, 4), 0.5, numpy.float32), "its pixels are floats: expected 8 or 16 bits"),
        (numpy.full((4, 4), 200, numpy.int32), "its pixels are integers of 32 bits"),
        (numpy.full((4, 4), 70_000, numpy.int32), "its pixels are integers of 32 bits"),
        (numpy.full((4, 4), -1, numpy.int32), "its pixels are integers of 32 bits"),
        (SIGNED, "its pixels are integers of 32 bits, or with a sign"),
        (UNSIGNED_32, "its pixels are integers of 32 bits"),
    ],
)
def test_pixels_whose_white_is_unknown_are_refused(tmp_path, content, message):
    path = tmp_path / "a.tif"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        Image.fromarray(content).save(path)
    with pytest.raises(DataError, match=f"a.tif does not decode as an image .{message}"):
        data.load_image(path)


def test_what_is_transparent_is_black_however_the_file_says_it(tmp_path):
    colour, clear = (200, 100, 50), {"transparency": (200, 100, 50)}
    put(tmp_path / "colour.png", colour, **clear)
    put(tmp_path / "grey.png", 200, mode="L", transparency=200)
    put(tmp_path / "alpha.png", (200, 51), mode="LA")
    put(tmp_path / "alpha.tif", (*colour, 51), mode="RGBA")
    put(tmp_path / "alpha.webp", (*colour, 51), mode="RGBA", lossless=True)
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, *colour])
    palette.save(tmp_path / "entry.png", transparency=1)
    palette.save(tmp_path / "entry.gif", transparency=1)
    palette.save(tmp_path / "entries.png", transparency=bytes([255, 51]))
    fifth = (40, 20, 10)
    expected = {"colour.png": 0, "grey.png": 0, "alpha.png": 40, "alpha.tif": fifth, "alpha.webp": fifth, "entry.png": 0,
                "entry.gif": 0, "entries.png": fifth}  # fmt: skip
    for name, value in expected.items():
        image = data.load_image(tmp_path / name)
        assert image.shape[2] == 3 and abs(image.astype(int) - value).max() <= 1, name


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_the_first_image_of_several_counts(tmp_path, suffix):
    red, *others = (Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue"))
    options = {"lossless": True} if suffix == ".webp" else {}
    red.save(tmp_path / f"a{suffix}", save_all=True, append_images=others, **options)
    assert (data.load_image(tmp_path / f"a{suffix}") == (255, 0, 0)).all()


def test_the_content_decides_and_not_the_suffix(tmp_path):
    put(tmp_path / "a.jpg", (1, 2, 3), format="PNG")
    assert (data.load_image(tmp_path / "a.jpg") == (1, 2, 3)).all()


def test_postscript_is_not_run(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", "EPS")
    with pytest.raises(
        DataError, match=r"a.png does not decode as an image \(it begins with b'%!PS"
    ):
        data.load_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size: expected at least 1 pixel per side, got 0"),
        ({"size": -3}, "got -3"),
        ({"size": (4, 0)}, r"got \(4, 0\)"),
        ({"size": (4,)}, r"got \(4,\)"),
        ({"channels": 2}, "channels: expected 1 .grey. or 3 .RGB., got 2"),
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


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_other_formats_are_turned_too(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 8
    put(tmp_path / f"a.{suffix}", size=(6, 4), exif=exif)
    assert data.load_image(tmp_path / f"a.{suffix}").shape == (6, 4, 3)


@pytest.mark.filterwarnings("ignore")  # Pillow's own, of damaged tags
def test_damage_to_what_a_camera_says_does_not_lose_the_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "a camera", 72.0
    whole, rng = exif.tobytes(), numpy.random.default_rng(0)
    for _ in range(300):
        harmed = bytearray(whole)
        for place in rng.integers(6, len(whole), 2):
            harmed[place] = rng.integers(256)
        put(tmp_path / "a.jpg", size=(6, 4), exif=bytes(harmed))
        assert data.load_image(tmp_path / "a.jpg").shape in {(4, 6, 3), (6, 4, 3)}


HARMED = {
    "cut": (lambda whole: whole[: len(whole) // 2], "[tT]runcated"),
    "empty": (lambda whole: b"", "it is empty"),
    "text": (lambda whole: b"hello", "it begins with b'hello'"),
    "page": (lambda whole: b"<!DOCTYPE html>", "it begins with b'<!DOCTYPE ht'"),
    "heic": (lambda whole: b"\0\0\0\x18ftypheic" + bytes(50), "it begins with b'.*ftypheic'"),
    "flipped": (lambda whole: b"\x00" + whole[1:], "it begins with b'.x00"),
}


@pytest.mark.parametrize("harm", HARMED)
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_file_that_does_not_decode_is_refused_by_name_and_nobody_is_told_to_remove_it(
    tmp_path, harm, suffix
):
    noise = Image.fromarray(
        numpy.random.default_rng(0).integers(0, 255, (30, 30, 3)).astype(numpy.uint8)
    )
    file = io.BytesIO()
    noise.save(file, {".png": "PNG", ".jpg": "JPEG"}[suffix])
    (tmp_path / "test" / "a").mkdir(parents=True)
    change, reason = HARMED[harm]
    (tmp_path / "test" / "a" / f"bad{suffix}").write_bytes(change(file.getvalue()))
    with pytest.raises(
        DataError, match=rf"bad{suffix} does not decode as an image \(.*{reason}.*\)$"
    ):
        data.folder(tmp_path)


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied", "a.png")

    monkeypatch.setattr(Image, "open", refused)
    with pytest.raises(DataError, match="a.png cannot be read: Permission denied$"):
        data.load_image(tmp_path / "a.png")


def test_an_image_that_unpacks_to_gigabytes_is_refused(tmp_path, monkeypatch):
    put(tmp_path / "a.png", size=(100, 100))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match="a.png is too large to be opened"):
        data.load_image(tmp_path / "a.png")


def test_an_image_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="a.png is not there"):
        data.load_image(tmp_path / "a.png")
    (tmp_path / "d.png").mkdir()
    with pytest.raises(DataError, match="d.png does not decode as an image .it is a folder.$"):
        data.load_image(tmp_path / "d.png")
