"""Claims about train: what the net gets in each epoch, what it learns from it, and which losses come back."""

import numpy
from e15c_at_chance import train

from minires.course import Check
from minires.nn import BatchNorm, Conv2d, GlobalAvgPool, Linear, Module, ReLU, Sequential, init
from minires.tensor import no_grad

check = Check("15c", tolerance=1e-5)


def net(channels=2, classes=3, seed=0, dtype="float64"):
    """Return a small net with batch norm."""
    with init.kept_generator():
        init.manual_seed(seed)
        layers = (
            Conv2d(channels, 4, 3, padding=1, bias=False),
            BatchNorm(4),
            ReLU(),
            GlobalAvgPool(),
        )
        return Sequential(*layers, Linear(4, classes)).astype(dtype)


class Recorder(Module):
    """A net that keeps what it gets."""

    def __init__(self, net):
        self.net, self.seen = net, ()

    def forward(self, x):
        self.seen = (*self.seen, x.data.copy())
        return self.net(x)


def images(n=7, h=3, w=2, channels=2, seed=1):
    """Return images of all grey levels."""
    return numpy.random.default_rng(seed).integers(0, 256, (n, h, w, channels)).astype("uint8")


def labels(n=7, classes=3, seed=2):
    """Return random labels."""
    return numpy.random.default_rng(seed).integers(0, classes, n)


def corners(epochs, n=7, h=3, w=2, size=5, seed=3):
    """Return random places for images of h x w."""
    rng = numpy.random.default_rng(seed)
    return numpy.stack([rng.integers(0, size - side + 1, (epochs, n)) for side in (h, w)], axis=2)


def trained(*, epochs=1, n=7, batch=7, shape=(3, 2, 2), size=5, classes=3, lr=0.1, ready=None, dtype="float64"):  # fmt: skip
    """Experiment: the losses, and the net after the training."""

    def run(train):
        h, w, channels = shape
        model = net(channels, classes, dtype=dtype)
        if ready:
            ready(model)
        places = corners(epochs, n, h, w, size)
        some = images(n, h, w, channels), labels(n, classes)
        losses = train(model, *some, places, size=size, batch=batch, lr=lr)
        return {"the mean losses": [float(loss) for loss in losses], **model.state_dict()}

    return run


def seen(some, places, *, size, batch):
    """Experiment: what the net gets."""

    def run(train):
        model = Recorder(net(some.shape[3]))
        train(model, some.copy(), labels(len(some)), places.copy(), size=size, batch=batch, lr=0.1)
        return {f"x of step {step}": x for step, x in enumerate(model.seen)}

    return run


def test_what_the_net_gets_in_an_epoch():
    check.experiment(seen(images(3), corners(1, 3), size=5, batch=3), train, "three 3x2 images in 5x5 frames: what the net gets")  # fmt: skip
    levels = numpy.arange(256, dtype="uint8").reshape(4, 8, 8, 1)
    places = numpy.array([[(0, 1), (1, 0), (1, 1), (0, 0)]])
    check.experiment(seen(levels, places, size=9, batch=4), train, "images with all pixels from 0 to 255: what the net gets")  # fmt: skip


def test_the_rest_of_the_frame_is_0():
    white = numpy.full((2, 1, 2, 2), 255, "uint8")
    places = numpy.array([[(0, 0), (2, 3)]])
    check.experiment(seen(white, places, size=5, batch=2), train, "two white 1x2 images in 5x5 frames: what the net gets")  # fmt: skip
    black = 0 * white
    check.experiment(seen(black, places, size=5, batch=2), train, "two black 1x2 images in 5x5 frames: what the net gets")  # fmt: skip


def test_images_move_from_epoch_to_epoch():
    check.experiment(seen(images(2), corners(3, 2), size=5, batch=2), train, "two images at other places in each of three epochs: what the net gets")  # fmt: skip
    check.experiment(seen(images(3, 1, 1), corners(2, 3, 1, 1), size=5, batch=2), train, "three images of one pixel, two epochs: what the net gets")  # fmt: skip


def test_one_step():
    check.experiment(trained(), train, "one step on seven images")
    check.experiment(trained(n=2, batch=2, shape=(2, 2, 1), classes=2), train, "one step on two images of one channel, two classes")  # fmt: skip


def test_steps_and_epochs():
    check.experiment(trained(n=6, batch=3), train, "one epoch of two steps")
    check.experiment(trained(epochs=3), train, "three epochs of one step")
    check.experiment(trained(epochs=3, n=8, batch=2, lr=0.05), train, "three epochs of four steps")


def test_a_small_last_batch():
    check.experiment(trained(epochs=2, batch=5), train, "batches of 5 and 2 images, two epochs")
    check.experiment(trained(n=4, batch=3), train, "batches of 3 images and 1")


def test_frames_and_batches_of_any_size():
    check.experiment(trained(shape=(4, 4, 3), size=4, batch=4), train, "images as large as the frame")  # fmt: skip
    check.experiment(trained(n=3, batch=100), train, "a batch size above the number of images")
    check.experiment(trained(n=3, batch=1, shape=(3, 3, 2)), train, "batches of one image")


def test_the_model_trains_in_training_mode():
    check.experiment(trained(epochs=2, ready=lambda model: model.eval()), train, "a model that comes in evaluation mode")  # fmt: skip


def test_a_float32_model():
    Check("15c", tolerance=1e-4).experiment(trained(epochs=2, batch=4, dtype="float32"), train, "a model in float32, two epochs")  # fmt: skip


def test_what_it_returns():
    def run(train):
        losses = train(net(), images(), labels(), corners(2), size=5, batch=4, lr=0.1)
        kinds = {"float" if isinstance(loss, float) else type(loss).__name__ for loss in losses}
        return {"its type": type(losses).__name__, "its length": len(losses), "of": sorted(kinds)}

    check.experiment(run, train, "the type of what is returned for two epochs")


def test_images_labels_and_corners_stay():
    def run(train):
        given = images(), labels(), corners(2)
        train(net(), *given, size=5, batch=4, lr=0.1)
        return dict(zip(("images", "labels", "corners"), given))

    check.experiment(run, train, "what was given, afterwards")


def test_images_with_gaps_in_memory():
    def run(train):
        large = numpy.repeat(images(), 2, axis=2)
        some, its = large[:, :, ::2], labels().astype("uint8").repeat(2)[::2]
        model = net()
        losses = train(model, some, its, corners(2), size=5, batch=4, lr=0.1)
        return {"the mean losses": [float(loss) for loss in losses], **model.state_dict()}

    check.experiment(run, train, "images and labels of one byte, both with gaps in memory")


def test_two_models_take_turns():
    def run(train):
        first, other = net(), net(seed=5)
        with no_grad():
            first[0].weight.data *= 2
        found = {}
        for turn, model in enumerate((first, other, first)):
            places = corners(1, seed=turn)
            losses = train(model, images(seed=turn), labels(), places, size=5, batch=4, lr=0.1)
            found[f"training run {turn}"] = [float(loss) for loss in losses]
        return {**found, **first.state_dict()}

    check.experiment(run, train, "two models, one of which is trained twice")
