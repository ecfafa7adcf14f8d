"""float32 sums, means, variances and gradients that add up are right to 1e-6, however many numbers there are, against float64."""

import numpy
import pytest

from minires import Tensor, ops
from minires import functional as F
from minires.backend import to_device, to_host

ALIKE = numpy.float32(
    0.1
)  # each addition of equal numbers is rounded the same way: errors don't cancel
SHAPES = [
    ((400_000, 4), 0),
    ((4, 400_000), 1),
    ((1000, 100, 30), (0, 1)),
    ((1000, 100, 30), (0, 2)),
    ((100, 1000, 30), 1),
    ((16, 50, 50, 40), (0, 1, 2)),
    ((16, 50, 50, 40), (1, 2)),
    ((128, 4), 0),
    ((300_000,), None),
]
LARGE = [
    ((10_000_000,), None),
    ((10_000_000, 1), 0),
    ((2_500_000, 4), 0),
    ((20, 250_000, 2), (0, 1)),
]


@pytest.fixture(params=["default", "plain"])
def forms(request):
    with ops.plain() if request.param == "plain" else ops.without():
        yield


def numbers(kind, shape):
    if kind == "alike":
        return numpy.full(shape, ALIKE)
    return numpy.random.default_rng(len(shape)).random(shape, numpy.float32)


def error(found, right):
    """The largest relative error."""
    found = to_host(found).astype(numpy.float64)
    assert found.shape == numpy.shape(right)
    return numpy.max(numpy.abs(found - right) / numpy.abs(right))


@pytest.mark.usefixtures("forms")
@pytest.mark.parametrize("kind", ["alike", "random"])
@pytest.mark.parametrize(
    ("shape", "axis"), [*SHAPES, *(pytest.param(*case, marks=pytest.mark.slow) for case in LARGE)]
)
def test_sums_means_and_variances_keep_their_digits(kind, shape, axis):
    x = numbers(kind, shape)
    exact = x.astype(numpy.float64)
    for array in (x, numpy.asfortranarray(x)):
        tensor = Tensor(to_device(array))
        assert error(tensor.sum(axis=axis).data, exact.sum(axis=axis)) < 1e-6
        assert error(tensor.mean(axis=axis).data, exact.mean(axis=axis)) < 1e-6
        if kind == "random":
            assert error(tensor.var(axis=axis).data, exact.var(axis=axis)) < 1e-6
            assert error(tensor.var(axis=axis, ddof=1).data, exact.var(axis=axis, ddof=1)) < 1e-6


@pytest.mark.usefixtures("forms")
@pytest.mark.parametrize("kind", ["alike", "random"])
@pytest.mark.parametrize("rows", [128, 100_000, pytest.param(2_500_000, marks=pytest.mark.slow)])
def test_gradients_of_what_was_broadcast_keep_their_digits(kind, rows):
    """The gradient of the broadcast operand is the sum of the upstream gradient's rows."""
    g = numbers(kind, (rows, 4))
    right = g.sum(axis=0, dtype=numpy.float64)
    x, image = numpy.ones((rows, 4), numpy.float32), numpy.ones((rows // 4, 2, 2, 4), numpy.float32)

    def gradient(function, x, g):
        """The gradient of b in function(x, b) for the upstream gradient g."""
        b = Tensor(to_device(numpy.ones(4, numpy.float32)), requires_grad=True)
        function(Tensor(to_device(x)), b).backward(to_device(g))
        return b.grad

    eye = to_device(numpy.eye(4, dtype=numpy.float32))
    one = to_device(numpy.ones((1, 1, 4, 4), numpy.float32))
    kernel = to_device(numpy.ones((3, 3, 4, 4), numpy.float32))
    flat = {
        "add": F.add,
        "subtract": lambda x, b: x - (-b),
        "multiply": F.multiply,
        "divide": lambda x, b: x / (1 / b),
        "linear": lambda x, b: F.linear(x, eye, b),
    }
    for name, function in flat.items():
        assert error(gradient(function, x, g), right) < 1e-6, name
    images = {
        "conv2d, 1x1": lambda x, b: F.conv2d(x, one, b),
        "conv2d, 3x3": lambda x, b: F.conv2d(x, kernel, b, padding=1),
        "batch_norm": lambda x, b: F.batch_norm(x, to_device(numpy.ones(4, numpy.float32)), b),
    }
    for name, function in images.items():
        assert error(gradient(function, image, g.reshape(image.shape)), right) < 1e-6, name


@pytest.mark.usefixtures("forms")
def test_statistics_and_pooling_keep_their_digits():
    x = numbers("random", (40, 80, 80, 3))
    exact = x.astype(numpy.float64)
    mean, var = ops.channel_stats(to_device(x))
    assert error(mean, exact.mean(axis=(0, 1, 2))) < 1e-6
    assert error(var, exact.var(axis=(0, 1, 2))) < 1e-6
    for array in (x, numpy.full(x.shape, ALIKE)):
        pooled = F.global_avg_pool(Tensor(to_device(array))).data
        assert error(pooled, array.mean(axis=(1, 2), dtype=numpy.float64)) < 1e-6
        pooled = F.avg_pool2d(Tensor(to_device(array[:2])), kernel=80).data
        assert error(pooled, array[:2].mean(axis=(1, 2), keepdims=True, dtype=numpy.float64)) < 1e-6


@pytest.mark.usefixtures("forms")
def test_softmax_along_any_axis_keeps_its_digits():
    x = numbers("random", (200_000, 3))
    powers = numpy.exp(x.astype(numpy.float64))
    right = powers / powers.sum(axis=0)
    assert error(F.softmax(Tensor(to_device(x)), axis=0).data, right) < 1e-6
    assert error(F.log_softmax(Tensor(to_device(x)), axis=0).data, numpy.log(right)) < 1e-6


@pytest.mark.parametrize("kind", [bool, numpy.int8, numpy.uint8, numpy.int64])
def test_sums_of_whole_numbers_are_exact_and_their_mean_is_float64(kind):
    x = numpy.arange(1000).astype(kind).reshape(100, 10)
    tensor = Tensor(to_device(x))
    for axis in (None, 0, 1):
        numpy.testing.assert_array_equal(to_host(tensor.sum(axis=axis).data), x.sum(axis=axis))
        assert tensor.sum(axis=axis).dtype == x.sum(axis=axis).dtype
        numpy.testing.assert_allclose(to_host(tensor.mean(axis=axis).data), x.mean(axis=axis))
        assert tensor.mean(axis=axis).dtype == numpy.float64


def test_a_mean_of_float16_does_not_overflow_where_its_sum_would():
    x = Tensor(to_device(numpy.full((1000, 3), 300, numpy.float16)))
    assert to_host(x.mean(axis=0).data).tolist() == [300] * 3
    assert x.mean(axis=0).dtype == numpy.float16
