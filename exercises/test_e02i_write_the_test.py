"""Claims about your check: it accepts two right subtractions, and rejects three wrong ones."""

from e02i_write_the_test import check as yours

from minires.course import Check
from minires.course.answers.e02i_write_the_test import (  # reading this now would spoil the exercise
    RIGHT,
    WRONG,
)
from minires.course.candidates import verdicts

check = Check("02i")


# First, so that a check that believes whatever it sees first fails.
def test_the_wrong_ones_are_rejected():
    check.experiment(
        lambda check: verdicts(check, {**WRONG, **RIGHT}),
        yours,
        "your check on wrong and right ones",
    )


def test_the_right_ones_are_accepted():
    check.experiment(lambda check: verdicts(check, RIGHT), yours, "your check on right ones")
