"""Solutions of 11a: branches taken out in several ways, put back or not."""

import contextlib

from minires import functional as F
from minires.nn import Module
from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong

ONE, PROJECTED = (
    "test_the_branch_goes_and_x_stays",
    "test_a_projection_stays_and_so_does_the_last_relu",
)
TURN, MODES = "test_one_branch_at_a_time", "test_afterwards_each_module_has_its_own_mode"
SAME = "test_afterwards_the_model_is_the_same"


@contextlib.contextmanager
def evaluating(model):
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def right_ones(model, x, labels):
    return int((model(Tensor(x)).data.argmax(axis=1) == labels).sum())


def blocks_of(model):
    stages = [getattr(model, f"layer{i + 1}") for i in range(model.stages)]
    return [block for stage in stages for block in stage]


@contextlib.contextmanager
def at_zero(*parameters):
    before = [parameter.data.copy() for parameter in parameters]
    for parameter in parameters:
        parameter.data[...] = 0
    yield
    for parameter, data in zip(parameters, before):
        parameter.data[...] = data


class OnlyShortcut(Module):
    """A block without its branch."""

    def __init__(self, block):
        self.block = block

    def forward(self, x):
        return F.relu(self.block.downsample(x))


@right
def gamma_and_beta_at_zero(model, x, labels):
    counts = []
    with evaluating(model):
        for block in blocks_of(model):
            with at_zero(block.bn2.weight, block.bn2.bias):
                counts.append(right_ones(model, x, labels))
    return counts


@right
def another_module_in_its_place(model, x, labels):
    counts = []
    with evaluating(model):
        for i in range(1, model.stages + 1):
            stage = getattr(model, f"layer{i}")
            for name, block in stage.children():
                setattr(stage, name, OnlyShortcut(block))
                counts.append(right_ones(model, x, labels))
                setattr(stage, name, block)
    return counts


@right
def by_hand_from_block_to_block(model, x, labels):
    """The net is run block by block; the maps before the block are used again."""
    counts, blocks = [], blocks_of(model)
    with evaluating(model):
        before = model.stem(Tensor(x))
        for i, block in enumerate(blocks):
            y = F.relu(block.downsample(before))
            for later in blocks[i + 1 :]:
                y = later(y)
            logits = model.fc(model.avgpool(y)).data
            counts.append(int((logits.argmax(axis=1) == labels).sum()))
            before = block(before)
    return counts


@right
def norm_replaced(model, x, labels):
    counts = []
    with evaluating(model):
        for block in blocks_of(model):
            norm, block.bn2 = block.bn2, lambda y: y * 0.0
            counts.append(right_ones(model, x, labels))
            block.bn2 = norm
    return counts


def lesioned(model, x, labels, out, back):
    """Counts, where out(block) returns what back(block, ...) takes."""
    counts = []
    with evaluating(model):
        for block in blocks_of(model):
            kept = out(block)
            counts.append(right_ones(model, x, labels))
            back(block, kept)
    return counts


def hidden(function):
    def out(block):
        block.forward = function(block)

    return out


def shown(block, _):
    del block.forward


@wrong(TURN, mistake="branches_stay_out")
def zeroed_and_forgotten(model, x, labels):
    state = model.state_dict()

    def out(block):
        block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0

    counts = lesioned(model, x, labels, out, lambda *_: None)
    model.load_state_dict(state)
    return counts


@wrong(SAME, mistake="in_training_mode")
def modes_untouched(model, x, labels):
    counts = []
    for block in blocks_of(model):
        with at_zero(block.bn2.weight, block.bn2.bias):
            counts.append(right_ones(model, x, labels))
    return counts


@wrong(ONE, mistake="shortcut_taken_out")
def nothing_added(model, x, labels):
    def out(block):
        kept, block.downsample = block.downsample, lambda x: 0.0
        return kept

    return lesioned(model, x, labels, out, lambda block, kept: setattr(block, "downsample", kept))


@wrong(PROJECTED, mistake="last_relu_left_out")
def the_shortcut_in_its_place(model, x, labels):
    counts = []
    with evaluating(model):
        for i in range(1, model.stages + 1):
            stage = getattr(model, f"layer{i}")
            for name, block in stage.children():
                setattr(stage, name, block.downsample)
                counts.append(right_ones(model, x, labels))
                setattr(stage, name, block)
    return counts


@wrong(ONE, mistake="gamma_only")
def scale_of_0(model, x, labels):
    def out(block):
        kept, block.bn2.weight = block.bn2.weight, 0 * block.bn2.weight
        return kept

    return lesioned(model, x, labels, out, lambda block, kept: setattr(block.bn2, "weight", kept))


@wrong(ONE, mistake="convolution_only")
def second_convolution_gives_0(model, x, labels):
    def out(block):
        kept, block.conv2 = block.conv2, lambda y: F.relu(-1.0 * F.relu(y))
        return kept

    return lesioned(model, x, labels, out, lambda block, kept: setattr(block, "conv2", kept))


@wrong(MODES, mistake="left_in_eval")
def never_back_in_training(model, x, labels):
    model.train(False)
    return gamma_and_beta_at_zero(model, x, labels)


@wrong(ONE, mistake="correct_ones_lost")
def the_wrong_ones(model, x, labels):
    return [labels.size - count for count in gamma_and_beta_at_zero(model, x, labels)]


@wrong(ONE, mistake="as_fractions")
def accuracies(model, x, labels):
    return [count / x.shape[0] for count in gamma_and_beta_at_zero(model, x, labels)]


@wrong(ONE)
def both_taken_out(model, x, labels):
    return lesioned(
        model, x, labels, hidden(lambda block: lambda x: block.shortcut(x) * 0.0), shown
    )


@wrong("test_there_is_an_int_per_block")
def the_whole_net_first(model, x, labels):
    with evaluating(model):
        whole = right_ones(model, x, labels)
    return [whole, *gamma_and_beta_at_zero(model, x, labels)]


@wrong(TURN)
def from_the_last_to_the_first(model, x, labels):
    return gamma_and_beta_at_zero(model, x, labels)[::-1]


@wrong("test_there_is_an_int_per_block")
def one_per_stage(model, x, labels):
    counts, by_stage = gamma_and_beta_at_zero(model, x, labels), []
    for i in range(1, model.stages + 1):
        n = len(getattr(model, f"layer{i}"))
        by_stage, counts = [*by_stage, sum(counts[:n]) // n], counts[n:]
    return by_stage


@wrong(ONE)
def the_first_batch_norm(model, x, labels):
    counts = []
    with evaluating(model):
        for block in blocks_of(model):
            with at_zero(block.bn1.weight, block.bn1.bias):
                counts.append(right_ones(model, x, labels))
    return counts


@wrong(SAME)
def a_view_is_no_copy(model, x, labels):
    """What was kept is the array that is set to 0."""

    def out(block):
        kept = block.bn2.weight.data, block.bn2.bias.data
        block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0
        return kept

    def back(block, kept):
        block.bn2.weight.data, block.bn2.bias.data = kept

    return lesioned(model, x, labels, out, back)


@wrong(PROJECTED)
def x_itself_where_it_fits(model, x, labels):
    """In blocks that change the shape nothing is taken out."""

    def out(block):
        if not block.downsample.describe() and len(block.downsample.children()) == 0:
            block.forward = F.relu

    return lesioned(model, x, labels, out, lambda block, _: vars(block).pop("forward", None))


@wrong(MODES)
def trained_at_the_end(model, x, labels):
    counts = gamma_and_beta_at_zero(model, x, labels)
    model.train()
    return counts
