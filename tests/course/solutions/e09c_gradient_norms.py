"""Solutions of 09c: norms of the maps' gradients, and of something else."""

import math

import numpy

from minires.backend import to_host, xp
from minires.tensor import Tensor, apply
from tests.course.kinds import right, wrong

MUTATED = ("minires.course.answers.e09c_gradient_norms._norm",)

HAND = "test_numbers_by_hand"
LAYERS = "test_one_norm_per_layer_from_the_first_to_the_last"
SMALL = "test_a_sum_of_squares_may_be_small"
NONE = "test_a_map_that_the_loss_does_not_depend_on_has_0"
STAY = "test_gradients_of_the_parameters_stay_as_they_were"
ONCE = "test_no_layer_runs_twice"


def root_of_squares(gradient):
    return (
        0.0 if gradient is None else math.sqrt(float((to_host(gradient).astype(float) ** 2).sum()))
    )


class Kept:
    """Context manager: the parameters' gradients are as before afterwards."""

    def __init__(self, layers):
        self.parameters = {id(one): one for layer in layers for one in layer.parameters()}.values()

    def __enter__(self):
        self.before = [(one, one.grad) for one in self.parameters]
        for one in self.parameters:
            one.grad = None

    def __exit__(self, *_):
        for one, grad in self.before:
            one.grad = grad


def spied(layers, x, loss, *, before=False):
    """The gradient of each map (before: of what comes into each layer), caught by an op that returns its input. None where none comes."""
    caught = {}

    def spy(i):
        def watched(array):
            def backward(g):
                caught[i] = g.copy()
                return (g,)

            return array, backward

        return watched

    x = x + Tensor(xp.zeros_like(x.data), requires_grad=True)
    for i, layer in enumerate(layers):
        x = apply(spy(i), x) if before else x
        x = layer(x)
        x = x if before else apply(spy(i), x)
    loss(x).backward()
    return [caught.get(i) for i in range(len(layers))]


@right
def by_a_spy(layers, x, loss):
    with Kept(layers):
        return [root_of_squares(g) for g in spied(layers, x, loss)]


@right
def by_walking_back(layers, x, loss):
    """Each layer on a leaf of its own; the gradient is handed from one to the next by hand."""
    with Kept(layers):
        pairs = []
        for layer in layers:
            leaf = Tensor(x.data, requires_grad=True)
            x = layer(leaf)
            pairs.append((leaf, x))
        last = Tensor(x.data, requires_grad=True)
        loss(last).backward()
        g, norms = last.grad, []
        for leaf, result in reversed(pairs):
            norms.append(root_of_squares(g))
            if g is not None and result.requires_grad:
                result.backward(g)
            g = leaf.grad
    return norms[::-1]


@right
def by_probes_in_a_list(layers, x, loss):
    probes, h = [], x
    for layer in layers:
        h = layer(h)
        probes += [Tensor(h.data * 0, requires_grad=True)]
        h = probes[-1] + h
    with Kept(layers):
        loss(h).backward()
    return [float(numpy.linalg.norm(to_host(p.grad).astype("float64").ravel())) if p.grad is not None else 0.0 for p in probes]  # fmt: skip


@wrong(HAND, mistake="of_the_weights")
def by_parameters(layers, x, loss):
    with Kept(layers):
        h = x + Tensor(xp.zeros_like(x.data), requires_grad=True)
        for layer in layers:
            h = layer(h)
        loss(h).backward()
        return [
            math.hypot(*(root_of_squares(one.grad) for one in layer.parameters()), 0.0)
            for layer in layers
        ]


@wrong(HAND, mistake="of_the_inputs")
def before_each_layer(layers, x, loss):
    with Kept(layers):
        return [root_of_squares(g) for g in spied(layers, x, loss, before=True)]


@wrong(HAND, mistake="of_the_maps_themselves")
def norms_of_maps(layers, x, loss):
    norms = []
    for layer in layers:
        x = layer(x)
        norms.append(root_of_squares(x.data))
    return norms


@wrong(HAND, mistake="from_the_last_layer")
def as_they_come(layers, x, loss):
    return list(reversed(by_walking_back(layers, x, loss)))


@wrong(HAND, mistake="root_mean_square")
def mean_under_the_root(layers, x, loss):
    with Kept(layers):
        return [
            0.0 if g is None else root_of_squares(g) / math.sqrt(g.size)
            for g in spied(layers, x, loss)
        ]


@wrong(HAND, mistake="root_forgotten")
def dot_products(layers, x, loss):
    with Kept(layers):
        rows = [numpy.zeros(1) if g is None else to_host(g).astype(float).ravel() for g in spied(layers, x, loss)]  # fmt: skip
        return [float(row @ row) for row in rows]


@wrong(HAND, mistake="sum_of_absolute_values")
def norm_of_order_1(layers, x, loss):
    with Kept(layers):
        rows = [numpy.zeros(1) if g is None else to_host(g).astype(float).ravel() for g in spied(layers, x, loss)]  # fmt: skip
        return [float(numpy.linalg.norm(row, 1)) for row in rows]


@wrong(SMALL, mistake="squared_in_float32")
def in_the_dtype_of_the_map(layers, x, loss):
    with Kept(layers):
        return [0.0 if g is None else float(xp.sqrt(xp.sum(g * g))) for g in spied(layers, x, loss)]


@wrong(STAY, mistake="added_to_the_parameters")
def left_behind(layers, x, loss):
    return [root_of_squares(g) for g in spied(layers, x, loss)]


@wrong(STAY, mistake="parameters_zeroed")
def emptied(layers, x, loss):
    norms = by_a_spy(layers, x, loss)
    for layer in layers:
        for one in layer.parameters():
            one.grad = None
    return norms


@wrong(STAY)
def kept_by_name_only(layers, x, loss):
    """backward() adds to the arrays that are kept."""
    parameters = [one for layer in layers for one in layer.parameters()]
    before = [one.grad for one in parameters]
    norms = left_behind(layers, x, loss)
    for one, grad in zip(parameters, before):
        one.grad = grad
    return norms


@wrong(LAYERS)
def an_array(layers, x, loss):
    return numpy.array(by_a_spy(layers, x, loss))


@wrong(LAYERS)
def numpy_floats(layers, x, loss):
    return [numpy.float64(norm) for norm in by_a_spy(layers, x, loss)]


@wrong(HAND)
def the_last_one_left_out(layers, x, loss):
    return [*by_a_spy(layers, x, loss)[:-1], 0.0]


@wrong(HAND)
def the_largest(layers, x, loss):
    with Kept(layers):
        return [0.0 if g is None else float(abs(g).max()) for g in spied(layers, x, loss)]


@wrong(NONE)
def unreached_ones_left_out(layers, x, loss):
    with Kept(layers):
        return [root_of_squares(g) for g in spied(layers, x, loss) if g is not None]


@wrong(ONCE)
def one_pass_per_layer(layers, x, loss):
    norms = []
    for i in range(len(layers)):
        h = x
        for j, layer in enumerate(layers):
            h = layer(h)
            if i == j:
                probe = Tensor(xp.zeros_like(h.data), requires_grad=True)
                h = h + probe
        with Kept(layers):
            loss(h).backward()
        norms.append(root_of_squares(probe.grad))
    return norms
