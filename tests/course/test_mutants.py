"""The claims of every exercise reject the reference after a change of one thing in it."""

import pytest

from tests.course import verdicts
from tests.course.mutants import mutants
from tests.course.trials import EXERCISES

ROWS = {}


@pytest.mark.proof
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.module)
def test_mutants_die_or_have_a_reason_to_live(exercise):
    ROWS[exercise.id], held = verdicts.row(exercise, "mutants")
    assert not ROWS[exercise.id].faults
    verdicts.skip_if(held)


@pytest.mark.proof
def test_few_have_one():
    if len(ROWS) < len(EXERCISES):
        pytest.skip("not all were tried")
    assert sum(row.killed for row in ROWS.values()) >= 0.95 * sum(
        row.mutants for row in ROWS.values()
    )


def test_of_a_class_the_methods_that_were_given_out_stay():
    text = "class A:\n    n = 1\n\n    def f(self):\n        return 2\n\n    def g(self):\n        return 3\n"
    assert {told for told, _ in mutants(text, ("g",))} == {
        "return 3 => return 4",
        "return 3 => return 2",
    }


def test_a_mutant_differs_in_one_place():
    found = dict(
        mutants(
            "def f(x, n=2):\n    '''Not this 1.'''\n    if n < 0:\n        raise ValueError(n)\n    check_size(x, n + 1)\n"
            "    return x[1:] + n\n"
        )
    )
    assert set(found) == {
        "def f(x, n=2): => def f(x, n=3):", "def f(x, n=2): => def f(x, n=1):", "return x[1:] + n => return x[1:] - n",
        "return x[1:] + n => return x[1:]", "return x[1:] + n => return n", "return x[1:] + n => return x[:] + n",
        "return x[1:] + n => return x[2:] + n", "return x[1:] + n => return x[0:] + n",
    }  # fmt: skip
