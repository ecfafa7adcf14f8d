"""Claims about add: the sum, and for each operand the gradient itself, in the operand's shape."""

import numpy
from e02c_add import add

from minires.course import Check

check = Check("02c")
rng = numpy.random.default_rng(12)
a, b = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 3, 4)) + 1


def test_both_are_still_there_afterwards():
    def run(function):
        x, y = a.copy(), b.copy()
        return {"the sum": function(x, y)[0], "a afterwards": x, "b afterwards": y}

    check.experiment(run, add, "a + b, and a and b afterwards")


def test_two_numbers_each():
    check.gradients(add, numpy.array([2.0, 3.0]), numpy.array([5.0, -7.0]))


def test_both_sides_get_the_gradient_as_it_is():
    check.backward(add, a, b)


def test_what_is_new_in_front_is_summed():
    check.backward(add, a, b[0])
    check.backward(add, b[0, 0], a)


def test_what_was_stretched_is_summed():
    check.backward(add, a[0], b[:, :, :1])
    check.backward(add, a[:, :1], b)
    check.backward(add, a[:1], b[0, :, :1])


def test_either_may_be_a_plain_number():
    check.gradients(add, a, 3.0)
    check.gradients(add, -2.0, b)
