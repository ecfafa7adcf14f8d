"""Strange solutions of 11e."""

import copy

import numpy

from minires.models.resnet import BasicBlock
from minires.tensor import Tensor
from tests.course.kinds import right, wrong
from tests.course.solutions.e11e_lesion_study import (
    blocks_of,
    branch_of,
    full,
    measured,
    parts,
    scored,
)

ONE, TURN, TURNS = (
    "test_one_block_in_evaluation_mode",
    "test_one_branch_at_a_time",
    "test_two_models_take_turns",
)
KEPT, SAME = "test_images_labels_and_gradients_stay", "test_afterwards_the_model_is_the_same"
BATCHES, FLOATS = (
    "test_sizes_of_batches_may_be_1_or_larger_than_all",
    "test_float32_images_and_labels_of_a_byte",
)
TRAINING = "test_a_model_that_comes_in_training_mode"
SIZES = "test_the_sizes_of_the_branches"


def right_one(model, x, labels, batch):
    return full(model, x, labels, batch)


@right
def on_a_copy(model, x, labels, *, batch=64):
    """The model itself is never touched, so its faults don't matter."""
    other = copy.deepcopy(model).eval()
    batches = parts(x, labels, batch)
    found = {"whole": scored(other, batches), "sizes": measured(other, batches), "without": []}
    for name, module in model.modules():
        if isinstance(module, BasicBlock):
            other = copy.deepcopy(model).eval()
            norm = dict(other.modules())[name].bn2
            norm.weight.data[...] = norm.bias.data[...] = 0
            found["without"].append(scored(other, batches))
    return found


@right
def keys_in_another_order(model, x, labels, *, batch=64):
    found = right_one(model, x, labels, batch)
    return {name: found[name] for name in ("without", "whole", "sizes")}


@right
def lesions_before_the_sizes(model, x, labels, *, batch=64):
    found = right_one(model, x, labels, batch)
    found["sizes"] = right_one(model, x, labels, len(x))["sizes"]
    return found


@right
def image_by_image(model, x, labels, *, batch=64):
    return right_one(model, x, labels, 1)


@right
def norms_exchanged(model, x, labels, *, batch=64):
    """The batch norm is replaced by one with gamma and beta of 0."""
    found = right_one(model, x, labels, batch)
    found["without"] = []
    for block in blocks_of(model):
        norm, block.bn2 = block.bn2, copy.deepcopy(block.bn2)
        block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0
        found["without"].append(scored(model, parts(x, labels, batch)))
        block.bn2 = norm
    return found


LAST = {}


@wrong(TURNS)
def kept_by_the_images(model, x, labels, *, batch=64):
    key = len(blocks_of(model)), x.tobytes(), labels.tobytes(), batch
    return LAST.setdefault(key, right_one(model, x, labels, batch))


LISTS = {"sizes": [], "without": []}


@wrong(TURNS)
def lists_for_all_calls(model, x, labels, *, batch=64):
    found = right_one(model, x, labels, batch)
    for name, values in LISTS.items():
        values[:] = found[name]
    return {**found, **LISTS}


@wrong(SAME)
def statistics_refreshed_first(model, x, labels, *, batch=64):
    """Once more over the images in training mode, "to have the right statistics"."""
    modes = [(module, module.training) for _, module in model.modules()]
    if len(x) > 1:
        model.train()(Tensor(x))
    for module, mode in modes:
        module.training = mode
    return right_one(model, x, labels, batch)


@wrong(SAME)
def noted_on_the_blocks(model, x, labels, *, batch=64):
    found = right_one(model, x, labels, batch)
    for block, size in zip(blocks_of(model), found["sizes"]):
        block.size = size
    return found


@wrong(KEPT)
def gradients_are_lost(model, x, labels, *, batch=64):
    for parameter in model.parameters():
        parameter.grad = None
    return right_one(model, x, labels, batch)


@wrong(KEPT)
def frozen(model, x, labels, *, batch=64):
    for parameter in model.parameters():
        parameter.requires_grad = False
    return right_one(model, x, labels, batch)


@wrong(KEPT)
def shuffled_in_place(model, x, labels, *, batch=64):
    order = numpy.random.default_rng(0).permutation(len(x))
    x[...], labels[...] = x[order], labels[order]
    return right_one(model, x, labels, batch)


@wrong(BATCHES)
def two_batches_at_least(model, x, labels, *, batch=64):
    half = min(batch, len(x) // 2) or 1
    return right_one(model, x[: len(x) // half * half], labels[: len(x) // half * half], batch)


@wrong(BATCHES)
def batches_of_one_skipped(model, x, labels, *, batch=64):
    kept = [i for i in range(0, len(x), batch) if len(x) - i > 1 and batch > 1]
    n = min(len(x), kept[-1] + batch) if kept else min(2, len(x))
    return right_one(model, x[:n], labels[:n], batch)


@wrong(FLOATS)
def added_in_a_byte(model, x, labels, *, batch=64):
    found = right_one(model, x, labels, batch)

    def wrapped(accuracy):
        return round(accuracy * len(x)) % 256 / len(x)

    return {**found, "whole": wrapped(found["whole"]), "without": [*map(wrapped, found["without"])]}


@wrong(SIZES)
def sizes_without_the_other_branches(model, x, labels, *, batch=64):
    """The maps that reach a block are those without all branches before."""
    found, sizes = right_one(model, x, labels, batch), []
    modes = [(module, module.training) for _, module in model.modules()]
    maps = model.eval().stem(Tensor(x))
    for block in blocks_of(model):
        around = block.shortcut(maps)
        sizes.append(
            float(((branch_of(block, maps).data ** 2).sum() / (around.data**2).sum()) ** 0.5)
        )
        maps = around
    for module, mode in modes:
        module.training = mode
    return {**found, "sizes": sizes}


@wrong(TURN)
def in_order_of_harm(model, x, labels, *, batch=64):
    found = right_one(model, x, labels, batch)
    return {**found, "without": sorted(found["without"])}


@wrong(ONE)
def losses_of_accuracy(model, x, labels, *, batch=64):
    found = right_one(model, x, labels, batch)
    return {**found, "without": [found["whole"] - accuracy for accuracy in found["without"]]}


@wrong(ONE)
def in_percent(model, x, labels, *, batch=64):
    found = right_one(model, x, labels, batch)
    return {**found, "whole": 100 * found["whole"]}


@right
def numbers_of_numpy(model, x, labels, *, batch=64):
    """numpy.float64 is a float."""
    found = right_one(model, x, labels, batch)
    return {
        "whole": numpy.float64(found["whole"]),
        **{name: [*map(numpy.float64, found[name])] for name in ("sizes", "without")},
    }


@wrong(TRAINING)
def eval_only_if_the_net_trains(model, x, labels, *, batch=64):
    """A net in eval() may have a stage in training mode."""
    if model.training:
        return right_one(model, x, labels, batch)
    modes = [module.training for _, module in model.modules()]
    state, batches = model.state_dict(), parts(x, labels, batch)
    found = {**right_one(model, x, labels, batch), "sizes": measured(model, batches)}
    model.load_state_dict(state)
    for (_, module), mode in zip(model.modules(), modes):
        module.training = mode
    return found


@wrong(TURN)
def all_put_back_at_the_end(model, x, labels, *, batch=64):
    """Each branch stays out until the study ends."""
    found, state = right_one(model, x, labels, batch), model.state_dict()
    other = copy.deepcopy(model).eval()
    for i, block in enumerate(blocks_of(other)):
        block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0
        found["without"][i] = scored(other, parts(x, labels, batch))
    model.load_state_dict(state)
    return found


@wrong(ONE)
def of_a_few_images(model, x, labels, *, batch=64):
    return right_one(model, x[:32], labels[:32], batch)
