"""Exercise 15d: a training run that is fine until it is evaluated, and what else goes wrong with it."""

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor, no_grad


def train(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """Train a model, and return its accuracies {"train": on images, "test": on test_images}, two floats.

    model  maps x (n, H, W, C) to logits, one per different code of the training set, from the smallest code to the largest
    images, test_images  (N, H, W, C) and (M, H, W, C), uint8
    codes, test_codes  (N,) and (M,), ints of any size and sign: the article on each image. No code of the test set is new
    epochs, batch  each epoch takes the images in order, with a smaller batch at the end if need be
    lr  of SGD with momentum 0.9

    x is standardised: the mean of each channel is subtracted, and the difference divided by the channel's standard deviation,
    both of all pixels in `images`. The model trains in training mode. Afterwards both accuracies, the fraction of images
    whose largest logit is that of their code, are measured in evaluation mode.
    """
    mean, std = images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))
    classes = xp.unique(codes)

    def prepared(images, codes):
        return ((images - mean) / std).astype(xp.float32), xp.searchsorted(classes, codes)

    def accuracy(x, labels):
        with no_grad():
            return float((model(Tensor(x)).data.argmax(axis=1) == labels).mean())

    x, labels = prepared(images, codes)
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
    return {"train": accuracy(x, labels), "test": accuracy(*prepared(test_images, test_codes))}


def hunted(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """the training is unchanged from the original"""
    mean, std = images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))

    def prepared(images, codes):
        _, labels = xp.unique(codes, return_inverse=True)
        return ((images - mean) / std).astype(xp.float32), labels

    def accuracy(x, labels):
        with no_grad():
            return float((model(Tensor(x)).data.argmax(axis=1) == labels).mean())

    x, labels = prepared(images, codes)
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
    return {"train": accuracy(x, labels), "test": accuracy(*prepared(test_images, test_codes))}


def _trained(model, x, labels, epochs, batch, lr):
    """Train the model in training mode."""
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    model.train()
    for start in [*range(0, len(x), batch)] * epochs:
        logits = model(Tensor(x[start : start + batch]))
        loss = F.cross_entropy(logits, labels[start : start + batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _share(model, x, labels, allowed=slice(None)):
    """Return the accuracy. allowed  the logits that may win"""
    with no_grad():
        logits = model(Tensor(x)).data
    worst = xp.full_like(logits, -xp.inf)
    worst[:, allowed] = logits[:, allowed]
    return float((worst.argmax(axis=1) == labels).mean())


def _standardised(images, by, axis=(0, 1, 2)):
    """Return images standardised by the statistics of others."""
    return ((images - by.mean(axis=axis)) / by.std(axis=axis)).astype(xp.float32)


def _places(codes, classes):
    return xp.array([classes.index(code) for code in codes.tolist()])


def _run(parts, classes, options, mode=False, only=slice(None)):
    """Train on the first part, and evaluate on both."""
    model, (x, codes), (test_x, test_codes) = parts
    labels, test_labels = _places(codes, classes), _places(test_codes, classes)
    _trained(model, x, labels, **options)
    model.train(mode)
    return {"train": _share(model, x, labels), "test": _share(model, test_x, test_labels, only)}


def evaluated_in_training_mode(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """the accuracies are measured in training mode, in which batch norm uses the statistics of the images at hand"""
    parts = (_standardised(images, images), codes), (_standardised(test_images, images), test_codes)
    options = dict(epochs=epochs, batch=batch, lr=lr)
    return _run((model, *parts), sorted(set(codes.tolist())), options, mode=True)


def own_statistics(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """the test images are standardised by their own mean and standard deviation, instead of those of the training set"""
    parts = (
        (_standardised(images, images), codes),
        (_standardised(test_images, test_images), test_codes),
    )
    options = dict(epochs=epochs, batch=batch, lr=lr)
    return _run((model, *parts), sorted(set(codes.tolist())), options)


def in_order_of_appearance(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """the codes of the training set are numbered as they appear, not from the smallest to the largest"""
    parts = (_standardised(images, images), codes), (_standardised(test_images, images), test_codes)
    options = dict(epochs=epochs, batch=batch, lr=lr)
    return _run((model, *parts), list(dict.fromkeys(codes.tolist())), options)


def from_the_largest(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """the codes of the training set are numbered from the largest to the smallest"""
    parts = (_standardised(images, images), codes), (_standardised(test_images, images), test_codes)
    options = dict(epochs=epochs, batch=batch, lr=lr)
    return _run((model, *parts), sorted(set(codes.tolist()), reverse=True), options)


def others_left_out(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """only the codes that the test set contains compete for a test image, so a guess of any other code isn't counted as wrong"""
    parts = (_standardised(images, images), codes), (_standardised(test_images, images), test_codes)
    options, classes = dict(epochs=epochs, batch=batch, lr=lr), sorted(set(codes.tolist()))
    only = sorted({classes.index(code) for code in test_codes.tolist()})
    return _run((model, *parts), classes, options, only=only)


def one_mean_for_all_channels(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """one mean and one standard deviation are used for all channels"""
    parts = [
        (_standardised(some, images, axis=None), its)
        for some, its in ((images, codes), (test_images, test_codes))
    ]
    options = dict(epochs=epochs, batch=batch, lr=lr)
    return _run((model, *parts), sorted(set(codes.tolist())), options)
