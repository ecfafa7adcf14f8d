"""Strange solutions of 14d."""

from collections import OrderedDict
from itertools import chain

from minires.nn import BatchNorm, Conv2d, Linear
from minires.optim import SGD
from tests.course.kinds import right, wrong
from tests.course.solutions.e14d_decay_groups import (
    DEEP,
    FROZEN,
    GIVEN,
    ITSELF,
    LAYERED,
    LISTS,
    NAMES,
    ONES,
    RESNET,
    SHARED,
    SMALL,
    UNCHANGED,
    learning,
    pair,
    split,
    weight,
)


@right
def sorted_by_axes(model, decay):
    found = {True: [], False: []}
    for parameter in learning(model):
        found[parameter.ndim > 1].append(parameter)
    return pair(found[True], found[False], decay)


@right
def by_sets(model, decay):
    """By identity, without the order of the tree."""
    every = {id(p): p for p in model.parameters() if p.requires_grad}
    heavy = {id(m.weight) for _, m in model.modules() if isinstance(m, (Conv2d, Linear))} & set(
        every
    )
    return pair([every[i] for i in heavy], [every[i] for i in every.keys() - heavy], decay)


@right
def ordered_dicts(model, decay):
    """A dict of a class of its own."""
    heavy, light = (group["params"] for group in split(learning(model), decay, weight))
    return [
        OrderedDict(params=heavy, weight_decay=decay),
        OrderedDict(weight_decay=0, params=light),
    ]


@right
def two_comprehensions(model, decay):
    every = learning(model)
    return [
        {"params": [p for p in every if len(p.data.shape) > 1], "weight_decay": decay},
        {"params": [p for p in every if len(p.data.shape) == 1], "weight_decay": 0 * decay},
    ]


@wrong(SMALL)
def names_in_the_groups(model, decay):
    """With a name per group, which the optimizer doesn't know."""
    groups = split(learning(model), decay, weight)
    return [{**group, "name": name} for group, name in zip(groups, ("weights", "others"))]


@wrong(SMALL)
def with_a_rate(model, decay):
    return [{**group, "lr": 0.1} for group in split(learning(model), decay, weight)]


@wrong(SMALL)
def a_group_per_parameter(model, decay):
    return [{"params": [p], "weight_decay": decay if weight(p) else 0} for p in learning(model)]


@wrong(SMALL, crashes=True)
def the_optimizer_itself(model, decay):
    return SGD(split(learning(model), decay, weight), lr=0.1)


@wrong(SMALL)
def arrays(model, decay):
    """The arrays instead of the parameters."""
    groups = split(learning(model), decay, weight)
    return [{**group, "params": [p.data for p in group["params"]]} for group in groups]


@wrong(SMALL)
def as_text(model, decay):
    """Names instead of parameters."""
    names = {id(p): name for name, p in model.named_parameters()}
    groups = split(learning(model), decay, weight)
    return [{**group, "params": [names[id(p)] for p in group["params"]]} for group in groups]


@wrong(NAMES)
def by_name_of_the_layer(model, decay):
    """By "conv" and "fc"."""
    heavy = {
        id(p)
        for name, p in model.named_parameters()
        if name.endswith("weight") and ("conv" in name or "fc" in name or "downsample.0" in name)
    }
    return split(learning(model), decay, lambda p: id(p) in heavy)


@wrong(RESNET)
def no_projections(model, decay):
    """What is called downsample doesn't decay."""
    light = {id(p) for name, p in model.named_parameters() if "downsample" in name}
    return split(learning(model), decay, lambda p: weight(p) and id(p) not in light)


@wrong(ITSELF)
def modules_below(model, decay):
    """The model itself is never a layer."""
    below = [m for name, m in model.modules() if name]
    every = [p for m in below for p in (getattr(m, "weight", None), getattr(m, "bias", None))]
    unique = {id(p): p for p in every if p is not None and p.requires_grad}
    return split(unique.values(), decay, weight)


@wrong(SHARED)
def shared_ones_left_out(model, decay):
    """A parameter in two layers is in no group."""
    own = [id(m.weight) for _, m in model.modules() if hasattr(m, "weight")]
    return split([p for p in learning(model) if own.count(id(p)) < 2], decay, weight)


@wrong(FROZEN)
def frozen_modules(model, decay):
    """Looks at the mark of the module, and not at requires_grad."""
    out = {id(p) for _, m in model.modules() if m.frozen for p in m.parameters()}
    return split([p for p in model.parameters() if id(p) not in out], decay, weight)


@wrong(ONES)
def by_size(model, decay):
    """The largest array of a layer is its weight."""
    return split(learning(model), decay, lambda p: p.size > 4)


KEPT = {}


@wrong(GIVEN)
def decay_of_the_first_call(model, decay):
    return split(learning(model), KEPT.setdefault("decay", decay), weight)


@wrong(GIVEN)
def at_least_something(model, decay):
    return split(learning(model), decay or 1e-4, weight)


@wrong(UNCHANGED)
def everything_learns(model, decay):
    """Unfreezes what it is given."""
    groups = split(learning(model), decay, weight)
    for parameter in model.parameters():
        parameter.requires_grad = True
    return groups


@wrong(DEEP)
def two_levels(model, decay):
    """Children and grandchildren."""
    below = [m for _, child in model.children() for m in (child, *(g for _, g in child.children()))]
    found = {
        id(p): p
        for m in (model, *below)
        for p in (getattr(m, "weight", None), getattr(m, "bias", None))
        if hasattr(p, "requires_grad") and p.requires_grad
    }
    return split(found.values(), decay, weight)


@wrong(LISTS)
def norms_in_a_row_only(model, decay):
    """What follows a convolution in a dict of attributes is its norm."""
    light = {
        id(p)
        for _, m in model.modules()
        for v in vars(m).values()
        if isinstance(v, BatchNorm)
        for p in v.parameters()
    }
    biases = {id(m.bias) for _, m in model.modules() if isinstance(m, (Conv2d, Linear))}
    return split(learning(model), decay, lambda p: id(p) not in light | biases)


@wrong(SMALL)
def chained(model, decay):
    """One list for both."""
    both = split(learning(model), decay, weight)
    every = list(chain(*(group["params"] for group in both)))
    return pair(every, every, decay)


@right
def by_children(model, decay):
    """Each module once, and its children."""
    found, done = ({}, {}), set()

    def walk(module):
        if id(module) in done:
            return
        done.add(id(module))
        if isinstance(module, (Conv2d, Linear, BatchNorm)):
            found[isinstance(module, BatchNorm)][id(module.weight)] = module.weight
            found[1][id(module.bias)] = module.bias
        for _, child in module.children():
            walk(child)

    walk(model)
    chosen = [[p for p in group.values() if p is not None and p.requires_grad] for group in found]
    return pair(*chosen, decay)


@wrong(LAYERED)
def no_further_than_a_layer(model, decay):
    """A layer is a leaf of the tree: what is below it is missed."""
    found, queue, done = {}, [model], set()
    while queue:
        module = queue.pop()
        if isinstance(module, (Conv2d, Linear, BatchNorm)):
            found.update((id(p), p) for p in (module.weight, module.bias) if p is not None)
        elif id(module) not in done:
            done.add(id(module))
            queue += [child for _, child in module.children()]
    return split([p for p in found.values() if p.requires_grad], decay, weight)


@wrong(UNCHANGED)
def trained_from_now_on(model, decay):
    return split(learning(model.train()), decay, weight)


@wrong(SMALL)
def read_once(model, decay):
    """Generators instead of lists."""
    groups = split(learning(model), decay, weight)
    return [{**group, "params": (p for p in group["params"])} for group in groups]


@wrong(FROZEN)
def as_its_weight(model, decay):
    """Whether a layer learns is read from its weight."""
    layers = [m for _, m in model.modules() if isinstance(m, (Conv2d, Linear, BatchNorm))]
    own = {
        id(p): p
        for m in layers
        if m.weight.requires_grad
        for p in (m.weight, m.bias)
        if p is not None
    }
    return split(own.values(), decay, weight)


@wrong(SHARED)
def equal_values_once(model, decay):
    """Layer by layer, and without what the layer before has had."""
    found = []
    for _, module in model.modules():
        if isinstance(module, (Conv2d, Linear, BatchNorm)):
            found += [p for p in (module.weight, module.bias) if p is not None and p.requires_grad]
    return split(found, decay, weight)
