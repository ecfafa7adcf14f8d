"""Claims about tutorial_net: shapes and counts as they are stated, and the values of the paper's block."""

import zlib

import numpy
from e12f_tutorial_net import tutorial_net

from minires.course import Check
from minires.models import summary
from minires.nn import init
from minires.tensor import Tensor

check = Check("12f")
SMALL = (1, 3, 2), (3, 5, 4)


def made(net, *sizes, train=True, **options):
    """Return a net in float64, whose arrays are filled according to their names."""
    with init.kept_generator():
        model = net(*sizes, **options).astype("float64")
    state = model.state_dict()
    for name, array in state.items():
        rng = numpy.random.default_rng(zlib.crc32(name.encode()))
        array[...] = (
            rng.uniform(0.5, 2, array.shape)
            if name.endswith("var")
            else rng.standard_normal(array.shape) * 0.5
        )
    model.load_state_dict(state)
    return model.train(train)


def image(shape, seed=5):
    return numpy.random.default_rng(seed).standard_normal(shape)


def stated(net):
    """The network that is stated."""
    with init.kept_generator():
        return net((3, 3, 3), (16, 32, 64))


def test_the_maps_have_the_shapes_that_are_stated():
    x = numpy.zeros((2, 8, 8, 3), numpy.float32)
    check.experiment(
        lambda net: {f"map {i}": str(y.shape) for i, y in enumerate(stated(net).maps(Tensor(x)))},
        tutorial_net,
        "the maps of ((3, 3, 3), (16, 32, 64)) on 8x8 images",
    )


def test_the_parameters_are_as_many_as_stated():
    check.experiment(
        lambda net: sum(parameter.size for parameter in stated(net).parameters()),
        tutorial_net,
        "the parameters of ((3, 3, 3), (16, 32, 64)), of which 272,474 are stated",
    )


def test_the_multiply_adds_are_as_many_as_stated():
    check.experiment(
        lambda net: summary(stated(net), (8, 8, 3)).multiply_adds,
        tutorial_net,
        "the multiply-adds of ((3, 3, 3), (16, 32, 64)) on 8x8 images, of which 2,551,424 are stated",
    )


def test_the_arrays_have_their_names_and_shapes():
    def run(net):
        with init.kept_generator():
            nets = {"(1, 3, 2), (3, 5, 4)": net(*SMALL), "(2, 2), (4, 4)": net((2, 2), (4, 4)),
                    "(1,), (2,), one class": net([1], [2], in_channels=1, num_classes=1)}  # fmt: skip
        return {
            about: {name: array.shape for name, array in model.state_dict().items()}
            for about, model in nets.items()
        }

    check.experiment(run, tutorial_net, "the arrays of three networks")


def test_each_block_is_another_one():
    def run(net):
        with init.kept_generator():
            model = net((4, 3), (2, 3))
        blocks = [block for stage in model.stages for block in stage]
        return {"blocks": len(blocks), "different ones": len({id(block) for block in blocks}),
                "different first weights": len({id(block.conv1.weight) for block in blocks}),
                "different numbers in them": len({block.conv1.weight.data.tobytes() for block in blocks})}  # fmt: skip

    check.experiment(run, tutorial_net, "the blocks of ((4, 3), (2, 3))")


def values(*sizes, x=(2, 9, 7, 3), train=True, **options):
    """Experiment: each map and the logits."""

    def run(net):
        images, model = Tensor(image(x)), made(net, *sizes, train=train, **options)
        maps = {f"map {i}": y.data for i, y in enumerate(model.maps(images))}
        return {**maps, "the logits": made(net, *sizes, train=train, **options)(images).data}

    return run


def test_one_block_computes_what_the_paper_says():
    check.experiment(values((1,), (3,)), tutorial_net, "((1,), (3,)), one block without projection")


def test_no_map_has_numbers_below_0():
    def run(net):
        model = made(net, (1, 2), (3, 4))
        return {f"the smallest number of map {i} is below 0": bool(y.data.min() < 0)
                for i, y in enumerate(model.maps(Tensor(image((2, 6, 5, 3)))))}  # fmt: skip

    check.experiment(run, tutorial_net, "the maps of ((1, 2), (3, 4))")


def test_the_maps_have_the_right_values():
    check.experiment(
        values(*SMALL), tutorial_net, "the maps of ((1, 3, 2), (3, 5, 4)), on 9x7 images"
    )
    check.experiment(
        values((2, 2), (4, 4), x=(4, 4, 4, 3)), tutorial_net, "((2, 2), (4, 4)) on 4x4 images"
    )
    check.experiment(
        values((1, 1, 1, 2, 1), (2, 3, 4, 3, 2), x=(3, 16, 8, 3)),
        tutorial_net,
        "five stages on 16x8 images",
    )


def test_one_small_image_in_evaluation_mode():
    check.experiment(
        values(*SMALL, x=(1, 5, 1, 3), train=False),
        tutorial_net,
        "one 5x1 image in evaluation mode",
    )


def test_all_weights_get_a_gradient():
    def run(net):
        model, x = made(net, (2, 2), (2, 3)), Tensor(image((2, 5, 4, 3)), requires_grad=True)
        y = model(x)
        y.backward(image(y.shape, seed=6))
        found = {name: parameter.grad for name, parameter in model.named_parameters()}
        return {"the gradient of x": x.grad, **found}

    Check("12f", tolerance=1e-6).experiment(
        run, tutorial_net, "the gradients of ((2, 2), (2, 3)) on 5x4 images"
    )


def test_the_same_seed_gives_the_same_weights():
    def run(net):
        with init.kept_generator():
            one, again, other = (
                net((1, 2), (2, 3), rng=numpy.random.default_rng(seed)).state_dict()
                for seed in (1, 1, 2)
            )
            first, second = (net((1, 2), (2, 3)).state_dict() for _ in range(2))
        names = [name for name in one if name.endswith("weight") and one[name].ndim > 1]
        return {
            "the same seed": all((one[name] == again[name]).all() for name in names),
            "different ones": all((one[name] != other[name]).any() for name in names),
            "no generator, twice": any((first[name] == second[name]).all() for name in names),
        }

    check.experiment(
        run, tutorial_net, "weights from generators of seed 1, 1 again, and 2, and from none"
    )


def test_two_networks_share_nothing():
    def run(net):
        model, other = made(net, (2,), (2,)), made(net, (2,), (2,))
        before = other.state_dict()
        for parameter in model.parameters():
            parameter.data[...] = 7
        model(Tensor(image((2, 4, 4, 3))))
        return {
            name: bool((array == before[name]).all()) for name, array in other.state_dict().items()
        }

    check.experiment(run, tutorial_net, "two networks, of which the first gets other weights")
