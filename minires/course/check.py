"""What the claims of an exercise are made with: the learner's function beside the library's, on the same inputs.

    check = Check("05c")

    def test_every_patch_is_a_row():
        check.same(im2col, image, kernel=2)
"""

import inspect

import numpy

from minires.backend import to_device
from minires.course import diagnosis, manifest
from minires.course.difference import difference, on_host
from minires.course.poison import Cheating, poisoned
from minires.gradcheck import check_backward

__tracebackhide__ = True  # pytest shows the claim and the learner's lines, and none of these


class Wrong(AssertionError):
    """A claim that does not hold. mistake  the key of the known mistake that it looks like, or None."""

    __module__ = "builtins"  # so that pytest calls it by its bare name

    def __init__(self, message, mistake=None):
        super().__init__(message)
        self.mistake = mistake


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
        self._compare(_Experiment(run, about), yours)

    def own_memory(self, yours, *inputs, **options):
        """What `yours` gives shares no memory with an input: who writes to the one does not change the other."""
        trial = _Call(self.exercise, inputs, options, numpy.float64, False)
        arrays = trial.arrays()
        with poisoned(self.exercise, yours):
            result = yours(*arrays, **options)
        result = result[0] if isinstance(result, tuple) else result
        for name, array in zip(trial.names, arrays):
            if isinstance(array, numpy.ndarray) and isinstance(result, numpy.ndarray) and numpy.shares_memory(result, array):
                raise Wrong(f"{trial.about}: what yours gives is a view of {name}: who writes to it writes to {name}")

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
        yield _Call(self.exercise, inputs, options, numpy.float64, gradients)
        if self.float32 and any(_floats(array) for array in inputs):
            yield _Call(self.exercise, inputs, options, numpy.float32, gradients)

    def _compare(self, trial, yours):
        """Item by item, as the trial gives them, yours beside ours; at the first difference say what it is and looks like."""
        tolerance = max(self.tolerance, trial.tolerance)
        ours = list(trial.run(self.exercise.reference()))
        run = trial.run(yours)
        for i, (name, wanted) in enumerate(ours):
            got = _next(run, self.exercise, yours, trial)
            lines = difference(got, wanted, tolerance, trial.sizes)
            if lines:
                mistake, sentence = diagnosis.of(self.exercise, trial, i, got, ours, tolerance)
                message = "\n".join([f"{trial.about}: {name} is another than ours", *_indented(lines + sentence)])
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
            error.mistake = mistake
            error.add_note("\n".join([f"  in {trial.about}", *_indented(sentence)]))
        raise


def unstarted(error, exercise):
    """Whether an error is the hole that the exercise began with."""
    return isinstance(error, NotImplementedError) and str(error).startswith(f"exercise {exercise.id}:")


def _indented(lines):
    return [f"  {line}" for line in lines]


class _Experiment:
    """A trial: whatever run(function) does."""

    tolerance, sizes = 0.0, {}

    def __init__(self, run, about):
        self._run, self.about = run, about

    def run(self, function):
        """The items (name, value), as they come."""
        result = self._run(function)
        yield "what comes out", on_host(result)


class _Call:
    """A trial: one call on copies of the inputs, and of its backward on a random gradient."""

    def __init__(self, exercise, inputs, options, dtype, gradients):
        self.inputs = [_typed(value, dtype) for value in inputs]
        self.options = {name: _typed(value, dtype) for name, value in options.items()}
        self.gradients, self.tolerance = gradients, 0.0 if dtype == numpy.float64 else 2e-4
        self.names = _names(exercise.reference(), len(inputs))
        told = [f"{name} {_told(value)}" for name, value in zip(self.names, self.inputs)]
        told += [f"{name}={_told(value)}" for name, value in self.options.items()]
        self.about = f"{exercise.function}({', '.join(told)})" + (" in float32" if dtype == numpy.float32 else "")
        self.sizes = _sizes(self.names, self.inputs, self.options)

    def arrays(self):
        """Copies of the inputs, laid out in memory as they are."""
        return [
            to_device(numpy.array(value, order="K")) if isinstance(value, numpy.ndarray) else value for value in self.inputs
        ]

    def run(self, function):
        """The items (name, value), as they come: the result, and the gradients."""
        arrays = self.arrays()
        made = function(*arrays, **self.options)
        result, backward = made if _is_op(made) else (made, None)
        yield "the result", on_host(result) if not self.gradients or backward else on_host(made)
        if self.gradients:
            if backward is None:
                raise Wrong(f"{self.about}: an op gives a tuple of its result and its backward, a function")
            given = backward(to_device(self.cotangent(result)))
            if not isinstance(given, tuple):
                raise Wrong(
                    f"{self.about}: backward gives a tuple, a gradient for each input; yours gave a {type(given).__name__}"
                )
            yield "the number of gradients", len(given)
            for name, gradient in zip(self.names, given):
                yield f"the gradient of {name}", on_host(gradient)

    def cotangent(self, result):
        """A gradient to come in, of the result's shape; other numbers than a seed of the inputs gives."""
        shape, dtype = numpy.shape(result), getattr(result, "dtype", numpy.float64)
        return numpy.random.default_rng([2718, len(shape)]).standard_normal(shape).astype(dtype)

    def manners(self, yours):
        """What is to be said of how `yours` treats memory: that it writes to what is not its own, or keeps something from call
        to call. None if nothing."""
        arrays, others = self.arrays(), [_moved(value) for value in self.arrays()]
        first = yours(*arrays, **self.options)
        result, backward = first if _is_op(first) else (first, None)
        kept = on_host(result)
        for name, array, was in zip(self.names, arrays, self.inputs):
            if isinstance(was, numpy.ndarray) and difference(on_host(array), was, 0):
                return f"yours writes to {name}, which belongs to the caller: work on a copy"
        again = yours(*self.arrays(), **self.options)
        if difference(on_host(again[0] if _is_op(again) else again), kept, 0):
            return "a second call on the same inputs gives something else: what does the first leave behind?"
        yours(*others, **self.options)
        if difference(on_host(result), kept, 0):
            return "a later call changes what an earlier one gave: make a new array in each"
        return self._backwards_manners(backward, result) if self.gradients else None

    def _backwards_manners(self, backward, result):
        g = self.cotangent(result)
        coming = to_device(g.copy())
        first = backward(coming)
        if difference(on_host(coming), g, 0):
            return "backward writes to the gradient that came in, which others may need: work on a copy"
        kept = on_host(first)
        again = backward(to_device(g.copy()))
        if difference(on_host(again), kept, 0) or difference(on_host(first), kept, 0):
            return "a second call of backward gives other gradients, or changes those of the first"
        return None


def _is_op(made):
    return isinstance(made, tuple) and len(made) == 2 and callable(made[1])


def _floats(value):
    return isinstance(value, numpy.ndarray) and value.dtype.kind == "f"


def _typed(value, dtype):
    return value.astype(dtype, order="K") if _floats(value) else value


def _moved(value):
    """Another input of the same kind."""
    return value * 0.5 + 1 if getattr(getattr(value, "dtype", None), "kind", "") == "f" else value


def _told(value):
    """An input as a message has it: small arrays by their numbers, others by their shape."""
    if not isinstance(value, numpy.ndarray):
        return getattr(value, "__name__", repr(value))
    if value.size <= 6 and value.ndim <= 1:
        return str(value.tolist())
    return f"{'' if value.dtype.kind == 'f' else f'{value.dtype} '}{value.shape}"


def _names(function, count):
    """x, weight, ... from the signature; `arrays[0]` where it takes any number."""
    names = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{i}]" for i in range(count - len(names))]
        elif parameter.kind is not parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    return names[:count]


def _sizes(names, inputs, options):
    """Name -> size: what a constant ratio may be."""
    sizes = {}
    for name, value in zip(names, inputs):
        if isinstance(value, numpy.ndarray):
            letters = "NHWC" if value.ndim == 4 else ""
            for axis, size in enumerate(value.shape):
                sizes[f"{name}.shape[{axis}]" + (f", {letters[axis]}" if letters else "")] = size
            sizes[f"{name}.size"] = value.size
            if value.ndim > 1:
                sizes[f"{name}.size / {name}.shape[-1]"] = value.size // value.shape[-1] if value.shape[-1] else 0
    for name, value in options.items():
        if isinstance(value, int) and not isinstance(value, bool):
            sizes.update({name: value, f"{name} * {name}": value * value})
        elif isinstance(value, tuple) and value and all(isinstance(part, int) for part in value):
            sizes.update({f"{name}[{i}]": part for i, part in enumerate(value)})
            sizes[f"the product of {name}"] = int(numpy.prod(value))
    return sizes
