"""nn.folded: batch norm in the convolution before it, against the model as it is."""

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import Tensor, models, nn, no_grad, train
from minires.backend import to_device, to_host

pytestmark = pytest.mark.usefixtures("each_backend")


def images(*shape, seed=0):
    return to_device(numpy.random.default_rng(seed).normal(size=shape))


def trained(make, **options):
    """A model in float64 whose running statistics, scales and biases are none of those that it starts with."""
    nn.manual_seed(3)
    model = make(**options).astype("float64")
    rng = numpy.random.default_rng(4)
    state = model.state_dict()
    for name, array in state.items():
        if array.ndim == 1:
            array[:] = rng.uniform(0.5, 2, size=array.shape)
    model.load_state_dict(state)
    return model


def result(model, x):
    with no_grad():
        return to_host(model(Tensor(x)).data)


@pytest.mark.parametrize(
    ("make", "options", "left"),
    [
        (models.resnet20, {"shortcut": "B"}, 0),
        (models.resnet20, {"shortcut": "none"}, 0),
        (models.resnet18, {"stem": "imagenet"}, 0),
        (models.resnet50, {}, 0),
        (models.resnet20, {"preactivation": True}, 10),  # those that take a sum, not what a convolution gives
    ],
)
def test_a_folded_model_gives_the_same_and_has_so_many_batch_norms_left(make, options, left):
    model, x = trained(make, **options), images(3, 16, 16, 3)
    before = model.state_dict()
    copy = nn.folded(model, x[:1])
    assert_allclose(result(copy, x), result(model.eval(), x), rtol=1e-9)
    assert sum(isinstance(module, nn.BatchNorm) for _, module in copy.modules()) == left
    for name, array in model.state_dict().items():
        assert_array_equal(array, before[name])


def test_by_hand():
    """2 * (3 x + 1 - 4) / sqrt(4) + 7 = 3 x + 4."""
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm(1, eps=0))
    conv, norm = model
    for array, value in ((conv.weight.data, 3), (conv.bias.data, 1), (norm.weight.data, 2), (norm.bias.data, 7),
                         (norm.running_mean, 4), (norm.running_var, 4)):  # fmt: skip
        array[...] = value
    copy = nn.folded(model, to_device(numpy.ones((1, 2, 2, 1), "float32")))
    assert (copy[0].weight.data.item(), copy[0].bias.data.item()) == (3, 4)


class Twice(nn.Module):
    """What the convolution gives goes past the batch norm, too."""

    def __init__(self):
        self.conv, self.norm = nn.Conv2d(2, 2, 3), nn.BatchNorm(2)
        self.norm.running_mean += 3.0

    def forward(self, x):
        y = self.conv(x)
        return self.norm(y) + y


class Again(nn.Module):
    """One convolution before two batch norms."""

    def __init__(self):
        self.conv, self.one, self.two = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm(2), nn.BatchNorm(2)

    def forward(self, x):
        return self.two(self.conv(self.one(self.conv(x))))


@pytest.mark.parametrize("make", [Twice, Again, lambda: nn.Linear(2, 2)], ids=["past it", "shared", "none"])
def test_what_cannot_be_folded_is_not(make):
    assert nn.folded(make(), to_device(numpy.ones((2, 5, 5, 2), "float32"))) is None


def test_evaluate_gives_the_score_of_the_model_as_it_is_and_leaves_it():
    model, x = trained(models.resnet20), images(7, 16, 16, 3)
    labels = to_device(numpy.arange(7))
    before, modes = model.state_dict(), [module.training for _, module in model.modules()]
    score = train.evaluate(model, [(x[:4], labels[:4]), (x[4:], labels[4:])])
    assert modes == [module.training for _, module in model.modules()]
    for name, array in model.state_dict().items():
        assert_array_equal(array, before[name])
    logits = result(model.eval(), x)
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = numpy.log(numpy.exp(shifted).sum(axis=1)) - shifted[numpy.arange(7), numpy.arange(7)]
    assert (
        score.loss == pytest.approx(losses.mean(), rel=1e-6) and score.hits == (logits.argmax(axis=1) == numpy.arange(7)).sum()
    )
