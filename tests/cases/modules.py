"""Cases of the modules with faster forms: blocks, stem, projection and folding, in training and evaluation, with and without a graph."""

import numpy

from minires import Tensor, models, nn, no_grad
from minires.backend import to_device
from minires.models.preactivation import PreActivationBasicBlock, PreActivationBottleneck
from minires.models.resnet8 import Stage
from tests.cases.calls import Case, cotangent, on_host
from tests.strategies import numbers


def module(label, make, shape, training, graph, call):
    """A forward: the result, the gradients of its input and its parameters, and its state afterwards."""

    def run(function, dtype):
        nn.manual_seed(0)
        model, rng = make().astype(dtype), numpy.random.default_rng(5)
        state = model.state_dict()
        for array in state.values():
            if array.ndim == 1:  # scales, biases, running statistics
                array[:] = rng.uniform(0.5, 1.5, array.shape)
        model.load_state_dict(state)
        model.train(training)
        x = Tensor(to_device(numbers(0, shape).astype(dtype)), requires_grad=graph)
        if graph:
            y = call(function, model, x)
        else:
            with no_grad():
                y = call(function, model, x)
        if y is NotImplemented:
            return y
        seen = [on_host(y.data)]
        if graph:
            y.backward(cotangent(y.shape, dtype))
            seen += [on_host(tensor.grad) for tensor in (x, *model.parameters())]
        return seen + list(model.state_dict().values())

    return Case(f"{label}{', training' * training}{', graph' * graph}", run)


def in_each_mode(
    label, make, shape=(3, 6, 5, 4), call=lambda function, model, x: function(model, x)
):
    for training, graph in ((True, True), (True, False), (False, True), (False, False)):
        yield module(label, make, shape, training, graph, call)


class Gate(nn.Module):
    """One number for each image and channel, which broadcasts."""

    def forward(self, x):
        return x.mean(axis=(1, 2), keepdims=True) * 0.5


class Nought(nn.Module):
    """A plain number."""

    def forward(self, x):
        return 0.25


def blocks(kind):
    out = 4 * kind.expansion
    for in_channels, stride, shortcut in (
        (out, 1, "B"),
        (4, 2, "A"),
        (4, 2, "B"),
        (4, 1, "none"),
        (4, 2, "none"),
    ):

        def make(sizes=(in_channels, 4), stride=stride, shortcut=shortcut):
            return kind(*sizes, stride=stride, shortcut=shortcut)

        label = f"{kind.__name__} of {in_channels} to {out}, stride {stride}, shortcut {shortcut}"
        yield from in_each_mode(label, make, (3, 6, 5, in_channels))
    for shortcut in (Gate, Nought):

        def with_another(shortcut=shortcut):
            block = kind(out, 4)
            block.downsample = shortcut()
            return block

        yield from in_each_mode(
            f"{kind.__name__}, shortcut {shortcut.__name__}", with_another, (3, 6, 5, out)
        )


def nets():
    """(label, a net of one block) with each stem, and with batch norm at the end."""
    for stem in ("cifar", "imagenet"):
        for preactivation in (False, True):

            def make(stem=stem, preactivation=preactivation):
                return models.ResNet(
                    models.BasicBlock,
                    (1,),
                    (4,),
                    in_channels=4,
                    stem=stem,
                    preactivation=preactivation,
                )

            yield f"stem {stem}{', preactivation' * preactivation}", make


def parts_of_nets():
    for label, make in nets():
        yield from in_each_mode(label, make)


def projections():
    yield from in_each_mode(
        "a projection",
        lambda: nn.Sequential(nn.Conv2d(4, 6, 1, stride=2, bias=False), nn.BatchNorm(6)),
    )
    yield from in_each_mode(
        "with a bias",
        lambda: nn.Sequential(
            nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm(4, eps=0.1, momentum=0.5)
        ),
    )
    yield from in_each_mode(
        "other layers", lambda: nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())
    )


def conv_norm_relu():
    for bias in (False, True):
        for add in ("nothing", "x", "a gate", "a number"):
            for relu in (True, False):
                added = {
                    "nothing": lambda x: None,
                    "x": lambda x: x,
                    "a gate": Gate().forward,
                    "a number": lambda x: 0.25,
                }[add]

                def call(function, pair, x, added=added, relu=relu):
                    return function(*pair, x, add=added(x), relu=relu)

                def make(bias=bias):
                    return nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=bias), nn.BatchNorm(4))

                yield from in_each_mode(
                    f"{'bias, ' * bias}{add} is added{', relu' * relu}", make, call=call
                )


MODULES = {
    "BasicBlock.forward": lambda: blocks(models.BasicBlock),
    "Bottleneck.forward": lambda: blocks(models.Bottleneck),
    "PreActivationBasicBlock.forward": lambda: blocks(PreActivationBasicBlock),
    "PreActivationBottleneck.forward": lambda: blocks(PreActivationBottleneck),
    "Stage.forward": lambda: in_each_mode("a stage", lambda: Stage(4, 6)),
    "ResNet.stem": parts_of_nets,
    "ResNet.last_norm": parts_of_nets,
    "Sequential.forward": projections,
    "conv_norm_relu": conv_norm_relu,
}
