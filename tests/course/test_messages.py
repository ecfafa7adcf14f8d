"""The messages of failures: which call they are about, what is wrong with it, and calls that are refused."""

import functools

import numpy
import pytest

from minires import nn, ops, optim
from minires.course import Check, Wrong, diagnosis, engine, manifest
from minires.course.poison import Cheating, poisoned
from minires.models.resnet import BasicBlock
from minires.ops.elementwise import unbroadcast
from minires.tensor import Tensor
from tests.course.trials import tried


@pytest.fixture
def check():
    return Check("02a")


def test_inputs_have_six_digits(check):
    with pytest.raises(Wrong) as caught:
        check.gradients(lambda a, b: (a * b + 1, None), numpy.array([0.1 + 0.2, 2.0]), 1 / 3)
    assert "multiply(a [0.3, 2.0], b 0.333333)" in str(caught.value)


A = numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
B = numpy.array([[2.0, 3.0, 5.0], [7.0, 11.0, 13.0]])


def test_the_call_the_item_and_the_known_mistake_are_named(check):
    def swapped(a, b):
        return a * b, lambda g: (g * a, g * b)

    with pytest.raises(Wrong) as caught:
        check.gradients(swapped, A, B)
    assert str(caught.value).startswith(
        "multiply(a (2, 3), b (2, 3)): the gradient of a differs from ours\n  at [0, 0]"
    )
    # All claims together name it: a single call may look like several mistakes.
    result = tried(check.exercise, swapped_with_broadcasting)
    assert result.mistake == "swapped"
    assert "This is what comes out when each side gets its own factor" in result.message


def swapped_with_broadcasting(a, b):
    def backward(g):
        return tuple(unbroadcast(g * x, numpy.shape(x)) for x in (a, b))

    return a * b, backward


def right(a, b):
    return a * b, lambda g: (g * b, g * a)


def writes_to_a(a, b):
    result = a * b
    a += 1
    return result, lambda g: (g * b, g * (a - 1))


def writes_to_g(a, b):
    def backward(g):
        g_a, g_b = g * b, g * a
        g *= 2
        return g_a, g_b

    return a * b, backward


BUFFERS = {}


def one_buffer(a, b):
    buffer = BUFFERS.setdefault((a.shape, a.dtype), numpy.empty_like(a))
    numpy.multiply(a, b, out=buffer)
    return buffer, right(a, b)[1]


def one_gradient(a, b):
    return a * b, lambda g: (g * b,)


def counting(a, b, calls=[]):  # noqa: B006
    calls.append(a)
    return a * b + (len(calls) > 1) * 1e-3 * len(calls), right(a, b)[1]


def in_float64(a, b):
    return a.astype("float64") * b, lambda g: (g * b, g * a)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (writes_to_a, "yours writes to a, which belongs to the caller"),
        (writes_to_g, "backward writes to the upstream gradient"),
        (one_buffer, "a later call changes the result of an earlier one"),
        (one_gradient, "the number of gradients differs from ours"),
        (counting, "a second call on the same inputs gives a different result"),
        (
            in_float64,
            "in float32: the result differs from ours\n  yours is float64, ours is float32",
        ),
        (lambda a, b: a * b, "an op returns a tuple of its result and a function, backward"),
        (
            lambda a, b: (a * b, lambda g: [g * b, g * a]),
            "expected backward to return a tuple with one gradient per input, got a list",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", "words"),
)
def test_bad_manners_are_told(check, function, words):
    check.gradients(right, A, B)
    with pytest.raises(Wrong) as caught:
        check.gradients(function, A, B)
    assert words in str(caught.value)


def test_a_crash_keeps_its_own_line_and_says_on_which_inputs(check):
    with pytest.raises(ZeroDivisionError) as caught:
        check.same(lambda a, b: 1 / 0, A, B)
    assert "in multiply(a (2, 3), b (2, 3))" in caught.value.__notes__[0]


def test_a_recursion_that_is_too_deep_is_a_sentence(check):
    def endless(a, b):
        return endless(a, b)

    with pytest.raises(Wrong, match="too deep for Python's stack"):
        check.same(endless, A, B)


def through_ops(a, b):
    return ops.multiply(a, b)


def through_a_tensor(a, b):
    from minires import Tensor

    return (Tensor(a) * b).data, right(a, b)[1]


def through_a_name(a, b):
    return multiply(a, b)


def caught_and_silent(a, b):
    try:
        return ops.multiply(a, b)
    except AssertionError:
        return right(a, b)


multiply = ops.multiply


@pytest.mark.parametrize(
    "function", [through_ops, through_a_tensor, through_a_name, caught_and_silent, ops.multiply]
)
def test_the_librarys_own_is_poisoned(check, function):
    with pytest.raises(Cheating, match="calling the library's is cheating, if charming"):
        check.gradients(function, A, B)
    assert ops.multiply(A, B)[0].shape == A.shape and multiply is ops.multiply


def test_of_a_class_the_methods_that_are_to_be_written_are_poisoned():
    exercise, x = manifest.exercise("08a"), Tensor(numpy.ones((2, 4, 4, 3), "float32"))

    class Heir(BasicBlock):
        pass

    class Own(nn.Module):
        def __init__(self, channels):
            self.block = BasicBlock(channels, channels)

        def forward(self, x):
            return self.block(x)

    with pytest.raises(Cheating), poisoned(exercise, Heir):
        pass
    with pytest.raises(Cheating), poisoned(exercise, Own):
        Own(3)(x)
    with poisoned(exercise, Own):
        assert Own(3).block.conv1(x).shape == x.shape


def test_calls_of_a_classs_methods_are_counted():
    calls = []
    stand_in = engine.counted(optim.SGD, functools.partial(calls.append, 1), ["update"])
    parameter = nn.Parameter(numpy.ones(2, "float32"))
    parameter.grad = numpy.ones(2, "float32")
    optimizer = stand_in([parameter], 0.5)
    optimizer.step()
    assert (
        calls == [1]
        and parameter.data.tolist() == [0.5, 0.5]
        and isinstance(optimizer, optim.Optimizer)
    )


def test_a_mistakes_docstring_is_its_sentence():
    mistake = manifest.exercise("05d").mistakes()["assigns"]
    assert diagnosis.sentence(mistake).startswith(
        "This is what comes out when the parts are assigned,"
    )
