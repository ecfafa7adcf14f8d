"""Claims about residual_block, one op: its result, and the gradients of its two paths and six parameters."""

import numpy
from e10c_block_by_hand import residual_block

from minires.course import Check

check = Check("10c")
rng = numpy.random.default_rng(21)
GRADIENTS = ("x", "weight1", "gamma1", "beta1", "weight2", "gamma2", "beta2")


def operands(n, h, w, c, d, shift=0.0, seed=22):
    """Return x (n, h, w, c) and the parameters of a block with d channels."""
    rng = numpy.random.default_rng(seed)
    x = rng.standard_normal((n, h, w, c)) + shift
    first, second = (rng.standard_normal((3, 3, i, d)) / 3 for i in (c, d))
    gamma1, gamma2 = (rng.uniform(0.5, 1.5, d) * rng.choice([-1, 1], d) for _ in range(2))
    beta1, beta2 = (rng.standard_normal(d) for _ in range(2))
    return x, first, gamma1, beta1, second, gamma2, beta2


same_shape = operands(2, 5, 4, 3, 3)
wider = operands(2, 5, 4, 3, 6)


def gradients_of(names, inputs, **options):
    """Experiment: the gradients of these operands."""

    def run(block):
        y, backward = block(*(array.copy() for array in inputs), **options)
        g = numpy.random.default_rng(23).standard_normal(y.shape)
        return {
            f"the gradient of {name}": gradient
            for name, gradient in zip(GRADIENTS, backward(g))
            if name in names
        }

    return run


def test_where_the_shape_stays_x_is_added():
    check.same(residual_block, *same_shape)


def test_a_sum_below_0_becomes_0():
    check.same(residual_block, *operands(2, 5, 4, 3, 3, shift=-1.5))


def test_where_the_shape_changes_its_option_a_is_added():
    check.same(residual_block, *wider)
    check.same(residual_block, *wider, stride=2)
    check.same(residual_block, *operands(1, 7, 5, 2, 5), stride=3)


def test_the_stride_alone_changes_the_shape_too():
    check.same(residual_block, *same_shape, stride=2)


def test_eps_reaches_both_batch_norms():
    check.same(residual_block, *same_shape, eps=0.5)


def test_the_second_layers_get_their_gradients():
    check.experiment(
        gradients_of(("weight2", "gamma2", "beta2"), same_shape),
        residual_block,
        "the gradients of weight2, gamma2 and beta2, for an x of shape (2, 5, 4, 3)",
    )


def test_the_first_layers_get_their_gradients():
    check.experiment(
        gradients_of(("weight1", "gamma1", "beta1"), same_shape),
        residual_block,
        "the gradients of weight1, gamma1 and beta1, for an x of shape (2, 5, 4, 3)",
    )


def test_the_gradient_of_x_adds_up_two_paths():
    check.experiment(
        gradients_of(("x",), same_shape),
        residual_block,
        "the gradient of x, for an x of shape (2, 5, 4, 3)",
    )


def test_if_gamma2_and_beta2_are_0_only_the_shortcut_is_left():
    """x comes from a ReLU, as it does in a network, so sums are 0 in many places."""
    for channels, stride in ((3, 1), (4, 2)):
        x, *parameters = operands(2, 3, 4, 3, channels, seed=30)
        parameters[4:] = numpy.zeros(channels), numpy.zeros(channels)
        check.gradients(residual_block, numpy.maximum(x, 0), *parameters, stride=stride)


def test_if_gamma1_and_beta1_are_0_the_inner_relu_lets_nothing_pass():
    x, *parameters = operands(2, 3, 4, 3, 3, seed=32)
    parameters[1:3] = numpy.zeros(3), numpy.zeros(3)
    check.gradients(residual_block, x, *parameters)


def test_all_gradients_where_the_shape_stays():
    check.backward(residual_block, *same_shape)
    check.backward(residual_block, *operands(1, 4, 3, 2, 2, seed=24), eps=0.5)


def test_all_gradients_where_the_shape_changes():
    check.backward(residual_block, *wider)
    check.backward(residual_block, *operands(2, 5, 4, 2, 5, seed=25), stride=2)
    check.backward(residual_block, *operands(2, 4, 6, 3, 3, seed=26), stride=2)
    check.backward(residual_block, *operands(1, 7, 8, 2, 3, seed=27), stride=3)


def test_sizes_may_be_equal_or_1():
    check.gradients(residual_block, *operands(3, 3, 3, 3, 3, seed=28))
    check.gradients(residual_block, *operands(4, 1, 1, 1, 2, seed=29), eps=0.5)
    check.gradients(residual_block, *operands(4, 4, 4, 4, 4, seed=31), stride=2)
