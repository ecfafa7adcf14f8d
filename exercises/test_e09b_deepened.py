"""Claims about deepened: more layers, the same function, and arrays of their own."""

from functools import partial

import numpy
from e09b_deepened import deepened

from minires import nn
from minires.backend import to_device, to_host, using
from minires.course import Check
from minires.nn import BatchNorm, Conv2d, GlobalAvgPool, Linear, MaxPool2d, ReLU, Sequential, init
from minires.tensor import Tensor, grad_enabled, no_grad

# In float32, as weights are.
check = Check("09b", tolerance=2e-5)


def image(shape=(4, 6, 5, 3), seed=5, scale=1.0):
    array = numpy.random.default_rng(seed).standard_normal(shape) * scale
    return Tensor(to_device(array.astype("float32")))


def net(*, channels=3, widths=(4, 6), head=True, shift=0.0, seed=1, stride=1, bn_bias=0.5):
    """Return the layers of a small plain net in evaluation mode: convolution, batch norm, ReLU for each width; pool, linear."""
    rng, layers = numpy.random.default_rng(seed), []
    for width in widths:
        conv = Conv2d(channels, width, 3, stride=stride, padding=1, bias=False, rng=rng)
        norm = BatchNorm(width)
        norm.running_mean[...] = to_device(rng.standard_normal(width).astype("float32") * 0.3)
        norm.running_var[...] = to_device(rng.uniform(0.5, 3, width).astype("float32"))
        norm.bias.data[...] = to_device(
            rng.standard_normal(width).astype("float32") * bn_bias + shift
        )
        layers += [conv, norm, ReLU()]
        channels = width
    layers += [GlobalAvgPool(), Linear(channels, 5, rng=rng)] if head else []
    return [layer.eval() for layer in layers]


def computed(layers, x):
    """Return what the layers compute, as they are."""
    with no_grad():
        for layer in layers:
            x = layer(x)
    return x.data


def result(make=net, x=image, other=image, copies=1):
    """Experiment: what the deeper net computes, for the x that it was made with and for one of different values."""

    def run(deepened):
        with init.kept_generator():
            deeper = deepened(make(), x(), copies)
        return {
            "what it computes for x": computed(deeper, x()),
            "for a different x": computed(deeper, other(seed=6)),
            "for x again": computed(deeper, x()),
        }

    return run


def kinds(layers):
    """Return the classes of layers, one word each."""
    return " ".join(type(layer).__name__ for layer in layers)


def structure(copies, make=net):
    """Experiment: which layers the list has."""

    def run(deepened):
        layers = make()
        with init.kept_generator():
            deeper = deepened(layers, image(), copies)
        given = [id(layer) for layer in layers]
        return {
            "the result is of type": type(deeper).__name__,
            "the layers": kinds(deeper),
            "the given ones, by position": [given.index(id(one)) for one in deeper if id(one) in given],
            "the list that was given": kinds(layers),
            "which of them are convolutions of 3x3, padding 1, without bias": [
                one.weight.shape[:2] == (3, 3) and one.padding == (1, 1) and one.bias is None
                for one in deeper
                if isinstance(one, Conv2d)
            ],
        }  # fmt: skip

    return run


def test_neutral_layers_come_after_each_relu():
    about = "deepened(two convolutions with batch norm and ReLU, a head, x)"
    check.experiment(structure(1), deepened, about)
    check.experiment(structure(3), deepened, "the same with copies=3")


def test_the_deeper_net_computes_the_same():
    check.experiment(result(), deepened, "a net of two convolutions deepened, in evaluation mode")
    check.experiment(result(copies=3), deepened, "the same with copies=3")


def test_eps_is_undone_too():
    def quiet():
        return [*net(bn_bias=0.0)[:1], ReLU().eval(), *net(channels=4, widths=(2,))]

    about = "a net whose maps have a variance of about 0.0001"
    small = partial(image, scale=0.01)
    check.experiment(result(make=quiet, x=small, other=small), deepened, about)


def test_a_channel_may_be_0_everywhere():
    def dead():
        layers = net(widths=(4, 6, 4))
        layers[1].bias.data[1] = -50  # so the ReLU after it returns 0
        layers[4].bias.data[...] = -50
        return layers

    check.experiment(result(make=dead), deepened, "a net with channels that are 0 everywhere")
    about = "a net with channels that are 0 everywhere for x, and not for the different x"
    awake = partial(image, scale=100)
    check.experiment(result(make=dead, other=awake), deepened, about)


def test_in_training_mode_a_new_group_returns_its_map_too():
    def run(deepened):
        layers = net(head=False)
        with init.kept_generator():
            deeper = deepened(layers, image())
        given = {id(layer) for layer in layers}
        found, maps = {}, image()
        with no_grad():
            for i, layer in enumerate(deeper):
                if id(layer) not in given:
                    layer.train()
                maps = layer(maps)
                if isinstance(layer, ReLU):
                    found[f"after {kinds(deeper[: i + 1])}"] = maps.data.copy()
        return found

    about = "the maps of the deeper net for the same x, with its new layers in training mode"
    check.experiment(run, deepened, about)


def test_the_running_statistics_are_those_of_the_map():
    def of(make, x):
        def run(deepened):
            with init.kept_generator():
                deeper = deepened(make(), x, 2)
            norms = [layer for layer in deeper if isinstance(layer, BatchNorm)]
            return {
                "running_mean and running_var": [(norm.running_mean, norm.running_var) for norm in norms],
                "eps and momentum": [(norm.eps, norm.momentum) for norm in norms],
            }  # fmt: skip

        return run

    def dead():
        layers = net(widths=(4, 4), channels=4, seed=2)
        layers[1].bias.data[1] = -50
        return layers

    def twice():
        layers = net(widths=(4, 4), head=False)
        return [*layers[:5], layers[2]]

    check.experiment(of(net, image()), deepened, "the batch norms of a deeper net")
    check.experiment(of(twice, image()), deepened, "those of a net in which one ReLU occurs twice")
    about = "those of a net with four channels throughout, one of which is 0 everywhere"
    check.experiment(of(dead, image((2, 5, 5, 4), seed=7)), deepened, about)


def test_all_layers_are_in_evaluation_mode():
    def run(deepened):
        layers = net()
        with init.kept_generator():
            deeper = deepened(layers, image())
        return {f"{i}, {type(layer).__name__}, is in training mode": layer.training for i, layer in enumerate(deeper)}  # fmt: skip

    check.experiment(run, deepened, "the modes of the layers")


def test_the_new_layers_can_be_trained():
    def run(deepened):
        layers = net()
        with init.kept_generator():
            deeper = deepened(layers, image())
        return {
            f"{i}, {type(layer).__name__}": {
                "is in training mode after train()": layer.train().training,
                "its parameters require a gradient": [one.requires_grad for one in layer.parameters()],
            }
            for i, layer in enumerate(deeper)
        }  # fmt: skip

    check.experiment(run, deepened, "a deeper net that is trained further")


def test_the_layers_run_under_no_grad():
    class Spy(nn.Module):
        def forward(self, x):
            seen.append(grad_enabled())
            return x

    seen = []

    def run(deepened):
        seen.clear()
        with init.kept_generator(), using(grad=True):
            deepened([Spy().eval(), *net(), Spy().eval()], image())
            return {"a graph is recorded in the layers": any(seen), "and after the call": grad_enabled()}  # fmt: skip

    check.experiment(run, deepened, "a net that looks at grad_enabled()")


def test_each_new_layer_has_arrays_of_its_own():
    def run(deepened):
        layers, x = net(widths=(4, 4)), image()
        with init.kept_generator():
            deeper = deepened(layers, x, 2)
        modules = {id(layer): layer for layer in deeper}
        arrays = [x.data]
        for layer in modules.values():
            arrays += [parameter.data for parameter in layer.parameters()]
            if isinstance(layer, BatchNorm):
                arrays += [layer.running_mean, layer.running_var]
        arrays = [to_host(array) for array in arrays]
        shared = [
            numpy.shares_memory(one, other) for i, one in enumerate(arrays) for other in arrays[:i]
        ]
        return {"layers": len(deeper), "different objects among them": len(modules), "pairs of arrays that share memory": sum(shared)}  # fmt: skip

    check.experiment(run, deepened, "a net of two convolutions of equal width, copies=2")


def test_training_one_net_leaves_another_alone():
    def run(deepened):
        layers, x = net(), image()
        with init.kept_generator():
            first, second = deepened(layers, x), deepened(layers, x)
        before = computed(second, x)
        given = {id(layer) for layer in layers}
        for layer in first:
            for parameter in layer.parameters() if id(layer) not in given else ():
                parameter.data[...] = 3
        return {"the second net computes what it did": bool((computed(second, x) == before).all())}

    check.experiment(run, deepened, "two deepened nets, of which the first is written to")


def test_the_given_layers_and_x_stay_as_they_were():
    def run(deepened):
        layers, x = net(), image()
        x_before, before = x.data.copy(), Sequential(*layers).state_dict()
        with init.kept_generator():
            deepened(layers, x, 2)
        after = Sequential(*layers).state_dict()
        changed = [name for name in before if not (before[name] == after[name]).all()]
        return {
            "the number of given layers": len(layers),
            "arrays of theirs that changed": ", ".join(changed),
            "modes": [layer.training for layer in layers],
            "x has changed": bool((x.data != x_before).any()),
            "x requires a gradient": x.requires_grad,
            "their parameters have gradients": [
                parameter.grad is not None for layer in layers for parameter in layer.parameters()
            ],
        }

    check.experiment(run, deepened, "the layers that are given, and x, before and after")


def test_nets_may_be_of_other_kinds():
    def pooled():
        return [MaxPool2d(2).eval(), ReLU().eval(), *net(stride=2), ReLU().eval()][:-1]

    def again():
        return [*net(channels=3, widths=(3,), head=False), relu, ReLU().eval(), relu]

    def nested():
        return [Sequential(*net(head=False)).eval(), ReLU().eval()]

    about = "a net that begins with a pool and a ReLU"
    check.experiment(structure(2, make=pooled), deepened, about)
    check.experiment(result(make=pooled, copies=2), deepened, f"{about}, with strides")
    relu = ReLU().eval()
    check.experiment(structure(1, make=again), deepened, "a net in which one ReLU occurs twice")
    check.experiment(structure(1, make=nested), deepened, "a Sequential with ReLUs, and a ReLU")
    about = "a net without a head, for one image of one channel"
    wide, one = partial(net, channels=1, widths=(1, 7), head=False), partial(image, (1, 3, 3, 1))
    check.experiment(result(make=wide, x=one, other=one), deepened, about)


def test_there_may_be_nothing_to_insert():
    def linear():
        return [Conv2d(3, 2, 3, rng=numpy.random.default_rng(0)).eval(), BatchNorm(2).eval()]

    check.experiment(structure(0), deepened, "deepened(layers, x, copies=0)")
    check.experiment(structure(1, make=linear), deepened, "a list without a ReLU")
