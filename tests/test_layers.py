"""The layers: each compared with loops or numbers by hand; defaults, initialisation and errors."""

from contextlib import nullcontext

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import functional as F
from minires import models, nn, ops
from minires.backend import BackendError, is_array, to_device, to_host
from minires.fast.blocks import norm_relu
from minires.nn import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)
from minires.tensor import Tensor
from tests.strategies import numbers
from tests.test_conv import conv2d_by_loops

pytestmark = pytest.mark.usefixtures("each_backend")


def tensor(values, dtype=numpy.float32, **options):
    return Tensor(to_device(numpy.array(values, dtype)), **options)


def fill(layer, seed=7):
    """Fill all parameters with random numbers and all buffers with positive ones; return the state in float64."""
    layer.astype("float64")
    state = {
        name: numbers(seed + i, value.shape)
        for i, (name, value) in enumerate(layer.state_dict().items())
    }
    state = {
        name: abs(value) + 0.1 if name.endswith("running_var") else value
        for name, value in state.items()
    }
    layer.load_state_dict(state)
    return state


# Linear


def test_linear_is_x_times_weight_plus_bias():
    layer = Linear(2, 3)
    layer.load_state_dict(
        {"weight": numpy.array([[1, 2, 3], [10, 20, 30]]), "bias": numpy.array([100, 200, 300])}
    )
    assert_array_equal(layer(tensor([[1, 1], [2, 0]])).numpy(), [[111, 222, 333], [102, 204, 306]])
    assert layer(tensor(numpy.ones((4, 5, 2)))).shape == (4, 5, 3)


def test_linear_starts_uniform_within_one_over_the_root_of_its_inputs():
    nn.manual_seed(3)
    layer, rng, bound = Linear(6, 4), numpy.random.default_rng(3), 1 / numpy.sqrt(6)
    assert_array_equal(
        layer.weight.numpy(), rng.uniform(-bound, bound, (6, 4)).astype(numpy.float32)
    )
    assert_array_equal(layer.bias.numpy(), rng.uniform(-bound, bound, 4).astype(numpy.float32))
    wide = Linear(100, 300)
    for parameter in wide.parameters():
        assert 0.098 < abs(parameter.numpy()).max() <= 0.1
        assert abs(parameter.numpy().mean()) < 0.01


def test_linear_without_bias():
    layer = Linear(2, 1, bias=False)
    assert layer.bias is None and list(layer.state_dict()) == ["weight"]
    layer.load_state_dict({"weight": numpy.array([[1], [10]])})
    assert layer(tensor([[2, 3]])).item() == 32
    assert list(Linear(2, 1).state_dict()) == ["weight", "bias"]


def test_linear_of_one_feature_to_one():
    assert Linear(1, 1).weight.shape == (1, 1)


# Conv2d


@pytest.mark.parametrize(
    ("arguments", "options", "kernel", "stride", "padding"),
    [
        ((3, 4, (2, 3)), {}, (2, 3), (1, 1), (0, 0)),
        ((3, 4, 3), {"stride": 2, "padding": 1}, (3, 3), (2, 2), (1, 1)),
        ((3, 4, (3, 2)), {"stride": (1, 3), "padding": (2, 0)}, (3, 2), (1, 3), (2, 0)),
        ((3, 1, 1), {"stride": (3, 1), "bias": False}, (1, 1), (3, 1), (0, 0)),
    ],
)
def test_conv2d_is_the_sum_over_the_window_and_the_channels(
    arguments, options, kernel, stride, padding
):
    layer, x = Conv2d(*arguments, **options), numbers(0, (2, 6, 5, 3))
    assert layer.weight.shape == (*kernel, *arguments[:2])
    assert (layer.stride, layer.padding) == (stride, padding)
    state = fill(layer)
    expected = conv2d_by_loops(
        x, state["weight"], state.get("bias", numpy.zeros(arguments[1])), stride, padding
    )
    assert_allclose(layer(Tensor(to_device(x))).numpy(), expected, atol=1e-12)


def test_conv2d_starts_kaiming_normal_by_fan_out_with_its_bias_at_0():
    nn.manual_seed(3)
    layer, rng = Conv2d(3, 5, (2, 4)), numpy.random.default_rng(3)
    deviation = numpy.sqrt(2 / (2 * 4 * 5))
    assert_array_equal(
        layer.weight.numpy(), rng.normal(0, deviation, (2, 4, 3, 5)).astype(numpy.float32)
    )
    assert_array_equal(layer.bias.numpy(), numpy.zeros(5, numpy.float32))
    assert layer.bias.dtype == numpy.float32


def test_conv2d_without_bias():
    layer = Conv2d(3, 5, 1, bias=False)
    assert layer.bias is None and list(layer.state_dict()) == ["weight"]
    assert list(Conv2d(3, 5, 1).state_dict()) == ["weight", "bias"]


# BatchNorm


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_of_a_vector_is_refused(training):
    with pytest.raises(ValueError, match=r"expected an x of shape \(N, "):
        BatchNorm(3).train(training)(tensor(numpy.ones(3)))


def by_hand(x, gamma, beta, eps):
    """Subtract each channel's mean, and divide by the root of its biased variance."""
    rows = x.reshape(-1, x.shape[-1])
    mean = rows.sum(axis=0) / len(rows)
    var = ((rows - mean) ** 2).sum(axis=0) / len(rows)
    return (
        (x - mean) / numpy.sqrt(var + eps) * gamma + beta,
        mean,
        var * len(rows) / (len(rows) - 1),
    )


SHAPES = [(5, 3), (2, 5, 4, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", [{}, {"momentum": 0.3, "eps": 0.5}])
def test_batch_norm_normalises_by_the_batch_and_its_running_statistics_follow(shape, options):
    layer = BatchNorm(3, **options)
    state = fill(layer)
    running_mean, running_var = state["running_mean"], state["running_var"]
    eps, momentum = options.get("eps", 1e-5), options.get("momentum", 0.1)
    for step in range(4):
        # a variance near 1e-4, so that eps is seen.
        x = numbers(step, shape) * 0.01 * (step + 1) + step
        expected, mean, unbiased = by_hand(x, state["weight"], state["bias"], eps)
        assert_allclose(layer(Tensor(to_device(x))).numpy(), expected, rtol=1e-10, atol=1e-10)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * unbiased
        assert_allclose(to_host(layer.running_mean), running_mean, rtol=1e-12)
        assert_allclose(to_host(layer.running_var), running_var, rtol=1e-12)


def test_batch_norm_by_hand():
    """1, 3 and 8 have the mean 4 and squared deviations that sum to 26; the biased variance is 26/3, the unbiased 13."""
    layer = BatchNorm(1, eps=1 / 3)
    y = layer(tensor([[1], [3], [8]]))
    assert_allclose(y.numpy(), [[-1], [-1 / 3], [4 / 3]], rtol=1e-6)
    assert_allclose(to_host(layer.running_mean), [0.4], rtol=1e-6)
    assert_allclose(to_host(layer.running_var), [0.9 + 1.3], rtol=1e-6)


def test_batch_norm_starts_as_weight_1_bias_0_mean_0_and_variance_1():
    layer = BatchNorm(2)
    expected = {"weight": [1, 1], "bias": [0, 0], "running_mean": [0, 0], "running_var": [1, 1]}
    assert list(layer.state_dict()) == list(expected)
    for name, value in layer.state_dict().items():
        assert value.dtype == numpy.float32
        assert_array_equal(value, expected[name])
    assert (layer.eps, layer.momentum) == (1e-5, 0.1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("options", [{}, {"eps": 0.5}])
def test_batch_norm_in_evaluation_uses_the_running_statistics_and_leaves_them(shape, options):
    layer = BatchNorm(3, **options).eval()
    state = fill(layer)
    state["running_var"] = numpy.array([1e-4, 0.5, 2.0])
    layer.load_state_dict(state)
    x = numbers(0, shape)
    scale = state["weight"] / numpy.sqrt(state["running_var"] + options.get("eps", 1e-5))
    for batch in (x, x[:1]):  # also one example alone
        t = Tensor(to_device(batch), requires_grad=True)
        y = layer(t)
        assert_allclose(
            y.numpy(), (batch - state["running_mean"]) * scale + state["bias"], rtol=1e-10
        )
        g = numbers(1, batch.shape)
        y.backward(to_device(g))
        assert_allclose(to_host(t.grad), g * scale, rtol=1e-10)  # the statistics are constants
    for name, value in layer.state_dict().items():
        assert_array_equal(value, state[name])


def test_batch_norm_back_in_training_moves_on():
    layer = BatchNorm(1)
    x = tensor([[1.0], [3.0]])
    layer(x)
    layer.eval()(x)
    layer.train()(x)
    assert_allclose(to_host(layer.running_mean), [2 * 0.1 + 0.9 * 2 * 0.1], rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_of_batch_norm_in_training_knows_that_the_statistics_move(shape):
    layer = BatchNorm(3, eps=0.25)
    state = fill(layer)
    x, g, step = numbers(0, shape), numbers(1, shape), 1e-6
    t = Tensor(to_device(x), requires_grad=True)
    layer(t).backward(to_device(g))
    direction = numbers(2, shape)
    ahead, behind = (
        by_hand(x + s * step * direction, state["weight"], state["bias"], 0.25)[0] for s in (1, -1)
    )
    assert_allclose(
        (to_host(t.grad) * direction).sum(), (g * (ahead - behind)).sum() / (2 * step), rtol=1e-7
    )
    x_hat = by_hand(x, 1, 0, 0.25)[0]
    assert_allclose(to_host(layer.weight.grad), (g * x_hat).reshape(-1, 3).sum(axis=0), rtol=1e-10)
    assert_allclose(to_host(layer.bias.grad), g.reshape(-1, 3).sum(axis=0), rtol=1e-10)


@pytest.mark.parametrize("forms", [nullcontext, ops.plain])
def test_batch_norm_computes_its_statistics_once(forms):
    """The module computes them, and passes them to the op."""
    calls = []

    def counted(x):
        calls.append(x.shape)
        return ops.channel_stats.default(x)

    x = tensor([[1.0], [3.0]])
    with forms(), ops.standing_in(channel_stats=counted):
        assert_allclose(BatchNorm(1, eps=0)(x).numpy(), [[-1], [1]])
        assert calls == [(2, 1)]
        BatchNorm(1).eval()(x)
        assert calls == [(2, 1)]
        norm_relu(BatchNorm(1), x)
        assert calls == [(2, 1)] * 2


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("with_add", [True, False])
def test_batch_norm_with_an_add_and_a_relu_is_the_separate_ops_in_a_row(training, relu, with_add):
    """The result, gradients and running statistics are the same; without `add`, nothing is added."""
    rng = numpy.random.default_rng(3)
    x, add, g = (rng.normal(2, 3, (4, 3, 5, 2)) for _ in range(3))
    weight = numpy.array([0.5, -2.0])
    bias = numpy.array([0.25, -1.0])
    mean = numpy.array([1.5, 2.5])
    var = numpy.array([4.0, 0.5])

    def results(forward):
        layer = BatchNorm(2, eps=0.1).train(training)
        layer.weight.data, layer.bias.data = to_device(weight), to_device(bias)
        layer.running_mean, layer.running_var = to_device(mean.copy()), to_device(var.copy())
        leaves = [Tensor(to_device(array), requires_grad=True) for array in (x, add)]
        y = forward(layer, leaves[0], leaves[1] if with_add else None)
        y.backward(to_device(g))
        grads = [leaf.grad for leaf in (*leaves, layer.weight, layer.bias)]
        return [
            array if array is None else to_host(array)
            for array in (y.data, *grads, layer.running_mean, layer.running_var)
        ]

    def in_a_row(layer, x, add):
        if training:
            y = F.batch_norm(x, layer.weight, layer.bias, eps=0.1)
            batch_mean = to_host(x.data).mean(axis=(0, 1, 2))
            batch_var = to_host(x.data).var(axis=(0, 1, 2), ddof=1)
            layer.running_mean, layer.running_var = (
                to_device(0.9 * old + 0.1 * new)
                for old, new in ((mean, batch_mean), (var, batch_var))
            )
        else:
            y = F.batch_norm_frozen(
                x, layer.weight, layer.bias, mean=layer.running_mean, var=layer.running_var, eps=0.1
            )
        y = y if add is None else y + add
        return F.relu(y) if relu else y

    expected = results(in_a_row)
    assert (expected[0] < 0).any() != relu and (expected[2] is not None) == with_add
    for forms in (nullcontext, ops.plain):
        with forms():
            found = results(lambda layer, x, add: norm_relu(layer, x, add, relu))
        for a, b in zip(found, expected, strict=True):
            assert (a is None and b is None) or a.dtype == b.dtype
            if a is not None:
                assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_plain_forms_last_as_long_as_their_block_and_one_within_another_does_not_end_them():
    block, x = models.BasicBlock(2, 2), tensor(numpy.ones((2, 3, 3, 2)), requires_grad=True)
    assert block(x).node.op == "norm_add_relu"
    with ops.plain():
        with ops.plain():
            pass
        assert block(x).node.op == "relu" and block.bn1(x).node.op == "batch_norm"
        assert block.eval().bn1(x).node.op == "batch_norm_frozen" and block(x).node.op == "relu"
    with pytest.raises(RuntimeError, match="within"), ops.plain():
        raise RuntimeError("within")
    assert block(x).node.op == block.train()(x).node.op == "norm_add_relu"


def test_running_statistics_are_bare_arrays_and_stay_the_same_ones():
    layer = BatchNorm(2)
    mean, var = layer.running_mean, layer.running_var
    layer(tensor([[1, 2], [3, 5]], requires_grad=True))
    assert layer.running_mean is mean and layer.running_var is var
    assert is_array(mean) and is_array(var) and to_host(var).dtype == numpy.float32


def test_batch_norm_of_two_values_a_channel_is_the_least():
    layer = BatchNorm(1, eps=0)
    assert_allclose(layer(tensor([[1], [5]])).numpy(), [[-1], [1]], rtol=1e-6)
    assert_allclose(to_host(layer.running_var), [0.9 + 0.1 * 8], rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 1, 3)])
def test_batch_norm_refuses_one_value_a_channel_in_training_only(shape):
    layer = BatchNorm(3)
    x = tensor(numpy.ones(shape))
    with pytest.raises(
        ValueError,
        match=r"^batch_norm: expected two or more values per channel, as a variance needs, got 1 in an x of shape \(.*\); leave out a last batch of one image \(drop_last=True\), or choose a different batch size$",
    ):
        layer(x)
    # a refused batch leaves no trace.
    assert_array_equal(to_host(layer.running_mean), numpy.zeros(3))
    assert_array_equal(to_host(layer.running_var), numpy.ones(3))
    assert layer.eval()(x).shape == shape


def test_batch_norm_refuses_another_number_of_channels_and_leaves_no_trace():
    layer = BatchNorm(3)
    with pytest.raises(ValueError, match=r"expected a gamma of shape \(2,\), got \(3,\)"):
        layer(tensor(numpy.ones((4, 2))))
    assert_array_equal(to_host(layer.running_mean), numpy.zeros(3))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the statistics of nothing
def test_an_empty_batch_is_refused_in_training_and_passes_in_evaluation():
    layer, x = BatchNorm(3), tensor(numpy.ones((0, 2, 2, 3)))
    with pytest.raises(
        ValueError,
        match=r"^channel_stats: expected one or more values per channel, .* got 0 in an x of shape \(0, 2, 2, 3\)",
    ):
        layer(x)
    assert layer.eval()(x).shape == (0, 2, 2, 3)


# Without weights


def test_relu_is_the_larger_of_x_and_0():
    assert_array_equal(ReLU()(tensor([-2, 0, 3])).numpy(), [0, 0, 3])


def pooled_by_loops(x, kernel, stride, padding, reduce, outside):
    ph, pw = padding
    x = numpy.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)), constant_values=outside)
    rows = range(0, x.shape[1] - kernel[0] + 1, stride[0])
    columns = range(0, x.shape[2] - kernel[1] + 1, stride[1])
    return numpy.array(
        [
            [
                [reduce(image[i : i + kernel[0], j : j + kernel[1]], axis=(0, 1)) for j in columns]
                for i in rows
            ]
            for image in x
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "options", "window"),
    [
        ((2,), {}, ((2, 2), (2, 2), (0, 0))),
        (((3, 2),), {}, ((3, 2), (3, 2), (0, 0))),
        ((3,), {"stride": 2, "padding": 1}, ((3, 3), (2, 2), (1, 1))),
        (((2, 4),), {"stride": (1, 3), "padding": (0, 2)}, ((2, 4), (1, 3), (0, 2))),
        ((2,), {"stride": 1}, ((2, 2), (1, 1), (0, 0))),
    ],
)
@pytest.mark.parametrize(
    ("layer", "reduce", "outside"), [(MaxPool2d, numpy.max, -numpy.inf), (AvgPool2d, numpy.mean, 0)]
)
def test_a_pooling_is_one_number_for_each_window(
    layer, reduce, outside, arguments, options, window
):
    x = numbers(0, (2, 7, 6, 3)) - 3  # mostly below 0: padding with zeros would win
    layer = layer(*arguments, **options)
    assert (layer.kernel_size, layer.stride, layer.padding) == window
    assert_allclose(
        layer(Tensor(to_device(x))).numpy(),
        pooled_by_loops(x, *window, reduce, outside),
        atol=1e-12,
    )


def test_global_avg_pool_is_the_mean_of_each_channel():
    x = numpy.arange(24.0).reshape(2, 2, 3, 2)
    assert_array_equal(GlobalAvgPool()(tensor(x)).numpy(), [[5, 6], [17, 18]])


def test_flatten_puts_the_features_of_an_example_in_a_row():
    x = numpy.arange(24.0).reshape(2, 3, 4, 1)
    assert_array_equal(Flatten()(tensor(x)).numpy(), x.reshape(2, 12))
    assert Flatten()(tensor(numpy.ones(3))).shape == (3, 1)
    assert Flatten()(tensor(numpy.ones((3, 5)))).shape == (3, 5)


def test_flatten_of_an_empty_batch_keeps_the_features():
    """Ops accept an empty batch if PyTorch does; a Linear layer after Flatten needs the number of features."""
    x = tensor(numpy.ones((0, 3, 4, 2)))
    assert Sequential(Flatten(), Linear(24, 5))(x).shape == (0, 5)
    assert Flatten()(x).shape == (0, 24)


def test_flatten_of_an_example_without_features():
    assert Flatten()(tensor(numpy.ones((3, 0, 2)))).shape == (3, 0)


def test_identity_is_x():
    x = tensor([1.0])
    assert Identity()(x) is x


# Dropout


def test_dropout_zeroes_a_share_p_and_keeps_the_mean():
    nn.manual_seed(0)
    y = Dropout(0.25)(tensor(numpy.full((100, 200), 3.0))).numpy()
    assert y.dtype == numpy.float32
    assert_allclose(numpy.unique(y), [0, 4])
    assert abs((y == 0).mean() - 0.25) < 0.01 and abs(y.mean() - 3) < 0.05


def test_dropout_drops_half_by_default():
    assert Dropout().p == 0.5
    assert set(Dropout()(tensor(numpy.ones(100))).numpy()) == {0, 2}


def test_dropouts_mask_comes_from_the_seeded_generator():
    x = numbers(0, (3, 4, 5))
    nn.manual_seed(5)
    first, second = (Dropout(0.4)(Tensor(to_device(x))).numpy() for _ in range(2))
    rng = numpy.random.default_rng(5)
    for y in (first, second):
        assert_allclose(y, x * (rng.random((3, 4, 5)) >= 0.4) / 0.6, rtol=1e-12)
    assert (first != second).any()


def test_dropout_sends_the_gradient_through_the_same_mask():
    x = tensor(numpy.ones(50), requires_grad=True)
    y = Dropout(0.5)(x)
    y.sum().backward()
    assert_array_equal(to_host(x.grad), y.numpy())


def test_dropout_in_evaluation_is_the_identity_and_draws_nothing():
    nn.manual_seed(5)
    x = tensor(numbers(0, (3, 4)))
    assert Dropout(0.9).eval()(x) is x
    assert nn.init.generator().random() == numpy.random.default_rng(5).random()


def test_dropout_of_nothing_keeps_everything():
    x = numbers(0, (30,))
    assert_array_equal(Dropout(0)(Tensor(to_device(x))).numpy(), x)


# Types, how they look, and what they refuse


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: Linear(3, 4), (2, 3)),
        (lambda: Conv2d(3, 4, 3, padding=1), (2, 4, 4, 3)),
        (lambda: BatchNorm(3), (2, 4, 4, 3)),
        (lambda: MaxPool2d(2), (2, 4, 4, 3)),
        (lambda: AvgPool2d(2), (2, 4, 4, 3)),
        (GlobalAvgPool, (2, 4, 4, 3)),
        (Flatten, (2, 4, 4, 3)),
        (ReLU, (2, 3)),
        (Dropout, (2, 3)),
    ],
)
def test_float32_stays_float32_on_both_ways(layer, shape):
    layer, x = layer(), tensor(numpy.ones(shape), requires_grad=True)
    for mode in (True, False):
        x.grad = None
        y = layer.train(mode)(x)
        y.sum().backward()
        assert y.dtype == x.grad.dtype == numpy.float32
        assert {str(value.dtype) for value in layer.state_dict().values()} <= {"float32"}


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (lambda: Linear(3, 4), "Linear(3, 4)  weight (3, 4)  bias (4,)  16 parameters"),
        (lambda: Conv2d(3, 4, (1, 2)), "Conv2d(3, 4, 1x2)  weight (1, 2, 3, 4)  bias (4,)  28 parameters"),
        (lambda: Conv2d(3, 4, 1, stride=2, bias=False), "Conv2d(3, 4, 1x1, stride 2x2)  weight (1, 1, 3, 4)  12 parameters"),
        (lambda: Conv2d(3, 4, 1, padding=(0, 1), bias=False),
         "Conv2d(3, 4, 1x1, padding 0x1)  weight (1, 1, 3, 4)  12 parameters"),
        (lambda: Conv2d(1, 1, 1, stride=(1, 2), padding=(3, 4), bias=False),
         "Conv2d(1, 1, 1x1, stride 1x2, padding 3x4)  weight (1, 1, 1, 1)  1 parameters"),
        (lambda: BatchNorm(5), "BatchNorm(5)  weight (5,)  bias (5,)  10 parameters"),
        (lambda: MaxPool2d((2, 3)), "MaxPool2d(2x3, stride 2x3)"),
        (lambda: AvgPool2d(3, stride=1, padding=1), "AvgPool2d(3x3, padding 1x1)"),
        (lambda: Dropout(0.3), "Dropout(p=0.3)"),
        (ReLU, "ReLU()"), (Flatten, "Flatten()"), (GlobalAvgPool, "GlobalAvgPool()"), (Identity, "Identity()"),
    ],
)  # fmt: skip
def test_a_layer_says_its_sizes(layer, line):
    assert repr(layer()) == line


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (lambda: Linear(0, 3), ValueError, "in_features: expected an int of at least 1, got 0"),
        (lambda: Linear(3, -1), ValueError, "out_features: expected an int of at least 1, got -1"),
        (
            lambda: Linear(3, 2.0),
            ValueError,
            "out_features: expected an int of at least 1, got 2.0",
        ),
        (lambda: Linear("3", 2), ValueError, "in_features: expected an int of at least 1, got '3'"),
        (lambda: Conv2d(0, 3, 1), ValueError, "in_channels: expected an int of at least 1, got 0"),
        (lambda: Conv2d(3, 0, 1), ValueError, "out_channels: expected an int of at least 1, got 0"),
        (
            lambda: Conv2d(3, None, 1),
            ValueError,
            "out_channels: expected an int of at least 1, got None",
        ),
        (lambda: Conv2d(3, 4, 0), ValueError, "kernel_size: expected at least 1, got 0"),
        (
            lambda: Conv2d(3, 4, 1.5),
            TypeError,
            "kernel_size: expected an int or a pair of ints, got 1.5",
        ),
        (
            lambda: Conv2d(3, 4, (3, 3, 3)),
            TypeError,
            "kernel_size: expected an int or a pair of ints, got (3, 3, 3)",
        ),
        (lambda: Conv2d(3, 4, 3, stride=0), ValueError, "stride: expected at least 1, got 0"),
        (
            lambda: Conv2d(3, 4, 3, stride=(1, "2")),
            TypeError,
            "stride: expected an int or a pair of ints, got (1, '2')",
        ),
        (lambda: Conv2d(3, 4, 3, padding=-1), ValueError, "padding: expected at least 0, got -1"),
        (
            lambda: Conv2d(3, 4, 3, padding="same"),
            TypeError,
            "padding: expected an int or a pair of ints, got 'same'",
        ),
        (lambda: BatchNorm(0), ValueError, "channels: expected an int of at least 1, got 0"),
        (lambda: BatchNorm((3,)), ValueError, "channels: expected an int of at least 1, got (3,)"),
        (lambda: MaxPool2d(0), ValueError, "kernel_size: expected at least 1, got 0"),
        (
            lambda: AvgPool2d("2"),
            TypeError,
            "kernel_size: expected an int or a pair of ints, got '2'",
        ),
        (lambda: MaxPool2d(2, stride=0), ValueError, "stride: expected at least 1, got 0"),
        (
            lambda: AvgPool2d(2, padding=(0, -1)),
            ValueError,
            "padding: expected at least 0, got (0, -1)",
        ),
        (
            lambda: MaxPool2d(2, stride=2.5),
            TypeError,
            "stride: expected an int or a pair of ints, got 2.5",
        ),
        (
            lambda: MaxPool2d(2, padding=2.5),
            TypeError,
            "padding: expected an int or a pair of ints, got 2.5",
        ),
        (lambda: Dropout(1), ValueError, "Dropout: expected 0 <= p < 1, got 1"),
        (lambda: Dropout(-0.1), ValueError, "Dropout: expected 0 <= p < 1, got -0.1"),
        (lambda: Dropout(float("nan")), ValueError, "Dropout: expected 0 <= p < 1, got nan"),
    ],
)
def test_a_layer_refuses(layer, error, message):
    with pytest.raises(error) as refusal:
        layer()
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            lambda: Linear(3, 4),
            (2, 5),
            r"linear: expected an x with 3 features, as in weight, got \(2, 5\)",
        ),
        (
            lambda: Conv2d(3, 4, 1),
            (2, 4, 4, 1),
            "conv2d: expected 3 channels in x, as in weight, got 1",
        ),
        (lambda: Conv2d(3, 4, 5), (2, 4, 4, 3), "kernel: expected at most"),
        (
            lambda: MaxPool2d(2, padding=2),
            (2, 4, 4, 3),
            "expected a padding of at most half the kernel",
        ),
        (GlobalAvgPool, (2, 3), r"global_avg_pool: expected images .* got \(2, 3\)"),
    ],
)
def test_a_layer_refuses_an_input_that_does_not_fit(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer()(tensor(numpy.ones(shape)))


def test_a_layer_refuses_an_array_of_another_library():
    class Other:
        dtype = shape = None

    with pytest.raises(BackendError, match="linear: expected an array of "):
        Linear(3, 4)(Other())


@pytest.mark.parametrize(
    "options", [{"eps": -1e-5}, {"momentum": 1.5}, {"momentum": -0.1}, {"eps": float("nan")}]
)
def test_batch_norm_refuses_options_out_of_range(options):
    with pytest.raises(
        ValueError,
        match="^BatchNorm: expected eps >= 0 and 0 <= momentum <= 1, got eps .* and momentum .*$",
    ):
        BatchNorm(2, **options)


@pytest.mark.parametrize(("momentum", "mean"), [(0, [0, 0]), (1, [2, 3.5])])
def test_batch_norm_may_never_move_its_statistics_or_take_each_batch_s(momentum, mean):
    layer = BatchNorm(2, momentum=momentum)
    layer(Tensor([[1.0, 2.0], [3.0, 5.0]]))
    assert_allclose(to_host(layer.running_mean), mean)


def test_sizes_may_be_numpys_ints_and_misuse_gets_a_sentence():
    assert Linear(numpy.int64(2), numpy.int64(3)).weight.shape == (2, 3)
    with pytest.raises(
        ValueError, match=r"^Flatten: expected an x of shape \(N, \.\.\.\), got \(\)$"
    ):
        Flatten()(Tensor(1.0))
    with pytest.raises(ValueError, match="^Dropout: expected 0 <= p < 1, got 'half'$"):
        Dropout("half")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "make", [lambda: BatchNorm(2), Flatten, lambda: Dropout(0.5), ReLU, lambda: Linear(2, 3)]
)
def test_a_layer_takes_arrays_and_lists_as_it_takes_tensors(make, training):
    x = [[1.0, 2.0], [3.0, 5.0]]
    results = []
    for given in (Tensor(x), to_device(numpy.array(x, numpy.float32)), x):
        nn.manual_seed(0)
        results.append(make().train(training)(given))
    assert all(isinstance(result, Tensor) for result in results)
    assert_array_equal(results[1].numpy(), results[0].numpy())
    assert_array_equal(results[2].numpy(), results[0].numpy())
