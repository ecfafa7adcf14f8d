"""Claims about a pre-activated block: norm, ReLU, convolution, twice; and x itself reaches the sum."""

import zlib

import numpy
from e13a_preactivation import PreActivationBasicBlock

from minires.course import Check
from minires.nn import init
from minires.tensor import Tensor

check = Check("13a")
check_float32 = Check("13a", tolerance=1e-4)


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


def tried(run, about):
    __tracebackhide__ = True
    check.experiment(run, PreActivationBasicBlock, about)


def image(shape=(2, 5, 7, 3), seed=13):
    return numpy.random.default_rng(seed).standard_normal(shape)


def result(*sizes, x=(2, 5, 7, 3), **options):
    """Experiment: the result of the block."""

    def run(Block):
        array = image(x)
        y = made(Block, *sizes, **options)(Tensor(array)).data
        return {"the result": y, "x afterwards": array}

    return run


def told(*sizes, x=(2, 5, 7, 3), **options):
    """Return the call as it appears in a message."""
    options = {name: option for name, option in options.items() if name != "train"}
    parts = [*map(str, sizes), *(f"{name}={option!r}" for name, option in options.items())]
    return f"Block({', '.join(parts)}) on x {x}"


def test_the_layers_have_their_names_and_shapes():
    def run(Block):
        blocks = {
            "Block(3, 3)": Block(3, 3),
            "Block(3, 5)": Block(3, 5),
            "Block(4, 4, stride=2)": Block(4, 4, stride=2),
            "Block(3, 6, stride=2, shortcut='A')": Block(3, 6, stride=2, shortcut="A"),
            "Block(3, 5, shortcut='none')": Block(3, 5, shortcut="none"),
        }
        return {
            f"{about}, {name}": array.shape
            for about, block in blocks.items()
            for name, array in sorted(block.state_dict().items())
        }

    tried(run, "the arrays of five blocks")


def test_the_weights_come_from_the_generator_that_is_given():
    def run(Block):
        with init.kept_generator():
            one = numpy.random.default_rng(1)
            first, again, other = (
                Block(3, 5, rng=rng).state_dict() for rng in (one, numpy.random.default_rng(1), one)
            )
        drawn = [name for name in sorted(first) if first[name].ndim == 4]
        return {
            f"{name}: {about}": bool(holds)
            for name in drawn
            for about, holds in (
                ("the same for the same seed", (first[name] == again[name]).all()),
                ("different from those drawn next", (first[name] != other[name]).any()),
            )
        }

    tried(
        run,
        "Block(3, 5, rng=...), with a generator of seed 1, a different one of seed 1, and the first again",
    )


def test_with_a_branch_of_0_x_passes_unchanged():
    def run(Block):
        block, x = made(Block, 3, 3), Tensor(image(), requires_grad=True)
        block.conv2.weight.data[...] = 0
        y = block(x)
        g = image(seed=14)
        y.backward(g.copy())
        return {"the result minus x": y.data - x.data, "the gradient of x minus g": x.grad - g}

    tried(run, "Block(3, 3), where conv2.weight is 0")


def test_where_the_shape_stays_the_branch_is_added_to_x():
    tried(result(3, 3), told(3, 3))


def test_where_the_shape_changes_the_shortcut_is_added():
    for sizes, options in (
        ((3, 5), {}),
        ((3, 5), {"stride": 2}),
        ((3, 2), {}),
        ((3, 6), {"stride": 2, "shortcut": "A"}),
        ((3, 6), {"shortcut": "A"}),
    ):
        tried(result(*sizes, **options), told(*sizes, **options))


def test_the_stride_alone_changes_the_shape_too():
    for options in ({"stride": 2}, {"stride": 3}, {"stride": 2, "shortcut": "A"}):
        tried(
            result(4, 4, x=(2, 5, 7, 4), **options),
            told(4, 4, x=(2, 5, 7, 4), **options),
        )


def test_sizes_may_be_equal_or_1():
    for sizes, x, options in (
        ((3, 3), (3, 3, 3, 3), {}),
        ((3, 3), (4, 1, 1, 3), {}),
        ((3, 3), (1, 3, 3, 3), {}),
        ((1, 2), (1, 4, 4, 1), {"stride": 2}),
    ):
        tried(result(*sizes, x=x, **options), told(*sizes, x=x, **options))


def test_a_plain_block_adds_nothing():
    for sizes, options in (((3, 3), {}), ((3, 5), {"stride": 2})):
        options = {**options, "shortcut": "none"}
        tried(result(*sizes, **options), told(*sizes, **options))


def gradients(*sizes, **options):
    """Experiment: the gradients of x and of all parameters, for a random upstream gradient."""

    def run(Block):
        block, x = made(Block, *sizes, **options), Tensor(image(), requires_grad=True)
        y = block(x)
        y.backward(numpy.random.default_rng(6).standard_normal(y.shape))
        found = {
            f"the gradient of {name}": parameter.grad
            for name, parameter in sorted(block.named_parameters())
        }
        return {"the gradient of x": x.grad, **found}

    return run


def test_gradients_flow_through_branch_and_shortcut():
    for sizes, options in (((3, 3), {}), ((3, 5), {"stride": 2}), ((3, 6), {"shortcut": "A"})):
        tried(
            gradients(*sizes, **options),
            f"{told(*sizes, **options)}, forward and backward",
        )


def test_a_block_may_run_twice_before_a_backward_pass():
    def run(Block):
        block = made(Block, 3, 3)
        x, other = (Tensor(image(seed=seed), requires_grad=True) for seed in (5, 6))
        first, second = block(x), block(other)
        first.backward(image(first.shape, seed=7))
        second.backward(image(second.shape, seed=8))
        found = {
            f"the gradient of {name}": one.grad for name, one in sorted(block.named_parameters())
        }
        return {"the gradient of the first x": x.grad, "of the second x": other.grad, **found}

    tried(
        run,
        "Block(3, 3) on x, then on a different x, and then both backward passes",
    )


def test_two_blocks_share_nothing():
    def run(Block):
        block, other = Block(3, 5), Block(3, 5)
        before = other.state_dict()
        for parameter in block.parameters():
            parameter.data[...] = 7
        block(Tensor(image().astype("float32")))
        return {
            f"{name} of the second stays": bool((array == before[name]).all())
            for name, array in sorted(other.state_dict().items())
        }

    tried(run, "two Block(3, 5), of which the first gets other weights, and runs")


def test_two_blocks_in_a_row():
    def run(Block):
        first, second = made(Block, 3, 5, stride=2), made(Block, 5, 5)
        x = Tensor(image(), requires_grad=True)
        y = second(first(x))
        y.backward(image(y.shape, seed=9))
        return {
            "the result": y.data,
            "the gradient of x": x.grad,
            "the gradient of conv1 of the first": first.conv1.weight.grad,
            "the gradient of conv1 of the second": second.conv1.weight.grad,
        }

    tried(run, "Block(3, 5, stride=2), and then Block(5, 5)")


def test_without_a_generator_the_weights_differ():
    def run(Block):
        with init.kept_generator():
            first, other = Block(3, 5).state_dict(), Block(3, 5).state_dict()
        return {
            f"{name} differs": bool((array != other[name]).any())
            for name, array in sorted(first.items())
            if array.ndim == 4
        }

    tried(run, "two Block(3, 5), without rng")


def test_a_pass_leaves_nothing_on_the_block():
    def run(Block):
        block = made(Block, 3, 5, stride=2)
        before = sorted(vars(block))
        block(Tensor(image()))
        return {
            "new attributes": [name for name in vars(block) if name not in before],
            "the arrays of the state": sorted(block.state_dict()),
        }

    tried(run, "the attributes of Block(3, 5, stride=2) after a pass")


def test_x_may_be_part_of_a_larger_array():
    def run(Block):
        large = image((3, 7, 10, 2))
        x = Tensor(large.T[::2, ::-2, 1:6], requires_grad=True)  # (1, 4, 5, 3)
        y = made(Block, 3, 3)(x)
        y.backward(image(y.shape[::-1], seed=7).T)
        return {"the result": y.data, "the gradient of x": x.grad, "the array": large}

    tried(run, "Block(3, 3) on every second row of a transposed array")


def test_float32_stays_float32():
    def run(Block):
        found = {}
        for about, sizes, stride in (("same", (3, 3), 1), ("halved", (3, 5), 2)):
            block = made(Block, *sizes, stride=stride).astype("float32")
            x = Tensor(image().astype("float32"), requires_grad=True)
            y = block(x)
            y.backward(image(y.shape).astype("float32"))
            found[f"the result, {about}"] = y.data
            found[f"the gradient of x, {about}"] = x.grad
        return found

    check_float32.experiment(
        run, PreActivationBasicBlock, "Block(3, 3) and Block(3, 5, stride=2) in float32"
    )


def test_in_evaluation_the_running_statistics_normalise():
    tried(
        result(3, 5, stride=2, train=False),
        "Block(3, 5, stride=2) in evaluation mode",
    )
    tried(
        gradients(3, 3, train=False),
        "Block(3, 3) in evaluation mode, forward and backward",
    )


def test_in_training_the_running_statistics_move():
    def run(Block):
        block = made(Block, 3, 5, stride=2)
        block(Tensor(image()))
        block(Tensor(image(seed=4)))
        return {
            name: array for name, array in sorted(block.state_dict().items()) if "running" in name
        }

    tried(run, "the running statistics of Block(3, 5, stride=2) after two batches")
