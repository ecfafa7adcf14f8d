"""Exercise 09c: the norm of the gradient of every map, and what goes wrong with it."""

import numpy

from minires.backend import to_host, xp
from minires.tensor import Tensor


def gradient_norms(layers, x, loss):
    """The norm of the gradient of the loss with respect to the map of each layer: a list of floats.

    layers  modules that run one after the other; a layer's map is what it returns    x  a Tensor, the input of the first
    loss  takes the map of the last layer and returns a Tensor of one element
    """
    probes = []
    for layer in layers:
        x = layer(x)
        probe = Tensor(xp.zeros_like(x.data), requires_grad=True)
        x = x + probe
        probes.append(probe)
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    before = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    loss(x).backward()
    for parameter, grad in zip(parameters, before):
        parameter.grad = grad
    return [_norm(probe.grad) for probe in probes]


def _norm(gradient):
    """Return the root of the sum of squares, in float64; 0 for None."""
    if gradient is None:
        return 0.0
    return float(numpy.sqrt((to_host(gradient).astype("float64") ** 2).sum()))


def _measured(layers, x, loss, *, norm=_norm, of="map", keep="restored"):
    """Return the same, with a different norm; of the maps' gradients, or of what `of` says; with the parameters' gradients afterwards as `keep` says."""
    probes, maps, own = [], [], []
    probe = Tensor(xp.zeros_like(x.data), requires_grad=True)
    ins = [probe]
    x = x + probe
    for layer in layers:
        x = layer(x)
        maps.append(x.data)
        own.append(layer.parameters())
        probe = Tensor(xp.zeros_like(x.data), requires_grad=True)
        x = x + probe
        probes.append(probe)
        ins.append(probe)
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    before = [parameter.grad for parameter in parameters]
    if keep != "added":
        for parameter in parameters:
            parameter.grad = None
    loss(x).backward()
    weights = [[parameter.grad for parameter in group] for group in own]
    if keep == "restored":
        for parameter, grad in zip(parameters, before):
            parameter.grad = grad
    if keep == "zeroed":
        for parameter in parameters:
            parameter.grad = None
    if of == "weights":
        return [sum(norm(grad) ** 2 for grad in group) ** 0.5 for group in weights]
    if of == "values":
        return [norm(array) for array in maps]
    return [norm(probe.grad) for probe in (ins[:-1] if of == "inputs" else probes)]


def _wide(gradient):
    return numpy.zeros(1) if gradient is None else to_host(gradient).astype("float64")


def of_the_weights(layers, x, loss):
    """the gradient of each layer's parameters is measured: a map's gradient is that of what the layer returns"""
    return _measured(layers, x, loss, of="weights")


def of_the_inputs(layers, x, loss):
    """the gradient of what goes into each layer is measured: the map is what comes out"""
    return _measured(layers, x, loss, of="inputs")


def of_the_maps_themselves(layers, x, loss):
    """the norm of each map is measured, not of its gradient"""
    return _measured(layers, x, loss, of="values")


def from_the_last_layer(layers, x, loss):
    """the list begins with the last layer, as the backward pass does"""
    return _measured(layers, x, loss)[::-1]


def root_mean_square(layers, x, loss):
    """the mean of the squares is taken instead of their sum"""
    return _measured(
        layers, x, loss, norm=lambda gradient: float((_wide(gradient) ** 2).mean() ** 0.5)
    )


def root_forgotten(layers, x, loss):
    """the root is missing: what comes out is the sum of the squares"""
    return _measured(layers, x, loss, norm=lambda gradient: float((_wide(gradient) ** 2).sum()))


def sum_of_absolute_values(layers, x, loss):
    """the absolute values are added up instead of the squares"""
    return _measured(layers, x, loss, norm=lambda gradient: float(abs(_wide(gradient)).sum()))


def squared_in_float32(layers, x, loss):
    """the squares are added up in float32, where the square of 1e-30 is 0: convert to float64 first"""

    def norm(gradient):
        return 0.0 if gradient is None else float((gradient**2).sum() ** 0.5)

    return _measured(layers, x, loss, norm=norm)


def added_to_the_parameters(layers, x, loss):
    """backward() has added to the gradients of the parameters, which may be in use"""
    return _measured(layers, x, loss, keep="added")


def parameters_zeroed(layers, x, loss):
    """the gradients that the parameters had are gone: set them back"""
    return _measured(layers, x, loss, keep="zeroed")
