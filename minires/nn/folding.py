"""Batch norm folded into the convolution before it: for evaluation, where its mean and variance are constants."""

import copy
from collections import Counter

from minires import functional as F
from minires.backend import to_host, using_mixed, using_tf32, xp
from minires.nn.layers import BatchNorm, Conv2d, separated
from minires.nn.module import Module, Parameter
from minires.tensor import Tensor, no_grad

ROUNDING = 500  # units in the last place, relative to the whole result


class AddReLU(Module):
    """What is left of a batch norm that was folded: the residual add and the ReLU, where it had them."""

    def forward(self, x, add=None, *, relu=False):
        return x if add is None and not relu else F.add_relu(x, add, relu=relu)


def folded(model, x):
    """A copy of the model for evaluation, in which batch norms are folded into convolutions: fewer passes over memory. None
    where nothing can be folded, or nothing should be: within separate_ops(), or where a module's own forward was replaced.

    x  a batch of inputs, an array: the copy runs on it, to see which batch norm takes what a convolution gives

    With scale = gamma / sqrt(var + eps), bn(conv(x)) is the convolution with weight * scale and the bias
    beta + (bias - mean) * scale. Pairs that change the result on x are left alone: then something else takes what the
    convolution gives, too.
    """
    modules = [module for _, module in model.modules()]
    if separated() or any("forward" in vars(module) for module in modules) or not {Conv2d, BatchNorm} <= {*map(type, modules)}:
        return None
    try:
        with using_mixed(None), using_tf32(False):  # coarse numbers would hide a change, or look like one
            pairs, expected = _pairs(_copied(model), x)
            if not _gives(_with(model, pairs), x, expected):
                pairs = [pair for pair in pairs if _gives(_with(model, [pair]), x, expected)]
            result = _with(model, pairs)
            return result if pairs and _gives(result, x, expected) else None
    except Exception:  # a model that cannot be copied or does not run so: as it is it may, or say itself what is wrong
        return None


def _copied(model):
    return copy.deepcopy(model).eval()


def _with(model, pairs):
    """A copy in which these are folded."""
    result = _copied(model)
    modules = dict(result.modules())
    for conv, norm in pairs:
        _fold(modules[conv], modules[norm])
    return result


def _gives(model, x, expected):
    """Whether the model's result on x is this, but for rounding."""
    with no_grad():
        got = model(Tensor(x)).data
    gap = xp.sqrt(((got - expected) ** 2).sum() / ((expected**2).sum() + 1e-30))
    return float(to_host(gap)) <= ROUNDING * xp.finfo(expected.dtype).eps


def _pairs(model, x):
    """[(path of a convolution, path of the batch norm that takes its result)], and the model's result on x. The model is
    not to be used afterwards."""
    gave, took, ran = {}, {}, Counter()

    def watched(path, module):
        def forward(y, *args, **options):
            ran[path] += 1
            if type(module) is BatchNorm:
                took[path] = gave.get(id(getattr(y, "data", None)), (None, None))[0]
            result = type(module).forward(module, y, *args, **options)
            if type(module) is Conv2d:
                gave[id(result.data)] = path, result  # held, so that its id stays its own
            return result

        return forward

    kinds = [(path, module) for path, module in model.modules() if type(module) in (Conv2d, BatchNorm)]
    for path, module in kinds:
        module.forward = watched(path, module)
    with no_grad():
        result = model(Tensor(x)).data
    return [(conv, norm) for norm, conv in took.items() if conv and ran[conv] == ran[norm] == 1], result


def _fold(conv, norm):
    scale = norm.weight.data / xp.sqrt(norm.running_var + norm.eps)
    bias = 0 if conv.bias is None else conv.bias.data
    conv.weight = Parameter(conv.weight.data * scale)
    conv.bias = Parameter(norm.bias.data + (bias - norm.running_mean) * scale)
    norm.__class__ = AddReLU  # where it stands, be it an attribute or in a list
    vars(norm).clear()
