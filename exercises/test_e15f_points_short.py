"""Claims about train: the losses, and what each step does to the head and to the trunk."""

import numpy
from e15f_points_short import train

from minires import functional as F
from minires.course import Check
from minires.nn import (
    BatchNorm,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    Linear,
    Module,
    Parameter,
    ReLU,
    Sequential,
    init,
)

check = Check("15f", tolerance=1e-7)


class Gain(Module):
    """The mean of each image, times a number: whatever it becomes, f / |f| is the same."""

    def __init__(self):
        self.gain = Parameter(numpy.array([100.0]))

    def forward(self, x):
        return self.gain * F.global_avg_pool(x)


def nets(kind="linear", *, channels=2, d=4, classes=3, seed=0, dtype="float64"):
    """Return a trunk and a head."""
    with init.kept_generator():
        init.manual_seed(seed)
        trunks = {
            "gain": Gain,
            "linear": lambda: Sequential(GlobalAvgPool(), Linear(channels, d)),
            "flat": lambda: Sequential(Flatten(), Linear(6 * channels, d)),
            "normed": lambda: Sequential(Conv2d(channels, d, 3, padding=1, bias=False), BatchNorm(d), ReLU(), GlobalAvgPool()),
        }  # fmt: skip
        return [net.astype(dtype) for net in (trunks[kind](), Linear(d, classes))]


def images(n=7, channels=2, seed=1):
    """Return random images, some of them much larger than others."""
    rng = numpy.random.default_rng(seed)
    return rng.standard_normal((n, 3, 2, channels)) * numpy.resize([1.0, 5.0, 0.3], (n, 1, 1, 1))


def labels(n=7, classes=3, seed=2):
    """Return random labels."""
    return numpy.random.default_rng(seed).integers(0, classes, n)


def state(trunk, head):
    """Return the arrays of both."""
    found = {f"trunk, {name}": array for name, array in trunk.state_dict().items()}
    return {**found, **{f"head, {name}": array for name, array in head.state_dict().items()}}


def trained(kind="linear", *, part=None, n=7, batch=7, epochs=1, lr=0.1, scale=3.0, classes=3, ready=None, dtype="float64", **sizes):  # fmt: skip
    """Experiment: the losses, and both nets after the training. part  how the names of those begin that count: one or more"""

    def run(train):
        trunk, head = nets(kind, classes=classes, dtype=dtype, **sizes)
        if ready:
            ready(trunk, head)
        x = images(n, sizes.get("channels", 2)).astype(dtype)
        options = dict(epochs=epochs, batch=batch, lr=lr, scale=scale)
        losses = train(trunk, head, x, labels(n, classes), **options)
        found = {"the mean losses": [float(loss) for loss in losses], **state(trunk, head)}
        return {name: value for name, value in found.items() if name.startswith(part or "")}

    return run


def test_the_loss_of_a_step():
    check.experiment(
        trained(part="the mean", lr=1e-12), train, "one step on seven images: the loss"
    )
    check.experiment(
        trained(part="the mean", lr=1e-12, scale=1.0), train, "one step, scale 1: the loss"
    )
    check.experiment(
        trained(part="the mean", lr=1e-12, scale=0.35), train, "one step, scale 0.35: the loss"
    )
    check.experiment(trained(part="the mean", lr=1e-12, scale=20.0, n=1), train, "one step on one image, scale 20: the loss")  # fmt: skip


def test_the_head_after_a_step():
    both = "the mean", "head"
    check.experiment(trained("gain", part=both, channels=3, d=3), train, "a trunk that doesn't change directions, one step: the loss and the head")  # fmt: skip
    check.experiment(trained("gain", part=both, d=2, n=8, epochs=3, batch=4), train, "a trunk that doesn't change directions, three epochs of two steps: the loss and the head")  # fmt: skip


def test_the_trunk_after_a_step():
    check.experiment(trained(part="trunk"), train, "one step on seven images: the trunk")
    check.experiment(trained(part="trunk", n=1, d=2, classes=2), train, "one step on one image, two features: the trunk")  # fmt: skip
    check.experiment(trained("flat", part="trunk", scale=10.0), train, "one step, scale 10: the trunk")  # fmt: skip


def test_the_gradient_has_nothing_along_f():
    def run(train):
        trunk, head = nets("flat", d=3)
        before = trunk.state_dict()
        x = images(1)
        flat = x.reshape(-1)
        f = flat @ before["1.weight"] + before["1.bias"]
        train(trunk, head, x, labels(1), epochs=1, batch=1, lr=0.1, scale=3.0)
        after = trunk.state_dict()
        moved = flat @ (after["1.weight"] - before["1.weight"]) + after["1.bias"] - before["1.bias"]  # fmt: skip
        return {
            "f moves along itself by": round(abs(float(moved @ f)) / float(f @ f), 6),
            "f moves": round(float(numpy.sqrt(moved @ moved)), 6),
        }

    check.experiment(run, train, "one step on one image")


def test_short_features():
    def run(train):
        trunk, head = nets()
        for parameter in trunk.parameters():
            parameter.data *= 0.02
        before = state(trunk, head)
        losses = train(trunk, head, images(), labels(), epochs=1, batch=7, lr=1e-4, scale=3.0)
        moved = {name: 1e4 * (array - before[name]) for name, array in state(trunk, head).items()}
        return {"the mean losses": [float(loss) for loss in losses], **moved}

    Check("15f", tolerance=1e-4).experiment(run, train, "features of a length of about 0.02: by how much the parameters move, divided by lr")  # fmt: skip


def test_batch_norm_in_the_trunk():
    check.experiment(trained("normed"), train, "a trunk with batch norm, one step")
    check.experiment(trained("normed", n=8, batch=4, epochs=2), train, "a trunk with batch norm, two epochs of two steps")  # fmt: skip


def test_steps_and_epochs():
    check.experiment(trained(n=6, batch=3), train, "one epoch of two steps")
    check.experiment(trained(epochs=3), train, "three epochs of one step")
    check.experiment(trained("flat", epochs=3, n=8, batch=2), train, "three epochs of four steps")


def test_a_small_last_batch():
    check.experiment(trained(batch=5, epochs=2), train, "batches of 5 and 2 images, two epochs")
    check.experiment(trained("normed", n=4, batch=3), train, "batches of 3 images and 1")


def test_sizes_of_all_kinds():
    check.experiment(trained("normed", d=5, channels=1, classes=2), train, "one channel, five features, two classes")  # fmt: skip
    check.experiment(trained(d=3, n=3, batch=3, channels=3), train, "sizes of 3 everywhere")
    check.experiment(trained(d=1, n=4, batch=100), train, "one feature, a batch size above the number of images")  # fmt: skip
    check.experiment(trained(n=3, batch=1), train, "batches of one image")


def test_both_train_in_training_mode():
    check.experiment(trained("normed", ready=lambda trunk, head: trunk.eval()), train, "a trunk that comes in evaluation mode")  # fmt: skip


def test_a_head_of_several_layers():
    def run(train):
        trunk, _ = nets()
        with init.kept_generator():
            init.manual_seed(9)
            layers = Linear(4, 5), ReLU(), BatchNorm(5), Linear(5, 3)
            head = Sequential(*layers).astype("float64").eval()
        x, its = images(12), labels(12)
        losses = train(trunk, head, x, its, epochs=2, batch=6, lr=0.1, scale=4.0)
        return {"the mean losses": [float(loss) for loss in losses], **state(trunk, head)}

    check.experiment(run, train, "a head with batch norm that comes in evaluation mode")


def test_float32():
    Check("15f", tolerance=1e-4).experiment(trained(epochs=2, batch=4, dtype="float32"), train, "nets and images in float32")  # fmt: skip


def test_what_it_returns():
    def run(train):
        losses = train(*nets(), images(), labels(), epochs=2, batch=4, lr=0.1, scale=2.0)
        kinds = {"float" if isinstance(loss, float) else type(loss).__name__ for loss in losses}
        return {"its type": type(losses).__name__, "its length": len(losses), "of": sorted(kinds)}

    check.experiment(run, train, "the type of what is returned for two epochs")


def test_x_and_labels_stay():
    def run(train):
        given = images(), labels()
        train(*nets(), *given, epochs=2, batch=4, lr=0.1, scale=2.0)
        return dict(zip(("x", "labels"), given))

    check.experiment(run, train, "what was given, afterwards")


def test_images_with_gaps_in_memory():
    def run(train):
        x, its = numpy.repeat(images(), 2, axis=2)[:, :, ::2], labels().astype("uint8").repeat(2)
        trunk, head = nets("normed")
        losses = train(trunk, head, x, its[::2], epochs=2, batch=4, lr=0.1, scale=2.0)
        return {"the mean losses": [float(loss) for loss in losses], **state(trunk, head)}

    check.experiment(run, train, "images and labels of one byte, both with gaps in memory")


def test_two_pairs_take_turns():
    def run(train):
        pairs, found = [nets(), nets(seed=5)], {}
        for turn, pair in enumerate((pairs[0], pairs[1], pairs[0])):
            given = images(seed=turn), labels()
            losses = train(*pair, *given, epochs=1, batch=4, lr=0.1, scale=1.0 + turn)
            found[f"training run {turn}"] = [float(loss) for loss in losses]
        return {**found, **state(*pairs[0])}

    check.experiment(run, train, "two pairs of nets, one of which is trained twice")
