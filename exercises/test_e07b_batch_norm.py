"""Claims about batch_norm: it normalises, scales and shifts, and its gradient adds up three paths."""

import numpy
from e07b_batch_norm import batch_norm

from minires.backend import to_device
from minires.course import Check
from minires.ops.norm import channel_stats

check = Check("07b")
rng = numpy.random.default_rng(12)
images = rng.standard_normal((2, 3, 5, 4)) * [1.0, 2.0, 0.5, 3.0] + [3.0, -1.0, 0.0, 8.0]
vectors = rng.standard_normal((7, 4)) * [1.0, 2.0, 0.5, 3.0] + [3.0, -1.0, 0.0, 8.0]
gamma, beta = numpy.array([1.5, -0.5, 2.0, 0.75]), numpy.array([0.25, 1.0, -2.0, 3.0])


def test_each_channel_is_normalised_scaled_and_shifted():
    check.same(batch_norm, vectors, gamma, beta)
    check.same(batch_norm, images, gamma, beta)


def test_the_biased_variance_normalises():
    check.same(batch_norm, numpy.array([[1.0, 5.0, -2.0, 0.0], [2.0, 1.0, 4.0, 7.0]]), gamma, beta)


def test_eps_is_added_inside_the_root():
    check.same(batch_norm, images, gamma, beta, eps=0.5)
    check.same(batch_norm, images * 1e-3, gamma, beta)


def test_statistics_that_are_given_are_not_computed_again():
    def run(norm):
        stats = numpy.array([2.0, 0.0, -1.0, 5.0]), numpy.array([1.0, 4.0, 0.25, 9.0])
        y, _ = norm(images.copy(), gamma.copy(), beta.copy(), stats=stats)
        return {"the result": y, "stats afterwards": stats}

    check.experiment(
        run,
        batch_norm,
        "batch_norm(x (2, 3, 5, 4), gamma, beta, stats=...), with statistics other than those of x",
    )


def test_statistics_of_x_that_are_given_have_the_three_paths_too():
    def run(norm):
        x, g = to_device(images.copy()), numpy.random.default_rng(1).standard_normal(images.shape)
        y, backward = norm(x, to_device(gamma), to_device(beta), eps=0.5, stats=channel_stats(x))
        g_x, g_gamma, g_beta = backward(to_device(g))
        return {
            "the result": y,
            "the gradient of x": g_x,
            "the gradient of gamma": g_gamma,
            "the gradient of beta": g_beta,
        }

    check.experiment(
        run,
        batch_norm,
        "batch_norm(x (2, 3, 5, 4), gamma, beta, eps=0.5, stats=channel_stats(x)) and its backward",
    )


def test_the_gradients_of_gamma_and_beta_are_sums():
    def run(norm):
        y, backward = norm(images.copy(), gamma.copy(), beta.copy())
        _, g_gamma, g_beta = backward(numpy.random.default_rng(1).standard_normal(y.shape))
        return {"the gradient of gamma": g_gamma, "the gradient of beta": g_beta}

    check.experiment(run, batch_norm, "batch_norm(x (2, 3, 5, 4), gamma, beta) and its backward")


def test_the_gradient_of_vectors_has_three_paths():
    check.backward(batch_norm, vectors, gamma, beta)


def test_the_gradient_of_images_has_three_paths():
    check.backward(batch_norm, images, gamma, beta)
    check.backward(batch_norm, images[:1, :, :2], gamma, beta, eps=0.5)


def test_a_channel_of_equal_values_has_a_gradient_too():
    check.gradients(batch_norm, images * [1.0, 0.0, 1.0, 1.0], gamma, beta)
    small = numpy.array([[1.0, 2.0, 3.0, 4.0], [1.0, 5.0, 3.0, -4.0]])
    check.gradients(batch_norm, small, gamma, beta, eps=0.5)


def test_gamma_and_beta_may_be_0():
    check.gradients(batch_norm, images, gamma * [1.0, 0.0, 0.0, 1.0], beta * [0.0, 1.0, 0.0, 1.0])
    check.gradients(batch_norm, vectors, numpy.zeros(4), numpy.zeros(4))


def test_as_many_images_and_pixels_as_channels():
    check.gradients(batch_norm, rng.standard_normal((4, 4, 4, 4)), gamma, beta)
    check.gradients(batch_norm, rng.standard_normal((4, 4)), gamma, beta)


def test_there_may_be_one_channel_or_two_values():
    check.gradients(batch_norm, images[..., :1], gamma[:1], beta[:1])
    check.gradients(batch_norm, images[:1, :2, :1], gamma, beta, eps=0.5)
    check.gradients(batch_norm, vectors[:2], gamma, beta, eps=0.5)


def test_one_value_per_channel_is_refused():
    for shape in ((1, 1, 1, 4), (1, 4), (1, 1, 1, 1)):
        channels = shape[-1]
        x, its_gamma, its_beta = numpy.ones(shape), gamma[:channels], beta[:channels]
        stats = numpy.zeros(channels), numpy.ones(channels)
        for options, told in (({}, ""), ({"stats": stats}, ", stats=...")):
            try:
                check.call(batch_norm, x, its_gamma, its_beta, **options)
            except ValueError:
                continue
            check.true(
                False,
                f"batch_norm(x {shape}, gamma, beta{told}) returned a result: one value has no variance, so expected a ValueError",
            )
