"""Strange solutions of 09a."""

import functools

from minires.backend import xp
from tests.course.kinds import right, wrong

RETURNS = "test_a_convolution_returns_its_input"
SHAPE = "test_the_weight_has_its_shape_and_is_float32"
SIDES, EVEN = "test_the_sides_may_differ", "test_an_even_side_is_refused"
CHANNELS = "test_there_may_be_one_channel_or_as_many_as_the_kernel_has_sides"
NEW = "test_each_call_makes_a_new_array"


def filters(channels, kernel):
    kh, kw = kernel
    if kh * kw % 2 == 0:
        raise ValueError(kernel)
    weight = xp.zeros(kh * kw * channels * channels, xp.float32)
    weight[(kh * kw // 2) * channels**2 :][: channels**2 : channels + 1] = 1
    return weight.reshape(kh, kw, channels, channels)


@right
def flat_and_reshaped(channels, kernel):
    return filters(channels, kernel)


@right
def lists(channels, kernel):
    kh, kw = kernel
    if not (kh & 1 and kw & 1):
        raise ValueError("even")
    return xp.asarray(
        [[[[float((u, v, c) == (kh // 2, kw // 2, f)) for f in range(channels)]
           for c in range(channels)] for v in range(kw)] for u in range(kh)], dtype="float32"
    )  # fmt: skip


@right
def from_the_back(channels, kernel):
    """The centre is as far from the end as from the start; an ordinary array, transposed in memory."""
    weight = filters(channels, kernel[::-1]).swapaxes(0, 1)
    return weight[::-1, ::-1]


@right
def kept_as_a_copy(channels, kernel):
    return remembered(channels, tuple(kernel)).copy()


@functools.cache
def remembered(channels, kernel):
    return filters(channels, kernel)


@right
def a_negative_zero_elsewhere(channels, kernel):
    weight = filters(channels, kernel)
    return xp.where(weight == 0, xp.float32(-0.0), weight)


@wrong(NEW)
def cached(channels, kernel):
    return remembered(channels, tuple(kernel))


WEIGHTS = {}


@wrong(NEW)
def cached_by_size(channels, kernel):
    size = channels, *kernel
    if size not in WEIGHTS:
        WEIGHTS[size] = filters(channels, kernel)
    return WEIGHTS[size]


@wrong(NEW)
def of_the_first_call(channels, kernel, made=[]):  # noqa: B006
    made.append(filters(channels, kernel))
    return next(weight for weight in made if weight.shape[:3] == (*kernel, channels))


@wrong(SIDES)
def a_kernel_of_one_number(channels, kernel):
    side = max(kernel)
    return filters(channels, (side, side))[: kernel[0], : kernel[1]]


@wrong(CHANNELS)
def three_channels_at_most(channels, kernel):
    weight = filters(channels, kernel)
    weight[..., 4:] = 0
    return weight


@wrong(CHANNELS)
def one_channel_without_a_centre(channels, kernel):
    weight = filters(channels, kernel)
    return weight if channels > 1 else xp.ones_like(weight)


@wrong(SHAPE)
def a_bool_array(channels, kernel):
    return filters(channels, kernel) > 0


@wrong(SHAPE)
def half_precision(channels, kernel):
    return filters(channels, kernel).astype("float16")


@wrong(SHAPE)
def a_view_without_memory(channels, kernel):
    """One filter for all channels: (KH, KW, 1, C)."""
    return filters(channels, kernel)[:, :, :1]


@wrong(EVEN)
def refuses_only_two(channels, kernel):
    if 2 in kernel:
        raise ValueError
    kh, kw = kernel
    weight = xp.zeros((kh, kw, channels, channels), "float32")
    weight[kh // 2, kw // 2] = xp.eye(channels)
    return weight


@wrong(EVEN)
def another_error(channels, kernel):
    """An AssertionError, which is no ValueError."""
    assert kernel[0] % 2 and kernel[1] % 2
    return filters(channels, kernel)


@wrong(RETURNS)
def rolled(channels, kernel):
    return xp.roll(filters(channels, kernel), 1, axis=0)


@wrong(RETURNS)
def the_difference_to_the_neighbour(channels, kernel):
    weight = filters(channels, kernel)
    return weight - xp.roll(weight, 1, axis=1)


@right
def a_kronecker_product(channels, kernel):
    kh, kw = kernel
    if any(side % 2 == 0 for side in kernel):
        raise OddSidesOnly(kernel)
    place = xp.zeros((kh * kw, 1), dtype="float32")
    place[kh * kw // 2] = 1
    return xp.kron(place, xp.eye(channels, dtype="float32")).reshape(kh, kw, channels, channels)


class OddSidesOnly(ValueError):
    """A ValueError all the same."""


@right
def frames_of_zeros(channels, kernel):
    """By recursion: a smaller kernel with zeros around it."""
    kh, kw = kernel
    if kh < 1 or kw < 1:
        raise ValueError
    if kh == kw == 1:
        return xp.eye(channels, dtype="float32")[None, None]
    a, b = int(kh > 1), int(kw > 1)
    inner = frames_of_zeros(channels, (kh - 2 * a, kw - 2 * b))
    return xp.pad(inner, ((a, a), (b, b), (0, 0), (0, 0)))


KEPT = {}


@wrong(CHANNELS)
def kept_by_kernel_and_copied(channels, kernel):
    """A second call with the same kernel has as many channels as the first."""
    return KEPT.setdefault(tuple(kernel), filters(channels, kernel)).copy()


@wrong(NEW)
def one_buffer_for_all(channels, kernel, buffer=xp.zeros(100_000, dtype="float32")):  # noqa: B008
    weight = filters(channels, kernel)
    view = buffer[: weight.size].reshape(weight.shape)
    view[...] = weight
    return view


@wrong(EVEN)
def refuses_an_odd_sum(channels, kernel):
    """(2, 2) has an even sum."""
    kh, kw = kernel
    if (kh + kw) % 2:
        raise ValueError
    weight = xp.zeros((kh, kw, channels, channels), "float32")
    weight[kh // 2, kw // 2] = xp.eye(channels)
    return weight


@wrong(EVEN)
def the_wrong_kind_of_error(channels, kernel):
    try:
        return filters(channels, kernel)
    except ValueError:
        raise TypeError(kernel) from None


@wrong(SHAPE)
def in_the_other_byte_order(channels, kernel):
    return filters(channels, kernel).astype(">f4")


@wrong(RETURNS)
def nearly_zeros(channels, kernel):
    return filters(channels, kernel) + xp.float32(1e-5)
