"""Solutions of 15d: training runs that know their articles in the test set too, and others."""

import numpy

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor, no_grad
from minires.train import evaluate, train_epoch
from tests.course.kinds import right, wrong
from tests.course.loops import OF_THE_STEPS, cut, fit, twisted

ALL, SOME, ONE = (
    "test_a_test_set_with_all_articles",
    "test_a_test_set_without_some_of_the_articles",
    "test_a_test_set_with_one_article",
)
WEIGHTS, FIRST = "test_the_weights_after_training", "test_the_smallest_code_has_the_first_logit"
MODE, EVALUATION = "test_the_model_trains_in_training_mode", "test_evaluation_mode"
STATISTICS, LAST = "test_the_statistics_are_those_of_the_training_set", "test_a_small_last_batch"


def standard(images, by):
    """Return images standardised by the statistics of others."""
    return (images - by.mean(axis=(0, 1, 2))) / by.std(axis=(0, 1, 2))


def places(codes, by):
    """Return the place of each code among the sorted codes of others."""
    return numpy.searchsorted(numpy.unique(by), codes)


def share(model, x, labels):
    """Return the accuracy, in the mode of the model."""
    with no_grad():
        return float(numpy.mean(model(Tensor(x)).data.argmax(axis=1) == labels))


def full(model, images, codes, test_images, test_codes, *, epochs, batch, lr,
         standard=standard, labels=places, test_labels=None, share=share, evaluation=True, **options):  # fmt: skip
    """A training run whose parts may be exchanged. labels(codes, by)    test_labels  if they are made differently"""
    x, its = standard(images, images), labels(codes, codes)
    test_x, tests = standard(test_images, images), (test_labels or labels)(test_codes, codes)
    fit(model, [cut(x, its, batch)] * epochs, lr, **options)
    model.train(not evaluation)
    return {"train": share(model, x, its), "test": share(model, test_x, tests)}


globals().update(
    twisted(full, OF_THE_STEPS, one=WEIGHTS, steps=WEIGHTS, mode=MODE, **{"mode of epochs": WEIGHTS})
)  # fmt: skip


def with_parts(**parts):
    """Return a training run with these parts."""

    def solution(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
        given = images, codes, test_images, test_codes
        return full(model, *given, epochs=epochs, batch=batch, lr=lr, **parts)

    return solution


@right
def classes_from_outside(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """The original, with classes that are made once."""
    mean, std = images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))
    classes, labels = xp.unique(codes, return_inverse=True)

    def accuracy(x, labels):
        with no_grad():
            return float((model(Tensor(x)).data.argmax(axis=1) == labels).mean())

    x = ((images - mean) / std).astype(xp.float32)
    test_x = ((test_images - mean) / std).astype(xp.float32)
    test_labels = (test_codes[:, None] == classes).argmax(axis=1)
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    model.train()
    for _ in range(epochs):
        for start in range(0, len(x), batch):
            logits = model(Tensor(x[start : start + batch]))
            loss = F.cross_entropy(logits, labels[start : start + batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    return {"train": accuracy(x, labels), "test": accuracy(test_x, test_labels)}


@right
def codes_compared(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """The labels of the test set are never made: the code of the largest logit is compared."""
    mean, std = images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))
    classes, labels = xp.unique(codes, return_inverse=True)

    def accuracy(images, codes):
        with no_grad():
            logits = model(Tensor(((images - mean) / std).astype(xp.float32))).data
        return float((classes[logits.argmax(axis=1)] == codes).mean())

    batches = cut(((images - mean) / std).astype(xp.float32), labels, batch)
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    for _ in range(epochs):
        train_epoch(model, batches, optimizer)
    model.eval()
    return {"train": accuracy(images, codes), "test": accuracy(test_images, test_codes)}


@right
def a_dictionary(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    number = {code: i for i, code in enumerate(sorted(set(codes.tolist())))}

    def labels(codes, by):
        return numpy.array([number[code] for code in codes.tolist()])

    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr, labels=labels)


@right
def unique_of_both_together(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """The test set has no new code, so the codes of both together are those of the training set."""
    _, both = numpy.unique(numpy.concatenate([codes, test_codes]), return_inverse=True)
    labels, test_labels = both[: len(codes)], both[len(codes) :]
    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr,
                labels=lambda *_: labels, test_labels=lambda *_: test_labels)  # fmt: skip


@right
def counted_smaller_ones(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """The label of a code is the number of codes below it."""

    def labels(codes, by):
        return (codes[:, None] > numpy.unique(by)).sum(axis=1)

    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr, labels=labels)


@right
def by_evaluate(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """The library evaluates in batches, whatever the mode."""
    parts = [
        cut(standard(some, images), places(its, codes), batch)
        for some, its in ((images, codes), (test_images, test_codes))
    ]
    fit(model, [parts[0]] * epochs, lr)
    return {
        name: evaluate(model, part).accuracy for name, part in zip(("train", "test"), parts)
    }  # fmt: skip


@right
def one_image_at_a_time(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    def share(model, x, labels):
        with no_grad():
            hits = [int(model(Tensor(x[i : i + 1])).data.argmax()) == labels[i] for i in range(len(x))]  # fmt: skip
        return sum(hits) / len(hits)

    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr, share=share)


@right
def images_scaled_first(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """From 0 to 1 before the mean is taken: the same numbers."""
    images, test_images = images / 255, test_images / 255
    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr)


@wrong(EVALUATION, mistake="evaluated_in_training_mode")
def eval_forgotten(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr, evaluation=False)


@wrong(STATISTICS, mistake="own_statistics")
def each_by_its_own(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    def standard(images, by):
        return (images - images.mean(axis=(0, 1, 2))) / images.std(axis=(0, 1, 2))

    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr, standard=standard)


@wrong(FIRST, mistake="in_order_of_appearance")
def numbers_as_needed(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    number = {}

    def labels(codes, by):
        return numpy.array([number.setdefault(code, len(number)) for code in codes.tolist()])

    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr, labels=labels)


@wrong(FIRST, mistake="from_the_largest")
def falling_codes(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    def labels(codes, by):
        return (codes[:, None] < numpy.unique(by)).sum(axis=1)

    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr, labels=labels)


@wrong(SOME, mistake="others_left_out")
def among_those_of_the_test(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """The labels stay as provided, and the logits are cut down to the codes of the test set."""
    present = numpy.isin(numpy.unique(codes), test_codes)
    given = images, codes, test_images, test_codes
    found = full(model, *given, epochs=epochs, batch=batch, lr=lr)
    with no_grad():
        logits = model(Tensor(standard(test_images, images))).data[:, present]
    hits = logits.argmax(axis=1) == places(test_codes, test_codes)
    return {**found, "test": float(hits.mean())}


@wrong(WEIGHTS, mistake="one_mean_for_all_channels")
def one_mean(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    def standard(images, by):
        return (images - by.mean()) / by.std()

    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs, batch=batch, lr=lr, standard=standard)


own_numbers = wrong(SOME)(
    with_parts(test_labels=lambda codes, by: numpy.unique(codes, return_inverse=True)[1])
)
