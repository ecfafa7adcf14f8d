"""Strange solutions of 01a."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


@right
def einsum(rows):
    return xp.einsum("ncij->nijc", rows.reshape(-1, 3, 32, 32)).copy(order="C")


@right
def pixel_by_pixel(rows):
    pixels = [[(row[k], row[1024 + k], row[2048 + k]) for k in range(1024)] for row in rows]
    return xp.array(pixels, dtype=rows.dtype).reshape(-1, 32, 32, 3)


@right
def take(rows):
    k = xp.arange(3072)
    return xp.take(rows, 1024 * (k % 3) + k // 3, axis=1).reshape(len(rows), 32, 32, 3)


@right
def by_strides(rows):
    one, step = rows.strides[1], rows.strides[0]
    shape, strides = (len(rows), 32, 32, 3), (step, 32 * one, one, 1024 * one)
    return xp.lib.stride_tricks.as_strided(rows, shape, strides).copy()


@right
def split_and_stacked(rows):
    red, green, blue = xp.split(rows, 3, axis=1)
    return xp.dstack([red.ravel(), green.ravel(), blue.ravel()]).reshape((-1, 32, 32, 3))


@right
def scattered(rows):
    images = xp.empty((len(rows), 32, 32, 3), dtype=rows.dtype)
    flat = images.reshape(len(rows), 3072)
    for c, plane in enumerate((slice(0, 1024), slice(1024, 2048), slice(2048, None))):
        flat[:, c::3] = rows[:, plane]
    return images


def made(rows):
    return xp.ascontiguousarray(rows.reshape(len(rows), 3, 32, 32).transpose(0, 2, 3, 1))


@wrong("test_the_dtype_stays")
def always_bytes(rows):
    return made(rows).astype(xp.uint8)


@wrong("test_every_value_is_in_its_position")
def through_bytes(rows):
    return made(rows).astype(xp.uint8).astype(rows.dtype)


@wrong("test_every_value_is_in_its_position")
def mirrored(rows):
    return made(rows)[:, :, ::-1].copy()


@wrong("test_every_value_is_in_its_position")
def green_and_blue_exchanged(rows):
    return made(rows)[..., [0, 2, 1]]


@wrong("test_any_number_of_images")
def empty_by_a_list(rows):
    return xp.array([made(row[None])[0] for row in rows])


@wrong("test_any_number_of_images")
def eight_images_at_most(rows):
    images = xp.zeros((len(rows), 32, 32, 3), rows.dtype)
    images[:8] = made(rows[:8])
    return images


@wrong("test_the_channels_of_a_pixel_are_neighbours_in_memory")
def a_view_of_a_single_image(rows):
    return rows.reshape(1, 3, 32, 32).transpose(0, 2, 3, 1) if len(rows) == 1 else made(rows)


@wrong("test_rows_of_a_larger_table")
def strides_from_the_shape(rows):
    one = rows.itemsize
    shape, strides = (len(rows), 32, 32, 3), (3072 * one, 32 * one, one, 1024 * one)
    return xp.lib.stride_tricks.as_strided(rows, shape, strides).copy()


@wrong("test_rows_of_a_larger_table")
def in_the_order_of_memory(rows):
    return made(rows.ravel(order="K").reshape(rows.shape))


@wrong("test_the_dtype_stays")
def widened(rows):
    return (
        made(rows) + xp.zeros(1, xp.int64).astype(rows.dtype)
        if rows.dtype.kind == "f"
        else made(rows) * 1
    )


@wrong("test_a_red_pixel_is_red_and_a_blue_one_blue")
def shape_of_the_callers_array_changed(rows):
    rows.shape = (len(rows), 3, 32, 32)
    return xp.ascontiguousarray(rows.transpose(0, 2, 3, 1))


@wrong("test_the_dtype_stays")
def remembered_by_the_number_of_images(rows, seen={}):  # noqa: B006
    if len(rows) not in seen:
        seen[len(rows)] = made(rows)
    return seen[len(rows)].astype(rows.dtype)


BUFFERS = {}


@wrong("test_the_dtype_stays")
def one_buffer_for_all_calls(rows):
    buffer = BUFFERS.setdefault(
        (rows.shape, rows.dtype.str), numpy.empty((len(rows), 32, 32, 3), rows.dtype)
    )
    buffer[...] = made(rows)
    return buffer


@wrong("test_every_value_is_in_its_position")
def second_image_lies(rows):
    images = made(rows)
    images[1::2] = images[1::2].swapaxes(1, 2)
    return images


@wrong("test_the_channels_of_a_pixel_are_neighbours_in_memory")
def copied_in_the_order_of_the_planes(rows):
    """A copy, but not in the order in which it is read: no known mistake."""
    return rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy(order="K")


@wrong("test_every_value_is_in_its_position")
def a_class_of_its_own(rows):
    class Images(numpy.ndarray):
        """Pictures."""

    return xp.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)).view(Images)
