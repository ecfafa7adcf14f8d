"""Solutions of 15c: training runs whose frames are right, and others."""

import numpy

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor
from minires.train import train_epoch
from tests.course.kinds import right, wrong
from tests.course.loops import OF_THE_MEANS, OF_THE_STEPS, cut, fit, twisted

SEES, REST, MOVES = (
    "test_what_the_net_gets_in_an_epoch",
    "test_the_rest_of_the_frame_is_0",
    "test_images_move_from_epoch_to_epoch",
)
ONE, STEPS, LAST = "test_one_step", "test_steps_and_epochs", "test_a_small_last_batch"
MODE, STAY = "test_the_model_trains_in_training_mode", "test_images_labels_and_corners_stay"


def framed(images, places, size, *, scale=lambda image: image / 255 - 0.5, rest=0.0, dtype="float32"):  # fmt: skip
    """Return the images in their frames."""
    n, h, w, c = images.shape
    canvas = numpy.full((n, size, size, c), rest, dtype)
    for one, image, (top, left) in zip(canvas, images, places):
        one[top : top + h, left : left + w] = scale(image)
    return canvas


def full(model, images, labels, corners, *, size, batch, lr, frames=framed, **options):
    """A training run on frames(images, places, size) of each epoch."""
    epochs = [cut(frames(images, places, size), labels, batch) for places in corners]
    return [loss for loss, _ in fit(model, epochs, lr, **options)]


globals().update(
    twisted(full, {**OF_THE_STEPS, **OF_THE_MEANS}, one=ONE, steps=STEPS, last=LAST, mode=MODE, **{"mode of epochs": STEPS})
)  # fmt: skip


@right
def with_other_frames(model, images, labels, corners, *, size, batch, lr):
    return full(model, images, labels, corners, size=size, batch=batch, lr=lr)


@right
def default_dtype(model, images, labels, corners, *, size, batch, lr):
    """The canvas is float64, and x is converted as in the original."""
    n, h, w, channels = images.shape
    canvas = xp.zeros((n, size, size, channels))
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


@right
def images_converted_first(model, images, labels, corners, *, size, batch, lr):
    """All images become floats at the top, and the canvas has their dtype."""
    images = images.astype(xp.float32) / 255 - 0.5
    n, h, w, channels = images.shape
    optimizer, losses = SGD(model.parameters(), lr=lr, momentum=0.9), []
    model.train()
    for places in corners:
        canvas, total = xp.zeros((n, size, size, channels), images.dtype), 0.0
        for i, (top, left) in enumerate(places):
            canvas[i, top : top + h, left : left + w] += images[i]
        for start in range(0, n, batch):
            end = min(start + batch, n)
            loss = F.cross_entropy(model(Tensor(canvas[start:end])), labels[start:end])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * (end - start)
        losses.append(total / n)
    return losses


@right
def by_train_epoch(model, images, labels, corners, *, size, batch, lr):
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    return [
        train_epoch(model, cut(framed(images, places, size), labels, batch), optimizer).loss
        for places in corners
    ]


@right
def padded(model, images, labels, corners, *, size, batch, lr):
    """Each image is padded to the size of its frame."""
    n, h, w, _ = images.shape

    def frames(images, places, size):
        scaled = ((images - 127.5) / 255).astype("float32")
        sides = [((t, size - h - t), (e, size - w - e), (0, 0)) for t, e in places.tolist()]
        return numpy.stack([numpy.pad(one, side) for one, side in zip(scaled, sides)])

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@right
def grey_canvas_of_bytes(model, images, labels, corners, *, size, batch, lr):
    """The bytes stay bytes, and a mask says where the images are."""

    def frames(images, places, size):
        bytes_ = framed(images, places, size, scale=lambda image: image, dtype="uint8")
        inside = framed(numpy.ones_like(images), places, size, scale=lambda image: image)
        return ((bytes_ / 255 - 0.5) * inside).astype("float32")

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@right
def by_index(model, images, labels, corners, *, size, batch, lr):
    """All images are placed at once."""
    n, h, w, c = images.shape

    def frames(images, places, size):
        canvas = numpy.zeros((n, size, size, c), "float32")
        rows = places[:, 0, None] + numpy.arange(h)
        columns = places[:, 1, None] + numpy.arange(w)
        where = numpy.arange(n)[:, None, None], rows[:, :, None], columns[:, None]
        canvas[where] = images / numpy.float32(255) - numpy.float32(0.5)
        return canvas

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@right
def batch_by_batch(model, images, labels, corners, *, size, batch, lr):
    """Only the frames of a step are in memory."""
    optimizer, losses = SGD(model.parameters(), lr=lr, momentum=0.9), []
    for places in corners:
        total = 0
        for some, its, where in zip(*(
            [array[i : i + batch] for i in range(0, len(images), batch)] for array in (images, labels, places)
        )):  # fmt: skip
            logits = model.train()(Tensor(framed(some, where, size)))
            loss = F.cross_entropy(logits, its)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(its) / len(images)
        losses.append(total)
    return losses


@wrong(REST, mistake="black_frame")
def scaled_at_the_end(model, images, labels, corners, *, size, batch, lr):
    def frames(images, places, size):
        return framed(images, places, size, rest=-0.5)

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@wrong(SEES, mistake="unscaled")
def only_converted(model, images, labels, corners, *, size, batch, lr):
    images, n = images.astype("float32"), len(images)
    h, w = images.shape[1:3]
    epochs = []
    for places in corners:
        canvas = xp.zeros((n, size, size, images.shape[3]), images.dtype)
        for i, (top, left) in enumerate(places):
            canvas[i, top : top + h, left : left + w] = images[i]
        epochs.append(cut(canvas, labels, batch))
    return [loss for loss, _ in fit(model, epochs, lr)]


@wrong(SEES, mistake="from_zero_to_one")
def no_half(model, images, labels, corners, *, size, batch, lr):
    def frames(images, places, size):
        return framed(images, places, size, scale=lambda image: image / 255)

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@wrong(SEES, mistake="standardised")
def by_mean_and_std(model, images, labels, corners, *, size, batch, lr):
    mean, std = images.mean(), images.std()

    def frames(images, places, size):
        return framed(images, places, size, scale=lambda image: (image - mean) / (std or 1))

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@wrong(MOVES, mistake="traces_left")
def one_canvas(model, images, labels, corners, *, size, batch, lr):
    canvas, (h, w) = framed(images, corners[0], size), images.shape[1:3]
    epochs = []
    for places in corners:
        for i, (top, left) in enumerate(places):
            canvas[i, top : top + h, left : left + w] = images[i] / 255 - 0.5
        epochs.append(cut(canvas.copy(), labels, batch))
    return [loss for loss, _ in fit(model, epochs, lr)]


@wrong(LAST, mistake="mean_of_batches")
def mean_of_means(model, images, labels, corners, *, size, batch, lr):
    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, mean="batches")


@wrong(SEES)
def zeros_like_the_bytes(model, images, labels, corners, *, size, batch, lr):
    def frames(images, places, size):
        return framed(images, places, size, dtype=images.dtype).astype("float32")

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)
