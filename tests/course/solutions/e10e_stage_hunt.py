"""Solutions of 10e: stages that were fixed, and ones that were fixed in the wrong place."""

import functools

from minires import functional as F
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

NONE, ZERO = "test_every_weight_gets_a_gradient", "test_a_block_whose_residual_is_0_returns_its_input"  # fmt: skip
MAPS, ONE, BACK = (
    "test_the_maps_of_several_blocks_are_right",
    "test_one_block_stays_right",
    "test_the_gradients_are_right",
)


@right
def as_it_should_be(x, blocks, *, stride=1):
    first, *others = blocks
    y = F.relu(first["bn1"](first["conv1"](x)))
    y = first["bn2"](first["conv2"](y))
    x = F.relu(y + F.pad_shortcut(x, channels=y.shape[-1], stride=stride))
    maps = [x]
    for layers in others:
        shortcut = x
        y = F.relu(layers["bn1"](layers["conv1"](x)))
        y = layers["bn2"](layers["conv2"](y))
        x = F.relu(y + shortcut)
        maps.append(x)
    return maps


@right
def by_recursion(x, blocks, *, stride=1):
    if not blocks:
        return []
    layers = blocks[0]
    y = layers["conv2"](F.relu(layers["bn1"](layers["conv1"](x))))
    shortcut = F.pad_shortcut(x, channels=y.shape[-1], stride=stride)
    y = F.relu(F.add(layers["bn2"](y), shortcut))
    return [y, *by_recursion(y, blocks[1:])]


@right
def with_a_class(x, blocks, *, stride=1):
    class Block:
        def __init__(self, conv1, bn1, conv2, bn2):
            self.branch = [conv1, bn1, F.relu, conv2, bn2]

        def __call__(self, x):
            return functools.reduce(lambda y, layer: layer(y), self.branch, x)

    maps = [x]
    for i, layers in enumerate(blocks):
        residual = Block(**layers)(maps[-1])
        carried = maps[-1]
        if i == 0:
            carried = carried[:, ::stride, ::stride]
            more = residual.shape[-1] - carried.shape[-1]
            carried = F.pad(carried, ((0, 0), (0, 0), (0, 0), (more // 2, more - more // 2)))
        maps.append(F.maximum(carried + residual, 0))
    return maps[1:]


def branch(x, layers, reads=None):
    """F; reads(x, y) is what the second convolution reads."""
    y = layers["bn1"](layers["conv1"](x))
    y = F.relu(y)
    return layers["bn2"](layers["conv2"](reads(x, y) if reads else y))


def run(x, blocks, stride, reads=None, added=None, end=F.relu):
    """The maps. added(x, old, y) is the later blocks' shortcut"""
    y = branch(x, blocks[0])
    old = F.pad_shortcut(x, channels=y.shape[-1], stride=stride)
    maps = [F.relu(y + old)]
    for layers in blocks[1:]:
        x = maps[-1]
        y = branch(x, layers, reads)
        maps.append(end(y + added(x, old, y) if added else y + x))
    return maps


@wrong(NONE, mistake="second_still_reads_x")
def conv2_of_x(x, blocks, *, stride=1):
    return run(x, blocks, stride, reads=lambda x, y: x)


@wrong(ZERO, mistake="shortcut_still_old")
def the_first_shortcut(x, blocks, *, stride=1):
    return run(x, blocks, stride, added=lambda x, old, y: old)


@wrong(NONE, mistake="first_convolution_dropped")
def one_convolution(x, blocks, *, stride=1):
    maps = run(x, blocks[:1], stride)
    for layers in blocks[1:]:
        maps += [F.relu(maps[-1] + layers["bn2"](layers["conv2"](maps[-1])))]
    return maps


@wrong(ZERO, mistake="shortcut_of_the_first_result")
def x_overwritten(x, blocks, *, stride=1):
    maps = run(x, blocks[:1], stride)
    for layers in blocks[1:]:
        x = maps[-1]
        x = F.relu(layers["bn1"](layers["conv1"](x)))
        y = layers["bn2"](layers["conv2"](x))
        maps += [F.relu(x + y)]
    return maps


@wrong(ZERO, mistake="both_shortcuts")
def old_and_new(x, blocks, *, stride=1):
    return run(x, blocks, stride, added=lambda x, old, y: old + x)


@wrong(ZERO, mistake="no_shortcut")
def plain(x, blocks, *, stride=1):
    return run(x, blocks, stride, added=lambda x, old, y: 0)


@wrong(MAPS, mistake="relu_before_the_sum")
def early_relu(x, blocks, *, stride=1):
    maps = run(x, blocks[:1], stride)
    for layers in blocks[1:]:
        maps += [maps[-1] + F.relu(branch(maps[-1], layers))]
    return maps


@wrong(MAPS, mistake="inner_relu_lost")
def linear_inside(x, blocks, *, stride=1):
    maps = run(x, blocks[:1], stride)
    for layers in blocks[1:]:
        y = layers["conv2"](layers["bn1"](layers["conv1"](maps[-1])))
        maps += [F.relu(maps[-1] + layers["bn2"](y))]
    return maps


@wrong(MAPS)
def last_relu_lost(x, blocks, *, stride=1):
    return run(x, blocks, stride, end=lambda y: y)


@wrong(ZERO)
def two_blocks_before(x, blocks, *, stride=1):
    """The shortcut lags behind by a block."""
    maps = run(x, blocks[:1], stride)
    before = F.pad_shortcut(x, channels=maps[0].shape[-1], stride=stride)
    for layers in blocks[1:]:
        y = branch(maps[-1], layers)
        maps.append(F.relu(y + before))
        before = maps[-2]
    return maps


@wrong(BACK)
def shortcut_detached(x, blocks, *, stride=1):
    return run(x, blocks, stride, added=lambda x, old, y: x.detach())


@wrong(ONE)
def the_last_map_only(x, blocks, *, stride=1):
    return run(x, blocks, stride)[-1:] * 2


@wrong(ONE)
def the_stage_input_too(x, blocks, *, stride=1):
    return [x, *run(x, blocks, stride)]


@wrong(ONE)
def stride_forgotten(x, blocks, *, stride=1):
    """The first shortcut keeps its size and is pooled to fit: it is no longer every stride-th pixel."""
    y = branch(x, blocks[0])
    pooled = F.mean(x, axis=(1, 2), keepdims=True) if stride > 1 else x
    maps = [F.relu(y + F.pad_shortcut(pooled, channels=y.shape[-1]))]
    for layers in blocks[1:]:
        maps.append(F.relu(branch(maps[-1], layers) + maps[-1]))
    return maps


@wrong(BACK)
def map_rebuilt(x, blocks, *, stride=1):
    """A new tensor of each map: the graph ends there."""
    maps = run(x, blocks[:1], stride)
    for layers in blocks[1:]:
        before = Tensor(maps[-1].data)
        maps.append(F.relu(branch(before, layers) + before))
    return maps
