"""Strange solutions of 10e."""

import itertools

from minires import functional as F
from minires.course.answers.e10e_stage_hunt import hunted
from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong

ZERO, MAPS = (
    "test_a_block_whose_residual_is_0_returns_its_input",
    "test_the_maps_of_several_blocks_are_right",
)
BACK, TWICE, TURNS = (
    "test_the_gradients_are_right",
    "test_a_stage_may_run_twice_before_a_backward_pass",
    "test_two_stages_take_turns",
)
ONE = "test_one_block_stays_right"
RUNNING, EVAL = "test_the_running_statistics_move", "test_in_evaluation_they_are_right_too"


def first_map(x, layers, stride):
    y = layers["bn2"](layers["conv2"](F.relu(layers["bn1"](layers["conv1"](x)))))
    return F.relu(y + F.pad_shortcut(x, channels=y.shape[-1], stride=stride))


def branch(x, layers):
    return layers["bn2"](layers["conv2"](F.relu(layers["bn1"](layers["conv1"](x)))))


@right
def one_block_at_a_time(x, blocks, *, stride=1):
    """For one block, the function as provided is right: so it gets one at a time."""
    maps = []
    for i, layers in enumerate(blocks):
        maps += hunted(maps[-1] if maps else x, [layers], stride=1 if i else stride)
    return maps


@right
def a_generator_made_a_list(x, blocks, *, stride=1):
    def running(x):
        for i, layers in enumerate(blocks):
            shortcut = F.pad_shortcut(
                x, channels=layers["bn2"].weight.size, stride=1 if i else stride
            )
            x = F.relu(branch(x, layers) + shortcut)
            yield x

    return [*running(x)]


@right
def by_while_and_pop(x, blocks, *, stride=1):
    left, maps = list(blocks), []
    while left:
        layers = left.pop(0)
        x = F.relu(branch(x, layers) + x) if maps else first_map(x, layers, stride)
        maps.append(x)
    return maps


@right
def ops_and_weights(x, blocks, *, stride=1):
    """The convolutions as ops: the layers only hold the weights."""
    maps = []
    for layers in blocks:
        step = stride if not maps else 1
        y = F.conv2d(x, layers["conv1"].weight, stride=step, padding=1)
        y = F.conv2d(F.relu(layers["bn1"](y)), layers["conv2"].weight, padding=1)
        y = layers["bn2"](y)
        y = y + (x if maps else F.pad_shortcut(x, channels=y.shape[-1], stride=step))
        maps, x = [*maps, F.relu(y)], F.relu(y)
    return maps


@right
def two_names_for_each_tensor(x, blocks, *, stride=1):
    block_input, results = x, []
    for number in range(len(blocks)):
        conv1, bn1, conv2, bn2 = (blocks[number][key] for key in ("conv1", "bn1", "conv2", "bn2"))
        first_result = F.relu(bn1(conv1(block_input)))
        residual = bn2(conv2(first_result))
        shortcut = block_input
        if number == 0:
            shortcut = F.pad_shortcut(block_input, channels=residual.shape[-1], stride=stride)
        block_output = F.relu(residual + shortcut)
        results.append(block_output)
        block_input = block_output
    return results


SHORTCUTS, MAPS_MADE = {}, []


@wrong(TWICE, crashes=True)
def shortcut_of_the_first_call(x, blocks, *, stride=1):
    maps = [first_map(x, blocks[0], stride)]
    for i, layers in enumerate(blocks[1:]):
        kept = SHORTCUTS.setdefault((id(blocks), i), maps[-1])
        maps.append(F.relu(branch(maps[-1], layers) + kept))
    return maps


@wrong(TURNS)
def maps_in_a_list_of_all_calls(x, blocks, *, stride=1, maps=MAPS_MADE):
    if len(maps) >= len(blocks):
        maps.clear()
    for layers in blocks[len(maps) :]:
        if maps:
            maps.append(F.relu(branch(maps[-1], layers) + maps[-1]))
        else:
            maps.append(first_map(x, layers, stride))
    return maps


@wrong(TURNS)
def blocks_consumed(x, blocks, *, stride=1):
    """The dicts are emptied on the way."""
    maps = []
    for layers in blocks:
        layers.setdefault("used", layers["conv1"])
        x = F.relu(branch(x, layers) + x) if maps else first_map(x, layers, stride)
        maps.append(x)
    return maps


@wrong(MAPS)
def every_second_block(x, blocks, *, stride=1):
    """The shortcut spans two blocks."""
    maps = [first_map(x, blocks[0], stride)]
    for i, layers in enumerate(blocks[1:]):
        y = branch(maps[-1], layers)
        maps.append(F.relu(y + maps[-1] if i % 2 == 0 else y))
    return maps


@wrong(RUNNING)
def first_layers_run_twice(x, blocks, *, stride=1):
    """Their results are right, and batch norm has seen each batch twice."""
    maps = []
    for layers in blocks:
        layers["bn1"](layers["conv1"](x))
        x = F.relu(branch(x, layers) + x) if maps else first_map(x, layers, stride)
        maps.append(x)
    return maps


@wrong(EVAL)
def always_in_training(x, blocks, *, stride=1):
    maps = []
    for layers in blocks:
        for layer in layers.values():
            layer.train()
        x = F.relu(branch(x, layers) + x) if maps else first_map(x, layers, stride)
        maps.append(x)
    return maps


@wrong(ZERO)
def shortcut_without_the_ties(x, blocks, *, stride=1):
    """Added only where the block's input is below its mean."""
    maps = [first_map(x, blocks[0], stride)]
    for layers in blocks[1:]:
        x = maps[-1]
        maps.append(F.relu(branch(x, layers) + F.where(x.data < x.data.mean(), x, 0.0)))
    return maps


@wrong(BACK, crashes=True)
def without_a_graph(x, blocks, *, stride=1):
    with no_grad():
        return one_block_at_a_time(x, blocks, stride=stride)


@wrong(BACK)
def the_branch_detached(x, blocks, *, stride=1):
    maps = [first_map(x, blocks[0], stride)]
    for layers in blocks[1:]:
        maps.append(F.relu(Tensor(branch(maps[-1], layers).data) + maps[-1]))
    return maps


@wrong("test_sizes_may_be_equal_or_1")
def identity_where_the_shape_seems_to_stay(x, blocks, *, stride=1):
    """One channel is broadcast to all."""
    maps = []
    for i, layers in enumerate(blocks):
        y = branch(x, layers)
        narrow = x.shape[-1] not in (1, y.shape[-1]) or x.shape[1] != y.shape[1]
        if i == 0 and narrow:
            x = F.pad_shortcut(x, channels=y.shape[-1], stride=stride)
        x = F.relu(y + x)
        maps.append(x)
    return maps


@wrong("test_float32_stays_float32")
def in_double(x, blocks, *, stride=1):
    return [
        F.multiply(y, Tensor([1.0]).data.astype("float64"))
        for y in one_block_at_a_time(x, blocks, stride=stride)
    ]


def repaired(step):
    """Return a stage whose later blocks are step(x, layers)."""

    def residual_stage(x, blocks, *, stride=1):
        maps = [first_map(x, blocks[0], stride)]
        for layers in blocks[1:]:
            maps.append(step(maps[-1], layers))
        return maps

    return residual_stage


good = repaired(lambda x, layers: F.relu(branch(x, layers) + x))


@right
def with_accumulate(x, blocks, *, stride=1):
    first = first_map(x, blocks[0], stride)
    steps = itertools.accumulate(
        blocks[1:], lambda x, layers: F.relu(x + branch(x, layers)), initial=first
    )
    return list(steps)


@right
def option_a_everywhere(x, blocks, *, stride=1):
    """Where nothing changes, it is the identity."""
    maps = []
    for layers in blocks:
        y = branch(x, layers)
        step = 1 if maps else stride
        x = F.relu(F.pad_shortcut(x, channels=y.shape[-1], stride=step) + y)
        maps += [x]
    return maps


@wrong(MAPS)
def both_symptoms_cured(x, blocks, *, stride=1):
    """The gradients aren't None: they are 0. And a block whose residual is 0 is left out."""

    def step(x, layers):
        unused = F.sum(F.relu(layers["bn1"](layers["conv1"](x)))) * 0.0
        if not (layers["bn2"].weight.data.any() or layers["bn2"].bias.data.any()):
            return x
        return F.relu(layers["bn2"](layers["conv2"](x)) + x + unused)

    return repaired(step)(x, blocks, stride=stride)


@wrong(RUNNING)
def the_old_line_left_in(x, blocks, *, stride=1):
    """Nobody reads what it computes, but bn2 sees two batches."""

    def step(x, layers):
        layers["bn2"](layers["conv2"](x))
        return F.relu(branch(x, layers) + x)

    return repaired(step)(x, blocks, stride=stride)


@wrong(MAPS)
def shortcut_before_its_relu(x, blocks, *, stride=1):
    """The sum of the block before: what comes out of it has been through a ReLU."""
    y = branch(x, blocks[0])
    total = y + F.pad_shortcut(x, channels=y.shape[-1], stride=stride)
    sums = [total]
    for layers in blocks[1:]:
        sums.append(branch(F.relu(sums[-1]), layers) + sums[-1])
    return [F.relu(one) for one in sums]


@wrong(MAPS)
def two_more_blocks_at_most(x, blocks, *, stride=1):
    return good(x, blocks[:3], stride=stride)


@wrong(ONE, crashes=True)
def stride_2_or_none(x, blocks, *, stride=1):
    """The shortcut's stride is guessed: 2 if the image gets smaller."""
    y = branch(x, blocks[0])
    step = 2 if y.shape[1] < x.shape[1] else 1
    first = F.relu(y + F.pad_shortcut(x, channels=y.shape[-1], stride=step))
    return [first, *(good(first, blocks[1:]) if blocks[1:] else [])]


@wrong(ONE)
def maps_in_a_tuple(x, blocks, *, stride=1):
    return tuple(good(x, blocks, stride=stride))


@wrong("test_every_weight_gets_a_gradient")
def the_second_block_again_and_again(x, blocks, *, stride=1):
    """The loop's variable is never used: all later blocks share one block's layers."""
    return good(x, [blocks[0], *[blocks[-1]] * (len(blocks) - 1)], stride=stride)
