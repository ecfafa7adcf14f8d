"""One trial of a function (the learner's, ours or a known mistake) on the same inputs, item by item."""

import numpy

from minires.backend import to_device
from minires.course.difference import difference, on_host
from minires.gradcheck import operand_names

__tracebackhide__ = True  # as in minires.course.check


class Wrong(AssertionError):
    """A claim that does not hold. mistake  the key of the known mistake that it looks like, or None."""

    __module__ = "builtins"  # so that pytest calls it by its bare name

    def __init__(self, message, mistake=None):
        super().__init__(message)
        self.mistake = mistake


class Experiment:
    """A trial that calls run(function)."""

    tolerance, sizes = 0.0, {}

    def __init__(self, run, about):
        self._run, self.about = run, about

    def run(self, function):
        """Yield the items (name, value), one at a time."""
        result = self._run(function)
        yield "the outcome", on_host(result)


class Call:
    """A trial: one call on copies of the inputs, and one of backward on a random gradient."""

    def __init__(self, exercise, inputs, options, dtype, gradients):
        self.inputs = [_typed(value, dtype) for value in inputs]
        self.options = {name: _typed(value, dtype) for name, value in options.items()}
        self.gradients, self.tolerance = gradients, 0.0 if dtype == numpy.float64 else 2e-4
        self.names = operand_names(exercise.reference(), len(inputs))
        told = [f"{name} {_told(value)}" for name, value in zip(self.names, self.inputs)]
        told += [f"{name}={_told(value)}" for name, value in self.options.items()]
        self.about = f"{exercise.function}({', '.join(told)})" + (
            " in float32" if dtype == numpy.float32 else ""
        )
        self.sizes = _sizes(self.names, self.inputs, self.options)

    def arrays(self):
        """Return copies of the inputs, with the same memory layout."""
        return [
            to_device(numpy.array(value, order="K")) if isinstance(value, numpy.ndarray) else value
            for value in self.inputs
        ]

    def run(self, function):
        """Yield the items (name, value), one at a time: the result, and the gradients."""
        arrays = self.arrays()
        made = function(*arrays, **self.options)
        result, backward = made if _is_op(made) else (made, None)
        yield "the result", on_host(result) if not self.gradients or backward else on_host(made)
        if self.gradients:
            if backward is None:
                raise Wrong(
                    f"{self.about}: an op returns a tuple of its result and a function, backward"
                )
            given = backward(to_device(self.cotangent(result)))
            if not isinstance(given, tuple):
                raise Wrong(
                    f"{self.about}: expected backward to return a tuple with one gradient per input, got a {type(given).__name__}"
                )
            yield "the number of gradients", len(given)
            for name, gradient in zip(self.names, given):
                yield f"the gradient of {name}", on_host(gradient)

    def cotangent(self, result):
        """Return an upstream gradient of the result's shape, drawn from a seed that no input uses."""
        shape, dtype = numpy.shape(result), getattr(result, "dtype", numpy.float64)
        return numpy.random.default_rng([2718, len(shape)]).standard_normal(shape).astype(dtype)

    def side_effects(self, yours):
        """Return what is wrong with the way `yours` uses memory: it writes to arrays that are not its own, or keeps state
        between calls. None if nothing is."""
        arrays, others = self.arrays(), [_moved(value) for value in self.arrays()]
        first = yours(*arrays, **self.options)
        result, backward = first if _is_op(first) else (first, None)
        kept = on_host(result)
        for name, array, was in zip(self.names, arrays, self.inputs):
            if isinstance(was, numpy.ndarray) and difference(on_host(array), was, 0):
                return f"yours writes to {name}, which belongs to the caller: work on a copy"
        again = yours(*self.arrays(), **self.options)
        if difference(on_host(again[0] if _is_op(again) else again), kept, 0):
            return "a second call on the same inputs gives a different result: what does the first one leave behind?"
        yours(*others, **self.options)
        if difference(on_host(result), kept, 0):
            return (
                "a later call changes the result of an earlier one: make a new array in each call"
            )
        return self._side_effects_of_backward(backward, result) if self.gradients else None

    def _side_effects_of_backward(self, backward, result):
        g = self.cotangent(result)
        coming = to_device(g.copy())
        first = backward(coming)
        if difference(on_host(coming), g, 0):
            return "backward writes to the upstream gradient, which other code may need: work on a copy"
        kept = on_host(first)
        again = backward(to_device(g.copy()))
        if difference(on_host(again), kept, 0) or difference(on_host(first), kept, 0):
            return (
                "a second call of backward gives different gradients, or changes those of the first"
            )
        return None


def _is_op(made):
    return isinstance(made, tuple) and len(made) == 2 and callable(made[1])


def floats(value):
    """Return True if a value is an array of floats."""
    return isinstance(value, numpy.ndarray) and value.dtype.kind == "f"


def _typed(value, dtype):
    return value.astype(dtype, order="K") if floats(value) else value


def _moved(value):
    """Return a different input of the same kind."""
    return value * 0.5 + 1 if getattr(getattr(value, "dtype", None), "kind", "") == "f" else value


def _told(value):
    """Return an input as it appears in a message: small arrays by their values, others by their shape."""
    if not isinstance(value, numpy.ndarray):
        return getattr(value, "__name__", repr(value))
    if value.size <= 6 and value.ndim <= 1:
        return str(value.tolist())
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
