"""Claims about update_running: it moves the running statistics a little towards those of a batch, in place."""

import numpy
from e07c_update_running import update_running

from minires.course import Check

check = Check("07c")
check_float32 = Check("07c", tolerance=1e-6)


def moved(*kinds, momentum=0.1, count=4, steps=1):
    """Experiment: an update, and the arrays of these names afterwards."""

    def run(move):
        arrays = {
            "running_mean": numpy.array([1.0, -2.0, 0.5]), "running_var": numpy.array([1.0, 4.0, 0.25]),
            "mean": numpy.array([3.0, 5.0, -7.0]), "var": numpy.array([2.0, 0.5, 9.0]),
        }  # fmt: skip
        for _ in range(steps):
            move(*arrays.values(), momentum, count)
        return {f"{kind} afterwards": arrays[kind] for kind in kinds}

    return run


RUNNING = ("running_mean", "running_var")
ABOUT = "one step with momentum 0.1 and 4 values per channel"


def test_momentum_is_the_weight_of_the_batchs_mean():
    check.experiment(moved("running_mean"), update_running, ABOUT)


def test_the_variance_moves_towards_the_unbiased_one():
    check.experiment(moved("running_var"), update_running, ABOUT)
    check.experiment(
        moved("running_var", count=2),
        update_running,
        "one step with momentum 0.1 and 2 values per channel",
    )


def test_momentum_is_what_the_caller_says():
    check.experiment(
        moved(*RUNNING, momentum=0.75),
        update_running,
        "one step with momentum 0.75 and 4 values per channel",
    )
    check.experiment(
        moved(*RUNNING, momentum=0.0), update_running, "one step with momentum 0: nothing changes"
    )
    check.experiment(
        moved(*RUNNING, momentum=1.0),
        update_running,
        "one step with momentum 1: the batch's values replace them",
    )


def test_the_batchs_statistics_stay_unchanged():
    check.experiment(moved("mean", "var"), update_running, ABOUT)

    def run(move):
        batch = numpy.array([[0.23, 1.93, 7.43], [0.23, 1.93, 7.43]])
        for count in (
            2,
            4,
            7,
            11,
            50,
        ):  # multiplied, and divided again, they differ in their last digit
            move(*numpy.ones((2, 3)), *batch, 0.1, count)
        return {
            "the batch's statistics are what they were": bool((batch == [0.23, 1.93, 7.43]).all())
        }

    check.experiment(run, update_running, "steps with 2, 4, 7, 11 and 50 values per channel")


def test_nothing_is_returned():
    def run(move):
        returned = move(*numpy.ones((4, 3)), 0.1, 4)
        return {"a value is returned": returned is not None}

    check.experiment(run, update_running, ABOUT)


def test_the_first_batch_is_like_any_other():
    def run(move):
        running = numpy.array([[0.0, 0.0], [1.0, 1.0]])  # as in a new layer
        move(*running, numpy.array([3.0, -5.0]), numpy.array([2.0, 9.0]), 0.1, 4)
        return {"running_mean and running_var": running}

    check.experiment(run, update_running, "one step from the values of a new layer, 0 and 1")


def test_steps_add_up():
    check.experiment(moved(*RUNNING, steps=3), update_running, "three steps with the same batch")


def test_two_layers_with_as_many_channels_take_turns():
    def run(move):
        one, other = (numpy.zeros((2, 3)) + start for start in (1.0, 5.0))
        for i in range(3):
            move(*one, numpy.full(3, 2.0 * i), numpy.array([4.0, i, 1.0]), 0.1, 4)
            move(*other, numpy.full(3, -1.0), numpy.array([0.0, 1.0, 9.0]), 0.5, 3)
        return {"those of the first": one, "those of the second": other}

    check.experiment(
        run,
        update_running,
        "two layers with 3 channels, each with its own statistics, momentum and count",
    )


def test_the_size_of_the_batch_may_change():
    def run(move):
        running = numpy.array([[1.0], [2.0]])
        for count in (2, 100, 5):
            move(*running, numpy.array([3.0]), numpy.array([8.0]), 0.25, count)
        return {"running_mean and running_var": running}

    check.experiment(
        run, update_running, "three steps with momentum 0.25, and 2, 100 and 5 values per channel"
    )


def test_statistics_may_be_0_or_negative():
    def run(move):
        running = numpy.array([[0.0, -3.0, 0.0], [0.0, 0.0, 2.0]])
        move(*running, numpy.array([0.0, 0.0, -1.0]), numpy.array([0.0, 5.0, 0.0]), 0.1, 4)
        return {"running_mean and running_var": running}

    check.experiment(
        run, update_running, "one step in which some means and variances are 0 or negative"
    )


def test_the_arrays_may_be_parts_of_larger_ones():
    def run(move):
        large = numpy.arange(24.0).reshape(4, 6)
        move(large[0, ::2], large[1, ::-2], large[2:, 1:4].T[:, 0], large[3, 3:], 0.1, 4)
        return {"the array with all of them": large}

    check.experiment(
        run,
        update_running,
        "statistics that are rows of an array: every second element, also in reverse",
    )


def test_float32_statistics_change_in_place():
    def run(move):
        arrays = numpy.array(
            [[1, -2, 0.5], [1, 4, 0.25], [3, 5, -7], [2, 0.5, 9]], dtype=numpy.float32
        )
        move(*arrays, 0.1, 4)
        return {"running_mean, running_var, mean and var afterwards": arrays}

    check_float32.experiment(run, update_running, f"{ABOUT}, in float32")
