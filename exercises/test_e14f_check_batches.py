"""Claims about your check: it accepts four right epochs of batches, and rejects six wrong ones."""

from e14f_check_batches import check as yours

from minires.course import Check
from minires.course.answers.e14f_check_batches import (  # reading this now would spoil the exercise
    RIGHT,
    WRONG,
)
from minires.course.candidates import verdicts
from minires.course.check import EXACT
from minires.course.difference import difference
from minires.course.poison import poisoned
from minires.course.trial import Wrong

check = Check("14f")


def judged(candidates, about):
    """Compare the verdicts of your check with the right ones: each candidate is checked twice, in both orders."""
    right = {name: "accepted" if name in RIGHT else "rejected" for name in candidates}
    with poisoned(check.exercise, yours):
        found = verdicts(yours, candidates)
    if lines := difference(found, right, 0):
        raise Wrong(
            "\n  ".join([f"{about}: the outcome differs from ours", *lines]),
            (about, "the outcome", (), found, EXACT),
        )


def test_the_right_ones_are_accepted():
    judged(RIGHT, "your check on right ones")


def test_the_wrong_ones_are_rejected():
    # A right one before and after them: what they leave behind must not change its verdict.
    judged({**dict([*RIGHT.items()][:1]), **WRONG}, "your check on wrong ones and a right one")
