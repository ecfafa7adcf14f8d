"""A parameter that the library changed after the forward pass: backward() raises, and says what changed it."""

import copy
import pickle
import weakref

import numpy
import pytest

from minires import Tensor, backend, models, nn, no_grad, optim
from minires import functional as F
from minires.backend import to_device, to_host

OPTIMIZERS = {
    "SGD": lambda parameters: optim.SGD(parameters, lr=0.1),
    "SGD with momentum": lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9),
    "Adam": optim.Adam,
    "AdamW": optim.AdamW,
    "GradScaler": lambda parameters: optim.GradScaler(optim.SGD(parameters, lr=0.1), 1.0),
}
pytestmark = pytest.mark.usefixtures("each_backend")


def net():
    nn.manual_seed(0)
    return models.ResNet(models.BasicBlock, (1,), (4,), num_classes=3)


def loss_of(model):
    images = numpy.random.default_rng(0).standard_normal((4, 8, 8, 3), numpy.float32)
    return F.cross_entropy(model(Tensor(to_device(images))), to_device(numpy.arange(4) % 3))


def gradients(model):
    return [to_host(parameter.grad).copy() for parameter in model.parameters()]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_between_forward_and_backward_is_told_with_the_optimizer(name):
    model = net()
    optimizer, late = OPTIMIZERS[name](model.parameters()), loss_of(model)
    loss_of(model).backward()
    before = gradients(model)
    optimizer.step()
    kind = {"SGD with momentum": "SGD", "GradScaler": "SGD"}.get(name, name)
    with pytest.raises(
        RuntimeError,
        match=rf"^backward\(\) of \w+: its \w+, of shape \(.*\), was changed by {kind}\.step\(\) after the forward pass",
    ):
        late.backward()
    for found, right in zip(gradients(model), before):  # nothing was added to any leaf
        numpy.testing.assert_array_equal(found, right)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda model: model.load_state_dict(model.state_dict()), r"load_state_dict\(\)"),
        (lambda model: model.astype("float64").astype("float32"), r"astype\(\)"),
        (lambda model: model.fc.load_state_dict(model.fc.state_dict()), r"load_state_dict\(\)"),
    ],
)
def test_so_are_loaded_weights_and_another_dtype(change, told):
    model = net()
    late = loss_of(model)
    change(model)
    with pytest.raises(RuntimeError, match=f"was changed by {told} after"):
        late.backward()
    loss_of(model).backward()


def test_the_operand_that_changed_is_named():
    linear, x = nn.Linear(3, 2), to_device(numpy.ones((4, 3), numpy.float32))
    late = F.linear(x, linear.weight, linear.bias).sum()
    linear.load_state_dict(linear.state_dict())
    with pytest.raises(
        RuntimeError, match=r"backward\(\) of linear: its weight, of shape \(3, 2\)"
    ):
        late.backward()
    scale = nn.Parameter(to_device(numpy.ones(3, numpy.float32)))
    late = (Tensor(x) * scale).sum()
    scale.written_by("somebody")
    with pytest.raises(
        RuntimeError, match=r"of multiply: its b, of shape \(3,\), was changed by s"
    ):
        late.backward()


def test_a_frozen_parameter_that_changed_is_told_too():
    """Its own gradient is not needed, but the gradients of earlier layers would be wrong."""
    model, x = net().freeze(), Tensor(to_device(numpy.ones((1, 8, 8, 3), numpy.float32)))
    x = Tensor(x.data, requires_grad=True)
    late = model(x).sum()
    model.load_state_dict(model.state_dict())
    with pytest.raises(RuntimeError, match="was changed by load_state_dict"):
        late.backward()


def test_a_parameter_that_is_no_modules_is_watched_as_well():
    w = Tensor(to_device(numpy.ones(2)), requires_grad=True)
    optimizer, late = optim.SGD([w], lr=0.1), (w * w).sum()
    (w * 3).sum().backward()
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"was changed by SGD\.step"):
        late.backward()


@pytest.fixture
def views(each_backend):
    """Arrays that know the one whose memory they are a view of, as NumPy's and CuPy's do."""
    x = to_device(numpy.ones(2))
    if x[1:].base is not x:
        pytest.skip(f"{each_backend}'s arrays don't know whose memory they are a view of")


@pytest.mark.parametrize(
    "same_memory",
    [
        lambda w: w.detach(),
        lambda w: w.detach().reshape((2, 3)).T,
        lambda w: no_grad()(lambda: w.reshape((6,)))(),
        lambda w: no_grad()(lambda: w.T)(),
        lambda w: no_grad()(lambda: w[1:])(),
        lambda w: copy.copy(w),
    ],
)
def test_tensors_of_the_same_memory_share_their_version(same_memory, views):
    w = nn.Parameter(to_device(numpy.arange(6.0).reshape(3, 2)))
    x = Tensor(to_device(numpy.ones(1)), requires_grad=True)
    late = (x * same_memory(w)).sum()
    (w * w).sum().backward()
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match=r"was changed by SGD\.step"):
        late.backward()


def test_so_does_what_a_frozen_parameter_is_reshaped_to(views):
    model = nn.Linear(3, 2).freeze()
    x = Tensor(to_device(numpy.ones((2, 2), numpy.float32)), requires_grad=True)
    late = (x @ model.weight.T).sum() + (x.reshape((4,)) * model.bias[:1]).sum()
    model.load_state_dict(model.state_dict())
    with pytest.raises(RuntimeError, match=r"was changed by load_state_dict\(\)"):
        late.backward()


def test_a_tensor_that_requires_a_gradient_later_is_watched_as_well():
    v = Tensor(to_device(numpy.array([3.0, 4.0])))
    v.requires_grad = True
    late, first = (v * v).sum(), (v * 2).sum()
    first.backward()
    optim.SGD([v], lr=0.1).step()
    with pytest.raises(RuntimeError, match=r"was changed by SGD\.step"):
        late.backward()


def test_the_same_dtype_again_changes_nothing():
    model = net()
    late = loss_of(model)
    model.astype("float32")
    late.backward()


def test_a_graph_keeps_no_operand_alive_that_its_ops_do_not_save():
    x = Tensor(to_device(numpy.ones(3)), requires_grad=True)
    frozen = nn.Parameter(to_device(numpy.ones(3)), requires_grad=False)
    y, seen = x + frozen, weakref.ref(frozen)
    del frozen
    assert seen() is None
    y.sum().backward()


def test_what_did_not_change_the_graphs_parameters_is_no_fault():
    """A step of other parameters, one that moves nothing, several backwards, and a second forward pass after a step."""
    model, other = net(), net()
    first, second = loss_of(model), loss_of(model)
    loss_of(other).backward()
    optim.SGD(other.parameters(), lr=0.1).step()
    optim.SGD(model.parameters(), lr=0.1).step()  # there is no gradient yet
    first.backward()
    once = gradients(model)
    second.backward()
    for found, right in zip(gradients(model), once):
        numpy.testing.assert_allclose(found, 2 * right, rtol=1e-5, atol=1e-7)
    optim.SGD(model.parameters(), lr=0.1).step()
    loss_of(model).backward()


@pytest.mark.parametrize("forms", ["default", "plain"])
def test_running_statistics_that_move_on_leave_the_gradient_of_an_evaluation_as_it_was(forms):
    with backend.using(plain=forms == "plain"):
        found = []
        for moves in (False, True):
            norm, rng = nn.BatchNorm(3).eval(), numpy.random.default_rng(0)
            x = Tensor(to_device(rng.random((5, 4, 4, 3), numpy.float32)), requires_grad=True)
            late = (norm(x) * norm(x)).sum()
            if moves:
                norm.train()
                norm(Tensor(to_device(10 * rng.random((9, 4, 4, 3), numpy.float32))))
            late.backward()
            found.append([to_host(x.grad), *gradients(norm)])
    for moved, right in zip(*found):
        numpy.testing.assert_array_equal(moved, right)


# Copies.


def test_the_result_of_an_op_cannot_be_copied_deeply():
    x = Tensor(to_device(numpy.ones(2)), requires_grad=True)
    for value in (x * 3, [x * 3], {"loss": (x * 3).sum()}):
        with pytest.raises(RuntimeError, match=r"^deepcopy: expected a leaf, got the result of "):
            copy.deepcopy(value)
    (copy.copy(x * 3).sum() + x.sum()).backward()  # a shallow copy has the same graph
    assert to_host(x.grad).tolist() == [4, 4]
    copy.deepcopy((x * 3).detach())


def test_a_leaf_that_is_copied_has_memory_of_its_own():
    for kind in (Tensor, nn.Parameter):
        x = kind(to_device(numpy.array([1.0, 2.0])), requires_grad=True)
        (x * 3).sum().backward()
        pair = copy.deepcopy([x, x])
        twin = pair[0]
        assert pair[0] is pair[1] and type(twin) is kind and twin.requires_grad
        twin.data[...] = 0
        twin.grad[...] = 0
        assert to_host(x.data).tolist() == [1, 2] and to_host(x.grad).tolist() == [3, 3]
        (twin * x).sum().backward()
        assert to_host(twin.grad).tolist() == [1, 2]


def test_a_copied_model_learns_by_itself():
    model = net()
    twin = copy.deepcopy(model)
    late = loss_of(model)
    loss_of(twin).backward()
    optim.SGD(twin.parameters(), lr=0.1).step()
    late.backward()
    assert len(gradients(model)) == len(gradients(twin))


def test_a_leaf_survives_pickling(each_backend):
    if each_backend != "numpy":
        pytest.skip("arrays of NumPy")
    x = Tensor(numpy.ones(2), requires_grad=True)
    again = pickle.loads(pickle.dumps(x))
    assert again.requires_grad and again.data.tolist() == [1, 1]
