"""Solutions of 15b: the length of a step, compared with the parameter before it."""

import math

import numpy

from minires.backend import to_host, xp
from tests.course.kinds import right, wrong

HAND, OWN = "test_numbers_by_hand", "test_each_parameter_has_a_ratio_of_its_own"
ZERO, SMALL = "test_a_parameter_that_was_0", "test_steps_may_be_small"
MIXED, EVEN = (
    "test_equal_shapes_are_not_mixed_up",
    "test_a_step_that_moves_all_numbers_equally_far",
)


def length(array):
    return float(numpy.linalg.norm(to_host(array).astype("float64").ravel()))


def divided(step, size):
    if size:
        return step / size
    return math.inf if step else 0.0


def by(measure, before, after, other=None):
    """The ratios of measure(step) and other(before), by name."""
    other = other or measure
    wide = {k: (v.astype("float64"), after[k].astype("float64")) for k, v in before.items()}
    return {k: divided(float(measure(b - a)), float(other(a))) for k, (a, b) in wide.items()}


@right
def linalg(before, after):
    return {name: divided(length(after[name].astype(float) - before[name].astype(float)), length(before[name])) for name in before}  # fmt: skip


@right
def a_loop_with_branches(before, after):
    ratios = {}
    for name in before:
        old, new = xp.asarray(before[name], dtype=xp.float64), xp.asarray(after[name], dtype=xp.float64)  # fmt: skip
        moved, size = float(xp.sqrt(xp.square(new - old).sum())), float(xp.sqrt(xp.square(old).sum()))  # fmt: skip
        if size > 0:
            ratios[name] = moved / size
        elif moved > 0:
            ratios[name] = float("inf")
        else:
            ratios[name] = 0.0
    return ratios


@right
def dot_products(before, after):
    def squares(array):
        row = to_host(array).astype(numpy.float64).reshape(-1)
        return float(row @ row)

    found = {}
    for name, was in before.items():
        step = squares(after[name].astype("float64") - was.astype("float64"))
        found[name] = math.sqrt(step / squares(was)) if squares(was) else (math.inf if step else 0.0)  # fmt: skip
    return found


@right
def hypot_of_all(before, after):
    def numbers(array):
        return [float(one) for one in to_host(array).astype(float).ravel()]

    pairs = {k: (numbers(before[k]), numbers(after[k])) for k in before}
    return {k: divided(math.hypot(*(q - p for p, q in zip(a, b))), math.hypot(*a)) for k, (a, b) in pairs.items()}  # fmt: skip


@wrong(OWN, mistake="whole_net")
def one_number(before, after):
    step = math.hypot(*(length(after[k].astype(float) - before[k].astype(float)) for k in before))
    return dict.fromkeys(before, divided(step, math.hypot(*map(length, before.values()))))


@wrong(HAND, mistake="over_the_new_weights")
def divided_by_after(before, after):
    return {k: divided(length(after[k].astype(float) - before[k].astype(float)), length(after[k])) for k in before}  # fmt: skip


@wrong(HAND, mistake="standard_deviations")
def std(before, after):
    return by(numpy.std, before, after)


@wrong(HAND, mistake="difference_of_the_norms")
def longer_by(before, after):
    return {k: divided(abs(length(after[k]) - length(before[k])), length(before[k])) for k in before}  # fmt: skip


@wrong(HAND, mistake="root_forgotten")
def squares_divided(before, after):
    return by(lambda a: (a * a).sum(), before, after)


@wrong(HAND, mistake="absolute_values")
def order_1(before, after):
    return by(lambda a: numpy.linalg.norm(a.ravel(), 1), before, after)


@wrong(HAND, mistake="largest_elements")
def order_infinity(before, after):
    return by(lambda a: numpy.linalg.norm(a.ravel(), numpy.inf), before, after)


@wrong(SMALL, mistake="squared_in_float32")
def in_their_own_dtype(before, after):
    def norm(a):
        return math.sqrt(float((a * a).sum()))

    return {k: divided(norm(after[k] - before[k]), norm(before[k])) for k in before}


@wrong(ZERO, mistake="never_divided_by_0")
def with_eps(before, after):
    return {k: length(after[k].astype(float) - before[k].astype(float)) / (length(before[k]) + 1e-12) for k in before}  # fmt: skip


@wrong(ZERO, mistake="zero_for_all_zeros")
def nothing_for_zeros(before, after):
    return {k: r if length(before[k]) else 0.0 for k, r in linalg(before, after).items()}


@wrong(ZERO, mistake="infinite_for_all_zeros")
def always_infinite(before, after):
    return {k: r if length(before[k]) else math.inf for k, r in linalg(before, after).items()}


@wrong(ZERO, mistake="zeros_left_out")
def only_those_with_a_size(before, after):
    return {k: r for k, r in linalg(before, after).items() if before[k].any()}


@wrong(OWN)
def mean_of_elementwise_ratios(before, after):
    return {k: float(abs((after[k].astype(float) - v) / v).mean()) if v.any() else r
            for (k, v), r in zip(before.items(), linalg(before, after).values())}  # fmt: skip


@wrong(HAND)
def the_other_way_round(before, after):
    return {k: 1 / r if 0 < r < math.inf else r for k, r in linalg(before, after).items()}


@wrong(HAND)
def of_the_means(before, after):
    return by(lambda a: abs(a.mean()), before, after)


@wrong(HAND)
def relative_size_of_after(before, after):
    return {k: divided(length(after[k]), length(before[k])) for k in before}


@wrong(MIXED)
def paired_by_position(before, after):
    return {k: divided(length(b.astype(float) - a.astype(float)), length(a)) for (k, a), b in zip(before.items(), after.values())}  # fmt: skip


@wrong("test_each_parameter_has_a_ratio_of_its_own")
def numpy_floats(before, after):
    return {k: numpy.float64(r) for k, r in linalg(before, after).items()}


@wrong(HAND)
def a_logarithm(before, after):
    return {k: math.log10(r) if 0 < r < math.inf else r for k, r in linalg(before, after).items()}


@wrong("test_equal_shapes_are_not_mixed_up")
def in_the_order_of_after(before, after):
    found = linalg(before, after)
    return {k: found[k] for k in after}
