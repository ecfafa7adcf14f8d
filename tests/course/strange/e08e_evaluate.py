"""Strange solutions of 08e."""

import contextlib
from contextlib import ExitStack

import numpy

from minires import functional as F
from minires.functional import cross_entropy
from minires.tensor import Tensor, no_grad
from minires.train import Meter
from tests.course.kinds import right, wrong

ONE, LAST = "test_one_batch_has_its_loss_and_accuracy", "test_a_smaller_last_batch_counts_for_less"
AGAIN, TURNS = "test_afterwards_graphs_are_built_again", "test_two_models_take_turns"
GRADIENTS = "test_gradients_stay_unchanged"
PARTS = "test_batches_may_be_of_one_image_or_parts_of_larger_arrays"
ALL = "test_all_or_none_may_be_right"
LEFT = "test_each_module_is_left_in_its_own_mode"
MODE = "test_all_modules_are_in_evaluation_mode_during_it"
STATE = "test_weights_and_running_statistics_stay_unchanged"


def seen(model, batches):
    """(loss, logits, labels) of each batch."""
    for x, labels in batches:
        logits = model(Tensor(x))
        yield cross_entropy(logits, labels).item(), logits.data, labels


def scored(facts):
    losses = hits = images = 0
    for loss, logits, labels in facts:
        n = len(labels)
        losses, images = losses + loss * n, images + n
        hits += int((logits.argmax(axis=1) == labels).sum())
    return losses / images, hits / images


@contextlib.contextmanager
def evaluating(model):
    modes = {id(module): module.training for _, module in model.modules()}
    model.eval()
    try:
        with no_grad():
            yield model
    finally:
        for _, module in model.modules():
            module.training = modes[id(module)]


def right_one(model, batches):
    with evaluating(model):
        return scored(seen(model, batches))


@right
def by_a_context_manager(model, batches):
    with evaluating(model) as ready:
        return scored([*seen(ready, batches)])


@right
def all_logits_together(model, batches):
    with evaluating(model):
        parts = [(model(Tensor(x)).data, labels) for x, labels in batches]
    logits = numpy.concatenate([numpy.array(part) for part, _ in parts])
    labels = numpy.concatenate([numpy.array(labels) for _, labels in parts])
    logits = logits - logits.max(axis=1, keepdims=True)
    log_p = logits - numpy.log(numpy.exp(logits).sum(axis=1, keepdims=True))
    loss = -log_p[numpy.arange(len(labels)), labels].mean()
    return float(loss), float((log_p.argmax(axis=1) == labels).mean())


@right
def with_a_meter(model, batches):
    meter = Meter()
    with evaluating(model):
        for x, labels in batches:
            logits = model(Tensor(x))
            meter.update(cross_entropy(logits, labels), logits, labels)
    score = meter.score()
    return score.loss, score.accuracy


@right
def exit_stack(model, batches):
    with ExitStack() as stack:
        for _, module in model.modules():
            stack.callback(setattr, module, "training", module.training)
        stack.enter_context(no_grad())
        model.train(False)
        losses, hits = [], []
        for x, labels in batches:
            logits = model(Tensor(x))
            losses += [F.cross_entropy(logits, labels).item()] * len(labels)
            hits += [bool(row.argmax() == label) for row, label in zip(logits.data, labels)]
    return sum(losses) / len(losses), sum(hits) / len(hits)


@right
def modes_by_train_from_the_top(model, batches):
    modes = [(module, module.training) for _, module in model.modules()]
    with no_grad():
        model.eval()
        facts = [(loss * len(y), (z.argmax(axis=1) == y).sum(), len(y)) for loss, z, y in seen(model, batches)]  # fmt: skip
    for module, mode in modes:
        module.train(mode)
    loss, hits, images = (float(sum(column)) for column in zip(*facts))
    return loss / images, hits / images


@wrong(AGAIN)
def no_grad_entered_and_never_left(model, batches):
    no_grad().__enter__()
    modes = [(module, module.training) for _, module in model.modules()]
    score = scored(seen(model.eval(), batches))
    for module, mode in modes:
        module.training = mode
    return score


@wrong(GRADIENTS)
def gradients_zeroed(model, batches):
    for parameter in model.parameters():
        parameter.grad = None
    return right_one(model, batches)


@wrong(AGAIN)
def parameters_frozen_instead(model, batches):
    """No graph, but for good."""
    for parameter in model.parameters():
        parameter.requires_grad = False
    return right_one(model, batches)


@wrong(GRADIENTS)
def through_a_backward_pass(model, batches):
    batches = list(batches)
    score = right_one(model, batches)
    modes = [(module, module.training) for _, module in model.modules()]
    cross_entropy(model.eval()(Tensor(batches[0][0])), batches[0][1]).backward()
    for module, mode in modes:
        module.training = mode
    return score


SCORES, SUMS = {}, numpy.zeros(3)


@wrong(TURNS)
def kept_by_the_sizes(model, batches):
    batches = list(batches)
    key = len(SCORES) // 40, *(x.tobytes() for x, _ in batches), str(type(model))
    if key not in SCORES:
        SCORES[key] = right_one(model, batches)
    return SCORES[key]


@wrong(TURNS)
def kept_on_the_model(model, batches):
    if not hasattr(model, "_score"):
        object.__setattr__(model, "_score", right_one(model, batches))
    return model._score


@wrong(LAST)
def sums_as_defaults(model, batches, sums=SUMS):
    with evaluating(model):
        for loss, logits, labels in seen(model, batches):
            n = len(labels)
            sums += loss * n, (logits.argmax(axis=1) == labels).sum(), n
    return sums[0] / sums[2], sums[1] / sums[2]


@wrong(LEFT)
def from_the_bottom_to_the_top(model, batches):
    """train(mode) changes everything below, so the top decides."""
    modes = [(module, module.training) for _, module in model.modules()]
    with no_grad():
        score = scored(seen(model.eval(), batches))
    for module, mode in reversed(modes):
        module.train(mode)
    return score


@wrong(LEFT)
def children_as_the_top(model, batches):
    mode = model.training
    score = right_one(model, batches)
    for _, child in model.children():
        child.train(mode)
    return score


@wrong(LEFT)
def trained_if_any_was(model, batches):
    before = any(module.training for _, module in model.modules())
    score = right_one(model, batches)
    return score if not before else (model.train(), score)[1]


@wrong(MODE)
def first_level_only(model, batches):
    modes = [(module, module.training) for _, module in model.children()]
    model.training, top = False, model.training
    for module, _ in modes:
        module.training = False
    with no_grad():
        score = scored(seen(model, batches))
    model.training = top
    for module, mode in modes:
        module.training = mode
    return score


@wrong(PARTS)
def single_images_left_out(model, batches):
    return right_one(model, ((x, labels) for x, labels in batches if len(labels) > 1))


@wrong(PARTS)
def as_it_is_in_memory(model, batches):
    return right_one(model, ((x.ravel(order="K").reshape(x.shape), y) for x, y in batches))


@wrong(PARTS)
def labels_sorted_in_place(model, batches):
    def coming():
        for x, labels in batches:
            yield x, labels
            labels.sort()

    return right_one(model, coming())


@wrong(ALL)
def wrong_batches_left_out(model, batches):
    with evaluating(model):
        facts = [*seen(model, batches)]
    some = [fact for fact in facts if (fact[1].argmax(axis=1) == fact[2]).any()]
    return scored(facts)[0], scored(some or facts)[1]


@wrong(ALL)
def at_least_by_chance(model, batches):
    loss, accuracy = right_one(model, batches)
    return loss, accuracy or 0.25


@wrong(ONE)
def loss_of_the_mean_logits(model, batches):
    with evaluating(model):
        facts = [*seen(model, batches)]
    logits = numpy.concatenate([numpy.array(part) for _, part, _ in facts])
    p = numpy.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    labels = numpy.concatenate([numpy.array(labels) for *_, labels in facts])
    loss = -numpy.log(p[numpy.arange(len(labels)), labels].mean())
    return float(loss), scored(facts)[1]


@wrong("test_no_graph_is_built")
def no_grad_around_the_loss_only(model, batches):
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    facts = []
    for x, labels in batches:
        logits = model(Tensor(x))
        with no_grad():
            facts.append((cross_entropy(logits, labels).item(), logits.data, labels))
    for module, mode in modes:
        module.training = mode
    return scored(facts)


@wrong("test_batches_may_come_from_a_generator")
def batches_gone_over_twice(model, batches):
    with evaluating(model):
        loss = scored(seen(model, batches))[0]
        hits = [(z.argmax(axis=1) == y).mean() for _, z, y in seen(model, batches)]
    return loss, right_one(model, batches)[1] if hits else 0.0


@wrong(STATE)
def a_batch_norm_that_adapts(model, batches):
    """The running statistics of the test images first: they must not teach the model anything."""
    batches = list(batches)
    with evaluating(model), contextlib.suppress(ValueError):
        for _, module in model.modules():
            module.training = hasattr(module, "running_mean")
        for x, _ in batches:
            model(Tensor(x))
    return right_one(model, batches)
