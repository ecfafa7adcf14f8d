"""Exercise 09b: a deeper net that computes the same, and what goes wrong with it."""

from minires.backend import xp
from minires.nn import BatchNorm, Conv2d, ReLU, init
from minires.ops import channel_stats
from minires.tensor import no_grad


def deepened(layers, x, copies=1):
    """A deeper net that computes the same: a list with the layers, and new neutral ones after each ReLU.

    layers  a list of modules    x  a Tensor (N, H, W, C)    copies  neutral groups after each ReLU, 0 or more
    """
    result = []
    with no_grad():
        for layer in layers:
            x = layer(x)
            result.append(layer)
            if isinstance(layer, ReLU):
                mean, var = channel_stats(x.data)
                for _ in range(copies):
                    channels = x.shape[-1]
                    conv = Conv2d(channels, channels, 3, padding=1, bias=False)
                    init.dirac(conv.weight.data)
                    norm = BatchNorm(channels)
                    norm.running_mean[...] = mean
                    norm.running_var[...] = var
                    norm.weight.data[...] = xp.sqrt(var + norm.eps)
                    norm.bias.data[...] = mean
                    result += [part.eval() for part in (conv, norm, ReLU())]
    return result


def _gamma(mean, var, eps):
    return xp.sqrt(var + eps)


def _group(mean, var, *, gamma=_gamma, beta=True, running=True, neutral=True):
    """Return the three layers for a map with these statistics, with mistakes as options."""
    channels = len(mean)
    conv = Conv2d(channels, channels, 3, padding=1, bias=False)
    if neutral:
        init.dirac(conv.weight.data)
    norm = BatchNorm(channels)
    if running:
        norm.running_mean[...], norm.running_var[...] = mean, var
    norm.weight.data[...] = gamma(mean, var, norm.eps)
    norm.bias.data[...] = mean if beta else 0
    return [part.eval() for part in (conv, norm, ReLU())]


def _deeper(layers, x, copies, *, group=_group, after=None):
    """Return the deeper list, with groups made by group(mean, var), after the ReLUs for which after(number of the ReLU, of all) is true."""
    result, relus, all_relus = [], 0, sum(isinstance(layer, ReLU) for layer in layers)
    with no_grad():
        for layer in layers:
            x = layer(x)
            result.append(layer)
            if isinstance(layer, ReLU):
                relus += 1
                for _ in range(copies if after is None or after(relus, all_relus) else 0):
                    result += group(*channel_stats(x.data))
    return result


def eps_forgotten(layers, x, copies=1):
    """gamma is sqrt(var): batch norm divides by sqrt(var + eps)"""
    return _deeper(
        layers,
        x,
        copies,
        group=lambda mean, var: _group(mean, var, gamma=lambda m, v, e: xp.sqrt(v)),
    )


def root_forgotten(layers, x, copies=1):
    """gamma is var + eps: batch norm divides by its root"""
    return _deeper(
        layers, x, copies, group=lambda mean, var: _group(mean, var, gamma=lambda m, v, e: v + e)
    )


def gamma_left_at_1(layers, x, copies=1):
    """gamma is still 1 and beta still 0, as in a new batch norm: the map comes out normalised"""
    return _deeper(
        layers,
        x,
        copies,
        group=lambda mean, var: _group(mean, var, gamma=lambda m, v, e: 1, beta=False),
    )


def beta_left_at_0(layers, x, copies=1):
    """beta is still 0: the mean that batch norm subtracts is not added again"""
    return _deeper(layers, x, copies, group=lambda mean, var: _group(mean, var, beta=False))


def running_left_alone(layers, x, copies=1):
    """the running statistics are still those of a new batch norm, 0 and 1, but gamma and beta are made for those of the map"""
    return _deeper(layers, x, copies, group=lambda mean, var: _group(mean, var, running=False))


def for_evaluation_only(layers, x, copies=1):
    """the running statistics are those of a new batch norm, 0 and 1, with gamma and beta to match: in training mode the map comes out normalised"""

    def group(mean, var):
        return _group(0 * mean, 0 * var + 1)

    return _deeper(layers, x, copies, group=group)


def random_filters(layers, x, copies=1):
    """the new convolutions still have the random filters that they start with"""
    return _deeper(layers, x, copies, group=lambda mean, var: _group(mean, var, neutral=False))


def shared_arrays(layers, x, copies=1):
    """the bias of a new batch norm is the same array as its running mean: training moves one and changes the other"""

    def group(mean, var):
        conv, norm, relu = _group(mean, var)
        norm.bias.data = norm.running_mean
        return [conv, norm, relu]

    return _deeper(layers, x, copies, group=group)


def the_same_layers_again(layers, x, copies=1):
    """after each ReLU, the same three layers are in the list `copies` times: make new ones, or they share their weights"""
    result = []
    for layer in _deeper(layers, x, 1):
        result.append(layer)
        if isinstance(layer, ReLU) and layer not in layers:
            result += result[-3:] * (copies - 1)
    return result if copies else list(layers)


def after_the_last_only(layers, x, copies=1):
    """new layers come only after the last ReLU"""
    return _deeper(layers, x, copies, after=lambda number, of: number == of)


def left_in_training(layers, x, copies=1):
    """the new layers are in training mode: the next batch moves their statistics"""

    def group(mean, var):
        return [part.train() for part in _group(mean, var)]

    return _deeper(layers, x, copies, group=group)
