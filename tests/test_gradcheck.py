"""check_backward accepts right gradients and rejects wrong ones, with a helpful message."""

import functools

import numpy
import pytest

from minires import ops
from minires.backend import xp
from minires.gradcheck import check_backward

pytestmark = pytest.mark.usefixtures("each_backend")

X = numpy.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


def right(x, y):
    return x * y * y, lambda g: (g * y * y, g * 2 * x * y)


def factor(x, y):
    return x * y * y, lambda g: (g * y * y, g * x * y)


def other_first(x, y):
    return x * y * y, lambda g: (g * 2 * x * y, g * y * y)


def upstream_ignored(x, y):
    return x * y * y, lambda g: (y * y + 0 * g, g * 2 * x * y)


def one_element(x, y):
    def backward(g):
        g_y = g * 2 * x * y
        g_y[1, 2] *= 1.001
        return g * y * y, g_y

    return x * y * y, backward


def not_a_number(x, y):
    return x * y * y, lambda g: (g * y * y, g * xp.nan)


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (
            factor,
            r"factor: the gradient of y is wrong: along a random direction backward says \S+, a finite difference \S+\. Furthest off at \[",
        ),
        (other_first, "the gradient of x is wrong"),
        (upstream_ignored, "the gradient of x is wrong"),
        (one_element, r"the gradient of y is wrong.* Furthest off at \[1, 2\]: "),
        (not_a_number, "the gradient of y is wrong"),
    ],
)
def test_a_wrong_gradient_is_rejected_by_name_and_place(op, message):
    check_backward(right, X, X + 3)
    with pytest.raises(AssertionError, match=message):
        check_backward(op, X, X + 3)


def test_both_numbers_and_the_worst_element_are_right():
    def doubled(x):
        return x * 3, lambda g: (g * 6,)

    with pytest.raises(AssertionError) as caught:
        check_backward(doubled, X)
    words = str(caught.value).replace(",", "").split()
    says = float(words[words.index("says") + 1])
    shows = float(words[words.index("difference") + 1].rstrip("."))
    assert abs(says / shows - 2) < 1e-6
    assert abs(float(words[-4]) / float(words[-1]) - 2) < 1e-6


def test_a_single_number_has_no_place():
    with pytest.raises(AssertionError, match="Furthest off: "):
        check_backward(lambda x: (x * 1, lambda g: (g * 2,)), numpy.array(2.0))


def test_a_batch_norm_whose_backward_gives_zeros_is_rejected():
    def zeros(x):
        return (x - x.mean(axis=0)) / xp.sqrt(x.var(axis=0)), lambda g: (0 * g,)

    with pytest.raises(
        AssertionError, match="the gradient of x is wrong: along a random direction backward says 0"
    ):
        check_backward(zeros, numpy.random.default_rng(0).standard_normal((5, 3)))


def test_what_goes_in_is_left_alone():
    def writes_to_x(x):
        x += 1
        return x * 1, lambda g: (g,)

    def writes_to_g(x):
        def backward(g):
            g *= 2
            return (g,)

        return x * 2, backward

    def writes_to_x_later(x):
        def backward(g):
            x.sort()
            return (g,)

        return x * 1, backward

    with pytest.raises(AssertionError, match="writes_to_x writes to one of its inputs"):
        check_backward(writes_to_x, X)
    with pytest.raises(AssertionError, match="writes_to_g.* writes to the upstream gradient"):
        check_backward(writes_to_g, X)
    with pytest.raises(AssertionError, match="writes_to_x_later.*writes to"):
        check_backward(writes_to_x_later, X[:, ::-1])


def test_shapes_numbers_and_absence_are_checked():
    for gradients, message in [
        (lambda g: (g.sum(axis=0), g), r"the gradient of a has shape \(3,\), a has \(2, 3\)"),
        (lambda g: (g, None), "backward returned None for b"),
        (
            lambda g: (g,),
            r"must return a tuple of 2 gradients, one per input, got \((Array|ndarray)\)$",
        ),
        (lambda g: (g, g, g), "must return a tuple of 2 gradients, one per input, got"),
        (lambda g: g, "must return a tuple of 2 gradients, one per input, got (Array|ndarray)$"),
    ]:

        def plus(a, b, gradients=gradients):
            return a + b, gradients

        with pytest.raises(AssertionError, match=message):
            check_backward(plus, X, X)


def test_backward_must_give_the_same_when_called_again():
    def used_up(x):
        calls = []

        def backward(g):
            calls.append(1)
            return (g * len(calls),)

        return x * 1, backward

    with pytest.raises(
        AssertionError,
        match="used_up: backward returns a different gradient of x when it is called again",
    ):
        check_backward(used_up, X)


@pytest.mark.parametrize(
    ("wide", "message"), [(0, "the result is float64"), (1, "the gradient of x is float64")]
)
def test_float32_must_stay_float32(wide, message):
    def widens(x):
        y = x * 2
        return (y.astype("float64") if wide == 0 else y), lambda g: ((g * 2).astype("float64"),)

    with pytest.raises(AssertionError, match=f"widens: {message} where the inputs are float32"):
        check_backward(widens, X)


def test_masks_and_labels_are_passed_on_and_lists_and_options_too():
    check_backward(ops.where, X > 0, X, 2 * X)
    check_backward(ops.cross_entropy, X, numpy.array([2, 0]), label_smoothing=0.1)
    check_backward(ops.multiply, [1.0, 2.0], [3.0, 4.0])
    check_backward(ops.sum, X, axis=1, keepdims=True)
    check_backward(ops.concatenate, X, X, X[:1])


def test_an_input_of_any_number_has_an_index_for_a_name():
    def join(*parts):
        return xp.concatenate(parts), lambda g: (g[:2], 2 * g[2:])

    with pytest.raises(AssertionError, match=r"the gradient of parts\[1\] is wrong"):
        check_backward(join, X, X)


def test_the_seed_the_step_and_the_tolerance_are_options():
    def slightly(x):
        return x**2, lambda g: (g * 2.001 * x,)

    with pytest.raises(AssertionError):
        check_backward(slightly, X)
    check_backward(slightly, X, tolerance=1e-2)

    def cubed(x):
        return x**3, lambda g: (g * 3 * x * x,)

    check_backward(cubed, X, seed=7)
    with pytest.raises(AssertionError):
        check_backward(cubed, X, step=0.5)


def test_an_error_of_the_op_itself_comes_through():
    with pytest.raises(ValueError, match="expected shapes that broadcast"):
        check_backward(ops.add, X, X[:, :2])


@pytest.mark.parametrize("x", [numpy.arange(6), [1, 2, 3]])
def test_a_check_of_nothing_is_refused(x):
    with pytest.raises(ValueError, match="expected a float array among the inputs, got"):
        check_backward(lambda x: (x * 2, lambda g: (g * 17,)), x)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e-6, 1e6])
def test_the_size_of_the_numbers_does_not_hide_a_wrong_gradient(scale):
    def scaled(x, factor):
        return scale * x * x, lambda g: (g * scale * factor * x,)

    check_backward(functools.partial(scaled, factor=2), X)
    for factor in (2.001, 4, 0):
        with pytest.raises(AssertionError, match="^scaled: the gradient of x is wrong"):
            check_backward(functools.partial(scaled, factor=factor), X)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e6])
def test_a_gradient_that_is_zero_may_be_zero(scale):
    check_backward(lambda x: (scale * (x - x + 1), lambda g: (0 * g,)), X)
    # Up to rounding.
    check_backward(
        lambda x: (scale * xp.cos(x) ** 2 + scale * xp.sin(x) ** 2, lambda g: (0 * g,)), X
    )
    check_backward(ops.relu, -scale * numpy.abs(X) - 1)
    check_backward(ops.softmax, scale * X[:, :1])


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda x: x, "(Array|ndarray)"),
        (lambda x: (x, 2), r"\((Array|ndarray), int\)"),
        (lambda x: (x, abs, abs), r"\(.*\)"),
    ],
)
def test_an_op_that_gives_something_else_is_rejected(made, told):
    def mine(x):
        return made(x)

    wanted = "mine: an op must return a tuple of an array and its backward, a function, got "
    with pytest.raises(AssertionError, match=f"^{wanted}{told}$"):
        check_backward(mine, X)


def test_a_gradient_for_an_input_that_was_left_out_may_be_none():
    check_backward(ops.linear, X, X.T)
    check_backward(ops.linear, X, X.T, [1.0, 2.0])
