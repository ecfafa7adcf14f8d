"""Claims about the learner's function, which is compared with the library's on the same inputs.

    check = Check("05c")

    def test_every_patch_is_a_row():
        check.same(im2col, image, kernel=2)

`check.same`, `check.gradients` and so on raise Wrong.
"""

from contextlib import suppress

import numpy

from minires.course import layouts, manifest, repeated
from minires.course.difference import difference, first
from minires.course.poison import Cheating, poisoned
from minires.course.trial import Call, Experiment, OnlyOnce, Wrong, floats
from minires.course.trouble import message
from minires.gradcheck import check_backward

EXACT = 1e-5  # a known mistake gives the learner's value within this tolerance, however large that of the claim is

__tracebackhide__ = True  # pytest shows the claim and the learner's lines, and none of these


class Check:
    """The claims of one exercise: each method raises Wrong with a message that needs no context.

    tolerance  the largest error of an element, relative to the largest element of its array
    float32  whether the claims hold in float32 too; finite differences are lost in rounding there
    """

    def __init__(self, id, *, tolerance=1e-8, float32=True):
        self.exercise, self.tolerance, self.float32 = manifest.exercise(id), tolerance, float32
        self._calls = []  # the latest ones that hold

    def same(self, yours, *inputs, **options):
        """Check that `yours` returns what ours does: structure, dtype, shape, values; of an op (result, backward), the result.

        It must leave its inputs unchanged, keep no state between calls, return its result in memory of its own, keep float32, and
        take arrays of any memory layout.
        """
        self._tried(yours, inputs, options)

    def gradients(self, yours, *inputs, **options):
        """Check the same of an op, and each gradient, for a random upstream gradient, which must stay unchanged."""
        self._tried(yours, inputs, options, gradients=True)

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

        Both are then compared once more, with each call made twice on the same objects: the second one counts.

        run  takes the function and returns numbers, arrays, or a dict from descriptions to these; it is called with ours,
        yours and the known mistakes, so it must make new inputs each time
        about  what is tried, for the message: "a diamond, b = 2a, c = 3b + 4b"
        """
        self._compare(Experiment(run, about), yours)
        with suppress(OnlyOnce):
            self._compare(Experiment(run, about, repeated=True), yours)

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

    def _tried(self, yours, inputs, options, gradients=False):
        """Compare a call in float64, among other calls, in float32 if there are floats, and in other layouts."""
        trial = Call(self.exercise, inputs, options, numpy.float64, gradients)
        self._compare(trial, yours)
        self._state(trial, yours)
        if self.float32 and any(floats(array) for array in inputs):
            self._compare(Call(self.exercise, inputs, options, numpy.float32, gradients), yours)
        for layout in layouts.OTHERS:
            if layout.differs(inputs):
                self._compare(trial.variant(layout=layout), yours)

    def _compare(self, trial, yours):
        """Compare the items of the trial, yours with ours; describe the first difference."""
        tolerance = max(self.tolerance, trial.tolerance)
        ours = list(_ours(trial, self.exercise))
        run = trial.run(yours)
        for name, expected in ours:
            got = _next(run, self.exercise, yours, trial)
            lines = difference(got, expected, tolerance, trial.sizes)
            if lines:
                message = "\n".join(
                    [
                        f"{trial.about}: {name} differs from ours",
                        *_indented([*lines, *trial.advice]),
                    ]
                )
                exact = max(trial.tolerance, min(self.tolerance, EXACT))
                raise Wrong(message, (trial.about, name, *first(got, expected, tolerance), exact))

    def _state(self, trial, yours):
        """Compare the call among others, one of which is the last one of other shapes or options."""
        earlier = next(
            (
                call
                for call in self._calls
                if call.key != trial.key and call.gradients >= trial.gradients
            ),
            None,
        )
        expected = repeated.Expected(trial, earlier, self.exercise.reference())
        try:
            with poisoned(self.exercise, yours):
                message = repeated.trouble(expected, yours, self.tolerance)
        except Exception as error:
            if not isinstance(error, Cheating) and not unstarted(error, self.exercise):
                with suppress(Exception):
                    error.add_note(
                        f"  in {trial.about}, among other calls: does one leave something behind?"
                    )
            raise
        if message:
            raise Wrong(message)
        self._calls = [trial, *self._calls[:2]]


def _ours(trial, exercise):
    """Return the items of ours."""
    try:
        return list(trial.run(exercise.reference()))
    except OnlyOnce:
        raise
    except Exception:
        if isinstance(trial, Experiment) and trial.advice:  # a second call, which ours may refuse
            raise OnlyOnce from None
        raise


def _next(run, exercise, yours, trial):
    """Return the next item of a trial that runs the learner's function."""
    try:
        with poisoned(exercise, yours):
            return next(run)[1]
    except (Wrong, Cheating):
        raise
    except RecursionError:
        raise Wrong(
            f"{trial.about}: the recursion is too deep for Python's stack; a loop has no such limit"
        ) from None
    except Exception as error:
        if not unstarted(error, exercise):
            with suppress(Exception):  # the learner's own class may refuse it
                error.add_note("\n".join([f"  in {trial.about}", *_indented(trial.advice)]))
        raise


def unstarted(error, exercise):
    """Return True if an error comes from the placeholder that the exercise starts with."""
    return isinstance(error, NotImplementedError) and message(error).startswith(
        f"exercise {exercise.id}:"
    )


def _indented(lines):
    return [f"  {line}" for line in lines]
