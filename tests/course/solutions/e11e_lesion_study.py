"""Solutions of 11e: studies with all three faults fixed, with some of them, or with others."""

import contextlib

import numpy

from minires import functional as F
from minires.models.resnet import BasicBlock
from minires.tensor import Tensor, no_grad
from minires.train import evaluate
from tests.course.kinds import right, wrong

ONE, TURN = "test_one_block_in_evaluation_mode", "test_one_branch_at_a_time"
LAST, TRAINING = "test_a_small_last_batch", "test_a_model_that_comes_in_training_mode"
MODES, SIZES = "test_afterwards_each_module_has_its_own_mode", "test_the_sizes_of_the_branches"


def blocks_of(model):
    return [module for _, module in model.modules() if isinstance(module, BasicBlock)]


def parts(x, labels, batch):
    return [(x[i : i + batch], labels[i : i + batch]) for i in range(0, len(x), batch)]


@contextlib.contextmanager
def modes_kept(model):
    modes = [(module, module.training) for _, module in model.modules()]
    yield
    for module, mode in modes:
        module.training = mode


@contextlib.contextmanager
def silent(block, back=True):
    kept = [parameter.data.copy() for parameter in (block.bn2.weight, block.bn2.bias)]
    block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0
    yield
    if back:
        block.bn2.weight.data[...], block.bn2.bias.data[...] = kept


def branch_of(block, x):
    return block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))


def measured(model, batches):
    """The sizes, in whatever mode the model is."""
    sums = numpy.zeros((len(blocks_of(model)), 2))
    with no_grad():
        for x, _ in batches:
            maps = model.stem(Tensor(x))
            for row, block in zip(sums, blocks_of(model)):
                branch, around = branch_of(block, maps), block.shortcut(maps)
                row += (branch.data**2).sum(), (around.data**2).sum()
                maps = F.relu(around + branch)
    return [float(size) for size in (sums[:, 0] / sums[:, 1]) ** 0.5]


def scored(model, batches, mean=False):
    """The accuracy, in evaluation mode."""
    hits = []
    with modes_kept(model), no_grad():
        model.eval()
        for x, labels in batches:
            hits.append((model(Tensor(x)).data.argmax(axis=1) == labels).astype(float))
    return float(numpy.mean([part.mean() for part in hits]) if mean else numpy.concatenate(hits).mean())  # fmt: skip


def full(model, x, labels, batch, *, ready=lambda model: model.eval(), back=True, mean=False):
    """A study. ready  makes the model ready for its sizes    back  branches come back    mean  of batches"""
    batches = parts(x, labels, batch)
    found = {"whole": scored(model, batches, mean)}
    with modes_kept(model):
        ready(model)
        found["sizes"] = measured(model, batches)
    found["without"] = []
    for block in blocks_of(model):
        with silent(block, back):
            found["without"].append(scored(model, batches, mean))
    return found


def as_it_comes(model):
    """Return the model in its mode."""
    return model


@right
def with_context_managers(model, x, labels, *, batch=64):
    return full(model, x, labels, batch)


@right
def by_train_evaluate(model, x, labels, *, batch=64):
    found = {"whole": evaluate(model, parts(x, labels, batch)).accuracy}
    with modes_kept(model):
        found["sizes"] = measured(model.eval(), parts(x, labels, batch))
        found["without"] = []
        for block in blocks_of(model):
            block.forward = lambda x, block=block: F.relu(block.shortcut(x))
            found["without"].append(evaluate(model, parts(x, labels, batch)).accuracy)
            del block.forward
    return found


@right
def state_loaded_back(model, x, labels, *, batch=64):
    state = model.state_dict()
    with modes_kept(model):
        model.eval()
        found = {"whole": scored(model, parts(x, labels, batch))}
        found["sizes"] = measured(model, parts(x, labels, batch))
        found["without"] = []
        for block in blocks_of(model):
            block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0
            found["without"].append(scored(model, parts(x, labels, batch)))
            model.load_state_dict(state)
    return found


@right
def one_large_batch(model, x, labels, *, batch=64):
    """The batch size is about memory, not about results."""
    return full(model, x, labels, len(x))


@wrong(TRAINING, mistake="drift_left")
def sizes_as_it_comes(model, x, labels, *, batch=64):
    return full(model, x, labels, batch, ready=as_it_comes)


@wrong(TURN, mistake="alias_left")
def never_back(model, x, labels, *, batch=64):
    return full(model, x, labels, batch, back=False)


@wrong(LAST, mistake="means_left")
def mean_of_means(model, x, labels, *, batch=64):
    return full(model, x, labels, batch, mean=True)


@wrong(TRAINING, mistake="drift_and_alias_left")
def only_the_mean_fixed(model, x, labels, *, batch=64):
    return full(model, x, labels, batch, ready=as_it_comes, back=False)


@wrong(TRAINING, mistake="drift_and_means_left")
def only_the_copy_fixed(model, x, labels, *, batch=64):
    return full(model, x, labels, batch, ready=as_it_comes, mean=True)


@wrong(LAST, mistake="alias_and_means_left")
def only_the_mode_fixed(model, x, labels, *, batch=64):
    return full(model, x, labels, batch, back=False, mean=True)


@wrong(TRAINING, mistake="statistics_put_back")
def buffers_restored(model, x, labels, *, batch=64):
    batches = parts(x, labels, batch)
    kept = [(array, array.copy()) for _, array in model.named_buffers()]
    sizes = measured(model, batches)
    for array, before in kept:
        array[...] = before
    return {**full(model, x, labels, batch), "sizes": sizes}


@wrong(MODES, mistake="left_in_eval")
def eval_at_the_top(model, x, labels, *, batch=64):
    model.eval()
    return full(model, x, labels, batch)


@wrong(LAST, mistake="full_batches_assumed")
def batch_times_the_mean(model, x, labels, *, batch=64):
    found, batches = full(model, x, labels, batch), parts(x, labels, batch)
    factor = len(batches) * batch / len(x)
    found["whole"] = scored(model, batches, mean=True) * factor
    with_means = full(model, x, labels, batch, mean=True)
    return {**found, "without": [accuracy * factor for accuracy in with_means["without"]]}


@wrong(MODES)
def train_at_the_end(model, x, labels, *, batch=64):
    found = full(model, x, labels, batch)
    model.train()
    return found


@wrong(LAST)
def last_batch_left_out(model, x, labels, *, batch=64):
    n = len(x) // batch * batch or len(x)
    return full(model, x[:n], labels[:n], batch)


@wrong(LAST)
def mean_of_batches_for_the_sizes(model, x, labels, *, batch=64):
    found = full(model, x, labels, batch)
    with modes_kept(model):
        model.eval()
        sizes = [measured(model, [one]) for one in parts(x, labels, batch)]
    return {**found, "sizes": [sum(column) / len(column) for column in zip(*sizes)]}


@wrong(SIZES)
def sizes_turned_over(model, x, labels, *, batch=64):
    found = full(model, x, labels, batch)
    return {**found, "sizes": [1 / size for size in found["sizes"]]}


@wrong(ONE)
def no_lesion_at_all(model, x, labels, *, batch=64):
    found = full(model, x, labels, batch)
    return {**found, "without": [found["whole"]] * len(found["without"])}


@wrong(ONE)
def only_gamma(model, x, labels, *, batch=64):
    found, without = full(model, x, labels, batch), []
    for block in blocks_of(model):
        kept = block.bn2.weight.data.copy()
        block.bn2.weight.data[...] = 0
        without.append(scored(model, parts(x, labels, batch)))
        block.bn2.weight.data[...] = kept
    return {**found, "without": without}


@wrong(SIZES)
def sizes_after_the_relu(model, x, labels, *, batch=64):
    found = full(model, x, labels, batch)
    with modes_kept(model), no_grad():
        maps, sizes = model.eval().stem(Tensor(x)), []
        for block in blocks_of(model):
            around = block.shortcut(maps).data
            maps = block(maps)
            sizes.append(float((((maps.data - around) ** 2).sum() / (around**2).sum()) ** 0.5))
    return {**found, "sizes": sizes}


@wrong("test_what_it_returns")
def counts_for_accuracies(model, x, labels, *, batch=64):
    found = full(model, x, labels, batch)
    return {**found, "whole": round(found["whole"] * len(x))}
