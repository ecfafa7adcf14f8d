"""Deep MLPs: each kind against a loop over its layers in NumPy, and what scale does to the variance."""

import numpy
import pytest
from numpy.testing import assert_allclose

from minires import models
from minires.backend import to_device, to_host
from minires.tensor import Tensor

pytestmark = pytest.mark.usefixtures("each_backend")

KINDS = {
    "plain": {},
    "plain + BN": {"norm": True},
    "skip": {"skip": True},
    "scaled skip": {"skip": True, "scale": 0.25},
    "skip + BN": {"skip": True, "norm": True},
}


def made(**options):
    model = models.DeepMLP(
        3, width=5, inputs=4, num_classes=2, rng=numpy.random.default_rng(0), **options
    )
    model = model.astype("float64")
    rng = numpy.random.default_rng(1)
    for name, parameter in model.named_parameters():  # biases and norms that are not 0 and 1
        if "weight" not in name or parameter.ndim == 1:
            parameter.data[...] = to_device(rng.standard_normal(parameter.shape))
    return model


def by_hand(model, x, skip, norm, scale):
    state = model.state_dict()

    def linear(name, x):
        return x @ state[f"{name}.weight"] + state[f"{name}.bias"]

    def normalised(name, x):
        if not norm:
            return x
        x = (x - x.mean(axis=0)) / numpy.sqrt(x.var(axis=0) + 1e-5)
        return x * state[f"{name}.weight"] + state[f"{name}.bias"]

    def relu(x):
        return numpy.where(x > 0, x, 0)

    x = linear("first", x)
    x = x if skip else relu(x)
    for i in range(3):
        if skip:
            x = x + scale * linear(f"layers.{i}", relu(normalised(f"norms.{i}", x)))
        else:
            x = relu(normalised(f"norms.{i}", linear(f"layers.{i}", x)))
    if skip:
        x = relu(normalised("last_norm", x))
    return linear("last", x)


@pytest.mark.parametrize("kind", KINDS)
def test_the_logits_are_those_of_a_loop_over_the_layers(kind):
    options = KINDS[kind]
    model, x = made(**options), numpy.random.default_rng(2).standard_normal((6, 4))
    options = {"skip": False, "norm": False, "scale": 1.0, **options}
    assert_allclose(
        to_host(model(Tensor(to_device(x))).data), by_hand(model, x, **options), rtol=1e-10
    )


def test_there_is_a_map_of_the_first_layer_and_one_of_each_other():
    maps = made(skip=True).maps(Tensor(to_device(numpy.ones((6, 4)))))
    assert [one.shape for one in maps] == [(6, 5)] * 4


def test_without_norm_the_variance_doubles_with_each_skip_and_a_scale_keeps_it():
    """On average over nets: E (W relu(x))^2 = E x^2 at Kaiming's weights."""
    x = Tensor(to_device(numpy.random.default_rng(0).standard_normal((64, 64)).astype("float32")))
    for scale, expected in ((1.0, 2.0**8), (8**-0.5, (1 + 1 / 8) ** 8)):
        growth = []
        for seed in range(20):
            rng = numpy.random.default_rng(seed)
            maps = models.DeepMLP(8, width=256, skip=True, scale=scale, rng=rng).maps(x)
            first, last = (to_host(maps[i].data).astype("float64") for i in (0, -1))
            growth.append((last**2).mean() / (first**2).mean())
        assert_allclose(numpy.mean(growth), expected, rtol=0.15)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"depth": 0}, "depth: expected an int of at least 1, got 0"),
        ({"depth": 2, "scale": 0.5}, "expected skip=True with a scale, got scale=0.5 alone"),
    ],
)
def test_bad_sizes_and_a_scale_without_skip_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        models.DeepMLP(**options)
