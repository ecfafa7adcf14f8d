"""Claims about relative_size: F before the sum, compared with the shortcut, as one number."""

import numpy
from e11b_relative_size import relative_size

from minires.course import Check
from minires.models.resnet import BasicBlock
from minires.nn import init
from minires.tensor import Tensor

check = Check("11b")


def made(*sizes, dtype="float64", seed=3, **options):
    """Return a block in evaluation mode whose batch norms have weights, biases and statistics of all kinds."""
    with init.kept_generator():
        init.manual_seed(seed)
        block = BasicBlock(*sizes, **options)
    rng = numpy.random.default_rng(seed)
    for name, array in (state := block.state_dict()).items():
        if array.ndim == 1:
            array[...] = rng.standard_normal(array.shape) + (0.5 if name.endswith("bias") else 0)
            if name.endswith("var"):
                array[...] = 0.5 + abs(array)
    block.load_state_dict(state)
    return block.astype(dtype).eval()


def maps(shape, seed=4, scale=2.0, dtype="float64"):
    """Return feature maps, of which some elements are negative."""
    x = numpy.random.default_rng(seed).standard_normal(shape) * scale
    return Tensor((x * (1 + numpy.arange(len(x)).reshape(-1, 1, 1, 1)) + 0.5).astype(dtype))


def size(*sizes, x=(3, 5, 4, 3), dtype="float64", **options):
    """Experiment: the relative size."""
    return lambda yours: yours(made(*sizes, dtype=dtype, **options), maps(x, dtype=dtype))


def test_the_shortcut_may_be_x_itself():
    check.experiment(size(3, 3), relative_size, "BasicBlock(3, 3) on x (3, 5, 4, 3)")
    check.experiment(size(3, 3, seed=5), relative_size, "another BasicBlock(3, 3)")


def test_it_is_a_float():
    def run(yours):
        found = {}
        for dtype in ("float64", "float32"):
            value = yours(made(3, 3, dtype=dtype), maps((2, 3, 3, 3), dtype=dtype))
            found[f"in {dtype}"] = "float" if isinstance(value, float) else type(value).__name__
        return found

    check.experiment(run, relative_size, "the type of what is returned")


def test_the_shortcut_may_be_a_projection():
    check.experiment(size(3, 5), relative_size, "BasicBlock(3, 5) on x (3, 5, 4, 3)")
    check.experiment(size(3, 5, stride=2), relative_size, "BasicBlock(3, 5, stride=2)")


def test_the_shortcut_may_have_zero_channels():
    check.experiment(
        size(3, 6, stride=2, shortcut="A"),
        relative_size,
        "BasicBlock(3, 6, stride=2, shortcut='A')",
    )
    check.experiment(
        size(3, 3, stride=2, shortcut="A"),
        relative_size,
        "BasicBlock(3, 3, stride=2, shortcut='A')",
    )


def test_maps_after_a_relu():
    def run(yours):
        x = maps((3, 4, 5, 3))
        return yours(made(3, 3), Tensor(numpy.maximum(x.data, 0)))

    check.experiment(run, relative_size, "BasicBlock(3, 3) on maps of which many elements are 0")


def test_a_branch_of_0_has_size_0():
    def run(yours):
        block = made(3, 3)
        block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0
        return yours(block, maps((2, 5, 4, 3)))

    check.experiment(
        run, relative_size, "a block whose last batch norm has weights and biases of 0"
    )


def test_twice_the_branch_is_twice_the_size():
    def run(yours):
        block, x = made(3, 3), maps((2, 5, 4, 3))
        found = {"before": yours(block, x)}
        block.bn2.weight.data *= 2
        block.bn2.bias.data *= 2
        found["afterwards"] = yours(block, x)
        found["of other maps"] = yours(block, maps((2, 5, 4, 3), seed=9))
        found["of a different block"] = yours(made(3, 3, seed=8), x)
        return found

    check.experiment(run, relative_size, "a block whose last batch norm is then doubled")


def test_sizes_may_be_1_or_equal():
    check.experiment(size(3, 3, x=(1, 4, 6, 3)), relative_size, "one image")
    check.experiment(size(3, 3, x=(3, 3, 3, 3)), relative_size, "BasicBlock(3, 3) on (3, 3, 3, 3)")
    check.experiment(size(2, 1, x=(2, 1, 1, 2)), relative_size, "images of one pixel")


def test_block_and_maps_stay_unchanged():
    def run(yours):
        block, x = made(3, 5, stride=2), maps((2, 5, 4, 3))
        before, attributes = block.state_dict(), sorted(vars(block))
        block.conv1.weight.grad = numpy.ones(block.conv1.weight.shape)
        yours(block, x)
        after = block.state_dict()
        return {
            "x": x.data,
            "arrays that have changed": [name for name in before if (before[name] != after[name]).any()],
            "attributes": sorted(vars(block)) == attributes,
            "gradients": [parameter.grad for parameter in block.parameters()],
            "modules in training mode": [name for name, module in block.modules() if module.training],
        }  # fmt: skip

    check.experiment(run, relative_size, "the block and the maps afterwards")


def test_large_and_small_maps():
    for scale in (1e-6, 1e6):
        check.experiment(
            lambda yours, scale=scale: yours(made(3, 3), maps((2, 5, 4, 3), scale=scale)),
            relative_size,
            f"maps of size {scale:g}",
        )


def test_maps_in_float32_or_laid_out_differently():
    Check("11b", tolerance=1e-4).experiment(
        size(3, 3, dtype="float32"), relative_size, "a block and maps in float32"
    )

    def run(yours):
        large = numpy.random.default_rng(6).standard_normal((6, 4, 10, 2))
        return yours(made(3, 3), Tensor(large.T[:, ::2, ::-1, ::2]))

    check.experiment(run, relative_size, "maps that are parts of a larger array")
