"""Strange solutions of 15e."""

import numpy

from minires import functional as F
from minires.optim import SGD
from minires.tensor import Tensor
from tests.course.kinds import right, wrong
from tests.course.loops import cut, elsewhere, fit
from tests.course.solutions.e15e_good_start import LABEL, LAST, MODE, ONE, ORDER, SEES, STEP, full

RETURNS, STAY = "test_what_it_returns", "test_x_labels_and_orders_stay"


@right
def lists_of_ints(model, x, labels, orders, *, batch, lr):
    """The orders become lists."""

    def epochs(x, labels, orders):
        return ((x[order], labels[order]) for order in numpy.asarray(orders).tolist())

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@right
def written_and_put_back(model, x, labels, orders, *, batch, lr):
    """The images are shuffled in place, and are as they were in the end."""
    kept, optimizer, found = x.copy(), SGD(model.train().parameters(), lr=lr, momentum=0.9), []
    for order in orders:
        x[...], sums = kept[order], numpy.zeros(2)
        for some, its in cut(x, labels[order], batch):
            logits = model(Tensor(some))
            loss = F.cross_entropy(logits, its)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sums += float(loss) * len(its), (logits.data.argmax(axis=1) == its).sum()
        found.append(tuple((sums / len(x)).tolist()))
    x[...] = kept
    return found


@right
def by_take(model, x, labels, orders, *, batch, lr):
    def epochs(x, labels, orders):
        return ((numpy.take(x, order, axis=0), numpy.take(labels, order)) for order in orders)

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@right
def labels_packed_with_the_images(model, x, labels, orders, *, batch, lr):
    """A structured array keeps each image together with its label."""
    kind = numpy.dtype([("x", x.dtype, x.shape[1:]), ("label", labels.dtype)])
    both = numpy.empty(len(x), kind)
    both["x"], both["label"] = x, labels

    def epochs(x, labels, orders):
        for order in orders:
            now = both[order]
            yield now["x"], now["label"]

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


def again(change, back=lambda labels, order, e: labels[order]):
    """Return a solution whose epochs are (change(x, order, e), back(labels, order, e))."""

    def solution(model, x, labels, orders, *, batch, lr):
        def epochs(x, labels, orders):
            for e, order in enumerate(orders):
                yield change(x, order, e), back(labels, order, e)

        return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)

    return solution


def images_of(x, order, e):
    """Return the images in their order."""
    return x[order]


EPOCHS = {
    "images_as_they_come": (ONE, (lambda x, order, e: x,)),
    "images_inverse_labels_not": (ONE, (lambda x, order, e: x[numpy.argsort(order)],)),
    "labels_inverse": (ONE, (images_of, lambda labels, order, e: labels[numpy.argsort(order)])),
    "labels_sorted": (ONE, (images_of, lambda labels, order, e: numpy.sort(labels))),
    "labels_of_the_first_order_only": (ORDER, (
        lambda x, order, e: x[order], lambda labels, order, e: labels[order] if e == 0 else labels,
    )),
    "images_turned_each_second_time": (ORDER, (
        lambda x, order, e: x[order][:: (-1) ** e], lambda labels, order, e: labels[order][:: (-1) ** e],
    )),
    "labels_turned_each_second_time": (LABEL, (images_of, lambda labels, order, e: labels[order][:: (-1) ** e])),
    "all_orders_backwards": (SEES, (
        lambda x, order, e: x[order[::-1]], lambda labels, order, e: labels[order[::-1]],
    )),
    "order_moved_by_one": (SEES, (
        lambda x, order, e: x[numpy.roll(order, 1)], lambda labels, order, e: labels[numpy.roll(order, 1)],
    )),
    "labels_moved_by_one": (ONE, (images_of, lambda labels, order, e: numpy.roll(labels[order], 1))),
    "order_moved_by_the_epoch": (ORDER, (
        lambda x, order, e: x[numpy.roll(order, e)], lambda labels, order, e: labels[numpy.roll(order, e)],
    )),
    "labels_moved_by_the_epoch": (LABEL, (images_of, lambda labels, order, e: numpy.roll(labels[order], e))),
    "the_order_applied_twice": (SEES, (
        lambda x, order, e: x[order][order], lambda labels, order, e: labels[order][order],
    )),
    "the_order_applied_twice_from_the_second_epoch": (ORDER, (
        lambda x, order, e: x[order][order] if e else x[order],
        lambda labels, order, e: labels[order][order] if e else labels[order],
    )),
    "images_twice_from_the_second_epoch": (LABEL, (lambda x, order, e: x[order][order] if e else x[order],)),
    "random_after_the_first": (ORDER, (
        lambda x, order, e: x[numpy.random.default_rng(e).permutation(order) if e else order],
        lambda labels, order, e: labels[numpy.random.default_rng(e).permutation(order) if e else order],
    )),
    "drawn_with_repeats": (SEES, (
        lambda x, order, e: x[order - order % 2], lambda labels, order, e: labels[order - order % 2],
    )),
    "all_labels_the_first": (ONE, (images_of, lambda labels, order, e: 0 * labels + labels[0])),
    "mirrored_images": (ONE, (lambda x, order, e: x[order][:, :, ::-1],)),
    "scaled_images": (SEES, (lambda x, order, e: x[order] / 2,)),
    "cropped_in_the_second_epoch": (LABEL, (
        lambda x, order, e: x[order] * (numpy.arange(x.shape[1]) < 1)[:, None, None] if e else x[order],
    )),
}  # fmt: skip

for name, (claim, changes) in EPOCHS.items():
    globals()[name] = wrong(claim)(again(*changes))

last_order_first = wrong(ORDER)(
    lambda model, x, labels, orders, **options: full(model, x, labels, orders[::-1], **options)
)
copies_trained = wrong(ONE)(elsewhere(full, 0))


@wrong(STAY)
def x_shuffled_in_place(model, x, labels, orders, *, batch, lr):
    """The training is right, but x is another one afterwards."""
    found = full(model, x, labels, orders, batch=batch, lr=lr)
    x[...] = x[orders[-1]]
    return found


@wrong(STAY)
def labels_shuffled_in_place(model, x, labels, orders, *, batch, lr):
    found = full(model, x, labels, orders, batch=batch, lr=lr)
    labels[...] = labels[::-1].copy()
    return found


@wrong(STAY)
def both_shuffled_in_place(model, x, labels, orders, *, batch, lr):
    """In place, and put back before each epoch, but not after the last."""

    def epochs(x, labels, orders):
        first = x.copy(), labels.copy()
        for order in orders:
            x[...], labels[...] = first[0][order], first[1][order]
            yield x.copy(), labels.copy()

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@wrong(STAY)
def orders_sorted(model, x, labels, orders, *, batch, lr):
    found = full(model, x, labels, orders, batch=batch, lr=lr)
    orders.sort(axis=1)
    return found


@wrong(RETURNS)
def rows_as_lists(*inputs, **options):
    return [list(row) for row in full(*inputs, **options)]


@wrong(RETURNS)
def one_tuple(*inputs, **options):
    return tuple(full(*inputs, **options))


@wrong(RETURNS)
def one_array(*inputs, **options):
    return numpy.array(full(*inputs, **options))


@wrong(RETURNS)
def losses_as_tensors(*inputs, **options):
    return [(Tensor(numpy.array(loss)), hits) for loss, hits in full(*inputs, **options)]


@wrong(ONE)
def accuracy_first(*inputs, **options):
    return [(hits, loss) for loss, hits in full(*inputs, **options)]


@wrong(ONE)
def percent(*inputs, **options):
    return [(loss, 100 * hits) for loss, hits in full(*inputs, **options)]


@wrong(ONE)
def errors_for_accuracy(*inputs, **options):
    return [(loss, 1 - hits) for loss, hits in full(*inputs, **options)]


@wrong(ONE)
def counts_for_accuracy(model, x, labels, orders, *, batch, lr):
    found = full(model, x, labels, orders, batch=batch, lr=lr)
    return [(loss, hits * len(x)) for loss, hits in found]


@wrong(STEP)
def accuracy_after_the_epoch(model, x, labels, orders, *, batch, lr):
    """The accuracy is measured once more at the end of each epoch, with the batch's statistics and without a step."""
    found = []
    losses = full(model, x, labels, orders, batch=batch, lr=lr)
    hits = float((model(Tensor(x)).data.argmax(axis=1) == labels).mean())
    for loss, _ in losses:
        found.append((loss, hits))
    return found


@wrong(LAST)
def last_batch_dropped(model, x, labels, orders, *, batch, lr):
    return full(model, x, labels, orders, batch=batch, lr=lr, drop=min(batch, len(x)))


@wrong(LAST)
def last_batch_filled_up(model, x, labels, orders, *, batch, lr):
    """A small last batch is filled with the first images of the epoch."""

    def epochs(x, labels, orders):
        for order in orders:
            more = -len(order) % min(batch, len(order))
            order = numpy.concatenate([order, order[:more]])
            yield x[order], labels[order]

    return full(model, x, labels, orders, batch=batch, lr=lr, epochs=epochs)


@wrong(MODE)
def evaluation_mode_between_epochs(model, x, labels, orders, *, batch, lr):
    """The first epoch is in the mode in which the model comes."""
    epochs = [cut(x[order], labels[order], batch) for order in orders]
    return fit(model, epochs[:1], lr, mode="as it comes") + fit(model, epochs[1:], lr)


undone_from_the_third_on = wrong(LABEL)(
    again(lambda x, order, e: x[order], lambda labels, order, e: labels[order] if e < 2 else labels)
)
