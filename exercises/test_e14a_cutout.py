"""Claims about cutout: a square of zeros in each image, around a pixel that is drawn for it.

Where a hole is depends on how you draw: these claims look at which holes there are, and how often. They would reject a right
function less than once in a million times.
"""

import numpy
from e14a_cutout import cutout

from minires.course import Check

check = Check("14a")


def filled(*shape, dtype="uint8"):
    """Return images without zeros."""
    values = numpy.random.default_rng(3).integers(1, 120, shape)
    return values.astype(dtype)


def faults(images, result, hole):
    """Return what is wrong in any image, in words."""
    found = set()
    zero = result == 0
    if (zero.all(axis=3) != zero.any(axis=3)).any():
        found.add("a hole that differs between channels")
    if numpy.where(zero, 0, result != images).any():
        found.add("pixels that are neither unchanged nor 0")
    if not hole.any(axis=(1, 2)).all():
        found.add("images without a hole")
    if (hole != hole.any(axis=2)[:, :, None] & hole.any(axis=1)[:, None, :]).any():
        found.add("holes that aren't rectangles")
    return ", ".join(sorted(found)) or "nothing"


def lines(masks):
    """Return [(first, last)] of the rows or columns of each hole; masks  (N, length)"""
    last = masks.shape[1] - 1 - masks[:, ::-1].argmax(axis=1)
    return [*zip(masks.argmax(axis=1).tolist(), last.tolist())]


def shares(found, length, compared):
    """Return which lines there are, and how often each, compared with 1 / length."""
    counts = {pair: found.count(pair) for pair in sorted(set(found))}
    if not compared:
        return ", ".join(f"{a}-{b}" for a, b in counts)
    common = len(found) / length
    limit = 7 * common**0.5
    words = {
        pair: "too often" if n > common + limit else "too rarely" if n < common - limit else ""
        for pair, n in counts.items()
    }
    return ", ".join(f"{a}-{b} {words[a, b]}".strip() for a, b in counts)


def holes(n, h, w, c, size, *, compared=False):
    """Experiment: which holes there are, in words."""

    def run(cutout):
        images = filled(n, h, w, c)
        result = numpy.asarray(cutout(images.copy(), size, numpy.random.default_rng(8)))
        told = {
            "shape of the result": str(result.shape),
            "wrong": "",
            "holes": "",
            "rows, first-last": "",
            "columns, first-last": "",
            "different holes": "",
        }
        if result.shape != images.shape:
            return told
        hole = (result == 0).any(axis=3)
        rows, columns = lines(hole.any(axis=2)), lines(hole.any(axis=1))
        kinds = len({*zip(rows, columns)})
        told["wrong"] = faults(images, result, hole)
        told["holes"] = (
            "in several places"
            if kinds > 1
            else "the whole image"
            if hole.all()
            else "all in one place"
        )
        if told["wrong"] == "nothing" and told["holes"] != "all in one place":
            told["rows, first-last"] = shares(rows, h, compared)
            told["columns, first-last"] = shares(columns, w, compared)
            told["different holes"] = str(kinds)
        return told

    check.experiment(run, cutout, f"{n:,} images of {h} x {w} pixels, size {size}")


def test_each_pixel_is_the_centre_equally_often():
    holes(1500, 5, 7, 2, 3, compared=True)


def test_the_first_row_is_row_minus_size_over_2():
    holes(1000, 5, 7, 2, 2, compared=True)
    holes(900, 6, 5, 1, 4)


def test_a_size_of_1_is_one_pixel():
    holes(900, 4, 6, 2, 1, compared=True)


def test_images_may_be_square():
    holes(900, 6, 6, 3, 5)


def test_a_hole_may_be_larger_than_the_image():
    holes(400, 3, 5, 2, 4)
    holes(400, 5, 3, 1, 9)
    holes(60, 2, 3, 2, 40)


def test_row_and_column_do_not_depend_on_each_other():
    def run(cutout):
        result = cutout(filled(1600, 2, 2, 1), 1, numpy.random.default_rng(4))
        corners = (numpy.asarray(result) == 0).reshape(-1, 4).sum(axis=0)
        return {
            "each of four pixels is the hole": "equally often"
            if abs(corners - 400).max() < 121
            else "not equally often"
        }

    check.experiment(run, cutout, "1,600 images, 2 x 2 pixels each, size 1")


def test_images_do_not_depend_on_their_neighbours():
    def run(cutout):
        result = numpy.asarray(cutout(filled(1600, 1, 2, 1), 1, numpy.random.default_rng(5)))
        left = (result[:, 0, 0, 0] == 0).reshape(2, 800) if len(result) == 1600 else []
        found = {}
        for name, pairs in {
            "next to each other": numpy.ravel(left).reshape(-1, 2).T,
            "800 apart": left,
        }.items():
            same = numpy.equal(*pairs).sum()
            found[f"holes of images {name}"] = (
                "independent" if abs(same - 400) < 100 else "not independent"
            )
        return found

    check.experiment(run, cutout, "1,600 images, 1 x 2 pixels each, size 1")


def test_other_values_stay_and_dtypes_too():
    for dtype in ("uint8", "int16", "int64", "float32", "float64"):

        def run(cutout, dtype=dtype):
            images = filled(40, 4, 5, 2, dtype=dtype)
            if dtype.startswith("float"):
                images = images / numpy.array(7, dtype) - 9
            result = cutout(images.copy(), 2, numpy.random.default_rng(1))
            changed = result != images
            return {
                "dtype": str(result.dtype),
                "all other pixels": "unchanged"
                if not result[changed].any() and changed.sum(axis=(1, 2, 3)).max() <= 8
                else "changed",
            }

        check.experiment(run, cutout, f"{dtype} images")


def test_it_is_a_new_array_and_images_stay_unchanged():
    def run(cutout):
        images = filled(9, 5, 4, 2)
        before = images.copy()
        result = cutout(images, 2, numpy.random.default_rng(1))
        return {
            "images": "unchanged" if (images == before).all() else "changed",
            "the result": "a view of images" if numpy.shares_memory(images, result) else "new",
        }

    check.experiment(run, cutout, "9 images")


def test_random_numbers_come_from_rng():
    def run(cutout):
        images, rng = filled(30, 6, 7, 1), numpy.random.default_rng(2)
        first, second = cutout(images.copy(), 3, rng), cutout(images.copy(), 3, rng)
        again = cutout(images.copy(), 3, numpy.random.default_rng(2))
        other = cutout(images.copy(), 3, numpy.random.default_rng(3))
        return {
            "a second call with one rng": "the same holes"
            if (first == second).all()
            else "new holes",
            "a generator with an equal seed": "the same holes"
            if (first == again).all()
            else "new holes",
            "a generator with a different seed": "the same holes"
            if (first == other).all()
            else "new holes",
        }

    # Calls that are made twice draw twice as many numbers, with every generator alike.
    check.experiment(run, cutout, "30 images, size 3")


def test_there_may_be_one_image_or_one_pixel():
    def run(cutout):
        found = {}
        for n, h, w, c in ((1, 1, 1, 1), (3, 1, 1, 2)):
            result = cutout(filled(n, h, w, c), 1, numpy.random.default_rng(6))
            found[f"the result for {n} images of {h} x {w}"] = numpy.asarray(result)
        one = filled(1, 4, 4, 3)
        found["pixels that are 0, of one image"] = int(
            (cutout(one.copy(), 1, numpy.random.default_rng(6)) == 0).all(axis=3).sum()
        )
        return found

    check.experiment(run, cutout, "size 1")


def test_images_may_be_laid_out_in_any_way():
    def run(cutout):
        found = {}
        for name, turned in {
            "transposed": lambda x: x.transpose(0, 2, 1, 3),
            "read backwards": lambda x: x[::-1, ::-1],
        }.items():
            images = turned(filled(50, 5, 4, 2))
            before = images.copy()
            result = cutout(images, 2, numpy.random.default_rng(7))
            whole = (result == 0).any(axis=(1, 2, 3)).all() and (
                result[result != before] == 0
            ).all()
            found[name] = (
                "a hole in each" if whole and (images == before).all() else "something else"
            )
        return found

    check.experiment(run, cutout, "images in other memory layouts")
