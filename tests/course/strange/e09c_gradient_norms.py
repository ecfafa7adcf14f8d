"""Strange solutions of 09c."""

import copy
import math

import numpy

from minires.backend import to_host, xp
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

LAYERS = "test_one_norm_per_layer_from_the_first_to_the_last"
SMALL = "test_a_sum_of_squares_may_be_small"
PLAIN, TWICE = "test_layers_need_no_parameters", "test_a_layer_may_occur_twice"
STAY = "test_gradients_of_the_parameters_stay_as_they_were"
LATER, WEIGHTS = "test_a_second_call_returns_the_same", "test_weights_and_x_stay_unchanged"
NARROW, SINGLE = "test_a_float32_net_is_measured_too", "test_one_layer_is_a_net_too"


def norm(gradient):
    if gradient is None:
        return 0.0
    row = to_host(gradient).ravel().astype("float64")
    largest = abs(row).max() if row.size else 0.0
    return float(largest * math.sqrt(((row / largest) ** 2).sum())) if largest else 0.0


def probed(layers, x, loss):
    probes = []
    for layer in layers:
        y = layer(x)
        probes.append(Tensor(xp.zeros_like(y.data), requires_grad=True))
        x = y + probes[-1]
    loss(x).backward()
    return probes


def parameters(layers):
    return {id(one): one for layer in layers for one in layer.parameters()}.values()


@right
def on_a_copy(layers, x, loss):
    """All layers are copied at once, so that one that occurs twice stays one."""
    return [norm(probe.grad) for probe in probed(copy.deepcopy(list(layers)), x, loss)]


@right
def with_frozen_parameters(layers, x, loss):
    before = [(one, one.requires_grad) for one in parameters(layers)]
    for one, _ in before:
        one.requires_grad = False
    try:
        return [norm(probe.grad) for probe in probed(layers, x, loss)]
    finally:
        for one, flag in before:
            one.requires_grad = flag


@right
def subtracted_again(layers, x, loss):
    """The gradients that backward() added are written over by copies."""
    before = [(one, None if one.grad is None else one.grad.copy()) for one in parameters(layers)]
    kept = [(one, one.grad) for one in parameters(layers)]
    found = [norm(probe.grad) for probe in probed(layers, x, loss)]
    for (one, was), (_, array) in zip(before, kept):
        if array is not None:
            array[...] = was
        one.grad = array
    return found


@right
def by_multiplying_by_ones(layers, x, loss):
    """The gradient of ones that a map is multiplied by is g * map: probes of the maps as leaves instead, one by one from the end."""
    pairs, before = [], [(one, one.grad) for one in parameters(layers)]
    for one, _ in before:
        one.grad = None
    for layer in layers:
        leaf = Tensor(x.data, requires_grad=True)
        x = layer(leaf)
        pairs.append((leaf, x))
    end = Tensor(x.data, requires_grad=True)
    loss(end).backward()
    grads = [end.grad]
    for leaf, y in pairs[:0:-1]:
        if grads[0] is not None and y.requires_grad:
            y.backward(Tensor(grads[0]))
        grads.insert(0, leaf.grad)
    for one, grad in before:
        one.grad = grad
    return list(map(norm, grads))


FOUND = []


@wrong(LATER)
def one_list_for_all_calls(layers, x, loss):
    FOUND[:] = on_a_copy(layers, x, loss)
    return FOUND


@wrong(LATER)
def as_many_as_ever(layers, x, loss, longest=[0]):  # noqa: B006
    """Zeros for layers that an earlier net had."""
    found = on_a_copy(layers, x, loss)
    longest[0] = max(longest[0], len(found))
    return found + [0.0] * (longest[0] - len(found)) if len(found) > 1 else found


@wrong(PLAIN)
def through_the_first_weight(layers, x, loss):
    if not list(parameters(layers)):
        return [0.0 for _ in layers]
    return on_a_copy(layers, x, loss)


@wrong(TWICE)
def by_layer(layers, x, loss):
    """A dict from layers to norms: the second time counts."""
    layers = list(layers)
    found = dict(zip(map(id, layers), on_a_copy(layers, x, loss)))
    return [found[id(layer)] for layer in layers]


@wrong(TWICE)
def copied_one_by_one(layers, x, loss):
    return on_a_copy([*{id(layer): layer for layer in layers}.values()], x, loss)


@wrong(STAY)
def x_gets_a_gradient(layers, x, loss):
    x.requires_grad = True
    before = [(one, one.grad) for one in parameters(layers)]
    for one, _ in before:
        one.grad = None
    found = [norm(probe.grad) for probe in probed(layers, x, loss)]
    for one, grad in before:
        one.grad = grad
    return found


@wrong(STAY)
def zeros_where_there_was_none(layers, x, loss):
    found = on_a_copy(layers, x, loss)
    for one in parameters(layers):
        one.grad = xp.zeros_like(one.data) if one.grad is None else one.grad
    return found


@wrong(WEIGHTS)
def a_step_is_taken(layers, x, loss):
    found = on_a_copy(layers, x, loss)
    for one in parameters(layers):
        one.data *= 0.999
    return found


@wrong(WEIGHTS)
def the_list_used_up(layers, x, loss):
    copied = copy.deepcopy(list(layers))
    layers.clear()
    return [norm(probe.grad) for probe in probed(copied, x, loss)]


@wrong(NARROW)
def rounded_to_float16(layers, x, loss):
    return [float(numpy.float16(one)) for one in on_a_copy(layers, x, loss)]


@wrong(SMALL)
def never_less_than_eps(layers, x, loss):
    return [max(one, 1e-12) for one in on_a_copy(layers, x, loss)]


@wrong(SINGLE)
def spectral(layers, x, loss):
    """The largest singular value, which for a row is the same."""
    probes = probed(copy.deepcopy(list(layers)), x, loss)
    if len(probes) > 1 or probes[0].grad.ndim != 2:
        return [norm(probe.grad) for probe in probes]
    return [float(numpy.linalg.norm(to_host(probes[0].grad), 2))]


@wrong(LAYERS)
def a_tuple(layers, x, loss):
    return tuple(on_a_copy(layers, x, loss))


@wrong(LAYERS)
def relative_to_the_last(layers, x, loss):
    found = on_a_copy(layers, x, loss)
    return [one / found[-1] * (found[-1] if len(found) < 3 else 1) for one in found]


def restored(layers, x, loss, *, change=None):
    """The norms; the parameters' gradients are set aside, and set back as they were, or as change(gradient) says."""
    before = [(one, one.grad) for one in parameters(layers)]
    for one, _ in before:
        one.grad = None
    found = [norm(probe.grad) for probe in probed(layers, x, loss)]
    for one, grad in before:
        one.grad = change(grad) if change else grad
    return found


@right
def set_aside_and_set_back(layers, x, loss):
    return restored(layers, x, loss)


@right
def from_the_inside_out(layers, x, loss):
    """By recursion, with a probe that is subtracted: a norm has no sign."""
    before = [(one, one.grad) for one in parameters(layers)]
    for one, _ in before:
        one.grad = None

    def along(i, x):
        if i == len(layers):
            loss(x).backward()
            return []
        y = layers[i](x)
        probe = Tensor(y.data * 0, requires_grad=True)
        later = along(i + 1, y - probe)
        return [norm(probe.grad), *later]

    found = along(0, x)
    for one, grad in before:
        one.grad = grad
    return found


@wrong(STAY)
def set_aside_layer_by_layer(layers, x, loss):
    """Of a layer that occurs twice, the second record is None."""
    before = []
    for layer in layers:
        for one in layer.parameters():
            before.append((one, one.grad))
            one.grad = None
    found = [norm(probe.grad) for probe in probed(layers, x, loss)]
    for one, grad in before:
        one.grad = grad
    return found


@wrong(STAY)
def copies_put_back(layers, x, loss):
    """Equal numbers in a different array: whoever had the old one has lost it."""
    return restored(layers, x, loss, change=lambda grad: None if grad is None else grad.copy())


@wrong(STAY)
def all_parameters_learn_afterwards(layers, x, loss):
    for one in parameters(layers):
        one.requires_grad = False
    found = [norm(probe.grad) for probe in probed(layers, x, loss)]
    for one in parameters(layers):
        one.requires_grad = True
    return found


@wrong("test_maps_may_be_images")
def in_training_mode_always(layers, x, loss):
    modes = [layer.training for layer in layers]
    for layer in layers:
        layer.train()
    found = restored(layers, x, loss)
    for layer, mode in zip(layers, modes):
        layer.train(mode)
    return found


@wrong(SINGLE)
def a_loss_without_axes(layers, x, loss):
    """loss may return one element of any shape."""

    def checked(y):
        value = loss(y)
        assert value.shape == ()
        return value

    return restored(layers, x, checked)


@right
def gradients_kept_as_numbers(layers, x, loss):
    """backward adds to the arrays that are there; afterwards their numbers are written back."""
    own = parameters(layers)
    kept = [None if one.grad is None else one.grad.copy() for one in own]
    found = [norm(probe.grad) for probe in probed(layers, x, loss)]
    for one, numbers in zip(own, kept):
        if numbers is None:
            one.grad = None
        else:
            one.grad[...] = numbers
    return found
