"""Claims about pad_shortcut, option A: every stride-th pixel, zero channels on both sides, and the adjoint of that."""

import numpy
from e10a_pad_shortcut import pad_shortcut

from minires.course import Check

check = Check("10a")
rng = numpy.random.default_rng(71)
image = rng.standard_normal((2, 5, 7, 3))


def test_every_second_pixel_is_taken():
    check.same(pad_shortcut, image[:, :4, :6], channels=3, stride=2)


def test_zero_channels_come_before_and_after():
    check.same(pad_shortcut, image, channels=7)
    check.same(pad_shortcut, image, channels=6)
    check.same(pad_shortcut, image, channels=4)


def test_sizes_are_rounded_up():
    check.same(pad_shortcut, image, channels=6, stride=2)
    check.same(pad_shortcut, image, channels=6, stride=3)
    check.same(pad_shortcut, image, channels=5, stride=9)


def test_where_nothing_changes_a_copy_comes_out():
    check.same(pad_shortcut, image, channels=3)
    check.own_memory(pad_shortcut, image, channels=3)


def test_zero_channels_bring_no_gradient_back():
    check.backward(pad_shortcut, image, channels=3)
    check.backward(pad_shortcut, image, channels=6)
    check.backward(pad_shortcut, image, channels=9)


def test_skipped_pixels_get_the_gradient_0():
    check.backward(pad_shortcut, image, channels=3, stride=2)
    check.backward(pad_shortcut, image, channels=8, stride=2)
    check.backward(pad_shortcut, image, channels=4, stride=3)


def test_sizes_may_be_equal_or_1():
    check.gradients(pad_shortcut, rng.standard_normal((4, 4, 4, 4)), channels=4, stride=2)
    check.gradients(pad_shortcut, rng.standard_normal((4, 4, 4, 4)), channels=4, stride=3)
    check.gradients(pad_shortcut, rng.standard_normal((3, 3, 3, 3)), channels=6, stride=3)
    check.gradients(pad_shortcut, rng.standard_normal((1, 1, 1, 1)), channels=2, stride=2)
    check.gradients(pad_shortcut, rng.standard_normal((1, 6, 1, 2)), channels=4, stride=2)


def test_integers_stay_integers():
    pixels = numpy.arange(210, dtype="uint8").reshape(2, 5, 7, 3)
    check.same(pad_shortcut, pixels, channels=6, stride=2)


def test_numbers_are_only_moved():
    """A feature map after a ReLU, with zeros in it; then one NaN and one infinity, which stay where they are."""
    check.gradients(pad_shortcut, numpy.maximum(image, 0), channels=6, stride=2)

    def run(pad_shortcut):
        x = image.copy()
        x[0, 2, 4, 1], x[1, 0, 0, 2] = numpy.nan, numpy.inf
        y, backward = pad_shortcut(x, channels=6, stride=2)
        g = numpy.random.default_rng(73).standard_normal((2, 3, 4, 6))
        g[0, 1, 1, 2], g[1, 0, 0, 3] = numpy.inf, numpy.nan
        return {"the result": y, "the gradient of x": backward(g)[0]}

    check.experiment(run, pad_shortcut, "one NaN and one infinity in x, and in g too")


def test_skipped_numbers_may_be_anything():
    x = image.copy()
    x[:, 1::2], x[:, :, 1::2] = numpy.nan, numpy.inf
    check.same(pad_shortcut, x, channels=6, stride=2)

    def run(pad_shortcut):
        _, backward = pad_shortcut(image.copy(), channels=6, stride=2)
        g = numpy.full((2, 3, 4, 6), numpy.nan)
        g[..., 1:4] = numpy.random.default_rng(72).standard_normal((2, 3, 4, 3))
        return backward(g)[0]

    check.experiment(
        run, pad_shortcut, "backward, where the gradients of all zero channels are NaN"
    )
