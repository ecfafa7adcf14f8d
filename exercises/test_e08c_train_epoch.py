"""Claims about train_epoch: a step for each batch, and the Score over all of them."""

import numpy
from e08c_train_epoch import train_epoch

from minires import nn, optim
from minires.course import Check
from minires.nn import init
from minires.tensor import Tensor
from minires.train import Meter

check = Check("08c")
check_float32 = Check("08c", tolerance=1e-4)


class Watched(optim.SGD):
    """An SGD that records the learning rate of each step."""

    def step(self):
        """A step."""
        super().step()
        self.rates = [*getattr(self, "rates", []), self.lr]


def model():
    """Return a network with batch norm, always the same, in float64."""
    with init.kept_generator():
        init.manual_seed(4)
        return nn.Sequential(nn.Linear(3, 5), nn.BatchNorm(5), nn.ReLU(), nn.Linear(5, 4)).astype(
            "float64"
        )


def batches(*sizes):
    """Return batches of these sizes: images of 3 numbers, in 4 classes."""
    rng = numpy.random.default_rng(9)
    return [(rng.standard_normal((n, 3)), rng.integers(0, 4, n)) for n in sizes]


def epoch(*looked, sizes=(5, 5, 2), train=True, before=None, lr=0.3, **options):
    """Experiment: an epoch, and the outcomes with these names."""

    def run(train_epoch):
        net = model().train(train)
        optimizer = Watched(net.parameters(), lr=lr, momentum=0.5)
        if before:
            before(net)
        returned = train_epoch(net, batches(*sizes), optimizer, **options)
        found = {"what is returned": returned, "the learning rates": getattr(optimizer, "rates", []),
                 "the modes": [module.training for _, module in net.modules()],
                 **{name: array for name, array in net.state_dict().items()}}  # fmt: skip
        return {name: found[name] for name in looked}

    return run


WEIGHTS = ("0.weight", "0.bias", "3.weight", "3.bias")
ABOUT = "an epoch of batches of 5, 5 and 2 images"


def test_each_batch_is_a_step_of_its_own():
    check.experiment(epoch(*WEIGHTS), train_epoch, ABOUT)


def test_old_gradients_are_zeroed_first():
    def old(net):
        for parameter in net.parameters():
            parameter.grad = numpy.ones(parameter.shape)

    check.experiment(
        epoch(*WEIGHTS, sizes=(5,), before=old),
        train_epoch,
        "a batch, with older gradients still there",
    )


def test_the_score_is_that_of_the_images():
    check.experiment(
        epoch("what is returned", sizes=(6,)), train_epoch, "an epoch of one batch of 6 images"
    )
    check.experiment(epoch("what is returned"), train_epoch, ABOUT)


def test_batches_may_come_from_a_generator():
    def run(train_epoch):
        net = model()
        return train_epoch(
            net, (pair for pair in batches(4, 3)), optim.SGD(net.parameters(), lr=0.1)
        )

    check.experiment(run, train_epoch, "batches that can be iterated over only once")


def test_the_model_is_in_training_mode():
    check.experiment(
        epoch("1.running_mean", "1.running_var", "the modes", train=False),
        train_epoch,
        "a model that was in eval()",
    )


def test_the_learning_rate_is_left_to_the_optimizer():
    def falling(step):
        return 0.5 / (1 + step)

    check.experiment(epoch("the learning rates"), train_epoch, "three steps, lr 0.3")
    check.experiment(
        epoch("the learning rates", lr=falling),
        train_epoch,
        "three steps, lr a function of the step",
    )


def test_a_learning_rate_of_0_is_a_step_too():
    def with_pauses(step):
        return [0.0, 0.3, 0.0][step % 3]

    looked = ("the learning rates", "what is returned", "3.bias", "1.running_mean")
    check.experiment(epoch(*looked, lr=lambda step: 0.0), train_epoch, "three steps, lr 0")
    check.experiment(epoch(*looked, lr=with_pauses), train_epoch, "three steps, lr 0, 0.3 and 0")


def test_the_momentum_continues_from_epoch_to_epoch():
    def run(train_epoch):
        net, other = model(), model()
        optimizer, its = (optim.SGD(one.parameters(), lr=0.3, momentum=0.9) for one in (net, other))
        found = {"the first epoch": train_epoch(net, batches(5, 2), optimizer)}
        found["an epoch of a different model"] = train_epoch(other, batches(3), its)
        found["the second epoch"] = train_epoch(net, batches(5, 2), optimizer)
        return {**found, "the last bias afterwards": net.state_dict()["3.bias"]}

    check.experiment(
        run, train_epoch, "two epochs of a model, and one of a different model between them"
    )


def test_parts_that_are_frozen_stay_frozen():
    def run(train_epoch):
        net = model().eval()
        net[0].freeze()
        net[1].freeze()
        optimizer = optim.SGD(net[3].parameters(), lr=0.3)
        returned = train_epoch(net, batches(5, 2), optimizer)
        return {
            "the modes": [module.training for _, module in net.modules()],
            "what is returned": returned,
            **net.state_dict(),
        }

    check.experiment(run, train_epoch, "a model whose first layer and batch norm are frozen")


def test_single_images_make_a_batch_too():
    def run(train_epoch):
        net = nn.Sequential(nn.Linear(3, 4, rng=numpy.random.default_rng(0))).astype("float64")
        returned = train_epoch(net, batches(1, 4, 1), optim.SGD(net.parameters(), lr=0.5))
        return {"what is returned": returned, **net.state_dict()}

    check.experiment(run, train_epoch, "batches of 1, 4 and 1 images, without batch norm")


def test_batches_may_be_parts_of_larger_arrays():
    def run(train_epoch):
        net, rng = model(), numpy.random.default_rng(10)
        x, labels = rng.standard_normal((6, 20)), rng.integers(0, 4, 40).astype(numpy.uint8)
        seen = [(x[::2, i : i + 5].T, labels[i : i + 10 : 2][::-1]) for i in (0, 8, 15)]
        returned = train_epoch(net, seen, optim.SGD(net.parameters(), lr=0.3))
        return {"what is returned": returned, **net.state_dict(), "x": x, "labels": labels}

    check.experiment(
        run, train_epoch, "batches that are transposed, with every second label of an array"
    )


def test_float32_stays_float32():
    def run(train_epoch):
        net = model().astype("float32")
        optimizer = optim.SGD(net.parameters(), lr=0.3, momentum=0.5)
        seen = [(x.astype("float32"), labels) for x, labels in batches(5, 2)]
        returned = train_epoch(net, seen, optimizer)
        return {"the sum of the losses": returned.losses, **net.state_dict()}

    check_float32.experiment(run, train_epoch, "batches of 5 and 2 images in float32")


def test_each_batch_is_seen_once_and_in_order():
    def run(train_epoch):
        net, seen = model(), []

        class Counted(nn.Module):
            def __init__(self):
                self.inner = net

            def forward(self, x):
                seen.append(x.data.copy())
                return self.inner(x)

        train_epoch(Counted(), batches(5, 3, 2), optim.SGD(net.parameters(), lr=0.3))
        return {"how often the model ran": len(seen), "what it saw": seen[:3]}

    check.experiment(run, train_epoch, "batches of 5, 3 and 2 images, and what the model sees")


def test_a_meter_that_is_given_keeps_counting():
    def run(train_epoch):
        net, meter = model(), Meter()
        meter.update(
            Tensor(2.0), Tensor(numpy.eye(4)), numpy.array([0, 1, 3, 3])
        )  # an earlier batch: three of four correct
        returned = train_epoch(net, batches(5, 2), optim.SGD(net.parameters(), lr=0.1), meter=meter)
        return {"the Score of the meter afterwards": meter.score(), "what is returned": returned}

    check.experiment(
        run, train_epoch, "batches of 5 and 2 images, with a meter that has seen 4 images"
    )


def test_label_smoothing_reaches_the_loss():
    check.experiment(
        epoch("what is returned", "3.bias", label_smoothing=0.25),
        train_epoch,
        f"{ABOUT}, with label smoothing",
    )
