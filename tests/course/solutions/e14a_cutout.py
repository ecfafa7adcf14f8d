"""Solutions of 14a."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

OFTEN, EVEN, PIXEL = (
    "test_each_pixel_is_the_centre_equally_often",
    "test_the_first_row_is_row_minus_size_over_2",
    "test_a_size_of_1_is_one_pixel",
)
SQUARE, LARGE = "test_images_may_be_square", "test_a_hole_may_be_larger_than_the_image"
BOTH, NEIGHBOURS = (
    "test_row_and_column_do_not_depend_on_each_other",
    "test_images_do_not_depend_on_their_neighbours",
)
VALUES, NEW, RNG = (
    "test_other_values_stay_and_dtypes_too",
    "test_it_is_a_new_array_and_images_stay_unchanged",
    "test_random_numbers_come_from_rng",
)
ONE, LAID = "test_there_may_be_one_image_or_one_pixel", "test_images_may_be_laid_out_in_any_way"


@right
def one_by_one(images, size, rng):
    result = images.copy()
    h, w = images.shape[1:3]
    for image in result:
        top, left = rng.integers(h) - size // 2, rng.integers(w) - size // 2
        for i in range(max(top, 0), min(top + size, h)):
            for j in range(max(left, 0), min(left + size, w)):
                image[i, j] = 0
    return result


@right
def by_a_mask(images, size, rng):
    n, h, w, _ = images.shape
    row, column = rng.integers(0, h, (n, 1, 1)), rng.integers(0, w, (n, 1, 1))
    i, j = numpy.arange(h)[:, None] - row + size // 2, numpy.arange(w) - column + size // 2
    hole = (i >= 0) & (i < size) & (j >= 0) & (j < size)
    return xp.where(hole[..., None], 0, images).astype(images.dtype)


@right
def by_floats(images, size, rng):
    """Centres from numbers between 0 and 1, columns first."""
    n, h, w, c = images.shape
    centres = (rng.random((n, 2)) * [w, h]).astype(int)
    result = xp.array(images)
    for k, (column, row) in enumerate(centres):
        top, left = row - size // 2, column - size // 2
        result[k, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0), :] = 0
    return result


@right
def by_the_pixels_number(images, size, rng):
    """One number per image, of h * w."""
    n, h, w, _ = images.shape
    result = images.copy()
    for k in range(n):
        row, column = divmod(int(rng.integers(h * w)), w)
        rows = [i for i in range(h) if 0 <= i - row + size // 2 < size]
        columns = [j for j in range(w) if 0 <= j - column + size // 2 < size]
        result[k][numpy.ix_(rows, columns)] = 0
    return result


@right
def in_a_frame(images, size, rng):
    """With a margin, into which holes may extend."""
    n, h, w, _ = images.shape
    framed = xp.pad(images, ((0, 0), (size, size), (size, size), (0, 0)))
    for k in range(n):
        top, left = int(rng.integers(h)) + size - size // 2, int(rng.integers(w)) + size - size // 2
        framed[k, top : top + size, left : left + size] = 0
    return framed[:, size : size + h, size : size + w].copy()


def squares(images, size, centres, *, before=None, side=None):
    """Return the images with squares of zeros around these centres, cut off at the edges."""
    side = size if side is None else side
    before = size // 2 if before is None else before
    result = images.copy()
    for image, (row, column) in zip(result, centres):
        top, left = int(row) - before, int(column) - before
        image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = 0
    return result


def drawn(images, rng):
    n, h, w, _ = images.shape
    return [(rng.integers(h), rng.integers(w)) for _ in range(n)]


@wrong(OFTEN, mistake="one_hole_for_all")
def one_centre(images, size, rng):
    n, h, w, _ = images.shape
    centre = rng.integers(h), rng.integers(w)
    return squares(images, size, [centre] * n)


@wrong(OFTEN, mistake="moved_inside")
def pushed_back(images, size, rng):
    _, h, w, _ = images.shape
    result = images.copy()
    for image, (row, column) in zip(result, drawn(images, rng)):
        top = max(min(int(row) - size // 2, h - size), 0)
        left = max(min(int(column) - size // 2, w - size), 0)
        image[top : top + size, left : left + size] = 0
    return result


@wrong(OFTEN, mistake="drawn_inside")
def only_whole_ones(images, size, rng):
    _, h, w, _ = images.shape
    result = images.copy()
    for image in result:
        top = int(rng.integers(max(h - size, 0) + 1))
        left = int(rng.integers(max(w - size, 0) + 1))
        image[top : top + size, left : left + size] = 0
    return result


@wrong(OFTEN, mistake="starts_at_the_pixel")
def corner_drawn(images, size, rng):
    return squares(images, size, drawn(images, rng), before=0)


@wrong(OFTEN, mistake="half_to_each_side")
def from_minus_to_plus_half(images, size, rng):
    half = size // 2
    return squares(images, size, drawn(images, rng), side=2 * half)


@wrong(OFTEN, mistake="twice_as_large")
def size_to_each_side(images, size, rng):
    return squares(images, size, drawn(images, rng), before=size, side=2 * size)


@wrong(OFTEN, mistake="negative_start")
def slices_as_they_come(images, size, rng):
    result = images.copy()
    for k, (row, column) in enumerate(drawn(images, rng)):
        top, left = int(row) - size // 2, int(column) - size // 2
        result[k, top : top + size, left : left + size, :] = 0
    return result


@wrong(OFTEN, mistake="comes_back")
def modulo(images, size, rng):
    _, h, w, _ = images.shape
    result = images.copy()
    for image, (row, column) in zip(result, drawn(images, rng)):
        rows = (numpy.arange(size) + int(row) - size // 2) % h
        columns = (numpy.arange(size) + int(column) - size // 2) % w
        image[numpy.ix_(rows, columns)] = 0
    return result


@wrong(NEW, mistake="writes_to_images")
def no_copy(images, size, rng):
    for image, (row, column) in zip(images, drawn(images, rng)):
        top, left = int(row) - size // 2, int(column) - size // 2
        image[max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = 0
    return images


@wrong(OFTEN, mistake="one_channel")
def red_only(images, size, rng):
    cut = squares(images, size, drawn(images, rng))
    cut[..., 1:] = images[..., 1:]
    return cut


@wrong(OFTEN, mistake="a_hole_per_channel")
def each_channel(images, size, rng):
    result = images.copy()
    for k in range(images.shape[3]):
        result[..., k : k + 1] = squares(images[..., k : k + 1], size, drawn(images, rng))
    return result


@wrong(OFTEN, mistake="filled_with_the_mean")
def grey(images, size, rng):
    cut = squares(xp.ones_like(images), size, drawn(images, rng))
    means = images.reshape(len(images), -1).mean(axis=1).astype(images.dtype)
    return xp.where(cut == 0, means[:, None, None, None], images)


@wrong(OFTEN, mistake="all_but_the_hole")
def kept_inside(images, size, rng):
    return xp.where(squares(images, size, drawn(images, rng)) == 0, images, 0).astype(images.dtype)


@wrong(OFTEN, mistake="one_number_for_both")
def diagonal(images, size, rng):
    n, h, w, _ = images.shape
    places = [rng.integers(min(h, w)) for _ in range(n)]
    return squares(images, size, [(i, i) for i in places])


@wrong(OFTEN, mistake="axes_swapped")
def x_for_y(images, size, rng):
    n, h, w, _ = images.shape
    return squares(images, size, [(rng.integers(w), rng.integers(h)) for _ in range(n)])


@wrong(OFTEN, mistake="last_pixel_never")
def up_to_h_minus_1(images, size, rng):
    n, h, w, _ = images.shape
    return squares(
        images, size, [(rng.integers(max(h - 1, 1)), rng.integers(max(w - 1, 1))) for _ in range(n)]
    )


@wrong(RNG, mistake="a_generator_of_its_own")
def seeded_here(images, size, rng):
    return squares(images, size, drawn(images, numpy.random.default_rng(42)))


@wrong(RNG)
def unseeded(images, size, rng):
    """Other holes each time, whatever rng is."""
    return squares(images, size, drawn(images, numpy.random.default_rng()))


@wrong(EVEN)
def rounded_the_other_way(images, size, rng):
    return squares(images, size, drawn(images, rng), before=(size - 1) // 2)


@wrong(OFTEN)
def rounded_centres(images, size, rng):
    """round(u * (H - 1)) comes half as often at the edges."""
    n, h, w, _ = images.shape
    centres = numpy.rint(rng.random((n, 2)) * [h - 1, w - 1]).astype(int)
    return squares(images, size, centres)


@wrong(OFTEN)
def normal_centres(images, size, rng):
    n, h, w, _ = images.shape
    spread = rng.standard_normal((n, 2)) * [h / 4, w / 4] + [h / 2, w / 2]
    centres = numpy.clip(spread, 0, [h - 1, w - 1]).astype(int)
    return squares(images, size, centres)


@wrong(OFTEN)
def half_of_them(images, size, rng):
    """With probability 1/2."""
    cut, keep = squares(images, size, drawn(images, rng)), rng.random(len(images)) < 0.5
    return xp.where(xp.asarray(keep)[:, None, None, None], images, cut)


@wrong(EVEN)
def round_holes(images, size, rng):
    n, h, w, _ = images.shape
    result = images.copy()
    i, j = numpy.arange(h)[:, None], numpy.arange(w)
    for image, (row, column) in zip(result, drawn(images, rng)):
        image[(i - row) ** 2 + (j - column) ** 2 <= (size / 2) ** 2] = 0
    return result


@wrong(VALUES)
def as_floats(images, size, rng):
    return squares(images.astype("float32"), size, drawn(images, rng))
