"""Sealing: while a run is replayed on the learner's functions, their counterparts in the library raise, by whatever name they are called.

Poisoning (minires.course.poison) intercepts the public function. This also covers `.plain`, `.default`, `__wrapped__`, the table of forms
and the faster forms. The source text can still be copied: see minires.course.evidence.copies.
"""

import functools
import inspect
import sys
from contextlib import ExitStack, contextmanager

from minires.course import manifest
from minires.course.poison import Cheating
from minires.ops.forms import FUNCTIONS, Form


@contextmanager
def sealed(exercises):
    """Context manager: the library's counterparts of these exercises raise Cheating. Yields a list of the ids that were tried.

    The list counts, because the learner's function may catch the error.
    """
    tried = []
    with ExitStack() as stack:
        for exercise in exercises:
            for dotted in _counterparts(exercise):
                _seal(stack, dotted, exercise, tried)
        yield tried


def _counterparts(exercise):
    """Return the dotted names of what an exercise's function stands for: a function with forms, or methods of a class."""
    if exercise.holes and exercise.library:
        found = [f"{exercise.library}.{hole}" for hole in exercise.holes]
    else:
        found = [exercise.library] if exercise.library else []
    return [dotted for dotted in found if manifest.form_name(dotted)]


def _seal(stack, dotted, exercise, tried):
    """Replace one counterpart, wherever it can be found, until the stack is closed."""
    run = manifest.resolve(dotted)
    forms = FUNCTIONS[manifest.form_name(dotted)]

    @functools.wraps(forms.plain)
    def refused(*_, **__):
        tried.append(exercise.id)
        raise Cheating(f"{exercise.file} calls the library's {forms.name}, which it should replace")

    del refused.__wrapped__
    refused.__signature__ = inspect.signature(forms.plain)  # messages about operands read it

    def replace(owner, name, new):
        stack.callback(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, new)

    for form in forms.faster:
        module = sys.modules.get(form.run.__module__)
        if getattr(module, form.run.__name__, None) is form.run:
            replace(module, form.run.__name__, refused)
    for name in ("plain", "default", "__wrapped__"):
        replace(run, name, refused)
    for name in ("plain", "default"):
        replace(forms, name, refused)
    # The only form that runs wherever a stand-in is asked to stay out.
    replace(forms, "faster", (Form(refused, when=lambda _: True),))
