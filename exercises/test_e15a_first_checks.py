"""Claims about first_checks: five findings, and a model that is afterwards as it was."""

import math

import numpy
from e15a_first_checks import first_checks

from minires import functional as F
from minires import nn
from minires.backend import to_device
from minires.course import Check

check, check_float32 = Check("15a", tolerance=1e-8), Check("15a", tolerance=2e-3)
CLASSES, MODES = 4, "two batch norms, in evaluation mode, with running statistics of their own"


def values(*shape, seed=4, dtype="float64"):
    rng = numpy.random.default_rng(seed)
    return to_device((1.5 * rng.standard_normal(shape) + 0.5).astype(dtype))


def some_labels(n=6, classes=CLASSES):
    """Return labels of the first classes; the last ones don't occur."""
    return to_device(numpy.arange(n) * 2 % max(classes - 1, 1))


def used(model, seed=0):
    """Return the model in float64 and evaluation mode; its batch norms look as if they had been trained."""
    rng = numpy.random.default_rng(seed)
    for _, module in model.modules():
        if hasattr(module, "running_var"):
            n = len(module.running_var)
            module.weight.data[...] = to_device(rng.uniform(0.5, 1.5, n))
            module.bias.data[...] = to_device(rng.standard_normal(n) / 2)
            module.running_mean[...] = to_device(rng.standard_normal(n))
            module.running_var[...] = to_device(rng.uniform(0.5, 3, n))
    return model.astype("float64").eval()


def mlp(classes=CLASSES, seed=2):
    rng = numpy.random.default_rng(seed)
    return used(nn.Sequential(nn.Linear(5, 7, rng=rng), nn.BatchNorm(7), nn.ReLU(), nn.Linear(7, 3, rng=rng), nn.BatchNorm(3),
                              nn.Linear(3, classes, rng=rng)))  # fmt: skip


def conv_net(seed=3):
    rng = numpy.random.default_rng(seed)
    return used(nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, rng=rng), nn.BatchNorm(3), nn.ReLU(), nn.GlobalAvgPool(), nn.BatchNorm(3),
                              nn.Linear(3, CLASSES, rng=rng)))  # fmt: skip


class Broken(nn.Module):
    """Layers of all kinds: one that nobody reads, one behind a cut, one that is multiplied by 0, and one that is frozen."""

    def __init__(self):
        rng = numpy.random.default_rng(7)
        self.first = nn.Linear(5, 4, rng=rng)
        self.unused = nn.Linear(2, 2, rng=rng)
        self.silenced = nn.Linear(4, 4, rng=rng)
        self.gain = nn.Parameter(numpy.zeros(4))
        self.partly = nn.Parameter(numpy.ones((2, 4)))
        self.still = nn.Linear(4, 4, rng=rng).freeze()
        self.last = nn.Linear(4, CLASSES, rng=rng)

    def forward(self, x):
        y = F.relu(self.first(x)).detach()
        y = self.still(y + self.gain * self.silenced(y))
        return self.last(y * self.partly[:1])


class Cut(nn.Module):
    """A model that no gradient reaches."""

    def __init__(self):
        self.only = nn.Linear(5, CLASSES, rng=numpy.random.default_rng(8))

    def forward(self, x):
        return self.only(x).detach()


class Flat(nn.Module):
    """A model whose gradients are there, and 0."""

    def __init__(self):
        self.only = nn.Linear(5, CLASSES, rng=numpy.random.default_rng(8))

    def forward(self, x):
        return self.only(x) * 0


def part(found, *keys):
    """Return what the dict has under some keys, by key."""
    if not isinstance(found, dict):
        return {"what it is": type(found).__name__}
    return {f"[{key!r}]": found.get(key, "missing") for key in keys}


def with_gradients(model):
    """Return the model with gradients from before: arrays for some of its parameters, None for others."""
    for i, one in enumerate(model.parameters()):
        one.grad = None if i % 3 == 2 else one.data * 0 + (i + 1) / 4
    return model


def test_inputs_are_mean_and_standard_deviation():
    def run(checks):
        return {
            "a batch of rows": part(checks(mlp(), values(6, 5), some_labels()), "inputs"),
            "a batch of images": part(checks(conv_net(), values(3, 5, 4, 2), some_labels(3)), "inputs"),
        }  # fmt: skip

    check.experiment(run, first_checks, "the inputs of two models")


def test_chance_counts_the_classes():
    def run(checks):
        return {f"{k} classes, {n} images": part(checks(mlp(k), values(n, 5), some_labels(n, k)), "chance")
                for k, n in ((4, 6), (2, 5), (10, 3), (7, 7))}  # fmt: skip

    check.experiment(run, first_checks, "models with 2 to 10 classes; the last one doesn't occur among the labels")  # fmt: skip


def test_the_loss_is_that_of_training_mode():
    def run(checks):
        half = mlp()
        half.train().children()[1][1].eval()
        frozen = mlp()
        frozen.children()[1][1].freeze()
        return {
            "the first batch norm in evaluation mode, the second in training mode": part(checks(half, values(6, 5), some_labels()), "loss"),
            MODES: part(checks(mlp(), values(6, 5), some_labels()), "loss"),
            "training mode": part(checks(mlp().train(), values(6, 5), some_labels()), "loss"),
            "the first batch norm frozen": part(checks(frozen, values(6, 5), some_labels()), "loss"),
            "a convolutional network in evaluation mode": part(checks(conv_net(), values(3, 5, 4, 2), some_labels(3)), "loss"),
        }  # fmt: skip

    check.experiment(run, first_checks, "the losses of models in different modes")


def test_silent_parameters_have_none_or_zeros():
    def run(checks):
        x, labels = values(6, 5), some_labels()
        return {
            "a model with layers that don't learn": part(checks(Broken().astype("float64"), x, labels), "silent"),
            "the same with gradients from before": part(checks(with_gradients(Broken().astype("float64")), x, labels), "silent"),
            "a model that is cut off": part(checks(with_gradients(Cut().astype("float64")), x, labels), "silent"),
            "a model whose result is multiplied by 0": part(checks(Flat().astype("float64"), x, labels), "silent"),
            "a model without a fault": part(checks(with_gradients(mlp()), x, labels), "silent"),
        }  # fmt: skip

    check.experiment(run, first_checks, "the names of parameters that have no gradient")


def test_fall_compares_the_step_with_its_prediction():
    def run(checks):
        return {
            "an MLP": part(checks(mlp(), values(6, 5), some_labels()), "fall"),
            "with gradients from before": part(checks(with_gradients(mlp()), values(6, 5), some_labels()), "fall"),
            "two classes, in training mode": part(checks(mlp(2).train(), values(4, 5), some_labels(4, 2)), "fall"),
            "a convolutional network": part(checks(conv_net(), values(3, 5, 4, 2), some_labels(3)), "fall"),
            "a model with layers that don't learn": part(checks(Broken().astype("float64"), values(6, 5), some_labels()), "fall"),
            "the same with gradients from before": part(checks(with_gradients(Broken().astype("float64")), values(6, 5), some_labels()), "fall"),
        }  # fmt: skip

    check.experiment(run, first_checks, "small steps of models of all kinds")


def test_fall_is_0_without_a_gradient():
    def run(checks):
        x, labels = values(6, 5), some_labels()
        return {
            "cut off": part(checks(Cut().astype("float64"), x, labels), "fall"),
            "cut off, with gradients from before": part(checks(with_gradients(Cut().astype("float64")), x, labels), "fall"),
            "everything is frozen": part(checks(mlp().freeze(), x, labels), "fall"),
            "all gradients are 0": part(checks(Flat().astype("float64"), x, labels), "fall"),
        }  # fmt: skip

    check.experiment(run, first_checks, "models that no gradient reaches")


def test_the_dict_has_five_keys_and_python_floats():
    def run(checks):
        found = checks(mlp(), values(6, 5), some_labels())
        if not isinstance(found, dict):
            return {"what it is": type(found).__name__}
        inputs, silent = found.get("inputs", ()), checks(Broken().astype("float64"), values(6, 5), some_labels()).get("silent") or ()  # fmt: skip
        return {
            "the keys": sorted(map(str, found)),
            "inputs": type(inputs).__name__,
            "its numbers": [type(one).__name__ for one in inputs],
            "the others": [type(found.get(key)).__name__ for key in ("loss", "chance", "silent", "fall")],
            "the names": sorted({type(name).__name__ for name in silent}),
        }  # fmt: skip

    check.experiment(run, first_checks, "types")


def left(model, x, labels, checks):
    """Return what differs after the check, as booleans by kind."""
    modes = [module.training for _, module in model.modules()]
    flags = [one.requires_grad for one in model.parameters()]
    weights = [one.data.copy() for one in model.parameters()]
    buffers = [array.copy() for _, array in model.named_buffers()]
    grads = [None if one.grad is None else one.grad.copy() for one in model.parameters()]
    kept, names = (x.copy(), labels.copy()), [name for name, _ in model.named_parameters()]
    checks(model, x, labels)
    now = [one.grad for one in model.parameters()]
    return {
        "modes": modes == [module.training for _, module in model.modules()],
        "which parameters require a gradient": flags == [one.requires_grad for one in model.parameters()],
        "parameters": all((one.data == was).all() for one, was in zip(model.parameters(), weights)),
        "running statistics": all((array == was).all() for (_, array), was in zip(model.named_buffers(), buffers)),
        "gradients that were None": [one is None for one in now] == [one is None for one in grads],
        "gradients that were there": all(
            one is not None and (one == was).all() for one, was in zip(now, grads) if was is not None
        ),
        "x and labels": bool((x == kept[0]).all() and (labels == kept[1]).all()),
        "names": names == [name for name, _ in model.named_parameters()],
    }  # fmt: skip


def test_the_model_is_as_it_was():
    def run(checks):
        half = with_gradients(conv_net())
        half.train().children()[1][1].eval()
        partly = mlp()
        partly.children()[0][1].freeze()
        x, labels = values(6, 5), some_labels()
        return {
            "an MLP": left(mlp(), x, labels, checks),
            "an MLP in training mode, with gradients": left(with_gradients(mlp().train()), x, labels, checks),
            "a convolutional network, part of it in evaluation mode": left(half, values(3, 5, 4, 2), some_labels(3), checks),
            "an MLP whose first layer is frozen": left(partly, x, labels, checks),
            "a model that no gradient reaches": left(with_gradients(Cut().astype("float64")), x, labels, checks),
        }  # fmt: skip

    check.experiment(run, first_checks, "what is the same after the check")


def test_as_many_images_as_classes_and_features():
    def run(checks):
        rng = numpy.random.default_rng(5)
        model = used(
            nn.Sequential(nn.Linear(4, 4, rng=rng), nn.BatchNorm(4), nn.Linear(4, 4, rng=rng))
        )
        return part(checks(model, values(4, 4), to_device(numpy.array([3, 0, 1, 2]))), "inputs", "loss", "chance", "silent", "fall")  # fmt: skip

    check.experiment(run, first_checks, "four images, four classes, four features")


def test_a_float32_model():
    def run(checks):
        x = values(3, 5, 4, 2, dtype="float32")
        found = checks(conv_net().astype("float32"), x, some_labels(3))
        return part(found, "inputs", "loss", "chance", "silent", "fall")

    check_float32.experiment(run, first_checks, "a convolutional network in float32")


def test_one_image():
    def run(checks):
        rng = numpy.random.default_rng(6)
        model = nn.Sequential(nn.Linear(5, 4, rng=rng), nn.ReLU(), nn.Linear(4, 3, rng=rng)).astype(
            "float64"
        )
        return part(checks(model, values(1, 5), to_device(numpy.array([2]))), "inputs", "loss", "chance", "silent", "fall")  # fmt: skip

    check.experiment(run, first_checks, "a batch of one image")


def test_calls_do_not_depend_on_each_other():
    def run(checks):
        model, x, labels = mlp(), values(6, 5), some_labels()
        first = checks(model, x, labels)
        checks(Broken().astype("float64"), x, labels)
        again = checks(model, x, labels)
        keys = ("inputs", "loss", "chance", "silent", "fall")
        return {"the first call": part(first, *keys), "the same model later": part(again, *keys), "are they one list": first["silent"] is again["silent"]}  # fmt: skip

    found = check.call(first_checks, mlp(), values(6, 5), some_labels())
    check.experiment(
        run, first_checks, "two calls on one model, and a different model between them"
    )
    check.true(
        math.isclose(found["chance"], math.log(4)), f"expected log 4 = {math.log(4):.4f} as chance"
    )
