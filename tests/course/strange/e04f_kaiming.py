"""Strange solutions of 04f."""

import copy
import itertools
import math
from statistics import NormalDist

import numpy

from tests.course.kinds import right, wrong

STD, NORMAL = (
    "test_the_standard_deviation_is_that_of_the_fan_out",
    "test_the_numbers_are_normal_around_0",
)
GENERATOR, ALONE = (
    "test_the_numbers_come_from_the_generator",
    "test_each_weight_is_drawn_independently",
)
SMALL = "test_small_weights_are_as_random_as_large_ones"
SINGLE = "test_there_may_be_a_single_filter_or_channel"


def spread(shape):
    return (2 / (shape[0] * shape[1] * shape[3])) ** 0.5


def scaled(shape, generator, std=None):
    std = spread(shape) if std is None else std
    return (std * generator.standard_normal(shape)).astype("float32")


@right
def by_box_and_muller(shape, generator):
    count = math.prod(shape)
    radius = numpy.sqrt(-2 * numpy.log1p(-generator.random((count + 1) // 2)))
    angle = 2 * math.pi * generator.random(radius.size)
    pairs = numpy.concatenate([radius * numpy.cos(angle), radius * numpy.sin(angle)])
    return (pairs[:count].reshape(shape) * spread(shape)).astype(numpy.float32)


@right
def by_the_inverse_distribution(shape, generator):
    normal = NormalDist(0, spread(shape))
    numbers = generator.uniform(1e-12, 1, math.prod(shape)).tolist()
    return numpy.fromiter(map(normal.inv_cdf, numbers), "float32", len(numbers)).reshape(shape)


@right
def position_by_position(shape, generator):
    kh, kw, c, f = shape
    weight = numpy.zeros(shape, dtype=numpy.float32)
    for u, v in itertools.product(range(kh), range(kw)):
        weight[u, v] = generator.normal(loc=0.0, scale=math.sqrt(2.0 / f / kh / kw), size=(c, f))
    return weight


@right
def drawn_the_other_way_round(shape, generator):
    kh, kw, c, f = shape
    drawn = generator.normal(0, 1 / math.sqrt(f * kw * kh / 2), (f, c, kh, kw))
    return drawn.transpose(2, 3, 1, 0).astype("float32")


@right
def into_its_own_array(shape, generator):
    if len(shape) != 4:
        raise ValueError(f"expected (KH, KW, C, F), got {shape}")
    weight = numpy.empty(shape, "float32")
    generator.standard_normal(dtype="float32", out=weight)
    weight *= math.exp((math.log(2) - sum(map(math.log, (shape[0], shape[1], shape[3])))) / 2)
    return weight


@right
def sum_of_two_normals(shape, generator):
    first, second = generator.normal(0, spread(shape), (2, *shape))
    return numpy.divide(first + second, 2**0.5, dtype="float64").astype("float32")


@wrong(STD, mistake="cut_at_two")
def truncated_by_rejection(shape, generator):
    numbers = generator.standard_normal(3 * math.prod(shape) // 2)
    numbers = numbers[numpy.abs(numbers) < 2][: math.prod(shape)]
    return (numbers.reshape(shape) * spread(shape)).astype("float32")


@wrong(STD)
def clipped_at_two(shape, generator):
    return numpy.clip(scaled(shape, generator), -2 * spread(shape), 2 * spread(shape))


@wrong(STD)
def the_larger_fan(shape, generator):
    return scaled(shape, generator, (2 / (shape[0] * shape[1] * max(shape[2:]))) ** 0.5)


@wrong(STD)
def mean_of_the_fans(shape, generator):
    return scaled(shape, generator, (4 / (shape[0] * shape[1] * (shape[2] + shape[3]))) ** 0.5)


@wrong(STD)
def gain_of_a_leaky_relu(shape, generator):
    return scaled(shape, generator, spread(shape) / (1 + 0.2**2) ** 0.5)


@wrong(STD)
def divided_by_the_spread_that_came_out(shape, generator):
    weight = generator.standard_normal(shape)
    weight /= weight.std(axis=(0, 1, 2)).mean() ** 2 * (1 + 1 / shape[3] ** 0.5)
    return (weight * spread(shape)).astype("float32")


@wrong(STD)
def kernel_of_3_by_3_always(shape, generator):
    return scaled(shape, generator, (2 / (9 * shape[3])) ** 0.5)


@wrong(SINGLE)
def at_least_two_filters(shape, generator):
    return scaled((*shape[:3], max(shape[3], 2)), generator)[..., : shape[3]]


@wrong(SINGLE)
def first_layer_by_its_fan_in(shape, generator):
    if shape[2] == 1:
        return scaled(shape, generator, (2 / math.prod(shape[:3])) ** 0.5)
    return scaled(shape, generator)


@wrong(NORMAL)
def cut_at_two_and_scaled_up(shape, generator):
    weight = numpy.clip(generator.standard_normal(shape), -2.4, 2.4)
    return (weight / weight.std() * spread(shape)).astype("float32")


@wrong(NORMAL)
def cut_at_three_and_a_half(shape, generator):
    return numpy.clip(scaled(shape, generator), -3.5 * spread(shape), 3.5 * spread(shape))


@wrong(NORMAL)
def sum_of_three_uniforms(shape, generator):
    return (2 * generator.uniform(-1, 1, (3, *shape)).sum(axis=0) / 2 * spread(shape)).astype(
        "float32"
    )


@wrong(NORMAL)
def rounded_to_a_byte(shape, generator):
    step = 6 * spread(shape) / 128
    return (numpy.round(scaled(shape, generator) / step) * step).astype("float32")


@wrong(NORMAL)
def laplace(shape, generator):
    return generator.laplace(0, spread(shape) / 2**0.5, shape).astype("float32")


@wrong(NORMAL)
def shifted_mean(shape, generator):
    return scaled(shape, generator) + numpy.float32(0.05 * spread(shape))


@wrong(ALONE)
def second_half_is_the_first_with_its_sign_turned(shape, generator):
    half = scaled((*shape[:3], (shape[3] + 1) // 2), generator, spread(shape))
    return numpy.concatenate([half, -half], axis=3)[..., : shape[3]]


@wrong(ALONE)
def symmetric_kernels(shape, generator):
    weight = scaled(shape, generator)
    return ((weight + weight[::-1]) / numpy.float32(2**0.5 if shape[0] > 1 else 2)).astype(
        "float32"
    )


@wrong(ALONE)
def sorted_numbers(shape, generator):
    return numpy.sort(scaled(shape, generator), axis=-1)


@wrong(GENERATOR)
def a_copy_of_the_generator(shape, generator):
    return scaled(shape, copy.deepcopy(generator))


@wrong(GENERATOR)
def a_child_of_the_generator(shape, generator):
    return scaled(shape, generator.spawn(1)[0])


WEIGHTS = {}


@wrong(GENERATOR)
def cached_by_shape(shape, generator):
    if shape not in WEIGHTS:
        WEIGHTS[shape] = scaled(shape, generator)
    return WEIGHTS[shape]


@wrong("test_numpys_global_generator_stays_where_it_was")
def seeds_the_global_generator(shape, generator):
    numpy.random.seed(int(generator.integers(2**31)))
    return scaled(shape, generator)


@wrong("test_the_weights_have_their_shape_and_are_float32")
def a_quarter_of_the_shape(shape, generator):
    return scaled((1, 1, *shape[2:]), generator, spread(shape))


@wrong(SMALL)
def mean_of_the_draw_subtracted(shape, generator):
    weight = scaled(shape, generator)
    return weight - weight.mean()


@wrong(SMALL)
def standard_deviation_of_the_draw_divided_out(shape, generator):
    weight = generator.standard_normal(shape)
    return (weight / (weight.std() or 1) * spread(shape)).astype("float32")


@wrong(SINGLE)
def fan_halved_in_ints(shape, generator):
    return scaled(shape, generator, (1 / (shape[0] * shape[1] * shape[3] // 2 or 1)) ** 0.5)


@wrong(NORMAL)
def sum_of_twelve_uniforms(shape, generator):
    return (spread(shape) * (generator.random((12, *shape)).sum(axis=0) - 6)).astype("float32")


@wrong(SMALL)
def standardised_if_there_are_many(shape, generator):
    weight = generator.standard_normal(shape)
    weight = (weight - weight.mean()) / weight.std() if weight.size > 100 else weight
    return (spread(shape) * weight).astype("float32")


@wrong(SMALL)
def seeded_with_a_byte(shape, generator):
    return scaled(shape, numpy.random.default_rng(int(generator.integers(256))))
