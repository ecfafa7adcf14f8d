"""Exercise 15f: a training run that learns, and ends short of its reference, and what else goes wrong with it."""

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor


def train(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """Train a trunk and a head together on features of length `scale`. Returns a list of floats: the mean loss of each epoch.

    trunk  maps x (n, H, W, C) to features f (n, D), of which no row is all zeros    head  maps (n, D) to logits
    x  (N, H, W, C)    labels  (N,), ints
    epochs, batch  each epoch takes the images in order, with a smaller batch at the end if need be
    lr  of SGD with momentum 0.9, which updates all parameters of both    scale  a float above 0

    The head gets scale * f / |f|, where |f| is the length of each image's own row, sqrt(f_1^2 + ... + f_D^2). The loss is the
    mean cross entropy, and a parameter's gradient is the derivative of this loss, as finite differences would find it.
    Both modules train in training mode. The mean loss of an epoch is over the images, and each one counts with its loss in
    the step that saw it.
    """
    optimizer = SGD([*trunk.parameters(), *head.parameters()], lr=lr, momentum=0.9)
    losses = []
    trunk.train()
    head.train()
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), batch):
            some = labels[start : start + batch]
            features = trunk(Tensor(x[start : start + batch]))
            lengths = F.sqrt(F.sum(features**2, axis=1, keepdims=True))
            loss = F.cross_entropy(head(scale * features / lengths), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(some)
        losses.append(total / len(x))
    return losses


def hunted(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """the training is unchanged from the original"""
    optimizer = SGD([*trunk.parameters(), *head.parameters()], lr=lr, momentum=0.9)
    losses = []
    trunk.train()
    head.train()
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), batch):
            some = labels[start : start + batch]
            features = trunk(Tensor(x[start : start + batch])).data
            lengths = xp.sqrt((features**2).sum(axis=1, keepdims=True))
            loss = F.cross_entropy(head(Tensor(scale * features / lengths)), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(some)
        losses.append(total / len(x))
    return losses


def _lengths(features):
    return F.sqrt(F.sum(features * features, axis=1, keepdims=True))


def _trained(modules, x, labels, epochs, batch, lr, prepared, mean_of_batches=False):
    """Train both modules on prepared(features), and return the mean losses."""
    trunk, head = (module.train() for module in modules)
    optimizer = SGD(trunk.parameters() + head.parameters(), lr=lr, momentum=0.9)
    means = []
    for _ in range(epochs):
        losses = []
        for start in range(0, len(x), batch):
            some = labels[start : start + batch]
            features = trunk(Tensor(x[start : start + batch]))
            loss = F.cross_entropy(head(prepared(features)), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append((float(loss), 1 if mean_of_batches else len(some)))
        means.append(sum(loss * n for loss, n in losses) / sum(n for _, n in losses))
    return means


def lengths_as_constants(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """the gradient passes through f, but not through |f|: the length is taken as a constant, and it depends on f"""

    def prepared(features):
        return scale * features / Tensor(_lengths(features).data)

    return _trained((trunk, head), x, labels, epochs, batch, lr, prepared)


def through_the_lengths_alone(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """the gradient passes through |f|, but not through the f above it"""

    def prepared(features):
        return scale * Tensor(features.data) / _lengths(features)

    return _trained((trunk, head), x, labels, epochs, batch, lr, prepared)


def any_length(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """the head gets scale * f, which isn't divided by the length"""
    return _trained((trunk, head), x, labels, epochs, batch, lr, lambda features: scale * features)


def length_one(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """the head gets f / |f|, without the scale"""
    return _trained((trunk, head), x, labels, epochs, batch, lr, lambda f: f / _lengths(f))


def one_length_for_the_batch(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """|f| is the length of all rows of the batch together, not of each row"""

    def prepared(features):
        return scale * features / F.sqrt(F.sum(features**2))

    return _trained((trunk, head), x, labels, epochs, batch, lr, prepared)


def root_mean_square(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """each row is divided by its root mean square, so its length is scale * sqrt(D)"""

    def prepared(features):
        return scale * features / F.sqrt(F.mean(features**2, axis=1, keepdims=True))

    return _trained((trunk, head), x, labels, epochs, batch, lr, prepared)


def mean_of_batches(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """the losses of the batches are averaged, so an image in a small last batch counts for more"""

    def prepared(features):
        return scale * features / _lengths(features)

    return _trained((trunk, head), x, labels, epochs, batch, lr, prepared, mean_of_batches=True)
