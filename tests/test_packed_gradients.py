"""The gradients of packed parameters: written into one array, and still an array each. On the shim, as on a GPU."""

import copy
import pickle
from unittest import mock

import numpy as np
import pytest

from minires import Tensor, backend, functional, nn, ops, optim
from minires.fast import packed
from tests import shim

pytestmark = pytest.mark.skipif(
    shim.COMPILER is None, reason="there is no g++ to run kernels on the processor"
)


@pytest.fixture(autouse=True)
def on_the_shim():
    with backend.using(shim.library()):
        yield


def net():
    nn.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


X = np.random.default_rng(0).standard_normal((5, 3)).astype("f4")
LABELS = np.arange(5) % 2


def loss_of(model, x=X):
    return functional.cross_entropy(model(Tensor(x)), LABELS)


def sgd(model):
    return optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)


def trained(between=None, steps=4, model=None):
    """Return (model, optimizer) after some steps. between(model, number of the step) runs before each update."""
    model = model or net()
    optimizer = sgd(model)
    for i in range(steps):
        optimizer.zero_grad()
        loss_of(model).backward()
        if between:
            between(model, i)
        optimizer.step()
    return model, optimizer


def weights(model):
    return [parameter.data.copy() for parameter in model.parameters()]


def assert_as_without(between=None, model=net):
    """The same steps with and without the forms that pack give the same numbers."""
    found, _ = trained(between, model=model())
    with ops.without("packed"):
        wanted, _ = trained(between, model=model())
    for a, b in zip(weights(found), weights(wanted), strict=True):
        np.testing.assert_array_equal(a, b)


def backward(model, optimizer):
    optimizer.zero_grad()
    loss_of(model).backward()
    return [parameter.grad for parameter in model.parameters()]


def test_a_step_joins_no_gradients_and_copies_each_once():
    model, optimizer = trained()
    gradients = backward(model, optimizer)
    whole = gradients[0].base
    assert whole.size == sum(parameter.size for parameter in model.parameters())
    assert all(gradient.base is whole for gradient in gradients)
    with mock.patch.object(np, "concatenate", side_effect=AssertionError):
        optimizer.step()


def test_the_gradients_are_those_of_separate_arrays():
    model, optimizer = trained()
    gradients = backward(model, optimizer)
    with ops.without("packed"):
        for a, b in zip(gradients, backward(model, optimizer), strict=True):
            np.testing.assert_array_equal(a, b)
            assert b.base is None and a.shape == b.shape and a.dtype == b.dtype


def test_a_gradient_that_is_kept_is_not_written_over():
    model, optimizer = trained()
    kept = backward(model, optimizer)
    before = [gradient.copy() for gradient in kept]
    optimizer.step()
    for gradient in backward(model, optimizer):
        gradient[...] = 7
    for gradient, copied in zip(kept, before, strict=True):
        np.testing.assert_array_equal(gradient, copied)


def replace(model, i):
    for parameter in model.parameters():
        parameter.grad = parameter.grad * 0.5


def replace_one(model, i):
    model.parameters()[i % 4].grad = model.parameters()[i % 4].grad * (i + 1.0)


def write(model, i):
    for parameter in model.parameters():
        parameter.grad *= 0.5


def again(model, i):
    loss_of(model, X[::-1].copy()).backward()


def remove_one(model, i):
    model.parameters()[1].grad = None


def first_alone(model, i):
    """One parameter's gradient is computed anew, and those of the others are doubled."""
    model.parameters()[2].grad = None
    loss_of(model).backward()


def new_weights(model, i):
    if i == 2:
        model.parameters()[0].data = model.parameters()[0].data * 2


def load(model, i):
    if i == 2:
        model.load_state_dict({name: array * 2 for name, array in model.state_dict().items()})


@pytest.mark.parametrize(
    "between",
    [None, replace, replace_one, write, again, remove_one, first_alone, new_weights, load],
)
def test_gradients_may_be_replaced_written_to_added_to_and_removed(between):
    assert_as_without(between)


class Twice(nn.Module):
    """Uses one parameter for two layers."""

    def __init__(self):
        nn.manual_seed(1)
        self.first, self.last = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        return self.last(functional.relu(self.first(self.first(x))))


def test_the_gradients_of_a_parameter_that_is_used_twice_add_up():
    assert_as_without(model=Twice)
    model, optimizer = trained(model=Twice())
    twice = backward(model, optimizer)[0].copy()
    optimizer.zero_grad()
    hidden = model.first(Tensor(X))
    functional.cross_entropy(
        model.last(functional.relu(model.first(Tensor(hidden.data)))), LABELS
    ).backward()
    assert np.abs(twice - model.first.weight.grad).max() > 1e-3


def test_the_gradients_of_a_copy_are_its_own():
    model, optimizer = trained()
    backward(model, optimizer)
    kept = [gradient.copy() for gradient in backward(model, optimizer)]
    twin = copy.deepcopy(model)
    for parameter in twin.parameters():
        parameter.grad = None
    loss_of(twin, X[::-1] * 3).backward()
    shallow = copy.copy(model.parameters()[0])
    shallow.grad = None
    (Tensor(X) @ shallow).sum().backward()
    for parameter, copied in zip(model.parameters(), kept, strict=True):
        np.testing.assert_array_equal(parameter.grad, copied)
    assert shallow.grad.base is None


def test_a_parameter_of_another_type_gets_gradients_of_that_type():
    model, optimizer = trained()
    model.astype("float64")
    for gradient in backward(model, optimizer):
        assert gradient.dtype == "f8"
    optimizer.step()


def test_a_parameter_in_a_file_has_no_place_and_the_optimizer_is_freed_with_its_last_reference():
    model, optimizer = trained()
    parameter = model.parameters()[0]
    assert pickle.loads(pickle.dumps(parameter)).place is None
    kept = parameter.place.packed
    assert isinstance(kept(), packed.PackedParameters)
    del optimizer
    assert kept() is None and parameter.place.view(parameter) is None
    loss_of(model).backward()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
def test_a_copy_of_a_model_and_its_optimizer_trains_on(copied, kind):
    def run():
        model = net()
        optimizer = kind(model.parameters(), lr=0.01)
        for i in range(6):
            if i == 3:
                model, optimizer = copied((model, optimizer))
            backward(model, optimizer)
            optimizer.step()
        return weights(model)

    with ops.without("packed"):
        wanted = run()
    for a, b in zip(run(), wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_optimizers_of_one_model_take_turns():
    def run():
        model = net()
        pair = sgd(model), optim.Adam(model.parameters(), lr=0.01)
        for i in range(6):
            backward(model, pair[i % 2])
            pair[i % 2].step()
        return weights(model)

    with ops.without("packed"):
        wanted = run()
    for a, b in zip(run(), wanted, strict=True):
        np.testing.assert_array_equal(a, b)
