"""Claims about decay_groups: weights of convolutions and linear layers decay, and nothing else does."""

import numpy
from e14d_decay_groups import decay_groups

from minires import models
from minires.course import Check
from minires.nn import BatchNorm, Conv2d, Linear, Module, Sequential
from minires.optim import SGD

check = Check("14d")


class Box(Module):
    """Return a module with these attributes."""

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)


class Dense(Linear):
    """A subclass of Linear."""


class Standardised(Conv2d):
    """A subclass of Conv2d."""


class OwnNorm(BatchNorm):
    """A subclass of BatchNorm."""


class Normed(Conv2d):
    """A subclass of Conv2d with layers of its own."""

    def __init__(self, channels):
        super().__init__(channels, channels, 3)
        self.norm, self.gates = BatchNorm(channels), [Linear(channels, channels)]


def names_of(model):
    """Return id -> name, for each parameter."""
    return {id(parameter): name for name, parameter in model.named_parameters()}


def groups(make, decay=5e-4):
    """Experiment: the names in each group, in alphabetical order, and the group's weight decay."""

    def run(decay_groups):
        model = make()
        names, found = names_of(model), decay_groups(model, decay)
        told = {"number of groups": str(len(found))}
        for place, group in enumerate(found):
            members = sorted(names.get(id(one), "something else") for one in group["params"])
            told[f"group {place}"] = ", ".join(members) or "nothing"
            told[f"weight decay of group {place}"] = f"{group['weight_decay']:g}"
            told[f"keys of group {place}"] = ", ".join(sorted(group))
            told[f"params of group {place}"] = type(group["params"]).__name__
        return told

    return run


def small(bias=True):
    return Box(conv1=Conv2d(2, 3, 3, bias=bias), bn1=BatchNorm(3), fc=Linear(3, 4))


def test_a_small_network():
    check.experiment(groups(small), decay_groups, "conv1 (with a bias), bn1, fc")
    check.experiment(groups(lambda: small(bias=False)), decay_groups, "conv1 (without), bn1, fc")


def test_a_resnet():
    def make():
        return models.ResNet(models.BasicBlock, (1, 1), (3, 5), in_channels=1, shortcut="B")

    check.experiment(groups(make), decay_groups, "a ResNet of two blocks with a projection")


def test_names_are_the_authors_choice():
    def make():
        return Box(
            weight=BatchNorm(2),
            bn=Conv2d(1, 2, 3),
            bias=Linear(2, 3),
            conv=BatchNorm(4),
            linear_norm=Linear(3, 2),
        )

    check.experiment(groups(make), decay_groups, "misleading names")


def test_layers_may_be_in_lists_and_dicts():
    def make():
        return Box(
            stages=[Sequential(Conv2d(1, 2, 3), BatchNorm(2)), [Linear(2, 2)]],
            heads={"a": Linear(2, 3), "b": (BatchNorm(3),)},
        )

    check.experiment(groups(make), decay_groups, "layers in lists, tuples and dicts")


def test_modules_may_be_in_modules():
    def make():
        inner = Box(conv=Conv2d(2, 2, 1), norm=BatchNorm(2))
        return Box(a=Box(b=Box(c=inner)), fc=Linear(2, 2))

    check.experiment(groups(make), decay_groups, "modules within modules within modules")


def test_a_shared_layer_or_parameter_comes_once():
    def make():
        layer, norm, other = Linear(3, 3), BatchNorm(3), Linear(3, 3)
        other.weight = layer.weight
        return Box(first=layer, again=layer, tied=other, norms=[norm, norm])

    check.experiment(groups(make), decay_groups, "a layer, a weight and a norm in two places each")

    def run(decay_groups):
        return {
            "parameters that the optimizer gets": len(
                SGD(decay_groups(make(), 0.1), lr=0.1).state_dict()
            )
            and sum(len([*group["params"]]) for group in decay_groups(make(), 0.1))
        }

    check.experiment(
        run, decay_groups, "the same with optim.SGD, which refuses a parameter that comes twice"
    )


def test_a_parameter_that_does_not_learn_is_left_out():
    def make():
        model = small()
        model.conv1.freeze()
        model.fc.bias.requires_grad = False
        return model

    check.experiment(
        groups(make), decay_groups, "conv1 and the bias of fc don't require a gradient"
    )


def test_both_groups_are_there_even_if_empty():
    check.experiment(groups(lambda: Box(bn=BatchNorm(3))), decay_groups, "a batch norm alone")
    check.experiment(
        groups(lambda: Box(conv=Conv2d(1, 1, 1, bias=False))), decay_groups, "a convolution alone"
    )
    check.experiment(groups(lambda: small().freeze()), decay_groups, "a model that is frozen")


def test_subclasses_count_too():
    def make():
        return Box(conv=Standardised(1, 2, 3), norm=OwnNorm(2), fc=Dense(2, 3))

    check.experiment(groups(make), decay_groups, "subclasses of Conv2d, BatchNorm and Linear")


def test_a_subclass_may_have_layers_of_its_own():
    check.experiment(
        groups(lambda: Box(a=Normed(2), fc=Linear(2, 3))),
        decay_groups,
        "a subclass of Conv2d that has a BatchNorm and a list with a Linear among its attributes",
    )


def test_the_model_itself_may_be_a_layer():
    check.experiment(groups(lambda: Linear(3, 2)), decay_groups, "Linear(3, 2)")
    check.experiment(groups(lambda: BatchNorm(3)), decay_groups, "BatchNorm(3)")


def test_sizes_of_1_are_sizes():
    def make():
        return Box(conv=Conv2d(1, 1, 1), bn=BatchNorm(1), fc=Linear(1, 1))

    check.experiment(groups(make), decay_groups, "one channel everywhere")


def test_weight_decay_is_what_it_is_given():
    for decay in (0, 1, 0.05):
        check.experiment(groups(small, decay), decay_groups, f"decay {decay}")


def test_a_step_decays_the_first_group_alone():
    def run(decay_groups):
        model = small()
        for parameter in model.parameters():
            parameter.data[...] = 1
            parameter.grad = numpy.zeros_like(parameter.data)
        SGD(decay_groups(model, 0.5), lr=0.1).step()
        return {name: float(parameter.data.max()) for name, parameter in model.named_parameters()}

    check.experiment(
        run, decay_groups, "all parameters 1 and all gradients 0; a step at rate 0.1 with decay 0.5"
    )


def test_the_model_stays_unchanged():
    def run(decay_groups):
        model = small()
        model.fc.freeze()
        model.bn1.eval()  # the modes differ: neither train() nor eval() would leave them as they are
        before = model.state_dict()
        decay_groups(model, 0.1)
        changed = [
            name for name, array in model.state_dict().items() if (array != before[name]).any()
        ]
        return {
            "changed": ", ".join(changed) or "nothing",
            "modes": str([module.training for _, module in model.modules()]),
            "requires_grad": str([parameter.requires_grad for parameter in model.parameters()]),
        }

    check.experiment(run, decay_groups, "a model whose last layer is frozen")
