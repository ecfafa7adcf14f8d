"""Strange solutions of 16d."""

import itertools
from unittest.mock import Mock

import numpy

from tests.course.kinds import right, wrong
from tests.course.solutions.e16d_check_experiment import (
    RIGHT_ONES,
    TESTS,
    WRONG_ONES,
    judged,
    points,
    ran,
    training,
)


@right
def mocked(candidate):
    answers = set()
    for test in TESTS:
        read = Mock(return_value=test)
        predict, accuracy = candidate(training(seed=9), read)
        read.assert_called_once_with()
        numpy.testing.assert_allclose(accuracy, numpy.mean(predict(test[0]) == test[1]))
        answers.add(predict(points()).tobytes())
    assert len(answers) == 1


@right
def an_iterator(candidate):
    """The second read finds nothing."""
    found = []
    for test in TESTS:
        left = iter([test])
        predict, accuracy = candidate(training(seed=10), lambda: next(left))
        assert next(left, None) is None
        assert abs(float((predict(test[0]) == test[1]).mean()) - accuracy) < 1e-6
        found.append(predict(points()).tolist())
    assert all(a == b for a, b in itertools.pairwise(found))


@right
def read_only_arrays(candidate):
    x, labels = training(seed=11)
    tests = [(a.copy(), b.copy()) for a, b in TESTS]
    for array in (x, labels, *itertools.chain(*tests)):
        array.flags.writeable = False
    judged(candidate, tests, (x, labels))


@right
def wide_and_small(candidate):
    rng = numpy.random.default_rng(12)
    own = rng.standard_normal((50, 9)), numpy.arange(50) % 4
    tests = [
        (rng.uniform(-scale, 2 * scale, (30, 9)), rng.integers(0, 4, 30))
        for scale in (1, 2, 3, 0.5)
    ]
    judged(candidate, tests, own)


@right
def with_an_error_of_its_own(candidate):
    try:
        judged(candidate, TESTS, training(seed=13))
    except AssertionError:
        raise RuntimeError("not honest") from None


CALLS = []


@wrong(WRONG_ONES)
def every_second_one(candidate):
    CALLS.append(1)
    assert len(CALLS) % 2


@wrong(WRONG_ONES)
def by_its_name(candidate):
    assert candidate.__name__ == "candidate"


@wrong(WRONG_ONES)
def by_its_source(candidate):
    assert candidate.__code__.co_argcount >= 0


@wrong(WRONG_ONES)
def ten_test_images_far_away(candidate):
    """All of them get the same answer, and the labels are all the same: each accuracy is 0 or 1."""
    tests = [(numpy.full((10, 2), 1e6), numpy.zeros(10, int))] * 2
    judged(candidate, tests)


@wrong(WRONG_ONES)
def the_training_set_as_test_set(candidate):
    """Its statistics are those of the training set, and every test set is the same."""
    own = training()
    judged(candidate, [own, own])


@wrong(WRONG_ONES)
def swallowed(candidate):
    try:
        judged(candidate, TESTS)
    except AssertionError as error:
        print(error)


@wrong(RIGHT_ONES)
def the_same_function(candidate):
    """As if two runs returned the same object."""
    first, second = (ran(candidate, training(), TESTS[0])[0] for _ in range(2))
    assert first is second


@wrong(RIGHT_ONES)
def an_exact_fraction(candidate):
    """A float of one spelling."""
    judged(candidate, TESTS)
    assert isinstance(ran(candidate, training(), TESTS[0])[1], numpy.float32)


@wrong(RIGHT_ONES)
def worse_with_less(candidate):
    """As if more training images always helped."""
    judged(candidate, TESTS)
    x, labels = training(n=200)
    more = ran(candidate, (x, labels), TESTS[0])[1]
    less = ran(candidate, (x[:50], labels[:50]), TESTS[0])[1]
    assert more > less + 0.2


@wrong(WRONG_ONES)
def first_test_set_twice_and_no_accuracy(candidate):
    answers = [ran(candidate, training(), TESTS[0])[0](points()).tolist() for _ in range(2)]
    assert answers[0] == answers[1]
