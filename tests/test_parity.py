"""Parity with PyTorch: ops with their gradients, optimizers, schedules, and the training of whole networks.

Twins are built in torch.nn by hand. Arrays are turned at one border: images NHWC to NCHW, weights (KH, KW, C, F) to OIHW.
`MINIRES_PARITY=1 python -m pytest tests/test_parity.py -q -s` prints the largest difference that each test saw.
"""

import functools
import os

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy import testing

torch = pytest.importorskip("torch")

from minires import functional as F  # noqa: E402
from minires import nn, ops, optim  # noqa: E402
from minires.backend import autocast, to_device, to_host, using  # noqa: E402
from minires.fast.tiles import F2, F4, F4_STRIDE2  # noqa: E402
from minires.fast.winograd import by_tiles  # noqa: E402
from minires.models import BasicBlock, Bottleneck, ResNet, resnet18, resnet20  # noqa: E402
from minires.ops.windows import pair as pair_of  # noqa: E402
from minires.tensor import Tensor, apply, no_grad  # noqa: E402
from tests.conftest import BACKENDS  # noqa: E402
from tests.strategies import SEEDS, SHAPES, broadcastable, numbers, reductions, threes, windows  # noqa: E402
from tests.twins import Twin, nchw, turned  # noqa: E402

on_each_backend = pytest.mark.usefixtures("each_backend")
torch.set_num_threads(1)  # on a busy machine two wait for each other: 50 times slower
TF = torch.nn.functional


DIFFERENCES = {}  # test -> the largest difference from PyTorch that it saw


def assert_allclose(ours, theirs, **tolerance):
    """NumPy's, with a note of the difference."""
    name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split("[")[0].split(" ")[0]
    difference = numpy.abs(numpy.asarray(ours) - numpy.asarray(theirs)).max(initial=0)
    DIFFERENCES[name] = max(DIFFERENCES.get(name, 0), float(difference))
    testing.assert_allclose(ours, theirs, **tolerance)


def teardown_module():
    if os.environ.get("MINIRES_PARITY"):
        print("\nlargest difference from PyTorch", torch.__version__)
        for name, difference in DIFFERENCES.items():
            print(f"{difference:8.1e}  {name}")


def nhwc(t):
    return t.permute(0, 2, 3, 1)


def oihw(weight):
    # For some shapes torch's gradient of a permuted weight raises.
    return weight.permute(3, 2, 0, 1).contiguous()


def assert_same(ours, theirs, *arrays, atol=1e-10):
    """Whether two functions of `arrays` agree: their results, and their gradients for a random one of the result."""
    mine = [Tensor(to_device(array), requires_grad=True) for array in arrays]
    yours = [torch.tensor(array, requires_grad=True) for array in arrays]
    y, t = ours(*mine), theirs(*yours)
    assert y.shape == tuple(t.shape)
    assert_allclose(y.numpy(), t.detach().numpy(), atol=atol, rtol=1e-10)
    g = numpy.random.default_rng(0).standard_normal(y.shape)
    y.backward(to_device(numpy.asarray(g)))
    t.backward(torch.tensor(g))
    for a, b in zip(mine, yours):
        assert_allclose(to_host(a.grad), b.grad.numpy(), atol=atol, rtol=1e-10)


# Ops


@on_each_backend
@given(windows(), st.integers(1, 4), st.booleans(), SEEDS)
def test_conv2d(drawn, f, with_bias, seed):
    shape, window = drawn
    options = {"stride": window["stride"], "padding": window["padding"]}
    arrays = [numbers(seed, shape), numbers(seed + 1, (*window["kernel"], shape[3], f))] + [
        numbers(seed + 2, (f,))
    ] * with_bias
    assert_same(
        lambda *given: F.conv2d(*given, **options),
        lambda x, weight, *bias: nhwc(TF.conv2d(nchw(x), oihw(weight), *bias, **options)),
        *arrays,
    )


def tiled(tile):
    """conv2d on tensors by Winograd's tiles of one kind, whether they pay or not."""
    return lambda *given, padding: apply(
        functools.partial(by_tiles, tile=tile), *given, padding=padding
    )


@on_each_backend
@pytest.mark.parametrize(
    ("forms", "conv2d"),
    [(ops.plain, F.conv2d), (ops.without, F.conv2d), (lambda: ops.without("winograd"), F.conv2d),
     (ops.without, tiled(F2)), (ops.without, tiled(F4))],
    ids=["plain", "default", "columns", "F2", "F4"],
)  # fmt: skip
@given(threes(), st.booleans(), SEEDS)
def test_conv2d_by_3x3_windows_whatever_the_form(forms, conv2d, drawn, with_bias, seed):
    (n, *size), f, padding = drawn
    arrays = [numbers(seed, (n + 1, *size)), numbers(seed + 1, (3, 3, size[2], f))] + [
        numbers(seed + 2, (f,))
    ] * with_bias
    with forms():
        assert_same(
            lambda *given: conv2d(*given, padding=padding),
            lambda x, weight, *bias: nhwc(TF.conv2d(nchw(x), oihw(weight), *bias, padding=padding)),
            *arrays,
        )


@on_each_backend
@given(windows(pool=True), SEEDS)
def test_max_pool2d(drawn, seed):
    shape, window = drawn
    options = {"stride": window["stride"], "padding": window["padding"]}
    x = numpy.round(numbers(seed, shape) * 2) - 3  # full of ties
    assert_same(
        lambda x: F.max_pool2d(x, window["kernel"], **options),
        lambda x: nhwc(TF.max_pool2d(nchw(x), window["kernel"], **options)),
        x,
    )


@on_each_backend
@given(windows(pool=True), SEEDS)
def test_avg_pool2d(drawn, seed):
    shape, window = drawn
    options = {"stride": window["stride"], "padding": window["padding"]}
    assert_same(
        lambda x: F.avg_pool2d(x, window["kernel"], **options),
        lambda x: nhwc(TF.avg_pool2d(nchw(x), window["kernel"], **options)),
        numbers(seed, shape),
    )


@on_each_backend
def test_poolings_without_a_stride_and_the_global_one():
    x = numbers(0, (2, 7, 6, 3))
    assert_same(
        lambda x: F.max_pool2d(x, (2, 3)), lambda x: nhwc(TF.max_pool2d(nchw(x), (2, 3))), x
    )
    assert_same(
        lambda x: F.avg_pool2d(x, (2, 3)), lambda x: nhwc(TF.avg_pool2d(nchw(x), (2, 3))), x
    )
    assert_same(F.global_avg_pool, lambda x: TF.adaptive_avg_pool2d(nchw(x), 1).flatten(1), x)


@on_each_backend
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 3), (2, 1, 1, 3)])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_batch_norm_in_training_and_in_evaluation(shape, eps):
    x, gamma, beta, mean = (numbers(i, s) for i, s in enumerate([shape, (3,), (3,), (3,)]))
    var = numbers(5, (3,), positive=True)
    x = x * 3 + 100

    def theirs(x, gamma, beta, **options):
        return torch.movedim(
            TF.batch_norm(torch.movedim(x, -1, 1), weight=gamma, bias=beta, eps=eps, **options),
            1,
            -1,
        )

    assert_same(
        lambda *a: F.batch_norm(*a, eps=eps),
        lambda *a: theirs(*a, running_mean=None, running_var=None, training=True),
        x, gamma, beta,
    )  # fmt: skip
    assert_same(
        lambda *a: F.batch_norm_frozen(*a, mean=to_device(mean), var=to_device(var), eps=eps),
        lambda *a: theirs(*a, running_mean=torch.tensor(mean), running_var=torch.tensor(var)),
        x, gamma, beta,
    )  # fmt: skip


@on_each_backend
@pytest.mark.parametrize("options", [{}, {"momentum": 0.4, "eps": 0.01}])
def test_running_statistics_over_five_steps_and_evaluation_after_them(options):
    mine = nn.BatchNorm(3, **options).astype("float64")
    yours = torch.nn.BatchNorm2d(3, dtype=torch.float64, **options)
    for step in range(5):
        x = numbers(step, (2, 2, 3, 3)) * (step + 1) + step
        y, t = mine(Tensor(to_device(x))), yours(nchw(torch.tensor(x)))
        assert_allclose(y.numpy(), nhwc(t).detach().numpy(), atol=1e-10)
        assert_allclose(to_host(mine.running_mean), yours.running_mean.numpy(), atol=1e-12)
        assert_allclose(to_host(mine.running_var), yours.running_var.numpy(), atol=1e-12)
    x = numbers(9, (1, 2, 3, 3))
    y, t = mine.eval()(Tensor(to_device(x))), yours.eval()(nchw(torch.tensor(x)))
    assert_allclose(y.numpy(), nhwc(t).detach().numpy(), atol=1e-10)


@on_each_backend
@given(
    st.lists(st.integers(1, 4), max_size=2),
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
    SEEDS,
)
def test_linear(before, i, o, with_bias, seed):
    arrays = [numbers(seed, (*before, i)), numbers(seed + 1, (i, o))] + [
        numbers(seed + 2, (o,))
    ] * with_bias
    assert_same(F.linear, lambda x, weight, *bias: TF.linear(x, weight.T, *bias), *arrays)


@on_each_backend
@given(broadcastable(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), SEEDS)
def test_matmul_broadcasts_over_the_leading_axes(shapes, i, j, k, seed):
    a, b = shapes
    assert_same(F.matmul, torch.matmul, numbers(seed, (*a, i, j)), numbers(seed + 1, (*b, j, k)))


@on_each_backend
def test_matmul_of_vectors():
    v, m, b = numbers(0, (3,)), numbers(1, (3, 4)), numbers(2, (2, 3, 4))
    for arrays in ((v, v), (v, m), (m.T, v), (v, b), (b, m[0])):
        assert_same(F.matmul, torch.matmul, *(array.copy() for array in arrays))


@on_each_backend
@given(SHAPES, st.data(), SEEDS)
def test_softmax_and_log_softmax(shape, data, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbers(seed, shape) * 30
    assert_same(lambda x: F.softmax(x, axis=axis), lambda x: torch.softmax(x, axis), x)
    assert_same(lambda x: F.log_softmax(x, axis=axis), lambda x: torch.log_softmax(x, axis), x)


@on_each_backend
@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([0.0, 0.1, 0.7, 1.0]), SEEDS)
def test_cross_entropy_with_label_smoothing(n, k, smoothing, seed):
    labels = numpy.random.default_rng(seed).integers(0, k, n)
    for options in ({"label_smoothing": smoothing}, {}):
        assert_same(
            lambda x: F.cross_entropy(x, to_device(labels), **options),
            lambda x: TF.cross_entropy(x, torch.tensor(labels), **options),
            numbers(seed, (n, k)) * 5,
        )


@on_each_backend
@given(SHAPES, SEEDS)
def test_mse_loss(shape, seed):
    assert_same(F.mse_loss, TF.mse_loss, numbers(seed, shape), numbers(seed + 1, shape))


@on_each_backend
@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "tanh", "sigmoid", "relu", "negative"])
def test_functions_of_one_operand(name):
    x = numbers(0, (3, 4, 2), positive=name in ("log", "sqrt"))
    if name == "relu":
        x[0] = 0
    assert_same(getattr(F, name), getattr(torch, name), x)


@on_each_backend
def test_sigmoid_and_tanh_far_out():
    x = numpy.array([-800.0, -40.0, 40.0, 800.0])
    assert_same(F.sigmoid, torch.sigmoid, x)
    assert_same(F.tanh, torch.tanh, x)


@on_each_backend
@given(broadcastable(), SEEDS)
def test_functions_of_two_operands(shapes, seed):
    a, b = (numbers(seed + i, shape, away_from_zero=0.1) for i, shape in enumerate(shapes))
    for name in ("add", "subtract", "multiply", "divide"):
        assert_same(getattr(F, name), getattr(torch, name), a, b)
    assert_same(F.maximum, torch.maximum, numpy.round(a), numpy.round(b))  # with ties
    assert_same(F.power, torch.pow, abs(a), b)


@on_each_backend
@pytest.mark.parametrize("exponent", [-1.5, -1, 0, 0.5, 1, 2, 3])
def test_powers_by_a_number(exponent):
    x = numbers(0, (3, 4), positive=exponent != int(exponent), away_from_zero=0.1)
    if exponent in (0, 1, 2, 3):
        x[0] = 0
    assert_same(lambda x: F.power(x, exponent), lambda x: torch.pow(x, exponent), x)


@on_each_backend
def test_numbers_on_either_side():
    x = numbers(0, (3, 4), positive=True)
    assert_same(
        lambda x: 2 - x / 3 + 1 / x - 3 * x + 2**x + x**2 - -x,
        lambda x: 2 - x / 3 + 1 / x - 3 * x + 2**x + x**2 - -x,
        x,
    )


@on_each_backend
def test_where():
    condition = numbers(2, (3, 1, 2)) > 0
    assert_same(
        lambda a, b: F.where(to_device(condition), a, b),
        lambda a, b: torch.where(torch.tensor(condition), a, b),
        numbers(0, (3, 4, 2)), numbers(1, (4, 1)),
    )  # fmt: skip


@on_each_backend
@given(reductions(), SEEDS)
def test_sum_mean_max_and_var(drawn, seed):
    shape, axis, keepdims = drawn
    x, everything = numbers(seed, shape), tuple(range(len(shape)))
    options = {"axis": axis, "keepdims": keepdims}
    theirs = {"dim": everything if axis is None else axis, "keepdim": keepdims}
    assert_same(lambda x: F.sum(x, **options), lambda x: torch.sum(x, **theirs), x)
    assert_same(lambda x: F.mean(x, **options), lambda x: torch.mean(x, **theirs), x)
    # With ties.
    assert_same(lambda x: F.max(x, **options), lambda x: torch.amax(x, **theirs), numpy.round(x))
    count = x.size // F.sum(Tensor(to_device(x)), **options).size
    for ddof in range(min(count, 3)):
        assert_same(
            lambda x: F.var(x, ddof=ddof, **options),
            lambda x: torch.var(x, correction=ddof, **theirs),
            x,
        )
    assert_same(lambda x: F.var(x, **options), lambda x: torch.var(x, correction=0, **theirs), x)


@on_each_backend
@pytest.mark.parametrize(
    "index",
    [
        1, (slice(None), 2), (..., slice(None, None, 2)), (slice(1, 3), None, 0), numpy.array([0, 2, 0, 0]),
        (numpy.array([0, 3, 0, 3]), numpy.array([1, 1, 1, 2])), (slice(None), numpy.array([[2, 2], [0, 2]])),
        (numpy.array([-1, 3, -1]), 0),
    ],
)  # fmt: skip
def test_getitem_with_repeated_indices(index):
    def moved(part, make):
        if isinstance(part, tuple):
            return tuple(moved(inner, make) for inner in part)
        return make(part) if isinstance(part, numpy.ndarray) else part

    mine, yours = moved(index, to_device), moved(index, torch.tensor)
    assert_same(lambda x: x[mine], lambda x: x[yours], numbers(0, (4, 3, 5)))


@on_each_backend
def test_the_same_elements_in_another_order_or_frame():
    x, y = numbers(0, (2, 3, 4)), numbers(1, (2, 1, 4))
    assert_same(lambda x: F.reshape(x, (4, -1)), lambda x: x.reshape(4, -1), x)
    assert_same(lambda x: F.transpose(x, (2, 0, 1)), lambda x: x.permute(2, 0, 1), x)
    assert_same(
        lambda a, b: F.concatenate((a, b), axis=1), lambda a, b: torch.cat((a, b), dim=1), x, y
    )
    assert_same(lambda x: F.pad(x, ((0, 0), (2, 1), (0, 3))), lambda x: TF.pad(x, (0, 3, 2, 1)), x)
    assert_same(lambda x: F.broadcast_to(x, (5, 2, 3, 4)), lambda x: x.expand(5, 2, 3, 4), y)


# Optimizers and schedules


@on_each_backend
@pytest.mark.parametrize(
    ("mine", "yours", "options"),
    [
        ("SGD", "SGD", {"lr": 0.05}),
        ("SGD", "SGD", {"lr": 0.05, "weight_decay": 0.1}),
        ("SGD", "SGD", {"lr": 0.05, "momentum": 0.9}),
        ("SGD", "SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
        ("SGD", "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        ("Adam", "Adam", {}),
        ("Adam", "Adam", {"lr": 0.05, "betas": (0.5, 0.7), "eps": 0.1, "weight_decay": 0.2}),
        ("AdamW", "AdamW", {}),
        ("AdamW", "AdamW", {"lr": 0.05, "betas": (0.5, 0.7), "eps": 0.1, "weight_decay": 0.2}),
    ],
)
@pytest.mark.parametrize("grouped", [False, True])
def test_twenty_steps_of_an_optimizer(mine, yours, options, grouped):
    """Of a small net; with groups, the second has another rate and no decay."""
    starts = [numbers(0, (3, 5)), numbers(1, (5,)), numbers(2, (5, 4))]
    x = numbers(3, (6, 3))
    labels = numpy.arange(6) % 4
    ours = [nn.Parameter(to_device(a)) for a in starts]
    theirs = [torch.tensor(a, requires_grad=True) for a in starts]
    second = {"lr": 0.02, "weight_decay": 0.0}

    def parts(parameters):
        return (
            [{"params": parameters[::2]}, {"params": parameters[1:2], **second}]
            if grouped
            else parameters
        )

    made = getattr(optim, mine)(parts(ours), **options)
    torchs = getattr(torch.optim, yours)(parts(theirs), **options)
    for step in range(20):
        scale = 1 / (1 + step)
        made.zero_grad(), torchs.zero_grad()
        hidden = F.tanh(Tensor(to_device(x)) @ ours[0] * scale + ours[1])
        F.cross_entropy(hidden @ ours[2], to_device(labels)).backward()
        hidden = torch.tanh(torch.tensor(x) @ theirs[0] * scale + theirs[1])
        TF.cross_entropy(hidden @ theirs[2], torch.tensor(labels)).backward()
        made.step(), torchs.step()
        for a, b in zip(ours, theirs):
            assert_allclose(a.numpy(), b.detach().numpy(), atol=1e-10)


@on_each_backend
def test_setting_lr_is_scheduling_all_groups_in_torch():
    starts = [numbers(0, (4,)), numbers(1, (3,))]
    ours = [nn.Parameter(to_device(a)) for a in starts]
    theirs = [torch.tensor(a, requires_grad=True) for a in starts]
    groups = [{"lr": 0.1}, {"lr": 0.03, "momentum": 0.5}]
    mine = optim.SGD(
        [{"params": [p], **group} for p, group in zip(ours, groups)], 0.1, momentum=0.9
    )
    yours = torch.optim.SGD(
        [{"params": [p], **group} for p, group in zip(theirs, groups)], 0.1, momentum=0.9
    )
    schedule = optim.cosine(0.1, steps=8)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(yours, T_max=8)
    for step in range(8):
        mine.lr = schedule(step)
        for i, (p, q) in enumerate(zip(ours, theirs)):
            g = numbers(10 * step + i, p.shape)
            p.grad, q.grad = to_device(g), torch.tensor(g)
        mine.step(), yours.step(), scheduler.step()
        for p, q in zip(ours, theirs):
            assert_allclose(p.numpy(), q.detach().numpy(), atol=1e-12)


def torchs_rates(lr, steps, make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step(), scheduler.step()
    return rates


def test_schedules():
    of = torch.optim.lr_scheduler
    cases = [
        (optim.step(0.4, milestones=(3, 7)), lambda o: of.MultiStepLR(o, [3, 7])),
        (
            optim.step(0.4, milestones=(2, 9), factor=0.3),
            lambda o: of.MultiStepLR(o, [2, 9], gamma=0.3),
        ),
        (optim.cosine(0.4, steps=12), lambda o: of.CosineAnnealingLR(o, 12)),
        (optim.constant(0.4), lambda o: of.ConstantLR(o, factor=1)),
        (
            optim.constant(0.4, warmup=5),
            lambda o: of.LinearLR(o, start_factor=1 / 5, total_iters=4),
        ),
        (
            optim.constant(0.4, warmup=5),
            lambda o: of.LambdaLR(o, lambda step: min((step + 1) / 5, 1)),
        ),
    ]
    for ours, theirs in cases:
        assert_allclose(
            [ours(step) for step in range(12)], torchs_rates(0.4, 12, theirs), rtol=1e-9
        )


@pytest.mark.parametrize(
    ("steps", "peak", "start"), [(20, 0.25, 0.0), (13, 0.4, 0.2), (7, 0.9, 1.0)]
)
def test_triangle_is_numpys_interpolation(steps, peak, start):
    schedule = optim.triangle(0.4, steps=steps, peak=peak, start=start)
    at = numpy.arange(steps + 5)
    expected = numpy.interp(at, [0, peak * steps, steps], [0.4 * start, 0.4, 0])
    assert_allclose([schedule(int(step)) for step in at], expected, atol=1e-15)


# Networks


@pytest.fixture(params=[name for name in BACKENDS if name != "strict"], scope="module")
def each_arithmetic(request):
    """Every backend but strict, whose arithmetic is NumPy's."""
    with using(request.param):
        yield request.param


def pair(model, twin, dtype="float64", seed=0):
    """The same numbers in both; norms and running statistics that are not 1 and 0."""
    model.astype(dtype)
    rng, state = numpy.random.default_rng(seed), model.state_dict()
    for name, value in state.items():
        if "bn" in name or "downsample.1" in name:
            middle = 1 if name.endswith(("weight", "var")) else 0
            state[name] = (middle + rng.uniform(-0.3, 0.3, value.shape)).astype(dtype)
    model.load_state_dict(state)
    twin.to(getattr(torch, dtype))
    theirs = {name: torch.tensor(turned(value).copy()) for name, value in state.items()}
    found = twin.load_state_dict(theirs, strict=False)
    assert not found.unexpected_keys and all(
        key.endswith("num_batches_tracked") for key in found.missing_keys
    )
    return model, twin


def assert_same_state(model, twin, **tolerance):
    theirs = twin.state_dict()
    for name, value in model.state_dict().items():
        assert_allclose(turned(value), theirs[name].numpy(), err_msg=name, **tolerance)


NETWORKS = {
    "resnet18, cifar": (
        lambda: resnet18(),
        lambda: Twin((2, 2, 2, 2), (64, 128, 256, 512)),
        (2, 9, 11, 3),
    ),
    "resnet18, imagenet": (
        lambda: resnet18(stem="imagenet", num_classes=7),
        lambda: Twin((2, 2, 2, 2), (64, 128, 256, 512), stem="imagenet", num_classes=7),
        (3, 33, 29, 3),
    ),
    "bottlenecks, cifar": (
        lambda: ResNet(Bottleneck, (1, 1, 1, 1), (8, 12, 16, 20)),
        lambda: Twin((1, 1, 1, 1), (8, 12, 16, 20), bottleneck=True),
        (2, 13, 10, 3),
    ),
    "bottlenecks, imagenet": (
        lambda: ResNet(Bottleneck, (1, 2, 1, 1), (8, 12, 16, 20), stem="imagenet"),
        lambda: Twin((1, 2, 1, 1), (8, 12, 16, 20), bottleneck=True, stem="imagenet"),
        (2, 65, 37, 3),
    ),
    "bottlenecks, option A": (
        lambda: ResNet(Bottleneck, (2, 1), (4, 6), shortcut="A"),
        lambda: Twin((2, 1), (4, 6), bottleneck=True, shortcut="A"),
        (2, 7, 8, 3),
    ),
    "basic, option A, odd widths": (
        lambda: ResNet(BasicBlock, (1, 2, 1), (4, 7, 9), shortcut="A"),
        lambda: Twin((1, 2, 1), (4, 7, 9), shortcut="A"),
        (2, 9, 8, 3),
    ),
}


@pytest.mark.usefixtures("each_arithmetic")
@pytest.mark.parametrize("forms", [ops.without, ops.plain], ids=["default", "plain"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_the_same_logits_and_gradients(name, forms):
    with forms():
        check_network(*NETWORKS[name])


def check_network(make, make_twin, shape):
    nn.manual_seed(0)
    model, twin = pair(make(), make_twin())
    images = numbers(3, shape)
    with no_grad(), torch.no_grad():
        y, t = model.eval()(Tensor(to_device(images))), twin.eval()(torch.tensor(images))
    assert_allclose(y.numpy(), t.numpy(), rtol=1e-10, atol=1e-10)
    x, u = Tensor(to_device(images), requires_grad=True), torch.tensor(images, requires_grad=True)
    y, t = model.train()(x), twin.train()(u)
    assert_allclose(y.numpy(), t.detach().numpy(), rtol=1e-9, atol=1e-9)
    g = numbers(4, y.shape)
    y.backward(to_device(g))
    t.backward(torch.tensor(g))
    assert_allclose(to_host(x.grad), u.grad.numpy(), rtol=1e-8, atol=1e-8)
    theirs = dict(twin.named_parameters())
    for key, parameter in model.named_parameters():
        g, expected = turned(to_host(parameter.grad)), theirs[key].grad.numpy()
        assert_allclose(
            g, expected, rtol=1e-8, atol=1e-8 * max(1, abs(expected).max()), err_msg=key
        )
    assert_same_state(model, twin, atol=1e-10)


def train_both(model, twin, dtype, *, lr):
    """Ten steps on the same batches. The losses of both."""
    options = {"lr": lr, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
    mine = optim.SGD(model.parameters(), **options)
    yours = torch.optim.SGD(twin.parameters(), **options)
    rng, losses = numpy.random.default_rng(7), []
    for _ in range(10):
        images, labels = rng.standard_normal((6, 16, 16, 3)).astype(dtype), rng.integers(0, 10, 6)
        loss = F.cross_entropy(
            model(Tensor(to_device(images))), to_device(labels), label_smoothing=0.1
        )
        mine.zero_grad(), loss.backward(), mine.step()
        other = TF.cross_entropy(
            twin(torch.tensor(images)), torch.tensor(labels), label_smoothing=0.1
        )
        yours.zero_grad(), other.backward(), yours.step()
        losses.append((float(loss), other.item()))
    return numpy.transpose(losses)


def tiled_everywhere():
    """A context in which every convolution by 3x3 kernels goes by Winograd's tiles."""

    def conv2d(x, weight, bias=None, *, stride=1, padding=0):
        stride = pair_of(stride, "stride", at_least=1)
        padding = pair_of(padding, "padding", at_least=0)
        if weight.shape[:2] == (3, 3):
            return by_tiles(
                x, weight, bias, padding=padding, tile={(1, 1): F4, (2, 2): F4_STRIDE2}[stride]
            )
        return ops.conv2d.default(x, weight, bias, stride=stride, padding=padding)

    return ops.standing_in(conv2d=conv2d)


@pytest.mark.usefixtures("each_arithmetic")
@pytest.mark.parametrize(
    ("shortcut", "forms"),
    [("A", ops.without), ("B", ops.without), ("A", ops.plain), ("B", ops.plain), ("A", lambda: ops.without("winograd")), ("A", tiled_everywhere)],
    ids=["A", "B", "A, plain", "B, plain", "A, columns", "A, tiles"],
)  # fmt: skip
def test_ten_steps_of_training_resnet20(shortcut, forms):
    nn.manual_seed(0)
    model, twin = pair(
        resnet20(shortcut=shortcut), Twin((3, 3, 3), (16, 32, 64), shortcut=shortcut)
    )
    before = model.state_dict()
    with forms():
        ours, theirs = train_both(model, twin, "float64", lr=0.05)
    assert_allclose(ours, theirs, atol=1e-8, rtol=0)
    assert_same_state(model, twin, atol=1e-8, rtol=0)
    # All have moved.
    assert all((value != before[name]).any() for name, value in model.state_dict().items())
    images = numbers(1, (2, 16, 16, 3))
    with no_grad(), torch.no_grad():
        y, t = model.eval()(Tensor(to_device(images))), twin.eval()(torch.tensor(images))
    assert_allclose(y.numpy(), t.numpy(), atol=1e-8)


@pytest.mark.usefixtures("each_arithmetic")
@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_ten_steps_of_training_resnet20_in_float32(shortcut):
    """To 1e-6, until rounding turns the sign before one ReLU: from there the two part by as much as a step moves them.

    So a small rate, and 5e-3 for the losses, 2e-2 for the state. PyTorch parts from its own float64 in the same way.
    """
    nn.manual_seed(1)
    model, twin = pair(
        resnet20(shortcut=shortcut), Twin((3, 3, 3), (16, 32, 64), shortcut=shortcut), "float32"
    )
    ours, theirs = train_both(model, twin, "float32", lr=0.001)
    assert_allclose(ours[0], theirs[0], rtol=1e-5)
    assert_allclose(ours, theirs, atol=5e-3, rtol=0)
    assert_same_state(model, twin, atol=2e-2, rtol=0)
    assert {str(value.dtype) for value in model.state_dict().values()} == {"float32"}


@pytest.mark.usefixtures("each_arithmetic")
@pytest.mark.parametrize("forms", [ops.without, ops.plain], ids=["default", "plain"])
def test_a_step_of_resnet20_with_bfloat16_is_as_far_from_float32_as_autocasts(forms):
    """Each gradient, as a direction: what rounding to bfloat16 turns it by, here and there."""
    images, labels = numbers(3, (32, 16, 16, 3)).astype("float32"), numpy.arange(32) % 10

    def gradients(mixed):
        nn.manual_seed(1)
        model, twin = pair(
            resnet20(shortcut="B"), Twin((3, 3, 3), (16, 32, 64), shortcut="B"), "float32"
        )
        with forms(), autocast("bfloat16" if mixed else None):
            loss = F.cross_entropy(model(Tensor(to_device(images))), to_device(labels))
            loss.backward()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            their_loss = TF.cross_entropy(twin(torch.tensor(images)), torch.tensor(labels))
        their_loss.backward()
        ours = {
            name: turned(to_host(parameter.grad)).ravel()
            for name, parameter in model.named_parameters()
        }
        theirs = {
            name: parameter.grad.numpy().ravel() for name, parameter in twin.named_parameters()
        }
        return float(loss.item()), their_loss.item(), ours, theirs

    def apart(a, b):
        return 1 - float(a @ b / numpy.sqrt((a @ a) * (b @ b)))

    (exact, _, right, _), (loss, their_loss, ours, theirs) = gradients(False), gradients(True)
    assert abs(loss - exact) < 0.005 * exact and abs(their_loss - exact) < 0.005 * exact
    mine, yours = (
        numpy.array([apart(found[name], right[name]) for name in right]) for found in (ours, theirs)
    )
    assert mine.mean() < 1.2 * yours.mean() and mine.max() < 2 * yours.max()
