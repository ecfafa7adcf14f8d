"""Claims about your check: it accepts three models with a right eval(), and rejects four with a wrong one."""

from e08f_evaluation_test import check as yours

from minires.course import Check
from minires.course.answers.e08f_evaluation_test import (  # reading this now would spoil the exercise
    RIGHT,
    WRONG,
)
from minires.course.candidates import verdicts

check = Check("08f")


def test_the_right_ones_are_accepted():
    check.experiment(lambda check: verdicts(check, RIGHT), yours, "your check on right ones")


def test_the_wrong_ones_are_rejected():
    check.experiment(
        lambda check: verdicts(check, {**WRONG, **RIGHT}),
        yours,
        "your check on wrong and right ones",
    )
