"""Claims about evaluate: the mean loss and accuracy over all images, with the model left unchanged."""

import numpy
from e08e_evaluate import evaluate

from minires import nn
from minires.course import Check
from minires.nn import init
from minires.tensor import grad_enabled

check = Check("08e")


class Seen(nn.Module):
    """x. It records the mode it ran in, and whether a graph was built."""

    def __init__(self):
        self.modes, self.modes_above, self.graphs = [], [], []

    def forward(self, x):
        self.modes.append(self.training)
        self.graphs.append(grad_enabled())
        return x


class Net(nn.Sequential):
    """A network that records its own mode too."""

    def forward(self, x):
        self[1][2].modes_above.append(self.training)
        return super().forward(x)


def model():
    """Return a network with nested batch norm and dropout, always the same, in float64."""
    with init.kept_generator():
        init.manual_seed(6)
        inner = nn.Sequential(nn.BatchNorm(5), nn.Dropout(0.5), Seen())
        net = Net(nn.Linear(3, 5), inner, nn.Linear(5, 4)).astype("float64")
        inner[0].running_mean[...], inner[0].running_var[...] = 0.5, 2.0
        return net


def batches(*sizes):
    """Return batches of these sizes: images of 3 numbers, in 4 classes."""
    rng = numpy.random.default_rng(1)
    return [(rng.standard_normal((n, 3)) * 2, rng.integers(0, 4, n)) for n in sizes]


def evaluated(look, sizes=(4, 4, 2), prepare=lambda net: net):
    """Experiment: evaluate, and look(model, what was returned)."""

    def run(evaluate):
        net = model()
        prepare(net)
        with init.kept_generator():
            init.manual_seed(7)  # for solutions that leave dropout on
            return look(net, evaluate(net, batches(*sizes)))

    return run


def score(net, returned):
    """Return what was returned."""
    return returned


def test_all_modules_are_in_evaluation_mode_during_it():
    def modes(net, _):
        seen = net[1][2]
        return {
            "in training, the model": any(seen.modes_above),
            "in training, a nested layer": any(seen.modes),
        }

    check.experiment(evaluated(modes), evaluate, "the modes while the batches are processed")


def test_one_batch_has_its_loss_and_accuracy():
    check.experiment(evaluated(score, sizes=(7,)), evaluate, "one batch of 7 images")


def test_a_smaller_last_batch_counts_for_less():
    check.experiment(evaluated(score), evaluate, "batches of 4, 4 and 2 images")
    check.experiment(evaluated(score, sizes=(5, 2, 4)), evaluate, "batches of 5, 2 and 4 images")


def test_batches_may_come_from_a_generator():
    def run(evaluate):
        with init.kept_generator():
            init.manual_seed(7)  # for solutions that turn dropout on
            return evaluate(model().eval(), (pair for pair in batches(4, 3)))

    check.experiment(run, evaluate, "batches one by one")


def test_weights_and_running_statistics_stay_unchanged():
    check.experiment(
        evaluated(lambda net, _: net.state_dict()),
        evaluate,
        "weights and running statistics afterwards",
    )


def test_no_graph_is_built():
    check.experiment(
        evaluated(lambda net, _: any(net[1][2].graphs)), evaluate, "whether a graph is built"
    )


def test_each_module_is_left_in_its_own_mode():
    def modes(net, _):
        return [module.training for _, module in net.modules()]

    check.experiment(evaluated(modes), evaluate, "the modes afterwards, of a model in training")
    check.experiment(
        evaluated(modes, prepare=lambda net: net.eval()),
        evaluate,
        "the modes afterwards, of a model in eval()",
    )
    check.experiment(
        evaluated(modes, prepare=lambda net: net[1].eval()),
        evaluate,
        "the modes afterwards, of a model with a part in eval()",
    )
