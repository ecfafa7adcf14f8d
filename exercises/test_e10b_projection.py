"""Claims about projection, option B: a 1x1 convolution as one matrix multiplication, and its two gradients."""

import numpy
from e10b_projection import projection

from minires.course import Check
from minires.ops import conv2d

check = Check("10b")
rng = numpy.random.default_rng(81)
image, weight = rng.standard_normal((2, 5, 7, 3)), rng.standard_normal((1, 1, 3, 4))
convolved = conv2d(image, weight, stride=2)[0]


def test_each_pixel_is_multiplied_by_the_matrix():
    check.same(projection, image, weight)
    check.same(projection, image, weight[..., :2])


def test_every_second_pixel_is_taken():
    check.same(projection, image[:, :4, :6], weight, stride=2)


def test_sizes_are_rounded_up():
    check.same(projection, image, weight, stride=2)
    check.same(projection, image, weight, stride=3)
    check.same(projection, image, weight, stride=9)


def test_it_is_a_1x1_convolution():
    made = check.call(projection, image.copy(), weight.copy(), stride=2)
    y = made[0] if isinstance(made, tuple) else made
    check.true(
        numpy.shape(y) == convolved.shape and numpy.allclose(y, convolved),
        "projection(x (2, 5, 7, 3), weight (1, 1, 3, 4), stride=2) differs from conv2d of the same",
    )


def gradient(which, **options):
    """Experiment: one of the two gradients."""

    def run(projection):
        y, backward = projection(image.copy(), weight.copy(), **options)
        return backward(numpy.random.default_rng(82).standard_normal(y.shape))[which]

    return run


def test_the_gradient_of_the_weight_is_a_sum_over_the_pixels():
    check.experiment(gradient(1), projection, "the gradient of the weight, stride 1")
    check.experiment(gradient(1, stride=2), projection, "the gradient of the weight, stride 2")


def test_the_gradient_of_x_is_0_where_a_pixel_is_skipped():
    check.experiment(gradient(0), projection, "the gradient of x, stride 1")
    check.experiment(gradient(0, stride=2), projection, "the gradient of x, stride 2")
    check.experiment(gradient(0, stride=3), projection, "the gradient of x, stride 3")


def test_both_gradients_are_right():
    check.backward(projection, image, weight)
    check.backward(projection, image, weight, stride=2)
    check.backward(projection, image, weight[..., :2], stride=3)


def test_sizes_may_be_equal_or_1():
    square = rng.standard_normal((1, 1, 4, 4))
    check.backward(projection, rng.standard_normal((4, 4, 4, 4)), square)
    check.backward(projection, rng.standard_normal((4, 4, 4, 4)), square, stride=2)
    check.backward(projection, rng.standard_normal((4, 4, 4, 4)), square, stride=3)
    check.backward(projection, rng.standard_normal((1, 1, 1, 4)), square, stride=2)
    check.backward(projection, rng.standard_normal((3, 6, 1, 1)), weight[:, :, :1], stride=2)
    check.backward(projection, rng.standard_normal((2, 2, 3, 4)), square[..., :1])


def changed(change):
    """Experiment: the result and both gradients for an image that change(x) has changed, stride 2."""

    def run(projection):
        x = image.copy()
        change(x)
        y, backward = projection(x, weight.copy(), stride=2)
        g_x, g_weight = backward(numpy.random.default_rng(83).standard_normal(y.shape))
        return {"the result": y, "the gradient of x": g_x, "the gradient of the weight": g_weight}

    return run


def test_skipped_pixels_may_be_anything():
    def skipped(x):
        x[:, 1::2], x[:, :, 1::2] = numpy.nan, numpy.inf

    check.experiment(
        changed(skipped), projection, "an image whose skipped pixels are NaN or infinite, stride 2"
    )


def test_nan_in_a_pixel_that_is_taken_shows():
    def taken(x):
        x[0, 2, 4, 1] = numpy.nan

    check.experiment(changed(taken), projection, "an image with one NaN in a pixel that is taken")
