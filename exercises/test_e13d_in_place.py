"""Claims about residual blocks in a row: x and its gradient pass each shortcut unchanged."""

import numpy
from e13d_in_place import residual_blocks

from minires.course import Check

check = Check("13d")
rng = numpy.random.default_rng(131)
x = rng.standard_normal((4, 3))
first, second = rng.standard_normal((3, 3, 5)), rng.standard_normal((3, 5, 3))


def test_one_block_on_positive_x_stays_right():
    check.gradients(residual_blocks, abs(x), first[:1], second[:1])
    check.gradients(residual_blocks, abs(x[:1]) + 1, abs(first), abs(second))


def test_with_second_of_0_x_passes_unchanged():
    check.same(residual_blocks, x, first, 0 * second)
    check.same(residual_blocks, numpy.array([[-1.0, 2.0]]), first[:1, :2], 0 * second[:1, :, :2])


def test_with_second_of_0_g_passes_unchanged():
    check.gradients(residual_blocks, abs(x) + 1, first, 0 * second, alpha=0.5)
    check.gradients(residual_blocks, x, first, 0 * second, alpha=0.5)


def test_the_result_of_one_block():
    check.same(residual_blocks, x, first[:1], second[:1])
    check.same(residual_blocks, x, first[:1], second[:1], alpha=0.5)


def test_the_result_of_several_blocks():
    check.same(residual_blocks, x, first, second)
    check.same(residual_blocks, x, first, second, alpha=0.5)
    check.same(residual_blocks, -abs(x), first, second, alpha=-2.0)


def test_the_gradients_of_one_block():
    check.backward(residual_blocks, x, first[:1], second[:1])
    check.backward(residual_blocks, x, first[:1], second[:1], alpha=0.25)


def test_the_gradients_for_positive_x_and_a_small_alpha():
    check.backward(residual_blocks, abs(x) + 0.1, first[:1], second[:1], alpha=0.25)


def test_the_gradients_of_several_blocks():
    check.backward(residual_blocks, x, first, second, alpha=0.5)
    check.backward(residual_blocks, x, first[:2], second[:2])
    check.gradients(residual_blocks, abs(x), first, second, alpha=0.5)


def test_alpha_may_be_0_negative_or_larger_than_1():
    for alpha in (0.0, -0.5, 3.0):
        check.gradients(residual_blocks, x, first, second, alpha=alpha)


def test_sizes_may_be_equal_or_1():
    square = rng.standard_normal((3, 3, 3))
    check.gradients(residual_blocks, square[0], square, square[::-1], alpha=0.5)
    check.gradients(residual_blocks, x[:1], first, second, alpha=0.5)
    check.gradients(residual_blocks, x[:, :1], first[:, :1, :1], second[:, :1, :1], alpha=0.5)


def test_zeros_in_x_have_a_gradient_of_the_shortcut():
    check.gradients(residual_blocks, x * [0.0, 1.0, -0.0], first[:1], second[:1], alpha=0.5)


def test_many_blocks():
    def run(function):
        rng = numpy.random.default_rng(7)
        first = rng.standard_normal((40, 4, 6)) * 0.5
        second = rng.standard_normal((40, 6, 4)) * 0.5
        y, backward = function(rng.standard_normal((2, 4)), first, second, alpha=40**-0.5)
        return {"the result": y, "the gradients": backward(rng.standard_normal((2, 4)))}

    check.experiment(run, residual_blocks, "40 blocks, alpha = 1 / sqrt(40)")


def test_the_result_is_in_memory_of_its_own():
    check.own_memory(residual_blocks, x, first, second)
    check.own_memory(residual_blocks, abs(x), first, 0 * second)
    check.own_memory(residual_blocks, x, first, second, alpha=0.0)
