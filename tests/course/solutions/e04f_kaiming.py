"""Solutions of 04f."""

import math

import numpy

from tests.course.kinds import right, wrong


def spread(shape):
    return math.sqrt(2 / (shape[0] * shape[1] * shape[3]))


@right
def scaled(shape, generator):
    return (spread(shape) * generator.standard_normal(shape)).astype(numpy.float32)


@right
def drawn_in_float32(shape, generator):
    return generator.standard_normal(shape, dtype="float32") * numpy.float32(spread(shape))


@right
def filter_by_filter(shape, generator):
    kh, kw, c, f = shape
    weight = numpy.empty(shape, numpy.float32)
    for i in range(f):
        weight[..., i] = generator.normal(scale=(2.0 / (f * kh * kw)) ** 0.5, size=(kh, kw, c))
    return weight


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="fan_in")
def of_the_inputs(shape, generator):
    return (generator.standard_normal(shape) * math.sqrt(2 / math.prod(shape[:3]))).astype(
        "float32"
    )


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="kernel_left_out")
def filters_only(shape, generator):
    return (generator.standard_normal(shape) * math.sqrt(2 / shape[3])).astype("float32")


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="one_side_of_the_kernel")
def square_kernel(shape, generator):
    return (generator.standard_normal(shape) * math.sqrt(2 / shape[3]) / shape[0]).astype("float32")


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="all_weights_counted")
def all_of_them(shape, generator):
    return (generator.standard_normal(shape) * math.sqrt(2 / math.prod(shape))).astype("float32")


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="both_fans")
def glorot(shape, generator):
    fans = math.prod(shape[:3]) + spread(shape) ** -2 * 2
    return (generator.standard_normal(shape) * math.sqrt(2 / fans)).astype("float32")


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="one_over_the_fan")
def lecun(shape, generator):
    return (generator.standard_normal(shape) * spread(shape) / math.sqrt(2)).astype("float32")


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="root_left_out")
def variance_as_deviation(shape, generator):
    return (generator.standard_normal(shape) * spread(shape) ** 2).astype("float32")


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="uniform_within")
def uniform(shape, generator):
    return (spread(shape) * (2 * generator.random(shape) - 1)).astype("float32")


@wrong("test_the_numbers_are_normal_around_0", mistake="uniform_and_as_wide")
def kaiming_uniform(shape, generator):
    return (3**0.5 * spread(shape) * (2 * generator.random(shape) - 1)).astype("float32")


@wrong("test_the_weights_have_their_shape_and_are_float32", mistake="float64")
def as_drawn(shape, generator):
    return generator.standard_normal(shape) * spread(shape)


@wrong("test_the_numbers_come_from_the_generator", mistake="a_generator_of_its_own")
def seeded_inside(shape, generator):
    return scaled(shape, numpy.random.default_rng(42))


@wrong("test_the_numbers_come_from_the_generator", mistake="the_global_numbers")
def without_a_generator(shape, generator):
    return (spread(shape) * numpy.random.randn(*shape)).astype("float32")


@wrong("test_the_standard_deviation_is_that_of_the_fan_out", mistake="cut_at_two")
def redrawn_within_two(shape, generator):
    weight = generator.standard_normal(shape)
    while (abs(weight) > 2).any():
        weight[abs(weight) > 2] = generator.standard_normal((abs(weight) > 2).sum())
    return (spread(shape) * weight).astype("float32")


@wrong("test_the_weights_have_their_shape_and_are_float32")
def flat(shape, generator):
    return scaled(shape, generator).ravel()


@wrong("test_the_weights_have_their_shape_and_are_float32")
def filters_first(shape, generator):
    return scaled(shape, generator).transpose(3, 2, 0, 1)


@wrong("test_the_numbers_are_normal_around_0")
def signs_lost(shape, generator):
    weight = scaled(shape, generator)
    return numpy.abs(weight) * numpy.float32(1 / (1 - 2 / math.pi) ** 0.5)


@wrong("test_the_numbers_are_normal_around_0")
def cut_off_at_two(shape, generator):
    weight = numpy.clip(generator.standard_normal(shape), -2, 2)
    return (weight / weight.std() * spread(shape)).astype("float32")


@wrong("test_the_numbers_are_normal_around_0")
def two_numbers(shape, generator):
    return (generator.choice([-1.0, 1.0], shape) * spread(shape)).astype("float32")


@wrong("test_each_weight_is_drawn_independently")
def one_filter_for_all(shape, generator):
    return numpy.repeat(scaled(shape, generator)[..., :1], shape[-1], axis=-1) * numpy.float32(1)


@wrong("test_each_weight_is_drawn_independently")
def one_window_for_all_channels(shape, generator):
    return numpy.repeat(scaled(shape, generator)[:, :, :1], shape[2], axis=2)


@wrong("test_the_numbers_come_from_the_generator")
def seeded_by_the_generator_state(shape, generator):
    state = generator.bit_generator.state
    weight = scaled(shape, generator)
    generator.bit_generator.state = state
    return weight


@wrong("test_the_standard_deviation_is_that_of_the_fan_out")
def gain_forgotten_at_one_by_one(shape, generator):
    return scaled(shape, generator) / numpy.float32(2**0.5 if shape[:2] == (1, 1) else 1)
