"""One trial of a function (the learner's, ours or a known mistake) on the same inputs, item by item."""

from copy import copy

import numpy

from minires.backend import to_device
from minires.course import layouts
from minires.course.difference import difference, on_host
from minires.gradcheck import operand_names

__tracebackhide__ = True  # as in minires.course.check


class Wrong(AssertionError):
    """A claim that does not hold. found  (what was tried, the item that differs, its value, a tolerance), if it is a comparison."""

    __module__ = "builtins"  # so that pytest calls it by its bare name

    def __init__(self, message, found=None):
        super().__init__(message)
        self.found = found


class Experiment:
    """A trial that calls run(function).

    repeated  each call of the function is made twice, on the same objects, and the second one counts
    """

    tolerance, sizes = 0.0, {}

    def __init__(self, run, about, repeated=False):
        self._run, self.about, self._repeated = run, about, repeated
        self.advice = ["what does the first one leave behind?"] if repeated else []

    def run(self, function):
        """Yield the items (name, value), one at a time."""
        result = self._run(_twice(function) if self._repeated else function)
        yield (
            "a second call on the same inputs" if self._repeated else "the outcome",
            on_host(result),
        )


class OnlyOnce(Exception):
    """A call cannot be made twice, as it uses up one of its inputs."""


def _twice(function):
    """Return a function that makes each call twice and returns what the second one returns; a class is returned unchanged."""
    if isinstance(function, type):
        return function

    def second(*inputs, **options):
        if any(hasattr(value, "__next__") for value in (*inputs, *options.values())):
            raise OnlyOnce
        function(*inputs, **options)
        return function(*inputs, **options)

    return second


class Call:
    """A trial: one call on copies of the inputs, and one of backward on a random gradient.

    layout  how the inputs and the gradient are laid out in memory; by default, as they are
    """

    def __init__(self, exercise, inputs, options, dtype, gradients, layout=layouts.AS_IT_IS):
        self.inputs = [_typed(value, dtype) for value in inputs]
        self.options = {name: _typed(value, dtype) for name, value in options.items()}
        self.gradients, self.tolerance = gradients, 0.0 if dtype == numpy.float64 else 2e-4
        self.names = operand_names(exercise.reference(), len(inputs))
        told = [f"{name} {_told(value)}" for name, value in zip(self.names, self.inputs)]
        told += [f"{name}={_told(value)}" for name, value in self.options.items()]
        self._call = f"{exercise.function}({', '.join(told)})" + (
            " in float32" if dtype == numpy.float32 else ""
        )
        self.sizes = _sizes(self.names, self.inputs, self.options)
        self.layout = layout

    @property
    def about(self):
        """The call as text, for a message."""
        return self._call + self.layout.about

    @property
    def advice(self):
        """Lines for a message, below what differs."""
        return self.layout.advice

    @property
    def key(self):
        """A text that is the same for calls of the same shapes and options."""
        shapes = [getattr(value, "shape", None) for value in self.inputs]
        return repr((shapes, self.options))

    def variant(self, **changes):
        """Return a copy of this trial with other inputs, or another layout."""
        new = copy(self)
        vars(new).update(changes)
        return new

    def arrays(self):
        """Return copies of the inputs."""
        return [
            to_device(value) if isinstance(value, numpy.ndarray) else value
            for value in self.layout.of_inputs(self.inputs)
        ]

    def run(self, function):
        """Yield the items (name, value), one at a time: the result, and the gradients.

        Raises  Wrong if the function writes to its inputs or to the upstream gradient.
        """
        arrays = self.arrays()
        made = function(*arrays, **self.options)
        self._check_unchanged(arrays)
        result, backward = made if is_op(made) else (made, None)
        if (
            backward is not None
            and isinstance(result, (int, float))
            and not hasattr(result, "dtype")
        ):
            raise Wrong(
                f"{self.about}: the result is a plain {type(result).__name__}: return what xp computes, which keeps its dtype"
            )
        yield "the result", on_host(result) if not self.gradients or backward else on_host(made)
        if self.gradients:
            if backward is None:
                raise Wrong(
                    f"{self.about}: an op returns a tuple of its result and a function, backward"
                )
            g = self.cotangent(result)
            coming = to_device(self.layout.of_gradient(g))
            given = backward(coming)
            if difference(on_host(coming), on_host(self.layout.of_gradient(g)), 0):
                raise Wrong(
                    f"{self.about}: backward writes to the upstream gradient, which other code may need: work on a copy"
                )
            self._check_unchanged(arrays, "backward of yours")
            if not isinstance(given, tuple):
                raise Wrong(
                    f"{self.about}: expected backward to return a tuple with one gradient per input, got a {type(given).__name__}"
                )
            yield "the number of gradients", len(given)
            for name, gradient in zip(self.names, given):
                yield f"the gradient of {name}", self.layout.of_result(on_host(gradient))

    def _check_unchanged(self, arrays, who="yours"):
        for name, array, was in zip(self.names, arrays, self.inputs):
            if isinstance(was, numpy.ndarray) and difference(on_host(array), was, 0):
                raise Wrong(
                    f"{self.about}: {who} writes to {name}, which belongs to the caller: work on a copy"
                )

    def cotangent(self, result):
        """Return an upstream gradient of the result's shape, drawn from a seed that no input uses."""
        shape, dtype = numpy.shape(result), getattr(result, "dtype", numpy.float64)
        return numpy.random.default_rng([2718, len(shape)]).standard_normal(shape).astype(dtype)


def is_op(made):
    """Return True if a value is what an op returns: (result, backward)."""
    return isinstance(made, tuple) and len(made) == 2 and callable(made[1])


def floats(value):
    """Return True if a value is an array of floats."""
    return isinstance(value, numpy.ndarray) and value.dtype.kind == "f"


def _typed(value, dtype):
    return value.astype(dtype, order="K") if floats(value) else value


def _told(value):
    """Return an input as it appears in a message: small arrays by their values, others by their shape."""
    if isinstance(value, float):
        return f"{value:.6g}" if value % 1 else repr(value)
    if isinstance(value, (tuple, list)):
        parts = ", ".join(map(_told, value))
        return f"[{parts}]" if isinstance(value, list) else f"({parts}{',' * (len(value) == 1)})"
    if not isinstance(value, numpy.ndarray):
        return getattr(value, "__name__", repr(value))
    if value.size <= 6 and value.ndim <= 1:
        return _told(value.tolist())
    return f"{'' if value.dtype.kind == 'f' else f'{value.dtype} '}{value.shape}"


def _sizes(names, inputs, options):
    """Return name -> size, for the sizes that a constant ratio may be."""
    sizes = {}
    for name, value in zip(names, inputs):
        if isinstance(value, numpy.ndarray):
            letters = "NHWC" if value.ndim == 4 else ""
            for axis, size in enumerate(value.shape):
                sizes[f"{name}.shape[{axis}]" + (f", {letters[axis]}" if letters else "")] = size
            sizes[f"{name}.size"] = value.size
            if value.ndim > 1:
                sizes[f"{name}.size / {name}.shape[-1]"] = (
                    value.size // value.shape[-1] if value.shape[-1] else 0
                )
    for name, value in options.items():
        if isinstance(value, int) and not isinstance(value, bool):
            sizes.update({name: value, f"{name} * {name}": value * value})
        elif isinstance(value, tuple) and value and all(isinstance(part, int) for part in value):
            sizes.update({f"{name}[{i}]": part for i, part in enumerate(value)})
            sizes[f"the product of {name}"] = int(numpy.prod(value))
    return sizes
