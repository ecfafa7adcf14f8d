"""Exercise 15b: how far a step goes, compared with the weights, and what goes wrong with it."""

import math

from minires.backend import xp


def update_ratio(before, after):
    """The size of a step relative to each parameter: a dict from its name to a float.

    before, after  dicts from a parameter's name to its array, float32 or float64, before a step and after it
    """
    ratios = {}
    for name, was in before.items():
        was = was.astype(xp.float64)
        step = after[name].astype(xp.float64) - was
        length, size = (math.sqrt(float((array * array).sum())) for array in (step, was))
        ratios[name] = length / size if size else math.inf if length else 0.0
    return ratios


def _wide(array):
    return array.astype(xp.float64)


def _norm(array):
    return math.sqrt(float((array * array).sum()))


def _ratio(was, now):
    return _divided(_norm(_wide(now) - _wide(was)), _norm(_wide(was)))


def _divided(step, size):
    if size == 0:
        return math.inf if step else 0.0
    return step / size


def whole_net(before, after):
    """all parameters are measured together: each of them has a ratio of its own"""
    step = math.sqrt(sum(_norm(_wide(after[name]) - _wide(was)) ** 2 for name, was in before.items()))  # fmt: skip
    size = math.sqrt(sum(_norm(_wide(was)) ** 2 for was in before.values()))
    return {name: _divided(step, size) for name in before}


def over_the_new_weights(before, after):
    """the step is divided by the norm of the parameter after it"""
    return {
        name: _divided(_norm(_wide(after[name]) - _wide(was)), _norm(_wide(after[name])))
        for name, was in before.items()
    }


def standard_deviations(before, after):
    """standard deviations are compared instead of norms: a step that moves all numbers equally far has a standard deviation of 0"""
    return {
        name: _divided(float((_wide(after[name]) - _wide(was)).std()), float(_wide(was).std()))
        for name, was in before.items()
    }


def difference_of_the_norms(before, after):
    """the norms are subtracted: a step that turns a parameter without making it longer counts as 0"""
    return {
        name: _divided(abs(_norm(_wide(after[name])) - _norm(_wide(was))), _norm(_wide(was)))
        for name, was in before.items()
    }


def root_forgotten(before, after):
    """the sums of the squares are divided, without their roots: the ratio comes out squared"""
    return {
        name: _divided(_norm(_wide(after[name]) - _wide(was)) ** 2, _norm(_wide(was)) ** 2)
        for name, was in before.items()
    }


def absolute_values(before, after):
    """absolute values are added up instead of squares"""
    return {
        name: _divided(float(abs(_wide(after[name]) - _wide(was)).sum()), float(abs(_wide(was)).sum()))
        for name, was in before.items()
    }  # fmt: skip


def largest_elements(before, after):
    """the largest elements are compared instead of the norms"""
    return {
        name: _divided(float(abs(_wide(after[name]) - _wide(was)).max()), float(abs(_wide(was)).max()))
        for name, was in before.items()
    }  # fmt: skip


def squared_in_float32(before, after):
    """the squares are added up in float32, where the square of 1e-25 is 0: convert to float64 first"""
    return {name: _divided(_norm(after[name] - was), _norm(was)) for name, was in before.items()}


def never_divided_by_0(before, after):
    """a small number is added to the norm, so that nothing is divided by 0: the ratio is huge then, and not infinite"""
    return {
        name: _norm(_wide(after[name]) - _wide(was)) / (_norm(_wide(was)) + 1e-12)
        for name, was in before.items()
    }


def zero_for_all_zeros(before, after):
    """a parameter that was 0 gets 0 in any case: if it has changed, its step is infinitely larger"""
    return {
        name: _ratio(was, after[name]) if _norm(_wide(was)) else 0.0 for name, was in before.items()
    }


def infinite_for_all_zeros(before, after):
    """a parameter that was 0 gets infinity in any case: if it hasn't changed, its step is 0"""
    return {
        name: _ratio(was, after[name]) if _norm(_wide(was)) else math.inf
        for name, was in before.items()
    }


def zeros_left_out(before, after):
    """parameters that were 0 are left out: each name has a ratio"""
    return {name: _ratio(was, after[name]) for name, was in before.items() if _norm(_wide(was))}
