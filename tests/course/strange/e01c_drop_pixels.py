"""Strange solutions of 01c."""

import numpy

from minires.backend import to_device, to_host, xp
from tests.course.kinds import right, wrong


def mask(x, rng, p):
    """True where a pixel is dropped, on the host."""
    return rng.random((*x.shape[:3], 1)) < p


def colours(x):
    return x.mean(axis=(1, 2), keepdims=True)


@right
def asarray(x, rng, *, p):
    return xp.where(xp.asarray(mask(x, rng, p)), colours(x), x)


@right
def array(x, rng, *, p):
    return xp.where(xp.array(mask(x, rng, p)), colours(x), x)


@right
def drawn_in_one_line(x, rng, *, p):
    n, h, w, c = x.shape
    drawn = to_device(rng.random(n * h * w)).reshape(n, h, w)
    dropped = xp.repeat((drawn < p)[..., None], c, axis=3)
    return xp.where(dropped, xp.broadcast_to(colours(x), x.shape), x)


@right
def image_by_image(x, rng, *, p):
    result = xp.empty_like(x)
    for i in range(len(x)):
        dropped = to_device(rng.random((*x.shape[1:3], 1)) < p)
        result[i] = xp.where(dropped, x[i].mean(axis=(0, 1)), x[i])
    return result


@right
def copied_where(x, rng, *, p):
    result = x.copy()
    xp.copyto(result, xp.broadcast_to(colours(x), x.shape), where=to_device(mask(x, rng, p)))
    return result


@right
def sum_over_count(x, rng, *, p):
    n, h, w, c = x.shape
    colour = xp.einsum("nhwc->nc", x).reshape(n, 1, 1, c) / (h * w)
    return xp.where(~to_device(mask(x, rng, p)), x, colour)


ON_NUMPY = "test_on_numpy_it_drops_pixels"
DEVICE = "test_on_a_device_it_does_the_same_and_copies_nothing_to_the_host"


@wrong(DEVICE)
def through_lists(x, rng, *, p):
    here = numpy.array(x.tolist(), dtype=str(x.dtype))
    return to_device(numpy.where(mask(x, rng, p), colours(here), here))


@wrong(DEVICE)
def element_by_element(x, rng, *, p):
    result, colour = x.copy(), colours(x)
    for i, j, k, _ in numpy.argwhere(mask(x, rng, p)).tolist():
        for c in range(x.shape[3]):
            result[i, j, k, c] = float(colour[i, 0, 0, c])
    return result


@wrong(DEVICE)
def colours_as_items(x, rng, *, p):
    colour = [[channel.item() for channel in image.mean(axis=(0, 1))] for image in x]
    return xp.where(to_device(mask(x, rng, p)), to_device(numpy.array(colour))[:, None, None], x)


@wrong(DEVICE)
def shape_fetched(x, rng, *, p):
    n, h, w, _ = to_host(x).shape
    return xp.where(to_device(rng.random((n, h, w, 1)) < p), colours(x), x)


@wrong(DEVICE, crashes=True)
def two_ways(x, rng, *, p):
    """A way for NumPy and one for devices, which nobody has run."""
    if isinstance(x, numpy.ndarray):
        return numpy.where(mask(x, rng, p), colours(x), x)
    return numpy.where(to_device(mask(x, rng, p)), colours(x), x)


@wrong(DEVICE, crashes=True)
def colour_on_the_host_only(x, rng, *, p):
    colour = numpy.mean(x, axis=(1, 2), keepdims=True)
    return xp.where(to_device(mask(x, rng, p)), to_device(colour), x)


@wrong(ON_NUMPY)
def a_generator_of_its_own(x, rng, *, p):
    rng = numpy.random.default_rng(5)
    return xp.where(to_device(mask(x, rng, p)), colours(x), x)


@wrong(ON_NUMPY)
def drawn_twice(x, rng, *, p):
    result = xp.where(to_device(mask(x, rng, p)), colours(x), x)
    mask(x, rng, p)
    return result


@wrong(ON_NUMPY)
def kept_with_probability_p(x, rng, *, p):
    return xp.where(to_device(mask(x, rng, 1 - p)), colours(x), x)


@wrong(ON_NUMPY)
def one_grey_for_all_channels(x, rng, *, p):
    return xp.where(to_device(mask(x, rng, p)), x.mean(axis=(1, 2, 3), keepdims=True), x)


@wrong(ON_NUMPY)
def the_mean_of_what_is_kept(x, rng, *, p):
    keep = to_device(~mask(x, rng, p))
    colour = (x * keep).sum(axis=(1, 2), keepdims=True) / keep.sum(axis=(1, 2), keepdims=True)
    return xp.where(keep, x, colour)


MASKS = {}


@wrong(ON_NUMPY)
def mask_remembered_by_shape(x, rng, *, p):
    if x.shape[0] not in MASKS:
        MASKS[x.shape[0]] = rng.random((x.shape[0], 64, 64, 1))
    drawn = rng.random((*x.shape[:3], 1)) * 0 + MASKS[x.shape[0]][:, : x.shape[1], : x.shape[2]]
    return xp.where(to_device(drawn < p), colours(x), x)


@wrong("test_images_may_have_any_size")
def drawn_column_by_column(x, rng, *, p):
    n, h, w, _ = x.shape
    if h != w:
        return asarray(x, rng, p=p)
    dropped = to_device(rng.random((n, w, h, 1)).swapaxes(1, 2) < p)
    return xp.where(dropped, colours(x), x)


@wrong("test_images_may_have_any_size", crashes=True)
def two_channels(x, rng, *, p):
    dropped = xp.stack([to_device(mask(x, rng, p)[..., 0])] * 2, axis=-1)
    return xp.where(dropped, colours(x), x) if x.shape[3] != 1 else x * dropped[..., :1]


@wrong("test_x_is_left_unchanged")
def x_itself_if_nothing_is_dropped(x, rng, *, p):
    dropped = mask(x, rng, p)
    return xp.where(to_device(dropped), colours(x), x) if dropped.any() else x


@wrong("test_none_and_all")
def none_is_an_error(x, rng, *, p):
    assert 0 < p < 1, "p is a probability"
    return asarray(x, rng, p=p)


@wrong("test_float32_stays_float32_there")
def a_plain_constant(x, rng, *, p):
    dropped = to_device(mask(x, rng, p).astype(float))
    return x + dropped * (colours(x) - x)


@wrong(ON_NUMPY)
def seeds_the_global_generator(x, rng, *, p):
    numpy.random.seed(int(p * 100))
    return asarray(x, rng, p=p)


@right
def moved_towards_the_mean(x, rng, *, p):
    """The same up to rounding."""
    dropped = to_device((rng.random((*x.shape[:3], 1)) < p).astype(x.dtype))
    return x + dropped * (x.mean(axis=(1, 2), keepdims=True) - x)


@wrong("test_with_p_0_and_1_as_many_numbers_are_drawn")
def nothing_drawn_if_p_is_0(x, rng, *, p):
    if p == 0:
        return x.copy()
    dropped = to_device(rng.random((*x.shape[:3], 1)) < p)
    return xp.where(dropped, x.mean(axis=(1, 2), keepdims=True), x)


@wrong("test_with_p_0_and_1_as_many_numbers_are_drawn")
def nothing_drawn_if_p_is_1(x, rng, *, p):
    colour = x.mean(axis=(1, 2), keepdims=True)
    if p >= 1:
        return colour + xp.zeros_like(x)
    return xp.where(to_device(rng.random((*x.shape[:3], 1)) < p), colour, x)
