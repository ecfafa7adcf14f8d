"""Claims about gradient_norms: one norm per map, from the first layer to the last, and nothing left behind."""

import math

import numpy
from e09c_gradient_norms import gradient_norms

from minires import functional as F
from minires.backend import to_device
from minires.course import Check
from minires.nn import BatchNorm, Conv2d, Flatten, Identity, Linear, Module, Parameter, ReLU
from minires.tensor import Tensor

check, check_float32 = Check("09c"), Check("09c", tolerance=1e-4)


class Scaled(Module):
    """Multiply by a number, which may be no parameter."""

    def __init__(self, by, learned=True):
        self.by, self.calls = Parameter(numpy.full((1,), float(by))) if learned else by, 0

    def forward(self, x):
        self.calls += 1
        return x * self.by


class Skip(Module):
    """x + Linear(x): a map that is used twice."""

    def __init__(self, size, rng):
        self.inner = Linear(size, size, rng=rng)

    def forward(self, x):
        return x + self.inner(x)


class Cut(Module):
    """A row of its own, whatever comes in: no gradient passes."""

    def __init__(self, size):
        self.row = Parameter(numpy.ones(size))

    def forward(self, x):
        return x.detach() * 0 + self.row


def values(*shape, seed=4, dtype="float64"):
    return to_device(numpy.random.default_rng(seed).standard_normal(shape).astype(dtype))


def mlp(dtype="float64"):
    """Return the layers of a small net, of different sizes."""
    rng = numpy.random.default_rng(2)
    layers = [
        Linear(5, 7, rng=rng),
        ReLU(),
        Linear(7, 4, rng=rng),
        Skip(4, rng),
        Linear(4, 3, rng=rng),
    ]
    return [layer.astype(dtype) for layer in layers]


LABELS = numpy.array([0, 2, 1, 1, 0, 2])


def entropy(logits):
    return F.cross_entropy(logits, LABELS)


def told(found):
    """Return the list as numbers by layer, and what it is made of."""
    return {
        "what it is": type(found).__name__,
        "the norms": [float(norm) for norm in found],
        "all of them are Python floats": all(type(norm) is float for norm in found),
    }


def test_numbers_by_hand():
    # loss = 3 * 2 * (x1 + x2): the first map's gradient is (3, 3), the second one's is (1, 1).
    def run(gradient_norms):
        x = Tensor(numpy.array([[0.5, -2.0]]))
        first, second = gradient_norms([Scaled(2), Scaled(3)], x, lambda y: y.sum())
        return {"the first, sqrt(18)": float(first), "the second, sqrt(2)": float(second)}

    found = check.call(gradient_norms, [Scaled(2), Scaled(3)], Tensor(numpy.array([[0.5, -2.0]])), lambda y: y.sum())  # fmt: skip
    check.experiment(run, gradient_norms, "x (1, 2), times 2, times 3, the loss is the sum")
    right = [math.isclose(got, want) for got, want in zip(found, (18**0.5, 2**0.5))]
    check.true(all(right), f"expected the square roots of 18 and of 2, got {found}")


def test_one_norm_per_layer_from_the_first_to_the_last():
    def run(gradient_norms):
        return told(gradient_norms(mlp(), Tensor(values(6, 5)), entropy))

    check.experiment(run, gradient_norms, "five layers of an MLP with a cross entropy")


def test_maps_may_be_images():
    def run(gradient_norms, training=True):
        rng = numpy.random.default_rng(3)
        layers = [Conv2d(2, 3, 3, padding=1, rng=rng), BatchNorm(3), ReLU(), Conv2d(3, 2, 3, stride=2, rng=rng), Flatten(),
                  Linear(8, 3, rng=rng)]  # fmt: skip
        layers = [layer.astype("float64").train(training) for layer in layers]
        return told(gradient_norms(layers, Tensor(values(6, 5, 6, 2)), entropy))

    def evaluated(gradient_norms):
        return run(gradient_norms, training=False)

    check.experiment(run, gradient_norms, "a net of two convolutions on images (6, 5, 6, 2)")
    check.experiment(evaluated, gradient_norms, "the same in evaluation mode")


def test_a_sum_of_squares_may_be_small():
    def run(gradient_norms):
        layers = [Scaled(1.0), *(Scaled(1e-10) for _ in range(3)), ReLU()]
        layers = [layer.astype("float32") for layer in layers]
        x = Tensor(values(4, 3, dtype="float32") ** 2)
        found = gradient_norms(layers, x, lambda y: y.sum())
        return {f"the logarithm of norm {i}": math.log(norm) if norm > 0 else -math.inf for i, norm in enumerate(found)}  # fmt: skip

    check_float32.experiment(run, gradient_norms, "a float32 net whose gradient falls to 1e-30")


def test_a_float32_net_is_measured_too():
    def run(gradient_norms):
        x = Tensor(values(6, 5, dtype="float32"))
        return told(gradient_norms(mlp("float32"), x, entropy))

    check_float32.experiment(run, gradient_norms, "an MLP in float32")


def test_a_map_that_the_loss_does_not_depend_on_has_0():
    def run(gradient_norms):
        rng = numpy.random.default_rng(2)
        layers = [Linear(5, 4, rng=rng).astype("float64"), Cut(4), Scaled(2)]
        return told(gradient_norms(layers, Tensor(values(6, 5)), lambda y: (y * y).sum()))

    check.experiment(run, gradient_norms, "a net whose second layer lets no gradient pass")


def test_layers_need_no_parameters():
    def run(gradient_norms):
        layers = [Scaled(2.0, learned=False), ReLU(), Identity(), Scaled(0.5, learned=False)]
        return told(gradient_norms(layers, Tensor(values(4, 3)), lambda y: (y * y).sum()))

    check.experiment(run, gradient_norms, "four layers without parameters")


def test_a_layer_may_occur_twice():
    def run(gradient_norms):
        layer, skip = Scaled(2), Skip(3, numpy.random.default_rng(1)).astype("float64")
        x = Tensor(values(4, 3))
        return told(gradient_norms([layer, skip, layer, skip], x, lambda y: (y * y).sum()))

    check.experiment(run, gradient_norms, "two layers, each of them twice in the list")


def test_no_layer_runs_twice():
    layers = [Scaled(2), Scaled(3), Scaled(4)]
    check.call(gradient_norms, layers, Tensor(values(4, 3)), lambda y: y.sum())
    calls = [layer.calls for layer in layers]
    check.true(max(calls) <= 1, f"three layers were called {calls} times: run each of them once")


def test_one_layer_is_a_net_too():
    def run(gradient_norms):
        rng = numpy.random.default_rng(2)
        alone = gradient_norms([Linear(3, 3, rng=rng).astype("float64")], Tensor(values(3, 3)), lambda y: (y * y).sum())  # fmt: skip
        one = gradient_norms([Scaled(-2)], Tensor(values(1, 1)), lambda y: y * y * y)
        return {"a linear layer": told(alone), "one number, and a loss of shape (1, 1)": told(one)}

    check.experiment(run, gradient_norms, "nets of one layer")


def test_gradients_of_the_parameters_stay_as_they_were():
    def run(gradient_norms):
        layers, x = mlp(), Tensor(values(6, 5))
        parameters = [one for layer in layers for one in layer.parameters()]
        for i, parameter in enumerate(parameters):
            parameter.grad = None if i % 2 else parameter.data * 0 + i
        before = [parameter.grad for parameter in parameters]
        parameters[2].requires_grad = False
        gradient_norms([*layers[:4], layers[3], layers[4]], x, entropy)
        return {
            "the sums of the gradients": [
                "None" if parameter.grad is None else f"{float(parameter.grad.sum()):.5g}"
                for parameter in parameters
            ],
            "the sums of the arrays that were there": [
                "None" if grad is None else f"{float(grad.sum()):.5g}" for grad in before
            ],
            "they are where they were": [
                parameter.grad is grad for parameter, grad in zip(parameters, before)
            ],
            "parameters that require a gradient": [one.requires_grad for one in parameters],
            "x has a gradient": x.grad is not None,
        }

    check.experiment(
        run,
        gradient_norms,
        "the gradients of the parameters, some of which are None, in a net where one layer occurs twice",
    )


def test_a_second_call_returns_the_same():
    def run(gradient_norms):
        layers, other, x = mlp(), [Scaled(2), Scaled(5)], Tensor(values(6, 5))
        first = gradient_norms(layers, x, entropy)
        gradient_norms(other, Tensor(values(2, 2)), lambda y: (y * y).sum())
        kept = [float(norm) for norm in first]
        second = gradient_norms(layers, x, entropy)
        return {"the first call": kept, "its list afterwards": [float(norm) for norm in first], "the same call later": [float(norm) for norm in second],
                "is it the same list": second is first}  # fmt: skip

    check.experiment(
        run, gradient_norms, "two calls on the same net, with a different net between them"
    )


def test_weights_and_x_stay_unchanged():
    def run(gradient_norms):
        layers, x = mlp(), Tensor(values(6, 5))
        kept = [one.data.copy() for layer in layers for one in layer.parameters()]
        image = x.data.copy()
        gradient_norms(layers, x, entropy)
        now = [one.data for layer in layers for one in layer.parameters()]
        return {
            "a weight has changed": any((a != b).any() for a, b in zip(kept, now)),
            "x has changed": bool((image != x.data).any()),
            "x requires a gradient": x.requires_grad,
            "the number of layers": len(layers),
        }

    check.experiment(run, gradient_norms, "the weights, x and the list before and after")
