"""Solutions of 09a: filters that return their input, and filters that don't."""

from minires.backend import xp
from tests.course.kinds import right, wrong

RETURNS = "test_a_convolution_returns_its_input"
SHAPE = "test_the_weight_has_its_shape_and_is_float32"
SIDES, EVEN = "test_the_sides_may_differ", "test_an_even_side_is_refused"


def odd(kernel):
    if not all(side % 2 for side in kernel):
        raise ValueError("a side is even")
    return kernel


@right
def channel_by_channel(channels, kernel):
    kh, kw = odd(kernel)
    weight = xp.zeros((kh, kw, channels, channels), "float32")
    for channel in range(channels):
        weight[(kh - 1) // 2, (kw - 1) // 2, channel, channel] = 1
    return weight


@right
def framed(channels, kernel):
    (top, left) = (side // 2 for side in odd(kernel))
    return xp.pad(
        xp.eye(channels, dtype=xp.float32)[None, None], ((top, top), (left, left), (0, 0), (0, 0))
    )


@right
def outer_product(channels, kernel):
    tall, wide = (xp.eye(side, dtype="float32")[side // 2] for side in odd(kernel))
    return xp.einsum("u,v,cf->uvcf", tall, wide, xp.eye(channels, dtype="float32"))


@right
def by_comparison(channels, kernel):
    kh, kw = odd(kernel)
    u, v = xp.arange(kh).reshape(-1, 1, 1, 1), xp.arange(kw).reshape(-1, 1, 1)
    c, f = xp.arange(channels)[:, None], xp.arange(channels)
    return ((2 * u + 1 == kh) & (2 * v + 1 == kw) & (c == f)).astype("float32")


def placed(channels, kernel, *places):
    """1 at these (u, v, c, f)."""
    weight = xp.zeros((*odd(kernel), channels, channels), dtype="float32")
    for place in places:
        weight[place] = 1
    return weight


@wrong(RETURNS, mistake="at_a_corner")
def flat_first(channels, kernel):
    weight = placed(channels, kernel)
    weight.reshape(-1)[: channels * channels : channels + 1] = 1
    return weight


@wrong(RETURNS, mistake="at_every_position")
def tiled(channels, kernel):
    return xp.tile(xp.eye(channels, dtype="float32"), (*odd(kernel), 1, 1))


@wrong(RETURNS, mistake="every_channel")
def ones_at_the_centre(channels, kernel):
    return placed(channels, kernel, (kernel[0] // 2, kernel[1] // 2))


@wrong(RETURNS, mistake="mean_of_the_channels")
def normalised_centre(channels, kernel):
    weight = placed(channels, kernel, (kernel[0] // 2, kernel[1] // 2))
    return weight / weight.sum(axis=2, keepdims=True).max()


@wrong(RETURNS, mistake="blurred")
def averaged_window(channels, kernel):
    weight = tiled(channels, kernel)
    return weight / xp.float32(weight[..., 0, 0].size)


@wrong(RETURNS, mistake="first_channel_only")
def a_single_one(channels, kernel):
    return placed(channels, kernel, (kernel[0] // 2, kernel[1] // 2, 0, 0))


@wrong(RETURNS, mistake="channels_turned_round")
def anti_diagonal(channels, kernel):
    centre = kernel[0] // 2, kernel[1] // 2
    return placed(channels, kernel, *((*centre, c, channels - 1 - c) for c in range(channels)))


@wrong(SIDES, mistake="sides_swapped")
def width_first(channels, kernel):
    kh, kw = odd(kernel)
    u, v = min(kw // 2, kh - 1), min(kh // 2, kw - 1)
    return placed(channels, kernel, *((u, v, c, c) for c in range(channels)))


@wrong(SHAPE, mistake="float64")
def python_floats(channels, kernel):
    return channel_by_channel(channels, kernel) * xp.ones(1)


@wrong(EVEN, mistake="even_sides_accepted")
def any_kernel(channels, kernel):
    weight = xp.zeros((*kernel, channels, channels), "float32")
    weight[kernel[0] // 2, kernel[1] // 2, range(channels), range(channels)] = 1
    return weight


@wrong(EVEN)
def even_height_accepted(channels, kernel):
    if kernel[1] % 2 == 0:
        raise ValueError
    return any_kernel(channels, kernel)


@wrong(EVEN)
def none_for_even_sides(channels, kernel):
    return channel_by_channel(channels, kernel) if kernel[0] % 2 and kernel[1] % 2 else None


@wrong(SHAPE)
def channels_first(channels, kernel):
    return channel_by_channel(channels, kernel).transpose(2, 3, 0, 1)


@wrong(RETURNS)
def a_little_more_than_one(channels, kernel):
    return channel_by_channel(channels, kernel) * xp.float32(1.001)


@wrong(RETURNS)
def negative(channels, kernel):
    return -channel_by_channel(channels, kernel)


@wrong(SIDES)
def square_always(channels, kernel):
    return channel_by_channel(channels, (kernel[0], kernel[0]))
