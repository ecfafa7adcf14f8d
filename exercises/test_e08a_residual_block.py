"""Claims about a residual block: two convolutions with batch norm, and x added before the last ReLU."""

import zlib

import numpy
from e08a_residual_block import BasicBlock

from minires.course import Check
from minires.nn import init
from minires.tensor import Tensor

check = Check("08a")


def made(Block, *sizes, train=True, **options):
    """Return a block in float64, whose arrays are filled according to their names."""
    block = Block(*sizes, **options).astype("float64")
    state = block.state_dict()
    for name, array in state.items():
        rng = numpy.random.default_rng(zlib.crc32(name.encode()))
        array[...] = (
            rng.uniform(0.5, 2, array.shape)
            if name.endswith("var")
            else rng.standard_normal(array.shape) * 0.5
        )
    block.load_state_dict(state)
    return block.train(train)


def image(shape, shift=0.0):
    return numpy.random.default_rng(5).standard_normal(shape) + shift


def result(*sizes, x=(2, 5, 7, 3), shift=0.0, **options):
    """Experiment: the result of the block."""

    def run(Block):
        array = image(x, shift)
        y = made(Block, *sizes, **options)(Tensor(array)).data
        return {"the result": y, "x afterwards": array}

    return run


def test_the_layers_have_their_names_and_shapes():
    def run(Block):
        blocks = {"same": Block(3, 3), "wider": Block(3, 5), "halved": Block(4, 4, stride=2), "A": Block(3, 6, stride=2, shortcut="A"),
                  "plain": Block(3, 3, shortcut="none")}  # fmt: skip
        return {
            about: {name: array.shape for name, array in block.state_dict().items()}
            for about, block in blocks.items()
        }

    check.experiment(
        run,
        BasicBlock,
        "the arrays of Block(3, 3), (3, 5), (4, 4, stride=2), and with other shortcuts",
    )


def test_the_weights_come_from_the_generator_that_is_given():
    def run(Block):
        with init.kept_generator():
            first, again, other = (
                Block(3, 5, rng=numpy.random.default_rng(seed)).state_dict() for seed in (1, 1, 2)
            )
        drawn = [name for name in first if first[name].ndim == 4]
        same = {
            f"{name}: the same for the same seed": bool((first[name] == again[name]).all())
            for name in drawn
        }
        return {
            **same,
            **{
                f"{name}: different for a different seed": bool((first[name] != other[name]).any())
                for name in drawn
            },
        }

    check.experiment(
        run, BasicBlock, "Block(3, 5, rng=...), with generators of seed 1, 1 again, and 2"
    )


def test_where_the_shape_stays_x_itself_is_added():
    check.experiment(result(3, 3), BasicBlock, "Block(3, 3) on x (2, 5, 7, 3)")


def test_a_sum_below_0_becomes_0():
    check.experiment(
        result(3, 3, shift=-4), BasicBlock, "Block(3, 3) on an x of mostly negative numbers"
    )


def test_where_the_shape_changes_a_projection_of_x_is_added():
    check.experiment(result(3, 5), BasicBlock, "Block(3, 5) on x (2, 5, 7, 3)")
    check.experiment(result(3, 5, stride=2), BasicBlock, "Block(3, 5, stride=2) on x (2, 5, 7, 3)")
    check.experiment(
        result(3, 6, stride=2, shortcut="A"), BasicBlock, "Block(3, 6, stride=2, shortcut='A')"
    )


def test_a_plain_block_adds_nothing():
    check.experiment(result(3, 3, shortcut="none"), BasicBlock, "Block(3, 3, shortcut='none')")


def gradients(*sizes, **options):
    """Experiment: the gradients of x and of all parameters, for a random upstream gradient."""

    def run(Block):
        block, x = made(Block, *sizes, **options), Tensor(image((2, 5, 7, 3)), requires_grad=True)
        y = block(x)
        y.backward(numpy.random.default_rng(6).standard_normal(y.shape))
        found = {
            f"the gradient of {name}": parameter.grad
            for name, parameter in block.named_parameters()
        }
        return {"the gradient of x": x.grad, **found}

    return run


def test_gradients_flow_through_branch_and_shortcut():
    check.experiment(
        gradients(3, 3), BasicBlock, "Block(3, 3) on x (2, 5, 7, 3), forward and backward"
    )
    check.experiment(
        gradients(3, 5, stride=2),
        BasicBlock,
        "Block(3, 5, stride=2) on x (2, 5, 7, 3), forward and backward",
    )


def test_in_evaluation_the_running_statistics_normalise():
    check.experiment(
        result(3, 5, stride=2, train=False), BasicBlock, "Block(3, 5, stride=2) in evaluation mode"
    )


def test_in_training_the_running_statistics_move():
    def run(Block):
        block = made(Block, 3, 5, stride=2)
        block(Tensor(image((2, 5, 7, 3))))
        return {name: array for name, array in block.state_dict().items() if "running" in name}

    check.experiment(
        run, BasicBlock, "the running statistics of Block(3, 5, stride=2) after one batch"
    )
