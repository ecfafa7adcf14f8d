"""Solutions of 08d."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def overlap(move, size):
    """(slice of the result, slice of the image) that lie on each other."""
    move = max(-size, min(size, int(move)))
    return slice(max(-move, 0), size - max(move, 0)), slice(max(move, 0), size + min(move, 0))


def shifted(image, down, across):
    result = xp.zeros_like(image)
    (to_row, row) = overlap(down, image.shape[0])
    (to_column, column) = overlap(across, image.shape[1])
    result[to_row, to_column] = image[row, column]
    return result


@right
def by_overlap(images, down, across, mirrored):
    result = xp.empty_like(images)
    for n, image in enumerate(images):
        window = shifted(image, down[n], across[n])
        result[n] = xp.flip(window, axis=1) if mirrored[n] else window
    return result


@right
def by_gather(images, down, across, mirrored):
    n, h, w, _ = images.shape
    column = xp.where(mirrored[:, None], xp.arange(w)[::-1], xp.arange(w)) + across[:, None]
    row = xp.arange(h) + down[:, None]
    inside = ((row >= 0) & (row < h))[:, :, None] & ((column >= 0) & (column < w))[:, None]
    picked = images[
        xp.arange(n)[:, None, None], row.clip(0, h - 1)[:, :, None], column.clip(0, w - 1)[:, None]
    ]
    return xp.where(inside[..., None], picked, 0).astype(images.dtype)


@right
def mirrored_with_the_other_sign(images, down, across, mirrored):
    parts = [
        shifted(image[:, ::-1], d, -a) if m else shifted(image, d, a)
        for image, d, a, m in zip(images, down, across, mirrored)
    ]
    return xp.stack(parts)


@right
def by_matrices(images, down, across, mirrored):
    _, h, w, _ = images.shape
    result = []
    for image, d, a, m in zip(images, down, across, mirrored):
        kind = "float64" if image.dtype.kind == "f" else "int64"
        rows, columns = xp.eye(h, k=int(d), dtype=kind), xp.eye(w, k=int(a), dtype=kind)
        result.append(
            xp.einsum("ir,jq,rqc->ijc", rows, columns[::-1] if m else columns, image.astype(kind))
        )
    return xp.stack(result).astype(images.dtype)


DOWN = "test_down_moves_the_window_down"
ACROSS = "test_across_moves_it_to_the_right"
EDGE = "test_beyond_the_edge_everything_is_0"
FLIP = "test_mirrored_images_are_read_from_right_to_left"
OWN = "test_each_image_has_its_own_shift"
THEN, STAYS = (
    "test_the_window_moves_first_and_then_it_is_mirrored",
    "test_without_shifts_images_stay_unchanged",
)


def one_by_one(images, down, across, mirrored, do):
    return xp.stack([do(*parts) for parts in zip(images, down, across, mirrored)])


def flipped(image, mirrored):
    return image[:, ::-1] if mirrored else image


@wrong(DOWN, mistake="wrapped")
def rolled(images, down, across, mirrored):
    return one_by_one(
        images, down, across, mirrored, lambda x, d, a, m: flipped(xp.roll(x, (-d, -a), (0, 1)), m)
    )


@wrong(DOWN, mistake="edge_repeated")
def padded_by_the_edge(images, down, across, mirrored):
    h, w = images.shape[1:3]

    def do(x, d, a, m):
        framed = xp.pad(x, ((300, 300), (300, 300), (0, 0)), mode="edge")
        return flipped(framed[300 + d : 300 + d + h, 300 + a : 300 + a + w], m)

    return one_by_one(images, down, across, mirrored, do)


@wrong(DOWN, mistake="image_moved")
def the_other_way(images, down, across, mirrored):
    return one_by_one(
        images, down, across, mirrored, lambda x, d, a, m: flipped(shifted(x, -d, -a), m)
    )


@wrong(THEN, mistake="mirrored_first")
def flip_then_shift(images, down, across, mirrored):
    return one_by_one(
        images, down, across, mirrored, lambda x, d, a, m: shifted(flipped(x, m), d, a)
    )


@wrong(FLIP, mistake="upside_down")
def rows_turned(images, down, across, mirrored):
    return one_by_one(
        images,
        down,
        across,
        mirrored,
        lambda x, d, a, m: shifted(x, d, a)[::-1] if m else shifted(x, d, a),
    )


@wrong(DOWN, mistake="axes_swapped")
def across_and_down(images, down, across, mirrored):
    return one_by_one(
        images, across, down, mirrored, lambda x, d, a, m: flipped(shifted(x, d, a), m)
    )


@wrong(OWN, mistake="one_for_all")
def as_the_first(images, down, across, mirrored):
    return one_by_one(
        images,
        down,
        across,
        mirrored,
        lambda x, *_: flipped(shifted(x, down[0], across[0]), mirrored[0]),
    )


@wrong(FLIP, mistake="never_mirrored")
def shifted_only(images, down, across, mirrored):
    return one_by_one(images, down, across, mirrored, lambda x, d, a, m: shifted(x, d, a))


@wrong(OWN)
def all_or_none(images, down, across, mirrored):
    return one_by_one(
        images, down, across, mirrored, lambda x, d, a, m: flipped(shifted(x, d, a), mirrored.any())
    )


@wrong(EDGE)
def four_pixels_at_most(images, down, across, mirrored):
    return by_overlap(images, down.clip(-4, 4), across.clip(-4, 4), mirrored)


@wrong(STAYS)
def float64_images(images, down, across, mirrored):
    return by_overlap(images.astype("float64"), down, across, mirrored)


@wrong("test_pixels_keep_their_dtype")
def bytes_always(images, down, across, mirrored):
    return by_overlap(images, down, across, mirrored).astype("uint8")


@wrong(FLIP)
def colours_turned(images, down, across, mirrored):
    return one_by_one(
        images,
        down,
        across,
        mirrored,
        lambda x, d, a, m: shifted(x, d, a)[:, :, ::-1] if m else shifted(x, d, a),
    )


@wrong(FLIP)
def written_into_the_images(images, down, across, mirrored):
    for n in range(len(images)):
        images[n] = flipped(shifted(images[n], down[n], across[n]), mirrored[n])
    return images


@wrong(EDGE)
def at_most_the_size_less_one(images, down, across, mirrored):
    h, w = images.shape[1:3]
    return by_overlap(images, down.clip(1 - h, h - 1), across.clip(1 - w, w - 1), mirrored)


@wrong(DOWN)
def square_windows(images, down, across, mirrored):
    h = images.shape[1]

    def do(x, d, a, m):
        result = shifted(x, d, a)
        result[:, h:] = x[:, h:] if d or a else result[:, h:]
        return flipped(result, m)

    return one_by_one(images, down, across, mirrored, do)


@wrong("test_it_is_a_new_array")
def as_they_are(images, down, across, mirrored):
    return (
        by_overlap(images, down, across, mirrored)
        if mirrored.any() or down.any() or across.any()
        else images
    )
