"""softmax, log_softmax, cross_entropy and mse_loss, against the math module and numbers by hand."""

import math
import re

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import functional, ops
from minires.backend import BackendError, name, on_a_gpu, to_device, to_host
from minires.backend import strict as other_library
from minires.gradcheck import check_backward
from tests.strategies import SEEDS, SHAPES, SIZES, numbers, run, saved_by, types

pytestmark = pytest.mark.usefixtures("each_backend", "each_form")


# softmax and log_softmax


def softmax_by_loops(x, axis):
    y = numpy.zeros(x.shape)
    for index in numpy.ndindex(x.shape):
        line = list(index)
        line[axis] = slice(None)
        y[index] = math.exp(x[index]) / math.fsum(map(math.exp, x[tuple(line)]))
    return y


@given(SHAPES, st.data(), SEEDS)
def test_softmax_and_its_logarithm_along_any_axis(shape, data, seed):
    x, axis = numbers(seed, shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    expected = softmax_by_loops(x, axis)
    assert_allclose(run(ops.softmax, x, axis=axis)[0], expected, rtol=1e-12)
    assert_allclose(
        run(ops.log_softmax, x, axis=axis)[0], numpy.log(expected), rtol=1e-12, atol=1e-14
    )
    check_backward(ops.softmax, x, axis=axis)
    check_backward(ops.log_softmax, x, axis=axis)


def test_the_last_axis_is_the_default():
    x = numbers(0, (2, 3, 4))
    assert_allclose(run(ops.softmax, x)[0], softmax_by_loops(x, 2), rtol=1e-12)
    assert_allclose(run(ops.log_softmax, x)[0], numpy.log(softmax_by_loops(x, 2)), rtol=1e-12)
    check_backward(ops.softmax, x)
    check_backward(ops.log_softmax, x)


def test_softmax_by_hand():
    x = numpy.log([[1.0, 2.0, 5.0]])
    y, backward = run(ops.softmax, x)
    assert_allclose(y, [[0.125, 0.25, 0.625]], rtol=1e-14)
    assert_allclose(backward(numpy.array([[0.0, 8.0, 0.0]]))[0], [[-0.25, 1.5, -1.25]], rtol=1e-14)
    y, backward = run(ops.log_softmax, x)
    assert_allclose(y, numpy.log([[0.125, 0.25, 0.625]]), rtol=1e-14)
    assert_allclose(backward(numpy.array([[0.0, 8.0, 0.0]]))[0], [[-1, 6, -5]], rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [0, 1])
def test_logits_of_1000_do_not_overflow(dtype, axis):
    x = numpy.array([[1000, 1000, -1000], [-1000, -1000, -1000], [0, 1000, 1000]], dtype)
    x = x if axis == 1 else x.T
    with numpy.errstate(over="raise", divide="raise", invalid="raise"):
        y, backward = run(ops.softmax, x, axis=axis)
        log_y, log_backward = run(ops.log_softmax, x, axis=axis)
        gradients = backward(numpy.ones((3, 3), dtype)) + log_backward(numpy.ones((3, 3), dtype))
    expected = numpy.array([[1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3], [0, 1 / 2, 1 / 2]])
    half, third = math.log(2), math.log(3)
    expected_log = numpy.array(
        [[-half, -half, -2000 - half], [-third, -third, -third], [-1000 - half, -half, -half]]
    )
    assert_allclose(y, expected if axis == 1 else expected.T, rtol=1e-6)
    assert_allclose(log_y, expected_log if axis == 1 else expected_log.T, rtol=1e-6)
    assert all(numpy.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("op", [ops.softmax, ops.log_softmax])
def test_softmax_saves_its_result_and_keeps_the_type(op):
    x = numbers(0, (2, 3))
    (array,) = saved_by(op, x).values()
    assert_array_equal(array, run(op, x)[0])
    for dtype in ("float32", "float64"):
        assert types(op, x, dtype=dtype) == {dtype}
    y, backward = run(op, numpy.ones((0, 3)))
    assert y.shape == backward(y)[0].shape == (0, 3)


# cross_entropy

LOGITS = numpy.log([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])


def cross_entropy_by_loops(logits, labels, smoothing=0.0):
    """Return (loss, its gradient), from the definition."""
    n, k = logits.shape
    p = softmax_by_loops(logits, 1)
    target = [
        [(1 - smoothing) * (label == c) + smoothing / k for c in range(k)] for label in labels
    ]
    return -math.fsum(target[i][c] * math.log(p[i, c]) for i in range(n) for c in range(k)) / n, (
        p - target
    ) / n


@given(SIZES, st.integers(1, 5), st.sampled_from([0.0, 0.1, 0.7, 1.0]), SEEDS)
def test_cross_entropy_is_its_definition(n, k, smoothing, seed):
    logits, labels = 2 * numbers(seed, (n, k)), numpy.random.default_rng(seed).integers(0, k, n)
    loss, backward = run(ops.cross_entropy, logits, labels, label_smoothing=smoothing)
    expected, g_logits = cross_entropy_by_loops(logits, labels, smoothing)
    assert_allclose(loss, expected, rtol=1e-12, atol=1e-14)
    assert_allclose(backward(3.0)[0], 3 * g_logits, rtol=1e-12, atol=1e-14)
    check_backward(ops.cross_entropy, logits, labels, label_smoothing=smoothing)


def test_cross_entropy_is_a_mean_over_the_batch_in_nats():
    loss, backward = run(ops.cross_entropy, LOGITS, numpy.array([0, 1]))
    assert loss.shape == ()
    assert_allclose(loss, -(math.log(0.5) + math.log(0.2)) / 2, rtol=1e-14)
    g_logits, g_labels = backward(20.0)
    assert_allclose(g_logits, [[-5, 2.5, 2.5], [1, -8, 7]], rtol=1e-13)  # 20 * (p - target) / 2
    assert g_labels is None


def test_cross_entropy_at_chance_is_the_logarithm_of_the_number_of_classes():
    assert_allclose(
        run(ops.cross_entropy, numpy.zeros((4, 10)), numpy.array([0, 9, 3, 3]))[0],
        math.log(10),
        rtol=1e-14,
    )


def test_label_smoothing_spreads_its_part_over_all_classes():
    """For a smoothing of 0.3 and three classes, the target is 0.8 at the label and 0.1 elsewhere."""
    loss, backward = run(ops.cross_entropy, LOGITS, numpy.array([0, 2]), label_smoothing=0.3)
    first = 0.8 * math.log(0.5) + 0.1 * math.log(0.25) + 0.1 * math.log(0.25)
    second = 0.1 * math.log(0.1) + 0.1 * math.log(0.2) + 0.8 * math.log(0.7)
    assert_allclose(loss, -(first + second) / 2, rtol=1e-14)
    assert_allclose(backward(2.0)[0], [[-0.3, 0.15, 0.15], [0, 0.1, -0.1]], atol=1e-14)


def test_cross_entropy_of_logits_of_1000():
    logits = numpy.array([[1000.0, -1000.0], [1000.0, -1000.0]], "float32")
    with numpy.errstate(over="raise", divide="raise", invalid="raise"):
        loss, backward = run(ops.cross_entropy, logits, numpy.array([0, 1]))
        (g_logits, _) = backward(numpy.float32(1))
    assert loss == 1000 and loss.dtype == numpy.float32
    assert_array_equal(g_logits, [[0, 0], [0.5, -0.5]])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64"])
def test_labels_may_be_ints_of_any_size(dtype):
    loss, _ = run(ops.cross_entropy, LOGITS, numpy.array([0, 2], dtype))
    assert_allclose(loss, -(math.log(0.5) + math.log(0.7)) / 2, rtol=1e-14)


def test_cross_entropy_saves_softmax_minus_target():
    (difference,) = saved_by(ops.cross_entropy, LOGITS, numpy.array([0, 1])).values()
    assert_allclose(difference, [[-0.5, 0.25, 0.25], [0.1, -0.8, 0.7]], rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_keeps_the_type(dtype):
    for smoothing in (0.0, 0.1):
        assert types(
            ops.cross_entropy, LOGITS, numpy.array([0, 1]), dtype=dtype, label_smoothing=smoothing
        ) == {dtype}
        held = saved_by(
            ops.cross_entropy, LOGITS.astype(dtype), numpy.array([0, 1]), label_smoothing=smoothing
        )
        assert [array.dtype for array in held.values()] == [dtype]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_mean_over_no_images_is_no_number():
    loss, backward = run(ops.cross_entropy, numpy.zeros((0, 3)), numpy.zeros(0, int))
    assert numpy.isnan(loss)
    assert backward(1.0)[0].shape == (0, 3)
    loss, backward = run(ops.mse_loss, numpy.zeros((0, 3)), numpy.zeros((0, 3)))
    assert numpy.isnan(loss)
    assert [gradient.shape for gradient in backward(1.0)] == [(0, 3), (0, 3)]


@pytest.mark.parametrize(
    ("logits", "labels", "error", "message"),
    [
        (
            LOGITS,
            numpy.array([0.0, 1.0], "float32"),
            TypeError,
            "expected ints as labels, the index of each class, got float32",
        ),
        (
            LOGITS,
            numpy.array([True, False]),
            TypeError,
            "expected ints as labels, the index of each class, got bool",
        ),
        (
            LOGITS,
            numpy.array([-1, 2]),
            ValueError,
            "expected labels from 0 to 2, for 3 classes, got labels from -1 to 2",
        ),
        (
            LOGITS,
            numpy.array([3, 0]),
            ValueError,
            "expected labels from 0 to 2, for 3 classes, got labels from 0 to 3",
        ),
        (
            LOGITS,
            numpy.array([1, 255], "uint8"),
            ValueError,
            "expected labels from 0 to 2, for 3 classes, got labels from 1 to 255",
        ),
        (
            LOGITS,
            numpy.array([0, 1, 2]),
            ValueError,
            "expected labels of shape (2,), one per row of the logits, got (3,)",
        ),
        (
            LOGITS,
            numpy.array([1]),
            ValueError,
            "expected labels of shape (2,), one per row of the logits, got (1,)",
        ),
        (
            LOGITS,
            numpy.array(1),
            ValueError,
            "expected labels of shape (2,), one per row of the logits, got ()",
        ),
        (
            LOGITS,
            numpy.array([[0], [1]]),
            ValueError,
            "expected labels of shape (2,), one per row of the logits, got (2, 1)",
        ),
        (
            LOGITS,
            numpy.array([[1, 0, 0], [0, 1, 0]]),
            ValueError,
            "expected labels of shape (2,), one per row of the logits, got (2, 3)",
        ),
        (LOGITS[0], numpy.array([0]), ValueError, "expected logits of shape (N, K), got (3,)"),
        (
            LOGITS[None],
            numpy.array([0]),
            ValueError,
            "expected logits of shape (N, K), got (1, 2, 3)",
        ),
    ],
)
def test_cross_entropy_refuses(logits, labels, error, message, each_form):
    if on_a_gpu() and each_form == "default" and message.startswith("expected labels from"):
        assert numpy.isnan(run(ops.cross_entropy, logits, labels)[0])
        return
    with pytest.raises(error, match=f"^{re.escape(f'cross_entropy: {message}')}$"):
        run(ops.cross_entropy, logits, labels)


def test_cross_entropy_of_tensors_refuses_labels_of_another_library():
    logits, labels = to_device(LOGITS), numpy.array([0, 1])
    foreign = labels if name() != "numpy" else other_library.to_device(labels)
    kind, cure = (
        ("numpy.ndarray", "to_device")
        if name() != "numpy"
        else ("minires.backend.strict.Array", "create it after")
    )
    with pytest.raises(
        BackendError,
        match=f"^cross_entropy: expected an array of {name()}, got a {kind}: {cure}",
    ):
        functional.cross_entropy(logits, foreign)


def test_lists_are_labels_of_tensors_and_not_of_arrays():
    loss = functional.cross_entropy(to_device(LOGITS), [0, 1])
    assert float(loss) == float(
        to_host(ops.cross_entropy(to_device(LOGITS), to_device(numpy.array([0, 1])))[0])
    )
    with pytest.raises(
        TypeError,
        match="^cross_entropy: expected ints as labels, the index of each class, got list$",
    ):
        ops.cross_entropy(to_device(LOGITS), [0, 1])


@pytest.mark.parametrize("smoothing", [-0.1, 1.1])
def test_cross_entropy_refuses_a_smoothing_that_is_no_share(smoothing):
    message = f"cross_entropy: expected 0 <= label_smoothing <= 1, got {smoothing}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(ops.cross_entropy, LOGITS, numpy.array([0, 1]), label_smoothing=smoothing)


def test_the_labels_are_only_read():
    labels = to_device(numpy.array([0, 1]))
    _, backward = ops.cross_entropy(to_device(LOGITS), labels)
    backward(to_device(numpy.array(1.0)))
    assert_array_equal(to_host(labels), [0, 1])


# mse_loss


@given(SHAPES, SEEDS)
def test_mse_loss_is_the_mean_over_all_elements(shape, seed):
    x, target = numbers(seed, shape), numbers(seed + 1, shape)
    loss, _ = run(ops.mse_loss, x, target)
    assert loss.shape == ()
    assert_allclose(
        loss, math.fsum((x[i] - target[i]) ** 2 for i in numpy.ndindex(shape)) / x.size, rtol=1e-12
    )
    check_backward(ops.mse_loss, x, target)


def test_mse_loss_by_hand():
    loss, backward = run(
        ops.mse_loss, numpy.array([[1.0, 2.0], [3.0, 8.0]]), numpy.array([[1.0, 4.0], [2.0, 3.0]])
    )
    assert loss == 7.5
    g_x, g_target = backward(2.0)
    assert_array_equal(g_x, [[0, -2], [1, 5]])
    assert_array_equal(g_target, [[0, 2], [-1, -5]])


def test_mse_loss_saves_the_difference_and_keeps_the_type():
    x, target = numpy.array([[1.0, 2.0]]), numpy.array([[5.0, 3.0]])
    (array,) = saved_by(ops.mse_loss, x, target).values()
    assert_array_equal(array, [[-4, -1]])
    for dtype in ("float32", "float64"):
        assert types(ops.mse_loss, x, target, dtype=dtype) == {dtype}


@pytest.mark.parametrize(
    "shapes", [((2, 3), (3,)), ((2, 1), (2,)), ((2, 3), (2, 1)), ((2,), ()), ((2, 3), (3, 2))]
)
def test_mse_loss_refuses_shapes_that_differ_even_if_they_broadcast(shapes):
    message = f"mse_loss: expected a target of x's shape, {shapes[0]}, got {shapes[1]}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(ops.mse_loss, *map(numpy.ones, shapes))


def test_an_impossible_class_that_is_not_the_label_costs_nothing():
    logits = numpy.array([[0.0, -numpy.inf, 1.0]])
    loss, backward = run(ops.cross_entropy, logits, numpy.array([2]))
    assert_allclose(loss, numpy.log(1 + numpy.exp(-1)), rtol=1e-12)
    assert_allclose(
        backward(numpy.array(1.0))[0], [[1 / (1 + numpy.e), 0, -1 / (1 + numpy.e)]], rtol=1e-12
    )


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_mse_loss_refuses_numbers_that_are_no_floats_on_both_sides(dtype):
    """0 - 1 is 255 in uint8."""
    x, target = numpy.zeros(2, dtype), numpy.ones(2, dtype)
    with pytest.raises(
        TypeError, match=f"^mse_loss: expected floats, got an x of {dtype} and a target of {dtype}$"
    ):
        run(ops.mse_loss, x, target)
    assert (
        run(ops.mse_loss, x.astype("float32"), target)[0]
        == run(ops.mse_loss, x, target.astype("float32"))[0]
        == 1
    )
