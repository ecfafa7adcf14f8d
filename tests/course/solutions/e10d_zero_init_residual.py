"""Solutions of 10d."""

from minires.models import Bottleneck
from minires.nn import BatchNorm, Conv2d, Identity, Parameter, Sequential
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


def blocks(model):
    for _, module in model.modules():
        if getattr(module, "expansion", None) is not None:
            yield module


def before_activation(block):
    return bool(getattr(block, "preactivation", False))


@right
def by_the_names_of_attributes(model):
    """The last one in alphabetical order."""
    for block in blocks(model):
        kind = "conv" if before_activation(block) else "bn"
        names = sorted(name for name in vars(block) if name.startswith(kind))
        getattr(block, names[-1]).weight.data.fill(0)


@right
def by_four_cases(model):
    for _, module in model.modules():
        if not hasattr(module, "expansion"):
            continue
        if before_activation(module) and hasattr(module, "conv3"):
            last = module.conv3
        elif before_activation(module):
            last = module.conv2
        elif hasattr(module, "bn3"):
            last = module.bn3
        else:
            last = module.bn2
        last.weight.data[:] = 0.0


@right
def by_recursion(model, seen=None):
    seen = set() if seen is None else seen
    if id(model) in seen:
        return
    seen.add(id(model))
    if hasattr(model, "expansion"):
        layers = [getattr(model, f"{'conv' if before_activation(model) else 'bn'}{i}", None) for i in (2, 3)]  # fmt: skip
        weight = [layer for layer in layers if layer is not None][-1].weight
        weight.data[weight.data != 0] = 0
    for _, child in model.children():
        by_recursion(child, seen)


def each(model, change):
    """Call change(block, its last layer) for each block."""
    for block in blocks(model):
        kind = ("bn", "conv")[before_activation(block)]
        change(block, getattr(block, kind + ("3" if hasattr(block, "conv3") else "2")))


@wrong(BASIC, mistake="first_norm")
def of_bn1(model):
    for block in blocks(model):
        block.bn1.weight.data.fill(0)


@wrong(BASIC, mistake="beta_instead")
def of_the_bias(model):
    def change(block, last):
        parameter = last.weight if isinstance(last, Conv2d) else last.bias
        parameter.data.fill(0)

    each(model, change)


@wrong(BASIC, mistake="beta_too")
def of_both(model):
    def change(block, last):
        for parameter in last.parameters():
            parameter.data.fill(0)

    each(model, change)


@wrong(BASIC, mistake="projection_too")
def and_the_shortcut(model):
    def change(block, last):
        last.weight.data.fill(0)
        shortcut = block.downsample
        for layer in [*shortcut] if isinstance(shortcut, Sequential) else []:
            if type(layer) is BatchNorm:
                layer.weight.data.fill(0)

    each(model, change)


@wrong(BASIC, mistake="every_norm")
def all_of_the_branch(model):
    def change(block, last):
        last.weight.data.fill(0)
        for name, layer in block.children():
            if name.startswith("bn"):
                layer.weight.data.fill(0)

    each(model, change)


@wrong(BOTTLE, mistake="bn2_always")
def second_layers(model):
    for block in blocks(model):
        (block.conv2 if before_activation(block) else block.bn2).weight.data.fill(0)


@wrong(BOTTLE, mistake="bottleneck_missed")
def two_convolutions_only(model):
    each(model, lambda block, last: last in (getattr(block, "bn3", 0), getattr(block, "conv3", 0))
         or last.weight.data.fill(0))  # fmt: skip


@wrong(PRE, mistake="norm_in_preactivated")
def norms_everywhere(model):
    for block in blocks(model):
        (block.bn3 if "bn3" in vars(block) else block.bn2).weight.data.fill(0)


@wrong(BASIC, mistake="stem_too")
def and_the_stem(model):
    each(model, lambda block, last: last.weight.data.fill(0))
    if not hasattr(model, "expansion") and isinstance(getattr(model, "bn1", None), BatchNorm):
        model.bn1.weight.data.fill(0)


@wrong(BASIC, mistake="same_shape_only")
def where_x_stays(model):
    each(model, lambda block, last: type(block.downsample) is Identity and last.weight.data.fill(0))


@wrong(OBJECTS, mistake="new_parameter")
def replaced(model):
    def change(block, last):
        last.weight = Parameter(last.weight.data * 0)

    each(model, change)


@wrong(OBJECTS)
def new_arrays(model):
    def change(block, last):
        last.weight.data = 0 * last.weight.data

    each(model, change)


@wrong("test_whatever_the_numbers_are")
def multiplied_by_0(model):
    def change(block, last):
        last.weight.data *= 0

    each(model, change)


@wrong(ANYWHERE)
def by_the_classes_of_the_library(model):
    from minires.models import BasicBlock
    from minires.models.preactivation import PreActivationBasicBlock, PreActivationBottleneck

    known = (BasicBlock, Bottleneck, PreActivationBasicBlock, PreActivationBottleneck)
    each(model, lambda block, last: isinstance(block, known) and last.weight.data.fill(0))


@wrong(ANYWHERE)
def all_modules_with_a_bn2(model):
    for _, module in model.modules():
        if hasattr(module, "bn2"):
            kind = ("bn", "conv")[before_activation(module)]
            last = getattr(module, f"{kind}3", None) or getattr(module, f"{kind}2")
            last.weight.data.fill(0)


@wrong(BASIC)
def the_first_stage_only(model):
    each(getattr(model, "layer1", model), lambda block, last: last.weight.data.fill(0))


@wrong(BASIC)
def almost_0(model):
    each(model, lambda block, last: last.weight.data.fill(1e-3))


@wrong(BASIC)
def returns_the_model(model):
    each(model, lambda block, last: last.weight.data.fill(0))
    return model
