"""The plain plots draw what they are given, and every picture has an alt text."""

import numpy
import pytest

from minires import show


def test_lines_of_one_panel_and_of_several():
    figure = show.lines({"a": [1, 2, 3], "b": ([0, 5], [7, 8])}, x_label="step", y_label="loss")
    (axes,) = figure.axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[1, 2, 3], [7, 8]]
    assert [list(line.get_xdata()) for line in axes.lines] == [[0, 1, 2], [0, 5]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    panels = show.lines({"left": {"a": [1, 2]}, "right": {"a": [3, 4]}}, log="y").axes
    assert [axes.get_title() for axes in panels] == ["left", "right"]
    assert {axes.get_yscale() for axes in panels} == {"log"}


def test_bars_have_their_values_and_names():
    (axes,) = show.bars([0.5, 0.25], names=["cat", "dog"]).axes
    assert [bar.get_height() for bar in axes.patches] == [0.5, 0.25]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["cat", "dog"]


def test_a_histogram_counts():
    (axes,) = show.histograms(numpy.array([[0.1, 0.2], [0.9, 0.15]]), bins=2, limits=(0, 1)).axes
    assert [bar.get_height() for bar in axes.patches] == [3, 1]


def test_heatmaps_are_white_at_0():
    figure = show.heatmaps({"W": numpy.array([[0.0, -2.0], [1.0, 0.5]])})
    image = figure.axes[0].images[0]
    assert image.get_clim() == (-2, 2) and numpy.array_equal(image.get_array(), [[0, -2], [1, 0.5]])


def test_a_line_of_memory_shows_each_group_at_its_positions():
    figure = show.memory({"last": {"red": [0, 3], "green": [1]}, "first": {"red": [5]}}, size=6)
    last, first = figure.axes
    grey, red, green = (
        [bar.get_x() + 0.5 * bar.get_width() - 0.5 for bar in bars] for bars in last.containers
    )
    assert (grey, red, green) == ([0, 1, 2, 3, 4, 5], [0, 3], [1])
    assert [text.get_text() for text in last.texts] == ["r", "r", "g"]
    assert [axes.get_title(loc="left") for axes in (last, first)] == ["last", "first"]


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda: show.memory({}, size=6), "expected at least one line"),
        (lambda: show.memory({"x": {"red": [0]}}, size=161), "1 to 160 elements"),
        (lambda: show.memory({"x": {"red": [6]}}, size=6), "positions from 0 to 5, got 6"),
        (lambda: show.lines({}), "expected at least one"),
        (lambda: show.lines({"a": ([1, 2], [1, 2, 3])}), "2 x values and 3 y values"),
        (lambda: show.bars([1, 2], names=["a"]), "a name for each of 2 bars, got 1"),
        (lambda: show.heatmaps({}), "at least one matrix"),
        (lambda: show.heatmaps({"b": numpy.zeros(3)}), r"\(H, W\), got \(3,\) for 'b'"),
    ],
)
def test_bad_input_is_refused(draw, told):
    with pytest.raises(ValueError, match=told):
        draw()


def test_a_picture_has_an_alt_text_its_own_or_its_labels():
    figure = show.lines({"train": [1, 2]}, x_label="epoch", y_label="loss")
    assert figure.alt == "Figure; loss against epoch; train"
    told = "The loss rises\n from 1 to 2."
    data = figure.described(told)._repr_mimebundle_()
    assert data["text/plain"] == "The loss rises from 1 to 2."
    assert 'alt="The loss rises from 1 to 2."' in data["text/html"]
    assert figure.png()[:4] == b"\x89PNG"
