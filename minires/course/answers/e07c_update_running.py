"""Exercise 07c: what goes wrong with running statistics."""


def _moved(running, batch, momentum):
    running[...] = (1 - momentum) * running + momentum * batch


def momentum_reversed(running_mean, running_var, mean, var, momentum, count):
    """momentum is taken for the share that stays: here, as in PyTorch, it is the share of the batch"""
    _moved(running_mean, mean, 1 - momentum)
    _moved(running_var, var * (count / (count - 1)), 1 - momentum)


def biased(running_mean, running_var, mean, var, momentum, count):
    """the biased variance is remembered: it is too small by (count - 1) / count, and in evaluation many images come"""
    _moved(running_mean, mean, momentum)
    _moved(running_var, var, momentum)


def factor_inverted(running_mean, running_var, mean, var, momentum, count):
    """the variance is multiplied by (count - 1) / count: that makes it smaller still, and not unbiased"""
    _moved(running_mean, mean, momentum)
    _moved(running_var, var * ((count - 1) / count), momentum)


def mean_unbiased_too(running_mean, running_var, mean, var, momentum, count):
    """the mean is multiplied by count / (count - 1) as well: it has no bias"""
    _moved(running_mean, mean * (count / (count - 1)), momentum)
    _moved(running_var, var * (count / (count - 1)), momentum)


def names_bound_anew(running_mean, running_var, mean, var, momentum, count):
    """new arrays are made and forgotten at the end: the caller's have to change, by *=, += or [...]"""


def batch_changed(running_mean, running_var, mean, var, momentum, count):
    """the batch's own statistics are changed in place: its backward has yet to use them"""
    mean *= momentum
    var *= momentum * count / (count - 1)
    running_mean[...] = (1 - momentum) * running_mean + mean
    running_var[...] = (1 - momentum) * running_var + var


def nothing_forgotten(running_mean, running_var, mean, var, momentum, count):
    """the running statistics keep their whole weight, so that they grow and grow: they have to be multiplied by 1 - momentum"""
    running_mean += momentum * mean
    running_var += momentum * var * (count / (count - 1))
