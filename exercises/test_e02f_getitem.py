"""Claims about getitem: the elements, and each gradient added where its element came from."""

import numpy
from e02f_getitem import getitem

from minires.course import Check

check = Check("02f")
rng = numpy.random.default_rng(22)
x = rng.standard_normal((4, 3, 5)) + 1
cube = rng.standard_normal((3, 3, 3))


def test_one_of_three_numbers():
    check.gradients(getitem, numpy.array([2.0, 3.0, 5.0]), index=1)


def test_a_number_that_is_taken_twice_gets_both_gradients():
    check.backward(getitem, numpy.array([2.0, 3.0, 5.0]), index=numpy.array([0, 2, 0, 0]))


def test_an_element_that_is_taken_from_both_ends_gets_both_gradients():
    check.backward(getitem, numpy.array([2.0, 3.0, 5.0]), index=numpy.array([2, -1, 0, -3]))
    check.backward(getitem, x, index=[1, -3, -1])


def test_slices():
    check.backward(getitem, x, index=slice(1, 3))
    check.backward(getitem, x, index=(slice(None), -1, slice(None, None, 2)))
    check.backward(getitem, x, index=(slice(None, None, -1), slice(0, 2), 3))
    check.backward(getitem, x, index=(3, 0, -1))


def test_a_new_axis_and_an_ellipsis():
    check.backward(getitem, x, index=(None, 2))
    check.backward(getitem, x, index=(..., 0))
    check.backward(getitem, x, index=...)
    check.backward(getitem, x, index=(slice(1, 3), None, [0, 0], None))


def test_a_number_without_axes():
    check.gradients(getitem, numpy.array(3.0), index=())
    check.gradients(getitem, numpy.array(3.0), index=None)
    check.gradients(getitem, numpy.array(3.0), index=(..., None, None))


def test_the_index_is_unchanged_afterwards():
    def run(function):
        numbers, ints, mask = numpy.array([2, -1, 0, -3]), [1, -3, -1], x[..., 0] > 1
        outcome = {}
        for index in (numbers, ints, mask):
            result, backward = function(x.copy(), index=index)
            backward(result.copy())
        outcome["the array of ints"], outcome["the list"] = numbers, numpy.array(ints)
        outcome["the array of bools"] = mask
        return outcome

    check.experiment(run, getitem, "three indices after forward and backward")


def test_bools():
    check.backward(getitem, x, index=x > 1)
    check.backward(getitem, x, index=x[..., 0] > 1)
    check.backward(getitem, x, index=numpy.array([True, False, False, True]))
    check.backward(getitem, x, index=[False, True, True, False])
    check.backward(getitem, x, index=(slice(None), numpy.array([True, False, True]), 0))
    check.backward(
        getitem, x, index=(numpy.array([True, False, True, True]), numpy.array([2, 0, 0]))
    )


def test_nothing_may_be_taken():
    check.gradients(getitem, x, index=x > 100)
    check.gradients(getitem, x, index=numpy.array([], int))
    check.gradients(getitem, x, index=[])
    check.gradients(getitem, x, index=slice(2, 2))


def test_rows_that_are_taken_again():
    check.backward(getitem, x, index=numpy.array([[3, 1], [1, 1]]))
    check.backward(getitem, x, index=[2, 0, 2])


def test_pairs_of_indices():
    check.backward(getitem, x, index=(numpy.array([0, 3, 0, 0]), numpy.array([2, 1, 2, 1])))
    check.backward(getitem, x, index=(slice(1, None), numpy.array([-1, 2, 0]), slice(2)))
    check.backward(getitem, x, index=(0, numpy.array([1, 1]), slice(None)))
    check.backward(getitem, x, index=(numpy.array([1, 1, 0]), slice(1, None)))
    check.backward(getitem, x, index=(numpy.array([2, 0, 2]), 1))
    check.backward(getitem, x, index=(numpy.array([[0], [0]]), numpy.array([1, 2])))
    check.backward(getitem, x, index=(slice(2), [0, 2], None, [1, 1]))
    check.backward(
        getitem, cube, index=(numpy.array([2, 2]), slice(None), numpy.array([[0, 0], [1, 1]]))
    )


def test_gradients_stay_when_backward_runs_for_other_inputs():
    def run(function):
        _, first = function(x.copy(), index=[1, 0, 1])
        _, second = function(x * 2, index=[1, 0, 1])
        (g_x,) = first(x[:3] - x[1:])
        second(x[1:])
        return {"the gradient of x": g_x}

    check.experiment(run, getitem, "two calls, and the gradient of the first after both")
