"""Strange solutions of 10d."""

import numpy

from minires.nn import BatchNorm
from tests.course.kinds import right, wrong

BASIC, BOTTLE, PRE = (
    "test_a_net_of_basic_blocks",
    "test_a_net_of_bottlenecks",
    "test_pre_activated_nets",
)
OBJECTS, ANYWHERE = (
    "test_the_parameters_and_their_arrays_stay_the_same_objects",
    "test_blocks_may_be_anywhere_and_of_any_class",
)
NAMES = "test_layers_go_by_their_names"
RETURNS, TURNS = "test_each_block_returns_its_shortcut", "test_two_nets_take_turns"


def last_of(block):
    kind = "conv" if getattr(block, "preactivation", False) else "bn"
    return getattr(block, f"{kind}3", None) or getattr(block, f"{kind}2")


def all_blocks(model):
    return [module for _, module in model.modules() if hasattr(module, "expansion")]


@right
def through_named_parameters(model):
    """By the names of parameters below each block."""
    for block in all_blocks(model):
        kind = "conv" if getattr(block, "preactivation", False) else "bn"
        own = {name: one for name, one in block.named_parameters() if name.count(".") == 1}
        names = [f"{kind}{i}.weight" for i in (3, 2) if f"{kind}{i}.weight" in own]
        numpy.copyto(own[names[0]].data, 0)


@right
def the_last_name_of_a_kind(model):
    for block in all_blocks(model):
        layers = [(name, layer) for name, layer in block.children() if name[:-1] in ("conv", "bn")]
        which = "conv" if getattr(block, "preactivation", False) else "bn"
        layer = max(pair for pair in layers if pair[0].startswith(which))[1]
        layer.weight.data[...] = numpy.zeros_like(layer.weight.data)


@right
def with_a_stack(model):
    waiting, seen = [model], []
    while waiting:
        module = waiting.pop()
        if any(module is one for one in seen):
            continue
        seen.append(module)
        waiting += [child for _, child in module.children()]
        if hasattr(module, "expansion"):
            last_of(module).weight.data[()] = 0


@right
def subtracted_from_itself(model):
    """With NaN set apart."""
    for block in all_blocks(model):
        array = last_of(block).weight.data
        numpy.nan_to_num(array, copy=False, posinf=0, neginf=0)
        array -= array.copy()


@wrong(TURNS)
def once_per_model(model):
    """A model that was seen before is skipped."""
    if model.__dict__.setdefault("_seen", []):
        return
    model._seen.append(1)
    for block in all_blocks(model):
        last_of(block).weight.data[...] = 0


@wrong("test_modes_and_dtypes_stay_unchanged")
def into_training_mode(model):
    model.train()
    for block in all_blocks(model):
        last_of(block).weight.data[...] = 0


@wrong(OBJECTS)
def frozen_at_0(model):
    """The weight no longer learns."""
    for block in all_blocks(model):
        last = last_of(block)
        last.weight.data[...] = 0
        last.weight.requires_grad = False


@wrong(ANYWHERE)
def in_sequentials_only(model):
    """Two levels of children: blocks in lists of lists are missed."""
    for _, module in [("", model), *model.children()]:
        for _, block in [("", module), *module.children()]:
            if hasattr(block, "expansion") and block not in [
                one for _, one in model.children()[:1]
            ]:
                last_of(block).weight.data[...] = 0


@wrong(BOTTLE)
def the_widest_norm(model):
    """The largest batch norm of a block by its number of channels: the first of them, if several are as large."""
    for block in all_blocks(model):
        if getattr(block, "preactivation", False):
            last_of(block).weight.data[...] = 0
            continue
        norms = [layer for _, layer in block.modules() if isinstance(layer, BatchNorm)]
        if hasattr(block, "bn3"):
            norms = norms[::-1]
        else:
            norms = [block.bn2]
        max(norms, key=lambda norm: norm.weight.size).weight.data[...] = 0


@wrong(BASIC)
def the_last_of_all_norms(model):
    """Of all below the block, in their order: where there is a projection, its batch norm comes last."""
    for block in all_blocks(model):
        if getattr(block, "preactivation", False):
            last_of(block).weight.data[...] = 0
        else:
            norms = [layer for _, layer in block.modules() if isinstance(layer, BatchNorm)]
            norms[-1].weight.data[...] = 0


@wrong(BASIC)
def running_statistics_too(model):
    for block in all_blocks(model):
        last = last_of(block)
        last.weight.data[...] = 0
        if isinstance(last, BatchNorm):
            last.running_mean[...] = 0


@wrong(BASIC)
def every_second_block(model):
    for block in all_blocks(model)[::2]:
        last_of(block).weight.data[...] = 0


@wrong(RETURNS)
def nets_only(model):
    """A block by itself is left unchanged."""
    for name, block in model.modules():
        if name and hasattr(block, "expansion"):
            last_of(block).weight.data[...] = 0


@wrong(ANYWHERE)
def blocks_with_preactivation(model):
    """As if each block had that attribute."""
    for block in all_blocks(model):
        if hasattr(block, "preactivation"):
            last_of(block).weight.data[...] = 0


@right
def by_matching(model):
    for _, module in model.modules():
        match module:
            case object(expansion=_, preactivation=True, conv3=last):
                pass
            case object(expansion=_, preactivation=True, conv2=last):
                pass
            case object(expansion=_, bn3=last) | object(expansion=_, bn2=last):
                pass
            case _:
                continue
        last.weight.data.fill(0)


@wrong(NAMES)
def the_last_norm_among_the_attributes(model):
    """Whatever its name: it is the last one only if the block lists its layers in order."""
    for block in all_blocks(model):
        layer = last_of(block)
        if isinstance(layer, BatchNorm):
            layer = [one for _, one in block.children() if isinstance(one, BatchNorm)][-1]
        layer.weight.data[...] = 0


@wrong(NAMES)
def bottlenecks_by_their_expansion(model):
    for block in all_blocks(model):
        kind = "conv" if getattr(block, "preactivation", False) else "bn"
        last = getattr(block, f"{kind}3" if block.expansion > 1 else f"{kind}2", last_of(block))
        last.weight.data[...] = 0


@wrong(NAMES)
def expansion_of_the_class(model):
    for _, module in model.modules():
        if hasattr(type(module), "expansion"):
            last_of(module).weight.data[...] = 0


@wrong(NAMES)
def no_block_in_a_block(model):
    if hasattr(model, "expansion"):
        last_of(model).weight.data[...] = 0
    else:
        for _, child in model.children():
            no_block_in_a_block(child)


@wrong(NAMES)
def every_bn3(model):
    """By the names of parameters: a bn3 outside any block is one too."""
    pre_activated = any(getattr(one, "preactivation", False) for one in all_blocks(model))
    for block in all_blocks(model):
        last_of(block).weight.data[...] = 0
    for name, parameter in model.named_parameters():
        if name.endswith("bn3.weight") and not pre_activated:
            parameter.data[...] = 0


@wrong(BASIC)
def preactivation_as_a_flag(model):
    """All blocks have the attribute; it is its value that counts."""
    for block in all_blocks(model):
        if hasattr(block, "preactivation"):
            getattr(block, "conv3", block.conv2).weight.data[...] = 0
        else:
            last_of(block).weight.data[...] = 0


@wrong(PRE)
def convolution_and_norm(model):
    for block in all_blocks(model):
        last_of(block).weight.data[...] = 0
        getattr(block, "bn3", block.bn2).weight.data[...] = 0


@wrong(BOTTLE)
def one_kind_of_block_per_model(model):
    """What the first block is, all others are; and each has two convolutions."""
    kind = "conv" if any(getattr(one, "preactivation", 0) for one in all_blocks(model)) else "bn"
    for block in all_blocks(model):
        getattr(block, f"{kind}2").weight.data[...] = 0
