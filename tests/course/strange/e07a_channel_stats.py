"""Strange solutions of 07a."""

import functools
import math

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

VECTORS = "test_each_channel_of_vectors_has_its_own"
IMAGES = "test_images_are_averaged_over_their_pixels_too"
ANY = "test_any_number_of_axes_may_come_before_the_channels"
COUNT = "test_the_variance_is_divided_by_the_number_of_values"
FAR = "test_far_from_0_no_digits_are_lost"
EQUAL = "test_as_many_images_and_pixels_as_channels"
ONE = "test_there_may_be_one_channel_or_one_image"
CONSTANT = "test_a_channel_of_equal_values_has_the_variance_0"
SIZES = "test_small_and_large_channels_are_next_to_each_other"
NAN = "test_nan_stays_in_its_channel"
MEMORY = "test_elements_may_be_in_any_order_in_memory"


def stats(x):
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    return mean, ((x - mean) ** 2).mean(axis=axes)


@right
def one_value_after_the_other(x):
    """Welford's algorithm, in float64."""
    mean = xp.zeros(x.shape[-1], "float64")
    moment = xp.zeros(x.shape[-1], "float64")
    for count, row in enumerate(x.reshape(-1, x.shape[-1]).astype("float64"), 1):
        gap = row - mean
        mean = mean + gap / count
        moment = moment + gap * (row - mean)
    return mean.astype(x.dtype), (moment / count).astype(x.dtype)


@right
def one_pass_around_the_first_value(x):
    rows = x.reshape(-1, x.shape[-1])
    near = rows - rows[0]
    shift = near.mean(axis=0)
    return rows[0] + shift, (near * near).mean(axis=0) - shift * shift


@right
def axis_by_axis(x):
    mean = functools.reduce(lambda values, _: values.mean(axis=0), range(x.ndim - 1), x)
    square = functools.reduce(
        lambda values, _: values.mean(axis=0), range(x.ndim - 1), (x - mean) ** 2
    )
    return mean, square


@right
def exactly_summed(x):
    channels = xp.moveaxis(x, -1, 0)
    found = []
    for values in channels:
        values = [float(value) for value in values.ravel()]
        mean = math.fsum(values) / len(values)
        found.append((mean, math.fsum((value - mean) ** 2 for value in values) / len(values)))
    means, variances = zip(*found)
    return xp.asarray(means, dtype=x.dtype), xp.asarray(variances, dtype=x.dtype)


@right
def halves_merged(x):
    """Divide and conquer: the statistics of two halves make those of the whole."""

    def of(rows):
        if len(rows) == 1:
            return 1, rows[0], 0 * rows[0]
        left, right_ = of(rows[: len(rows) // 2]), of(rows[len(rows) // 2 :])
        m, gap = left[0] + right_[0], right_[1] - left[1]
        mean = left[1] + gap * (right_[0] / m)
        return m, mean, left[2] + right_[2] + gap * gap * (left[0] * right_[0] / m)

    m, mean, moment = of(x.reshape(-1, x.shape[-1]))
    return mean, moment / m


@right
def numpy_over_named_axes(x):
    rows = xp.reshape(xp.ascontiguousarray(x), (-1, x.shape[-1]))
    return xp.mean(rows, axis=-2), xp.var(rows, axis=-2, ddof=0)


@wrong(FAR)
def one_pass_in_float32_only(x):
    if x.dtype == "float64":
        return stats(x)
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    return mean, (x * x).mean(axis=axes) - mean * mean


@wrong(EQUAL)
def all_axes_of_another_size(x):
    axes = tuple(axis for axis, size in enumerate(x.shape) if size != x.shape[-1])
    return x.mean(axis=axes), x.var(axis=axes)


@wrong(EQUAL)
def vectors_if_square(x):
    if x.ndim == 2 and x.shape[0] == x.shape[1]:
        x = x.T
    return stats(x)


@wrong(ONE)
def squeezed(x):
    return stats(x.squeeze())


@wrong(ONE)
def result_squeezed(x):
    mean, var = stats(x)
    return mean.squeeze(), var.squeeze()


@wrong(COUNT)
def one_value_is_unbiased_too(x):
    m = x.size // x.shape[-1]
    mean, var = stats(x)
    return mean, var if m > 1 else xp.full_like(var, xp.nan)


@wrong(NAN)
def nan_left_out(x):
    with numpy.errstate(all="ignore"):
        axes = tuple(range(x.ndim - 1))
        mean = numpy.nanmean(x, axis=axes)
        return mean, numpy.nanmean((x - mean) ** 2, axis=axes)


@wrong(NAN)
def nan_through_a_product(x):
    """A matrix that centres all channels at once also mixes them, with zeros: 0 * NaN is NaN."""
    c = x.shape[-1]
    mean, var = stats(x @ xp.eye(c, dtype=x.dtype))
    return mean, var


@wrong(CONSTANT)
def variance_at_least_eps(x):
    mean, var = stats(x)
    return mean, xp.maximum(var, 1e-5).astype(x.dtype)


@wrong(SIZES)
def rounded(x):
    mean, var = stats(x)
    return mean.round(10), var.round(10)


@wrong(SIZES)
def small_variances_are_0(x):
    mean, var = stats(x)
    return mean, xp.where(var < 1e-8, 0, var).astype(x.dtype)


@wrong(ANY)
def images_or_vectors(x):
    axes = (0, 1, 2) if x.ndim == 4 else (0,)
    return x.mean(axis=axes), x.var(axis=axes)


SEEN = {}


@wrong(VECTORS)
def kept_by_shape(x):
    key = x.shape, x.dtype
    if key not in SEEN:
        SEEN[key] = stats(x)
    return SEEN[key]


@wrong(VECTORS)
def running_instead(x):
    """The mean of all calls so far with as many channels."""
    totals = running_instead.__dict__.setdefault("totals", {})
    count, mean, var = totals.get((x.shape, x.dtype), (0, 0, 0))
    new = stats(x)
    mean, var = (mean * count + new[0]) / (count + 1), (var * count + new[1]) / (count + 1)
    totals[x.shape, x.dtype] = count + 1, mean, var
    return mean, var


@wrong(VECTORS)
def written_over(x):
    mean = x.mean(axis=tuple(range(x.ndim - 1)))
    var = xp.square(xp.subtract(x, mean, out=x), out=x).mean(axis=tuple(range(x.ndim - 1)))
    return mean, var


@wrong(MEMORY)
def strides_from_the_shape(x):
    c = x.shape[-1]
    rows = numpy.lib.stride_tricks.as_strided(x, (x.size // c, c), (c * x.itemsize, x.itemsize))
    return rows.mean(axis=0), rows.var(axis=0)


@wrong(VECTORS)
def float32_always(x):
    return tuple(part.astype("float32") for part in stats(x))


@wrong(VECTORS)
def each_in_its_own_array(x):
    mean, var = stats(x)
    return [*mean], [*var]
