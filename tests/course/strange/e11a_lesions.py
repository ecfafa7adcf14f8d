"""Strange solutions of 11a."""

import copy

import numpy

from minires import functional as F
from minires.models.resnet import BasicBlock
from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong

ONE, TURN = "test_the_branch_goes_and_x_stays", "test_one_branch_at_a_time"
SAME, TURNS = "test_afterwards_the_model_is_the_same", "test_two_models_take_turns"
KEPT, SMALL = "test_x_labels_and_gradients_stay", "test_float32_images_and_small_ints"
ORDER = "test_blocks_come_in_the_order_of_modules"
SIZES, PROJECTED = (
    "test_sizes_may_be_1_or_equal",
    "test_a_projection_stays_and_so_does_the_last_relu",
)


def without(block):
    return lambda x: F.relu(block.shortcut(x))


def hits(model, x, labels):
    with no_grad():
        logits = model(Tensor(x)).data
    return int(numpy.count_nonzero(logits.argmax(axis=1) == labels))


@right
def copies_of_the_whole_net(model, x, labels):
    """The model itself is never touched."""
    names = [name for name, module in model.modules() if isinstance(module, BasicBlock)]
    counts = []
    for name in names:
        other = copy.deepcopy(model).eval()
        block = dict(other.modules())[name]
        block.forward = without(block)
        counts.append(hits(other, x, labels))
    return counts


@right
def a_class_of_its_own(model, x, labels):
    """The class of the object is changed, and changed back."""

    class Without(BasicBlock):
        def forward(self, x):
            return F.relu(self.shortcut(x))

    modes = {id(module): module.training for _, module in model.modules()}
    model.eval()
    counts = []
    for _, block in model.modules():
        if type(block) is BasicBlock:
            block.__class__ = Without
            counts.append(hits(model, x, labels))
            block.__class__ = BasicBlock
    for _, module in model.modules():
        module.training = modes[id(module)]
    return counts


@right
def image_by_image(model, x, labels):
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    blocks = [module for _, module in model.modules() if hasattr(module, "downsample")]
    counts = [0] * len(blocks)
    for i, block in enumerate(blocks):
        block.forward = without(block)
        for n in range(len(labels)):
            counts[i] += hits(model, x[n : n + 1], labels[n : n + 1])
        vars(block).pop("forward")
    for module, mode in modes:
        module.training = mode
    return counts


@right
def the_state_loaded_back(model, x, labels):
    state = model.state_dict()
    modes = [module.training for _, module in model.modules()]
    names = [name for name, module in model.modules() if isinstance(module, BasicBlock)]
    model.eval()
    counts = []
    for name in names:
        changed = {
            key: array * (not key.startswith(f"{name}.bn2.")) for key, array in state.items()
        }
        changed[f"{name}.bn2.running_var"] = state[f"{name}.bn2.running_var"]
        model.load_state_dict(changed)
        counts.append(hits(model, x, labels))
        model.load_state_dict(state)
    for (_, module), mode in zip(model.modules(), modes):
        module.training = mode
    return counts


@right
def recursive(model, x, labels):
    modes = [(module, module.training) for _, module in model.modules()]

    def counted(blocks):
        if not blocks:
            return []
        first, *rest = blocks
        first.forward = without(first)
        count = hits(model, x, labels)
        del first.forward
        return [count, *counted(rest)]

    counts = counted(
        [module for _, module in model.eval().modules() if isinstance(module, BasicBlock)]
    )
    for module, mode in modes:
        module.training = mode
    return counts


right_one = recursive


SEEN = {}


@wrong(TURNS)
def kept_by_the_model(model, x, labels):
    key = id(model), x.shape
    if key not in SEEN:
        SEEN[key] = model, right_one(model, x, labels)
    return SEEN[key][1]


COUNTS = []


@wrong(TURNS)
def one_list_for_all_calls(model, x, labels):
    COUNTS.clear()
    COUNTS.extend(right_one(model, x, labels))
    return COUNTS


@wrong(SAME)
def forward_stays_on_the_object(model, x, labels):
    counts = right_one(model, x, labels)
    for _, block in model.modules():
        if isinstance(block, BasicBlock):
            block.forward = type(block).forward.__get__(block)
    return counts


@wrong(SAME)
def another_object_is_put_back(model, x, labels):
    counts = right_one(model, x, labels)
    for i in range(model.stages):
        stage = getattr(model, f"layer{i + 1}")
        for name, block in stage.children():
            setattr(stage, name, copy.deepcopy(block))
    return counts


@wrong(KEPT)
def gradients_are_lost(model, x, labels):
    for parameter in model.parameters():
        parameter.grad = None
    return right_one(model, x, labels)


@wrong(KEPT)
def nothing_learns_any_more(model, x, labels):
    for parameter in model.parameters():
        parameter.requires_grad = False
    return right_one(model, x, labels)


@wrong(KEPT)
def normalised_in_place(model, x, labels):
    x -= x.mean()
    return right_one(model, x, labels)


@wrong(SMALL)
def counted_in_a_byte(model, x, labels):
    """More than 255 correct predictions wrap around."""
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    total = numpy.uint8(len(labels) % 256)
    counts = [count if len(labels) < 256 else int(total) for count in right_one(model, x, labels)]
    for module, mode in modes:
        module.training = mode
    return counts


@wrong(SIZES)
def a_mean_over_the_images(model, x, labels):
    """A batch of one image is centred away."""
    return right_one(model, x if len(x) > 1 else x * 0, labels if len(x) > 1 else labels + 1)


@wrong("test_on_a_tie_the_first_class_is_predicted")
def the_last_on_a_tie(model, x, labels):
    fc = model.fc
    model.fc = lambda features: fc(features)[:, ::-1]
    counts = right_one(model, x, fc.weight.shape[1] - 1 - labels.astype(int))
    model.fc = fc
    return counts


@wrong(TURN)
def every_block_but_one(model, x, labels):
    """All other branches are out, and one stays."""
    modes = [(module, module.training) for _, module in model.modules()]
    blocks = [module for _, module in model.eval().modules() if isinstance(module, BasicBlock)]
    counts = []
    for kept in blocks:
        for block in blocks:
            if block is not kept or len(blocks) == 1:
                block.forward = without(block)
        counts.append(hits(model, x, labels))
        for block in blocks:
            vars(block).pop("forward", None)
    for module, mode in modes:
        module.training = mode
    return counts


@wrong(TURN)
def only_those_of_the_first_stage(model, x, labels):
    """The others are said to be as bad as these are on average."""
    counts = right_one(model, x, labels)
    n = len(model.layer1)
    return (
        counts[:n] + [sum(counts[:n]) // n] * (len(counts) - n)
        if n < len(counts)
        else counts[:1] * n
    )


@wrong(PROJECTED)
def averaged_where_the_shape_changes(model, x, labels):
    """The pixels of a projection are replaced by their mean."""
    modes = [(module, module.training) for _, module in model.modules()]
    blocks = [module for _, module in model.eval().modules() if isinstance(module, BasicBlock)]
    counts = []
    for block in blocks:

        def forward(x, block=block):
            y = F.relu(block.shortcut(x))
            return y if y.shape == x.shape else y * 0.0 + F.mean(y, axis=(1, 2), keepdims=True)

        block.forward = forward
        counts.append(hits(model, x, labels))
        del block.forward
    for module, mode in modes:
        module.training = mode
    return counts


def counted(model, x, labels, blocks):
    """The right counts, of these blocks."""
    modes, counts = [(module, module.training) for _, module in model.modules()], []
    model.eval()
    for block in blocks:
        block.forward = without(block)
        counts.append(hits(model, x, labels))
        del block.forward
    for module, mode in modes:
        module.training = mode
    return counts


@wrong(ORDER)
def sorted_by_name(model, x, labels):
    """layer1.10 comes before layer1.2."""
    blocks = [module for _, module in sorted(model.modules(), key=lambda pair: pair[0]) if isinstance(module, BasicBlock)]  # fmt: skip
    return counted(model, x, labels, blocks)


@wrong(ORDER)
def four_stages_at_most(model, x, labels):
    stages = [getattr(model, f"layer{i}") for i in (1, 2, 3, 4) if i <= model.stages]
    return counted(model, x, labels, [block for stage in stages for _, block in stage.children()])


@wrong(SAME)
def scaled_down_and_up(model, x, labels):
    """A branch of almost 0; and rounding stays behind."""
    modes, counts = [(module, module.training) for _, module in model.modules()], []
    model.eval()
    for _, block in model.modules():
        if isinstance(block, BasicBlock):
            for factor in (1e-7, 1e7):
                block.bn2.weight.data *= factor
                block.bn2.bias.data *= factor
                counts.append(hits(model, x, labels))
    for module, mode in modes:
        module.training = mode
    return counts[::2]
