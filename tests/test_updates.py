"""The updates of SGD and Adam, plain and faster forms, compared with the published formulas, a number at a time in plain Python."""

import math
import tracemalloc

import numpy
import pytest
from numpy.testing import assert_allclose

from minires import backend
from minires.backend import on_a_gpu, to_device, to_host
from minires.nn import Parameter
from minires.optim import SGD, Adam, AdamW
from tests.chunks import in_chunks_of

pytestmark = pytest.mark.usefixtures("each_backend", "each_form")


def parameter(values=(1.0, -2.0, 0.5), dtype=numpy.float64):
    return Parameter(to_device(numpy.array(values, dtype)))


def give(p, gradient):
    p.grad = to_device(numpy.array(gradient, p.dtype))


def values(p):
    return to_host(p.data).tolist()


GRADIENTS = (
    numpy.random.default_rng(0).standard_normal((20, 3)) * [1, 10, 0.1] + [0.3, -2, 0]
).tolist()


def sgd_by_hand(w, gradients, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    """Update one number. Returns its value after each step."""
    path, v = [], 0.0
    for g in gradients:
        g = g + weight_decay * w
        v = momentum * v + g
        w = w - lr * (g + momentum * v if nesterov else v)
        path.append(w)
    return path


def adam_by_hand(w, gradients, lr, betas, eps, coupled=0.0, decoupled=0.0):
    path, m, v = [], 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        w = w - lr * decoupled * w
        g = g + coupled * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        w = w - lr * (m / (1 - betas[0] ** t)) / (math.sqrt(v / (1 - betas[1] ** t)) + eps)
        path.append(w)
    return path


def assert_follows(optimizer, p, gradients, by_hand, **options):
    """Check that each number of `p` follows `by_hand`, at every step."""
    paths = [by_hand(w, g, **options) for w, g in zip(values(p), zip(*gradients))]
    for g, expected in zip(gradients, zip(*paths)):
        give(p, g)
        optimizer.step()
        assert_allclose(values(p), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
        {"momentum": 0.5, "weight_decay": 0.2},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
    ],
)
def test_sgd_follows_its_formula_over_20_steps(options):
    p = parameter()
    assert_follows(SGD([p], 0.05, **options), p, GRADIENTS, sgd_by_hand, lr=0.05, **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lr": 0.1},
        {"betas": (0.5, 0.75)},
        {"betas": (0.0, 0.0), "lr": 0.01},
        {"eps": 0.5, "lr": 0.02},
        {"lr": 0.05, "weight_decay": 0.3},
        {"lr": 0.05, "weight_decay": 0.3, "betas": (0.8, 0.9), "eps": 0.1},
    ],
)
@pytest.mark.parametrize("optimizer", [Adam, AdamW])
def test_adam_and_adamw_follow_their_formulas_over_20_steps(optimizer, options):
    p = parameter()
    decay = options.get("weight_decay", 0.01 if optimizer is AdamW else 0)
    by_hand = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8} | {
        k: v for k, v in options.items() if k != "weight_decay"
    }
    by_hand["decoupled" if optimizer is AdamW else "coupled"] = decay
    assert_follows(optimizer([p], **options), p, GRADIENTS, adam_by_hand, **by_hand)


@pytest.mark.parametrize("optimizer", [Adam, AdamW])
def test_adams_first_step_has_the_size_lr_whatever_the_gradient(optimizer):
    p = parameter()
    before = numpy.array(values(p))
    give(p, [1e-3, -4.0, 1e5])
    optimizer([p], lr=0.25, weight_decay=0).step()
    assert_allclose(before - values(p), [0.25, -0.25, 0.25], rtol=1e-4)


@pytest.mark.parametrize("optimizer", [Adam, AdamW])
def test_adams_eps_is_outside_the_root(optimizer):
    """For a gradient of 1e-6, the root of v_hat is 1e-6, much larger than an eps of 1e-8. Inside the root, 1e-8 would dominate."""
    p = parameter([0.0])
    give(p, [1e-6])
    optimizer([p], lr=1.0, weight_decay=0).step()
    assert_allclose(values(p), [-1e-6 / (1e-6 + 1e-8)], rtol=1e-12)
    p, gradients = parameter([0.0]), [[g * 1e-7] for (g, *_) in GRADIENTS]
    assert_follows(
        optimizer([p], weight_decay=0),
        p,
        gradients,
        adam_by_hand,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
    )


def test_weight_decay_of_adam_goes_through_the_step_and_of_adamw_beside_it():
    for optimizer, expected in ((Adam, 2 - 0.1), (AdamW, 2 - 0.1 * 0.5 * 2)):
        p = parameter([2.0])
        give(p, [0.0])
        optimizer([p], lr=0.1, weight_decay=0.5).step()
        assert_allclose(values(p), [expected], rtol=1e-6)


def sgd_of_arrays(w, gradients, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    """Apply the formula as written to whole arrays."""
    v = 0 * w
    for g in gradients:
        g = g + weight_decay * w
        v = momentum * v + g
        w = w - lr * (g + momentum * v if nesterov else v)
    return w


def adam_of_arrays(w, gradients, lr, betas, eps=1e-8, coupled=0.0, decoupled=0.0):
    (b1, b2), m, v = betas, 0 * w, 0 * w
    for t, g in enumerate(gradients, start=1):
        w = w * (1 - lr * decoupled)
        g = g + coupled * w
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * (g * g)
        w = w - lr * (m / (1 - b1**t)) / (numpy.sqrt(v / (1 - b2**t)) + eps)
    return w


def columns_first(array):
    return to_device(numpy.ascontiguousarray(array.T)).T


LARGE = {
    "SGD": (SGD, sgd_of_arrays, {}),
    "SGD with decay": (SGD, sgd_of_arrays, {"weight_decay": 0.1}),
    "momentum": (SGD, sgd_of_arrays, {"momentum": 0.9}),
    "momentum and decay": (SGD, sgd_of_arrays, {"momentum": 0.9, "weight_decay": 0.1}),
    "Nesterov and decay": (
        SGD,
        sgd_of_arrays,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ),
    "Adam": (Adam, adam_of_arrays, {"betas": (0.8, 0.9)}),
    "Adam with decay": (Adam, adam_of_arrays, {"betas": (0.8, 0.9), "weight_decay": 0.1}),
    "AdamW": (AdamW, adam_of_arrays, {"betas": (0.8, 0.9), "weight_decay": 0.1}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("turned", ["nothing", "parameter", "gradient"])
@pytest.mark.parametrize("name", LARGE)
def test_a_parameter_in_several_chunks_follows_the_formula_to_the_bit(
    each_form, name, turned, dtype
):
    """In chunks of 600 to 3000 numbers, or in one piece if it or its gradient is not contiguous."""
    make, formula, options = LARGE[name]
    start, *gradients = (
        numpy.random.default_rng(i).standard_normal((301, 303)).astype(dtype) for i in range(4)
    )
    p = parameter(start, dtype)
    p.data = columns_first(start) if turned == "parameter" else p.data
    optimizer = make([p], 0.05, **options)
    with in_chunks_of(50_000) as cuts:
        for g in gradients:
            p.grad = columns_first(g) if turned == "gradient" else to_device(g)
            optimizer.step()
    if make is not SGD and "weight_decay" in options:
        options = {
            "betas": options["betas"],
            "decoupled" if make is AdamW else "coupled": options["weight_decay"],
        }
    expected = formula(start, gradients, 0.05, **options)
    assert p.data.flags.c_contiguous == (turned != "parameter") and p.grad.flags.c_contiguous == (
        turned != "gradient"
    )
    assert p.dtype == dtype
    if each_form == "default" and on_a_gpu():  # kernels multiply and add in one
        assert_allclose(
            to_host(p.data), expected, rtol=0, atol=1e-6 if dtype == "float32" else 1e-14
        )
    else:
        assert to_host(p.data).tobytes() == expected.tobytes()
        assert [len(cut) > 3 for cut in cuts] == [True] * 3 * (
            each_form == "default" and turned == "nothing"
        )


def test_a_parameter_of_less_than_256_kib_is_not_cut(each_form):
    p = parameter(numpy.ones(65_535), numpy.float32)
    p.grad = p.data
    with in_chunks_of(50_000) as cuts:
        SGD([p], 0.1, momentum=0.9).step()
        Adam([p], 0.1).step()
    assert cuts == []


@pytest.mark.parametrize("name", LARGE)
def test_a_step_makes_nothing_as_large_as_a_parameter(name):
    make, _, options = LARGE[name]
    with backend.using("numpy", threads=2, plain=False):
        p = parameter(numpy.zeros(4 << 20), numpy.float32)  # 16 MiB
        p.grad = p.data + 1
        optimizer = make([p], 0.05, **options)
        optimizer.step()
        tracemalloc.start()
        try:
            optimizer.step()
            # A thread that found no work in the first step makes its scratch arrays in this one.
            assert tracemalloc.get_traced_memory()[1] < p.data.nbytes / 2
        finally:
            tracemalloc.stop()


OPTIMIZERS = [
    lambda parameters: SGD(parameters, 0.1),
    lambda parameters: SGD(parameters, 0.1, momentum=0.9, weight_decay=0.1),
    lambda parameters: SGD(parameters, 0.1, momentum=0.9, nesterov=True),
    lambda parameters: Adam(parameters, 0.1, weight_decay=0.1),
    lambda parameters: AdamW(parameters, 0.1),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_step_is_in_place_and_leaves_the_gradient_and_the_type(make):
    p, g = parameter(dtype=numpy.float32), to_device(numpy.array([1.0, 2.0, -3.0], numpy.float32))
    data, before, optimizer = p.data, values(p), make([p])
    for _ in range(3):
        p.grad = g
        optimizer.step()
        optimizer.lr = optimizer.lr / 2
    assert p.data is data and p.dtype == numpy.float32 and (numpy.array(values(p)) != before).all()
    assert p.grad is g and to_host(g).tolist() == [1, 2, -3]
    assert {array.dtype for array in optimizer.state[p].values() if hasattr(array, "dtype")} <= {
        numpy.dtype("float32")
    }
