"""Claims about your check: it accepts four right lesion studies, and rejects five wrong ones."""

from e11f_lesion_test import check as yours

from minires.course import Check
from minires.course.answers.e11f_lesion_test import (  # reading this now would spoil the exercise
    RIGHT,
    WRONG,
)
from minires.course.candidates import verdicts

check = Check("11f")


def test_the_right_ones_are_accepted():
    check.experiment(lambda check: verdicts(check, RIGHT), yours, "your check on right ones")


def test_the_wrong_ones_are_rejected():
    check.experiment(
        lambda check: verdicts(check, {**WRONG, **RIGHT}),
        yours,
        "your check on wrong and right ones",
    )
