"""The graph: the gradients of operands, what is released and when, and errors."""

import ast
import functools
import gc
import math
import operator
import threading
import weakref
from pathlib import Path

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import Tensor, backend, no_grad, ops
from minires import functional as F
from minires.backend import is_array, to_device, to_host, xp
from minires.graph import Node, saved
from minires.ops.forms import FUNCTIONS
from minires.tensor import apply, grad_enabled

pytestmark = pytest.mark.usefixtures("each_backend")


def leaf(values, dtype="float32"):
    return Tensor(to_device(numpy.array(values, dtype)), requires_grad=True)


def grad(tensor):
    return to_host(tensor.grad)


# New tensors.


@pytest.mark.parametrize(
    "data", [[1.0, 2.0], (1, 2), [[True], [False]], 3, 2.5, numpy.array([1, 2]).tolist()]
)
def test_lists_and_numbers_become_float32(data):
    assert Tensor(data).dtype == numpy.float32
    assert_array_equal(Tensor(data).numpy(), numpy.array(data, "float32"))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_arrays_keep_their_type_and_are_not_copied(dtype):
    array = to_device(numpy.ones((2, 3), dtype))
    assert Tensor(array).data is array and Tensor(array).dtype == dtype


def test_a_numpy_scalar_keeps_its_type():
    assert Tensor(numpy.float64(2)).dtype == numpy.float64 and Tensor(numpy.float32(2)).shape == ()


def test_a_tensor_of_a_tensor_shares_its_numbers_and_not_its_graph():
    x = leaf([1.0, 2.0])
    y = Tensor(x * 2)
    assert y.node is None and not y.requires_grad
    assert Tensor(x).data is x.data


def test_a_tensor_tells_its_shape():
    x = Tensor([[1, 2, 3], [4, 5, 6]])
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
    assert [row.numpy().tolist() for row in x] == [[1, 2, 3], [4, 5, 6]]


def test_numbers_out():
    assert (
        Tensor([[2.5]]).item() == 2.5
        and float(Tensor(3)) == 3.0
        and bool(Tensor([1]))
        and not Tensor(0)
    )
    with pytest.raises(
        ValueError, match=r"^item\(\): expected a tensor of one element, got shape \(2,\)$"
    ):
        Tensor([1, 2]).item()
    with pytest.raises(
        TypeError,
        match=r"^expected an array, got a Tensor: tensor\.numpy\(\) is its array$",
    ):
        numpy.asarray(Tensor([1, 2]))


@pytest.mark.parametrize("data", [None, "abc", {"a": 1}, object()])
def test_what_is_no_array_is_refused(data):
    with pytest.raises(
        TypeError,
        match=f"^Tensor: expected an array, a number or lists of numbers, got a builtins.{type(data).__name__}$",
    ):
        Tensor(data)
    with pytest.raises(TypeError, match="^add: expected an array, .* got a builtins"):
        Tensor([1.0]) + (data if data is not None else object())


def test_only_floats_have_gradients():
    with pytest.raises(TypeError, match="^Tensor: expected floats for requires_grad, got int64$"):
        Tensor(to_device(numpy.array([1, 2])), requires_grad=True)


def test_the_repr_shows_numbers_shape_type_and_origin():
    x = Tensor([[1, 2], [3, 4]], requires_grad=True)
    assert repr(x) == "Tensor([[1. 2.]\n        [3. 4.]], shape (2, 2), float32, requires_grad)"
    assert (
        repr(x * 2) == "Tensor([[2. 4.]\n        [6. 8.]], shape (2, 2), float32, made by multiply)"
    )
    assert repr(Tensor(2)) == "Tensor(2.0, shape (), float32)"
    assert "..." in repr(Tensor(xp.zeros(5000)))


# Operators.


def test_operators_take_tensors_numbers_lists_and_arrays_on_either_side():
    x = Tensor([1.0, 2.0, 4.0])
    cases = [
        (x + 1, [2, 3, 5]), (1 + x, [2, 3, 5]), (x - 1, [0, 1, 3]), (1 - x, [0, -1, -3]), (x * 2, [2, 4, 8]), (2 * x, [2, 4, 8]),
        (x / 2, [0.5, 1, 2]), (2 / x, [2, 1, 0.5]), (x**2, [1, 4, 16]), (2**x, [2, 4, 16]), (-x, [-1, -2, -4]),
        (x + [1, 1, 0], [2, 3, 4]), ([1, 1, 0] + x, [2, 3, 4]),  # noqa: RUF005  (sums, not lists)
        ([8, 8, 8] / x, [8, 4, 2]), ([1, 1, 1] - x, [0, -1, -3]),
        (x + x, [2, 4, 8]), (x @ x, 21), ([1, 0, 0] @ x, 1), (x @ [[1], [0], [1]], [5]), ([[1, 1, 1]] @ x, [7]),
        (x + to_device(numpy.float32([1, 1, 1])), [2, 3, 5]), (x * numpy.float32(2), [2, 4, 8]), (numpy.float64(2) * x, [2, 4, 8]),
        (x[1:], [2, 4]), (x[Tensor(to_device(numpy.array([2, 0])))], [4, 1]), (x[x > 1], [2, 4]), (x[None, ..., 0], [1]),
        (x > 1, [False, True, True]), (x >= 2, [False, True, True]), (x < [2, 2, 2], [True, False, False]), (x <= x, [True] * 3),
    ]  # fmt: skip
    for result, expected in cases:
        assert_allclose(result.numpy(), expected)
        assert result.dtype in (numpy.float32, bool)


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_what_cannot_be_compared_is_refused(sign):
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[sign]
    with pytest.raises(TypeError, match=f"^{sign}: expected an array, .* got a builtins.object"):
        compare(Tensor([1.0]), object())


def test_an_array_on_the_left_gives_a_tensor():
    result = to_device(numpy.float32([1, 2])) * leaf([3.0, 4.0])
    assert isinstance(result, Tensor) and result.requires_grad
    assert_array_equal(result.numpy(), [3, 8])


def test_reflected_operators_have_the_right_gradients():
    x = leaf([2.0, 4.0])
    (1 - x).backward([1.0, 10.0])
    assert_array_equal(grad(x), [-1, -10])
    x.grad = None
    (8 / x).backward([1.0, 10.0])
    assert_array_equal(grad(x), [-2, -5])


def test_methods_are_the_functions():
    x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    pairs = [
        (x.sum(), F.sum(x)), (x.sum(0), F.sum(x, axis=0)), (x.sum(axis=1, keepdims=True), F.sum(x, 1, True)),
        (x.mean(0), F.mean(x, 0)), (x.max(1), F.max(x, 1)), (x.var(0, ddof=1), F.var(x, axis=0, ddof=1)),
        (x.exp(), F.exp(x)), (x.log(), F.log(x)), (x.sqrt(), F.sqrt(x)), (x.tanh(), F.tanh(x)), (x.sigmoid(), F.sigmoid(x)),
        (x.relu(), F.relu(x)), (x.softmax(), F.softmax(x)), (x.log_softmax(0), F.log_softmax(x, 0)),
        (x.reshape(3, 2), F.reshape(x, (3, 2))), (x.reshape((3, 2)), F.reshape(x, (3, 2))), (x.reshape(-1), F.reshape(x, -1)),
        (x.T, F.transpose(x)), (x.transpose(), F.transpose(x)), (x.transpose(1, 0), F.transpose(x, (1, 0))),
    ]  # fmt: skip
    for method, function in pairs:
        assert_array_equal(method.numpy(), function.numpy())
    assert x.sum(0).shape == (3,) and x.T.shape == (3, 2) and x.reshape(-1).shape == (6,)


def test_functions_hand_their_options_on():
    x = Tensor(to_device(numpy.random.default_rng(0).standard_normal((2, 6, 5, 3))))
    weight, gamma, beta = Tensor(xp.ones((2, 3, 3, 4))), Tensor(xp.ones(3)), Tensor(xp.zeros(3))
    mean, var = xp.zeros(3), xp.ones(3)
    calls = [
        (F.conv2d(x, weight, Tensor(xp.ones(4)), stride=2, padding=1), ops.conv2d(x.data, weight.data, xp.ones(4), stride=2, padding=1)),
        (F.max_pool2d(x, 3, stride=2, padding=1), ops.max_pool2d(x.data, kernel=3, stride=2, padding=1)),
        (F.avg_pool2d(x, (3, 2), stride=2, padding=1), ops.avg_pool2d(x.data, kernel=(3, 2), stride=2, padding=1)),
        (F.im2col(x, 2, stride=3, padding=1), ops.im2col(x.data, kernel=2, stride=3, padding=1)),
        (F.batch_norm(x, gamma, beta, eps=0.5), ops.batch_norm(x.data, gamma.data, beta.data, eps=0.5)),
        (F.batch_norm(x, gamma, beta, stats=(mean, var)), ops.batch_norm(x.data, gamma.data, beta.data, stats=(mean, var))),
        (F.batch_norm_frozen(x, gamma, beta, mean=mean, var=var, eps=0.5),
         ops.batch_norm_frozen(x.data, gamma.data, beta.data, mean=mean, var=var, eps=0.5)),
        (F.global_avg_pool(x), ops.global_avg_pool(x.data)),
        (F.dropout(x, x > 0, p=0.25), ops.dropout(x.data, x.data > 0, p=0.25)),
        (F.concatenate([x, x], axis=-1), ops.concatenate(x.data, x.data, axis=-1)),
        (F.pad(x, ((0, 0), (1, 2), (0, 0), (0, 0))), ops.pad(x.data, widths=((0, 0), (1, 2), (0, 0), (0, 0)))),
        (F.broadcast_to(x, (2, 2, 6, 5, 3)), ops.broadcast_to(x.data, shape=(2, 2, 6, 5, 3))),
        (F.where(x > 0, x, 0.0), ops.where(x.data > 0, x.data, 0.0)),
        (F.maximum(x, 0.5), ops.maximum(x.data, 0.5)),
        (F.linear(x, Tensor(xp.ones((3, 2))), Tensor(xp.ones(2))), ops.linear(x.data, xp.ones((3, 2)), xp.ones(2))),
        (F.cross_entropy(x[0, 0], [0, 2, 1, 1, 0], label_smoothing=0.3),
         ops.cross_entropy(x.data[0, 0], to_device([0, 2, 1, 1, 0]), label_smoothing=0.3)),
        (F.cross_entropy(x[0, 0], Tensor(to_device(numpy.array([0, 2, 1, 1, 0])))),
         ops.cross_entropy(x.data[0, 0], to_device([0, 2, 1, 1, 0]))),
        (F.mse_loss(x, Tensor(xp.zeros(x.shape))), ops.mse_loss(x.data, xp.zeros(x.shape))),
    ]  # fmt: skip
    for lifted, (expected, _) in calls:
        assert_array_equal(lifted.numpy(), to_host(expected))
    columns, _ = ops.im2col(x.data, kernel=2, stride=3, padding=1)
    window = {"shape": x.shape, "kernel": 2, "stride": 3, "padding": 1}
    lifted = F.col2im(Tensor(columns), x.shape, 2, stride=3, padding=1)
    assert_array_equal(lifted.numpy(), to_host(ops.col2im(columns, **window)[0]))


def test_functions_take_operands_by_name_and_refuse_what_they_do_not_know():
    x, weight, bias = leaf([[1.0, 2.0]]), leaf([[3.0], [4.0]]), leaf([5.0])
    assert (
        F.linear(x, weight, bias=bias).item()
        == F.linear(weight=weight, bias=bias, x=x).item()
        == 16
    )
    F.linear(x, bias=bias, weight=weight).backward()
    assert grad(bias) == [1] and (grad(weight) == [[1], [2]]).all()
    assert F.linear(x, weight, bias=None).item() == 11
    assert (
        F.max_pool2d(xp.ones((1, 4, 4, 1)), kernel=2).shape
        == F.max_pool2d(xp.ones((1, 4, 4, 1)), 2, None, 0).shape
    )
    for wrong in (
        lambda: F.relu(x, 1),
        lambda: F.relu(),
        lambda: F.relu(x, inplace=True),
        lambda: F.softmax(x, -1, axis=-1),
        lambda: F.linear(x, weight, bias, bias),
        lambda: F.linear(x),
    ):
        with pytest.raises(TypeError, match="argument"):
            wrong()


def test_every_op_is_lifted_and_has_its_documentation():
    exported = ast.parse(Path(ops.__file__).read_text(encoding="utf-8")).body
    imports = [
        line
        for line in exported
        if isinstance(line, ast.ImportFrom) and line.module.startswith("minires.ops.")
    ]
    names = {
        alias.name for line in imports for alias in line.names if line.module != "minires.ops.forms"
    }
    assert (
        names
        == {name for name in names if getattr(ops, name).forms.is_op}
        >= {"relu", "conv2d", "getitem"}
    )
    for name in names - {"channel_stats"}:  # which has no backward
        lifted, op = getattr(F, name), getattr(ops, name)
        assert lifted.__doc__
        if name not in ("getitem", "concatenate"):  # Tensor's own, and one of a list
            assert lifted.__wrapped__ is op and lifted.__doc__ == op.__doc__ == op.plain.__doc__
    assert not hasattr(F, "channel_stats")


def test_another_function_may_stand_in_for_an_op():
    def relu(x):
        return x * 100, lambda g: (g * 100,)

    def minus(x):
        return x * 7, lambda g: (g * 7,)

    x = leaf([-1.0])
    with ops.standing_in(relu=relu, negative=minus):
        y = F.relu(x) + x.relu() + -x
    y.backward()
    assert y.item() == -207 and grad(x) == [207]
    assert F.relu(x).item() == 0 and (-x).item() == 1


# The walk back.


def test_a_tensor_used_twice_gets_both_gradients():
    x = leaf([3.0])
    (x * x + x).backward()
    assert grad(x) == [7]
    y = leaf([1.0])
    (y + y).backward()
    assert grad(y) == [2]


def test_a_diamond_waits_for_both_sides():
    a = leaf([1.0])
    b = a * 2
    ((b * 3) + (b * 4)).sum().backward()
    assert grad(a) == [14]


def test_a_node_used_at_two_depths():
    a = leaf([3.0])
    b = a * 2
    (b + b * b).backward()  # 2 a + 4 a^2
    assert grad(a) == [2 + 8 * 3]


def test_residual_gradients_add():
    x = leaf([2.0])
    (x + x * 5).backward([3.0])
    assert grad(x) == [18]


def test_2_to_the_40_paths_are_walked_once_each_node():
    x = leaf([1.0], "float64")
    y = x
    for _ in range(40):
        y = y + y
    y.backward()
    assert grad(x) == [2.0**40]


def test_a_tensor_used_by_many():
    x = leaf([1.0, 2.0])
    total = x * 0
    for i in range(1, 101):
        total = total + x * i
    total.backward([1.0, 2.0])
    assert_array_equal(grad(x), [5050, 10100])


def test_a_chain_of_10000_ops():
    x = leaf([1.0])
    y = x
    for _ in range(10_000):
        y = y + 1
    y.backward()
    assert y.item() == 10_001 and grad(x) == [1]


def test_a_long_chain_that_is_never_walked_is_dropped_without_a_fall():
    x = leaf([1.0]) + 1
    first = weakref.ref(x.node)
    for _ in range(100_000):
        x = x + 1
    assert first() is not None
    del x
    assert first() is None


def test_gradients_of_two_losses_add_up_in_a_leaf_until_they_are_forgotten():
    x = leaf([1.0, 1.0])
    (x * 2).backward([1.0, 1.0])
    (x * 3).backward([1.0, 10.0])
    assert_array_equal(grad(x), [5, 32])
    x.grad = None
    (x * 3).sum().backward()
    assert_array_equal(grad(x), [3, 3])


def test_only_leaves_that_require_it_get_a_gradient():
    x, frozen = leaf([2.0]), Tensor([3.0])
    y = x * frozen
    (y * 2).backward()
    assert grad(x) == [6] and frozen.grad is None and y.grad is None
    assert not (frozen * 2).requires_grad and (frozen * x).requires_grad


def test_a_leaf_may_be_the_root():
    x = leaf([1.0])
    x.backward()
    x.backward([4.0])
    assert grad(x) == [5]


def test_no_two_leaves_share_their_gradients_memory():
    a, b, given = leaf([1.0, 2.0]), leaf([3.0, 4.0]), to_device(numpy.float32([1, 1]))
    (a + b).backward(given)
    a.grad *= 5
    assert_array_equal(grad(a), [5, 5])
    assert_array_equal(grad(b), [1, 1])
    assert_array_equal(to_host(given), [1, 1])
    c = leaf([[1.0, 2.0]])
    c.reshape(2).backward(given)
    c.grad *= 5
    assert_array_equal(to_host(given), [1, 1])
    d = leaf([1.0, 2.0])
    d.backward(given)
    d.grad *= 5
    assert_array_equal(to_host(given), [1, 1])


def test_borrowed_gradients_are_not_written_to_when_they_add_up():
    x, y = leaf([1.0]), leaf([1.0])
    a = x * 1
    b = a + y  # hands one array to both
    (b + a * 2 + a * 3).backward()
    assert grad(x) == [6] and grad(y) == [1]


def test_one_new_array_for_two_operands_is_not_written_to_either():
    def both(a, b):
        def backward(g):
            g = g * 2
            return g, g

        return 2 * a + 2 * b, backward

    x, y = leaf([1.0]), leaf([1.0])
    a, b = x * 1, y * 1
    (a * 10 + b * 100 + apply(both, a, b)).backward()  # the walk takes the last operand first
    assert grad(x) == [12] and grad(y) == [102]
    (apply(both, x, y) * 1).backward()
    x.grad *= 0
    assert grad(y) == [104]


def test_a_gradient_that_an_op_keeps_is_not_written_to():
    """An op whose backward returns the array that it computed in the forward pass, each time it is called."""
    slope = to_device(numpy.float32([3.0, 5.0]))

    def weighed(x):
        return (x * slope).sum(), lambda g: (slope,)

    x, y, a = leaf([1.0, 1.0]), leaf([1.0, 1.0]), leaf([1.0, 1.0])
    apply(weighed, x).backward()
    x.grad *= 0
    apply(weighed, y).backward()
    y.grad *= 0
    b = a * 1
    (apply(weighed, b) + apply(weighed, b) + apply(weighed, b)).backward()
    assert_array_equal(grad(a), [9, 15])
    assert_array_equal(to_host(slope), [3, 5])


def test_a_leaf_does_not_share_its_gradient_with_what_an_op_holds_elsewhere():
    class Cache:
        last = None

    def noted(x):
        def backward(g):
            Cache.last = g * 2
            return (Cache.last,)

        return x * 2, backward

    x = leaf([1.0])
    apply(noted, x).backward()
    x.grad *= 0
    assert_array_equal(to_host(Cache.last), [2])


def test_the_gradient_that_an_op_hands_on_is_not_written_to():
    x, y = leaf([1.0]), leaf([1.0])
    a, b = x * 1, y * 1
    (a * 10 + b * 100 + (a + b)).backward()
    assert grad(x) == [11] and grad(y) == [101]


def test_the_gradient_of_a_number_is_an_array_of_its_type():
    x = Tensor(2, requires_grad=True)
    (x * x * 3).backward()
    assert (
        is_array(x.grad)
        and x.grad.shape == ()
        and x.grad.dtype == numpy.float32
        and float(x.grad) == 12
    )


@pytest.mark.parametrize("given", [None, [[3.0]], numpy.array([[3.0]]).tolist()])
def test_a_float32_leaf_at_the_root_gets_a_float32_gradient(given):
    x = leaf([[1.0]])
    x.backward(given if given is None else to_device(numpy.array(given)))
    assert x.grad.dtype == numpy.float32


def test_a_gradient_may_be_given_as_tensor_array_or_list():
    for given in ([1.0, 2.0], Tensor([1.0, 2.0]), to_device(numpy.array([1.0, 2.0]))):
        x = leaf([1.0, 1.0])
        (x * 3).backward(given)
        assert_array_equal(grad(x), [3, 6])
        assert x.grad.dtype == numpy.float32


def test_a_tensor_of_one_element_needs_no_gradient_given_whatever_its_shape():
    x = leaf([[2.0]])
    (x * 3).backward()
    assert_array_equal(grad(x), [[3]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_stay(dtype):
    x = leaf([[1.0, 2.0], [3.0, 5.0]], dtype)
    for y in (x * 2, 2 - x, x / 3.5, x**2, 2**x, x.mean(0), x.var(), x.max(1), x @ [[1, 0], [0, 1]] if dtype == "float32" else x @ x,
              F.maximum(x, 0.5), F.where(x > 2, x, 0.0), F.softmax(x), x.sigmoid(), F.cross_entropy(x, [0, 1], label_smoothing=0.1),
              x + numpy.float64(2)):  # fmt: skip
        x.grad = None
        assert y.dtype == dtype
        y.sum().backward()
        assert x.grad.dtype == dtype and is_array(x.grad)


def test_a_numpy_scalar_among_the_options_does_not_widen_the_type():
    x = leaf([[1.0, 2.0], [3.0, 5.0]])
    assert F.cross_entropy(x, [0, 1], label_smoothing=numpy.float64(0.1)).dtype == numpy.float32
    assert (
        F.batch_norm(x, leaf([1.0, 1.0]), leaf([0.0, 0.0]), eps=numpy.float64(0.1)).dtype
        == numpy.float32
    )


def test_a_float32_leaf_beside_float64_gets_a_float32_gradient():
    x, y = leaf([1.0]), leaf([2.0], "float64")
    (x * y).backward()
    assert x.grad.dtype == numpy.float32 and y.grad.dtype == numpy.float64


@pytest.mark.parametrize("numbers", [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0), (float("nan"), 1.0)])
def test_tensors_without_axes_compare_as_numbers_do(numbers):
    a, b = (leaf(number) for number in numbers)
    x, y = numbers
    for found, right in [(a < b, x < y), (a <= b, x <= y), (a > b, x > y), (a >= b, x >= y),
                         (a < y, x < y), (x >= b, x >= y), (numpy.float64(x) < b, x < y), (a > numpy.float32(y), x > y)]:  # fmt: skip
        assert found.shape == () and found.dtype == bool and bool(found) is right
    if x == x:
        assert min(a, b).item() == min(numbers) and max(a, b).item() == max(numbers)
        assert [t.item() for t in sorted([a, b])] == sorted(numbers)
    assert F.where(a > b, a, b).item() in (x, y)


@pytest.mark.parametrize(
    "scalar",
    [numpy.bool_(True), numpy.int8(3), numpy.uint64(3), numpy.float16(3), numpy.float64(3)],
)
def test_a_scalar_of_numpy_becomes_a_tensor_of_its_dtype(scalar):
    made = Tensor(scalar)
    assert made.shape == () and made.dtype == scalar.dtype and made.item() == scalar.item()


def test_a_tensor_of_one_element_is_written_as_the_number():
    loss = leaf([[2.5]])
    assert f"{loss:.3f} {loss:8.1e}" == "2.500  2.5e+00" and int(loss) == 2 and float(loss) == 2.5
    assert f"{loss}" == str(loss) == format(loss)
    with pytest.raises(ValueError, match=r"^item\(\): expected a tensor of one element"):
        f"{leaf([1.0, 2.0]):.3f}"


@pytest.mark.parametrize(
    "number",
    [
        2,
        2.0,
        True,
        numpy.float64(2),
        numpy.int64(2),
        numpy.bool_(True),
        "array 2.0",
        "array 2",
        "array True",
    ],
)
def test_no_number_changes_the_dtype_of_an_array(number):
    """Python's and NumPy's numbers, and arrays without axes."""
    if isinstance(number, str):
        number = to_device(numpy.array(eval(number.split()[1])))
    for dtype in ("float32", "float16"):
        x = leaf([1.0, 2.0], dtype)
        for result in (x + number, number * x, x / number, x**number, F.maximum(x, number)):
            assert result.dtype == dtype
        assert F.where(x > number, x, number).dtype == dtype
    alone = F.exp(to_device(numpy.array(2.0)))
    assert alone.dtype == numpy.float64  # alone it keeps its own


def test_an_option_without_axes_is_a_number(each_backend):
    x = leaf(numpy.ones((4, 3)), "float32")
    ones = to_device(numpy.ones(3, numpy.float32))
    eps = to_device(numpy.array(1e-5))
    assert F.batch_norm(x, ones, ones, eps=eps).dtype == numpy.float32
    assert F.sum(x, axis=to_device(numpy.array(0))).shape == (3,)


def test_backward_without_a_gradient_needs_a_single_number():
    with pytest.raises(
        ValueError, match=r"^backward\(\): expected a gradient of shape \(2,\), got none$"
    ):
        (leaf([1.0, 2.0]) * 2).backward()
    with pytest.raises(ValueError, match=r"^backward\(\): expected shape \(2,\), got \(3,\)$"):
        (leaf([1.0, 2.0]) * 2).backward([1.0, 2.0, 3.0])


def test_backward_from_a_tensor_that_needs_none_says_so():
    with pytest.raises(
        RuntimeError, match=r"^backward\(\): nothing that made this tensor has requires_grad$"
    ):
        (Tensor([1.0]) * 2).backward()


def test_a_second_backward_through_a_used_graph_says_so_and_changes_nothing():
    x = leaf([1.0])
    y = x.exp()
    z = y * 2
    other = y * 3 + x
    z.backward()
    before = grad(x).copy()
    with pytest.raises(
        RuntimeError,
        match=r"^backward\(\): this graph was used already, and what multiply had saved is gone. Run the forward",
    ):
        z.backward()
    with pytest.raises(RuntimeError, match=r"used already, and what exp had saved is gone"):
        other.backward()
    assert_array_equal(grad(x), before)


def test_a_backward_that_gives_nonsense_is_named():
    def wrong(x, y):
        return x + y, lambda g: answer

    for answer, error, message in [  # noqa: B007  (wrong's backward gives it)
        (
            (to_device(numpy.ones(3)), None),
            ValueError,
            r"wrong: expected a gradient of shape \(2,\) for operand 0 from backward, got \(3,\)",
        ),
        (
            (to_device(numpy.ones(2)),),
            TypeError,
            r"wrong: expected a tuple of 2 gradients from backward, one per operand, got \((A|nda)rray\)$",
        ),
        (
            (to_device(numpy.ones(2)),) * 3,
            TypeError,
            "wrong: expected a tuple of 2 gradients from backward, one per operand, got",
        ),
        (
            [1, 2],
            TypeError,
            "wrong: expected a tuple of 2 gradients from backward, one per operand, got list",
        ),
        (
            (None, None),
            TypeError,
            "wrong: expected a gradient for operand 0 from backward, got None",
        ),
    ]:
        with pytest.raises(error, match=message):
            apply(wrong, leaf([1.0, 2.0]), Tensor([1.0, 2.0])).backward([1.0, 1.0])


def test_a_backward_that_fails_leaves_the_gradients_so_far_and_a_used_graph():
    def fails(x):
        def backward(g):
            raise ZeroDivisionError

        return x * 1, backward

    x, y = leaf([1.0]), leaf([1.0])
    z = apply(fails, x * 1) + y
    with pytest.raises(ZeroDivisionError):
        z.backward()
    assert grad(y) == [1] and x.grad is None
    with pytest.raises(RuntimeError, match="used already"):
        z.backward()


def test_a_gradient_for_an_operand_that_was_left_out_may_be_none():
    x, weight = leaf([[1.0, 2.0]]), leaf([[3.0], [4.0]])
    F.linear(x, weight).backward()  # its backward gives None for the bias
    assert_array_equal(grad(x), [[3, 4]])
    assert F.linear(x, weight, [1.0]).item() == 12


@pytest.fixture
def own_functions():
    """Remove the functions that a test registers."""
    before = set(FUNCTIONS)
    yield
    for name in set(FUNCTIONS) - before:
        del FUNCTIONS[name]


@pytest.mark.usefixtures("own_functions")
def test_a_faster_form_that_takes_needs_input_grad_is_told_it_and_may_leave_out_the_others():
    told = []

    @ops.op
    def product(a, b, c):
        raise NotImplementedError("the faster form runs")

    def parts(needs, *gradients):
        told.append(needs)
        return tuple(gradient if needed else None for gradient, needed in zip(gradients, needs))

    @ops.faster(product)
    def pruned(a, b, c, needs_input_grad=(True, True, True)):
        return a * b * c, lambda g: parts(needs_input_grad, g * b * c, g * a * c, g * a * b)

    def run():
        a, b, c = leaf([2.0]), leaf([3.0]), Tensor(to_device(numpy.array([5.0], "float32")))
        apply(product, a * 1, b, c).backward()
        assert told.pop() == (True, True, False) and not told
        assert grad(a) == [15] and grad(b) == [10] and c.grad is None
        apply(product, 2.0, b.detach(), leaf([1.0])).backward()
        assert told.pop() == (False, False, True)
        with no_grad():
            assert not apply(product, a, b, c).requires_grad and not told

    run()

    @ops.faster(product)
    def by_name_alone(a, b, c, *, needs_input_grad=None):
        return pruned(a, b, c, needs_input_grad)

    run()

    @ops.faster(product)
    def declines(a, b, c, *, needs_input_grad=None):
        return NotImplemented

    run()


@pytest.mark.usefixtures("own_functions")
def test_a_form_without_needs_input_grad_is_not_told_and_a_backward_gets_the_gradient_alone():
    given = []

    @ops.op
    def product(a, b):
        needs_input_grad = a * 0  # a name inside a form is no parameter of it

        def backward(*args):
            (g,) = args
            given.append(needs_input_grad)
            return g * b, g * a

        return a * b, backward

    def twice(a, **options):  # no op: apply hands on what it was given
        assert not options
        return a * 2, lambda g: (g * 2,)

    def run():
        a = leaf([2.0])
        apply(twice, apply(product, a, [3.0])).backward()
        assert grad(a) == [6]

    run()
    ops.faster(product)(lambda a, b: product.plain(a, b))
    run()
    with ops.standing_in({product.forms.name: lambda a, b: product.default(a, b)}):
        run()
    assert len(given) == 3


@pytest.mark.parametrize(
    ("kernel", "n", "channels", "without", "form"),
    [
        (3, 2, 2, (), "columns_in_chunks"), (3, 2, 8, ("winograd",), "columns_in_chunks"), (3, 2, 8, (), "_channels_in_blocks"),
        (3, 4, 8, (), "_channels_in_blocks"), (3, 12, 8, (), "by_tiles"), (1, 2, 2, (), "pointwise"),
        (1, 2, 2, ("pointwise",), "columns_in_chunks"),
    ],
)  # fmt: skip
def test_conv2d_computes_no_gradient_of_images_that_need_none(kernel, n, channels, without, form):
    x = numpy.random.default_rng(0).standard_normal((n, 6, 5, channels))
    weight = numpy.ones((kernel, kernel, channels, 9))
    gradients = []
    for needs in (True, False):
        images, w = Tensor(to_device(x), requires_grad=needs), leaf(weight, "float64")
        with ops.without(*without):
            y = F.conv2d(images, w)
        backward = y.node.backward
        assert form in backward.__qualname__ or backend.name() not in ("numpy", "strict")
        y.node.backward = lambda g: gradients.append(backward(g)) or gradients[-1]
        (y * y).sum().backward()
        assert (images.grad is None) == (gradients[-1][0] is None) == (not needs)
        assert_array_equal(grad(w), to_host(gradients[0][1]))


def test_the_plain_conv2d_may_compute_a_gradient_that_nobody_needs():
    images = Tensor(to_device(numpy.ones((2, 6, 5, 2))))
    w = leaf(numpy.ones((3, 3, 2, 4)), "float64")
    with ops.plain():
        F.conv2d(images, w).sum().backward()
    assert images.grad is None and (grad(w) == 2 * 4 * 3).all()


@pytest.mark.parametrize(
    ("made", "told"),
    [(lambda x: x, r"(Array|ndarray)"), (lambda x: (x, x), r"\((Array|ndarray), (Array|ndarray)\)"), (lambda x: None, "NoneType"),
     (lambda x: (x,), r"\((Array|ndarray)\)"), (lambda x: (Tensor(x), lambda g: (g,)), r"\(Tensor, function\)")],
)  # fmt: skip
def test_an_op_that_gives_something_else_is_refused(made, told):
    def mine(x):
        return made(x)

    with pytest.raises(
        TypeError, match=rf"^mine: expected a pair \(array, backward\), got {told}$"
    ):
        apply(mine, leaf([1.0]))


def test_an_op_may_be_a_partial_or_an_object():
    class Twice:
        def __call__(self, x):
            return x * 2, lambda g: (g * 2,)

    x = leaf([1.0, 3.0])
    total = apply(functools.partial(ops.sum, axis=0), x)
    assert total.node.op == "sum" and total.item() == 4
    assert apply(Twice(), x).node.op == "Twice"
    total.backward()
    assert_array_equal(grad(x), [1, 1])


def test_tensors_are_keys_and_equal_to_themselves_alone():
    x, y = Tensor([1.0]), Tensor([1.0])
    assert {x: 1, y: 2}[x] == 1 and x == x and x != y and y in [x, y] and x not in [y]


# What is kept, and what is let go.


def test_saved_finds_arrays_in_tuples_and_lists_and_in_functions_that_backward_calls():
    a, b, c, d, e = (to_device(numpy.full(2, float(i))) for i in range(5))
    pair, inner = (a, [b, 7]), lambda g: g * c

    def backward(g):
        return (inner(g) * pair[0] * d + (later if g is None else 0),)

    found = saved(backward)
    assert list(found) == ["d", "inner.c", "pair[0]", "pair[1][0]"]  # `later` has no value yet
    assert all(array is wanted for array, wanted in zip(found.values(), (d, c, a, b)))
    later = e
    assert saved(backward)["later"] is later


@pytest.mark.parametrize(
    "function", [abs, functools.partial(max, 1), operator.itemgetter(0), Tensor]
)
def test_what_is_no_function_of_ones_own_saves_nothing_that_is_known(function):
    assert saved(function) == {}


def test_saved_ends_in_functions_that_know_each_other():
    x = to_device(numpy.ones(2))

    def even(n):
        return x if n == 0 else odd(n - 1)

    def odd(n):
        return even(n - 1)

    assert [array is x for array in saved(odd).values()] == [True]


def test_no_grad_builds_no_graph():
    x = leaf([1.0])
    with no_grad():
        y = x * 2
        with no_grad():
            pass
        assert not grad_enabled()
    assert not y.requires_grad and y.node is None and grad_enabled()

    @no_grad()
    def double(x):
        return x * 2

    assert not double(x).requires_grad and not double(x).requires_grad and (x * 2).requires_grad
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert grad_enabled()


def test_no_grad_concerns_its_own_thread():
    seen = []

    def look():
        seen.append(grad_enabled())
        with no_grad():
            seen.append(grad_enabled())
        seen.append(grad_enabled())

    with no_grad():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [True, False, True]


def test_detach_shares_the_numbers_and_leaves_the_graph():
    x = leaf([1.0])
    y = (x * 2).detach()
    assert not y.requires_grad and y.node is None
    z = x * 3
    assert z.detach().data is z.data


def test_a_node_does_not_hold_its_result():
    x = leaf([1.0, 2.0])
    y = x + 1
    assert isinstance(y.node, Node) and (y.node.op, y.node.shape, y.node.dtype) == (
        "add",
        (2,),
        numpy.float32,
    )
    assert not any(
        is_array(getattr(y.node, name)) for name in ("op", "parents", "backward", "shape", "dtype")
    )
    node = weakref.ref(y.node)
    assert node() is not None
    y = y + 1
    assert node() is not None
    del y
    assert node() is None


def test_nothing_outlives_a_step_with_the_collector_off():
    """Take weak references to every node and tensor of a step, and count all objects over more steps."""
    weight, alive = leaf(numpy.ones((3, 3, 2, 2))), []

    def step():
        x = Tensor(xp.ones((2, 4, 4, 2), dtype=xp.float32))
        y = F.conv2d(x, weight, padding=1)
        z = F.relu(F.batch_norm(y, Tensor([1, 1]), Tensor([0, 0])) + x)
        loss = F.cross_entropy(F.global_avg_pool(F.max_pool2d(z, 2)), [0, 1])
        alive.extend(weakref.ref(thing) for thing in (x, y, z, loss, y.node, z.node, loss.node))
        loss.backward()

    gc.collect()
    gc.disable()
    try:
        step()
        assert not [ref for ref in alive if ref() is not None]
        for _ in range(2):
            step()
        before = len(gc.get_objects())
        for _ in range(20):
            step()
        alive.clear()
        assert len(gc.get_objects()) <= before + 20
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_unused_graph_needs_no_collector_either():
    gc.collect()
    gc.disable()
    try:
        y = leaf([1.0]).exp()
        node = weakref.ref(y.node)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_the_walk_lets_go_of_what_it_has_passed():
    """When the first op's backward runs, the values that later ops saved have been released."""
    kept_by_later = []

    def first(x):
        def backward(g):
            kept_by_later.append(ref())
            return (g,)

        return x * 1, backward

    class Big:
        pass

    def later(x):
        big = Big()
        later.ref = weakref.ref(big)

        def backward(g):
            return (g,) if big else ()

        return x * 1, backward

    x = leaf([1.0])
    y = apply(later, apply(first, x))
    ref = later.ref
    assert ref() is not None
    y.backward()
    assert kept_by_later == [None]


def test_ops_on_tensors_leave_their_operands_alone():
    x = leaf([[-1.0, 2.0], [3.0, -4.0]])
    before = x.numpy().copy()
    y = F.log_softmax(F.relu(x) * 3 + x.max(1, True))
    y.backward([[1.0, 2.0], [3.0, 4.0]])
    assert_array_equal(x.numpy(), before)
    assert math.isfinite(float(to_host(x.grad).sum()))


@pytest.mark.parametrize(
    ("misuse", "error", "message"),
    [
        (lambda x: x @ 2, ValueError, r"^matmul: expected .* got \(2, 3\) and \(\)"),
        (
            lambda x: F.mse_loss(x, 1.0),
            ValueError,
            r"^mse_loss: expected a target of x's shape, \(2, 3\), got \(\)",
        ),
        (lambda x: F.conv2d(2.0, x), ValueError, r"^conv2d: expected images"),
        (
            lambda x: x.transpose(0),
            ValueError,
            r"^transpose: expected each of the 2 axes of shape \(2, 3\) once, got \(0,\)",
        ),
        (lambda x: F.pad(x, 3), ValueError, r"^pad: expected a pair"),
        (lambda x: F.pad(x, (1, 2)), ValueError, r"^pad: expected .* got \(1, 2\)"),
        (
            lambda x: F.cross_entropy(x, None),
            TypeError,
            "^cross_entropy: expected an array, .* got a builtins.NoneType",
        ),
        (
            lambda x: x + None,
            TypeError,
            "^add: expected an array, .* got a builtins.NoneType",
        ),
        (
            lambda x: F.linear(x, None),
            TypeError,
            "^linear: expected an array, .* got a builtins.NoneType",
        ),
        (
            lambda x: F.concatenate([x, None]),
            TypeError,
            "^concatenate: expected an array, .* got a builtins.NoneType",
        ),
        (
            lambda x: F.sum(x, axis=Tensor(0)),
            TypeError,
            "^sum: axis is an option, which has no gradient: pass tensor.data$",
        ),
        (
            lambda x: Tensor(3.0).sum(axis=0),
            ValueError,
            r"^axis 0 is out of bounds for shape \(\)$",
        ),
    ],
)
def test_misuse_from_the_public_call_gets_a_sentence(misuse, error, message):
    with pytest.raises(error, match=message):
        misuse(Tensor([[1, 2, 3], [4, 5, 6]]))


def test_a_number_alone_becomes_float32():
    assert F.exp(0).dtype == numpy.float32 and F.exp(0).item() == 1


def test_a_number_is_compared_in_the_tensors_type():
    x = Tensor(to_device(numpy.array([0.1])))
    assert bool(x >= 0.1) and bool(x <= 0.1) and not bool(x > 0.1) and not bool(x < 0.1)


def test_a_stand_in_is_handed_numbers_as_the_op_is():
    given = []
    with ops.standing_in(multiply=lambda a, b: given.append(b) or ops.multiply.default(a, b)):
        assert (Tensor(to_device(numpy.ones(1))) * 0.1).item() == 0.1
        assert (Tensor(to_device(numpy.ones(1))) * numpy.float32(0.5)).item() == 0.5
    assert given == [0.1, 0.5] and {type(number) for number in given} == {float}


# Memory.


def test_an_error_about_memory_names_the_op_the_shapes_and_the_batch():
    def greedy(x):
        raise MemoryError("Unable to allocate 7 GiB")

    message = r"^greedy of \(512, 3\): Unable to allocate 7 GiB. Try a smaller batch \(it has 512 examples\), or free other"
    with pytest.raises(MemoryError, match=message):
        apply(greedy, Tensor([[1.0] * 3] * 512))


def test_an_error_about_memory_on_the_way_back_is_told_once():
    def greedy(x):
        def backward(g):
            return apply(inner, Tensor(g)).data

        return x, backward

    def inner(g):
        raise MemoryError("none left")

    y = apply(greedy, Tensor([1.0, 2.0], requires_grad=True))
    with pytest.raises(
        MemoryError,
        match=r"^inner of \(2,\): none left. Try a smaller batch \(it has 2 examples\)[^:]*$",
    ):
        y.backward(Tensor([1.0, 1.0]))


def test_other_errors_of_an_op_stay_as_they_are():
    with pytest.raises(ZeroDivisionError, match="^division by zero$"):
        apply(lambda x: 1 / 0, Tensor([1.0]))
