"""A call of a function with forms, and all that can be seen of it: results, gradients, what was changed and what was not."""

from collections.abc import Callable
from typing import NamedTuple

import numpy

from minires.backend import is_array, to_device, to_host, xp
from tests.strategies import numbers

FLOATS = ("float32", "float64")


class Case(NamedTuple):
    """One call. `run(function, dtype)` makes it, with floats of this type.

    It returns all that can be seen, as NumPy arrays; or NotImplemented where that is what the function returns.
    """

    label: str
    run: Callable
    dtypes: tuple = FLOATS
    halves: bool = True  # whether half types may take the place of its floats


# Arrays.


def floats(seed, *shape, **options):
    """Normal numbers, in memory that is not contiguous where there are two axes or more."""
    return numbers(seed, shape, **options)


def gapped(seed, *shape):
    """Normal numbers with gaps between them, the first axis last."""
    return _with_gaps(numpy.random.default_rng(seed).standard_normal(shape))


def _with_gaps(values):
    wide = numpy.zeros([2 * size for size in values.shape], values.dtype, order="F")
    array = wide[tuple(slice(None, None, 2) for _ in values.shape)]
    array[...] = values
    return array


def cast(value, dtype):
    """Floats in this type, laid out in memory as they were; anything else as it is. `dtype` may be a function that converts."""
    if isinstance(value, tuple):
        return tuple(cast(item, dtype) for item in value)
    if not isinstance(value, numpy.ndarray) or value.dtype.kind != "f":
        return value
    has_gaps = value.strides != numpy.empty_like(value).strides
    new = dtype(value) if callable(dtype) else value.astype(dtype, order="K")
    return _with_gaps(new) if has_gaps else new


def on_device(value):
    """An array, or all in a tuple, on the device; where that is NumPy they cannot be written to."""
    if isinstance(value, tuple):
        return tuple(map(on_device, value))
    if not isinstance(value, numpy.ndarray):
        return value
    array = to_device(value)
    if isinstance(array, numpy.ndarray):
        array = array.view()
        array.flags.writeable = False
    return array


def on_host(value):
    """A copy of an array on the host, or of all in a tuple or list; None as it is."""
    if isinstance(value, (tuple, list)):
        return [on_host(item) for item in value]
    return (
        numpy.array(to_host(value))
        if is_array(value) or isinstance(value, numpy.generic)
        else value
    )


def cotangent(shape, dtype, how="normal"):
    """A random gradient of a result. "stretched": of one row, broadcast along the other axes."""
    rng = numpy.random.default_rng(1917)
    if how == "stretched" and shape:
        return xp.broadcast_to(to_device(rng.standard_normal(shape[-1:]).astype(dtype)), shape)
    return on_device(numpy.asarray(rng.standard_normal(shape)).astype(dtype))


def assert_same(first, second, what):
    """All arrays in the one list are those in the other, to the bit."""
    for a, b in zip(first, second, strict=True):
        if isinstance(a, (tuple, list)):
            assert_same(a, b, what)
        elif isinstance(a, numpy.ndarray):
            assert a.tobytes() == b.tobytes(), what


# Kinds of functions.


def op(label, *operands, g="normal", dtypes=FLOATS, halves=True, **options):
    """Of an op: its result and its gradients. Nothing may be written to, and a second backward must return the same."""

    def run(function, dtype):
        arrays, given = cast(tuple(operands), dtype), cast(tuple(options.values()), dtype)
        inputs, values = on_device(arrays), on_device(given)
        made = function(*inputs, **dict(zip(options, values)))
        if made is NotImplemented:
            return made
        result, backward = made
        seen = [on_host(result)]
        if callable(backward):
            upstream = cotangent(result.shape, result.dtype, g)
            before = on_host(upstream)
            gradients = on_host(backward(upstream))
            assert_same(
                gradients,
                on_host(backward(upstream)),
                "a second call of backward returns other gradients",
            )
            assert_same([before], [on_host(upstream)], "backward writes to g")
            seen += gradients
        else:  # channel_stats
            seen.append(on_host(backward))
        assert_same(list(arrays), on_host(inputs), "an operand is written to")
        assert_same(list(given), on_host(values), "an option is written to")
        return seen

    return Case(label, run, dtypes, halves)


def returns(label, *values, dtypes=FLOATS):
    """Of a function that returns an array or a tuple of them. Its arguments must stay."""

    def run(function, dtype):
        given = cast(tuple(values), dtype)
        arrays = on_device(given)
        made = function(*arrays)
        if made is NotImplemented:
            return made
        assert_same(list(given), on_host(arrays), "an argument is written to")
        return on_host(list(made) if isinstance(made, tuple) else [made])

    return Case(label, run, dtypes)


def changes(label, *values, places, first=None, dtypes=FLOATS):
    """Of a function that changes the arguments at some places, and returns None. The others must stay.

    first  makes an argument to come before them, from the type
    """

    def run(function, dtype):
        given = cast(tuple(values), dtype)
        arrays = [
            to_device(numpy.array(v, order="C")) if isinstance(v, numpy.ndarray) else v
            for v in given
        ]
        made = function(*([first(dtype)] if first else []), *arrays)
        if made is NotImplemented:
            return made
        assert made is None
        for i, (array, before) in enumerate(zip(arrays, given)):
            if i not in places and isinstance(before, numpy.ndarray):
                assert_same(
                    [numpy.array(before, order="C")],
                    [on_host(array)],
                    f"argument {i} is written to",
                )
        return [on_host(arrays[i]) for i in places if arrays[i] is not None]

    return Case(label, run, dtypes)
