"""Is a backward right? The slope that it claims, compared with the slope that a small step shows."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy

from minires.backend import Array, HostArray, to_device, to_host
from minires.ops import Backward, Op
from minires.ops.forms import has_forms

__all__ = ["check_backward", "operand_names"]


@has_forms
def check_backward(
    op: Op, *arrays: Any, seed: int = 0, step: float = 1e-6, tolerance: float = 1e-6, **options: Any
) -> None:
    """Check the backward of `op` at `arrays`: raise AssertionError, with the input's name and both numbers, if it is wrong.

    op  a function from arrays to (result, backward), the library's or your own
    arrays  NumPy arrays or lists. The floats among them are differentiated, in float64; others (masks, labels) are passed on
    options  passed on to the op

    For a random direction d, and a random cotangent c in the place of the loss's gradient, it compares
    <c, (op(x + step d) - op(x - step d)) / (2 step)> with <backward(c), d>, for each input by itself. (With ones for c,
    as in sum(op(x)), a batch norm whose backward gives zeros would pass.) The op must be smooth within `step` of x.
    They may differ by `tolerance` of the terms that they sum up, and by what the rounding of op(x) does to the second.

    It checks besides that: each gradient has its input's shape; nothing writes to an input or to c; two calls of
    backward agree; float32 in gives float32 out, gradients too.
    """
    # Not the numbers that default_rng(seed) gives: inputs may come from there.
    rng = numpy.random.default_rng([seed, 1917])
    inputs = [numpy.asarray(array) for array in arrays]
    inputs = [array.astype(numpy.float64) if array.dtype.kind == "f" else array for array in inputs]
    if not any(array.dtype.kind == "f" for array in inputs):
        types = ", ".join(f"{array.dtype} {array.shape}" for array in inputs)
        raise ValueError(
            f"check_backward has nothing to differentiate: no floats among the arrays ({types})"
        )
    names = operand_names(op, len(inputs))
    on_device = [to_device(_locked(array)) for array in inputs]
    result, backward = _run(op, on_device, inputs, options)
    cotangent = numpy.asarray(rng.standard_normal(result.shape))
    gradients = _gradients(op, backward, cotangent, inputs, names)
    again = _gradients(op, backward, cotangent, inputs, names)
    rounding = 8 * numpy.finfo(float).eps / step * float(numpy.abs(cotangent * result).sum())
    _check_unchanged(op, on_device, inputs)
    for name, first, second in zip(names, gradients, again):
        if first is not None and not numpy.array_equal(first, second, equal_nan=True):
            raise AssertionError(
                f"{_called(op)}: backward gives another gradient of {name} when it is called again"
            )
    for i, (name, gradient) in enumerate(zip(names, gradients)):
        if gradient is None:
            continue
        direction = numpy.asarray(rng.standard_normal(inputs[i].shape))
        claimed = float((gradient * direction).sum())
        seen = _slope(op, inputs, options, i, direction, cotangent, step)
        size = float(numpy.abs(gradient * direction).sum()) + abs(seen)
        if not abs(claimed - seen) <= tolerance * size + rounding:
            where = _worst(op, inputs, options, i, gradient, cotangent, step)
            raise AssertionError(
                f"{_called(op)}: the gradient of {name} is wrong: along a random direction backward says {claimed:.9g}, "
                f"a small step shows {seen:.9g}{where}"
            )
    _check_float32(op, inputs, names, options, cotangent)


def operand_names(op: Op, count: int) -> list[str]:
    """x, weight, ... from the op's signature; `arrays[0]` where it takes any number."""
    names: list[str] = []
    for parameter in inspect.signature(op).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{i}]" for i in range(count - len(names))]
        elif parameter.kind is not parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    return names[:count]


def _run(
    op: Op, on_device: list[Array], inputs: list[HostArray], options: dict[str, Any]
) -> tuple[HostArray, Backward]:
    """(result on the host, backward), with a look whether the inputs stayed as they were."""
    made = _obey(op, lambda: op(*on_device, **options), "one of its inputs")
    if not isinstance(made, tuple) or len(made) != 2 or not callable(made[1]):
        expected = "a tuple of an array and its backward, a function"
        raise AssertionError(
            f"{_called(op)}: an op must give {expected}; it gave {_type_names(made)}"
        )
    result, backward = made
    _check_unchanged(op, on_device, inputs)
    return numpy.asarray(to_host(result)), backward


def _check_unchanged(op: Op, on_device: list[Array], inputs: list[HostArray]) -> None:
    for array, was in zip(on_device, inputs):
        if not numpy.array_equal(to_host(array), was, equal_nan=was.dtype.kind == "f"):
            raise AssertionError(f"{_called(op)} writes to one of its inputs: work on a copy")


def _gradients(
    op: Op, backward: Backward, cotangent: HostArray, inputs: list[HostArray], names: list[str]
) -> list[Any]:
    """The gradients on the host, with a look at their number and shapes; None for inputs that are no floats."""
    g = to_device(_locked(cotangent))
    gradients = _obey(op, lambda: backward(g), "the gradient that came in, or an input")
    if not numpy.array_equal(to_host(g), cotangent):
        raise AssertionError(f"{_called(op)}: backward writes to the gradient that came in")
    many = len(inputs)
    if (
        not isinstance(gradients, tuple)
        or len(gradients) < many
        or any(more is not None for more in gradients[many:])
    ):
        expected = f"backward must give a tuple of {many} gradients, one per input"
        raise AssertionError(f"{_called(op)}: {expected}; it gave {_type_names(gradients)}")
    checked: list[Any] = []
    for gradient, array, name in zip(gradients, inputs, names):
        if array.dtype.kind != "f":
            checked.append(None)
            continue
        if gradient is None:
            raise AssertionError(f"{_called(op)}: backward gave None for {name}")
        gradient = numpy.array(to_host(gradient))
        if gradient.shape != array.shape:
            raise AssertionError(
                f"{_called(op)}: the gradient of {name} has shape {gradient.shape}, {name} has {array.shape}"
            )
        checked.append(gradient)
    return checked


def _slope(
    op: Op,
    inputs: list[HostArray],
    options: dict[str, Any],
    i: int,
    direction: HostArray,
    cotangent: HostArray,
    step: float,
) -> float:
    """<cotangent, the op's change along a direction of input i>, by a central difference."""
    ends = []
    for sign in (1, -1):
        moved = [*inputs[:i], inputs[i] + sign * step * direction, *inputs[i + 1 :]]
        ends.append(_run(op, [to_device(_locked(array)) for array in moved], moved, options)[0])
    return float((cotangent * (ends[0] - ends[1])).sum() / (2 * step))


def _worst(
    op: Op,
    inputs: list[HostArray],
    options: dict[str, Any],
    i: int,
    gradient: HostArray,
    cotangent: HostArray,
    step: float,
    most: int = 300,
) -> str:
    """Where the gradient is furthest off, element by element; nothing for large arrays."""
    if gradient.size > most:
        return ""
    seen = numpy.zeros_like(gradient)
    for index in numpy.ndindex(gradient.shape):
        unit = numpy.zeros_like(gradient)
        unit[index] = 1
        seen[index] = _slope(op, inputs, options, i, unit, cotangent, step)
    worst = numpy.unravel_index(numpy.abs(gradient - seen).argmax(), gradient.shape)
    place = f"[{', '.join(map(str, map(int, worst)))}]" if worst else ""
    return f". Furthest off{' at ' + place if place else ''}: {gradient[worst]:.9g} for {seen[worst]:.9g}"


def _check_float32(
    op: Op, inputs: list[HostArray], names: list[str], options: dict[str, Any], cotangent: HostArray
) -> None:
    single = [array.astype(numpy.float32) if array.dtype.kind == "f" else array for array in inputs]
    options = {name: _single(value) for name, value in options.items()}
    result, backward = op(*map(to_device, single), **options)
    gradients = backward(to_device(cotangent.astype(numpy.float32)))
    for name, array in [
        ("the result", result),
        *((f"the gradient of {n}", g) for n, g in zip(names, gradients)),
    ]:
        if array is not None and array.dtype.kind == "f" and array.dtype != numpy.float32:
            raise AssertionError(
                f"{_called(op)}: {name} is {array.dtype} where the inputs are float32"
            )


def _single(option: Any) -> Any:
    """An array of floats among the options, in float32."""
    if isinstance(option, tuple):
        return tuple(_single(item) for item in option)
    return (
        option.astype(numpy.float32)
        if getattr(getattr(option, "dtype", None), "kind", "") == "f"
        else option
    )


def _locked(array: HostArray) -> HostArray:
    """A copy that cannot be written to (where the backend knows that)."""
    copy = numpy.array(array)
    copy.flags.writeable = False
    return copy


def _obey(op: Op, call: Callable[[], Any], what: str) -> Any:
    """Call; a write to a locked array becomes a sentence."""
    try:
        return call()
    except ValueError as error:
        if "read-only" in str(error):
            raise AssertionError(f"{_called(op)} writes to {what}: work on a copy") from error
        raise


def _type_names(given: Any) -> str:
    """The types of what an op or a backward gave."""
    return (
        f"({', '.join(map(_type_names, given))})"
        if isinstance(given, tuple)
        else type(given).__name__
    )


def _called(op: Op) -> str:
    """The op's name; for a functools.partial that of its function."""
    return getattr(getattr(op, "func", op), "__name__", type(op).__name__)
