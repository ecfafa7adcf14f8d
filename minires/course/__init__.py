"""The course: exercises that the learner solves, what checks them, and the learner's functions in the engine.

    from minires import course

    course.check("05c")                     run an exercise in a notebook, as pytest would
    course.hint("05c")                      show one more hint
    im2col = course.yours("im2col")         yours if you have solved it, otherwise the library's; it prints which
    with course.mine() as report: ...       run the library on your functions; print(report) lists whose ran

Outside a notebook `minires exercises` does the same.
"""

from minires.course.check import Check
from minires.course.trial import Wrong

__all__ = ["Check", "Wrong", "check", "hint", "mine", "status", "yours"]


def check(which):
    """Run an exercise, given by id or name, and print which of its claims hold."""
    import subprocess

    from minires.course import commands, folder, manifest

    commands.check(folder.find(), manifest.exercise(which), stream=subprocess.PIPE)


def hint(which):
    """Print the hints of an exercise so far, and one more."""
    from minires.course import commands, folder, manifest

    commands.hint(folder.find(), manifest.exercise(which))


def status():
    """Print the table of all exercises."""
    from minires.course import commands, folder

    commands.status(folder.find())


def yours(which):
    """Return the learner's function of an exercise, given by id or name, if it is solved; otherwise the library's. Prints which."""
    from minires.course import engine, manifest

    return engine.yours(manifest.exercise(which))


def mine(home=None):
    """Context manager: run the library on the learner's solved functions, and report whose code ran.

        with course.mine() as report:
            train_epoch(...)
        print(report)

    home  the folder of exercises; by default, that of this clone. See minires.course.engine.mine
    """
    from minires.course import engine

    return engine.mine(home)
