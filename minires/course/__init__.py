"""The course: exercises that the learner solves, what checks them, and the learner's functions in the engine.

    from minires import course

    course.check("05c")                     what pytest says of an exercise, in a notebook
    course.hint("05c")                      one more hint
    im2col = course.yours("im2col")         the learner's function if it is solved, else the library's; it says which
    with course.mine() as report: ...       the learner's functions in the library's places; print(report) says whose ran

Outside a notebook `minires exercises` does the same.
"""

from minires.course.check import Check
from minires.course.trial import Wrong

__all__ = ["Check", "Wrong", "check", "hint", "mine", "status", "yours"]


def check(which):
    """Run an exercise, by id or name, and print which of its claims hold."""
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
    """The learner's function of an exercise, by id or name, if it is solved; else the library's. Prints which."""
    from minires.course import engine, manifest

    return engine.yours(manifest.exercise(which))


def mine(home=None):
    """A context in which the learner's solved functions stand in the library's places; it gives a report of whose code ran.

        with course.mine() as report:
            train_epoch(...)
        print(report)

    home  the folder of exercises; without it the one of this clone. See minires.course.engine.mine
    """
    from minires.course import engine

    return engine.mine(home)
