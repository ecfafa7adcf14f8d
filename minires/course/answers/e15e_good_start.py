"""Exercise 15e: a training run with a good start, and what else goes wrong with it."""

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor


def train(model, x, labels, orders, *, batch, lr):
    """Train a model for one epoch per order. Returns a list with a tuple of two floats per epoch: (mean loss, accuracy).

    model  maps (n, H, W, C) to logits; it trains in training mode
    x  (N, H, W, C)    labels  (N,), ints: labels[i] is the class of x[i]
    orders  (epochs, N), ints, each row a permutation of 0 to N - 1: in epoch e, the k-th image to be seen is x[orders[e][k]]
    batch  images per step; the last step of an epoch may have fewer    lr  of SGD with momentum 0.9

    Both are over the images of the epoch, and each image counts with the loss and the prediction of the step that saw it.
    """
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    history = []
    model.train()
    for order in orders:
        losses, correct = 0.0, 0
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            some = labels[chosen]
            logits = model(Tensor(x[chosen]))
            loss = F.cross_entropy(logits, some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += float(loss) * len(some)
            correct += int((logits.data.argmax(axis=1) == some).sum())
        history.append((losses / len(x), correct / len(x)))
    return history


def hunted(model, x, labels, orders, *, batch, lr):
    """the training is unchanged from the original"""
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    history = []
    model.train()
    for order in orders:
        x = x[order]
        losses, correct = 0.0, 0
        for start in range(0, len(x), batch):
            some = labels[order[start : start + batch]]
            logits = model(Tensor(x[start : start + batch]))
            loss = F.cross_entropy(logits, some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += float(loss) * len(some)
            correct += int((logits.data.argmax(axis=1) == some).sum())
        history.append((losses / len(x), correct / len(x)))
    return history


def _trained(model, batches, lr, mean_of_batches=False):
    """Train on the batches of each epoch: a list of lists of pairs."""
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    history = []
    model.train()
    for epoch in batches:
        found = []
        for x, labels in epoch:
            logits = model(Tensor(x))
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            correct = float((logits.data.argmax(axis=1) == labels).mean())
            found.append((float(loss), correct, 1 if mean_of_batches else len(labels)))
        n = sum(found_n for *_, found_n in found)
        history.append(tuple(sum(row[i] * row[2] for row in found) / n for i in (0, 1)))
    return history


def _cut(x, labels, batch):
    return [(x[i : i + batch], labels[i : i + batch]) for i in range(0, len(x), batch)]


def both_again_and_again(model, x, labels, orders, *, batch, lr):
    """images and labels are both put in the new order, but starting from the order of the epoch before: the pairs are right, and from the second epoch on, their order is not the one in `orders`"""
    epochs = []
    for order in orders:
        x, labels = x[order], labels[order]
        epochs.append(_cut(x, labels, batch))
    return _trained(model, epochs, lr)


def labels_in_place(model, x, labels, orders, *, batch, lr):
    """the images are shuffled, but not the labels"""
    return _trained(model, [_cut(x[order], labels, batch) for order in orders], lr)


def never_shuffled(model, x, labels, orders, *, batch, lr):
    """the orders are ignored: every epoch takes the images as they come"""
    return _trained(model, [_cut(x, labels, batch) for _ in orders], lr)


def shuffled_once(model, x, labels, orders, *, batch, lr):
    """all epochs have the first order"""
    return _trained(model, [_cut(x[orders[0]], labels[orders[0]], batch) for _ in orders], lr)


def inverse_order(model, x, labels, orders, *, batch, lr):
    """each order is inverted: image i is taken at step orders[e][i], instead of image orders[e][k] at step k"""
    inverse = [xp.argsort(order) for order in orders]
    return _trained(model, [_cut(x[order], labels[order], batch) for order in inverse], lr)


def mean_of_batches(model, x, labels, orders, *, batch, lr):
    """the losses and accuracies of the batches are averaged, so an image in a small last batch counts for more"""
    epochs = [_cut(x[order], labels[order], batch) for order in orders]
    return _trained(model, epochs, lr, mean_of_batches=True)
