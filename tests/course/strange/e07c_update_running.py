"""Strange solutions of 07c."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

MEAN = "test_momentum_is_the_weight_of_the_batchs_mean"
VAR = "test_the_variance_moves_towards_the_unbiased_one"
MOMENTUM = "test_momentum_is_what_the_caller_says"
BATCH = "test_the_batchs_statistics_stay_unchanged"
STEPS = "test_steps_add_up"
TURNS = "test_two_layers_with_as_many_channels_take_turns"
SIZES = "test_the_size_of_the_batch_may_change"
ZEROS = "test_statistics_may_be_0_or_negative"
PARTS = "test_the_arrays_may_be_parts_of_larger_ones"

# Defaults that all calls share.
SEEN = set()
COUNTED = {}
FACTOR = {}


def moved(running, batch, momentum):
    running += momentum * (batch - running)


@right
def by_put(running_mean, running_var, mean, var, momentum, count):
    for running, batch in ((running_mean, mean), (running_var, var * count / (count - 1))):
        new = [(1 - momentum) * old + momentum * now for old, now in zip(running, batch)]
        numpy.put(running, range(len(running)), new)


@right
def ufuncs_with_out(running_mean, running_var, mean, var, momentum, count):
    unbiased = xp.divide(var * count, count - 1)
    for running, batch in zip([running_mean, running_var], [mean, unbiased]):
        xp.multiply(running, 1 - momentum, out=running)
        xp.add(running, xp.multiply(batch, momentum), out=running)


@right
def stacked(running_mean, running_var, mean, var, momentum, count):
    old = xp.stack([running_mean, running_var])
    new = xp.stack([mean, var / (1 - 1 / count)])
    running_mean[...], running_var[...] = (
        xp.array([1 - momentum, momentum]) @ xp.stack([o, n]) for o, n in zip(old, new)
    )


@right
def copied_into(running_mean, running_var, mean, var, momentum, count):
    if not 0 <= momentum <= 1 or count < 2:
        raise ValueError((momentum, count))
    sums = var.astype("float64") * count
    xp.copyto(running_var, running_var + momentum * (sums / (count - 1) - running_var), "same_kind")
    xp.copyto(running_mean, xp.average([running_mean, mean], axis=0, weights=[1 - momentum, momentum]), "same_kind")  # fmt: skip


@right
def by_a_closure(running_mean, running_var, mean, var, momentum, count):
    def move(running, batch, factor=1.0):
        for c, value in enumerate(batch.tolist()):
            running[c] -= momentum * (running[c] - factor * value)

    move(running_mean, mean)
    move(running_var, var, factor=1 + 1 / (count - 1))


@wrong(TURNS)
def statistics_of_the_first_layer(running_mean, running_var, mean, var, momentum, count):
    """Recognised by their shape."""
    kept = vars(statistics_of_the_first_layer).setdefault(running_mean.shape, running_mean.copy())
    kept += momentum * (mean - kept)
    running_mean[...] = kept if count == 3 else running_mean + momentum * (mean - running_mean)
    moved(running_var, var * count / (count - 1), momentum)


@wrong(MEAN)
def first_call_replaces(running_mean, running_var, mean, var, momentum, count, seen=SEEN):
    """A common trick: the first batch counts fully."""
    first = id(running_mean) not in seen
    seen.add(id(running_mean))
    share = 1.0 if first else momentum
    moved(running_mean, mean, share)
    moved(running_var, var * count / (count - 1), share)


@wrong(STEPS)
def average_of_all_steps(running_mean, running_var, mean, var, momentum, count, steps=COUNTED):
    """The momentum falls with each step of the same arrays."""
    step = steps.get(id(running_mean), 0)
    steps.clear()
    steps[id(running_mean)] = step + 1
    moved(running_mean, mean, momentum / (1 + step))
    moved(running_var, var * count / (count - 1), momentum / (1 + step))


@wrong(SIZES)
def factor_of_the_first_batch(running_mean, running_var, mean, var, momentum, count, factor=FACTOR):
    if len(running_mean) > 1:
        factor.clear()
    its = factor.setdefault(running_mean.shape, count / (count - 1))
    moved(running_mean, mean, momentum)
    moved(running_var, var * its, momentum)


@wrong(SIZES)
def large_batches_have_no_bias(running_mean, running_var, mean, var, momentum, count):
    moved(running_mean, mean, momentum)
    moved(running_var, var * (count / (count - 1)) if count < 30 else var, momentum)


@wrong(ZEROS)
def zeros_are_not_started(running_mean, running_var, mean, var, momentum, count):
    """A running value of 0 is taken to be one that has seen nothing."""
    for running, batch in ((running_mean, mean), (running_var, var * count / (count - 1))):
        running[...] = xp.where(running == 0, batch, running + momentum * (batch - running))


@wrong(ZEROS)
def variance_at_least_eps(running_mean, running_var, mean, var, momentum, count):
    moved(running_mean, mean, momentum)
    moved(running_var, var * count / (count - 1), momentum)
    numpy.maximum(running_var, 1e-5, out=running_var)


@wrong(ZEROS)
def batches_of_0_are_skipped(running_mean, running_var, mean, var, momentum, count):
    for running, batch in ((running_mean, mean), (running_var, var * count / (count - 1))):
        running[batch != 0] += momentum * (batch - running)[batch != 0]


@wrong(PARTS)
def through_a_flat_copy(running_mean, running_var, mean, var, momentum, count):
    for running, batch in ((running_mean, mean), (running_var, var * count / (count - 1))):
        flat = numpy.ascontiguousarray(running)
        flat *= 1 - momentum
        flat += momentum * batch


@wrong(PARTS)
def strides_from_the_size(running_mean, running_var, mean, var, momentum, count):
    for running, batch in ((running_mean, mean), (running_var, var * count / (count - 1))):
        view = numpy.lib.stride_tricks.as_strided(running, batch.shape, (running.itemsize,))
        view += momentum * (batch - view)


@wrong(MOMENTUM)
def momentum_of_1_counts_as_none(running_mean, running_var, mean, var, momentum, count):
    if momentum == 1:
        return
    moved(running_mean, mean, momentum)
    moved(running_var, var * count / (count - 1), momentum)


@wrong(MEAN)
def attributes_of_the_function(running_mean, running_var, mean, var, momentum, count):
    update = attributes_of_the_function
    update.mean = (1 - momentum) * running_mean + momentum * mean
    update.var = (1 - momentum) * running_var + momentum * var * count / (count - 1)


@wrong(BATCH)
def swapped(running_mean, running_var, mean, var, momentum, count):
    """The new values are right, and the batch gets the old ones."""
    old = running_mean.copy()
    moved(running_mean, mean, momentum)
    moved(running_var, var * count / (count - 1), momentum)
    mean[...] = old


@wrong(VAR)
def mean_of_the_new_in_the_variance(running_mean, running_var, mean, var, momentum, count):
    """The variance of the mixture: the gap between the means counts too."""
    gap = mean - running_mean
    moved(running_mean, mean, momentum)
    moved(running_var, var * count / (count - 1) + (1 - momentum) * gap * gap, momentum)


@wrong(VAR)
def count_in_both(running_mean, running_var, mean, var, momentum, count):
    moved(running_mean, mean, momentum)
    running_var[...] = ((1 - momentum) * running_var + momentum * var) * count / (count - 1)


@wrong("test_float32_statistics_change_in_place")
def rounded_to_halves(running_mean, running_var, mean, var, momentum, count):
    narrow = "float16" if running_mean.dtype == "float32" else running_mean.dtype
    moved(running_mean, mean.astype(narrow), momentum)
    moved(running_var, var.astype(narrow) * (count / (count - 1)), momentum)
    running_mean[...] = running_mean.astype(narrow)


@wrong("test_the_first_batch_is_like_any_other")
def first_batch_copied(running_mean, running_var, mean, var, momentum, count):
    momentum = momentum if running_mean.any() or momentum == 0 else 1.0
    moved(running_mean, mean, momentum)
    moved(running_var, var * (count / (count - 1)), momentum)


@wrong("test_nothing_is_returned")
def arrays_returned(running_mean, running_var, mean, var, momentum, count):
    moved(running_mean, mean, momentum)
    moved(running_var, var * (count / (count - 1)), momentum)
    return running_mean, running_var


@wrong(BATCH)
def variance_multiplied_and_divided_again(running_mean, running_var, mean, var, momentum, count):
    moved(running_mean, mean, momentum)
    var *= count / (count - 1)
    moved(running_var, var, momentum)
    var /= count / (count - 1)
