"""Exercise 14d: which parameters weight decay is for, and other ways of choosing them."""

from minires.nn import Conv2d, Linear, Module, Parameter


def decay_groups(model, decay):
    """Return two groups of parameters for optim.SGD: with weight decay, and without.

    model  a Module    decay  the weight decay of the first group
    """
    decayed, others = [], []
    for parameter in model.parameters():
        if parameter.requires_grad:
            (decayed if len(parameter.shape) > 1 else others).append(parameter)
    return [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0}]


def _groups(decayed, others, decay, rest=0):
    return [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": rest}]


def _split(model, decay, decayed, *, learning=True, rest=0):
    """Return the groups: the first has the parameters for which decayed(name, parameter) is true."""
    found = [
        (name, parameter)
        for name, parameter in model.named_parameters()
        if parameter.requires_grad or not learning
    ]
    chosen = [parameter for name, parameter in found if decayed(name, parameter)]
    others = [parameter for name, parameter in found if not decayed(name, parameter)]
    return _groups(chosen, others, decay, rest)


def _right(name, parameter):
    return parameter.ndim > 1


def by_the_name_bn(model, decay):
    """batch norms are recognised by "bn" in their names: those with other names decay"""
    return _split(model, decay, lambda name, p: "bn" not in name and not name.endswith("bias"))


def everything_called_weight(model, decay):
    """everything that is called weight decays, and so do the weights of batch norms"""
    return _split(model, decay, lambda name, p: name.endswith("weight"))


def everything(model, decay):
    """everything decays, and the second group is empty"""
    return _split(model, decay, lambda name, p: True)


def biases_too(model, decay):
    """only batch norms are spared: the biases of convolutions and linear layers decay"""
    own = [
        id(p)
        for _, m in model.modules()
        if isinstance(m, (Conv2d, Linear))
        for p in vars(m).values()
    ]
    return _split(model, decay, lambda name, p: id(p) in own)


def only_convolutions(model, decay):
    """the weights of linear layers are in the second group"""
    return _split(model, decay, lambda name, p: p.ndim > 2)


def only_linear_layers(model, decay):
    """the weights of convolutions are in the second group"""
    return _split(model, decay, lambda name, p: p.ndim == 2)


def groups_swapped(model, decay):
    """the groups are swapped: biases and batch norms decay, and weights don't"""
    return _split(model, decay, lambda name, p: p.ndim == 1)


def decay_for_both(model, decay):
    """the groups are right, but both of them have the weight decay"""
    return _split(model, decay, _right, rest=decay)


def frozen_ones_too(model, decay):
    """parameters whose requires_grad is False are in the groups: they should be left out"""
    return _split(model, decay, _right, learning=False)


def _walked(value, seen, *, lists=True, once=True, deep=True):
    """Return the parameters in a value; with once=False, a shared one several times."""
    if isinstance(value, Parameter):
        return [value]
    if isinstance(value, Module):
        if id(value) in seen or not deep:
            return []
        above = seen | {id(value)}
        return [p for part in vars(value).values() for p in _walked(part, above, lists=lists)]
    if isinstance(value, dict) and lists:
        value = list(value.values())
    if isinstance(value, (list, tuple)) and lists:
        return [p for part in value for p in _walked(part, seen)]
    return []


def _of(parameters, decay):
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    weights = [parameter for parameter in learning if parameter.ndim > 1]
    return _groups(weights, [p for p in learning if p.ndim == 1], decay)


def shared_twice(model, decay):
    """a parameter that is shared is in a group twice: the optimizer refuses that"""
    return _of(_walked(model, frozenset()), decay)


def lists_missed(model, decay):
    """layers in lists and dicts are missed"""
    found = {id(p): p for p in _walked(model, frozenset(), lists=False)}
    return _of(found.values(), decay)


def top_layers_only(model, decay):
    """only the layers right below the model are found: modules may contain modules"""
    found = {
        id(p): p
        for _, layer in model.children()
        for p in vars(layer).values()
        if isinstance(p, Parameter)
    }
    return _of(found.values(), decay)


def subclasses_missed(model, decay):
    """a layer counts only if its class is Conv2d or Linear itself: subclasses belong to them, too"""
    own = [id(m.weight) for _, m in model.modules() if type(m) in (Conv2d, Linear)]
    return _split(model, decay, lambda name, p: id(p) in own)


def empty_group_missing(model, decay):
    """a group without parameters is left out: both should be there"""
    return [group for group in _split(model, decay, _right) if group["params"]]
