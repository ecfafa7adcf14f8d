"""The course: exercises that the learner solves, what checks them, and the learner's functions in the engine.

    from minires import course

    course.check("05c")                     run an exercise in a notebook, as pytest would
    course.hint("05c")                      show one more hint
    im2col = course.yours("im2col")         yours if you have solved it, otherwise the library's; it prints which
    with course.mine() as report: ...       run the library on your functions; print(report) lists whose ran
    course.predict("05.3")                  first line of a cell: fold what it prints and shows under a question
    course.score(5)                         show the score of a chapter's predictions
    course.map()                            the map of the chapters, with your progress
    course.source(ops.col2im)               the source of an op; of an exercise, only once it is solved
    course.measured("depth")                a committed table of what was measured with several seeds
    course.net("shapes-resnet20")           a network that was trained by a recipe, in evaluation mode
    course.compare(ours, theirs)            is the first higher, lower, or is it undecided? Paired values over seeds

Outside a notebook `minires exercises` does the same.
"""

from minires.course.check import Check
from minires.course.measured import compare, measured
from minires.course.nets import net
from minires.course.trial import Wrong

__all__ = [
    "Check",
    "Wrong",
    "check",
    "compare",
    "hint",
    "map",
    "measured",
    "mine",
    "net",
    "predict",
    "score",
    "source",
    "status",
    "yours",
]


def check(which):
    """Run an exercise, given by id or name, and print which of its claims hold."""
    import subprocess

    from minires.course import commands, folder, manifest

    # Without times, which would make a chapter's output differ from run to run.
    commands.check(folder.find(), manifest.exercise(which), stream=subprocess.PIPE, timed=False)


def hint(which):
    """Print the hints of an exercise so far, and one more."""
    from minires.course import commands, folder, manifest

    commands.hint(folder.find(), manifest.exercise(which))


def status(chapter=None):
    """Print the table of all exercises, or of those of a chapter."""
    from minires.course import commands, folder

    commands.status(folder.find(), chapter)


def map():
    """Return the map of the chapters as a picture: what builds on what, and how many exercises of each are solved."""
    from minires.course import chapters

    return chapters.drawn()


def predict(which):
    """Fold what the rest of this cell prints and shows under a question, given by its id; the reader guesses, or opens it.

    Outside a notebook it prints the question.

    Raises  ValueError: an unknown id; the message suggests the nearest.
    """
    from minires import names
    from minires.course.predictions import page, predictions

    known = predictions()
    prediction = known[
        names.check("prediction", which, list(known), listed=["those of the chapters"])
    ]
    shell = _shell()
    if shell is None:
        print(page.text(prediction))
        return
    from minires.course.predictions.fold import Fold

    Fold(prediction, shell)


def score(chapter):
    """Show how many of a chapter's predictions were right. The browser keeps the score."""
    from minires.course.predictions import page

    found, shell = page.score(chapter), _shell()
    print(found["text/plain"]) if shell is None else shell.display_pub.publish(found)


def source(op, *, open=False):
    """Return the source of an op, as show.source does; if it is (part of) an exercise that isn't solved, a line that says which.

    open  return the source all the same
    """
    from minires.course import listing

    return listing.source(op, open=open)


def _shell():
    """Return the notebook's shell; None in a script, a terminal or plain Python."""
    import sys

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell if hasattr(shell, "kernel") else None


def yours(which):
    """Return the learner's function of an exercise, given by id or name, if it is solved; otherwise the library's. Prints which."""
    from minires.course import engine, manifest

    return engine.yours(manifest.exercise(which))


def mine(home=None, *, tests=None, threads=None):
    """Context manager: run the library on the learner's solved functions, and report whose code ran.

        with course.mine() as report:
            train_epoch(...)
        print(report)

    home  the folder of exercises; by default, that of this clone    tests, threads  as in minires.course.engine.mine
    """
    from minires.course import engine

    return engine.mine(home, tests=tests, threads=threads)
