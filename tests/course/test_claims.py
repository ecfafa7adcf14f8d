"""The claims of every exercise accept right solutions, and reject wrong ones where they are meant to."""

import types

import pytest

from minires.course import manifest, runner
from tests.course import table, verdicts
from tests.course.trials import EXERCISES, TESTS, stub, tried

ROWS = {}


def row(exercise):
    """(Row, whether it was held)."""
    if exercise.id not in ROWS:
        ROWS[exercise.id] = verdicts.row(exercise, "bank")
    return ROWS[exercise.id]


each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.module)


@each
@pytest.mark.proof
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_right_solutions_are_accepted_and_wrong_ones_rejected_by_the_claim_that_is_meant_to(
    exercise,
):
    found, held = row(exercise)
    assert not found.faults
    verdicts.skip_if(held)


@each
@pytest.mark.proof
def test_there_are_enough_of_each(exercise):
    found, _ = row(exercise)
    assert found.right >= 3 and len(exercise.mistakes()) >= 4
    assert found.wrong - found.spellings - len(exercise.mistakes()) >= 2


@each
def test_what_is_given_out_is_not_started(exercise):
    result = tried(exercise, stub(exercise))
    if exercise.kind == "bug hunt":  # no hole: it is the file that shows it (folder.untouched)
        assert result.state == runner.WRONG
    else:
        assert {claim.state for claim in result.claims} == {runner.NOT_STARTED}


@each
def test_the_library_is_no_solution(exercise):
    module = types.ModuleType(exercise.module)
    setattr(module, exercise.function, exercise.reference())
    result = runner.judge(exercise, module, TESTS)
    assert result.state == runner.WRONG and "cheating, if charming" in result.message

    if not exercise.library:
        return

    def calls_it(*inputs, **options):
        return manifest.resolve(exercise.library)(*inputs, **options)

    result = tried(exercise, calls_it)
    assert result.state == runner.WRONG and "cheating, if charming" in result.message


@pytest.mark.proof
def test_most_second_spellings_are_named():
    rows = [row(exercise)[0] for exercise in EXERCISES]
    assert sum(row.named for row in rows) >= 0.8 * sum(row.spellings for row in rows)
    print("\n" + table.text(rows))
