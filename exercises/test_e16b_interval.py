"""Claims about an interval for an accuracy: its ends solve the equation, whatever the hits and the confidence."""

import numpy
from e16b_interval import interval as yours

from minires.course import Check

check = Check("16b", tolerance=2e-9)


def ends(*counts, **options):
    """Experiment: the ends of these intervals, (hits, n)."""

    def run(interval):
        return {f"{hits} of {n}": pair(interval(hits, n, **options)) for hits, n in counts}

    return run


def pair(found):
    """Return a pair of floats as an array, so that an end of 0 may be off by rounding."""
    return numpy.array(found) if isinstance(found, (tuple, list)) and len(found) == 2 else found


def tried(about, *counts, **options):
    __tracebackhide__ = True
    check.experiment(ends(*counts, **options), yours, about)


def test_an_ordinary_accuracy():
    tried("an interval at 95 %", (9213, 10_000), (5000, 10_000), (44, 60), (350, 355))


def test_accuracies_below_a_half():
    tried("an interval at 95 %", (1003, 10_000), (2, 7), (13, 300))


def test_few_images():
    tried("an interval at 95 %", (1, 2), (3, 4), (2, 3), (7, 9))


def test_no_hits():
    tried("an interval at 95 %", (0, 20), (0, 10_000), (0, 1))


def test_hits_only():
    tried("an interval at 95 %", (20, 20), (10_000, 10_000), (1, 1))


def test_one_wrong_or_one_right():
    tried("an interval at 95 %", (1, 300), (299, 300), (9999, 10_000))


def test_other_confidence():
    tried("an interval at 99 %", (850, 1000), (7, 9), confidence=0.99)
    tried("an interval at 50 %", (850, 1000), (7, 9), confidence=0.5)
    tried("an interval at 68.27 %", (850, 1000), (0, 9), confidence=0.6827)
    tried("an interval at 99.9999 %", (850, 1000), (0, 9), confidence=0.999999)
    tried("an interval at 10 %", (850, 1000), (9, 9), confidence=0.1)


def test_many_images():
    tried("an interval at 95 %", (1_150_000, 1_281_167), (10**9, 3 * 10**9))


def test_calls_do_not_depend_on_each_other():
    def run(interval):
        calls = [
            ((8679, 10_000), {}),
            ((8679, 10_000), {"confidence": 0.9}),
            ((867, 1000), {}),
            ((8679, 10_000), {}),
        ]
        return {
            f"call {i}": pair(interval(*counts, **options))
            for i, (counts, options) in enumerate(calls)
        }

    check.experiment(
        run, yours, "four calls in a row, with other hits and another confidence in between"
    )


def test_two_floats():
    for counts in ((44, 60), (0, 20), (20, 20)):
        found = check.call(yours, *counts)
        fits = (
            isinstance(found, (tuple, list))
            and len(found) == 2
            and all(isinstance(one, float) for one in found)
        )
        check.true(fits, f"expected two floats, got {found!r}")
