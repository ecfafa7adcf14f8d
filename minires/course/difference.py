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
    return numpy.array(to_host(value)) if is_array(value) else value


def same(yours, ours, tolerance):
    """Return True if they are equal up to rounding."""
    return difference(yours, ours, tolerance) is None


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
    if not isinstance(yours, dict) or set(yours) != set(ours):
        return [
            f"yours has {sorted(map(str, yours)) if isinstance(yours, dict) else _kind(yours)}, ours {sorted(map(str, ours))}"
        ]
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
    digits = 6 if f"{got[first]:.6g}" != f"{expected[first]:.6g}" else 12
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
        if got.size > 1 and numpy.ptp(ratio) <= 1e-6 * abs(ratio[0]):
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
    for axes in _axes_sets(got.ndim):
        if _all_close(numpy.flip(got, axes), expected, tolerance):
            return [f"yours is ours read backwards along axis {' and '.join(map(str, axes))}"]
    for order in _orders(got.ndim):
        if got.transpose(order).shape == expected.shape and _all_close(
            got.transpose(order), expected, tolerance
        ):
            return [
                f"yours is ours with its axes in a different order: yours.transpose({', '.join(map(str, order))}) would be right"
            ]
    if _all_close(numpy.sort(got, None), numpy.sort(expected, None), tolerance):
        return ["the values are right, but in a different order"]
    return []


def _axes_sets(ndim):
    return [
        axes for count in range(1, min(ndim, 4) + 1) for axes in combinations(range(ndim), count)
    ]


def _orders(ndim):
    return (
        [order for order in permutations(range(ndim)) if order != tuple(range(ndim))]
        if 2 <= ndim <= 4
        else []
    )


def _other_shape(got, expected, tolerance):
    """Return what the values of two shapes have in common."""
    for order in _orders(got.ndim):
        if got.transpose(order).shape == expected.shape and _all_close(
            got.transpose(order), expected, tolerance
        ):
            return [
                f"yours would be right with its axes in a different order: yours.transpose({', '.join(map(str, order))})"
            ]
    if got.size == expected.size and _all_close(got.reshape(expected.shape), expected, tolerance):
        return [f"the values are right: yours.reshape{expected.shape} would do"]
    return []


def _ratio(ratio, sizes):
    """Return a line about a constant ratio, and the size that it may be."""
    if abs(ratio + 1) < 1e-6:
        return "yours has the wrong sign everywhere"
    sign = ", with the wrong sign" if ratio < 0 else ""
    large, factor = abs(ratio) > 1, max(abs(ratio), 1 / abs(ratio))
    names = [name for name, size in sizes.items() if size > 1 and abs(factor - size) < 1e-6 * size]
    whose = f": {' or '.join(names[:3])}?" if names else ""
    return (
        f"yours is {factor:.4g} times too {'large' if large else 'small'} everywhere{sign}{whose}"
    )
