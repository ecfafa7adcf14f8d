"""Claims about batch_norm, path by path as well: the same on images as on vectors."""

import numpy
from e07e_three_paths import batch_norm

from minires.course import Check
from minires.ops.norm import channel_stats

check = Check("07e")
rng = numpy.random.default_rng(14)
images = rng.standard_normal((2, 3, 5, 4)) * [1.0, 2.0, 0.5, 3.0] + [3.0, -1.0, 0.0, 8.0]
vectors = rng.standard_normal((7, 4)) * [1.0, 2.0, 0.5, 3.0] + [3.0, -1.0, 0.0, 8.0]
gamma, beta = numpy.array([1.5, -0.5, 2.0, 0.75]), numpy.array([0.25, 1.0, -2.0, 3.0])


def test_the_result_stays_right():
    check.same(batch_norm, images, gamma, beta)
    check.same(batch_norm, vectors, gamma, beta, eps=0.5)


def test_given_statistics_are_used():
    def run(norm):
        stats = numpy.array([2.0, 0.0, -1.0, 5.0]), numpy.array([1.0, 4.0, 0.25, 9.0])
        return norm(images.copy(), gamma.copy(), beta.copy(), stats=stats)[0]

    check.experiment(
        run,
        batch_norm,
        "batch_norm(x (2, 3, 5, 4), gamma, beta, stats=...), with statistics other than those of x",
    )


def test_the_gradients_of_gamma_and_beta_stay_right():
    def run(norm):
        y, backward = norm(images.copy(), gamma.copy(), beta.copy())
        return backward(numpy.random.default_rng(1).standard_normal(y.shape))[1:]

    check.experiment(
        run, batch_norm, "the gradients of gamma and beta, for an x of shape (2, 3, 5, 4)"
    )


def test_the_gradient_is_right_with_given_statistics_of_x():
    def run(norm):
        y, backward = norm(
            images.copy(), gamma.copy(), beta.copy(), eps=0.5, stats=channel_stats(images)
        )
        return backward(numpy.random.default_rng(1).standard_normal(y.shape))

    check.experiment(
        run,
        batch_norm,
        "the gradients of batch_norm(x (2, 3, 5, 4), gamma, beta, eps=0.5, stats=channel_stats(x))",
    )


def test_the_gradient_is_right_for_equal_sizes_and_sizes_of_1():
    check.gradients(batch_norm, rng.standard_normal((4, 4, 4, 4)), gamma, beta)
    check.gradients(batch_norm, rng.standard_normal((4, 4)), gamma, beta)
    check.gradients(batch_norm, images[:1, :1], gamma, beta)
    check.gradients(batch_norm, images[:, :1, :1, :1], gamma[:1], beta[:1], eps=0.5)


def test_the_gradient_of_vectors_is_right():
    check.backward(batch_norm, vectors, gamma, beta)


def test_the_gradient_of_images_is_right():
    check.backward(batch_norm, images, gamma, beta)
    check.backward(batch_norm, images[:1, :, :2], gamma, beta, eps=0.5)
