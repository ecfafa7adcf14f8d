"""Exercise 14b: what goes wrong with a triangle of learning rates."""

import math


def _lines(step, steps, lr, peak, start):
    """Return (done, the first line, the second line)."""
    done = min(step / steps, 1)
    return done, lr * (start + (1 - start) * done / peak), lr * (1 - done) / (1 - peak)


def _rate(step, steps, lr, peak, start):
    done, rising, falling = _lines(step, steps, lr, peak, start)
    return rising if done < peak else falling


def starts_at_zero(step, steps, lr, *, peak, start):
    """start is ignored: at a rate of 0, the first step is lost"""
    return _rate(step, steps, lr, peak, 0)


def start_as_a_rate(step, steps, lr, *, peak, start):
    """start is used as the rate at step 0: it is a fraction of lr"""
    return _rate(step, steps, lr, peak, start / lr)


def start_on_top(step, steps, lr, *, peak, start):
    """start is added to a line that rises by the whole lr: just before the peak, the rate is above lr"""
    done, _, falling = _lines(step, steps, lr, peak, start)
    return lr * (start + done / peak) if done < peak else falling


def start_as_a_floor(step, steps, lr, *, peak, start):
    """the line rises from 0, and what is below start * lr is raised to it: it should be one straight line from start * lr"""
    done, _, falling = _lines(step, steps, lr, peak, start)
    return lr * max(start, done / peak) if done < peak else falling


def ends_at_start(step, steps, lr, *, peak, start):
    """the rate falls back to start * lr: it should end at 0"""
    done, rising, falling = _lines(step, steps, lr, peak, start)
    return rising if done < peak else lr * start + (1 - start) * falling


def ends_a_step_early(step, steps, lr, *, peak, start):
    """the rate is 0 at step steps - 1: then the last step is lost"""
    if step <= peak * steps:
        return _rate(step, steps, lr, peak, start)
    return lr * max(steps - 1 - step, 0) / max(steps - 1 - peak * steps, 1e-9)


def peak_rounded_down(step, steps, lr, *, peak, start):
    """peak * steps is rounded down to a whole step"""
    top = int(peak * steps)
    if step < top:
        return lr * (start + (1 - start) * step / top)
    return lr * max(steps - step, 0) / (steps - top)


def peak_rounded(step, steps, lr, *, peak, start):
    """peak * steps is rounded to the nearest step"""
    top = round(peak * steps)
    if step < top:
        return lr * (start + (1 - start) * step / top)
    return lr * max(steps - step, 0) / max(steps - top, 1)


def falls_from_the_beginning(step, steps, lr, *, peak, start):
    """the second line is lr * (1 - step / steps), which is already below lr at the peak: there the rate jumps"""
    done, rising, falling = _lines(step, steps, lr, peak, start)
    return rising if done < peak else falling * (1 - peak)


def both_at_once(step, steps, lr, *, peak, start):
    """the rise is multiplied by the fall, so that neither is a straight line and the rate never reaches lr"""
    done = min(step / steps, 1)
    return lr * (start + (1 - start) * min(done / peak, 1)) * (1 - done)


def below_zero(step, steps, lr, *, peak, start):
    """the second line continues after the last step, to rates below 0"""
    done = step / steps
    return lr * (1 - done) / (1 - peak) if done >= peak else _rate(step, steps, lr, peak, start)


def begins_again(step, steps, lr, *, peak, start):
    """the triangle begins again after the last step: it should stay at 0"""
    return _rate(step % steps, steps, lr, peak, start)


def counted_from_one(step, steps, lr, *, peak, start):
    """the rate is that of the next step: the first step is number 0"""
    return _rate(step + 1, steps, lr, peak, start)


def always_in_the_middle(step, steps, lr, *, peak, start):
    """peak is ignored: the rate is highest halfway"""
    return _rate(step, steps, lr, 0.5, start)


def peak_from_the_end(step, steps, lr, *, peak, start):
    """the rate is highest at (1 - peak) * steps: peak counts from the beginning"""
    return _rate(step, steps, lr, 1 - peak, start)


def along_a_cosine(step, steps, lr, *, peak, start):
    """the rate falls along half a cosine: it should be a straight line"""
    done, rising, falling = _lines(step, steps, lr, peak, start)
    return rising if done < peak else lr * (1 - math.cos(math.pi * falling / lr)) / 2
