"""Learning-rate schedules: functions of the step (0, 1, 2, ...), for an optimizer's `lr`.

With `warmup`, the schedule is multiplied by 1/warmup, 2/warmup, ... in the first `warmup` steps.
"""

import math
from collections.abc import Callable, Iterable
from numbers import Real

from minires.ops.forms import has_forms

Schedule = Callable[[int], float]  # step -> learning rate


def constant(lr: float, *, warmup: int = 0) -> Schedule:
    """lr."""
    return _warmed(lr, lambda step: lr, warmup)


def step(lr: float, *, milestones: Iterable[int], factor: float = 0.1, warmup: int = 0) -> Schedule:
    """lr, multiplied by `factor` at each milestone. milestones  a list of steps"""
    if isinstance(milestones, Real):
        raise TypeError(f"milestones: expected a list of steps, got {milestones!r}")
    return _warmed(
        lr, lambda step: lr * factor ** sum(step >= milestone for milestone in milestones), warmup
    )


def cosine(lr: float, *, steps: int, warmup: int = 0) -> Schedule:
    """Half a cosine from lr at step 0 to 0 at step `steps`, and 0 after it.

    Source  Loshchilov and Hutter 2017, "SGDR", equation 5.
    """
    _check_steps(steps)
    return _warmed(lr, lambda step: lr * (1 + math.cos(math.pi * min(step / steps, 1))) / 2, warmup)


def triangle(
    lr: float, *, steps: int, peak: float = 0.25, start: float = 0.0, warmup: int = 0
) -> Schedule:
    """A straight line from start * lr at step 0 to lr at step peak * steps, then a second one to 0 at step `steps`."""
    _check_steps(steps)
    if not 0 < peak < 1:
        raise ValueError(f"peak: expected a fraction of the steps, 0 < peak < 1, got {peak}")

    return _warmed(lr, lambda step: triangle_rate(step, steps, lr, peak=peak, start=start), warmup)


@has_forms
def triangle_rate(step, steps, lr, *, peak, start):
    """The rate at a step of a triangle: a straight line from start * lr to lr, then a second one to 0.

    step  0, 1, 2, ...    steps  of the whole run    peak  the fraction of the steps at which the rate is lr
    """
    done = min(step / steps, 1)
    return lr * (start + (1 - start) * done / peak if done < peak else (1 - done) / (1 - peak))


def _warmed(lr: float, schedule: Schedule, warmup: int) -> Schedule:
    """Return the schedule with its warm-up, as a function with the attribute `lr`."""
    if warmup < 0:
        raise ValueError(f"warmup: expected 0 steps or more, got {warmup}")

    def rate(step: int) -> float:
        return schedule(step) * min((step + 1) / warmup, 1) if warmup else schedule(step)

    rate.lr = lr  # type: ignore[attr-defined]  # the optimizer's groups have rates relative to it
    return rate


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
