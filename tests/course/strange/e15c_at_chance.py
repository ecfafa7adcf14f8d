"""Strange solutions of 15c."""

import numpy

from minires import functional as F
from minires.optim import SGD
from minires.tensor import Tensor
from tests.course.kinds import right, wrong
from tests.course.loops import cut, elsewhere, fit
from tests.course.solutions.e15c_at_chance import (
    LAST,
    MODE,
    MOVES,
    ONE,
    REST,
    SEES,
    STAY,
    STEPS,
    framed,
    full,
)

RETURNS, ANY = "test_what_it_returns", "test_frames_and_batches_of_any_size"


@right
def a_table_of_levels(model, images, labels, corners, *, size, batch, lr):
    """A table says what each of the 256 levels becomes."""
    table = numpy.arange(256, dtype="float32") / 255 - numpy.float32(0.5)

    def frames(images, places, size):
        return framed(images, places, size, scale=lambda image: table[image])

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@right
def twice_the_levels(model, images, labels, corners, *, size, batch, lr):
    """A canvas of integers holds twice the pixels, less 255."""

    def frames(images, places, size):
        doubled = framed(images, places, size, scale=lambda image: image.astype(int) * 2 - 255, dtype="int16")  # fmt: skip
        return (doubled / 510).astype("float32")

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@right
def layout_of_columns(model, images, labels, corners, *, size, batch, lr):
    def frames(images, places, size):
        return numpy.asfortranarray(framed(images, places, size))

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)


@right
def sum_of_losses_divided(model, images, labels, corners, *, size, batch, lr):
    """The loss of each image, from logits by hand."""
    optimizer, means = SGD(model.parameters(), lr=lr, momentum=0.9), []
    model.train()
    for places in corners:
        every = []
        for x, some in cut(framed(images, places, size), labels, batch):
            logits = model(Tensor(x))
            loss = F.cross_entropy(logits, some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            z = logits.data - logits.data.max(axis=1, keepdims=True)
            every += list(numpy.log(numpy.exp(z).sum(axis=1)) - z[numpy.arange(len(z)), some])
        means.append(float(numpy.mean(every)))
    return means


FRAMES = {
    "whole_levels": (SEES, {"scale": lambda image: image // 255 - 0.5}),
    "by_256": (SEES, {"scale": lambda image: image / 256 - 0.5}),
    "minus_one_to_one": (SEES, {"scale": lambda image: image / 127.5 - 1}),
    "wraps_around": (SEES, {"scale": lambda image: (image - numpy.uint8(128)) / 255}),
    "less_128": (SEES, {"scale": lambda image: (image.astype("float32") - 128) / 255}),
    "twice_by_255": (SEES, {"scale": lambda image: image / 255 / 255 - 0.5}),
    "negative": (SEES, {"scale": lambda image: 0.5 - image / 255}),
    "each_by_its_maximum": (SEES, {"scale": lambda image: image / (image.max() or 1) - 0.5}),
    "each_by_its_mean": (SEES, {"scale": lambda image: image / 255 - (image / 255).mean()}),
    "transposed_back": (SEES, {"scale": lambda image: image[::-1] / 255 - 0.5}),
    "mirrored": (SEES, {"scale": lambda image: image[:, ::-1] / 255 - 0.5}),
    "channels_turned_round": (SEES, {"scale": lambda image: image[..., ::-1] / 255 - 0.5}),
    "first_channel_in_all": (SEES, {"scale": lambda image: image[..., :1] / 255 - 0.5}),
    "white_rest": (REST, {"rest": 0.5}),
    "rest_by_the_mean": (REST, {"rest": -0.1}),
    "rounded_levels": (SEES, {"scale": lambda image: numpy.round(image / 255 - 0.5, 2)}),
    "half_precision": (SEES, {"dtype": "float16"}),
    "signed_bytes": (SEES, {"dtype": "int8"}),
    "double_precision": (SEES, {"dtype": "float64"}),
    "black_is_frame": (SEES, {"scale": lambda image: numpy.where(image > 0, image / 255 - 0.5, 0)}),
    "dark_is_frame": (SEES, {"scale": lambda image: numpy.maximum(image / 255 - 0.5, 0)}),
    "from_least_to_most": (SEES, {"scale": lambda image: (image - image.min()) / max(int(image.max()) - int(image.min()), 1) - 0.5}),
}  # fmt: skip


def made(options):
    """Return a solution with frames of this kind."""

    def solution(model, images, labels, corners, *, size, batch, lr):
        def frames(images, places, size):
            return framed(images, places, size, **options)

        return full(model, images, labels, corners, size=size, batch=batch, lr=lr, frames=frames)

    return solution


for name, (claim, options) in FRAMES.items():
    globals()[name] = wrong(claim)(made(options))


def at_places(change):
    """Return a solution that changes the places of the images in all epochs."""

    def solution(model, images, labels, corners, **options):
        return full(model, images, labels, change(corners), **options)

    return solution


columns_first = wrong(MOVES)(at_places(lambda corners: numpy.minimum(corners[..., ::-1], 2)))
always_at_the_corner = wrong(SEES)(at_places(lambda corners: 0 * corners))
first_places_kept = wrong(MOVES)(at_places(lambda corners: corners[[0] * len(corners)]))
last_places_first = wrong(MOVES)(at_places(lambda corners: corners[::-1]))
places_by_one_image = wrong(SEES)(at_places(lambda corners: 0 * corners + corners[:, :1]))
one_epoch_less = wrong(MOVES)(at_places(lambda corners: corners[:-1] if len(corners) > 1 else corners))  # fmt: skip
copies_trained = wrong(ONE)(elsewhere(full, 0))


@wrong(STAY)
def in_the_images(model, images, labels, corners, **options):
    """The result is right, but the images are scaled in place afterwards."""
    found = full(model, images, labels, corners, **options)
    images //= 255
    return found


@wrong(STAY)
def labels_written_to(model, images, labels, corners, **options):
    found = full(model, images, labels, corners, **options)
    labels[...] = labels[::-1].copy()
    return found


@wrong(STAY)
def corners_moved(model, images, labels, corners, **options):
    found = full(model, images, labels, corners, **options)
    corners += 1
    return found


@wrong(RETURNS)
def a_tuple(*inputs, **options):
    return tuple(full(*inputs, **options))


@wrong(RETURNS)
def an_array(*inputs, **options):
    return numpy.array(full(*inputs, **options))


@wrong(RETURNS)
def float32_numbers(*inputs, **options):
    return [numpy.float32(loss) for loss in full(*inputs, **options)]


@wrong(RETURNS)
def tensors(*inputs, **options):
    return [Tensor(numpy.array(loss)) for loss in full(*inputs, **options)]


@wrong(ONE)
def the_last_loss_alone(*inputs, **options):
    return full(*inputs, **options)[-1:] * 2


@wrong(LAST)
def last_batch_dropped(model, images, labels, corners, *, size, batch, lr):
    n = len(images)
    return full(model, images, labels, corners, size=size, batch=batch, lr=lr, drop=min(batch, n))


@wrong(STEPS)
def backwards_through_the_images(model, images, labels, corners, *, size, batch, lr):
    flipped = images[::-1], labels[::-1], corners[:, ::-1]
    return full(model, *flipped, size=size, batch=batch, lr=lr)


@wrong(STEPS)
def shuffled(model, images, labels, corners, *, size, batch, lr):
    order = numpy.random.default_rng(0).permutation(len(images))
    return full(
        model, images[order], labels[order], corners[:, order], size=size, batch=batch, lr=lr
    )


@wrong(ONE)
def labels_of_others(model, images, labels, corners, *, size, batch, lr):
    return full(model, images, numpy.roll(labels, 1), corners, size=size, batch=batch, lr=lr)


@wrong(MODE)
def back_to_evaluation(model, images, labels, corners, *, size, batch, lr):
    epochs = [cut(framed(images, places, size), labels, batch) for places in corners]
    found = [loss for loss, _ in fit(model, epochs[:1], lr, mode="as it comes")]
    return found + [loss for loss, _ in fit(model, epochs[1:], lr)]


@wrong(SEES)
def as_bytes_to_the_net(model, images, labels, corners, *, size, batch, lr):
    """Only the dtype of x changes, and the scale is in the model's first weights."""

    def frames(images, places, size):
        return framed(images, places, size, scale=lambda image: image)

    return full(model, images, labels, corners, size=size, batch=batch, lr=lr / 255, frames=frames)


@wrong(ANY)
def size_of_the_image_for_a_tight_frame(model, images, labels, corners, *, size, batch, lr):
    """A frame without room counts as a mistake."""
    size = size if size > max(images.shape[1:3]) else size + 1
    return full(model, images, labels, corners, size=size, batch=batch, lr=lr)
