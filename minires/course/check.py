"""Claims about the learner's function, which is compared with the library's on the same inputs.

    check = Check("05c")

    def test_every_patch_is_a_row():
        check.same(im2col, image, kernel=2)

`check.same`, `check.gradients` and so on raise Wrong.
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
    """The claims of one exercise: each method raises Wrong with a message that needs no context.

    tolerance  the largest error of an element, relative to the largest element of its array
    float32  whether the claims hold in float32 too; finite differences are lost in rounding there
    """

    def __init__(self, id, *, tolerance=1e-8, float32=True):
        self.exercise, self.tolerance, self.float32 = manifest.exercise(id), tolerance, float32

    def same(self, yours, *inputs, **options):
        """Check that `yours` returns what ours does: structure, dtype, shape, values; of an op (result, backward), the result.

        It must leave its inputs unchanged, return the same on a second call, in memory of its own, and keep float32.
        """
        for trial in self._trials(inputs, options):
            self._compare(trial, yours)
            self._side_effects(trial, yours)

    def gradients(self, yours, *inputs, **options):
        """Check the same of an op, and each gradient, for a random upstream gradient, which must stay unchanged."""
        for trial in self._trials(inputs, options, gradients=True):
            self._compare(trial, yours)
            self._side_effects(trial, yours)

    def backward(self, yours, *inputs, **options):
        """Check the same, and the gradients by finite differences. The op must be smooth at these inputs."""
        self.gradients(yours, *inputs, **options)
        try:
            with poisoned(self.exercise, yours):
                check_backward(yours, *inputs, **options)
        except AssertionError as error:
            raise error if isinstance(error, Cheating) else Wrong(str(error)) from None

    def experiment(self, run, yours, about):
        """Check that run(yours) returns what run(ours) does.

        run  takes the function and returns numbers, arrays, or a dict from descriptions to these; it is called with ours,
        yours and the known mistakes, so it must make new inputs each time
        about  what is tried, for the message: "a diamond, b = 2a, c = 3b + 4b"
        """
        self._compare(Experiment(run, about), yours)

    def own_memory(self, yours, *inputs, **options):
        """Check that the result of `yours` shares no memory with an input: writing to one must not change the other."""
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
                    f"{trial.about}: your result is a view of {name}: writing to it would change {name}"
                )

    def call(self, yours, *inputs, **options):
        """Return what `yours` returns, with the library's counterpart poisoned: for other kinds of claims."""
        with poisoned(self.exercise, yours):
            return yours(*inputs, **options)

    def true(self, claim, message):
        """Check that `claim` holds. The message says what does not."""
        if not claim:
            raise Wrong(message)

    # The implementation.

    def _trials(self, inputs, options, gradients=False):
        """Yield the call in float64, and in float32 if there are floats."""
        yield Call(self.exercise, inputs, options, numpy.float64, gradients)
        if self.float32 and any(floats(array) for array in inputs):
            yield Call(self.exercise, inputs, options, numpy.float32, gradients)

    def _compare(self, trial, yours):
        """Compare the items of the trial, yours with ours; describe the first difference and the known mistake it looks like."""
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

    def _side_effects(self, trial, yours):
        with poisoned(self.exercise, yours):
            message = trial.side_effects(yours)
        if message:
            raise Wrong(f"{trial.about}: {message}")


def _next(run, exercise, yours, trial):
    """Return the next item of a trial that runs the learner's function."""
    try:
        with poisoned(exercise, yours):
            return next(run)[1]
    except (Wrong, Cheating):
        raise
    except RecursionError as error:
        mistake, sentence = diagnosis.of_crash(exercise, trial, error)
        message = (
            f"{trial.about}: the recursion is too deep for Python's stack; a loop has no such limit"
        )
        raise Wrong("\n".join([message, *_indented(sentence)]), mistake) from None
    except Exception as error:
        if not unstarted(error, exercise):
            mistake, sentence = diagnosis.of_crash(exercise, trial, error)
            with suppress(Exception):  # the learner's own class may refuse either
                error.mistake = mistake
                error.add_note("\n".join([f"  in {trial.about}", *_indented(sentence)]))
        raise


def unstarted(error, exercise):
    """Return True if an error comes from the placeholder that the exercise starts with."""
    return isinstance(error, NotImplementedError) and message(error).startswith(
        f"exercise {exercise.id}:"
    )


def _indented(lines):
    return [f"  {line}" for line in lines]
