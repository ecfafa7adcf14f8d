"""Claims about adam: it updates w, m and v in place, with bias correction, eps outside the root, and two kinds of weight decay."""

import numpy
from e04e_adam import adam

from minires.course import Check

check = Check("04e")
rng = numpy.random.default_rng(45)
start, slopes = rng.standard_normal((2, 3)), rng.standard_normal((4, 2, 3))
RATES = [0.1, 0.1, 0.02, 0.3]


def steps(factor=1.0, **options):
    """Experiment: four steps from m = v = 0, each with a different g and lr."""

    def run(adam):
        w, m, v, seen = start.copy(), numpy.zeros((2, 3)), numpy.zeros((2, 3)), factor * slopes
        for t, (lr, g) in enumerate(zip(RATES, seen), start=1):
            adam(w, g, m, v, t, lr, **options)
        return {"m": m, "v": v, "w": w, "g": seen}

    return run


def one_step(t, **options):
    """Experiment: step number t, from m and v that are not 0 unless t is 1."""

    def run(adam):
        w, g = numpy.zeros(3), numpy.array([1.0, -2.0, 0.001])
        m, v = (t > 1) * numpy.array([0.5, 0.25, -1.0]), (t > 1) * numpy.array([2.0, 1.0, 3.0])
        adam(w, g, m, v, t, 0.5, **options)
        return {"m": m, "v": v, "w": w}

    return run


def test_the_first_step_goes_as_far_as_lr():
    check.experiment(
        one_step(1), adam, "the first step: w, m and v are 0, g = [1, -2, 0.001], lr = 0.5"
    )


def test_the_seventh_step_is_corrected_less():
    check.experiment(
        one_step(7),
        adam,
        "a step with t = 7, m = [0.5, 0.25, -1], v = [2, 1, 3], g = [1, -2, 0.001], lr = 0.5",
    )
    check.experiment(one_step(2, betas=(0.5, 0.75)), adam, "a step with t = 2, betas (0.5, 0.75)")


def test_steps_add_up():
    check.experiment(steps(), adam, "four steps, lr 0.1, 0.1, 0.02, 0.3")
    check.experiment(steps(betas=(0.6, 0.8)), adam, "four steps, betas (0.6, 0.8)")


def test_eps_stands_beside_the_root():
    check.experiment(steps(1e-3, eps=1e-2), adam, "four steps, g about 0.001, eps 0.01")


def test_weight_decay_is_a_part_of_g():
    check.experiment(steps(weight_decay=0.5), adam, "four steps, weight_decay 0.5")


def test_decoupled_weight_decay_shrinks_w_before_the_step():
    check.experiment(
        steps(weight_decay=0.5, decoupled=True), adam, "four steps, weight_decay 0.5, decoupled"
    )
