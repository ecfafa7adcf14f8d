"""nn.folded: batch norm in the convolution before it, against the model as it is."""

import threading

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import Tensor, models, nn, no_grad, ops, train
from minires.backend import to_device, to_host
from minires.nn import folding

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
        self.norm.running_var -= 0.0015  # and in float32 it is nearly as if it did not

    def forward(self, x):
        y = self.conv(x)
        return self.norm(y) + y


class Again(nn.Module):
    """One convolution before two batch norms."""

    def __init__(self):
        self.conv, self.one, self.two = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm(2), nn.BatchNorm(2)

    def forward(self, x):
        return self.two(self.conv(self.one(self.conv(x))))


class Reads(nn.Module):
    """The batch norm's scale is read elsewhere, too."""

    def __init__(self):
        self.conv, self.norm = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm(2)

    def forward(self, x):
        return self.norm(self.conv(x)) * self.norm.weight


class Locked(nn.Module):
    """Cannot be copied."""

    def __init__(self):
        self.conv, self.norm, self.lock = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm(2), threading.Lock()

    def forward(self, x):
        return self.norm(self.conv(x))


def replaced():
    """The batch norm's forward is another function's."""
    model = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm(2))
    model[1].forward = lambda x, add=None, *, relu=False: x
    return model


UNFOLDED = [Twice, Again, Reads, Locked, replaced, lambda: nn.Sequential(nn.Conv2d(2, 2, 1))]


@pytest.mark.parametrize("make", UNFOLDED, ids=["past it", "shared", "read", "locked", "replaced", "no norm"])
def test_what_cannot_be_folded_is_not_and_is_evaluated_as_it_is(make):
    model, x = make(), to_device(numpy.random.default_rng(0).normal(size=(2, 5, 5, 2)).astype("float32"))
    assert nn.folded(model, x) is None
    whole = nn.Sequential(model, nn.GlobalAvgPool())
    score = train.evaluate(whole, [(x, to_device([0, 1]))])
    assert score.loss == pytest.approx(-numpy.log(softmax(result(whole.eval(), x))[[0, 1], [0, 1]]).mean(), rel=1e-6)


def softmax(logits):
    powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_layers_in_lists_tuples_and_dicts_are_folded(kind):
    class Held(nn.Module):
        def __init__(self):
            parts = [nn.Conv2d(2, 3, 3), nn.BatchNorm(3), nn.Conv2d(3, 2, 3), nn.BatchNorm(2)]
            self.layers = {str(i): part for i, part in enumerate(parts)} if kind is dict else kind(parts)

        def forward(self, x):
            for layer in self.layers.values() if kind is dict else self.layers:
                x = layer(x)
            return x

    model, x = trained(Held), images(3, 8, 8, 2)
    copy = nn.folded(model, x[:1])
    assert not any(isinstance(module, nn.BatchNorm) for _, module in copy.modules())
    assert_allclose(result(copy, x), result(model.eval(), x), rtol=1e-9)


def test_separate_ops_and_fold_false_leave_the_batch_norms_to_evaluate(monkeypatch):
    """And without them it runs none."""
    runs, model, x = [], trained(models.resnet20), images(2, 8, 8, 3)
    monkeypatch.setattr(ops, "norm_add_relu", lambda *a, op=ops.norm_add_relu, **o: (runs.append("one"), op(*a, **o))[1])
    monkeypatch.setattr(ops, "batch_norm_frozen", lambda *a, op=ops.batch_norm_frozen, **o: (runs.append("own"), op(*a, **o))[1])
    batches = [(x, to_device(numpy.arange(2)))] * 3
    train.evaluate(model, batches, fold=False)
    assert runs == ["one"] * 57
    runs.clear()
    with nn.separate_ops():
        train.evaluate(model, batches)
    assert runs == ["own"] * 57
    runs.clear()
    train.evaluate(model, batches)
    assert runs == ["one"] * 19  # to see which batch norm takes what


def test_evaluate_gives_the_score_of_the_model_as_it_is_and_leaves_it():
    model, x = trained(models.resnet20), images(7, 16, 16, 3)
    labels = to_device(numpy.arange(7))
    before, modes = model.state_dict(), [module.training for _, module in model.modules()]
    score = train.evaluate(model, [(x[:4], labels[:4]), (x[4:], labels[4:])])
    assert modes == [module.training for _, module in model.modules()]
    for name, array in model.state_dict().items():
        assert_array_equal(array, before[name])
    logits = result(model.eval(), x)
    losses = -numpy.log(softmax(logits)[numpy.arange(7), numpy.arange(7)])
    assert score.loss == pytest.approx(losses.mean(), rel=1e-6)
    assert score.hits == (logits.argmax(axis=1) == numpy.arange(7)).sum()


def test_what_stands_in_a_folded_batch_norms_place_adds_and_takes_the_maximum_where_it_is_asked_to():
    layer, x = folding.AddReLU(), Tensor(to_device(numpy.array([[-2.0, 3.0]])))
    add = Tensor(to_device(numpy.array([[1.0, -5.0]])))
    assert layer(x) is x
    for arguments, options, expected in (((), {"relu": True}, [[0, 3]]), ((add,), {}, [[-1, -2]]), ((add,), {"relu": True}, [[0, 0]])):
        assert_array_equal(to_host(layer(x, *arguments, **options).data), expected)


def test_a_result_counts_as_the_same_by_its_size_and_type():
    """One part in ten million is rounding in float32 and a mistake in float64; of a result near 0 as of a large one."""
    for kind, same in (("float32", True), ("float64", False)):
        for size in (1e-6, 1e6):
            expected = to_device(numpy.full((2, 3), size, kind))
            assert folding._gives(lambda x: Tensor(x.data * (1 + 1e-7)), expected, expected) == same
            assert not folding._gives(lambda x: Tensor(x.data * 1.1), expected, expected)
