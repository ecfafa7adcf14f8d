"""Claims about triangle_rate: two straight lines, from start * lr up to lr and down to 0."""

import numpy
from e14b_triangle_rate import triangle_rate

from minires.course import Check

check = Check("14b")


def rates(chosen, steps, *, lr=1.0, peak=0.25, start=0.2):
    """Experiment: the rates of some steps."""

    def run(triangle_rate):
        found = [triangle_rate(step, steps, lr, peak=peak, start=start) for step in chosen]
        return {f"the rate at step {step}": rate for step, rate in zip(chosen, found)}

    about = f"steps {steps}, lr {lr:.4g}, peak {peak}, start {start}"
    check.experiment(run, triangle_rate, about)


def curve(steps, *, lr=1.0, peak=0.25, start=0.2, order=None):
    """Experiment: the rates of all steps, as an array."""

    def run(triangle_rate):
        chosen = range(steps) if order is None else order
        found = numpy.zeros(steps + 9)
        for step in chosen:
            found[step] = triangle_rate(step, steps, lr, peak=peak, start=start)
        return {"the rate of each step": found}

    about = f"steps {steps}, lr {lr:.4g}, peak {peak}, start {start}"
    check.experiment(run, triangle_rate, about)


def test_it_starts_at_start_times_lr():
    rates([0], 8)
    rates([0], 8, lr=0.5, start=0.05)
    rates([0], 7, lr=3, start=1)


def test_it_may_start_at_0():
    curve(8, start=0)
    curve(9, lr=0.3, start=0.0, peak=0.4)


def test_the_first_line_is_straight():
    rates([1, 2, 3], 8, peak=0.5)  # 0.4, 0.6, 0.8
    rates([1, 2, 3, 4], 10, lr=0.5, peak=0.5, start=0.05)


def test_at_the_peak_it_is_lr():
    rates([2], 8)
    rates([6], 8, lr=0.4, peak=0.75)


def test_the_second_line_is_straight():
    rates([3, 4, 5, 6, 7], 8)  # 5/6, 4/6, ...
    rates([5, 7, 9], 10, lr=0.5, peak=0.2, start=0.05)


def test_the_last_step_still_counts():
    rates([7], 8)
    rates([99], 100, lr=0.5, peak=0.2, start=0.05)


def test_the_peak_may_be_between_two_steps():
    curve(10)  # at step 2.5
    curve(7, peak=0.5)
    curve(11, lr=0.5, peak=0.15, start=0.05)
    curve(6, peak=0.6, start=0.5)


def test_the_peak_may_be_near_the_beginning_or_the_end():
    curve(10, peak=0.01)
    curve(10, peak=0.95)
    curve(5, peak=0.999, start=0)


def test_at_the_end_it_is_0_and_stays_0():
    def run(triangle_rate):
        after = [triangle_rate(step, 8, 1.0, peak=0.25, start=0.2) for step in (8, 9, 12, 80)]
        return {
            "the rates at steps 7, 8, 9, 12, 80": numpy.array(
                [triangle_rate(7, 8, 1.0, peak=0.25, start=0.2), *after]
            )
        }

    check.experiment(run, triangle_rate, "steps 8, lr 1, peak 0.25, start 0.2")


def test_a_rate_is_never_below_0():
    settings = [
        (lr, k / 40, start) for lr in (0.1, 0.7, 3) for k in range(1, 40) for start in (0.0, 0.05)
    ]
    for lr, peak, start in settings:
        for steps in (3, 10, 49, 390):
            for step in (0, steps, steps + 1):
                rate = check.call(triangle_rate, step, steps, lr, peak=peak, start=start)
                about = f"steps {steps}, lr {lr}, peak {peak}, start {start}"
                check.true(rate >= 0, f"{about}: the rate at step {step} is {rate:.3g}")


def test_lr_is_a_factor():
    curve(9, lr=0.003)
    curve(9, lr=12)
    curve(9, lr=1)


def test_runs_may_be_short_or_long():
    for steps in (1, 2, 3):
        curve(steps, peak=0.4)
        curve(steps, peak=0.2, start=0.05, lr=0.5)
    rates([0, 1, 99_999, 100_000, 250_000, 399_999], 400_000, lr=0.5)


def test_steps_may_come_in_any_order():
    curve(10, order=[7, 2, 9, 0, 3, 8, 1, 1, 6, 4, 5, 0])
    curve(12, order=[11, 0, 5], peak=0.3)


def test_start_may_be_1():
    curve(10, start=1, peak=0.35)
