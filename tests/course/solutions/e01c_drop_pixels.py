"""Solutions of 01c: mended ones, and ones that still need the host."""

import numpy

from minires.backend import to_device, to_host, xp
from tests.course.kinds import right, wrong


def mask(x, rng, p):
    """What is dropped, on the host."""
    return rng.random((*x.shape[:3], 1)) < p


def colours(x):
    return x.mean(axis=(1, 2), keepdims=True)


@right
def mended(x, rng, *, p):
    dropped = to_device(mask(x, rng, p))
    return xp.where(dropped, colours(x), x)


@right
def compared_there(x, rng, *, p):
    drawn = to_device(rng.random((*x.shape[:3], 1)))
    return xp.where(drawn >= p, x, colours(x))


@right
def written_into_a_copy(x, rng, *, p):
    result, dropped = x.copy(), to_device(mask(x, rng, p)[..., 0])
    result[dropped] = xp.broadcast_to(colours(x), x.shape)[dropped]
    return result


@right
def by_weights(x, rng, *, p):
    dropped = to_device(mask(x, rng, p)).astype(x.dtype)
    return dropped * colours(x) + (1 - dropped) * x


DEVICE = "test_on_a_device_it_does_the_same_and_copies_nothing_to_the_host"


@wrong(DEVICE, mistake="mask_on_the_host", crashes=True)
def only_where_mended(x, rng, *, p):
    dropped = mask(x, rng, p)
    colour = colours(x)
    return xp.where(dropped, colour, x)


@wrong(DEVICE, crashes=True)
def only_the_mask_moved(x, rng, *, p):
    dropped = to_device(mask(x, rng, p))
    return numpy.where(dropped, colours(x), x)


@wrong(DEVICE, mistake="there_and_back")
def on_the_host(x, rng, *, p):
    there = numpy.array(to_host(x))
    dropped = numpy.broadcast_to(mask(x, rng, p), x.shape)
    there[dropped] = numpy.broadcast_to(colours(there), x.shape)[dropped]
    return to_device(there)


@wrong(DEVICE, mistake="left_on_the_host")
def half_way(x, rng, *, p):
    return to_host(x) + mask(x, rng, p) * (colours(to_host(x)) - to_host(x))


@wrong("test_on_numpy_it_drops_pixels", mistake="drawn_on_the_device")
def drawn_there(x, rng, *, p):
    xp.random.seed(int(rng.integers(0, 1000)))
    drawn = xp.random.random((*x.shape[:3], 1))
    return xp.where(drawn >= p, x, colours(x))


@wrong("test_on_numpy_it_drops_pixels", mistake="one_mask_for_all")
def same_for_all(x, rng, *, p):
    drawn = to_device(rng.random(x.shape[1:3]))
    return xp.where((drawn < p)[:, :, None], colours(x), x)


@wrong(DEVICE, crashes=True)
def as_an_operator(x, rng, *, p):
    keep = ~mask(x, rng, p)
    return x * keep + colours(x) * ~keep


@wrong(DEVICE)
def by_lists(x, rng, *, p):
    here = numpy.array(x.tolist())
    return to_device(numpy.where(mask(x, rng, p), colours(here), here)) if p > 2 else here


@wrong(DEVICE)
def result_fetched(x, rng, *, p):
    return to_host(mended(x, rng, p=p))


@wrong(DEVICE)
def colour_by_way_of_the_host(x, rng, *, p):
    colour = to_device(
        numpy.stack([to_host(image).mean(axis=(0, 1)) for image in x])[:, None, None]
    )
    return xp.where(to_device(mask(x, rng, p)), colour, x)


@wrong("test_on_numpy_it_drops_pixels")
def channels_apart(x, rng, *, p):
    return xp.where(to_device(rng.random(x.shape) < p), colours(x), x)


@wrong("test_on_numpy_it_drops_pixels")
def colour_of_the_batch(x, rng, *, p):
    return xp.where(to_device(mask(x, rng, p)), x.mean(axis=(0, 1, 2), keepdims=True), x)


@wrong("test_float32_stays_float32_there")
def in_float64(x, rng, *, p):
    return xp.where(to_device(mask(x, rng, p)), colours(x.astype("float64")), x)


@wrong("test_x_is_left_unchanged")
def in_place(x, rng, *, p):
    dropped = to_device(mask(x, rng, p)[..., 0])
    x[dropped] = xp.broadcast_to(colours(x), x.shape)[dropped]
    return x


@wrong("test_on_numpy_it_drops_pixels")
def black(x, rng, *, p):
    return xp.where(to_device(mask(x, rng, p)), 0.0, x)
