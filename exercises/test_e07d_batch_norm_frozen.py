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


def test_an_image_alone_gets_what_it_gets_among_others():
    check.same(batch_norm_frozen, images[:1], gamma, beta, mean=mean, var=var)
    check.same(batch_norm_frozen, images[1:, 1:2, 3:4], gamma, beta, mean=mean, var=var)


def test_eps_stands_inside_the_root():
    check.same(batch_norm_frozen, images, gamma, beta, mean=mean, var=var, eps=0.5)
    check.same(batch_norm_frozen, images, gamma, beta, mean=mean, var=var * 1e-6)


def test_one_path_leads_back():
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


def test_the_statistics_stay_as_they_are():
    def run(norm):
        arrays = {"mean": mean.copy(), "var": var.copy()}
        y, backward = norm(images.copy(), gamma.copy(), beta.copy(), **arrays)
        backward(y)
        return {f"{name} afterwards": array for name, array in arrays.items()}

    check.experiment(run, batch_norm_frozen, "batch_norm_frozen and its backward")
