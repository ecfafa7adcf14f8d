"""Claims about conv2d: columns times weights, and three gradients that agree with finite differences."""

import numpy
from e05e_conv2d import conv2d

from minires.course import Check
from minires.course.memory import saved_bytes

check = Check("05e")
rng = numpy.random.default_rng(15)


def arrays(n, h, w, c, kh, kw, f, bias=True):
    return [
        rng.standard_normal(shape)
        for shape in ((n, h, w, c), (kh, kw, c, f), (f,))[: 3 if bias else 2]
    ]


def test_the_kernel_is_not_flipped():
    picture, weight = (
        numpy.arange(9.0).reshape(1, 3, 3, 1),
        numpy.array([[1.0, 10.0], [100.0, 1000.0]]),
    )
    check.same(conv2d, picture, weight.reshape(2, 2, 1, 1))


def test_the_sum_runs_over_all_channels_for_each_filter():
    check.same(conv2d, *arrays(2, 3, 4, 3, 2, 2, 2, bias=False))


def test_height_and_width_are_told_apart():
    check.same(conv2d, *arrays(2, 5, 4, 2, 3, 2, 3, bias=False))


def test_each_filter_has_its_own_bias():
    check.same(conv2d, *arrays(2, 4, 3, 2, 2, 2, 3))


def test_the_window_moves_by_the_stride_over_zero_padding():
    check.same(conv2d, *arrays(2, 7, 5, 2, 3, 3, 3), stride=2, padding=1)
    check.same(conv2d, *arrays(1, 5, 8, 2, 2, 3, 3), stride=(3, 2), padding=(0, 2))


def test_there_are_three_gradients():
    check.backward(conv2d, *arrays(2, 4, 3, 2, 2, 2, 3))
    check.backward(conv2d, *arrays(3, 4, 6, 2, 3, 2, 4))


def test_the_gradients_know_stride_and_padding():
    check.backward(conv2d, *arrays(2, 5, 7, 2, 3, 3, 3), stride=2, padding=1)
    check.backward(conv2d, *arrays(1, 7, 6, 3, 2, 3, 2), stride=(3, 2), padding=(1, 2))


def test_a_1x1_kernel_may_skip_pixels():
    check.backward(conv2d, *arrays(2, 5, 7, 2, 1, 1, 3), stride=2)
    check.gradients(conv2d, *arrays(2, 4, 5, 2, 1, 1, 3, bias=False), stride=(1, 3))


def test_without_a_bias_its_gradient_is_none():
    check.backward(conv2d, *arrays(2, 4, 5, 2, 3, 2, 3, bias=False), padding=1)


def test_the_columns_are_not_saved():
    def run(conv2d):
        x, weight, bias = arrays(2, 24, 20, 3, 3, 3, 2)
        saved = {
            "with a bias": saved_bytes(conv2d, x, weight, bias, padding=1),
            "without a bias, stride 2": saved_bytes(conv2d, x, weight, stride=2, padding=1),
        }
        return {name: max(1, round(count / x.nbytes)) for name, count in saved.items()}

    check.experiment(
        run,
        conv2d,
        "what backward saves for x (2, 24, 20, 3) and a 3x3 kernel, in multiples of the size of x",
    )


def test_a_1x1_kernel_may_be_padded():
    check.gradients(conv2d, *arrays(2, 2, 3, 3, 1, 1, 2), padding=1)
    check.gradients(conv2d, *arrays(1, 3, 2, 2, 1, 1, 4, bias=False), stride=2, padding=(1, 2))


def test_sizes_that_are_all_equal():
    check.gradients(conv2d, *arrays(3, 3, 3, 3, 3, 3, 3), padding=1)
    check.gradients(conv2d, *arrays(2, 3, 3, 2, 2, 2, 2))
    check.gradients(conv2d, *arrays(3, 3, 3, 3, 1, 1, 3))


def test_a_kernel_as_large_as_the_image():
    check.gradients(conv2d, *arrays(2, 3, 4, 2, 3, 4, 3))
    check.gradients(conv2d, *arrays(2, 3, 4, 2, 3, 4, 3), padding=(0, 1))
    check.gradients(conv2d, *arrays(1, 3, 2, 2, 3, 2, 3, bias=False), stride=2, padding=1)


def test_a_stride_longer_than_the_kernel():
    check.gradients(conv2d, *arrays(1, 8, 9, 2, 2, 1, 2), stride=(3, 4))


def test_one_channel_one_filter_or_one_image():
    check.gradients(conv2d, *arrays(1, 4, 5, 1, 3, 2, 1))
    check.gradients(conv2d, *arrays(3, 4, 5, 1, 2, 2, 1, bias=False), stride=2, padding=1)


def test_zeros_get_a_gradient():
    x, weight, bias = arrays(2, 3, 4, 2, 2, 2, 3)
    check.gradients(conv2d, x, weight, 0 * bias)
    check.gradients(conv2d, x, 0 * weight, bias)
    check.gradients(conv2d, numpy.maximum(x, 0), weight, bias)
