"""Claims about a paired test: only images on which one network alone is right count, and the count is exact."""

import numpy
from e16c_mcnemar import mcnemar

from minires.course import Check

check = Check("16c", tolerance=5e-9)


def pair(only_a, only_b, both=0, neither=0):
    """Return (right_a, right_b) with these counts of images, in a mixed order."""
    counts = (only_a, only_b, both, neither)
    a = numpy.repeat([True, False, True, False], counts)
    b = numpy.repeat([False, True, True, False], counts)
    order = numpy.random.default_rng(sum(counts)).permutation(len(a))
    return a[order], b[order]


def test_the_better_one_is_the_first():
    check.same(mcnemar, *pair(9, 2))
    check.same(mcnemar, *pair(31, 14, 60, 20))


def test_the_better_one_is_the_second():
    check.same(mcnemar, *pair(3, 8))
    check.same(mcnemar, *pair(12, 26, 50, 30))


def test_images_on_which_both_agree_do_not_count():
    check.same(mcnemar, *pair(9, 2, 40, 0))
    check.same(mcnemar, *pair(9, 2, 0, 40))
    check.same(mcnemar, *pair(9, 2, 30, 10))


def test_as_many_to_either_side():
    check.same(mcnemar, *pair(4, 4))
    check.same(mcnemar, *pair(1, 1, 3, 2))
    check.same(mcnemar, *pair(250, 250, 500, 10))


def test_nearly_as_many_to_either_side():
    check.same(mcnemar, *pair(4, 5))
    check.same(mcnemar, *pair(5, 4, 3))
    check.same(mcnemar, *pair(5, 7))
    check.same(mcnemar, *pair(1, 2))


def test_all_to_one_side():
    check.same(mcnemar, *pair(6, 0, 5, 1))
    check.same(mcnemar, *pair(0, 7, 2))
    check.same(mcnemar, *pair(0, 1))


def test_never_apart():
    check.same(mcnemar, *pair(0, 0, 6, 4))
    check.same(mcnemar, *pair(0, 0, 1, 0))
    check.same(mcnemar, *pair(0, 0, 0, 3))


def test_more_coins_than_a_float_has_powers_of_2():
    run = counted((540, 520, 8000, 940), (1300, 1180, 5000, 100))
    check.experiment(run, mcnemar, "networks that are apart on 1,060 and on 2,480 images")


def test_thousands_of_images():
    run = counted((1440, 1560, 16_000, 1000), (1030, 1090, 9000, 8880))
    check.experiment(
        run, mcnemar, "20,000 images, networks that are apart on 3,000 and on 2,120 of them"
    )


def test_the_result_is_a_float():
    for some in ((9, 2), (4, 4), (0, 0, 6, 4), (0, 7)):
        found = check.call(mcnemar, *pair(*some))
        check.true(
            isinstance(found, float), f"expected a float, got {type(found).__name__}: {found!r}"
        )


def test_small_p_values_are_exact():
    run = counted((60, 5), (150, 30, 70), (400, 90, 100))
    check.experiment(run, mcnemar, "networks of which one is far better")


def counted(*counts):
    """Experiment: the p-value for each of these counts."""

    def run(mcnemar):
        return {f"p for {some}": mcnemar(*pair(*some)) for some in counts}

    return run
