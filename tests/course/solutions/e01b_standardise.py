"""Solutions of 01b."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def pixels(images):
    """(N * H * W, C)."""
    return images.reshape(-1, images.shape[-1])


def standard(images, mean, std):
    return ((images - mean) / xp.where(std > 0, std, 1)).astype("float32")


@wrong("test_a_constant_channel_is_not_divided", mistake="as_fractions")
def between_0_and_1(images, training):
    scaled = training.astype("float64") / 255
    mean = scaled.mean(axis=(0, 1, 2), keepdims=True)
    std = xp.sqrt(((scaled - mean) ** 2).mean(axis=(0, 1, 2)))
    std[std < 1e-9] = 1
    return ((images / 255 - mean) / std).astype("float32")


@wrong("test_a_constant_channel_is_not_divided", mistake="small_number_added")
def never_by_zero(images, training):
    rows = pixels(training)
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    return xp.divide(images - mean, std + 1e-8).astype("float32")


@right
def channel_by_channel(images, training):
    result = xp.empty(images.shape, "float32")
    for c in range(images.shape[-1]):
        values = training[..., c].astype(float)
        result[..., c] = (images[..., c] - values.mean()) / (values.std() or 1)
    return result


@right
def by_squares(images, training):
    wide = pixels(training).astype("float64")
    mean = wide.mean(axis=0)
    return standard(images, mean, xp.sqrt(xp.einsum("ic,ic->c", wide, wide) / len(wide) - mean**2))


@right
def by_counts(images, training):
    values, result = xp.arange(256), xp.empty(images.shape, "float32")
    for c in range(images.shape[-1]):
        share = xp.bincount(training[..., c].ravel(), minlength=256) / training[..., c].size
        mean = share @ values
        std = (share @ (values - mean) ** 2) ** 0.5
        result[..., c] = (images[..., c] - mean) / (std if std else 1)
    return result


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1", mistake="each_pixel")
def axis_0(images, training):
    mean = training.sum(axis=0) / len(training)
    return standard(images, mean, xp.sqrt(((training - mean) ** 2).mean(axis=0)))


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1", mistake="one_for_all")
def flattened(images, training):
    values = training.astype(float).ravel()
    return standard(images, values.mean(), xp.sqrt(((values - values.mean()) ** 2).mean()))


@wrong("test_the_statistics_come_from_the_training_images", mistake="own_statistics")
def of_themselves(images, training):
    return by_squares(images, images)


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1", mistake="by_the_variance")
def root_forgotten(images, training):
    wide = pixels(training).astype(float)
    mean = wide.mean(axis=0)
    return standard(images, mean, ((wide - mean) ** 2).mean(axis=0))


@wrong("test_a_pixel_darker_than_the_mean_becomes_negative", mistake="wrapped")
def in_bytes(images, training):
    mean = xp.uint8(pixels(training).mean(axis=0))
    return standard(xp.subtract(images, mean), 0, training.std(axis=(0, 1, 2)))


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1", mistake="squares_wrapped")
def squared_bytes(images, training):
    rows = pixels(training)
    mean = rows.mean(axis=0)
    var = (rows**2).mean(axis=0) - mean**2
    with xp.errstate(all="ignore"):
        return (images - mean).astype("float32") / (var**0.5).astype("float32")


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1", mistake="mean_of_deviations")
def image_by_image(images, training):
    std = sum(image.reshape(-1, image.shape[-1]).std(axis=0) for image in training) / len(training)
    return standard(images, pixels(training).mean(axis=0), std)


@wrong("test_two_pixels", mistake="of_a_sample")
def unbiased(images, training):
    rows = pixels(training)
    mean = rows.mean(axis=0)
    return standard(images, mean, (((rows - mean) ** 2).sum(axis=0) / (len(rows) - 1)) ** 0.5)


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1", mistake="only_shifted")
def centred(images, training):
    return xp.subtract(images, pixels(training).mean(axis=0)).astype("float32")


@wrong("test_a_constant_channel_is_not_divided", mistake="divided_by_zero")
def not_looked_at(images, training):
    rows = pixels(training)
    with xp.errstate(all="ignore"):
        return xp.divide(images - rows.mean(axis=0), rows.std(axis=0)).astype("float32")


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1")
def to_fractions_only(images, training):
    return (images / 255).astype("float32")


@wrong("test_two_pixels")
def in_float64(images, training):
    std = training.std(axis=(0, 1, 2))
    return (images - training.mean(axis=(0, 1, 2))) / xp.where(std == 0, 1, std)


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1")
def divided_before_it_was_shifted(images, training):
    std = training.std(axis=(0, 1, 2))
    return (images / xp.where(std == 0, 1, std) - training.mean(axis=(0, 1, 2))).astype("float32")


@wrong("test_the_statistics_come_from_the_training_images")
def fractions_by_bytes(images, training):
    return standard(images / 255, training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2)))


@wrong("test_the_training_images_get_mean_0_and_standard_deviation_1")
def to_the_range(images, training):
    rows = pixels(training).astype(float)
    return standard(images, rows.min(axis=0), rows.max(axis=0) - rows.min(axis=0))


@wrong("test_a_constant_channel_is_not_divided")
def left_alone(images, training):
    std = training.std(axis=(0, 1, 2))
    return xp.where(std == 0, images, standard(images, training.mean(axis=(0, 1, 2)), std)).astype(
        "float32"
    )


@wrong("test_a_pixel_darker_than_the_mean_becomes_negative")
def rounded_mean(images, training):
    return standard(images, training.mean(axis=(0, 1, 2)).round(), training.std(axis=(0, 1, 2)))
