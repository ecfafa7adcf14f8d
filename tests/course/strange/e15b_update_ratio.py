"""Strange solutions of 15b."""

import math
from collections import OrderedDict

import numpy

from minires.backend import to_host, xp
from tests.course.kinds import right, wrong
from tests.course.solutions.e15b_update_ratio import by, divided, length, linalg

STAY = "test_dicts_and_arrays_stay_as_they_were_and_no_call_depends_on_another"
OWN = "test_each_parameter_has_a_ratio_of_its_own"
ZERO, SMALL, NARROW = (
    "test_a_parameter_that_was_0",
    "test_steps_may_be_small",
    "test_float32_arrays",
)
SAME, BACK, LAYOUT = "test_no_step_is_0", "test_a_parameter_that_becomes_0", "test_layouts_in_memory"  # fmt: skip


@right
def scaled_by_the_largest(before, after):
    """Without any overflow or underflow."""

    def norm(array):
        row = abs(to_host(array).astype("float64")).ravel()
        largest = row.max()
        return float(largest * math.sqrt(((row / largest) ** 2).sum())) if largest else 0.0

    return {k: divided(norm(after[k].astype("float64") - v), norm(v)) for k, v in before.items()}


@right
def an_ordered_dict(before, after):
    return OrderedDict(linalg(before, after))


@right
def einsum(before, after):
    def norm(array):
        row = array.astype(xp.float64).ravel()
        return math.sqrt(float(xp.einsum("i,i->", row, row)))

    result = dict.fromkeys(before)
    for key in result:
        result[key] = divided(norm(after[key].astype(xp.float64) - before[key].astype(xp.float64)), norm(before[key]))  # fmt: skip
    return result


@right
def with_exceptions(before, after):
    def ratio(step, size):
        try:
            return step / size
        except ZeroDivisionError:
            return math.inf * step if step else 0.0

    return {k: ratio(length(after[k].astype(float) - before[k].astype(float)), length(before[k])) for k in before}  # fmt: skip


@right
def mean_squares(before, after):
    """The numbers of elements cancel."""
    return by(lambda a: math.sqrt((a**2).mean()), before, after)


@wrong(STAY)
def subtracted_in_place(before, after):
    found = {}
    for k, v in before.items():
        size = length(v)
        v -= after[k]
        found[k] = divided(length(v), size)
    return found


@wrong(STAY)
def names_popped(before, after):
    found = {}
    for k in list(before):
        was = before.pop(k)
        found[k] = divided(length(after[k].astype(float) - was.astype(float)), length(was))
    return found


KEPT = {}


@wrong(STAY)
def one_dict_for_all_calls(before, after):
    KEPT.clear()
    KEPT.update(linalg(before, after))
    return KEPT


SEEN = {}


@wrong("test_steps_of_an_optimizer")
def first_shape_counts(before, after):
    """Remembered by the shapes."""
    key = tuple((k, v.shape) for k, v in before.items())
    return SEEN.setdefault(key, linalg(before, after))


@wrong("test_weights_may_be_large")
def subtracted_in_float32(before, after):
    return {k: divided(length(after[k] - v), length(v)) for k, v in before.items()}


@wrong(SMALL)
def in_float16(before, after):
    return {k: float(numpy.float16(r)) if r < 1 else r for k, r in linalg(before, after).items()}


@wrong(NARROW)
def rounded(before, after):
    return {k: round(r, 4) if r < 0.01 else r for k, r in linalg(before, after).items()}


@wrong(ZERO)
def nan_for_zeros(before, after):
    return {k: r if length(before[k]) else math.nan for k, r in linalg(before, after).items()}


@wrong(ZERO)
def tiny_ones_count_as_0(before, after):
    return {k: 0.0 if length(after[k].astype(float) - before[k].astype(float)) < 1e-28 else r for k, r in linalg(before, after).items()}  # fmt: skip


@wrong(SAME)
def at_least_eps(before, after):
    return {k: max(r, 1e-16) for k, r in linalg(before, after).items()}


@wrong(BACK)
def less_than_1(before, after):
    return {k: min(r, 0.999999) if (after[k] == 0).all() and before[k].any() else r for k, r in linalg(before, after).items()}  # fmt: skip


@wrong(LAYOUT)
def memory_in_one_row(before, after):
    """The buffer of a view is that of the whole array."""

    def whole(array):
        return array if array.base is None or not isinstance(array.base, numpy.ndarray) else array.base  # fmt: skip

    return {k: divided(length(whole(after[k]).astype(float) - whole(v).astype(float)), length(whole(v))) for k, v in before.items()}  # fmt: skip


@wrong(OWN)
def spectral(before, after):
    """The norm of a matrix is its largest singular value here."""

    def norm(array):
        return float(numpy.linalg.norm(array, 2)) if array.ndim == 2 else length(array)

    return {k: divided(norm(after[k].astype(float) - v), norm(v)) for k, v in before.items()}


@wrong(OWN)
def a_list(before, after):
    return list(linalg(before, after).items())


@wrong(OWN)
def weights_only(before, after):
    """Biases have one axis."""
    return {k: r for k, r in linalg(before, after).items() if before[k].ndim > 1}


@wrong(OWN)
def by_rows(before, after):
    """The mean of the ratios of the rows."""

    def ratio(was, now):
        if was.ndim < 2:
            return divided(length(now - was), length(was))
        pairs = zip(was.reshape(len(was), -1), now.reshape(len(now), -1))
        found = [divided(length(b - a), length(a)) for a, b in pairs]
        return float(sum(found) / len(found))

    return {k: ratio(v.astype(float), after[k].astype(float)) for k, v in before.items()}
