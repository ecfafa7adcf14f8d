"""Strange solutions of 08d."""

import itertools

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

DOWN = "test_down_moves_the_window_down"
ACROSS = "test_across_moves_it_to_the_right"
FLIP = "test_mirrored_images_are_read_from_right_to_left"
THEN = "test_the_window_moves_first_and_then_it_is_mirrored"
EDGE = "test_beyond_the_edge_everything_is_0"
DTYPE = "test_pixels_keep_their_dtype"
SQUARE = "test_images_may_be_square_or_have_one_row_or_column"
FEW = "test_there_may_be_one_image_or_one_channel"
BLACK = "test_a_black_pixel_is_not_the_edge"
LARGE = "test_shifts_may_be_large"
NEW = "test_it_is_a_new_array"
STAYS = "test_without_shifts_images_stay_unchanged"


def moved(images, down, across, mirrored):
    """A right one, by slices."""
    _, h, w, _ = images.shape
    result = xp.zeros_like(images)
    for n, (d, a) in enumerate(zip(down.tolist(), across.tolist())):
        top, left = max(0, -d), max(0, -a)
        part = images[n, max(0, d) : max(0, h + d), max(0, a) : max(0, w + a)]
        if part.size:
            result[n, top : top + part.shape[0], left : left + part.shape[1]] = part
        if mirrored[n]:
            result[n] = result[n, :, ::-1].copy()
    return result


@right
def pixel_by_pixel(images, down, across, mirrored):
    n, h, w, _ = images.shape
    result = xp.zeros_like(images)
    for k, i, j in itertools.product(range(n), range(h), range(w)):
        row = i + int(down[k])
        column = (w - 1 - j if mirrored[k] else j) + int(across[k])
        if row in range(h) and column in range(w):
            result[k, i, j] = images[k, row, column]
    return result


@right
def one_black_row_and_column(images, down, across, mirrored):
    """All indices beyond the edge mean one more row or column, which is black."""
    n, h, w, c = images.shape
    framed = xp.zeros((n, h + 1, w + 1, c), images.dtype)
    framed[:, :h, :w] = images
    rows = xp.arange(h) + down.astype("int64")[:, None]
    columns = xp.broadcast_to(xp.arange(w), (n, w)).copy()
    columns[mirrored] = columns[mirrored, ::-1]
    columns += across.astype("int64")[:, None]
    rows[(rows < 0) | (rows >= h)] = h
    columns[(columns < 0) | (columns >= w)] = w
    return framed[xp.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


@right
def large_frame_once(images, down, across, mirrored):
    n, h, w, _ = images.shape
    tall, wide = (int(max([0, *map(abs, moves.tolist())])) for moves in (down, across))
    framed = xp.pad(images, ((0, 0), (tall, tall), (wide, wide), (0, 0)))
    result = xp.empty_like(images)
    for k in range(n):
        top, left = tall + int(down[k]), wide + int(across[k])
        window = framed[k, top : top + h, left : left + w]
        result[k] = window[:, slice(None, None, -1 if mirrored[k] else 1)]
    return result


@right
def rolled_and_blanked(images, down, across, mirrored):
    _, h, w, _ = images.shape
    found = xp.zeros_like(images)
    for k, image in enumerate(images):
        d, a = int(down[k]), int(across[k])
        if abs(d) < h and abs(a) < w:
            window = xp.roll(xp.roll(image, -d, axis=0), -a, axis=1)
            window[h - d if d > 0 else 0 : h if d > 0 else -d] = 0
            window[:, w - a if a > 0 else 0 : w if a > 0 else -a] = 0
            found[k] = xp.fliplr(window) if mirrored[k] else window
    return found


@right
def in_groups_of_equal_moves(images, down, across, mirrored):
    result = xp.zeros_like(images)
    for d, a, m in {*zip(down.tolist(), across.tolist(), mirrored.tolist())}:
        same = (down == d) & (across == a) & (mirrored == m)
        chosen = images[same]
        result[same] = moved(chosen, down[same], across[same], mirrored[same])
    return result


@wrong(LARGE)
def frame_of_a_hundred(images, down, across, mirrored):
    _, h, w, _ = images.shape
    framed = xp.pad(images, ((0, 0), (100, 100), (100, 100), (0, 0)))
    result = xp.zeros_like(images)
    for n, (d, a) in enumerate(zip(down.tolist(), across.tolist())):
        rows = framed[n].take(range(100 + d, 100 + d + h), axis=0, mode="wrap")
        window = rows.take(range(100 + a, 100 + a + w), axis=1, mode="wrap")
        result[n] = window[:, ::-1] if mirrored[n] else window
    return result


@wrong(LARGE)
def at_most_twice_the_size(images, down, across, mirrored):
    h = images.shape[1]
    return moved(images, down % (4 * h), across, mirrored)


@wrong(BLACK)
def black_filled_from_the_left(images, down, across, mirrored):
    """What is 0 must be the edge."""
    result = moved(images, down, across, mirrored)
    still = (down == 0) & (across == 0)
    result[~still] = xp.where(result[~still] == 0, 0 * images[~still], result[~still])
    dark = (images == 0).any(axis=(1, 2, 3)) & ~still
    result[dark] = images[dark]
    return result


@wrong(BLACK)
def smallest_value_beyond_the_edge(images, down, across, mirrored):
    low = images.min() if images.size and images.dtype.kind == "f" and images.max() < 0 else 0
    return (moved(images - low, down, across, mirrored) + low).astype(images.dtype)


@wrong(BLACK)
def never_below_0(images, down, across, mirrored):
    result = moved(images, down, across, mirrored)
    return xp.maximum(result, 0) if (images <= 0).all() else result


@wrong(SQUARE)
def axes_swapped_if_square(images, down, across, mirrored):
    if images.shape[1] == images.shape[2]:
        images = images.transpose(0, 2, 1, 3)
    return moved(images, down, across, mirrored)


@wrong(SQUARE)
def one_row_is_squeezed(images, down, across, mirrored):
    if images.shape[1] == 1:
        down = 0 * down
    return moved(images, down, across, mirrored)


@wrong(SQUARE)
def columns_of_size_1_wrap(images, down, across, mirrored):
    if images.shape[2] == 1:
        across = across % 1
    return moved(images, down, across, mirrored)


@wrong(FEW)
def one_image_without_its_batch(images, down, across, mirrored):
    result = moved(images, down, across, mirrored)
    return result[0] if len(result) == 1 else result


@wrong(FEW)
def channels_squeezed(images, down, across, mirrored):
    result = moved(images, down, across, mirrored)
    return result[..., 0] if result.shape[-1] == 1 else result


@wrong(DTYPE)
def through_float32(images, down, across, mirrored):
    return moved(images.astype("float32"), down, across, mirrored).astype(images.dtype)


@wrong(DTYPE)
def bools_as_bytes(images, down, across, mirrored):
    result = moved(images, down, across, mirrored)
    return result.astype("uint8") if result.dtype == bool else result


@wrong(DTYPE)
def through_the_absolute_value(images, down, across, mirrored):
    kind = images.dtype.kind
    return moved(abs(images) if kind == "i" else images, down, across, mirrored)


BUFFERS = {}


@wrong(STAYS)
def one_buffer_for_each_shape(images, down, across, mirrored):
    buffer = BUFFERS.setdefault((images.shape, images.dtype), xp.empty_like(images))
    buffer[...] = moved(images, down, across, mirrored)
    return buffer


@wrong(DOWN)
def moves_of_the_first_call(images, down, across, mirrored):
    first = vars(moves_of_the_first_call).setdefault(images.shape, (down, across, mirrored))
    return moved(images, *first)


@wrong(NEW)
def a_single_image_as_a_view(images, down, across, mirrored):
    if len(images) == 1 and not down.any() and not across.any():
        return images[:, :, ::-1] if mirrored[0] else images.copy()
    return moved(images, down, across, mirrored)


@wrong(FLIP)
def flipped_in_place(images, down, across, mirrored):
    images[mirrored] = images[mirrored, :, ::-1].copy()
    return moved(images, down, xp.where(mirrored, -across, across), 0 * mirrored)


@wrong(DOWN)
def as_it_is_in_memory(images, down, across, mirrored):
    _, h, w, c = images.shape
    strides = numpy.array([h * w * c, w * c, c, 1]) * images.itemsize
    straight = numpy.lib.stride_tricks.as_strided(images, images.shape, strides)
    safe = images.flags.c_contiguous or images.flags.f_contiguous
    return moved(straight if safe else images, down, across, mirrored)


@wrong(EDGE)
def at_least_one_row_left(images, down, across, mirrored):
    h = images.shape[1]
    return moved(images, down.clip(1 - h, h - 1), across, mirrored)


@wrong(THEN)
def mirrored_once_more_if_moved_left(images, down, across, mirrored):
    return moved(images, down, across, mirrored & ~((across < 0) & (down > 0)))


@wrong(THEN)
def flip_by_the_sum(images, down, across, mirrored):
    return moved(images, down, across, xp.full_like(mirrored, mirrored.sum() % 2 == 1) | mirrored[:1] & mirrored)  # fmt: skip


@wrong(ACROSS)
def wraps_to_the_left_only(images, down, across, mirrored):
    w = images.shape[2]
    result = moved(images, down, across, mirrored)
    for n in range(len(images)):
        if -w < across[n] < 0 and not down[n] and not mirrored[n]:
            result[n, :, : -across[n]] = images[n, :, across[n] :]
    return result
