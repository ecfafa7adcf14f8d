"""Solutions of 14b."""

import math
from fractions import Fraction

import numpy

from tests.course.kinds import right, wrong

START, ZERO, FIRST = (
    "test_it_starts_at_start_times_lr",
    "test_it_may_start_at_0",
    "test_the_first_line_is_straight",
)
PEAK, SECOND = "test_at_the_peak_it_is_lr", "test_the_second_line_is_straight"
LAST, BETWEEN = "test_the_last_step_still_counts", "test_the_peak_may_be_between_two_steps"
NEAR, END = (
    "test_the_peak_may_be_near_the_beginning_or_the_end",
    "test_at_the_end_it_is_0_and_stays_0",
)
NEVER, FACTOR, SHORT = (
    "test_a_rate_is_never_below_0",
    "test_lr_is_a_factor",
    "test_runs_may_be_short_or_long",
)
ANY = "test_steps_may_come_in_any_order"


@right
def interpolated(step, steps, lr, *, peak, start):
    return numpy.interp(step, [0, peak * steps, steps], [start * lr, lr, 0])


@right
def the_lower_of_two_lines(step, steps, lr, *, peak, start):
    rising = lr * start + lr * (1 - start) * step / (peak * steps)
    falling = lr * (steps - step) / (steps - peak * steps)
    return max(min(rising, falling), 0)


@right
def by_steps(step, steps, lr, *, peak, start):
    top = peak * steps
    if step >= steps:
        return 0
    if step >= top:
        return lr * (steps - step) / (steps - top)
    return start * lr + (lr - start * lr) * step / top


@right
def by_fractions(step, steps, lr, *, peak, start):
    t, peak, start = Fraction(min(step, steps), steps), Fraction(peak), Fraction(start)
    share = start + (1 - start) * t / peak if t < peak else (1 - t) / (1 - peak)
    return float(share) * lr


@right
def from_both_ends(step, steps, lr, *, peak, start):
    left = steps - step
    if left <= 0:
        return 0.0
    down = left / ((1 - peak) * steps)
    up = 1 - (1 - start) * (1 - step / (peak * steps))
    return lr * up if step < peak * steps else lr * min(down, 1)


def shape(step, steps, peak, start):
    """Return the rate for lr = 1."""
    t = step / steps
    return start + (1 - start) * t / peak if t < peak else (1 - t) / (1 - peak)


@wrong(START, mistake="starts_at_zero")
def from_zero(step, steps, lr, *, peak, start):
    return numpy.interp(step, [0, peak * steps, steps], [0, lr, 0])


@wrong(START, mistake="start_as_a_rate")
def from_start(step, steps, lr, *, peak, start):
    return numpy.interp(step, [0, peak * steps, steps], [start, lr, 0])


@wrong(FIRST, mistake="start_on_top")
def added(step, steps, lr, *, peak, start):
    t = min(step, steps) / steps
    return lr * start + lr * t / peak if t < peak else lr * (1 - t) / (1 - peak)


@wrong(FIRST, mistake="start_as_a_floor")
def no_lower(step, steps, lr, *, peak, start):
    rate = numpy.interp(step, [0, peak * steps, steps], [0, lr, 0])
    return max(rate, start * lr) if step < peak * steps else rate


@wrong(LAST, mistake="ends_at_start")
def back_to_the_start(step, steps, lr, *, peak, start):
    return numpy.interp(step, [0, peak * steps, steps], [start * lr, lr, start * lr])


@wrong(LAST, mistake="ends_a_step_early")
def zero_at_the_last(step, steps, lr, *, peak, start):
    if step <= peak * steps:
        return shape(step, steps, peak, start) * lr
    left = (steps - 1 - step) / max(steps - 1 - peak * steps, 1e-9)
    return lr * max(left, 0)


@wrong(BETWEEN, mistake="peak_rounded_down")
def whole_steps(step, steps, lr, *, peak, start):
    warm = math.floor(steps * peak)
    if step < warm:
        return lr * (start + (1 - start) * step / warm)
    return max(lr * (steps - step) / (steps - warm), 0)


@wrong(BETWEEN, mistake="peak_rounded")
def nearest_step(step, steps, lr, *, peak, start):
    warm = round(steps * peak)
    if step < warm:
        return lr * (start + (1 - start) * step / warm)
    return lr * max(steps - step, 0) / max(steps - warm, 1)


@wrong(PEAK, mistake="falls_from_the_beginning")
def linear_decay(step, steps, lr, *, peak, start):
    t = min(step / steps, 1)
    return lr * (start + (1 - start) * t / peak) if t < peak else lr * (1 - t)


@wrong(PEAK, mistake="both_at_once")
def product(step, steps, lr, *, peak, start):
    t = min(step / steps, 1)
    warm = start + (1 - start) * min(t / peak, 1)
    return warm * (1 - t) * lr


@wrong(END, mistake="below_zero")
def no_end(step, steps, lr, *, peak, start):
    return lr * shape(step, steps, peak, start)


@wrong(END, mistake="begins_again")
def periodic(step, steps, lr, *, peak, start):
    return lr * shape(step % steps, steps, peak, start)


@wrong(START, mistake="counted_from_one")
def next_step(step, steps, lr, *, peak, start):
    return numpy.interp(step + 1, [0, peak * steps, steps], [start * lr, lr, 0])


@wrong(PEAK, mistake="always_in_the_middle")
def halfway(step, steps, lr, *, peak, start):
    return numpy.interp(step, [0, steps / 2, steps], [start * lr, lr, 0])


@wrong(PEAK, mistake="peak_from_the_end")
def late(step, steps, lr, *, peak, start):
    return numpy.interp(step, [0, steps - peak * steps, steps], [start * lr, lr, 0])


@wrong(SECOND, mistake="along_a_cosine")
def cosine(step, steps, lr, *, peak, start):
    t = min(step / steps, 1)
    if t < peak:
        return lr * shape(step, steps, peak, start)
    return lr * (1 + math.cos(math.pi * (t - peak) / (1 - peak))) / 2


@wrong(NEVER)
def by_a_slope(step, steps, lr, *, peak, start):
    """At the end, rounding leaves -1e-17."""
    top, step = peak * steps, min(step, steps)
    if step < top:
        return lr * (start + (1 - start) * step / top)
    return lr - (step - top) * (lr / (steps - top))


@wrong(LAST)
def rounded(step, steps, lr, *, peak, start):
    """To two digits."""
    return round(lr * max(shape(step, steps, peak, start), 0), 2)


@wrong(FIRST)
def squared(step, steps, lr, *, peak, start):
    t = min(step / steps, 1)
    return lr * (start + (1 - start) * (t / peak) ** 2) if t < peak else lr * (1 - t) / (1 - peak)


@wrong(FACTOR)
def at_least_a_little(step, steps, lr, *, peak, start):
    """A rate is never below 0.001."""
    rate = lr * max(shape(step, steps, peak, start), 0)
    return max(rate, 1e-3) if step < steps else rate
