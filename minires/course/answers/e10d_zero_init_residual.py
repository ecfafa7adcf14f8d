"""Exercise 10d: what goes wrong with blocks that start as their shortcuts."""

from minires.nn import BatchNorm, Identity, Parameter


def _blocks(model):
    """Return the residual blocks."""
    return [module for _, module in model.modules() if hasattr(module, "expansion")]


def _layer(block, kind):
    """Return the last layer of a kind, "bn" or "conv"."""
    return getattr(block, f"{kind}3" if hasattr(block, f"{kind}3") else f"{kind}2")


def _last(block):
    """Return the last layer of the branch."""
    return _layer(block, "conv" if getattr(block, "preactivation", False) else "bn")


def first_norm(model):
    """the first batch norm of each block is set to 0: then nothing reaches the last convolution, and its gradient is 0 too"""
    for block in _blocks(model):
        block.bn1.weight.data[...] = 0


def beta_instead(model):
    """beta (the bias) is set to 0 instead of gamma (the weight): it was 0 already in a new net, and the branch still adds its noise"""
    for block in _blocks(model):
        last = _last(block)
        if isinstance(last, BatchNorm):
            last.bias.data[...] = 0
        else:
            last.weight.data[...] = 0


def beta_too(model):
    """beta (the bias) is set to 0 as well: only gamma (the weight) should be"""
    for block in _blocks(model):
        last = _last(block)
        for parameter in (last.weight, getattr(last, "bias", None)):
            if parameter is not None:
                parameter.data[...] = 0


def projection_too(model):
    """the batch norms in the shortcuts are set to 0 too: then a block that changes the shape passes on nothing at all"""
    for block in _blocks(model):
        _last(block).weight.data[...] = 0
        for _, module in block.downsample.modules():
            if isinstance(module, BatchNorm):
                module.weight.data[...] = 0


def every_norm(model):
    """every batch norm of each branch is set to 0: in a new net, no weight of the branch ever gets a gradient other than 0 then"""
    for block in _blocks(model):
        for name in ("bn1", "bn2", "bn3"):
            if hasattr(block, name):
                getattr(block, name).weight.data[...] = 0
        if getattr(block, "preactivation", False):
            _last(block).weight.data[...] = 0


def bn2_always(model):
    """bn2 is set to 0 in a bottleneck too, whose branch ends with bn3"""
    for block in _blocks(model):
        kind = "conv" if getattr(block, "preactivation", False) else "bn"
        getattr(block, f"{kind}2").weight.data[...] = 0


def bottleneck_missed(model):
    """only blocks of two convolutions are set to 0: a bottleneck ends with bn3, or conv3"""
    for block in _blocks(model):
        if not hasattr(block, "conv3"):
            _last(block).weight.data[...] = 0


def norm_in_preactivated(model):
    """in a pre-activated block the last batch norm is set to 0: there a convolution comes after it, so the weight of that is the last one"""
    for block in _blocks(model):
        _layer(block, "bn").weight.data[...] = 0


def stem_too(model):
    """the batch norm of the stem is set to 0 too: then the net passes on nothing at all"""
    for block in _blocks(model):
        _last(block).weight.data[...] = 0
    if getattr(model, "bn1", None) is not None and not hasattr(model, "expansion"):
        model.bn1.weight.data[...] = 0


def same_shape_only(model):
    """blocks that change the shape are left out: every block should start as its shortcut"""
    for block in _blocks(model):
        if isinstance(block.downsample, Identity):
            _last(block).weight.data[...] = 0


def new_parameter(model):
    """the layers get new Parameters: an optimizer that has the old ones would never change these"""
    for block in _blocks(model):
        last = _last(block)
        last.weight = Parameter(0 * last.weight.data)
