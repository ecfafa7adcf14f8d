"""Exercise 07c: what goes wrong with running statistics."""


def _moved(running, batch, momentum):
    running[...] = (1 - momentum) * running + momentum * batch


def momentum_reversed(running_mean, running_var, mean, var, momentum, count):
    """momentum is used as the weight of the old value: here, as in PyTorch, it is the weight of the batch"""
    _moved(running_mean, mean, 1 - momentum)
    _moved(running_var, var * (count / (count - 1)), 1 - momentum)


def biased(running_mean, running_var, mean, var, momentum, count):
    """the biased variance is stored: it is too small by a factor of (count - 1) / count, and evaluation sees many images"""
    _moved(running_mean, mean, momentum)
    _moved(running_var, var, momentum)


def factor_inverted(running_mean, running_var, mean, var, momentum, count):
    """the variance is multiplied by (count - 1) / count: that makes it even smaller instead of unbiased"""
    _moved(running_mean, mean, momentum)
    _moved(running_var, var * ((count - 1) / count), momentum)


def mean_unbiased_too(running_mean, running_var, mean, var, momentum, count):
    """the mean is multiplied by count / (count - 1) as well: it has no bias"""
    _moved(running_mean, mean * (count / (count - 1)), momentum)
    _moved(running_var, var * (count / (count - 1)), momentum)


def names_bound_anew(running_mean, running_var, mean, var, momentum, count):
    """new arrays are made and lost at the end: change the caller's arrays, with *=, += or [...]"""


def batch_changed(running_mean, running_var, mean, var, momentum, count):
    """the batch's own statistics are changed in place: its backward pass still needs them"""
    mean *= momentum
    var *= momentum * count / (count - 1)
    running_mean[...] = (1 - momentum) * running_mean + mean
    running_var[...] = (1 - momentum) * running_var + var


def nothing_forgotten(running_mean, running_var, mean, var, momentum, count):
    """the running statistics keep their whole weight, so that they grow forever: they should be multiplied by 1 - momentum"""
    running_mean += momentum * mean
    running_var += momentum * var * (count / (count - 1))
