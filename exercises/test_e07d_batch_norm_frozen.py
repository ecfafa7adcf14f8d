"""Claims about batch_norm_frozen: it normalises with the given statistics, which stay unchanged."""

import numpy
from e07d_batch_norm_frozen import batch_norm_frozen

from minires.course import Check

check = Check("07d")
rng = numpy.random.default_rng(13)
images = rng.standard_normal((2, 3, 5, 4)) * [1.0, 2.0, 0.5, 3.0] + [3.0, -1.0, 0.0, 8.0]
vectors = rng.standard_normal((7, 4)) * [1.0, 2.0, 0.5, 3.0] + [3.0, -1.0, 0.0, 8.0]
gamma, beta = numpy.array([1.5, -0.5, 2.0, 0.75]), numpy.array([0.25, 1.0, -2.0, 3.0])
mean, var = numpy.array([2.0, 0.0, -1.0, 5.0]), numpy.array([1.0, 4.0, 0.25, 9.0])


def test_the_statistics_are_those_that_are_given():
    check.same(batch_norm_frozen, vectors, gamma, beta, mean=mean, var=var)
    check.same(batch_norm_frozen, images, gamma, beta, mean=mean, var=var)


def test_an_image_gets_the_same_result_alone_and_in_a_batch():
    check.same(batch_norm_frozen, images[:1], gamma, beta, mean=mean, var=var)
    check.same(batch_norm_frozen, images[1:, 1:2, 3:4], gamma, beta, mean=mean, var=var)


def test_eps_is_added_inside_the_root():
    check.same(batch_norm_frozen, images, gamma, beta, mean=mean, var=var, eps=0.5)
    check.same(batch_norm_frozen, images, gamma, beta, mean=mean, var=var * 1e-6)


def test_the_gradient_of_x_has_one_path():
    check.backward(batch_norm_frozen, vectors, gamma, beta, mean=mean, var=var)
    check.backward(batch_norm_frozen, images, gamma, beta, mean=mean, var=var, eps=0.5)
    check.backward(batch_norm_frozen, images[:1, :1, :1], gamma, beta, mean=mean, var=var)


def test_the_gradients_of_gamma_and_beta_are_sums():
    def run(norm):
        y, backward = norm(
            images.copy(), gamma.copy(), beta.copy(), mean=mean.copy(), var=var.copy()
        )
        _, g_gamma, g_beta = backward(numpy.random.default_rng(1).standard_normal(y.shape))
        return {"the gradient of gamma": g_gamma, "the gradient of beta": g_beta}

    check.experiment(
        run,
        batch_norm_frozen,
        "batch_norm_frozen(x (2, 3, 5, 4), gamma, beta, ...) and its backward",
    )


def test_as_many_images_and_pixels_as_channels():
    check.gradients(
        batch_norm_frozen, rng.standard_normal((4, 4, 4, 4)), gamma, beta, mean=mean, var=var
    )
    check.gradients(batch_norm_frozen, rng.standard_normal((4, 4)), gamma, beta, mean=mean, var=var)


def test_there_may_be_one_channel_or_one_vector():
    check.gradients(
        batch_norm_frozen, images[..., :1], gamma[:1], beta[:1], mean=mean[:1], var=var[:1]
    )
    check.gradients(batch_norm_frozen, vectors[:1], gamma, beta, mean=mean, var=var)


def test_gamma_and_the_variance_may_be_0():
    zeros = numpy.array([1.0, 0.0, 0.0, 1.0])
    check.gradients(
        batch_norm_frozen, images, gamma * zeros, beta * zeros, mean=mean, var=var, eps=0.5
    )
    check.gradients(batch_norm_frozen, images, gamma, beta, mean=mean, var=var * zeros, eps=0.5)
    check.gradients(batch_norm_frozen, vectors, gamma, beta, mean=0 * mean, var=numpy.ones(4))


def gradients(norm, x, options):
    """Return the result and the gradients, by name, for a random upstream gradient."""
    y, backward = norm(x, gamma.copy(), beta.copy(), **options)
    found = backward(numpy.random.default_rng(1).standard_normal(y.shape))
    return {"the result": y, **dict(zip(("g_x", "g_gamma", "g_beta"), found))}


def test_mean_and_var_may_be_parts_of_a_larger_array():
    def run(norm):
        large = numpy.arange(1.0, 17.0).reshape(4, 4)
        return gradients(norm, images.copy(), {"mean": large[:, 1], "var": large[::-1, 2]})

    check.experiment(
        run, batch_norm_frozen, "batch_norm_frozen with columns of a (4, 4) array as mean and var"
    )


def test_mean_and_var_may_change_between_two_calls():
    def run(norm):
        options = {"mean": mean.copy(), "var": var.copy()}
        first = gradients(norm, images.copy(), options)
        options["mean"] += 1.5
        options["var"] *= 2.0
        second = gradients(norm, images.copy(), options)
        return {
            **{f"at first, {name}": value for name, value in first.items()},
            **{f"then, {name}": value for name, value in second.items()},
        }

    check.experiment(
        run,
        batch_norm_frozen,
        "two calls; training moves the running statistics, mean and var, in between",
    )


def test_mean_and_var_stay_unchanged():
    def run(norm):
        arrays = {"mean": mean.copy(), "var": var.copy()}
        y, backward = norm(images.copy(), gamma.copy(), beta.copy(), **arrays)
        backward(y)
        return {f"{name} afterwards": array for name, array in arrays.items()}

    check.experiment(run, batch_norm_frozen, "batch_norm_frozen and its backward")
