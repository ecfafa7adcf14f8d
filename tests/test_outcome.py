"""Figures of a trained network show the numbers that they are made of."""

import numpy
import pytest

from minires import nn, show
from minires.watch import Row


def texts(axes):
    return {
        (text.get_position()[1], text.get_position()[0]): text.get_text() for text in axes.texts
    }


def test_a_confusion_has_a_row_for_each_class_in_per_cent_and_colours_errors_alone():
    labels, guesses = [0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 0, 2]
    axes = show.confusion(labels, numpy.array(guesses), ["cat", "dog", "ship"]).axes[0]
    assert texts(axes) == {(0, 0): "75", (0, 1): "25", (1, 0): "50", (1, 1): "50", (2, 2): "100"}
    drawn = numpy.asarray(axes.images[0].get_array())
    numpy.testing.assert_allclose(drawn, [[0, 25, 0], [50, 0, 0], [0, 0, 0]])
    assert "5 of 7 correct" in axes.get_title() and [
        label.get_text() for label in axes.get_yticklabels()
    ] == ["cat", "dog", "ship"]


def test_a_confusion_of_many_classes_has_colours_and_no_numbers():
    axes = show.confusion(list(range(100)), list(range(100)), [str(k) for k in range(100)]).axes[0]
    assert not axes.texts and numpy.asarray(axes.images[0].get_array()).max() == 0


@pytest.mark.parametrize(("labels", "guesses", "message"), [([], [], "got 0 guesses and 0 labels"), ([0, 1], [0], "got 1 guesses and 2 labels"),
                                                             ([0, 3], [0, 1], "got labels 0 to 3"), ([0], [-1], "2 classes")])  # fmt: skip
def test_what_is_no_confusion_is_refused(labels, guesses, message):
    with pytest.raises(ValueError, match=message):
        show.confusion(numpy.array(labels, int), numpy.array(guesses, int), ["cat", "dog"])


def test_filters_are_images_each_stretched_over_its_own_range():
    weight = numpy.zeros((3, 3, 3, 2), "f4")
    weight[..., 0] = numpy.linspace(-1, 1, 27).reshape(3, 3, 3)
    weight[..., 1] = 5
    first, second = (
        numpy.asarray(image.get_array())
        for image in show.filters(nn.Parameter(weight)).axes[0].images
    )
    numpy.testing.assert_array_equal(first, numpy.linspace(0, 255, 27).round().reshape(3, 3, 3))
    assert not second.any()
    with pytest.raises(ValueError, match="expected a weight of shape .KH, KW, C, F. with C 1 or 3"):
        show.filters(numpy.zeros((3, 3, 16, 2)))


def row(step, layer, depth, value):
    return Row(step, layer, depth, 0.0, 1.0, 0.0, 0.0, value, 0.0)


def test_depths_draw_the_first_and_the_last_step_of_each_run():
    plain = [
        row(step, f"layer1.{i}.conv1", i, 10.0 ** -(i + step))
        for step in (0, 5, 9)
        for i in range(3)
    ]
    other = [
        row(0, "conv1", 0, 1.0),
        row(0, "bn1", 1, 7.0),
        row(0, "fc", 2, 9.0),
        row(0, "layer1.conv2", 3, 2.0),
    ]
    lines = show.depths({"plain": plain, "residual": other}).axes[0].lines
    assert [line.get_label() for line in lines] == [
        "plain, step 0",
        "plain, step 9",
        "residual, step 0",
    ]
    numpy.testing.assert_allclose(lines[1].get_ydata(), [1e-9, 1e-10, 1e-11])
    numpy.testing.assert_allclose(lines[2].get_ydata(), [1, 2])
    assert (
        list(lines[0].get_xdata()) == [0, 0.5, 1]
        and lines[0].get_linestyle() == "--"
        and lines[1].get_linestyle() == "-"
    )
    with pytest.raises(ValueError, match="expected a layer named fc9 .* got none in plain"):
        show.depths({"plain": plain}, kind="fc9")


def test_a_gradients_norm_by_its_size_is_the_root_of_its_mean_square():
    g = numpy.random.default_rng(0).normal(3, 4, (7, 5))
    noted = Row(0, "conv", 0, 0.0, 1.0, 0.0, g.mean(), g.std(), 0.0)
    assert noted.gradient_rms == pytest.approx(numpy.linalg.norm(g) / 35**0.5)
    assert Row(0, "conv", 0, 0.0, 1.0, 0.0, None, None, None).gradient_rms is None
