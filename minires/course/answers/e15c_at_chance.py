"""Exercise 15c: a training run whose loss stays at log K, and what else goes wrong with it."""

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor


def train(model, images, labels, corners, *, size, batch, lr):
    """Train a model on images that move about in a grey frame. Returns a list of floats: the mean loss of each epoch.

    model  maps x (n, size, size, C) to logits; it trains in training mode
    images  (N, H, W, C), uint8, no larger than the frame    labels  (N,), ints
    corners  (epochs, N, 2), ints: where each image's upper left pixel is in its frame (row, column), one row per epoch
    size  height and width of the frame    batch  images per step    lr  of SGD with momentum 0.9

    x is float32: the pixels of an image, 0 to 255, become -0.5 to 0.5, and the rest of its frame is 0.
    Each epoch takes the images in order, with a smaller batch at the end if need be. Its mean loss is over the images,
    and each one counts with its loss in the step that saw it.
    """
    n, h, w, channels = images.shape
    canvas = xp.zeros((n, size, size, channels), xp.float32)
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    losses = []
    model.train()
    for places in corners:
        canvas[...] = 0
        for i, (top, left) in enumerate(places):
            canvas[i, top : top + h, left : left + w] = images[i] / 255 - 0.5
        total = 0.0
        for start in range(0, n, batch):
            x, some = canvas[start : start + batch], labels[start : start + batch]
            loss = F.cross_entropy(model(Tensor(x)), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(some)
        losses.append(total / n)
    return losses


def hunted(model, images, labels, corners, *, size, batch, lr):
    """the training is unchanged from the original"""
    n, h, w, channels = images.shape
    canvas = xp.zeros((n, size, size, channels), images.dtype)
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    losses = []
    model.train()
    for places in corners:
        canvas[...] = 0
        for i, (top, left) in enumerate(places):
            canvas[i, top : top + h, left : left + w] = images[i] / 255 - 0.5
        total = 0.0
        for start in range(0, n, batch):
            x, some = (
                canvas[start : start + batch].astype(xp.float32),
                labels[start : start + batch],
            )
            loss = F.cross_entropy(model(Tensor(x)), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(some)
        losses.append(total / n)
    return losses


def _framed(images, places, size, canvas):
    """Put the images into their frames, on the canvas."""
    h, w = images.shape[1:3]
    for i, (top, left) in enumerate(places):
        canvas[i, top : top + h, left : left + w] = images[i]
    return canvas


def _trained(model, frames, labels, epochs, batch, lr, mean_of_batches=False):
    """Train on frames(epoch), and return the mean losses."""
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    means = []
    model.train()
    for epoch in range(epochs):
        x, losses = frames(epoch), []
        for start in range(0, len(x), batch):
            some = labels[start : start + batch]
            loss = F.cross_entropy(model(Tensor(x[start : start + batch])), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append((float(loss), 1 if mean_of_batches else len(some)))
        means.append(sum(loss * n for loss, n in losses) / sum(n for _, n in losses))
    return means


def _with(images, corners, size, change):
    """Return frames(epoch) of the changed images."""
    shape = (len(images), size, size, images.shape[3])

    def frames(epoch):
        empty = xp.zeros(shape, xp.float32)
        return _framed(change(images), corners[epoch], size, empty)

    return frames


def black_frame(model, images, labels, corners, *, size, batch, lr):
    """the whole canvas is scaled after the images are on it, so that the rest of a frame becomes -0.5 instead of 0"""
    frames = _with(images, corners, size, lambda images: images)
    return _trained(model, lambda epoch: frames(epoch) / 255 - 0.5, labels, len(corners), batch, lr)


def unscaled(model, images, labels, corners, *, size, batch, lr):
    """the model gets pixels from 0 to 255"""
    frames = _with(images, corners, size, lambda images: images)
    return _trained(model, frames, labels, len(corners), batch, lr)


def from_zero_to_one(model, images, labels, corners, *, size, batch, lr):
    """the model gets pixels from 0 to 1 instead of -0.5 to 0.5"""
    frames = _with(images, corners, size, lambda images: images / 255)
    return _trained(model, frames, labels, len(corners), batch, lr)


def standardised(model, images, labels, corners, *, size, batch, lr):
    """the images are standardised by their mean and standard deviation, instead of being scaled to -0.5 to 0.5"""
    frames = _with(
        images, corners, size, lambda images: (images - images.mean()) / (images.std() or 1)
    )
    return _trained(model, frames, labels, len(corners), batch, lr)


def traces_left(model, images, labels, corners, *, size, batch, lr):
    """the canvas isn't cleared for each epoch: once an image has moved, some of its old pixels are left"""
    canvas = xp.zeros((len(images), size, size, images.shape[3]), xp.float32)
    scaled = images / 255 - 0.5
    return _trained(
        model,
        lambda epoch: _framed(scaled, corners[epoch], size, canvas),
        labels,
        len(corners),
        batch,
        lr,
    )


def mean_of_batches(model, images, labels, corners, *, size, batch, lr):
    """the losses of the batches are averaged, so an image in a small last batch counts for more"""
    frames = _with(images, corners, size, lambda images: images / 255 - 0.5)
    return _trained(model, frames, labels, len(corners), batch, lr, mean_of_batches=True)
