"""Mixed precision: half types between layers, float32 for weights, sums and statistics; and loss scaling."""

import sys
from contextlib import nullcontext
from unittest import mock

import numpy
import pytest

from minires import Tensor, backend, data, functional, models, nn, no_grad, ops, optim
from minires.backend import to_device, to_host, xp
from minires.fast.onepass import norm_add_relu
from minires.graph import saved
from tests.halves import each_half, needs_bfloat16

pytestmark = pytest.mark.usefixtures("each_backend")

STEP = {"bfloat16": 2.0**-8, "float16": 2.0**-11}  # the largest relative error of rounding


def in_half(x, half):
    """Return an array of the half type, on the device."""
    with backend.autocast(half):
        return to_device(numpy.asarray(x, "f4")).astype(backend.settings().half)


def rounded(x, half):
    """Round numbers to the half type, and return them in float64."""
    return to_host(in_half(x, half)).astype("f8")


def normal(seed, *shape):
    return numpy.random.default_rng(seed).standard_normal(shape).astype("f4")


def by_loops(x, weight):
    """conv2d with padding 1 and stride 2, from the definition."""
    (n, h, w, _), (kh, kw, _, f) = x.shape, weight.shape
    y = numpy.zeros((n, (h - 1) // 2 + 1, (w - 1) // 2 + 1, f))
    x = numpy.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for i, j in numpy.ndindex(y.shape[1:3]):
        y[:, i, j] = numpy.tensordot(x[:, 2 * i : 2 * i + kh, 2 * j : 2 * j + kw], weight, 3)
    return y


@each_half
def test_a_convolution_is_that_of_rounded_numbers_rounded_once(half):
    x, weight = normal(0, 2, 5, 7, 3), normal(1, 3, 3, 3, 4)
    with backend.autocast(half):
        y, _ = ops.conv2d(to_device(x), to_device(weight), stride=2, padding=1)
    wanted = by_loops(rounded(x, half), rounded(weight, half))
    assert y.dtype.name == half
    numpy.testing.assert_allclose(
        to_host(y).astype("f8"), wanted, rtol=1.01 * STEP[half], atol=1e-5
    )


@each_half
@pytest.mark.parametrize("kernel", [1, 3])
def test_the_gradient_of_weights_is_summed_in_float32_and_never_rounded(half, kernel):
    x, weight, g = normal(0, 40, 6, 6, 2), normal(1, kernel, kernel, 2, 3), normal(2, 40, 6, 6, 3)
    options = {"padding": kernel // 2}
    with backend.autocast(half):
        _, backward = ops.conv2d(
            *map(to_device, (x, weight)), to_device(numpy.zeros(3, "f4")), **options
        )
        g_x, g_weight, g_bias = backward(in_half(g, half))
    assert g_x.dtype.name == half and g_weight.dtype == g_bias.dtype == numpy.float32
    _, exact = ops.conv2d(
        *(to_device(rounded(array, half)) for array in (x, weight)),
        to_device(numpy.zeros(3)),
        **options,
    )
    wanted = exact(to_device(rounded(g, half)))
    for found, right, tolerance in zip(
        (g_x, g_weight, g_bias), wanted, (3 * STEP[half], 1e-6, 1e-6)
    ):  # g_x: of rounded columns
        right = to_host(right)
        numpy.testing.assert_allclose(
            to_host(found).astype("f8"),
            right,
            rtol=tolerance,
            atol=tolerance * numpy.abs(right).max(),
        )


def test_a_linear_layer_likewise():
    x, weight, g = normal(0, 30, 5), normal(1, 5, 4), normal(2, 30, 4)
    with backend.autocast("float16"):
        y, backward = ops.linear(to_device(x), to_device(weight), to_device(numpy.zeros(4, "f4")))
        g_x, g_weight, g_bias = backward(in_half(g, "float16"))
    assert (
        y.dtype.name == g_x.dtype.name == "float16"
        and g_weight.dtype == g_bias.dtype == numpy.float32
    )
    x, weight, g = (rounded(array, "float16") for array in (x, weight, g))
    numpy.testing.assert_allclose(to_host(y), x @ weight, rtol=1e-3, atol=1e-3)
    numpy.testing.assert_allclose(to_host(g_weight), x.T @ g, rtol=1e-5, atol=1e-5)
    numpy.testing.assert_allclose(to_host(g_bias), g.sum(axis=0), rtol=1e-5, atol=1e-5)


@needs_bfloat16
@pytest.mark.parametrize("plain", [False, True])
def test_types_that_are_not_float32_stay_and_so_does_all_when_it_is_off(plain):
    def kind(name):
        return ops.linear(*(to_device(numpy.ones(shape, name)) for shape in ((2, 3), (3, 4))))[
            0
        ].dtype.name

    with ops.plain() if plain else nullcontext():
        with backend.autocast("bfloat16"):
            assert [kind(name) for name in ("f8", "i4", "f2", "f4")] == [
                "float64",
                "int32",
                "float16",
                "bfloat16",
            ]
            with backend.autocast(None):
                assert kind("f4") == "float32"
            assert kind("f4") == "bfloat16"
        assert kind("f4") == "float32"


@each_half
def test_among_plain_forms_it_holds_too(half):
    """Half types are a choice of precision, not of speed: the numbers are the same, except for the rounding of sums."""
    x, weight = normal(0, 2, 9, 7, 8), normal(1, 3, 3, 8, 9)
    with backend.autocast(half):
        y, _ = ops.conv2d(to_device(x), to_device(weight), padding=1)
        with ops.plain():
            plain_y, _ = ops.conv2d(to_device(x), to_device(weight), padding=1)
    assert y.dtype == plain_y.dtype == half
    numpy.testing.assert_allclose(
        to_host(y).astype("f8"), to_host(plain_y).astype("f8"), rtol=2 * STEP[half], atol=1e-5
    )


@needs_bfloat16
def test_an_operand_that_is_named_is_rounded_too():
    x, weight, bias = (to_device(numpy.ones(shape, "f4")) for shape in ((2, 3), (3, 4), (4,)))
    with backend.autocast("bfloat16"):
        y, _ = ops.linear(x, weight, bias=bias)
    assert y.dtype.name == "bfloat16"


@each_half
def test_statistics_are_float32_though_the_images_are_not(half):
    x = rounded(normal(0, 64, 9, 9, 3) + 4, half)
    mean, var = ops.channel_stats(in_half(x, half))
    assert mean.dtype == var.dtype == numpy.float32
    numpy.testing.assert_allclose(to_host(mean), x.mean(axis=(0, 1, 2)), rtol=1e-6)
    numpy.testing.assert_allclose(to_host(var), x.var(axis=(0, 1, 2)), rtol=1e-5)


@each_half
def test_one_pass_of_batch_norm_saves_half_types_and_sums_in_float32(half):
    arrays = [rounded(normal(seed, 8, 5, 5, 3), half) for seed in range(3)]
    x, add, g = (in_half(array, half) for array in arrays)
    gamma, beta = normal(3, 3) + 1, normal(4, 3)
    y, backward = norm_add_relu(x, to_device(gamma), to_device(beta), add)
    exact, exact_backward = norm_add_relu(
        *map(to_device, (arrays[0], gamma.astype("f8"), beta.astype("f8"), arrays[1]))
    )
    assert y.dtype.name == half and {array.dtype.name for array in saved(backward).values()} == {
        half,
        "float32",
    }
    numpy.testing.assert_allclose(
        to_host(y).astype("f8"), to_host(exact), rtol=1.01 * STEP[half], atol=1e-5
    )
    for found, right, kind in zip(
        backward(g), exact_backward(to_device(arrays[2])), (half, "float32", "float32", half)
    ):
        right = to_host(right)
        assert found.dtype.name == kind
        tolerance = 1.01 * STEP[half] if kind == half else 1e-5
        numpy.testing.assert_allclose(
            to_host(found).astype("f8"), right, rtol=tolerance, atol=2e-5 * numpy.abs(right).max()
        )


@needs_bfloat16
@pytest.mark.parametrize("op, options", [(ops.max_pool2d, {"kernel": 3, "stride": 2, "padding": 1}), (ops.avg_pool2d, {"kernel": 2}),
                                         (ops.global_avg_pool, {})])  # fmt: skip
def test_pooling_of_half_types(op, options):
    x = rounded(normal(0, 2, 8, 8, 3), "bfloat16")
    half_x = in_half(x, "bfloat16")
    (y, backward), (exact, exact_backward) = op(half_x, **options), op(to_device(x), **options)
    numpy.testing.assert_allclose(to_host(y).astype("f8"), to_host(exact), rtol=2**-8, atol=1e-6)
    g = rounded(normal(1, *y.shape), "bfloat16")
    (found,) = backward(to_device(g.astype("f4")).astype(y.dtype))
    (right,) = exact_backward(to_device(g))
    numpy.testing.assert_allclose(
        to_host(found).astype("f8"), to_host(right), rtol=2**-8, atol=1e-2
    )


@needs_bfloat16
def test_the_loss_of_half_logits_is_float32():
    logits = rounded(normal(0, 6, 4) * 10, "bfloat16")
    half_logits = in_half(logits, "bfloat16")
    labels = numpy.arange(6) % 4
    loss, backward = ops.cross_entropy(half_logits, to_device(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - numpy.log(numpy.exp(shifted).sum(axis=1, keepdims=True))
    assert loss.dtype == numpy.float32
    numpy.testing.assert_allclose(
        float(to_host(loss)), -log_p[numpy.arange(6), labels].mean(), rtol=1e-6
    )
    wanted = (numpy.exp(log_p) - numpy.eye(4)[labels]) / 6
    # Of the logits' type, or float32 on a GPU.
    found = to_host(backward(to_device(numpy.array(1, "f4")))[0]).astype("f8")
    numpy.testing.assert_allclose(found, wanted, rtol=STEP["bfloat16"], atol=1e-7)


def trained(half, *, steps=30, forms=()):
    """Train a small net on digits, without some faster forms, or, for None, with plain forms only. Returns (losses, model)."""
    nn.manual_seed(0)
    train, _, _ = data.digits()
    model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), in_channels=1, shortcut="B")
    optimizer, losses = optim.SGD(model.parameters(), lr=0.1, momentum=0.9), []
    if half == "float16":
        optimizer = optim.GradScaler(optimizer)
    with backend.autocast(half), ops.plain() if forms is None else ops.without(*forms):
        for (x, labels), _ in zip(data.batches(train, 32, seed=0), range(steps)):
            loss = functional.cross_entropy(model(Tensor(x)), labels)
            optimizer.zero_grad()
            (optimizer.scale(loss) if half == "float16" else loss).backward()
            optimizer.step()
            losses.append(float(loss))
    return losses, model


@each_half
def test_a_net_learns_as_in_float32(half):
    exact, _ = trained(None)
    losses, model = trained(half)
    assert losses[-1] < 0.8 * losses[0]
    numpy.testing.assert_allclose(losses, exact, rtol=0.15)
    assert losses != exact
    arrays = [
        *(parameter.data for parameter in model.parameters()),
        *(parameter.grad for parameter in model.parameters()),
    ]
    arrays += [array for _, array in model.named_buffers()]
    assert {array.dtype.name for array in arrays} == {"float32"}


@needs_bfloat16
@pytest.mark.parametrize("forms", [("blocks",), None], ids=["without blocks", "plain"])
def test_so_it_does_with_ops_of_their_own(forms):
    losses, _ = trained("bfloat16", forms=forms)
    numpy.testing.assert_allclose(losses, trained(None)[0], rtol=0.15)


@needs_bfloat16
def test_what_lies_between_layers_takes_half_the_memory():
    def held(context):
        with context:
            logits = models.ResNet(models.BasicBlock, (2,), (16,))(
                Tensor(to_device(normal(0, 4, 16, 16, 3)))
            )
        nodes, seen, size = [logits.node], set(), {}
        while nodes:
            node = nodes.pop()
            if node is not None and not isinstance(node, Tensor) and id(node) not in seen:
                seen.add(id(node))
                size.update(
                    (id(array), array.nbytes)
                    for array in saved(node.backward).values()
                    if array.ndim == 4 and len(array) == 4
                )
                nodes += node.parents
        return sum(size.values())

    whole, half = held(nullcontext()), held(backend.autocast("bfloat16"))
    assert half < 0.6 * whole


@needs_bfloat16
def test_evaluation_with_batch_norm_folded_into_convolutions():
    _, model = trained(None)
    _, _, test = data.digits()
    x, _ = next(iter(data.batches(test, 64)))
    model.eval()
    exact = to_host(model(Tensor(x)).data)
    with backend.autocast("bfloat16"), no_grad():
        found = to_host(model(Tensor(x)).data).astype("f4")
    assert (found.argmax(axis=1) == exact.argmax(axis=1)).mean() > 0.95
    numpy.testing.assert_allclose(found, exact, atol=0.05 * numpy.abs(exact).max())


# What cannot be had.


def test_a_type_that_is_none_of_them():
    with pytest.raises(ValueError, match="half type"), backend.autocast("float8"):
        pass


def test_bfloat16_without_the_package_that_has_it():
    with (
        mock.patch.dict(sys.modules, ml_dtypes=None),
        pytest.raises(backend.BackendError, match="pip install ml_dtypes"),
    ):
        with backend.autocast("bfloat16"):
            pass


@needs_bfloat16
def test_bfloat16_where_the_library_has_none():
    library = mock.Mock()
    library.ones.return_value.astype.side_effect = TypeError(
        "unsupported dtype bfloat16\nand so on"
    )
    message = r"another cannot round to bfloat16 here \(TypeError: unsupported dtype bfloat16\): CuPy has bfloat16 in version 14 or later"
    with backend.using(backend.settings().library._replace(name="another", module=library)):
        with pytest.raises(backend.BackendError, match=message), backend.autocast("bfloat16"):
            pass


# Loss scaling.


def parameter_with(gradient):
    parameter = nn.Parameter(to_device(numpy.ones(2, "f4")))
    parameter.grad = to_device(numpy.array(gradient, "f4"))
    return parameter


def test_a_gradient_too_small_for_float16_comes_through_by_scaling():
    x = numpy.full((1, 1), 1e-4, "f4")

    def gradient(scale):
        weight = nn.Parameter(to_device(numpy.ones((1, 1), "f4")))
        optimizer = optim.SGD([weight], lr=1.0)
        with backend.autocast("float16"):
            loss = (
                functional.sum(
                    functional.linear(functional.linear(Tensor(to_device(x)), weight), [[2e-4]])
                )
                * 1e-4
            )
            if scale is None:
                loss.backward()
            else:
                scaler = optim.GradScaler(optimizer, scale)
                scaler.scale(loss).backward()
                scaler.step()
        return float(to_host(weight.grad)[0, 0])

    assert gradient(None) == 0
    assert gradient(2.0**10) == pytest.approx(2e-12, rel=1e-2)


def test_a_step_is_left_out_where_a_gradient_is_not_finite_and_the_scale_halved():
    for bad in (numpy.inf, numpy.nan):
        parameters = [parameter_with([1, 2]), parameter_with([bad, 1]), nn.Parameter(xp.ones(1))]
        scaler = optim.GradScaler(optim.SGD(parameters, lr=1.0), 8.0)
        assert scaler.step() is False
        assert scaler.factor == 4
        for parameter in parameters:
            numpy.testing.assert_array_equal(to_host(parameter.data), 1)


def test_a_step_that_is_left_out_is_one_of_the_schedule_all_the_same():
    parameter = parameter_with([numpy.inf, 1])
    scaler = optim.GradScaler(optim.SGD([parameter], lr=optim.step(1.0, milestones=[1, 2])))
    scaler.step()
    assert scaler.steps == scaler.optimizer.steps == 1
    parameter.grad = to_device(numpy.full(2, scaler.factor, "f4"))
    scaler.step()
    assert scaler.lr == pytest.approx(0.1) and to_host(parameter.data).tolist() == pytest.approx(
        [0.9, 0.9]
    )


def test_a_step_is_taken_with_the_gradients_divided_by_the_scale():
    parameters = [parameter_with([8, 16]), parameter_with([-8, 0])]
    assert optim.GradScaler(optim.SGD(parameters, lr=0.5), 8.0).step() is True
    assert [to_host(parameter.data).tolist() for parameter in parameters] == [[0.5, 0], [1.5, 1]]


def scaled(factor, **options):
    """Return (parameter, a GradScaler for it)."""
    parameter = parameter_with([1, 1])
    return parameter, optim.GradScaler(optim.SGD([parameter], lr=1.0), factor, **options)


def test_the_scale_doubles_after_a_number_of_good_steps():
    (parameter, scaler), factors = scaled(1.0, growth_interval=2), []
    for gradient in (1, 1, 1, numpy.inf, 1, 1, 1, 1):
        parameter.grad = to_device(numpy.array([gradient, 1], "f4"))
        scaler.step()
        factors.append(scaler.factor)
    assert factors == [1, 2, 2, 1, 1, 2, 2, 4]


def test_a_scaler_goes_on_where_another_was():
    parameter, scaler = scaled(1.0, growth_interval=3)
    for _ in range(2):
        scaler.step()
    other_parameter, other = scaled(2.0, growth_interval=3)
    other.load_state_dict(scaler.state_dict())
    other_parameter.data[...] = parameter.data
    for each in (scaler, other):
        each.step()
    assert scaler.factor == other.factor == 2 and scaler.state_dict() == other.state_dict()
    numpy.testing.assert_array_equal(to_host(parameter.data), to_host(other_parameter.data))


def test_a_scaler_hands_on_what_an_optimizer_has():
    parameter, scaler = scaled(1.0)
    scaler.lr = 0.25
    assert scaler.optimizer.lr == scaler.lr == 0.25 and scaler.groups is scaler.optimizer.groups
    scaler.zero_grad()
    assert parameter.grad is None


def test_misuse_of_a_scaler():
    for arguments in ((0,), (-1.0,), (1.0, 0)):
        with pytest.raises(ValueError, match="GradScaler: expected more than 0, got"):
            optim.GradScaler(
                optim.SGD([parameter_with([1, 1])], lr=1.0),
                *arguments[:1],
                **dict(zip(["growth_interval"], arguments[1:])),
            )
