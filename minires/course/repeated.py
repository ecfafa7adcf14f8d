"""Calls one after the other: what a function keeps between them, that is, in memory that its calls share."""

import numpy

from minires.backend import to_device
from minires.course.difference import difference, on_host, same
from minires.course.trial import floats, is_op

__tracebackhide__ = True

OWN = "keep what backward needs in variables of its own call, not where all calls share it"


class _Started:
    """A call whose backward has not run yet."""

    def __init__(self, call, function):
        made = function(*call.arrays(), **call.options)
        self.call = call
        self.result, self.backward = made if is_op(made) else (made, None)
        self.kept = on_host(self.result)

    def gradients(self, other=False):
        """Run backward, on the same upstream gradient each time, and return copies; what it returned itself is in `given`.

        other  take a different upstream gradient, in which every second number is 0
        """
        g = self.call.cotangent(self.result)
        if other:
            g = numpy.array(-2 * g, dtype=g.dtype)
            g.flat[1::2] = 0
        self.given = self.backward(to_device(g))
        return on_host(self.given)


class Expected:
    """The results and gradients of ours for a call, of the same call with other values, and of an earlier call of other shapes or options."""

    def __init__(self, call, earlier, ours):
        moved = call.variant(inputs=[_moved(value) for value in call.inputs])
        self.call, (self.result, self.gradients) = call, _whole(call, ours)
        self.later = _Started(call, ours).gradients(other=True) if call.gradients else None
        self.others = []
        for other in filter(None, (moved, earlier)):
            try:
                result, gradients = _whole(other, ours)
            except Exception:  # numbers that belong together, such as rows and a shape
                continue
            if _finite(result):
                self.others.append((other, result, gradients))


def trouble(expected, yours, tolerance):
    """Return a message if `yours` keeps state between calls, and None otherwise. It gets expected.call right."""
    call, others, later = expected.call, expected.others, []
    first, again = _Started(call, yours), _Started(call, yours)
    if difference(again.kept, first.kept, 0):
        return f"{call.about}: a second call on the same inputs gives a different result: what does the first one leave behind?"
    for other, result, _ in others:
        later.append(_Started(other, yours))
        if difference(on_host(first.result), first.kept, 0):
            return f"{call.about}: a later call changes the result of an earlier one: make a new array in each call"
        lines = difference(later[-1].kept, result, tolerance)
        if lines:
            stale = same(later[-1].kept, first.kept, 0)
            changing = difference(_Started(other, yours).kept, later[-1].kept, 0)
            return _told(other, lines, ask=stale or changing)
    if call.gradients:
        if not _still_right(first, expected.gradients, tolerance):
            return (
                f"{call.about}: state is kept between calls: after a second call, on other inputs, backward of the first fails, or "
                f"returns different gradients: {OWN}"
            )
        for started, (other, _, gradients) in zip(later, others):
            lines = difference(started.gradients(), gradients, tolerance)
            if lines:
                return _told(other, lines, "backward of ")
        # Those of first are from before the backwards of the other calls.
        if not same(on_host(first.given), expected.gradients, tolerance):
            return f"{call.about}: backward of a later call changes the gradients of an earlier one: make new arrays in each call"
        kept = first.gradients()
        given = first.given
        if difference(first.gradients(), kept, 0) or difference(on_host(given), kept, 0):
            return f"{call.about}: a second call of backward gives different gradients, or changes those of the first"
        lines = difference(first.gradients(other=True), expected.later, tolerance)
        if lines:
            return (
                f"{call.about}: a second call of backward, with a different upstream gradient (every second number of it is 0), "
                f"gives different gradients from ours: {lines[0]}"
            )
        if _share_memory(given, first.given):
            return f"{call.about}: a second call of backward returns the same array, so that writing to one gradient changes the other: make new arrays in each call"
    if _share_memory(first.result, again.result):
        return f"{call.about}: a second call returns the same array, so that writing to one result changes the other: make a new array in each call"
    return _same_arrays(call, others, yours, tolerance)


def _still_right(started, gradients, tolerance):
    """Return True if backward still returns the gradients. A crash counts as well: it was right before the other calls."""
    try:
        return same(started.gradients(), gradients, tolerance)
    except Exception:
        return False


def _share_memory(one, other):
    """Return True if arrays that somebody may write to are in the same memory."""
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return any(map(_share_memory, one, other))
    arrays = isinstance(one, numpy.ndarray) and isinstance(other, numpy.ndarray)
    return (
        arrays
        and (one.flags.writeable or other.flags.writeable)
        and numpy.may_share_memory(one, other)
    )


def _told(other, lines, which="", ask=True):
    """Return a message. ask  whether it may be state: then it asks"""
    behind = ["does a call leave something behind that the next one uses?"] if ask else []
    return "\n  ".join(
        [
            f"{which}{other.about}, on other values after another call: {lines[0]}",
            *lines[1:],
            *behind,
        ]
    )


def _whole(call, function):
    """Return the result of a call and its gradients."""
    started = _Started(call, function)
    return started.kept, started.gradients() if call.gradients else None


def _same_arrays(call, others, yours, tolerance):
    """Return a message if a call on the same arrays, with other values in them, returns what the first did."""
    for other, expected, _ in others:
        if other.key != call.key:
            continue
        arrays = call.arrays()
        yours(*arrays, **call.options)
        for i, new in enumerate(other.arrays()):
            if isinstance(new, numpy.ndarray):
                arrays[i][...] = new
            else:
                arrays[i] = new
        made = yours(*arrays, **call.options)
        if not same(on_host(made[0] if is_op(made) else made), expected, tolerance):
            return (
                f"{call.about}: state is kept between calls: once the caller writes other values to the same array, as an optimizer "
                "does, yours still returns what belongs to the old ones"
            )
    return None


def _moved(value):
    """Return other values of the same kind: in reverse order, and floats three quarters as large."""
    if isinstance(value, float):
        return 0.75 * value
    if not isinstance(value, numpy.ndarray):
        return value
    moved = numpy.flip(value)
    return (moved * value.dtype.type(0.75) if floats(value) else moved).copy()


def _finite(value):
    if isinstance(value, (tuple, list)):
        return all(map(_finite, value))
    return not floats(value) or bool(numpy.isfinite(value).all())
