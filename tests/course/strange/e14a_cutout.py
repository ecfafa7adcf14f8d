"""Strange solutions of 14a."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong
from tests.course.solutions.e14a_cutout import (
    BOTH,
    LAID,
    LARGE,
    NEIGHBOURS,
    NEW,
    OFTEN,
    ONE,
    PIXEL,
    RNG,
    SQUARE,
    VALUES,
    drawn,
    squares,
)


@right
def products(images, size, rng):
    """Multiplied by 0 and 1."""
    n, h, w, _ = images.shape
    row, column = rng.integers(0, h, n), rng.integers(0, w, n)
    rows = (numpy.arange(h) - row[:, None] + size // 2).astype(int)
    columns = (numpy.arange(w) - column[:, None] + size // 2).astype(int)
    inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[
        :, None
    ]
    return images * (1 - inside[..., None]).astype(images.dtype)


@right
def by_choice(images, size, rng):
    n, h, w, _ = images.shape
    return squares(images, size, zip(rng.choice(h, n), rng.choice(w, n)))


@right
def last_image_first(images, size, rng):
    result = squares(images[::-1], size, drawn(images, rng))
    return xp.ascontiguousarray(result[::-1])


@right
def a_list_of_images(images, size, rng):
    h, w = images.shape[1:3]
    found = []
    for image in images:
        row, column = rng.integers([h, w])
        keep_rows = abs(2 * numpy.arange(h) - (2 * row - 2 * (size // 2) + size - 1)) > size - 1
        keep_columns = (
            abs(2 * numpy.arange(w) - (2 * column - 2 * (size // 2) + size - 1)) > size - 1
        )
        found.append(xp.where((keep_rows[:, None] | keep_columns)[..., None], image, image * 0))
    return xp.stack(found)


@right
def many_numbers(images, size, rng):
    """The pixel of each image with the largest of H * W random numbers."""
    n, h, w, _ = images.shape
    at = rng.random((n, h * w)).argmax(axis=1)
    return squares(images, size, zip(at // w, at % w))


KEPT = {}


@wrong(RNG)
def centres_kept_by_the_shape(images, size, rng):
    centres = KEPT.setdefault(("centres", images.shape), drawn(images, rng))
    return squares(images, size, centres)


@wrong(RNG)
def a_child_of_the_generator(images, size, rng):
    """A new generator from the state of rng, which isn't advanced."""
    seed = rng.bit_generator.state["state"]["state"] % 2**63
    return squares(images, size, drawn(images, numpy.random.default_rng(seed)))


@wrong(NEW)
def a_view_if_nothing_is_cut(images, size, rng):
    """The result is written to images, and copies are kept apart."""
    result = squares(images, size, drawn(images, rng))
    images[...] = result
    return result


@wrong(NEIGHBOURS)
def one_centre_for_two(images, size, rng):
    """Two neighbours share a centre."""
    centres = drawn(images, rng)
    return squares(images, size, [centres[k // 2 * 2] for k in range(len(images))])


@wrong(NEIGHBOURS)
def the_second_half_opposite(images, size, rng):
    """The centres of the second half are those of the first one, turned."""
    n, h, w, _ = images.shape
    centres = drawn(images, rng)
    for k in range(n // 2, 2 * (n // 2)):
        row, column = centres[k - n // 2]
        centres[k] = h - 1 - row, w - 1 - column
    return squares(images, size, centres)


@wrong(BOTH)
def dependent(images, size, rng):
    """The column depends on the row."""
    n, h, w, _ = images.shape
    rows = rng.integers(0, h * w, n)
    return squares(images, size, [(r // w, (r // w + r % w // 2) % w) for r in rows])


@wrong(LARGE)
def no_larger_than_the_image(images, size, rng):
    return squares(images, min(size, *images.shape[1:3]), drawn(images, rng))


@wrong(SQUARE)
def transposed_if_square(images, size, rng):
    cut = squares(images, size, drawn(images, rng))
    return cut.transpose(0, 2, 1, 3).copy() if cut.shape[1] == cut.shape[2] else cut


@wrong(VALUES)
def bytes_only(images, size, rng):
    return squares(images.astype("uint8"), size, drawn(images, rng)).astype(images.dtype)


@wrong(VALUES)
def small_numbers_are_0(images, size, rng):
    cut = squares(images, size, drawn(images, rng))
    return xp.where(cut < 0, 0 * cut, cut)


@wrong(LAID)
def by_memory(images, size, rng):
    """Copied in the order in which the pixels are in memory."""
    flat = images.ravel(order="K").reshape(images.shape)
    return squares(flat, size, drawn(images, rng))


@wrong(PIXEL)
def at_least_two(images, size, rng):
    return squares(images, max(size, 2), drawn(images, rng))


@wrong(ONE)
def not_for_one(images, size, rng):
    """A batch of one is for evaluation."""
    return images.copy() if len(images) == 1 else squares(images, size, drawn(images, rng))


@wrong(OFTEN)
def the_middle_and_the_edges(images, size, rng):
    """Only every second pixel is a centre."""
    n, h, w, _ = images.shape
    return squares(
        images,
        size,
        [(rng.integers((h + 1) // 2) * 2, rng.integers((w + 1) // 2) * 2) for _ in range(n)],
    )


@wrong(OFTEN)
def in_turn(images, size, rng):
    """Centres one after the other, and each as often as the others."""
    n, h, w, _ = images.shape
    start = int(rng.integers(h * w))
    return squares(images, size, [divmod((start + k) % (h * w // 2), w) for k in range(n)])


@wrong(OFTEN)
def bar(images, size, rng):
    """As wide as the image."""
    result = images.copy()
    for image, (row, _) in zip(result, drawn(images, rng)):
        top = int(row) - size // 2
        image[max(top, 0) : max(top + size, 0)] = 0
    return result


@wrong(OFTEN)
def two_holes(images, size, rng):
    return squares(squares(images, size, drawn(images, rng)), size, drawn(images, rng))
