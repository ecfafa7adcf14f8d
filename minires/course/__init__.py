"""The course: exercises that the learner solves, what checks them, and the learner's functions in the engine.

    from minires import course

    course.check("05c")                     what pytest says of an exercise, in a notebook
    course.hint("05c")                      one more hint
    im2col = course.yours("im2col")         the learner's function if it is solved, else the library's; it says which
    with course.mine() as report: ...       the learner's functions in the library's places; print(report) says whose ran
"""

import subprocess

from minires.course import commands, folder, manifest, progress, runner
from minires.course.check import Check, Wrong
from minires.course.mine import mine

__all__ = ["Check", "Wrong", "check", "hint", "mine", "status", "yours"]


def check(which):
    """Run an exercise, by id or name, and print which of its claims hold."""
    commands.check(folder.find(), manifest.exercise(which), stream=subprocess.PIPE)


def hint(which):
    """Print the hints of an exercise so far, and one more."""
    commands.hint(folder.find(), manifest.exercise(which))


def status():
    """Print the table of all exercises."""
    commands.status(folder.find())


def yours(which):
    """The learner's function of an exercise, by id or name, if it is solved; else the library's. Prints which."""
    exercise = manifest.exercise(which)
    try:
        home = folder.find()
        state = progress.states(home, [exercise.id])[exercise.id]
    except folder.NoExercises:
        home, state = None, runner.NOT_STARTED
    if state == runner.SOLVED:
        print(f"{exercise.function}: yours")
        return getattr(folder.load(home / exercise.file), exercise.function)
    print(f"{exercise.function}: minires ({state})")
    return exercise.reference()
