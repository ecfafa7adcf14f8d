"""Solutions of 15e: training runs whose images keep their labels, and others."""

import numpy

from minires import functional as F
from minires.optim import SGD
from minires.tensor import Tensor
from minires.train import Meter, train_epoch
from tests.course.kinds import right, wrong
from tests.course.loops import OF_THE_MEANS, OF_THE_STEPS, cut, fit, twisted

ONE, SEES, LABEL = (
    "test_one_epoch",
    "test_which_images_a_step_sees",
    "test_each_image_keeps_its_label",
)
ORDER, LAST = "test_each_epoch_has_its_own_order", "test_a_small_last_batch"
STEP, MODE = "test_the_accuracy_is_that_of_the_step", "test_the_model_trains_in_training_mode"


def shuffled(x, labels, orders):
    """Yield images and labels of each epoch."""
    for order in orders:
        yield x[order], labels[order]


def full(model, x, labels, orders, *, batch, lr, epochs=shuffled, **options):
    """A training run on the epochs that epochs(x, labels, orders) yields."""
    return fit(model, [cut(*both, batch) for both in epochs(x, labels, orders)], lr, **options)


globals().update(
    twisted(full, {**OF_THE_STEPS, **OF_THE_MEANS}, one=ONE, steps=ORDER, last=LAST, mode=MODE, **{"mode of epochs": LABEL})
)  # fmt: skip


@right
def by_fit(model, x, labels, orders, *, batch, lr):
    return full(model, x, labels, orders, batch=batch, lr=lr)


@right
def another_name(model, x, labels, orders, *, batch, lr):
    """The images of an epoch have a name of their own."""
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    history = []
    model.train()
    for order in orders:
        images = x[order]
        losses, correct = 0.0, 0
        for start in range(0, len(x), batch):
            some = labels[order[start : start + batch]]
            logits = model(Tensor(images[start : start + batch]))
            loss = F.cross_entropy(logits, some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += float(loss) * len(some)
            correct += int((logits.data.argmax(axis=1) == some).sum())
        history.append((losses / len(x), correct / len(x)))
    return history


@right
def both_names(model, x, labels, orders, *, batch, lr):
    """Images and labels of an epoch are shuffled together, from the original."""
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    history = []
    model.train()
    for order in orders:
        epoch_x, epoch_labels = x[order], labels[order]
        losses, correct = [], []
        for start in range(0, len(x), batch):
            some = epoch_labels[start : start + batch]
            logits = model(Tensor(epoch_x[start : start + batch]))
            loss = F.cross_entropy(logits, some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += [float(loss)] * len(some)
            correct += [int(hit) for hit in logits.data.argmax(axis=1) == some]
        history.append((sum(losses) / len(losses), sum(correct) / len(correct)))
    return history


@right
def by_train_epoch(model, x, labels, orders, *, batch, lr):
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    scores = [
        train_epoch(model, cut(x[order], labels[order], batch), optimizer) for order in orders
    ]
    return [(score.loss, score.accuracy) for score in scores]


@right
def with_a_meter(model, x, labels, orders, *, batch, lr):
    optimizer, history = SGD(model.parameters(), lr=lr, momentum=0.9), []
    for order in orders:
        meter = Meter()
        for chosen in numpy.split(order, range(batch, len(order), batch)):
            logits = model.train()(Tensor(x[chosen]))
            loss = F.cross_entropy(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            meter.update(loss, logits, labels[chosen])
        score = meter.score()
        history.append((score.loss, score.accuracy))
    return history


@right
def put_back_each_time(model, x, labels, orders, *, batch, lr):
    """After an epoch, the images are put back in the order in which they came."""

    def epochs(x, labels, orders):
        for order in orders:
            x = x[order]
            yield x, labels[order]
            x = x[numpy.argsort(order)]

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@right
def both_shuffled_by_the_difference(model, x, labels, orders, *, batch, lr):
    """Images and labels are both overwritten, by the order relative to the last one."""

    def epochs(x, labels, orders):
        now = numpy.arange(len(x))
        for order in orders:
            step = numpy.argsort(now)[order]
            x, labels, now = x[step], labels[step], order
            yield x, labels

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@right
def image_by_image(model, x, labels, orders, *, batch, lr):
    def epochs(x, labels, orders):
        for order in orders:
            pairs = [(x[i], labels[i]) for i in order]
            yield numpy.stack([image for image, _ in pairs]), numpy.array([its for _, its in pairs])

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@right
def one_list_of_pairs(model, x, labels, orders, *, batch, lr):
    """All batches of all epochs are made at the top."""
    batches = [
        [(x[order[i : i + batch]], labels[order[i : i + batch]]) for i in range(0, len(x), batch)]
        for order in orders
    ]
    return [(float(loss), float(hits)) for loss, hits in fit(model, batches, lr)]


@wrong(ORDER, mistake="both_again_and_again")
def labels_too(model, x, labels, orders, *, batch, lr):
    def epochs(x, labels, orders):
        place = numpy.arange(len(x))
        for order in orders:
            place = place[order]
            yield x[place], labels[place]

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@wrong(ONE, mistake="labels_in_place")
def labels_as_they_come(model, x, labels, orders, *, batch, lr):
    def epochs(x, labels, orders):
        return ((x[order], labels) for order in orders)

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@wrong(ONE, mistake="never_shuffled")
def as_they_come(model, x, labels, orders, *, batch, lr):
    return full(model, x, labels, numpy.sort(orders, axis=1), batch=batch, lr=lr)


@wrong(ORDER, mistake="shuffled_once")
def the_first_order(model, x, labels, orders, *, batch, lr):
    return full(model, x, labels, [orders[0] for _ in orders], batch=batch, lr=lr)


@wrong(SEES, mistake="inverse_order")
def to_the_places(model, x, labels, orders, *, batch, lr):
    def epochs(x, labels, orders):
        for order in orders:
            there, its = numpy.empty_like(x), numpy.empty_like(labels)
            there[order], its[order] = x, labels
            yield there, its

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@wrong(LAST, mistake="mean_of_batches")
def mean_of_means(model, x, labels, orders, *, batch, lr):
    return full(model, x, labels, orders, batch=batch, lr=lr, mean="batches")


@wrong(LABEL)
def images_again_in_fit(model, x, labels, orders, *, batch, lr):
    """What was provided, in a different spelling."""

    def epochs(x, labels, orders):
        for order in orders:
            x = x[order]
            yield x, labels[order]

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@wrong(LABEL)
def labels_again(model, x, labels, orders, *, batch, lr):
    """The other way round: now the labels are shuffled again and again."""

    def epochs(x, labels, orders):
        for order in orders:
            labels = labels[order]
            yield x[order], labels

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)
