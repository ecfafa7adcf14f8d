"""Batch norm folded into the convolution before it: for evaluation, where its mean and variance are constants."""

import copy
from collections import Counter

from minires import functional as F
from minires.backend import to_host, xp
from minires.nn.layers import BatchNorm, Conv2d
from minires.nn.module import Module, Parameter
from minires.tensor import Tensor, no_grad


class AddReLU(Module):
    """What is left of a batch norm that was folded: the residual add and the ReLU, where it had them."""

    def forward(self, x, add=None, *, relu=False):
        return x if add is None and not relu else F.add_relu(x, add, relu=relu)


def folded(model, x):
    """A copy of the model for evaluation, in which batch norms are folded into convolutions: fewer passes over memory. None
    where nothing can be folded.

    x  a batch of inputs, an array: the copy runs on it, to see which batch norm takes what a convolution gives

    With scale = gamma / sqrt(var + eps), bn(conv(x)) is the convolution with weight * scale and the bias
    beta + (bias - mean) * scale. Pairs that change the result on x are left alone: then something else takes what the
    convolution gives, too.
    """
    pairs, expected = _pairs(copy.deepcopy(model).eval(), x)
    result = _with(model, pairs)
    if not _gives(result, x, expected):
        pairs = [pair for pair in pairs if _gives(_with(model, [pair]), x, expected)]
        result = _with(model, pairs)
    return result if pairs else None


def _with(model, pairs):
    """A copy in which these are folded."""
    result = copy.deepcopy(model).eval()
    for conv, norm in pairs:
        _fold(result, conv, norm)
    return result


def _gives(model, x, expected):
    """Whether the model's result on x is this, but for rounding."""
    with no_grad():
        got = model(Tensor(x)).data
    gap = xp.sqrt(((got - expected) ** 2).sum() / ((expected**2).sum() + 1e-30))
    return float(to_host(gap)) <= 1e-3


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


def _fold(model, conv_path, norm_path):
    modules = dict(model.modules())
    conv, norm = modules[conv_path], modules[norm_path]
    scale = norm.weight.data / xp.sqrt(norm.running_var + norm.eps)
    bias = 0 if conv.bias is None else conv.bias.data
    conv.weight = Parameter(conv.weight.data * scale)
    conv.bias = Parameter(norm.bias.data + (bias - norm.running_mean) * scale)
    above, _, name = norm_path.rpartition(".")
    setattr(modules[above], name, AddReLU())
