"""Differences in words: where results differ, by how much, and what the values have in common."""

import numpy
import pytest

from minires.course.difference import difference, on_host
from minires.tensor import Tensor

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
        (OURS * (1 + 3e-6), ["too large everywhere, by the same small fraction, 3e-06"]),
        (numpy.asmatrix(OURS), ["yours is an array of class matrix, ours is an ordinary one"]),
        (numpy.ma.masked_greater(OURS, 3), ["yours is an array of class MaskedArray"]),
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


def test_what_was_rounded_does_not_differ_by_the_same_fraction():
    ours = OURS / 7
    assert said(ours.astype("float32").astype(float), ours).count("small fraction") == 0
    assert "by the same small fraction" in said(ours * (1 + 3e-7), ours)


def test_the_shape_of_a_number_can_be_made():
    told = said(numpy.array([3.0]), numpy.float64(3.0))
    assert "yours.reshape(()) would do" in told


def test_what_a_subclass_says_of_itself_does_not_count():
    class Equal(numpy.ndarray):
        def __eq__(self, _):
            return numpy.ones(self.shape, bool)

        def __array_ufunc__(self, *_, **__):
            return numpy.zeros(self.shape)

    assert (
        said((OURS + 1).view(Equal)) == "yours is an array of class Equal, ours is an ordinary one"
    )
    assert (
        said(on_host((OURS + 1).view(Equal)))
        == "yours is an array of class Equal, ours is an ordinary one"
    )


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
    assert "ours has ['a']" in said([1.0], {"a": 1.0})


def test_of_a_long_dict_only_the_keys_that_differ_are_named():
    names = {f"layer {i}": 1.0 for i in range(20)}
    assert said({**names, "bias": 0.0}, names) == "yours has ['bias'], which ours doesn't"
    assert said(names, {**names, "norm": 0.0}) == "yours lacks ['norm']"
    both = said({**names, "bias": 0.0}, {**names, "norm": 0.0})
    assert both == "yours lacks ['norm']; yours has ['bias'], which ours doesn't"


def test_an_answer_of_any_kind_can_be_held_against_a_known_mistake():
    answer = Tensor(OURS)  # which does not turn into an array
    assert said(OURS, answer).startswith("yours is an array of float64")
    assert said(answer).startswith("yours is a Tensor, ours is an array")
    assert difference(answer, answer, 1e-8) is None
