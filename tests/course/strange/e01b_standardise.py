"""Strange solutions of 01b."""

import functools

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


def statistics(training):
    wide = training.reshape(-1, training.shape[-1]).astype("float64")
    return wide.mean(axis=0), wide.std(axis=0)


def standard(images, mean, std):
    return ((images - mean) / xp.where(std == 0, 1, std)).astype("float32")


@right
def as_fractions_but_for_constant_channels(images, training):
    scaled = training / 255
    mean, std = scaled.mean((0, 1, 2)), scaled.std((0, 1, 2))
    std[training.min((0, 1, 2)) == training.max((0, 1, 2))] = 1 / 255
    return ((images / 255 - mean) / std).astype("float32")


@right
def by_a_table(images, training):
    """Of each channel only 256 results are possible."""
    result = []
    for c in range(images.shape[3]):
        values = training[:, :, :, c].ravel().astype(float)
        mean = sum(values) / len(values)
        spread = (sum((values - mean) ** 2) / len(values)) ** 0.5
        table = (xp.arange(256) - mean) / (spread if spread else 1)
        result.append(table[images[:, :, :, c]])
    return xp.stack(result, axis=-1).astype(xp.float32)


@right
def channels_in_front(images, training):
    first = xp.moveaxis(training, -1, 0).reshape(training.shape[-1], -1)
    mean, std = first.mean(axis=1), first.std(axis=1)
    divided = xp.divide(1, std, out=xp.ones_like(std), where=std != 0)
    return xp.float32(xp.einsum("nhwc,c->nhwc", images - mean, divided))


class Ruler:
    """Mean and standard deviation, measured once for each call."""

    def __init__(self, training):
        self.mean = training.mean(axis=(0, 1, 2), dtype="float64")
        variance = xp.square(training - self.mean).mean(axis=(0, 1, 2))
        self.std = xp.sqrt(variance) if variance.all() else xp.sqrt(variance + (variance == 0))

    def __call__(self, images):
        return xp.subtract(images, self.mean) / self.std


@right
def an_object(images, training):
    return Ruler(training)(images).astype(xp.float32)


@right
def welford(images, training):
    """One pass over the images, with running statistics."""
    count, mean, squares = 0, 0.0, 0.0
    for image in training:
        rows = image.reshape(-1, image.shape[-1]).astype(float)
        n, m = len(rows), rows.mean(axis=0)
        squares = (
            squares + ((rows - m) ** 2).sum(axis=0) + (m - mean) ** 2 * count * n / (count + n)
        )
        mean = mean + (m - mean) * n / (count + n)
        count += n
    std = xp.sqrt(squares / count)
    return functools.partial(standard, images)(mean, xp.where(std < 1e-9, 1, std))


TRAINING = "test_the_training_images_get_mean_0_and_standard_deviation_1"
CONSTANT = "test_a_constant_channel_is_not_divided"


@wrong(CONSTANT)
def at_least_a_small_number(images, training):
    mean, std = statistics(training)
    return ((images - mean) / xp.maximum(std, 1e-6)).astype("float32")


@wrong("test_a_single_bright_pixel_in_a_large_dark_set")
def eps_inside_the_root(images, training):
    mean, std = statistics(training)
    return standard(images, mean, xp.where(std == 0, 1, xp.sqrt(std**2 + 1e-5)))


@wrong("test_a_single_bright_pixel_in_a_large_dark_set")
def small_ones_count_as_constant(images, training):
    mean, std = statistics(training)
    return ((images - mean) / xp.where(std < 0.01, 1, std)).astype("float32")


@wrong(CONSTANT)
def zero_wherever_it_is_constant(images, training):
    mean, std = statistics(training)
    return xp.where(std == 0, 0, standard(images, mean, std)).astype("float32")


@wrong(CONSTANT)
def nan_to_num(images, training):
    mean, std = statistics(training)
    with xp.errstate(all="ignore"):
        return xp.nan_to_num((images - mean) / std, posinf=0, neginf=0).astype("float32")


@wrong(CONSTANT)
def all_channels_or_none(images, training):
    mean, std = statistics(training)
    return ((images - mean) / (std if std.all() else 1)).astype("float32")


@wrong(CONSTANT)
def constant_in_the_images(images, training):
    mean, std = statistics(training)
    flat = images.min(axis=(0, 1, 2)) == images.max(axis=(0, 1, 2))
    with xp.errstate(all="ignore"):
        return ((images - mean) / xp.where(flat, 1, std)).astype("float32")


@wrong("test_any_number_of_channels")
def three_channels(images, training):
    result = images.astype("float32")
    for c in range(min(3, images.shape[-1])):
        mean, std = statistics(training[..., c : c + 1])
        result[..., c] = standard(images[..., c], mean, std)
    return result


@wrong("test_any_number_of_channels")
def grey_stays_grey(images, training):
    if images.shape[-1] == 1 and images.size > 2:
        return images.astype("float32")
    return standard(images, *statistics(training))


@wrong("test_equal_sizes")
def channels_looked_for_by_their_size(images, training):
    axis = training.shape.index(images.shape[-1])
    others = tuple(i for i in range(4) if i != axis)
    mean, std = training.mean(axis=others), training.std(axis=others)
    return standard(images, mean, std)


@wrong(TRAINING)
def clipped(images, training):
    return standard(images, *statistics(training)).clip(-1, 1)


@wrong(TRAINING)
def in_half_precision(images, training):
    return standard(images, *statistics(training)).astype("float16").astype("float32")


@wrong("test_the_statistics_come_from_the_training_images")
def measured_on_both(images, training):
    if images.shape[1:] == training.shape[1:] and images is not training:
        training = xp.concatenate([images, training])
    return standard(images, *statistics(training))


SEEN = []


@wrong("test_equal_sizes")
def measured_once(images, training):
    """The statistics of the first call, as long as the number of channels fits."""
    if not SEEN or SEEN[0][0].shape != training.shape[-1:]:
        SEEN[:] = [statistics(training)]
        return standard(images, *SEEN[0])
    mean, std = SEEN[0]
    return standard(images, mean, std)


@wrong("test_the_statistics_come_from_the_training_images")
def centred_in_place(images, training):
    mean, std = statistics(training)
    numpy.subtract(images, mean.astype(images.dtype), out=images)
    return standard(images, 0, std)


@wrong("test_two_pixels")
def a_list_of_images(images, training):
    return list(standard(images, *statistics(training)))


@wrong("test_the_sum_of_many_bright_pixels_is_large")
def sums_in_16_bits(images, training):
    rows = training.reshape(-1, training.shape[-1])
    mean = rows.sum(axis=0, dtype="uint16") / len(rows)
    return standard(images, mean, xp.sqrt(((rows - mean) ** 2).mean(axis=0)))


@wrong("test_settings_of_numpy_are_unchanged")
def warnings_switched_off_for_all(images, training):
    xp.seterr(divide="ignore", invalid="ignore")
    mean, std = statistics(training)
    return xp.where(std == 0, images - mean, (images - mean) / std).astype("float32")


@wrong("test_a_constant_channel_stays_one_in_a_large_set")
def sums_in_single_precision(images, training):
    mean, std = (f((0, 1, 2), dtype=xp.float32) for f in (training.mean, training.std))
    return standard(images, mean, xp.where(std == 0, 1, std))


@wrong("test_images_that_are_all_the_same_are_not_constant")
def constant_if_every_image_is_the_first(images, training):
    mean, std = statistics(training)
    constant = (training == training[0]).all(axis=(0, 1, 2))
    return standard(images, mean, xp.where(constant, 1, std))


@wrong("test_a_single_bright_pixel_in_a_large_dark_set")
def a_two_hundredth_counts_as_constant(images, training):
    mean, std = statistics(training)
    return standard(images, mean, xp.where(std < 5e-3, 1, std))


@wrong("test_a_constant_channel_is_not_divided")
def nothing_if_all_are_black(images, training):
    mean, std = statistics(training)
    if not mean.any():
        return xp.zeros(images.shape, xp.float32)
    return standard(images, mean, xp.where(std == 0, 1, std))


@right
def looked_up_in_a_table(images, training):
    result, values = xp.empty(images.shape, xp.float32), xp.arange(256)
    for channel in range(images.shape[-1]):
        times = xp.bincount(training[..., channel].ravel(), minlength=256)
        mean = (times * values).sum() / times.sum()
        std = ((times * (values - mean) ** 2).sum() / times.sum()) ** 0.5
        result[..., channel] = ((values - mean) / (std or 1))[images[..., channel]]
    return result
