"""Which known mistake a wrong answer looks like: the mistakes of the answer file are run on the same inputs."""

import inspect

from minires.course.difference import same
from minires.course.trouble import message

__tracebackhide__ = True


def of(exercise, trial, i, got, ours, tolerance):
    """(key, lines) of the mistake that gives for item i what the learner's function gave; (None, []) where none does.

    Of several the one that also gets the items before it right.
    """
    for key, mistake in exercise.all_mistakes().items():
        items, _ = _run(trial, mistake, i + 1)
        right_before = all(
            same(value, expected, tolerance) for (_, value), (_, expected) in zip(items[:i], ours)
        )
        if len(items) > i and right_before and same(items[i][1], got, tolerance):
            return key, [sentence(mistake)]
    return None, []


def of_crash(exercise, trial, error):
    """(key, lines) of the mistake that raises the same error."""
    for key, mistake in exercise.all_mistakes().items():
        _, raised = _run(trial, mistake, None)
        if type(raised) is type(error) and (
            message(raised) == message(error) or isinstance(error, RecursionError)
        ):
            return key, [sentence(mistake)]
    return None, []


def sentence(mistake):
    """What a known mistake is, for the learner."""
    return f"This is what comes out when {clause(mistake)}."


def clause(mistake):
    """What is wrong with a known mistake: its docstring."""
    return " ".join(inspect.getdoc(mistake).split()).rstrip(".")


def _run(trial, mistake, count):
    """(the items that it gives, at most `count`; the error that ends them, or None)."""
    items = []
    try:
        for item in trial.run(mistake):
            items.append(item)
            if len(items) == count:
                break
    except Exception as error:  # it is a wrong function
        return items, error
    return items, None
