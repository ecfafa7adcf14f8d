"""What the claims of an exercise are made with: the learner's function beside the library's, on the same inputs.

    check = Check("05c")

    def test_every_patch_is_a_row():
        check.same(im2col, image, kernel=2)

`check.same`, `check.gradients` and their kin raise Wrong.
"""

from contextlib import suppress

import numpy

from minires.course import diagnosis, manifest
from minires.course.difference import difference
from minires.course.poison import Cheating, poisoned
from minires.course.trial import Call, Experiment, Wrong, floats
from minires.course.trouble import message
from minires.gradcheck import check_backward

__tracebackhide__ = True  # pytest shows the claim and the learner's lines, and none of these


class Check:
    """The claims that one exercise makes, each a method that raises Wrong with a message that stands alone.

    tolerance  how far a number may be off, relative to the largest of its array
    float32  whether the claims hold in float32 too: not of small steps, which rounding swallows
    """

    def __init__(self, id, *, tolerance=1e-8, float32=True):
        self.exercise, self.tolerance, self.float32 = manifest.exercise(id), tolerance, float32

    def same(self, yours, *inputs, **options):
        """`yours` gives what ours gives: structure, type, shape, numbers; of an op (result, backward) the result. Its inputs
        stay as they are, a second call gives the same, in memory of its own; and float32 in gives float32 out."""
        for trial in self._trials(inputs, options):
            self._compare(trial, yours)
            self._manners(trial, yours)

    def gradients(self, yours, *inputs, **options):
        """The same of an op, and each gradient, for a random gradient that comes in, which stays as it is."""
        for trial in self._trials(inputs, options, gradients=True):
            self._compare(trial, yours)
            self._manners(trial, yours)

    def backward(self, yours, *inputs, **options):
        """The same, and a gradient check by small steps. The op has to be smooth at these inputs."""
        self.gradients(yours, *inputs, **options)
        try:
            with poisoned(self.exercise, yours):
                check_backward(yours, *inputs, **options)
        except AssertionError as error:
            raise error if isinstance(error, Cheating) else Wrong(str(error)) from None

    def experiment(self, run, yours, about):
        """run(yours) gives what run(ours) gives.

        run  takes the function, and gives numbers, arrays, or a dict of them by what they are; it is called with ours, with
        yours and with known mistakes, and so makes its inputs anew each time
        about  what was tried, as a message has it: "a diamond, b = 2a, c = 3b + 4b"
        """
        self._compare(Experiment(run, about), yours)

    def own_memory(self, yours, *inputs, **options):
        """What `yours` gives shares no memory with an input: who writes to the one does not change the other."""
        trial = Call(self.exercise, inputs, options, numpy.float64, False)
        arrays = trial.arrays()
        with poisoned(self.exercise, yours):
            result = yours(*arrays, **options)
        result = result[0] if isinstance(result, tuple) else result
        for name, array in zip(trial.names, arrays):
            if (
                isinstance(array, numpy.ndarray)
                and isinstance(result, numpy.ndarray)
                and numpy.shares_memory(result, array)
            ):
                raise Wrong(
                    f"{trial.about}: what yours gives is a view of {name}: who writes to it writes to {name}"
                )

    def call(self, yours, *inputs, **options):
        """What `yours` gives, with the library's counterpart poisoned: for claims of other kinds."""
        with poisoned(self.exercise, yours):
            return yours(*inputs, **options)

    def true(self, claim, message):
        """`claim` holds; else the message says what does not."""
        if not claim:
            raise Wrong(message)

    # How.

    def _trials(self, inputs, options, gradients=False):
        """With the inputs in float64; and in float32, where there are floats."""
        yield Call(self.exercise, inputs, options, numpy.float64, gradients)
        if self.float32 and any(floats(array) for array in inputs):
            yield Call(self.exercise, inputs, options, numpy.float32, gradients)

    def _compare(self, trial, yours):
        """Item by item, as the trial gives them, yours beside ours; at the first difference say what it is and looks like."""
        tolerance = max(self.tolerance, trial.tolerance)
        ours = list(trial.run(self.exercise.reference()))
        run = trial.run(yours)
        for i, (name, expected) in enumerate(ours):
            got = _next(run, self.exercise, yours, trial)
            lines = difference(got, expected, tolerance, trial.sizes)
            if lines:
                mistake, sentence = diagnosis.of(self.exercise, trial, i, got, ours, tolerance)
                message = "\n".join(
                    [f"{trial.about}: {name} differs from ours", *_indented(lines + sentence)]
                )
                raise Wrong(message, mistake)

    def _manners(self, trial, yours):
        with poisoned(self.exercise, yours):
            message = trial.manners(yours)
        if message:
            raise Wrong(f"{trial.about}: {message}")


def _next(run, exercise, yours, trial):
    """The next item of a trial that runs the learner's function."""
    try:
        with poisoned(exercise, yours):
            return next(run)[1]
    except (Wrong, Cheating):
        raise
    except RecursionError as error:
        mistake, sentence = diagnosis.of_crash(exercise, trial, error)
        message = f"{trial.about}: Python's stack is too small for so many calls within calls; a loop has no such limit"
        raise Wrong("\n".join([message, *_indented(sentence)]), mistake) from None
    except Exception as error:
        if not unstarted(error, exercise):
            mistake, sentence = diagnosis.of_crash(exercise, trial, error)
            with suppress(Exception):  # the learner's own class may refuse either
                error.mistake = mistake
                error.add_note("\n".join([f"  in {trial.about}", *_indented(sentence)]))
        raise


def unstarted(error, exercise):
    """Whether an error is the hole that the exercise began with."""
    return isinstance(error, NotImplementedError) and message(error).startswith(
        f"exercise {exercise.id}:"
    )


def _indented(lines):
    return [f"  {line}" for line in lines]
