"""Claims about a bottleneck: 1x1, 3x3 and 1x1 with batch norm, and x added before the last ReLU."""

import zlib

import numpy
from e12c_bottleneck import Bottleneck

from minires.course import Check
from minires.nn import init
from minires.tensor import Tensor

check = Check("12c")
check_float32 = Check("12c", tolerance=1e-4)


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


def image(shape, shift=0.0, seed=5):
    return numpy.random.default_rng(seed).standard_normal(shape) + shift


def arrays(block):
    """Return {layer: {array: its shape}}, so that a difference names the layer."""
    found = {name: {} for name in ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3", "downsample")}
    for name, array in block.state_dict().items():
        found.setdefault(name.partition(".")[0], {})[name] = str(array.shape)
    return found


def result(*sizes, x=(2, 5, 7, 8), shift=0.0, **options):
    """Experiment: the result of the block."""

    def run(Block):
        array = image(x, shift)
        y = made(Block, *sizes, **options)(Tensor(array)).data
        return {"the result": y, "x afterwards": array}

    return run


def gradients(*sizes, x=(2, 5, 7, 8), **options):
    """Experiment: the gradients of x and of all parameters, for a random upstream gradient."""

    def run(Block):
        block, images = made(Block, *sizes, **options), Tensor(image(x), requires_grad=True)
        y = block(images)
        y.backward(numpy.random.default_rng(6).standard_normal(y.shape))
        found = {f"the gradient of {name}": one.grad for name, one in block.named_parameters()}
        return {"the gradient of x": images.grad, **found}

    return run


def test_the_layers_have_their_names_and_shapes():
    def run(Block):
        blocks = {"same": Block(8, 2), "wider": Block(3, 2), "halved": Block(8, 2, stride=2), "A": Block(2, 2, stride=2, shortcut="A"),
                  "plain": Block(3, 2, shortcut="none"), "one channel": Block(4, 1)}  # fmt: skip
        return {about: arrays(block) for about, block in blocks.items()}

    check.experiment(
        run,
        Bottleneck,
        "the arrays of Block(8, 2), (3, 2), (8, 2, stride=2), and with other shortcuts",
    )


def test_a_new_block_is_ready_for_a_network():
    def run(Block):
        block = Block(3, 2, stride=2)
        norms = {name: array for name, array in block.state_dict().items() if array.ndim == 1}
        return {"expansion": block.expansion, "preactivation": block.preactivation, **norms}

    check.experiment(run, Bottleneck, "the class, and the norms of a new Block(3, 2, stride=2)")


def test_the_weights_come_from_the_generator_that_is_given():
    def run(Block):
        with init.kept_generator():
            first, again, other = (
                Block(3, 2, rng=numpy.random.default_rng(seed)).state_dict() for seed in (1, 1, 2)
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
        run, Bottleneck, "Block(3, 2, rng=...), with generators of seed 1, 1 again, and 2"
    )


def test_where_the_shape_stays_x_itself_is_added():
    check.experiment(result(8, 2), Bottleneck, "Block(8, 2) on x (2, 5, 7, 8)")
    check.experiment(result(8, 2, shift=50), Bottleneck, "Block(8, 2) on an x of large numbers")


def test_a_sum_below_0_becomes_0():
    check.experiment(
        result(8, 2, shift=-4), Bottleneck, "Block(8, 2) on an x of mostly negative numbers"
    )


def test_where_the_channels_change_a_projection_of_x_is_added():
    check.experiment(result(3, 2, x=(2, 5, 7, 3)), Bottleneck, "Block(3, 2) on x (2, 5, 7, 3)")
    check.experiment(
        result(3, 2, x=(2, 5, 7, 3), shortcut="A"),
        Bottleneck,
        "Block(3, 2, shortcut='A') on x (2, 5, 7, 3)",
    )


def test_the_3x3_has_the_stride():
    check.experiment(
        result(3, 2, x=(2, 5, 7, 3), stride=2), Bottleneck, "Block(3, 2, stride=2) on (2, 5, 7, 3)"
    )
    check.experiment(
        result(8, 2, x=(2, 6, 4, 8), stride=2, shortcut="none"),
        Bottleneck,
        "Block(8, 2, stride=2, shortcut='none') on x (2, 6, 4, 8)",
    )
    check.experiment(
        result(3, 2, x=(2, 7, 9, 3), stride=3), Bottleneck, "Block(3, 2, stride=3) on (2, 7, 9, 3)"
    )


def test_the_stride_alone_changes_the_shape_too():
    check.experiment(result(8, 2, stride=2), Bottleneck, "Block(8, 2, stride=2) on (2, 5, 7, 8)")
    check.experiment(
        result(8, 2, stride=2, shortcut="A"), Bottleneck, "Block(8, 2, stride=2, shortcut='A')"
    )


def test_sizes_may_be_equal_or_1():
    check.experiment(result(4, 4, x=(4, 4, 4, 4)), Bottleneck, "Block(4, 4) on x (4, 4, 4, 4)")
    check.experiment(result(4, 1, x=(4, 1, 1, 4)), Bottleneck, "Block(4, 1) on x (4, 1, 1, 4)")
    check.experiment(result(8, 2, x=(8, 8, 8, 8)), Bottleneck, "Block(8, 2) on x (8, 8, 8, 8)")
    check.experiment(
        result(1, 1, x=(1, 4, 4, 1), stride=2), Bottleneck, "Block(1, 1, stride=2) on (1, 4, 4, 1)"
    )


def test_a_plain_block_adds_nothing():
    check.experiment(result(8, 2, shortcut="none"), Bottleneck, "Block(8, 2, shortcut='none')")


def test_gradients_flow_through_branch_and_shortcut():
    check.experiment(
        gradients(8, 2), Bottleneck, "Block(8, 2) on x (2, 5, 7, 8), forward and backward"
    )
    check.experiment(
        gradients(3, 2, x=(2, 5, 7, 3), stride=2),
        Bottleneck,
        "Block(3, 2, stride=2) on x (2, 5, 7, 3), forward and backward",
    )


def test_a_block_may_run_twice_before_a_backward_pass():
    def run(Block):
        block = made(Block, 8, 2)
        x, other = (Tensor(image((2, 5, 7, 8), seed=seed), requires_grad=True) for seed in (5, 6))
        first, second = block(x), block(other)
        first.backward(image(first.shape, seed=7))
        second.backward(image(second.shape, seed=8))
        found = {f"the gradient of {name}": one.grad for name, one in block.named_parameters()}
        return {"the gradient of the first x": x.grad, "of the second x": other.grad, **found}

    check.experiment(
        run, Bottleneck, "Block(8, 2) on x, then on a different x, and then both backward passes"
    )


def test_each_block_has_its_own_weights():
    def run(Block):
        block, other = Block(3, 2), Block(3, 2)
        before = other.state_dict()
        for parameter in block.parameters():
            parameter.data[...] = 7
        block(Tensor(image((2, 5, 7, 3)).astype("float32")))
        return {
            f"{name} of the second stays": bool((array == before[name]).all())
            for name, array in other.state_dict().items()
        }

    check.experiment(
        run, Bottleneck, "two Block(3, 2), of which the first gets other weights, and runs"
    )


def test_without_a_generator_the_weights_differ():
    def run(Block):
        with init.kept_generator():
            first, other = Block(3, 2).state_dict(), Block(3, 2).state_dict()
        return {
            f"{name} differs": bool((array != other[name]).any())
            for name, array in first.items()
            if array.ndim == 4
        }

    check.experiment(run, Bottleneck, "two Block(3, 2), without rng")


def test_a_pass_leaves_nothing_on_the_block():
    def run(Block):
        block = made(Block, 3, 2, stride=2)
        before = sorted(vars(block))
        block(Tensor(image((2, 5, 7, 3))))
        return {
            "new attributes": [name for name in vars(block) if name not in before],
            "the arrays of the state": sorted(block.state_dict()),
        }

    check.experiment(run, Bottleneck, "the attributes of Block(3, 2, stride=2) after a pass")


def test_x_may_be_part_of_a_larger_array():
    def run(Block):
        large = image((8, 7, 10, 2))
        x = Tensor(large.T[::2, ::-2, 1:6], requires_grad=True)  # (1, 5, 5, 8)
        y = made(Block, 8, 2)(x)
        y.backward(image(y.shape[::-1], seed=7).T)
        return {"the result": y.data, "the gradient of x": x.grad, "the array": large}

    check.experiment(run, Bottleneck, "Block(8, 2) on every second row of a transposed array")


def test_float32_stays_float32():
    def run(Block):
        block = made(Block, 3, 2, stride=2).astype("float32")
        x = Tensor(image((2, 5, 7, 3)).astype("float32"), requires_grad=True)
        y = block(x)
        y.backward(image(y.shape).astype("float32"))
        return {"the result": y.data, "the gradient of x": x.grad}

    check_float32.experiment(run, Bottleneck, "Block(3, 2, stride=2) in float32")


def test_in_evaluation_the_running_statistics_normalise():
    check.experiment(
        result(3, 2, x=(2, 5, 7, 3), stride=2, train=False),
        Bottleneck,
        "Block(3, 2, stride=2) in evaluation mode",
    )
    check.experiment(
        result(8, 2, x=(1, 1, 1, 8), train=False), Bottleneck, "one pixel in evaluation mode"
    )
    check.experiment(
        gradients(8, 2, train=False), Bottleneck, "Block(8, 2) in evaluation mode, and backward"
    )


def test_in_training_the_running_statistics_move():
    def run(Block):
        block = made(Block, 3, 2, stride=2)
        block(Tensor(image((2, 5, 7, 3))))
        return {name: array for name, array in block.state_dict().items() if "running" in name}

    check.experiment(
        run, Bottleneck, "the running statistics of Block(3, 2, stride=2) after one batch"
    )
