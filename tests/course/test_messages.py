"""The messages of failures: where results differ, by how much, what the values have in common; and calls that are refused."""

import functools

import numpy
import pytest

from minires import nn, ops, optim
from minires.course import Check, Wrong, diagnosis, engine, manifest
from minires.course.difference import difference
from minires.course.poison import Cheating, poisoned
from minires.models.resnet import BasicBlock
from minires.ops.elementwise import unbroadcast
from minires.tensor import Tensor
from tests.course.trials import tried

OURS = numpy.arange(1.0, 13).reshape(3, 4)


def said(yours, ours=OURS, **sizes):
    return " / ".join(difference(yours, ours, 1e-8, sizes))


@pytest.mark.parametrize(
    ("yours", "words"),
    [
        (
            4 * OURS,
            [
                "4 times too large everywhere: N?",
                "at [0, 0] yours is 4, ours is 1 (12 of 12 differ)",
            ],
        ),
        (OURS / 12, ["12 times too small everywhere: x.size?"]),
        (-OURS, ["wrong sign everywhere"]),
        (-4 * OURS, ["4 times too large everywhere, with the wrong sign"]),
        (OURS * numpy.where(OURS > 4, 1, -1), ["only signs differ"]),
        (OURS[::-1], ["read backwards along axis 0"]),
        (OURS[::-1, ::-1], ["read backwards along axis 0 and 1"]),
        (OURS.T.copy(), ["shape (4, 3), ours has (3, 4)", "yours.transpose(1, 0)"]),
        (OURS.ravel(), ["yours.reshape(3, 4) would do"]),
        (OURS + 2, ["2 too large everywhere"]),
        (OURS * 0, ["zero everywhere"]),
        (OURS * numpy.nan, ["yours contains NaN"]),
        (
            OURS.ravel()[[1, 0, *range(2, 12)]].reshape(3, 4),
            ["the values are right, but in a different order", "(2 of 12 differ)"],
        ),
        (OURS.astype("float32"), ["yours is float32, ours is float64"]),
        (None, ["yours is None, ours is an array of float64"]),
        ([OURS], ["yours is a list of 1"]),
        (OURS + 1e-6 * (OURS == 7), ["at [1, 2] yours is 7.000001, ours is 7 (1 of 12 differ)"]),
    ],
)
def test_a_difference_is_told_in_words(yours, words):
    told = said(yours, N=4, **{"x.size": 12})
    assert all(word in told for word in words), told


def placed(*positions, size=300):
    array = numpy.zeros((1, size // 5, 5, 1))
    array.ravel()[list(positions)] = numpy.arange(len(positions)) + 2.5
    return array


def test_an_integer_of_one_byte_that_wraps_around_is_told():
    assert "does an index of one byte wrap around?" in said(placed(43), placed(299))
    assert "does an index of one byte wrap around?" in said(placed(9, 43), placed(9, 299))
    numbers = numpy.arange(250.0, 262)
    assert "does an integer of one byte wrap around?" in said(numbers % 256, numbers)
    assert "different order" in said(placed(42), placed(299))


def test_a_hint_that_fits_in_two_ways_is_not_given():
    square = numpy.array([[1.0, 2.0], [2.0, 5.0]])
    told = said(square[::-1], square[::-1, ::-1])  # along axis 1, or along axis 0 of its transpose
    assert "read backwards" in told
    same_twice = numpy.array(
        [[1.0, 2.0], [3.0, 1.0]]
    )  # its transpose, and read backwards along both axes
    assert said(same_twice.T, same_twice) == "at [0, 1] yours is 3, ours is 2 (2 of 4 differ)"
    column = OURS[:1].T.copy()
    assert "yours.transpose(1, 0)" in said(column, OURS[:1])


def test_numbers_have_six_digits_unless_they_look_equal():
    assert "yours is 0.333333, ours is 0.666667" in said(
        numpy.array([1 / 3, 0]), numpy.array([2 / 3, 0])
    )
    assert "yours is 1.00001, ours is 1" in said(numpy.array([1.00001]), numpy.array([1.0]))
    assert "yours is 1.0000001, ours is 1" in said(numpy.array([1 + 1e-7]), numpy.array([1.0]))


def test_inputs_have_six_digits(check):
    with pytest.raises(Wrong) as caught:
        check.gradients(lambda a, b: (a * b + 1, None), numpy.array([0.1 + 0.2, 2.0]), 1 / 3)
    assert "multiply(a [0.3, 2.0], b 0.333333)" in str(caught.value)


def test_rounding_is_no_difference():
    assert difference(OURS * (1 + 1e-12), OURS, 1e-8) is None
    assert difference((1.0, {"a": OURS}), (1.0, {"a": OURS}), 1e-8) is None
    assert (
        difference(numpy.array([numpy.nan, numpy.inf]), numpy.array([numpy.nan, numpy.inf]), 1e-8)
        is None
    )


def test_a_tuple_and_a_dict_are_compared_part_by_part():
    assert said((1.0, 2.0), (1.0, 3.0)).startswith("part 1: yours is 2, ours is 3")
    assert said({"a": 1.0}, {"a": 2.0}).startswith("a: yours is 1")
    assert "yours has ['b']" in said({"b": 1.0}, {"a": 1.0})


def test_an_answer_of_any_kind_can_be_held_against_a_known_mistake():
    answer = Tensor(OURS)  # which does not turn into an array
    assert said(OURS, answer).startswith("yours is an array of float64")
    assert said(answer).startswith("yours is a Tensor, ours is an array")
    assert difference(answer, answer, 1e-8) is None


@pytest.fixture
def check():
    return Check("02a")


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
