"""Claims about sgd: it updates w and v in place, with momentum, Nesterov and weight decay."""

import numpy
from e04d_sgd import sgd

from minires.course import Check

check = Check("04d")
rng = numpy.random.default_rng(44)
start, speed = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
slopes = rng.standard_normal((3, 2, 3))
NUMBERS = numpy.array([1.0, -2.0, 4.0])


def steps(rates, moving, **options):
    """Experiment: a step for each learning rate, each with a different g; with `moving`, from a velocity that is not 0."""

    def run(sgd):
        w, v, seen = start.copy(), speed.copy() if moving else None, slopes.copy()
        for lr, g in zip(rates, seen):
            sgd(w, g, v, lr, **options)
        return {"w": w, "g": seen, **({"v": v} if moving else {})}

    return run


def test_a_step_without_momentum():
    def run(sgd):
        w = numpy.zeros(3)
        sgd(w, NUMBERS.copy(), None, 0.5)
        return {"w": w}

    check.experiment(run, sgd, "w = [0, 0, 0], g = [1, -2, 4], no momentum, lr = 0.5")


def test_momentum_keeps_a_part_of_the_velocity():
    def run(sgd):
        w, v = numpy.zeros(3), numpy.array([10.0, 0.0, -10.0])
        sgd(w, NUMBERS.copy(), v, 0.5, 0.8)
        return {"v": v, "w": w}

    check.experiment(
        run, sgd, "w = [0, 0, 0], g = [1, -2, 4], v = [10, 0, -10], lr = 0.5, momentum = 0.8"
    )


def test_steps_add_up_while_lr_changes():
    check.experiment(
        steps([0.1, 0.1, 0.01], True, momentum=0.9),
        sgd,
        "three steps, momentum 0.9, lr 0.1, 0.1, 0.01",
    )
    check.experiment(
        steps([0.1, 0.2, 0.3], False), sgd, "three steps without momentum, lr 0.1, 0.2, 0.3"
    )


def test_weight_decay_goes_through_the_velocity():
    told = "three steps, momentum 0.9, weight_decay 0.5"
    check.experiment(steps([0.1, 0.2, 0.3], True, momentum=0.9, weight_decay=0.5), sgd, told)


def test_weight_decay_without_momentum():
    check.experiment(
        steps([0.1, 0.2, 0.3], False, weight_decay=0.5),
        sgd,
        "three steps, no momentum, weight_decay 0.5",
    )


def test_nesterov_looks_ahead():
    told = "three steps with Nesterov, momentum 0.7"
    check.experiment(steps([0.1, 0.2, 0.3], True, momentum=0.7, nesterov=True), sgd, told)


def test_nesterov_with_weight_decay():
    told = "three steps with Nesterov, momentum 0.7, weight_decay 0.5"
    check.experiment(
        steps([0.1, 0.2, 0.3], True, momentum=0.7, weight_decay=0.5, nesterov=True), sgd, told
    )
