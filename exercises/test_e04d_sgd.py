"""Claims about sgd: it updates w and v in place, with momentum, Nesterov and weight decay."""

import numpy
from e04d_sgd import sgd

from minires.course import Check

check = Check("04d", tolerance=1e-12)
check_float32 = Check("04d", tolerance=1e-5)
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


def test_a_step_without_momentum_is_lr_times_g():
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


def test_weight_decay_acts_without_momentum():
    check.experiment(
        steps([0.1, 0.2, 0.3], False, weight_decay=0.5),
        sgd,
        "three steps, no momentum, weight_decay 0.5",
    )


def test_nesterov_looks_ahead():
    told = "three steps with Nesterov, momentum 0.7"
    check.experiment(steps([0.1, 0.2, 0.3], True, momentum=0.7, nesterov=True), sgd, told)


def test_nesterov_includes_the_weight_decay():
    told = "three steps with Nesterov, momentum 0.7, weight_decay 0.5"
    check.experiment(
        steps([0.1, 0.2, 0.3], True, momentum=0.7, weight_decay=0.5, nesterov=True), sgd, told
    )


def test_a_learning_rate_of_0_moves_the_velocity_and_not_the_weights():
    told = "three steps, momentum 0.9, lr 0, 0.1, 0"
    check.experiment(steps([0.0, 0.1, 0.0], True, momentum=0.9, weight_decay=0.5), sgd, told)


def test_a_gradient_of_0_does_not_stop_the_weights():
    def run(sgd):
        w, v = numpy.array([1.0, -2.0, 0.0]), numpy.array([10.0, 0.0, -10.0])
        sgd(w, numpy.zeros(3), v, 0.5, momentum=0.8, weight_decay=0.1)
        sgd(w, numpy.array([0.0, 3.0, 0.0]), v, 0.5, momentum=0.8, nesterov=True)
        return {"v": v, "w": w}

    check.experiment(
        run, sgd, "g = [0, 0, 0], then [0, 3, 0], v = [10, 0, -10], lr = 0.5, momentum = 0.8"
    )


def test_two_parameters_of_one_shape_take_turns():
    def run(sgd):
        (w, other), (v, its) = 2 * start, 3 * speed
        for g in slopes:
            sgd(w, g[0], v, 0.1, momentum=0.9)
            sgd(other, g[1], its, 0.2, momentum=0.5)
        return {
            "w of the first": w,
            "v of the first": v,
            "w of the second": other,
            "v of the second": its,
        }

    check.experiment(run, sgd, "two parameters of shape (3,), each with its own v, lr and momentum")


def test_the_velocity_is_the_array_that_is_passed():
    def run(sgd):
        w, first, second = start.copy(), speed.copy(), -3 * speed
        for g, v in zip(slopes, (first, second, first)):
            sgd(w, g, v, 0.1, momentum=0.9)
        return {"w": w, "the first v": first, "the second v": second}

    check.experiment(
        run,
        sgd,
        "three steps of one w, the second with a different v, as after loading a checkpoint",
    )


def test_arrays_may_be_parts_of_larger_ones():
    def run(sgd):
        large = numpy.arange(24.0).reshape(4, 6)
        w, v = large[::2, 1:4].T, large[1::2, 1:4].T
        sgd(w, slopes[0].T, v, 0.5, momentum=0.8, weight_decay=0.1)
        alone = large[::2, 5]
        sgd(alone, slopes[1, :, 0], None, 0.5, weight_decay=0.1)
        return {"the array with w in every second row, and v in the others": large}

    check.experiment(run, sgd, "w and v that are transposed parts of an array")


def test_float32_arrays_change_in_place():
    def run(sgd):
        w, v, seen = start.astype("float32"), speed.astype("float32"), slopes.astype("float32")
        for lr, g in zip([0.1, 0.2, 0.3], seen):
            sgd(w, g, v, lr, momentum=0.9, weight_decay=0.5)
        return {"w": w, "v": v, "g": seen}

    check_float32.experiment(run, sgd, "three steps in float32, momentum 0.9, weight_decay 0.5")


def test_gradients_may_have_any_size():
    def run(size):
        def one(sgd):
            w, v = numpy.zeros(3), numpy.array([0.0, 1.0, -1.0]) * size
            sgd(w, NUMBERS * size, v, 0.5, momentum=0.8)
            return {"v": v, "w": w}

        return one

    for size in (1e6, 1e-9):
        check.experiment(
            run(size), sgd, f"w = 0, g = {size:g} * [1, -2, 4], lr = 0.5, momentum = 0.8"
        )


def test_momentum_may_be_1():
    check.experiment(steps([0.1, 0.2, 0.3], True, momentum=1.0), sgd, "three steps, momentum 1")


def test_nan_is_not_hidden():
    def run(sgd):
        w, v = numpy.zeros(3), numpy.ones(3)
        sgd(w, numpy.array([1.0, numpy.nan, -2.0]), v, 0.5, momentum=0.8)
        return {"v": v, "w": w}

    check.experiment(run, sgd, "w = 0, v = 1, g = [1, NaN, -2]")


def test_nan_is_not_hidden_without_momentum():
    def run(sgd):
        w = numpy.array([1.0, 2.0, numpy.nan])
        sgd(w, numpy.array([1.0, numpy.nan, -2.0]), None, 0.5, weight_decay=0.1)
        return {"w": w}

    check.experiment(run, sgd, "w = [1, 2, NaN], g = [1, NaN, -2], no momentum, weight_decay 0.1")


def test_a_momentum_of_0_changes_the_velocity_too():
    check.experiment(steps([0.1, 0.2, 0.3], True, momentum=0.0), sgd, "three steps, momentum 0")
    check.experiment(
        steps([0.1, 0.2, 0.3], True, weight_decay=0.5, nesterov=True),
        sgd,
        "three steps with Nesterov, momentum 0, weight_decay 0.5",
    )


def test_nesterov_without_a_velocity_is_a_plain_step():
    told = "three steps with Nesterov, no momentum and no v, weight_decay 0.5"
    check.experiment(steps([0.1, 0.2, 0.3], False, weight_decay=0.5, nesterov=True), sgd, told)


def test_a_learning_rate_may_be_larger_than_1():
    told = "three steps, momentum 0.9, lr 1, 2.5, 10, weight_decay 1.5"
    check.experiment(steps([1.0, 2.5, 10.0], True, momentum=0.9, weight_decay=1.5), sgd, told)


def test_weights_may_have_four_axes():
    def run(sgd):
        w, g, v = numpy.cos(numpy.arange(72.0)).reshape(3, 2, 3, 2, 2)
        sgd(w, g, v, 0.5, momentum=0.8, weight_decay=0.1, nesterov=True)
        sgd(w, g, None, 0.5)
        return {"w": w, "v": v}

    check.experiment(run, sgd, "w, g and v of shape (2, 3, 2, 2), with Nesterov and without v")
