"""Diagnosis: the known mistakes run on the same inputs, and one that gives the same wrong answer is named."""

import inspect

from minires.course.difference import same
from minires.course.trouble import message

__tracebackhide__ = True


def of(exercise, trial, i, got, ours, tolerance):
    """Return (key, lines) of the mistake that gives the learner's value for item i; (None, []) if none does.

    It must also get the items before i right.
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
    """Return (key, lines) of the mistake that raises the same error."""
    for key, mistake in exercise.all_mistakes().items():
        _, raised = _run(trial, mistake, None)
        if type(raised) is type(error) and (
            message(raised) == message(error) or isinstance(error, RecursionError)
        ):
            return key, [sentence(mistake)]
    return None, []


def sentence(mistake):
    """Return a sentence that tells the learner about a known mistake."""
    return f"This is what comes out when {clause(mistake)}."


def clause(mistake):
    """Return what is wrong with a known mistake: its docstring."""
    return " ".join(inspect.getdoc(mistake).split()).rstrip(".")


def _run(trial, mistake, count):
    """Return (the items of a mistake, at most `count`; the error that ends them, or None)."""
    items = []
    try:
        for item in trial.run(mistake):
            items.append(item)
            if len(items) == count:
                break
    except Exception as error:  # a mistake may crash
        return items, error
    return items, None
