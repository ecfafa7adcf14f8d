"""The difference between two results, in words: structure, dtype, shape, then values, and what the values have in common."""

from itertools import combinations, permutations

import numpy

from minires.backend import is_array, to_host


def on_host(value):
    """Return a result with its arrays as NumPy arrays, and its numbers unchanged."""
    if isinstance(value, (tuple, list)):
        return getattr(type(value), "_make", type(value))(map(on_host, value))
    if isinstance(value, dict):
        return {key: on_host(item) for key, item in value.items()}
    # A subclass stays one, so that it can be told.
    return numpy.array(to_host(value), subok=True) if is_array(value) else value


def same(yours, ours, tolerance):
    """Return True if they are equal up to rounding."""
    return difference(yours, ours, tolerance) is None


def first(yours, ours, tolerance):
    """Return (path, value) of the first part of `yours` that differs: keys and positions, from the outside in.

    Verdicts count as one value: a dict of words or of bools, all of which belong to one answer.
    """
    if isinstance(ours, dict) and all(isinstance(value, (str, bool)) for value in ours.values()):
        return (), yours
    if isinstance(ours, (tuple, list)) and isinstance(yours, (tuple, list)):
        parts = enumerate(zip(yours, ours)) if len(yours) == len(ours) else ()
    elif isinstance(ours, dict) and isinstance(yours, dict):
        parts = {key: (yours[key], ours[key]) for key in ours if key in yours}.items()
    else:
        parts = ()
    for key, (got, expected) in parts:
        if difference(got, expected, tolerance):
            path, value = first(got, expected, tolerance)
            return (key, *path), value
    return (), yours


def difference(yours, ours, tolerance, sizes=None):
    """Return lines that say how `yours` differs from `ours`; None if it does not.

    tolerance  of an element, relative to the largest    sizes  name -> a size that may explain a constant ratio
    """
    if isinstance(ours, (tuple, list)):
        return _sequence(yours, ours, tolerance, sizes)
    if isinstance(ours, dict):
        return _mapping(yours, ours, tolerance, sizes)
    # None, a string, a function; when an answer is compared with known mistakes, anything.
    if not _numeric(ours):
        return _plain(yours, ours)
    expected, got = numpy.asarray(ours), numpy.asarray(yours) if _numeric(yours) else None
    if got is None or got.dtype.kind not in "biuf":
        return [f"yours is {_kind(yours)}, ours is {_kind(ours)}"]
    if isinstance(yours, numpy.ndarray) and type(yours) not in (numpy.ndarray, type(ours)):
        return [f"yours is an array of class {type(yours).__name__}, ours is an ordinary one"]
    if got.shape != expected.shape:
        return [
            f"yours has shape {got.shape}, ours has {expected.shape}",
            *_other_shape(got, expected, tolerance),
        ]
    if isinstance(ours, numpy.ndarray) and got.dtype != expected.dtype:
        return [f"yours is {got.dtype}, ours is {expected.dtype}"]
    return _numbers(got, expected, tolerance, sizes or {})


def _numeric(value):
    return isinstance(value, (numpy.ndarray, numpy.generic, int, float)) and not isinstance(
        value, bool
    )


def _kind(value):
    if isinstance(value, numpy.ndarray):
        return f"an array of {value.dtype}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"a {type(value).__name__}"


def _plain(yours, ours):
    if callable(ours):
        return None if callable(yours) else [f"yours is {_kind(yours)}, ours is a function"]
    if ours is None and yours is not None:
        return [f"yours is {_kind(yours)}, ours is None"]
    if ours is not None and (not isinstance(yours, (type(ours), numpy.bool_)) or yours != ours):
        return [
            f"yours is {yours if isinstance(yours, (str, bool, numpy.bool_)) else _kind(yours)}, ours is {ours}"
        ]
    return None


def _sequence(yours, ours, tolerance, sizes):
    if not isinstance(yours, (tuple, list)) or len(yours) != len(ours):
        return [f"yours is {_kind(yours)}, ours is {_kind(ours)}"]
    for i, (got, expected) in enumerate(zip(yours, ours)):
        lines = difference(got, expected, tolerance, sizes)
        if lines:
            part = ours._fields[i] if hasattr(ours, "_fields") else f"part {i}"
            return [f"{part}: {lines[0]}", *lines[1:]]
    return None


def _mapping(yours, ours, tolerance, sizes):
    if not isinstance(yours, dict):
        return [f"yours is {_kind(yours)}, ours has {sorted(map(str, ours))}"]
    if set(yours) != set(ours):
        if max(len(yours), len(ours)) <= 8:
            return [f"yours has {sorted(map(str, yours))}, ours {sorted(map(str, ours))}"]
        parts = []
        if lacks := set(ours) - set(yours):
            parts.append(f"yours lacks {sorted(map(str, lacks))}")
        if extra := set(yours) - set(ours):
            parts.append(f"yours has {sorted(map(str, extra))}, which ours doesn't")
        return ["; ".join(parts)]
    for key, expected in ours.items():
        lines = difference(yours[key], expected, tolerance, sizes)
        if lines:
            return [f"{key}: {lines[0]}", *lines[1:]]
    return None


def _close(got, expected, tolerance):
    with numpy.errstate(all="ignore"):
        finite = numpy.isfinite(expected)
        scale = float(numpy.abs(expected[finite]).max()) if finite.any() else 0.0
        near = numpy.abs(got - expected) <= tolerance * max(scale, 1e-30)
        return numpy.where(
            finite, near, (got == expected) | (numpy.isnan(got) & numpy.isnan(expected))
        )


def _all_close(got, expected, tolerance):
    return got.shape == expected.shape and bool(_close(got, expected, tolerance).all())


def _numbers(got, expected, tolerance, sizes):
    got, expected = got.astype(float), expected.astype(float)
    close = _close(got, expected, tolerance)
    if close.all():
        return None
    first = tuple(map(int, numpy.argwhere(~close)[0]))
    place = f"at [{', '.join(map(str, first))}] " if first else ""
    digits = next(
        (n for n in (6, 8, 10) if f"{got[first]:.{n}g}" != f"{expected[first]:.{n}g}"), 12
    )
    lines = [f"{place}yours is {got[first]:.{digits}g}, ours is {expected[first]:.{digits}g}"]
    if got.size > 1:
        lines[0] += f" ({int((~close).sum())} of {got.size} differ)"
    return lines + _in_common(got, expected, tolerance, sizes)


def _in_common(got, expected, tolerance, sizes):
    """Return what the values have in common, if anything: one line."""
    if not numpy.isfinite(got).all():
        return ["yours contains NaN or infinity"] if numpy.isfinite(expected).all() else []
    if not got.any():
        return ["yours is zero everywhere"]
    filled = numpy.abs(expected) > 1e-9 * numpy.abs(expected).max()
    if filled.any() and not got[~filled].any():
        ratio = got[filled] / expected[filled]
        # What rounding changes, it doesn't change everywhere by the same fraction.
        same = min(1e-6 * abs(ratio[0]), 0.1 * abs(ratio[0] - 1))
        if got.size > 1 and numpy.ptp(ratio) <= same:
            return [_ratio(float(ratio[0]), sizes)]
    if _all_close(numpy.abs(got), numpy.abs(expected), tolerance):
        return ["only signs differ"]
    shift = got - expected
    if got.size > 2 and numpy.ptp(shift) <= 1e-9 * max(
        numpy.abs(shift).max(), numpy.abs(expected).max()
    ):
        return [
            f"yours is {abs(shift.flat[0]):.6g} too {'large' if shift.flat[0] > 0 else 'small'} everywhere"
        ]
    turned = [
        f"yours is ours read backwards along axis {' and '.join(map(str, axes))}"
        for axes in _axes_sets(got.shape)
        if _all_close(numpy.flip(got, axes), expected, tolerance)
    ]
    turned += [
        f"yours is ours with its axes in a different order: yours.transpose({order}) would be right"
        for order in _fitting_orders(got, expected, tolerance)
    ]
    if turned:
        return turned if len(turned) == 1 else []
    wrapped = _wrapped(got, expected, tolerance)
    if wrapped:
        return wrapped
    if _all_close(numpy.sort(got, None), numpy.sort(expected, None), tolerance):
        return ["the values are right, but in a different order"]
    return []


def _wrapped(got, expected, tolerance):
    """Return a line if numbers, or the positions of a few elements, are a multiple of 256 away: as in integers of one byte."""
    if not numpy.isfinite(expected).all():
        return []
    apart = expected - got
    whole = numpy.array_equal(expected, numpy.round(expected)) and (apart % 256 == 0).all()
    # What a byte can hold, with a sign or without.
    byte = -128 <= got.min() and got.max() < 256
    if whole and byte and numpy.abs(expected).max() >= 128:
        return [
            "yours is a multiple of 256 away from ours: does an integer of one byte wrap around?"
        ]
    here, there = got.ravel().nonzero()[0], expected.ravel().nonzero()[0]
    if here.size != there.size or not 0 < here.size <= got.size // 2 or there.max() < 256:
        return []
    mine, ours = got.ravel()[here], expected.ravel()[there]
    by_value = numpy.argsort(mine), numpy.argsort(ours)
    if not _all_close(mine[by_value[0]], ours[by_value[1]], tolerance):
        return []
    if ((there[by_value[1]] - here[by_value[0]]) % 256).any():
        return []
    return [
        "the values are right, but some are 256 positions (or a multiple) away from their place: "
        "does an index of one byte wrap around?"
    ]


def _axes_sets(shape):
    """Return the sets of axes along which an array may be read backwards."""
    axes = [axis for axis, size in enumerate(shape) if size > 1][:4]
    return [chosen for count in range(1, len(axes) + 1) for chosen in combinations(axes, count)]


def _fitting_orders(got, expected, tolerance):
    """Return the orders of axes, as text, in which `got` is right; of those that differ only in axes of size 1, the first."""
    found = {}
    if 2 <= got.ndim <= 4:
        for order in permutations(range(got.ndim)):
            turned = got.transpose(order)
            if order != tuple(range(got.ndim)) and _all_close(turned, expected, tolerance):
                moved = tuple(axis for axis in order if got.shape[axis] > 1)
                found.setdefault(moved, ", ".join(map(str, order)))
    return list(found.values())


def _other_shape(got, expected, tolerance):
    """Return what the values of two shapes have in common."""
    orders = _fitting_orders(got, expected, tolerance)
    if len(orders) == 1:
        return [
            f"yours would be right with its axes in a different order: yours.transpose({orders[0]})"
        ]
    if (
        not orders
        and got.size == expected.size
        and _all_close(got.reshape(expected.shape), expected, tolerance)
    ):
        return [f"the values are right: yours.reshape{expected.shape or '(())'} would do"]
    return []


def _ratio(ratio, sizes):
    """Return a line about a constant ratio, and the size that it may be."""
    if abs(ratio + 1) < 1e-6:
        return "yours has the wrong sign everywhere"
    sign = ", with the wrong sign" if ratio < 0 else ""
    large, factor = abs(ratio) > 1, max(abs(ratio), 1 / abs(ratio))
    if factor < 1.0005:
        return f"yours is too {'large' if large else 'small'} everywhere, by the same small fraction, {factor - 1:.1g}{sign}"
    names = [name for name, size in sizes.items() if size > 1 and abs(factor - size) < 1e-6 * size]
    whose = f": {' or '.join(names)}?" if 0 < len(names) <= 3 else ""
    return (
        f"yours is {factor:.4g} times too {'large' if large else 'small'} everywhere{sign}{whose}"
    )
