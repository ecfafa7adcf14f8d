"""Solutions of 01a."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def planes(rows):
    return rows[:, :1024], rows[:, 1024:2048], rows[:, 2048:]


@right
def stacked(rows):
    return xp.stack([plane.reshape(-1, 32, 32) for plane in planes(rows)], axis=-1)


@right
def filled(rows):
    images = xp.empty((len(rows), 32, 32, 3), rows.dtype)
    for c in range(3):
        for i in range(32):
            images[:, i, :, c] = rows[:, 1024 * c + 32 * i : 1024 * c + 32 * (i + 1)]
    return images


@right
def swapped(rows):
    return rows.reshape(-1, 3, 1024).swapaxes(1, 2).reshape(-1, 32, 32, 3).copy()


@right
def by_number(rows):
    i, j, c = xp.ogrid[:32, :32, :3]
    return xp.ascontiguousarray(rows[:, 1024 * c + 32 * i + j])


@wrong("test_a_red_pixel_is_red_and_a_blue_one_blue", mistake="not_transposed")
def cut(rows):
    return (
        xp.array([row.reshape(32, 32, 3) for row in rows])
        if len(rows)
        else xp.empty((0, 32, 32, 3), rows.dtype)
    )


@wrong("test_every_value_is_in_its_position", mistake="lying")
def across_first(rows):
    return xp.stack([plane.reshape(-1, 32, 32).swapaxes(1, 2) for plane in planes(rows)], axis=-1)


@wrong("test_a_red_pixel_is_red_and_a_blue_one_blue", mistake="planes_kept")
def channels_first(rows):
    return xp.stack([plane.reshape(-1, 32, 32) for plane in planes(rows)], axis=1)


@wrong("test_a_red_pixel_is_red_and_a_blue_one_blue", mistake="blue_first")
def as_opencv(rows):
    return xp.stack([plane.reshape(-1, 32, 32) for plane in planes(rows)], axis=-1)[
        ..., ::-1
    ].copy()


@wrong("test_the_channels_of_a_pixel_are_neighbours_in_memory", mistake="a_view")
def moved(rows):
    return xp.moveaxis(rows.reshape(len(rows), 3, 32, 32), 1, 3)


@wrong("test_the_dtype_stays", mistake="as_floats")
def float32(rows):
    images = xp.empty((len(rows), 32, 32, 3), xp.float32)
    images[...] = stacked(rows)
    return images


@wrong("test_every_value_is_in_its_position", mistake="columns_first")
def fortran(rows):
    return xp.ascontiguousarray(
        xp.reshape(rows, (len(rows), 3, 32, 32), order="F").transpose(0, 2, 3, 1)
    )


@wrong("test_every_value_is_in_its_position")
def upside_down(rows):
    return stacked(rows)[:, ::-1].copy()


@wrong("test_every_value_is_in_its_position")
def interleaved_by_rows(rows):
    return rows.reshape(-1, 32, 3, 32).transpose(0, 1, 3, 2).copy()


@wrong("test_any_number_of_images")
def one_axis_too_few(rows):
    return stacked(rows).squeeze()


@wrong("test_the_dtype_stays")
def scaled(rows):
    return stacked(rows) / 255


@wrong("test_the_channels_of_a_pixel_are_neighbours_in_memory")
def a_copy_that_lies_as_before(rows):
    return rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy(order="K")


@wrong("test_every_value_is_in_its_position")
def red_alone(rows):
    return xp.stack([planes(rows)[0].reshape(-1, 32, 32)] * 3, axis=-1)


@wrong("test_every_value_is_in_its_position")
def all_images_at_once(rows):
    return rows.reshape(3, 32, 32, -1).transpose(3, 1, 2, 0).copy()
