"""Claims about autocorrelation: a mean over the pairs that exist, relative to the variance."""

import numpy
from e11c_autocorrelation import autocorrelation

from minires.course import Check

check = Check("11c")
rng = numpy.random.default_rng(11)
walk = numpy.cumsum(rng.standard_normal(40)) + 3
noise = rng.standard_normal(40) + 0.5


def test_a_curve_by_hand():
    check.same(autocorrelation, numpy.array([1.0, 3.0, 2.0, 6.0]), 1)
    check.same(autocorrelation, numpy.array([0.0, 1.0, 5.0, 1.0, 3.0]), 2)


def test_the_mean_is_taken_off():
    check.same(autocorrelation, walk, 1)
    check.same(autocorrelation, walk + 100, 3)


def test_lag_0_gives_1():
    check.same(autocorrelation, walk, 0)
    check.same(autocorrelation, numpy.array([2.0, -1.0]), 0)


def test_only_pairs_that_exist_count():
    check.same(autocorrelation, walk, 7)
    check.same(autocorrelation, noise, 25)
    check.same(autocorrelation, walk, 39)
    check.same(autocorrelation, noise, 38)
    check.same(autocorrelation, numpy.array([5.0, 0.0, 0.0, 0.0, 5.5]), 4)


def test_noise_has_hardly_any_and_a_curve_that_alternates_a_negative_one():
    check.same(autocorrelation, noise, 1)
    check.same(autocorrelation, numpy.array([1.0, -1.0] * 5 + [1.5]), 1)


def test_the_unit_of_g_does_not_matter():
    check.same(autocorrelation, walk * 1e-6, 2)
    check.same(autocorrelation, -walk * 1e6, 2)


def test_a_curve_far_from_0():
    def run(yours):
        return float(yours(walk + 1e6, 2))

    check.experiment(run, autocorrelation, "a curve about a million above 0, in float64")


def test_values_of_0_are_values():
    check.same(autocorrelation, numpy.maximum(walk - walk.mean(), 0), 3)
    check.same(autocorrelation, numpy.array([0.0, 0.0, 0.0, 4.0]), 1)
    check.same(autocorrelation, numpy.array([0.0, 2.0, 1.0, 1.0, 1.5]), 2)


def test_curves_may_be_short():
    check.same(autocorrelation, numpy.array([1.0, 2.0]), 1)
    check.same(autocorrelation, numpy.array([1.0, 2.0, -3.0]), 2)


def test_curves_take_turns():
    def run(yours):
        curve = walk.copy()
        found = {"a curve": float(yours(curve, 2)), "another": float(yours(noise.copy(), 2))}
        curve[5] += 9
        found["the first, with a spike"] = float(yours(curve, 2))
        found["at a different lag"] = float(yours(curve, 4))
        return found

    check.experiment(run, autocorrelation, "two curves, one of which then changes")


def test_g_stays_unchanged_and_may_have_gaps_in_memory():
    def run(yours):
        large = numpy.stack([noise, walk, noise]).T.copy()
        result = float(yours(large[::-2, 1], 3))
        return {"the result": result, "the array afterwards": large}

    check.experiment(
        run, autocorrelation, "a column of a larger array, read backwards in steps of 2"
    )


def test_a_nan_is_not_hidden():
    check.same(autocorrelation, numpy.array([1.0, numpy.nan, 2.0, 4.0]), 1)
