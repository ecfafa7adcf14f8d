"""Gradient check: the derivative that a backward returns, compared with a finite difference."""

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
    arrays  NumPy arrays or lists. Float arrays are differentiated, in float64; others (masks, labels) are passed on
    options  passed on to the op

    For a random direction d, and a random cotangent c as the upstream gradient, it compares
    <c, (op(x + step d) - op(x - step d)) / (2 step)> with <backward(c), d>, for one input at a time. (If c were all ones,
    as in sum(op(x)), a batch norm whose backward returns zeros would pass.) The op must be smooth within `step` of x.
    The two may differ by `tolerance` times the sum of their terms' sizes, and by the effect of rounding in op(x).

    It also checks that each gradient has its input's shape, that nothing writes to an input or to c, that two calls of
    backward agree, and that float32 inputs have float32 results and gradients.
    """
    # Not the numbers of default_rng(seed): the inputs may come from there.
    rng = numpy.random.default_rng([seed, 1917])
    inputs = [numpy.asarray(array) for array in arrays]
    inputs = [array.astype(numpy.float64) if array.dtype.kind == "f" else array for array in inputs]
    if not any(array.dtype.kind == "f" for array in inputs):
        types = ", ".join(f"{array.dtype} {array.shape}" for array in inputs)
        raise ValueError(f"check_backward: expected a float array among the inputs, got {types}")
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
                f"{_called(op)}: backward returns a different gradient of {name} when it is called again"
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
                f"a finite difference {seen:.9g}{where}"
            )
    _check_float32(op, inputs, names, options, cotangent)


def operand_names(op: Op, count: int) -> list[str]:
    """Return the names in the op's signature (x, weight, ...); `arrays[0]`, ... if it takes any number of arrays."""
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
    """Return (result on the host, backward), after checking that the op left its inputs unchanged."""
    made = _obey(op, lambda: op(*on_device, **options), "one of its inputs")
    if not isinstance(made, tuple) or len(made) != 2 or not callable(made[1]):
        expected = "a tuple of an array and its backward, a function"
        raise AssertionError(
            f"{_called(op)}: an op must return {expected}, got {_type_names(made)}"
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
    """Return the gradients on the host, after checking their number and shapes; None for inputs that are not floats."""
    g = to_device(_locked(cotangent))
    gradients = _obey(op, lambda: backward(g), "the upstream gradient, or to an input")
    if not numpy.array_equal(to_host(g), cotangent):
        raise AssertionError(f"{_called(op)}: backward writes to the upstream gradient")
    many = len(inputs)
    if (
        not isinstance(gradients, tuple)
        or len(gradients) < many
        or any(more is not None for more in gradients[many:])
    ):
        expected = f"backward must return a tuple of {many} gradients, one per input"
        raise AssertionError(f"{_called(op)}: {expected}, got {_type_names(gradients)}")
    checked: list[Any] = []
    for gradient, array, name in zip(gradients, inputs, names):
        if array.dtype.kind != "f":
            checked.append(None)
            continue
        if gradient is None:
            raise AssertionError(f"{_called(op)}: backward returned None for {name}")
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
    """Return <cotangent, the op's derivative along a direction of input i>, by a central difference."""
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
    """Describe where the gradient is furthest off, element by element; "" for large arrays."""
    if gradient.size > most:
        return ""
    seen = numpy.zeros_like(gradient)
    for index in numpy.ndindex(gradient.shape):
        unit = numpy.zeros_like(gradient)
        unit[index] = 1
        seen[index] = _slope(op, inputs, options, i, unit, cotangent, step)
    worst = numpy.unravel_index(numpy.abs(gradient - seen).argmax(), gradient.shape)
    place = f"[{', '.join(map(str, map(int, worst)))}]" if worst else ""
    return f". Furthest off{' at ' + place if place else ''}: {gradient[worst]:.9g} instead of {seen[worst]:.9g}"


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
    """Convert an option to float32 if it is a float array, or a tuple with some."""
    if isinstance(option, tuple):
        return tuple(_single(item) for item in option)
    return (
        option.astype(numpy.float32)
        if getattr(getattr(option, "dtype", None), "kind", "") == "f"
        else option
    )


def _locked(array: HostArray) -> HostArray:
    """Return a copy that cannot be written to (on backends that support this)."""
    copy = numpy.array(array)
    copy.flags.writeable = False
    return copy


def _obey(op: Op, call: Callable[[], Any], what: str) -> Any:
    """Call, and turn a write to a locked array into a clear error."""
    try:
        return call()
    except ValueError as error:
        if "read-only" in str(error):
            raise AssertionError(f"{_called(op)} writes to {what}: work on a copy") from error
        raise


def _type_names(given: Any) -> str:
    """Describe the types of what an op or a backward returned."""
    return (
        f"({', '.join(map(_type_names, given))})"
        if isinstance(given, tuple)
        else type(given).__name__
    )


def _called(op: Op) -> str:
    """Return the op's name; for a functools.partial, the name of its function."""
    return getattr(getattr(op, "func", op), "__name__", type(op).__name__)
