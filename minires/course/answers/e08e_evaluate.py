"""Exercise 08e: the loss and accuracy of a model on batches, and what goes wrong with them."""

from contextlib import nullcontext
from itertools import chain

from minires.functional import cross_entropy
from minires.tensor import Tensor, no_grad
from minires.train import Score


def evaluate(model, batches):
    """Return the mean loss and the accuracy of a model over all images of the batches: (loss, accuracy), two floats.

    batches  pairs (x, labels) of arrays, which can be iterated over once
    """
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    losses, hits, images = 0.0, 0, 0
    with no_grad():
        for x, labels in batches:
            logits = model(Tensor(x))
            losses += cross_entropy(logits, labels).item() * len(labels)
            hits += int((logits.data.argmax(axis=1) == labels).sum())
            images += len(labels)
    for module, mode in modes:
        module.training = mode
    return losses / images, hits / images


def in_engine(evaluate):
    """Return minires.train.evaluate with this function: with the number of images."""

    def evaluated(model, batches, *, flips=False):
        if flips:
            raise ValueError(
                "your evaluate mirrors no images: test without flips, or without --mine"
            )
        images = 0

        def passing():
            nonlocal images
            for x, labels in batches:
                images += len(labels)
                yield x, labels

        coming = passing()
        first = next(coming, None)
        if first is None:
            raise ValueError("there were no batches")
        loss, accuracy = evaluate(model, chain([first], coming))
        return Score(loss * images, round(accuracy * images), images)

    return evaluated


def _facts(model, batches, *, graph=False, before=lambda model: model.eval(), after=None):
    """Return (loss, correct predictions, images) of each batch, with before(model) and after(model, modes)."""
    modes, facts = [(module, module.training) for _, module in model.modules()], []
    before(model)
    with nullcontext() if graph else no_grad():
        for x, labels in batches:
            logits = model(Tensor(x))
            hits = int((logits.data.argmax(axis=1) == labels).sum())
            facts.append((cross_entropy(logits, labels).item(), hits, len(labels)))
    if after:
        after(model)
    else:
        for module, mode in modes:
            module.training = mode
    return facts


def _score(facts):
    images = sum(n for _, _, n in facts)
    return sum(loss * n for loss, _, n in facts) / images, sum(
        hits for _, hits, _ in facts
    ) / images


def mean_of_batches(model, batches):
    """the means of the batches are averaged: a smaller last batch counts as much as the others"""
    facts = _facts(model, batches)
    return sum(loss for loss, _, _ in facts) / len(facts), sum(
        hits / n for _, hits, n in facts
    ) / len(facts)


def full_batches_assumed(model, batches):
    """the sums are divided as if each batch had the size of the first"""
    facts = _facts(model, batches)
    images = len(facts) * facts[0][2]
    return sum(loss * n for loss, _, n in facts) / images, sum(
        hits for _, hits, _ in facts
    ) / images


def losses_unweighted(model, batches):
    """the losses of the batches, which are means, are added up and divided by the number of images"""
    facts = _facts(model, batches)
    return sum(loss for loss, _, _ in facts) / sum(n for _, _, n in facts), _score(facts)[1]


def last_batch_only(model, batches):
    """loss and accuracy are those of the last batch"""
    return _score(_facts(model, batches)[-1:])


def in_training_mode(model, batches):
    """eval() is missing: in a model that was in training, dropout is on, and batch norm uses and updates its statistics"""
    return _score(_facts(model, batches, before=lambda model: None))


def top_only(model, batches):
    """model.training = False changes only the model itself: its layers have modes of their own, and eval() sets them all"""
    return _score(_facts(model, batches, before=lambda model: setattr(model, "training", False)))


def graph_built(model, batches):
    """no_grad() is missing: graphs stay turned on while the model runs, and nothing uses them"""
    return _score(_facts(model, batches, graph=True))


def left_in_eval(model, batches):
    """the model is left in evaluation mode"""
    return _score(_facts(model, batches, after=lambda model: None))


def all_trained_on(model, batches):
    """train() at the end puts everything into training mode, including what was not in it before"""
    return _score(_facts(model, batches, after=lambda model: model.train()))
