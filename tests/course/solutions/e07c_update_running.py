"""Solutions of 07c."""

from minires.backend import xp
from tests.course.kinds import right, wrong

MEAN = "test_momentum_is_the_weight_of_the_batchs_mean"
VAR = "test_the_variance_moves_towards_the_unbiased_one"


@right
def by_the_gap(running_mean, running_var, mean, var, momentum, count):
    running_mean += momentum * (mean - running_mean)
    running_var += momentum * (var * count / (count - 1) - running_var)


@right
def written_over(running_mean, running_var, mean, var, momentum, count):
    running_mean[:] = (1 - momentum) * running_mean + momentum * mean
    running_var[:] = (1 - momentum) * running_var + momentum * count * var / (count - 1)


@right
def channel_by_channel(running_mean, running_var, mean, var, momentum, count):
    for c in range(len(mean)):
        old, new = float(running_var[c]), float(var[c]) * count / (count - 1)
        running_mean[c] = running_mean[c] - momentum * (running_mean[c] - mean[c])
        running_var[c] = old - momentum * (old - new)


@wrong(MEAN, mistake="momentum_reversed")
def the_share_that_stays(running_mean, running_var, mean, var, momentum, count):
    running_mean += (1 - momentum) * (mean - running_mean)
    running_var += (1 - momentum) * (var * count / (count - 1) - running_var)


@wrong(VAR, mistake="biased")
def as_it_came(running_mean, running_var, mean, var, momentum, count):
    for running, batch in zip((running_mean, running_var), (mean, var)):
        running *= 1 - momentum
        running += momentum * batch


@wrong(VAR, mistake="factor_inverted")
def smaller_still(running_mean, running_var, mean, var, momentum, count):
    by_the_gap(running_mean, running_var, mean, var * ((count - 1) / count) ** 2, momentum, count)


@wrong(MEAN, mistake="mean_unbiased_too")
def both_multiplied(running_mean, running_var, mean, var, momentum, count):
    for running, batch in ((running_mean, mean), (running_var, var)):
        running += momentum * (batch + batch / (count - 1) - running)


@wrong(MEAN, mistake="names_bound_anew")
def forgotten(running_mean, running_var, mean, var, momentum, count):
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var * count / (count - 1)
    return running_mean, running_var


@wrong("test_the_batchs_statistics_stay_unchanged", mistake="batch_changed")
def products_in_place(running_mean, running_var, mean, var, momentum, count):
    xp.multiply(mean, momentum, out=mean)
    xp.multiply(var, momentum * count / (count - 1), out=var)
    running_mean *= 1 - momentum
    running_mean += mean
    running_var *= 1 - momentum
    running_var += var


@wrong(MEAN, mistake="nothing_forgotten")
def added(running_mean, running_var, mean, var, momentum, count):
    xp.add(running_mean, momentum * mean, out=running_mean)
    xp.add(running_var, momentum * (var + var / (count - 1)), out=running_var)


@wrong("test_the_batchs_statistics_stay_unchanged")
def unbiased_in_place(running_mean, running_var, mean, var, momentum, count):
    var *= count / (count - 1)
    running_mean += momentum * (mean - running_mean)
    running_var += momentum * (var - running_var)


@wrong("test_momentum_is_what_the_caller_says")
def always_a_tenth(running_mean, running_var, mean, var, momentum, count):
    by_the_gap(running_mean, running_var, mean, var, 0.1, count)


@wrong(VAR)
def the_mean_only(running_mean, running_var, mean, var, momentum, count):
    running_mean += momentum * (mean - running_mean)


@wrong(VAR)
def deviations_averaged(running_mean, running_var, mean, var, momentum, count):
    running_mean += momentum * (mean - running_mean)
    root = (1 - momentum) * xp.sqrt(running_var) + momentum * xp.sqrt(var * count / (count - 1))
    running_var[...] = root**2


@wrong(VAR)
def one_value_more(running_mean, running_var, mean, var, momentum, count):
    by_the_gap(
        running_mean,
        running_var,
        mean,
        var * (count + 1) / count * (count - 1) / count,
        momentum,
        count,
    )


@wrong("test_momentum_is_what_the_caller_says")
def a_batch_with_no_share_counts(running_mean, running_var, mean, var, momentum, count):
    by_the_gap(running_mean, running_var, mean, var, momentum or 0.1, count)


@wrong(MEAN)
def twice(running_mean, running_var, mean, var, momentum, count):
    by_the_gap(running_mean, running_var, mean, var, momentum, count)
    by_the_gap(running_mean, running_var, mean, var, momentum, count)
