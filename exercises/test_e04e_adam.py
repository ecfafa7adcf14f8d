"""Claims about adam: it updates w, m and v in place, with bias correction, eps outside the root, and two kinds of weight decay."""

import numpy
from e04e_adam import adam

from minires.course import Check

check = Check("04e", tolerance=1e-10)
check_float32 = Check("04e", tolerance=1e-5)
rng = numpy.random.default_rng(45)
start, slopes = rng.standard_normal((2, 3)), rng.standard_normal((4, 2, 3))
RATES = [0.1, 0.1, 0.02, 0.3]


def steps(factor=1.0, rates=RATES, **options):
    """Experiment: four steps from m = v = 0, each with a different g and lr."""

    def run(adam):
        w, m, v, seen = start.copy(), numpy.zeros((2, 3)), numpy.zeros((2, 3)), factor * slopes
        for t, (lr, g) in enumerate(zip(rates, seen), start=1):
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
    check.experiment(one_step(1000), adam, "a step with t = 1000")
    for t in (100, 300, 10_000):
        check.experiment(one_step(t), adam, f"a step with t = {t:,}")
    check.experiment(one_step(10**6), adam, "a step with t = 1,000,000")


def test_steps_add_up():
    check.experiment(steps(), adam, "four steps, lr 0.1, 0.1, 0.02, 0.3")
    check.experiment(steps(betas=(0.6, 0.8)), adam, "four steps, betas (0.6, 0.8)")
    check.experiment(steps(betas=(0.9, 0.5)), adam, "four steps, betas (0.9, 0.5)")
    check.experiment(steps(rates=[1.0, 2.5, 10.0, 3.0]), adam, "four steps, lr 1, 2.5, 10, 3")


def test_eps_is_added_to_the_root():
    check.experiment(steps(1e-3, eps=1e-2), adam, "four steps, g about 0.001, eps 0.01")
    check.experiment(steps(1e-6, eps=0.0), adam, "four steps, g about 1e-06, eps 0")
    check.experiment(steps(eps=10.0), adam, "four steps, eps 10")


def test_weight_decay_is_a_part_of_g():
    check.experiment(steps(weight_decay=0.5), adam, "four steps, weight_decay 0.5")


def test_decoupled_weight_decay_shrinks_w_before_the_step():
    check.experiment(
        steps(weight_decay=0.5, decoupled=True), adam, "four steps, weight_decay 0.5, decoupled"
    )
    check.experiment(
        steps(weight_decay=5.0, decoupled=True), adam, "four steps, weight_decay 5, decoupled"
    )


def test_a_learning_rate_of_0_moves_m_and_v_and_not_the_weights():
    def run(decoupled):
        def three(adam):
            w, m, v = numpy.array([1.0, -2.0]), numpy.zeros(2), numpy.zeros(2)
            for t, lr in enumerate((0.0, 0.1, 0.0), start=1):
                adam(w, numpy.array([1.0, 4.0]), m, v, t, lr, weight_decay=0.5, decoupled=decoupled)
            return {"m": m, "v": v, "w": w}

        return three

    told = "three steps, lr 0, 0.1, 0, weight_decay 0.5"
    check.experiment(run(True), adam, f"{told}, decoupled")
    check.experiment(run(False), adam, told)


def test_elements_of_g_may_be_0():
    def run(**options):
        def three(adam):
            w, m, v = numpy.array([1.0, -2.0, 3.0]), numpy.zeros(3), numpy.zeros(3)
            for t, g in enumerate(([1.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]), start=1):
                adam(w, numpy.array(g), m, v, t, 0.1, **options)
            return {"m": m, "v": v, "w": w}

        return three

    told = "three steps, g = [1, 0, 0], [0, 0, 2], [0, 0, 0]"
    check.experiment(run(), adam, told)
    check.experiment(run(weight_decay=0.5), adam, f"{told}, weight_decay 0.5")
    decoupled = run(weight_decay=0.5, decoupled=True)
    check.experiment(decoupled, adam, f"{told}, weight_decay 0.5, decoupled")


def test_two_parameters_of_one_shape_take_turns():
    def run(adam):
        w, m, v = start.copy(), numpy.zeros((2, 3)), numpy.zeros((2, 3))
        for t, g in enumerate(slopes, start=1):
            adam(w[0], g[0], m[0], v[0], t, 0.1)
            if t > 2:
                adam(w[1], g[1], m[1], v[1], t - 2, 0.2, betas=(0.5, 0.75))
        return {"m of both": m, "v of both": v, "w of both": w}

    check.experiment(run, adam, "two parameters of shape (3,), the second starts two steps later")


def test_m_and_v_are_the_arrays_that_are_passed():
    def run(adam):
        w, m, v = start.copy(), numpy.zeros((2, 2, 3)), numpy.zeros((2, 2, 3))
        for g, i, t in zip(slopes, (0, 1, 0), (1, 1, 2)):
            adam(w, g, m[i], v[i], t, 0.1)
        return {"m, both": m, "v, both": v, "w": w}

    check.experiment(
        run,
        adam,
        "three steps of one w, the second with different m and v, as after loading a checkpoint",
    )


def test_betas_of_0_keep_nothing():
    check.experiment(steps(betas=(0.0, 0.0)), adam, "four steps, betas (0, 0)")
    check.experiment(steps(betas=(0.0, 0.5)), adam, "four steps, betas (0, 0.5)")


def test_arrays_may_be_parts_of_larger_ones():
    def run(adam):
        large = abs(numpy.arange(36.0).reshape(6, 6) - 20)
        w, m, v = (large[i::3, 1:4].T for i in range(3))
        adam(w, slopes[0].T, m, v, 3, 0.5, weight_decay=0.1)
        return {"the array whose rows are w, m and v in turn": large}

    check.experiment(run, adam, "w, m and v that are transposed parts of an array, t = 3")


def test_float32_arrays_change_in_place():
    def run(adam):
        w, seen = start.astype("float32"), slopes.astype("float32")
        m, v = numpy.zeros((2, 3), "float32"), numpy.zeros((2, 3), "float32")
        for t, g in enumerate(seen, start=1):
            adam(w, g, m, v, t, 0.1, weight_decay=0.5)
        return {"m": m, "v": v, "w": w, "g": seen}

    check_float32.experiment(run, adam, "four steps in float32, weight_decay 0.5")


def test_gradients_may_have_any_size():
    for size in (1e6, 1e-6):
        check.experiment(steps(size), adam, f"four steps, g of about {size:g}")
    check.experiment(steps(1e-6, eps=1e-12), adam, "four steps, g of about 1e-06, eps 1e-12")
    check.experiment(steps(1e-12, eps=1e-20), adam, "four steps, g of about 1e-12, eps 1e-20")


def test_a_step_may_be_much_longer_than_lr():
    def run(adam):
        w, m, v = numpy.zeros(2), numpy.array([5.0, -3.0]), numpy.array([1e-6, 1e-4])
        adam(w, numpy.array([0.0, 0.001]), m, v, 9, 0.5)
        return {"m": m, "v": v, "w": w}

    check.experiment(run, adam, "a step with t = 9, m = [5, -3], v = [1e-6, 1e-4]")


def test_nan_is_not_hidden():
    def run(adam):
        w, m, v = numpy.zeros(3), numpy.ones(3), numpy.ones(3)
        adam(w, numpy.array([1.0, numpy.nan, -2.0]), m, v, 5, 0.5)
        return {"m": m, "v": v, "w": w}

    check.experiment(run, adam, "w = 0, m = v = 1, g = [1, NaN, -2], t = 5")


def test_weights_may_have_four_axes():
    def run(adam):
        w, g, m, v = abs(numpy.cos(numpy.arange(96.0))).reshape(4, 2, 3, 2, 2)
        adam(w, g, m, v, 3, 0.5, weight_decay=0.1)
        return {"m": m, "v": v, "w": w}

    check.experiment(run, adam, "w, g, m and v of shape (2, 3, 2, 2), t = 3, weight_decay 0.1")
