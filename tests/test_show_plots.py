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


@pytest.mark.parametrize("horizontal", [False, True])
def test_a_bar_of_several_seeds_is_their_mean_with_their_standard_deviation(horizontal):
    seeds = [[1.0, 2.0, 6.0], [4.0], numpy.array([2.0, 2.0, 5.0])]
    (axes,) = show.bars(seeds, names=["a", "b", "c"], horizontal=horizontal, y_label="loss").axes
    (drawn,) = (each for each in axes.containers if hasattr(each, "patches"))
    lengths = [bar.get_width() if horizontal else bar.get_height() for bar in drawn]
    assert lengths == [numpy.mean(each) for each in seeds]
    (whiskers,) = drawn.errorbar.lines[2]
    along = [segment[:, 0 if horizontal else 1] for segment in whiskers.get_segments()]
    assert numpy.allclose([(b - a) / 2 for a, b in along], [7**0.5, 0, 3**0.5])
    dots = [line for line in axes.lines if line.get_marker() == "."]
    assert [list(dot.get_xdata() if horizontal else dot.get_ydata()) for dot in dots] == [[1, 2, 6], [2, 2, 5]]  # fmt: skip
    assert [text.get_text() for text in axes.texts] == ["3", "4", "3"]
    assert (axes.get_xlabel() if horizontal else axes.get_ylabel()) == "loss"


def test_horizontal_bars_begin_at_the_top_and_panels_have_axes_of_their_own():
    left, right = show.bars({"loss": [1, 2], "%": [50, 90]}, names=["a", "b"], horizontal=True).axes
    for axes in (left, right):
        bottom, top = axes.get_ylim()
        assert bottom > top
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["a", "b"]
    assert left.get_xlim()[1] < 3 and right.get_xlim()[1] > 90
    (axes,) = show.bars([0.1, 1000.0], log=True).axes
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize("log", [False, True])
def test_a_bar_that_is_not_finite_says_so(log):
    figure = show.bars([1.0, float("nan"), [2.0, float("inf")]], names=["a", "b", "c"], log=log)
    figure.png()
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "NaN", "NaN"]


def test_a_line_of_several_seeds_is_their_mean_in_a_band():
    figure = show.lines({"a": [[1, 5], [3, 4], [2, 9]], "b": numpy.array([[1.0, 2.0]]), "c": [7, 8]}, x=[10, 20])  # fmt: skip
    (axes,) = figure.axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[2, 6], [1, 2], [7, 8]]
    first, _ = axes.collections
    corners = {(x, y) for x, y in first.get_paths()[0].vertices}
    assert corners == {(10, 1), (10, 3), (20, 4), (20, 9)}


def test_a_table_has_each_number_in_its_cell_and_0_is_white():
    values = [[0.0, -2.0, 1.234], [1.0, 2.0, float("nan")]]
    figure = show.table(values, ["r", "s"], ["a", "b", "c"], x_label="block")
    (axes,) = figure.axes
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    assert texts == {(0, 0): "0", (1, 0): "-2", (2, 0): "1.23", (0, 1): "1", (1, 1): "2", (2, 1): "nan"}  # fmt: skip
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "b", "c"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["r", "s"]
    image = axes.images[0]
    white, blue, red = (image.cmap(image.norm(value)) for value in (0.0, -2.0, 2.0))
    assert min(white[:3]) > 0.95 and blue[2] > blue[0] and red[0] > red[2]
    for text in axes.texts:  # legible on its cell
        j, i = text.get_position()
        behind = image.cmap(image.norm(values[i][j]))[:3] if values[i][j] == values[i][j] else (1, 1, 1)  # fmt: skip
        assert abs((text.get_color() == "white") - sum(behind) / 3) > 0.4
    (axes,) = show.table([[3, 40]], ["r"], ["a", "b"], format=".1f", limits=(0, 40), colours="Oranges").axes  # fmt: skip
    assert [text.get_text() for text in axes.texts] == ["3.0", "40.0"]
    assert axes.images[0].get_clim() == (0, 40)


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
        (
            lambda: show.lines({"a": [[1, 2], [1, 2, 3]]}),
            r"as many y values for each seed, got \[2, 3\]",
        ),
        (lambda: show.table([], [], []), r"table: expected 0 rows of 0 numbers, got \[\]"),
        (
            lambda: show.table([[1, 2], [3]], "ab", "cd"),
            r"table: expected 2 rows of 2 numbers, got \[2, 1\]",
        ),
        (
            lambda: show.table([[1, 2]], "ab", "cd"),
            r"table: expected 2 rows of 2 numbers, got \[2\]",
        ),
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
