"""A solution that changes what all code in the process shares is rejected, in the runner and under pytest, and nothing stays changed."""

import random

import numpy
import pytest

from minires.course import manifest, runner
from tests.course.trials import built, source, tried

CHANGES = {
    "error settings": lambda: numpy.seterr(all="ignore"),
    "NumPy's global generator": lambda: numpy.random.seed(0),
    "Python's global generator": lambda: random.seed(0),
}


@pytest.mark.parametrize("id", ["00a", "02d", "04a", "08d"])
@pytest.mark.parametrize("what", CHANGES)
def test_a_solution_that_changes_it_is_wrong(id, what):
    exercise = manifest.exercise(id)
    right = built(exercise, source(exercise))

    def changing(*inputs, **options):
        CHANGES[what]()
        return right(*inputs, **options)

    numpy.seterr(over="raise")
    before = numpy.random.get_state()[1].copy(), random.getstate()
    try:
        result = tried(exercise, changing)
        assert numpy.geterr()["over"] == "raise"
    finally:
        numpy.seterr(over="warn")
    assert result.state == runner.WRONG and what in result.message, result.message
    assert (
        numpy.array_equal(numpy.random.get_state()[1], before[0]) and random.getstate() == before[1]
    )


def test_pytest_rejects_it_too(classroom):
    text = "import numpy\n\n\ndef sum_of_squares(x):\n    numpy.random.seed(0)\n    return (x * x).sum()\n"
    classroom.write("00a", text)
    status, told = classroom.run("exercises/test_e00a_sum_of_squares.py", module="pytest")
    assert status == 1 and "NumPy's global generator" in told


def test_errstate_is_allowed(classroom):
    text = "import numpy\n\n\ndef sum_of_squares(x):\n    with numpy.errstate(all='ignore'):\n        return (x * x).sum()\n"
    classroom.write("00a", text)
    assert classroom.run("exercises", "check", "00a")[0] == 0
