"""Claims about train_epoch: a step for each batch, and the Score over all of them."""

import numpy
from e08c_train_epoch import train_epoch

from minires import nn, optim
from minires.course import Check
from minires.nn import init
from minires.tensor import Tensor
from minires.train import Meter

check = Check("08c")


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
        epoch("the modes", "1.running_mean", "1.running_var", train=False),
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


def test_a_meter_that_is_given_keeps_counting():
    def run(train_epoch):
        net, meter = model(), Meter()
        meter.update(
            Tensor(2.0), Tensor(numpy.eye(4)), numpy.array([0, 1, 3, 3])
        )  # an earlier batch: three of four correct
        returned = train_epoch(net, batches(5, 2), optim.SGD(net.parameters(), lr=0.1), meter=meter)
        return {"what is returned": returned, "the Score of the meter afterwards": meter.score()}

    check.experiment(
        run, train_epoch, "batches of 5 and 2 images, with a meter that has seen 4 images"
    )


def test_label_smoothing_reaches_the_loss():
    check.experiment(
        epoch("what is returned", "3.bias", label_smoothing=0.25),
        train_epoch,
        f"{ABOUT}, with label smoothing",
    )
