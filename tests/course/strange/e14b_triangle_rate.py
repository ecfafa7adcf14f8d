"""Strange solutions of 14b."""

import math
from bisect import bisect_right
from fractions import Fraction

import numpy

from minires import optim
from tests.course.kinds import right, wrong
from tests.course.solutions.e14b_triangle_rate import (
    ANY,
    BETWEEN,
    END,
    FACTOR,
    NEAR,
    SHORT,
    START,
    shape,
)


@right
def table_of_points(step, steps, lr, *, peak, start):
    """Between two of three points."""
    points = [(0.0, start), (peak, 1.0), (1.0, 0.0), (math.inf, 0.0)]
    t = step / steps
    i = min(bisect_right([x for x, _ in points], t), 3)
    (x0, y0), (x1, y1) = points[i - 1], points[i]
    return lr * (y0 + (y1 - y0) * ((t - x0) / (x1 - x0)))


@right
def vectorised(step, steps, lr, *, peak, start):
    t = numpy.asarray(min(step, steps)) / steps
    return numpy.where(t < peak, start + (1 - start) * t / peak, (1 - t) / (1 - peak)) * lr


@right
def without_a_branch(step, steps, lr, *, peak, start):
    """A tent, of which the left side is raised."""
    t = min(step / steps, 1)
    left, right_side = min(t / peak, 1), (1 - max(t, peak)) / (1 - peak)
    return lr * (left * right_side + (1 - left) * start)


@right
def numpy_scalar(step, steps, lr, *, peak, start):
    return numpy.float64(lr) * numpy.clip(shape(step, steps, peak, start), 0, None)


KEPT = {}


@wrong(SHORT)
def rates_of_the_first_run(step, steps, lr, *, peak, start):
    """A table that is made once, whatever steps is."""
    key = lr, peak, start
    if key not in KEPT:
        KEPT[key] = [lr * max(shape(i, steps, peak, start), 0) for i in range(steps + 90)]
    table = KEPT[key]
    return table[step] if step < len(table) else 0.0


@wrong(FACTOR)
def lr_of_the_first_run(step, steps, lr, *, peak, start):
    """Keeps the rates by steps, peak and start."""
    key = steps, peak, start, step
    return KEPT.setdefault(key, lr * max(shape(step, steps, peak, start), 0))


@wrong(ANY)
def one_more_each_time(step, steps, lr, *, peak, start):
    """Counts its calls instead of reading step."""
    run = KEPT.setdefault("run", [None, 0])
    key = steps, lr, peak, start
    if run[0] != key or step == 0:
        run[0], run[1] = key, step
    found = lr * max(shape(run[1], steps, peak, start), 0)
    run[1] += 1
    return found


@wrong(END)
def not_after_the_end(step, steps, lr, *, peak, start):
    """The last rate stays."""
    return lr * shape(min(step, steps - 1), steps, peak, start)


@wrong(NEAR)
def at_least_one_step_up(step, steps, lr, *, peak, start):
    top = max(peak * steps, 1)
    if step < top:
        return lr * (start + (1 - start) * step / top)
    return lr * max(steps - step, 0) / (steps - top) if steps > top else 0.0


@wrong(BETWEEN)
def rounded_up(step, steps, lr, *, peak, start):
    top = math.ceil(peak * steps)
    if step < top:
        return lr * (start + (1 - start) * step / top)
    return lr * max(steps - step, 0) / max(steps - top, 1)


@wrong(START)
def an_array_of_one(step, steps, lr, *, peak, start):
    return numpy.array([lr * max(shape(step, steps, peak, start), 0)])


@wrong(START)
def a_function_of_the_step(step, steps, lr, *, peak, start):
    """As the schedules of optim are."""
    return optim.cosine(lr, steps=steps)


@wrong(SHORT)
def in_float32(step, steps, lr, *, peak, start):
    t = numpy.float32(step) / numpy.float32(steps)
    share = (
        start + (1 - start) * t / numpy.float32(peak)
        if t < numpy.float32(peak)
        else (1 - t) / numpy.float32(1 - peak)
    )
    return float(lr * max(share, 0))


@wrong(END)
def cheating_after(step, steps, lr, *, peak, start):
    """0 at step `steps` alone."""
    return 0.0 if step == steps else lr * abs(shape(step, steps, peak, start))


@right
def in_fractions(step, steps, lr, *, peak, start):
    top, low = Fraction(peak) * steps, Fraction(start)
    up = low + (1 - low) * step / top
    return lr * float(up if step <= top else max(Fraction(0), (steps - step) / (steps - top)))


@wrong(END)
def never_quite_0(step, steps, lr, *, peak, start):
    return max(1e-8, lr * shape(step, steps, peak, start))


@wrong(NEAR)
def both_sides_at_least_one_step(step, steps, lr, *, peak, start):
    top = max(1.0, peak * steps)
    if step <= top:
        return lr * (start + (1 - start) * step / top)
    return lr * max(0, steps - step) / max(1.0, steps - top)


@wrong(BETWEEN)
def tables_of_both_lines(step, steps, lr, *, peak, start):
    up = int(peak * steps)
    rising = numpy.linspace(start * lr, lr, up, endpoint=False)
    rates = numpy.concatenate([rising, numpy.linspace(lr, 0, steps - up + 1)])
    return rates[step] if step < len(rates) else 0.0
