"""Claims about train: each image keeps its label in each epoch, and each epoch has the order that it should have."""

import numpy
from e15e_good_start import train

from minires.course import Check
from minires.nn import BatchNorm, Conv2d, GlobalAvgPool, Linear, Module, ReLU, Sequential, init

check = Check("15e", tolerance=1e-7)


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
    """Return random images."""
    return numpy.random.default_rng(seed).standard_normal((n, h, w, channels))


def labels(n=7, classes=3, seed=2):
    """Return random labels."""
    return numpy.random.default_rng(seed).integers(0, classes, n)


def orders(epochs, n=7, seed=3):
    """Return random orders."""
    rng = numpy.random.default_rng(seed)
    return numpy.array([rng.permutation(n) for _ in range(epochs)])


def plain(history):
    """Return the numbers that train returned."""
    return [[float(number) for number in row] for row in history]


def trained(its, *, batch=7, shape=(3, 2, 2), classes=3, lr=0.1, ready=None, dtype="float64"):
    """Experiment: losses and accuracies, and the net after the training. its  the orders"""

    def run(train):
        n, model = len(its[0]), net(shape[2], classes, dtype=dtype)
        if ready:
            ready(model)
        x = images(n, *shape).astype(dtype)
        history = train(model, x, labels(n, classes), numpy.array(its), batch=batch, lr=lr)
        return {"losses and accuracies": plain(history), **model.state_dict()}

    return run


def test_one_epoch():
    check.experiment(trained(orders(1)), train, "one step on seven images")
    check.experiment(trained(orders(1, 9), batch=3), train, "one epoch of three steps")


def test_which_images_a_step_sees():
    def run(train):
        model, x = Recorder(net(1)), numpy.arange(4.0)[:, None, None, None] * numpy.ones((2, 1, 1))
        its = numpy.array([[2, 0, 3, 1], [1, 2, 0, 3], [1, 2, 0, 3]])
        train(model, x, labels(4), its, batch=2, lr=0.1)
        return {f"the images of step {step}": x[:, 0, 0, 0] for step, x in enumerate(model.seen)}

    check.experiment(run, train, "four images, three epochs of two steps")


def test_each_image_keeps_its_label():
    check.experiment(trained(orders(2)), train, "two epochs of one step")
    check.experiment(trained(orders(4, 8), batch=8, classes=5), train, "four epochs of one step, five classes")  # fmt: skip
    check.experiment(trained([[1, 2, 0]] * 3), train, "three epochs of one step, three images in the same order")  # fmt: skip


def test_each_epoch_has_its_own_order():
    check.experiment(trained(orders(3, 8), batch=2), train, "three epochs of four steps")
    check.experiment(trained([[1, 0, 3, 2, 4, 5]] * 2, batch=3), train, "two epochs of two steps in the same order")  # fmt: skip
    check.experiment(trained([range(6), range(6), [5, 4, 3, 2, 1, 0]], batch=2), train, "as they come, twice, and then backwards")  # fmt: skip


def test_a_small_last_batch():
    check.experiment(trained(orders(1), batch=5), train, "batches of 5 and 2 images, one epoch")
    check.experiment(trained(orders(3), batch=3), train, "batches of 3, 3 and 1 images, three epochs")  # fmt: skip


def test_the_accuracy_is_that_of_the_step():
    check.experiment(trained(orders(3, 20), batch=20, lr=1.0), train, "three epochs of one large step")  # fmt: skip


def test_batches_of_any_size():
    check.experiment(trained(orders(2, 3), batch=100), train, "a batch size above the number of images")  # fmt: skip
    check.experiment(trained(orders(2, 3), batch=1, shape=(3, 3, 2)), train, "batches of one image")
    check.experiment(trained(orders(2, 1), batch=1, shape=(2, 2, 1), classes=2), train, "one image")


def test_the_model_trains_in_training_mode():
    check.experiment(trained(orders(2), ready=lambda model: model.eval()), train, "a model that comes in evaluation mode")  # fmt: skip


def test_a_float32_model():
    Check("15e", tolerance=1e-4).experiment(trained(orders(2), batch=4, dtype="float32"), train, "a model and images in float32, two epochs")  # fmt: skip


def test_what_it_returns():
    def run(train):
        history = train(net(), images(), labels(), orders(2), batch=4, lr=0.1)
        kinds = {"float" if isinstance(number, float) else type(number).__name__ for row in history for number in row}  # fmt: skip
        rows = {type(row).__name__ for row in history}
        return {"its type": type(history).__name__, "of": sorted(rows), "of these": sorted(kinds), "sizes": [len(row) for row in history]}  # fmt: skip

    check.experiment(run, train, "the type of what is returned for two epochs")


def test_x_labels_and_orders_stay():
    def run(train):
        given = images(), labels(), orders(3)
        train(net(), *given, batch=4, lr=0.1)
        return dict(zip(("x", "labels", "orders"), given))

    check.experiment(run, train, "what was given, afterwards")


def test_images_with_gaps_in_memory():
    def run(train):
        x, its = numpy.repeat(images(), 2, axis=2)[:, :, ::2], labels().astype("uint8")
        model = net()
        history = train(model, x, its.repeat(2)[::2], orders(4)[::2, ::-1], batch=4, lr=0.1)
        return {"losses and accuracies": plain(history), **model.state_dict()}

    check.experiment(run, train, "images, labels of one byte, and orders, all with gaps in memory")


def test_two_models_take_turns():
    def run(train):
        first, other = net(), net(seed=5)
        found = {}
        for turn, model in enumerate((first, other, first)):
            history = train(model, images(seed=turn), labels(), orders(2, seed=turn), batch=4, lr=0.1)  # fmt: skip
            found[f"training run {turn}"] = plain(history)
        return {**found, **first.state_dict()}

    check.experiment(run, train, "two models, one of which is trained twice")
