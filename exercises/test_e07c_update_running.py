"""Claims about update_running: it moves the running statistics a little towards those of a batch, in place."""

import numpy
from e07c_update_running import update_running

from minires.course import Check

check = Check("07c")


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


def test_the_mean_moves_by_the_share_momentum():
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


def test_the_batchs_own_stay_as_they_are():
    check.experiment(moved("mean", "var"), update_running, ABOUT)


def test_steps_add_up():
    check.experiment(moved(*RUNNING, steps=3), update_running, "three steps with the same batch")
