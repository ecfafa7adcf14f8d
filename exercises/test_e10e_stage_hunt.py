"""Claims about residual_stage: each block computes relu(F + s) from what the block before it returned."""

import numpy
from e10e_stage_hunt import residual_stage

from minires.course import Check
from minires.nn import BatchNorm, Conv2d
from minires.tensor import Tensor

check = Check("10e")
check_float32 = Check("10e", tolerance=1e-4)


def stage(depth, channels=3, width=5, stride=1, train=True, dtype="float64", seed=40):
    """Return the blocks of a stage, with weights and statistics from a seed."""
    rng = numpy.random.default_rng(seed)
    blocks = []
    for i in range(depth):
        shape = {"stride": stride if i == 0 else 1, "padding": 1, "bias": False, "rng": rng}
        layers = {
            "conv1": Conv2d(width if i else channels, width, 3, **shape), "bn1": BatchNorm(width),
            "conv2": Conv2d(width, width, 3, padding=1, bias=False, rng=rng), "bn2": BatchNorm(width),
        }  # fmt: skip
        for layer in layers.values():
            layer.astype(dtype).train(train)
            if isinstance(layer, BatchNorm):
                layer.weight.data[...] = rng.uniform(0.5, 1.5, width)
                layer.bias.data[...] = rng.standard_normal(width) / 2
                layer.running_mean[...] = rng.standard_normal(width) / 2
                layer.running_var[...] = rng.uniform(0.5, 2, width)
        blocks.append(layers)
    return blocks


def image(*shape, seed=41, dtype="float64"):
    return numpy.random.default_rng(seed).standard_normal(shape).astype(dtype)


def maps(depth, shape, prepare=lambda blocks: None, **options):
    """Experiment: the map after each block, and x afterwards."""

    def run(residual_stage):
        blocks, x = stage(depth, shape[-1], **options), image(*shape)
        prepare(blocks)
        found = residual_stage(Tensor(x), blocks, stride=options.get("stride", 1))
        after = {f"after block {i}": y.data for i, y in enumerate(found)}
        kinds = {"the maps are in a list": isinstance(found, list), "their number": len(found)}
        return {**kinds, **after, "x afterwards": x}

    return run


def gradients(depth, shape, **options):
    """Experiment: the gradients of x and of all parameters; None if there is none."""

    def run(residual_stage):
        blocks, x = stage(depth, shape[-1], **options), Tensor(image(*shape), requires_grad=True)
        y = residual_stage(x, blocks, stride=options.get("stride", 1))[-1]
        y.backward(image(*y.shape, seed=42))
        found = {"the gradient of x": x.grad}
        for i, layers in enumerate(blocks):
            for name, layer in layers.items():
                for which, parameter in layer.named_parameters():
                    found[f"the gradient of block {i}, {name}.{which}"] = parameter.grad
        return found

    return run


def test_one_block_stays_right():
    check.experiment(maps(1, (2, 5, 7, 3)), residual_stage, "a stage of one block")
    for stride in (2, 3):
        about = f"a stage of one block with stride {stride}"
        check.experiment(maps(1, (2, 5, 7, 3), stride=stride), residual_stage, about)


def test_every_weight_gets_a_gradient():
    def run(residual_stage):
        blocks, x = stage(3), Tensor(image(2, 5, 7, 3))
        y = residual_stage(x, blocks)[-1]
        y.backward(image(*y.shape, seed=42))
        return {
            f"block {i}, {name} has a gradient": layer.weight.grad is not None
            for i, layers in enumerate(blocks)
            for name, layer in layers.items()
        }

    check.experiment(run, residual_stage, "the gradients in a stage of three blocks")


def test_a_block_whose_residual_is_0_returns_its_input():
    def silent(blocks):
        for layers in blocks[1:]:
            layers["bn2"].weight.data[...] = layers["bn2"].bias.data[...] = 0

    check.experiment(
        maps(3, (2, 5, 7, 3), silent),
        residual_stage,
        "three blocks, where bn2 of the last two has gamma = beta = 0",
    )


def test_the_maps_of_several_blocks_are_right():
    check.experiment(maps(2, (2, 5, 7, 3)), residual_stage, "a stage of two blocks")
    check.experiment(maps(4, (2, 5, 7, 3), stride=2), residual_stage, "a stage of four, stride 2")


def test_in_evaluation_they_are_right_too():
    check.experiment(
        maps(3, (1, 6, 5, 3), stride=2, train=False), residual_stage, "three blocks in evaluation"
    )


def test_the_gradients_are_right():
    check.experiment(gradients(1, (2, 5, 7, 3)), residual_stage, "one block, and backward")
    check.experiment(
        gradients(3, (2, 5, 7, 3), stride=2), residual_stage, "three blocks with stride 2, and backward"
    )  # fmt: skip


def test_the_running_statistics_move():
    def run(residual_stage):
        blocks = stage(3)
        residual_stage(Tensor(image(2, 5, 7, 3)), blocks)
        return {
            f"block {i}, {name}: the running {which}": getattr(layers[name], f"running_{which}")
            for i, layers in enumerate(blocks)
            for name in ("bn1", "bn2")
            for which in ("mean", "var")
        }

    check.experiment(run, residual_stage, "the running statistics of three blocks after one batch")


def test_sizes_may_be_equal_or_1():
    check.experiment(maps(3, (3, 3, 3, 3), width=3), residual_stage, "three blocks, all sizes 3")
    check.experiment(
        maps(2, (4, 4, 4, 4), width=4, stride=2), residual_stage, "two blocks, all sizes 4, stride 2"
    )  # fmt: skip
    check.experiment(maps(2, (4, 1, 1, 1), width=2), residual_stage, "two blocks on x (4, 1, 1, 1)")


def test_a_stage_may_run_twice_before_a_backward_pass():
    def run(residual_stage):
        blocks, found = stage(2), {}
        x, other = (Tensor(image(2, 5, 7, 3, seed=seed), requires_grad=True) for seed in (43, 44))
        first, second = residual_stage(x, blocks), residual_stage(other, blocks)
        for y in (first[-1], second[-1]):
            y.backward(image(*y.shape, seed=45))
        for i, layers in enumerate(blocks):
            found[f"the gradient of block {i}, conv1"] = layers["conv1"].weight.grad
        return {**found, "that of the first x": x.grad, "of the second x": other.grad}

    check.experiment(run, residual_stage, "two calls, and then both backward passes")


def test_two_stages_take_turns():
    def run(residual_stage):
        one, two = stage(2, seed=46), stage(3, seed=47)
        x = Tensor(image(2, 5, 7, 3))
        found = [residual_stage(x, blocks) for blocks in (one, two, one)]
        keys = [sorted(layers) for layers in (*one, *two)]
        return {"the last maps": [maps[-1].data for maps in found], "the keys": keys}

    check.experiment(
        run, residual_stage, "a stage of two blocks, one of three, and the first again"
    )


def test_x_may_be_part_of_a_larger_array():
    def run(residual_stage):
        large = image(3, 7, 10, 2)
        x = Tensor(large.T[::2, ::-2, 1:6], requires_grad=True)  # (1, 5, 5, 3)
        y = residual_stage(x, stage(3, stride=2), stride=2)[-1]
        y.backward(image(*y.shape[::-1], seed=48).T)
        return {"the result": y.data, "the gradient of x": x.grad, "the array": large}

    check.experiment(run, residual_stage, "three blocks on every second row of a transposed array")


def test_float32_stays_float32():
    def run(residual_stage):
        x = Tensor(image(2, 5, 7, 3, dtype="float32"))
        return [y.data for y in residual_stage(x, stage(3, dtype="float32"))]

    check_float32.experiment(run, residual_stage, "three blocks in float32")
