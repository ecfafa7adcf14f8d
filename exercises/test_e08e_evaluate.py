"""Claims about evaluate: the mean loss and accuracy over all images, with the model left unchanged."""

from contextvars import copy_context

import numpy
from e08e_evaluate import evaluate

from minires import nn
from minires.course import Check
from minires.functional import cross_entropy
from minires.nn import init
from minires.tensor import Tensor, grad_enabled, no_grad

check = Check("08e")


class Seen(nn.Module):
    """x. It records the mode it ran in, and whether a graph was built."""

    def __init__(self):
        self.modes, self.modes_above, self.modes_between, self.graphs = [], [], [], []

    def forward(self, x):
        self.modes.append(self.training)
        self.graphs.append(grad_enabled())
        return x


class Net(nn.Sequential):
    """A network that records its own mode too."""

    def forward(self, x):
        self[1][2].modes_above.append(self.training)
        self[1][2].modes_between.append(self[1].training)
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
        return look(net, evaluate(net, batches(*sizes)))

    return run


def experiment(run, yours, about):
    """check.experiment, in a context of its own: no solution turns graphs off for the claims after it."""

    def apart(evaluate):
        with init.kept_generator():
            init.manual_seed(7)  # for solutions that leave dropout on
            return copy_context().run(run, evaluate)

    check.experiment(apart, yours, about)


def score(net, returned):
    """Return what was returned."""
    return returned


def test_all_modules_are_in_evaluation_mode_during_it():
    def modes(net, _):
        seen = net[1][2]
        return {
            "in training, the model": any(seen.modes_above),
            "in training, its second part": any(seen.modes_between),
            "in training, a layer of this part": any(seen.modes),
        }

    experiment(evaluated(modes), evaluate, "the modes while the batches are processed")


def test_one_batch_has_its_loss_and_accuracy():
    experiment(evaluated(score, sizes=(7,)), evaluate, "one batch of 7 images")


def test_a_smaller_last_batch_counts_for_less():
    experiment(evaluated(score), evaluate, "batches of 4, 4 and 2 images")
    experiment(evaluated(score, sizes=(5, 2, 4)), evaluate, "batches of 5, 2 and 4 images")


def test_on_a_tie_the_first_class_is_predicted():
    def same_logits(net):
        net[2].weight.data[...], net[2].bias.data[...] = 0.0, 0.0

    experiment(evaluated(score, prepare=same_logits), evaluate, "a model whose logits are all 0")


def test_batches_may_come_from_a_generator():
    def run(evaluate):
        return evaluate(model().eval(), (pair for pair in batches(4, 3)))

    experiment(run, evaluate, "batches one by one")


def test_weights_and_running_statistics_stay_unchanged():
    experiment(
        evaluated(lambda net, _: net.state_dict()),
        evaluate,
        "weights and running statistics afterwards",
    )


def test_no_graph_is_built():
    experiment(
        evaluated(lambda net, _: any(net[1][2].graphs)), evaluate, "whether graphs are turned on"
    )


def test_afterwards_graphs_are_built_again():
    def run(evaluate):
        net, seen = model(), batches(4, 2)
        evaluate(net, seen)
        found = {"graphs are built after the first call": grad_enabled()}
        evaluate(net, seen)
        found["after the second call"] = grad_enabled()
        with no_grad():
            evaluate(net, seen)
            found["within no_grad(), after a call"] = grad_enabled()
        loss = cross_entropy(net.eval()(Tensor(seen[0][0])), seen[0][1])
        found["the loss has a graph"] = loss.requires_grad
        for name, parameter in net.named_parameters():
            found[f"{name} requires a gradient"] = parameter.requires_grad
        return found

    experiment(run, evaluate, "two calls, one more within no_grad(), and then a loss of the model")


def test_two_models_take_turns():
    def run(evaluate):
        net, other = model(), model()
        for parameter in other.parameters():
            parameter.data *= -2
        found = {"of the first": evaluate(net, batches(4, 2))}
        found["of the second"] = evaluate(other, batches(4, 2))
        net[2].bias.data[...] = [5, 0, 0, 0]
        found["of the first, with a different bias"] = evaluate(net, batches(4, 2))
        found["the gradients stay"] = [parameter.grad is None for parameter in net.parameters()]
        return found

    experiment(run, evaluate, "two models on the same batches, one of which then changes")


def test_gradients_stay_unchanged():
    def run(evaluate):
        net = model()
        for parameter in net.parameters():
            parameter.grad = numpy.ones(parameter.shape)
        evaluate(net, batches(4, 2))
        return {name: parameter.grad for name, parameter in net.named_parameters()}

    experiment(run, evaluate, "a model with gradients, which are still there afterwards")


def test_batches_may_be_of_one_image_or_parts_of_larger_arrays():
    experiment(evaluated(score, sizes=(1, 3, 1)), evaluate, "batches of 1, 3 and 1 images")

    def run(evaluate):
        rng = numpy.random.default_rng(10)
        x, labels = rng.standard_normal((6, 20)), rng.integers(0, 4, 40).astype(numpy.uint8)
        seen = [(x[::2, i : i + 5].T, labels[i : i + 10 : 2][::-1]) for i in (0, 8, 15)]
        return {"what is returned": evaluate(model(), seen), "x": x, "labels": labels}

    experiment(run, evaluate, "batches that are transposed, with every second label of an array")


def test_all_or_none_may_be_right():
    def run(evaluate):
        net = model().eval()
        x = batches(6)[0][0]
        guesses = net(Tensor(x)).data.argmax(axis=1)
        return {
            "all right": evaluate(net, [(x[:4], guesses[:4]), (x[4:], guesses[4:])])[1],
            "all wrong": evaluate(net, [(x[:4], (guesses[:4] + 1) % 4), (x[4:], (guesses[4:] + 2) % 4)])[1],
            "in the first batch": evaluate(net, [(x[:4], guesses[:4]), (x[4:], (guesses[4:] + 1) % 4)])[1],
        }  # fmt: skip

    experiment(
        run, evaluate, "the accuracy on labels that are all right, all wrong, or right in one batch"
    )


def test_each_module_is_left_in_its_own_mode():
    def modes(net, _):
        return [module.training for _, module in net.modules()]

    experiment(evaluated(modes), evaluate, "the modes afterwards, of a model in training")
    experiment(
        evaluated(modes, prepare=lambda net: net.eval()),
        evaluate,
        "the modes afterwards, of a model in eval()",
    )
    experiment(
        evaluated(modes, prepare=lambda net: net[1].eval()),
        evaluate,
        "the modes afterwards, of a model with a part in eval()",
    )
    experiment(
        evaluated(modes, prepare=lambda net: net.eval()[1].train()),
        evaluate,
        "the modes afterwards, of a model in eval() with a part in training",
    )
    experiment(
        evaluated(modes, prepare=lambda net: setattr(net, "training", False)),
        evaluate,
        "the modes afterwards, of a model whose parts are in training, and it is not",
    )
