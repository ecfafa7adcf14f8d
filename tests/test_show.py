"""show: sources, saved arrays, and figures with the right boxes and arrows."""

import math
from contextlib import nullcontext
from itertools import pairwise
from typing import NamedTuple

import numpy
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.testing import assert_allclose, assert_array_equal

from minires import Tensor, files, models, nn, ops, show
from minires import functional as F
from minires.backend import to_device
from minires.fast.blocks import norm_relu

pytestmark = pytest.mark.usefixtures("each_backend")


def tensor(*shape):
    return Tensor(to_device(numpy.ones(shape, numpy.float32)), requires_grad=True)


def texts(picture):
    return [text.get_text() for text in picture.axes[0].texts if text.get_text()]


def test_the_source_is_that_of_the_file_and_a_notebook_colours_it():
    source = show.source(ops.relu)
    assert source.startswith("@op\ndef relu(x):") and "positive = x > 0" in source
    assert repr(source) == str(source) and source._repr_markdown_().startswith(
        "```python\n@op\ndef relu"
    )
    assert show.source(F.relu) == source
    # The plain form, whichever runs.
    assert show.source(ops.conv2d).startswith("@op\ndef conv2d(x, weight, bias=None")


def test_the_source_of_a_stand_in_is_the_stand_ins():
    def relu(x):
        return x, lambda g: (g,)

    with ops.standing_in(relu=relu):
        assert "return x, lambda g: (g,)" in show.source(ops.relu)
        assert show.source(ops.relu) == show.source(F.relu) == show.source(relu)
        assert show.source(ops.exp).startswith("@op\ndef exp(x):")
    assert show.source(ops.relu).startswith("@op")


def test_what_a_backward_saves():
    x, weight = tensor(2, 5, 4, 3), tensor(3, 3, 3, 6)
    with ops.plain():  # the weight as a matrix is a view of it
        assert {entry[:2] for entry in show.saved(F.conv2d(x, weight))} == {
            ("x", x.shape),
            ("matrix", (27, 6)),
        }
    assert sorted(show.saved(F.conv2d(x, weight))) == [
        ("weight", (3, 3, 3, 6), "float32", 648),
        ("x", (2, 5, 4, 3), "float32", 480),
    ]
    assert show.saved(F.relu(x)) == [("positive", (2, 5, 4, 3), "bool", 120)]
    assert show.saved(x + x) == []
    norm = nn.BatchNorm(3)
    for relu, names in ((True, {"x", "saved_y"}), (False, {"x"})):  # what was added is not saved
        y = norm_relu(norm, x, tensor(2, 5, 4, 3), relu)
        assert {entry[0] for entry in show.saved(y) if entry[1] == x.shape} == names
    _, backward = ops.exp(x.data)
    assert show.saved(backward) == [("y", (2, 5, 4, 3), "float32", 480)]


def test_nothing_is_saved_for_a_leaf_nor_after_backward():
    y = tensor(1).exp()
    y.backward()
    for nothing in (tensor(1), y):
        with pytest.raises(ValueError, match="nothing is saved for this tensor"):
            show.saved(nothing)


def test_a_graph_has_a_box_for_each_op_and_leaf_and_an_arrow_for_each_operand():
    x, y = tensor(2, 3), tensor(3)
    picture = show.graph(((x + y) * x).sum(), names={"x": x})
    assert sorted(texts(picture)) == [
        "add\n2 x 3",
        "multiply\n2 x 3",
        "sum\nnumber",
        "tensor\n3",
        "x\n2 x 3",
    ]
    assert len(picture.axes[0].patches) == 5


def test_a_modules_parameters_are_named_in_its_graph():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    boxes = texts(show.graph(model(tensor(2, 3)), names=model))
    assert {"0.weight\n3 x 4", "0.bias\n4", "linear\n2 x 4", "relu\n2 x 4", "tensor\n2 x 3"} == set(
        boxes
    )


@pytest.mark.parametrize("separate", [False, True])
def test_no_two_boxes_lie_on_each_other(separate):
    """x, ten parameters, three convolutions and three norms; if run op by op, also a sum and two ReLUs."""
    block = models.BasicBlock(4, 8, stride=2)
    with ops.plain() if separate else nullcontext():
        picture = show.graph(block(tensor(1, 4, 4, 4)), names=block)
    FigureCanvasAgg(picture).draw()
    boxes = [text.get_window_extent() for text in picture.axes[0].texts if text.get_text()]
    assert len(boxes) == 1 + 9 + 3 + (6 if separate else 3)
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_a_leaf_alone_is_a_graph():
    assert texts(show.graph(tensor(2))) == ["tensor\n2"]


def test_graphs_that_are_used_or_too_large_are_refused():
    y = tensor(1).exp()
    y.backward()
    with pytest.raises(ValueError, match=r"backward\(\) has released this graph"):
        show.graph(y * 2)
    x = tensor(1)
    for _ in range(401):
        x = x + 1
    with pytest.raises(ValueError, match="more than 400 nodes"):
        show.graph(x)


def test_pictures_are_png_in_a_notebook():
    for picture in (show.graph(tensor(1).exp()), show.curves({"train loss": [2.0, 1.0]})):
        assert picture.png().startswith(b"\x89PNG")


def test_curves_show_the_numbers_of_the_log():
    log = {
        "train loss": [2.0, 1.0],
        "validation loss": [2.5, 1.5],
        "validation accuracy": [0.5, 0.75],
    }
    picture = show.curves(log, title="a run")
    loss, accuracy = picture.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[2.0, 1.0], [2.5, 1.5]]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[50, 75]]
    assert list(loss.lines[0].get_xdata()) == [1, 2] and picture.get_suptitle() == "a run"
    assert [line.get_label() for line in loss.lines] == ["train", "validation"]


def test_a_picture_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    picture = show.curves({"train loss": [2.0, 1.0]})
    picture.save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    assert whole.startswith(b"\x89PNG") and whole.endswith(b"IEND\xaeB`\x82")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(OSError, match=r"cannot write .*b\.png .*No space left on device"):
        picture.save(tmp_path / "b.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("epochs", [1, 2, 40])
def test_only_whole_epochs_are_marked_on_the_axis(epochs):
    for picture in (
        show.curves({"train loss": [1.0] * epochs}),
        show.overlay({"a run": {"train loss": [1.0] * epochs}}),
    ):
        ticks = picture.axes[0].xaxis.get_major_locator().tick_values(*picture.axes[0].get_xlim())
        assert len(ticks) >= min(epochs, 2) and all(tick == round(tick) for tick in ticks)


def test_curves_leave_out_epochs_without_a_number_and_parts_without_any():
    loss, accuracy = show.curves(
        {
            "train loss": [3, 2, 1],
            "validation loss": [None, 4.0, None],
            "validation accuracy": [None],
        }
    ).axes
    assert [line.get_label() for line in loss.lines] == [
        "train",
        "validation",
    ] and not accuracy.lines
    assert list(loss.lines[1].get_xdata()) == [2] and list(loss.lines[1].get_ydata()) == [4.0]


def test_an_unknown_key_of_a_log_is_refused():
    for draw in (show.curves, lambda log: show.overlay({"a run": log})):
        with pytest.raises(
            ValueError, match="unknown key of a log 'valid loss'.*did you mean 'validation loss'"
        ):
            draw({"valid loss": [1.0]})


def test_runs_laid_over_each_other_keep_their_numbers_and_a_colour_each():
    logs = {
        "long": {
            "train loss": [3.0, 2.0, 1.0],
            "validation loss": [4.0, None, 2.0],
            "validation accuracy": [0.1, None, 0.5],
        },
        "short": {"train loss": [2.5]},
    }
    picture = show.overlay(logs, title="two runs")
    loss, accuracy = picture.axes
    found = [
        (line.get_label(), list(line.get_xdata()), list(line.get_ydata()), line.get_linestyle())
        for line in loss.lines
    ]
    assert found == [
        ("long, train", [1, 2, 3], [3.0, 2.0, 1.0], "--"),
        ("long, validation", [1, 3], [4.0, 2.0], "-"),
        ("short, train", [1], [2.5], "--"),
    ]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[10, 50]]
    colours = [to_hex(line.get_color()) for line in (*loss.lines, *accuracy.lines)]
    assert colours[0] == colours[1] == colours[3] != colours[2]
    assert [text.get_text() for text in picture.legends[0].texts] == [
        "long",
        "short",
        "train",
        "validation",
    ]
    with pytest.raises(ValueError, match="overlay: expected at least one run, got none"):
        show.overlay({})


def test_eight_runs_have_eight_colours_and_the_legend_lies_within_the_picture():
    picture = show.overlay(
        {f"a-run-with-a-long-name-{i}": {"train loss": [2.0, 1.0 + i]} for i in range(8)}
    )
    lines = picture.axes[0].lines
    assert (
        len({to_hex(line.get_color()) for line in lines})
        == len({line.get_marker() for line in lines})
        == 8
    )
    assert {line.get_linestyle() for line in lines} == {"-"}  # no validation to tell from
    FigureCanvasAgg(picture).draw()
    legend, whole = picture.legends[0].get_window_extent(), picture.bbox
    assert (
        whole.x0 <= legend.x0
        and legend.x1 <= whole.x1
        and whole.y0 <= legend.y0
        and legend.y1 <= whole.y1
    )
    assert legend.x0 >= picture.axes[1].get_window_extent().x1


def pixels(n, h=4, w=4, c=3):
    return numpy.random.default_rng(0).integers(0, 256, (n, h, w, c), dtype=numpy.uint8)


def test_a_grid_holds_each_image_with_sharp_pixels_under_its_class():
    images = pixels(5)
    picture = show.images(
        to_device(images),
        to_device(numpy.array([1, 0, 2, 2, 1])),
        ["cat", "dog", "ship"],
        columns=2,
    )
    (axes,) = picture.axes
    assert texts(picture) == ["dog", "cat", "ship", "ship", "dog"]
    for drawn, image in zip(axes.images, images, strict=True):
        assert_array_equal(drawn.get_array(), image)
        assert drawn.get_interpolation() == "nearest"
    # Left, right, bottom, top; y grows downwards.
    extents = [drawn.get_extent() for drawn in axes.images]
    for left, right in ((0, 1), (2, 3)):
        assert extents[left][1] < extents[right][0] and extents[left][2:] == extents[right][2:]
    for upper, lower in ((0, 2), (2, 4)):
        assert extents[upper][2] < extents[lower][3] and extents[upper][:2] == extents[lower][:2]
    assert (
        axes.get_ylim()[0] > axes.get_ylim()[1] == 0 and axes.get_ylim()[0] >= extents[4][2] - 1e-9
    )


def test_no_name_in_a_grid_lies_on_another_or_on_an_image():
    picture = show.images(
        pixels(6), titles=["a name that is far too long for an image"] * 6, columns=3
    )
    FigureCanvasAgg(picture).draw()
    boxes = [text.get_window_extent() for text in picture.axes[0].texts]
    boxes += [drawn.get_window_extent() for drawn in picture.axes[0].images]
    assert len(boxes) == 12
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert picture.bbox.x0 <= box.x0 and box.x1 <= picture.bbox.x1 and box.y1 <= picture.bbox.y1


def test_images_of_one_channel_are_grey_and_white_is_white():
    image = numpy.array([[[0], [4]], [[8], [16]]], numpy.uint8)
    (drawn,) = show.images([image], max_value=16).axes[0].images
    assert drawn.get_cmap().name == "gray"
    assert_allclose(drawn.norm(drawn.get_array()), [[0, 0.25], [0.5, 1]])
    (drawn,) = show.images([image[:, :, [0, 0, 0]]], max_value=16).axes[0].images
    assert_allclose(drawn.get_array()[..., 2], [[0, 0.25], [0.5, 1]])


def test_a_grid_has_at_most_as_many_rows_as_it_is_told():
    assert len(show.images(pixels(9), columns=2, rows=3).axes[0].images) == 6
    assert len(show.images(pixels(9), columns=2).axes[0].images) == 9


def test_images_keep_their_proportions():
    picture = show.images([pixels(1, 10, 40)[0], pixels(1, 40, 10)[0]])
    for drawn, ratio in zip(picture.axes[0].images, (4, 1 / 4)):
        left, right, bottom, top = drawn.get_extent()
        assert_allclose((right - left) / (bottom - top), ratio)
    (axes,) = picture.axes
    inches = picture.get_size_inches()
    assert_allclose(
        numpy.diff(axes.get_xlim()) / inches[0], -numpy.diff(axes.get_ylim()) / inches[1]
    )


@pytest.mark.parametrize("arguments, options, error, message", [
    ((pixels(0),), {}, ValueError, "images: expected at least one, got none"),
    ((pixels(2).astype(numpy.float32),), {}, TypeError, r"image 0: expected uint8 .*, got float32 \(4, 4, 3\)"),
    ((pixels(2, c=2),), {}, TypeError, r"image 0: .*, got uint8 \(4, 4, 2\)"),
    ((pixels(2), [0]), {}, ValueError, "a name for each of 2 images, got 1"),
    ((pixels(2), [0, 3], ["cat"]), {}, ValueError, "label: expected 0 to 0 for 1 classes, got 3"),
    ((pixels(2),), {"columns": 0}, ValueError, "got columns 0"),
])  # fmt: skip
def test_what_is_no_grid_is_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        show.images(*arguments, **options)


def test_predictions_show_the_likeliest_classes_beside_each_image():
    images = pixels(2)
    probabilities = to_device(numpy.array([[0.1, 0.7, 0.2], [0.5, 0.1, 0.4]], numpy.float32))
    classes = ["cat", "dog", "ship"]
    picture = show.predictions(
        images, probabilities, classes, top=2, titles=["a.png", "b.png"], labels=[2, 0]
    )
    first, first_bars, second, second_bars = picture.axes
    assert_array_equal(first.images[0].get_array(), images[0])
    assert_array_equal(second.images[0].get_array(), images[1])
    assert [first.get_title(loc="left"), second.get_title(loc="left")] == ["a.png", "b.png"]
    for axes, names, chances, right in (
        (first_bars, ["dog", "ship"], [0.7, 0.2], 1),
        (second_bars, ["cat", "ship"], [0.5, 0.4], 0),
    ):
        assert [label.get_text() for label in axes.get_yticklabels()] == names
        assert_allclose([bar.get_width() for bar in axes.patches], chances, rtol=1e-6)
        assert [text.get_text() for text in axes.texts] == [
            f"{100 * chance:.1f} %" for chance in chances
        ]
        assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
        colours = [to_hex(bar.get_facecolor()) for bar in axes.patches]
        assert colours[right] == "#009e73" != colours[1 - right]


def test_predictions_of_one_image_are_one_image_and_one_chart():
    image, bars = show.predictions(pixels(1), numpy.array([[0.25, 0.75]]), ["cat", "dog"]).axes
    assert len(image.images) == 1 and [bar.get_width() for bar in bars.patches] == [0.75, 0.25]


@pytest.mark.parametrize("probabilities, options, message", [
    ([[1.0, 0.0]], {}, r"expected shape \(2, 2\), images by classes, got \(1, 2\)"),
    ([[-3.0, 8.0]] * 2, {}, "expected 0 to 1, got -3 to 8: softmax"),
    ([[math.nan, 1.0]] * 2, {}, "got nan"),
    ([[0.5, 0.5]] * 2, {"titles": ["a"]}, "for each of 2 images, got 1 and 2"),
    ([[0.5, 0.5]] * 2, {"top": 0}, "top and columns of at least 1, got 0 and"),
])  # fmt: skip
def test_what_are_no_predictions_is_refused(probabilities, options, message):
    with pytest.raises(ValueError, match=message):
        show.predictions(pixels(2), numpy.array(probabilities), ["cat", "dog"], **options)


class Row(NamedTuple):
    """The fields of a row that show.layers reads."""

    step: int
    layer: str
    depth: int
    activation_mean: float
    activation_std: float
    activation_zeros: float
    gradient_mean: float | None
    gradient_std: float | None
    gradient_zeros: float | None


def numbers(image):
    """Return the numbers that a map shows; NaN for empty cells."""
    return numpy.ma.filled(numpy.ma.asarray(image.get_array(), float), math.nan)


def panels(picture):
    """Return the axes that have a title; the others are colour bars."""
    return {axes.get_title(): axes for axes in picture.axes if axes.get_title()}


def test_maps_of_layers_show_the_numbers_by_depth_and_step():
    rows = [
        Row(0, "conv1", 0, 0.5, 2.0, 0.0, -1e-3, 1e-2, 0.25),
        Row(0, "relu", 1, 0.25, 1.0, 0.5, 1e-3, 1e-4, 0.0),
        Row(10, "conv1", 0, -0.5, 4.0, 0.0, None, None, None),
        Row(10, "relu", 1, 0.125, 3.0, 1.0, 2e-3, 1e-6, 1.0),
    ]
    axes = panels(show.layers(rows[::-1], title="a net"))
    expected = {
        "activation: mean": [[0.5, -0.5], [0.25, 0.125]],
        "activation: standard deviation": [[2, 4], [1, 3]],
        "activation: zeros, %": [[0, 0], [50, 100]],
        "gradient: mean": [[-1e-3, math.nan], [1e-3, 2e-3]],
        "gradient: standard deviation": [[1e-2, math.nan], [1e-4, 1e-6]],
        "gradient: zeros, %": [[25, math.nan], [0, 100]],
    }
    assert list(axes) == list(expected)
    for title, table in expected.items():
        assert_allclose(numbers(axes[title].images[0]), table, err_msg=title)
    deviation = axes["gradient: standard deviation"].images[0]
    assert_allclose(deviation.norm([1e-6, 1e-4, 1e-2]), [0, 0.5, 1])  # colours go by the logarithm
    first = axes["activation: mean"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["conv1", "relu"]
    assert first.get_ylim()[0] > first.get_ylim()[1]  # the input on top
    formatter = axes["gradient: mean"].xaxis.get_major_formatter()
    assert [formatter(x, None) for x in (0, 1, 2, -1)] == ["0", "10", "", ""]


def test_a_layer_that_ran_in_some_steps_only_has_a_row_of_its_own():
    rows = [Row(0, "a", 0, 1.0, 1.0, 0.0, None, None, None), Row(0, "new", 1, 2.0, 1.0, 0.0, None, None, None),
            Row(0, "b", 2, 3.0, 1.0, 0.0, None, None, None), Row(1, "a", 0, 4.0, 1.0, 0.0, None, None, None),
            Row(1, "b", 1, 5.0, 1.0, 0.0, None, None, None)]  # fmt: skip
    axes = panels(show.layers(rows))["activation: mean"]
    found = dict(
        zip(
            (label.get_text() for label in axes.get_yticklabels()),
            numbers(axes.images[0]).tolist(),
            strict=True,
        )
    )
    assert found["a"] == [1, 4] and found["b"] == [3, 5]
    assert found["new"][0] == 2 and math.isnan(found["new"][1])


def test_a_map_shows_what_is_not_finite_in_red_and_no_deviation_in_black():
    values = [(1.0, 0.0), (math.nan, math.inf), (2.0, 3.0), (1.0, 1.0)]
    rows = [
        Row(i // 2, "ab"[i % 2], i % 2, mean, std, 0.0, None, None, None)
        for i, (mean, std) in enumerate(values)
    ]
    axes = panels(show.layers(rows))
    # No gradient, no row.
    assert list(axes) == [
        "activation: mean",
        "activation: standard deviation",
        "activation: zeros, %",
    ]
    mean = axes["activation: mean"].images
    (scale, red, black) = axes["activation: standard deviation"].images
    assert_allclose(numbers(scale), [[math.nan, 3], [math.nan, 1]])
    for image, colour, table in ((mean[1], "#e3120b", [[math.nan] * 2, [1, math.nan]]), (red, "#e3120b", [[math.nan] * 2, [1, math.nan]]),
                                 (black, "#000000", [[1, math.nan], [math.nan] * 2])):  # fmt: skip
        assert_allclose(numbers(image), table)
        assert to_hex(image.cmap(0)) == colour


def test_one_step_is_lines_over_depth_a_line_for_each_kind_of_layer():
    names = ["conv1", "bn1", "layer1.0.conv1", "layer1.0.relu(2)", "fc"]
    rows = [Row(7, name, i, i, 10.0**-i, 0.1, -i, 10.0**i, 0.2) for i, name in enumerate(names)]
    picture = show.layers(rows)
    axes = panels(picture)
    found = {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
        for line in axes["gradient: standard deviation"].lines
    }
    assert found == {
        "conv": ([0, 2], [1, 100]),
        "bn": ([1], [10]),
        "relu": ([3], [1000]),
        "fc": ([4], [10000]),
    }
    assert axes["gradient: standard deviation"].get_yscale() == "log"
    assert [text.get_text() for text in picture.legends[0].texts] == ["conv", "bn", "relu", "fc"]
    assert [label.get_text() for label in axes["gradient: mean"].get_xticklabels()] == names


def test_a_number_that_is_not_finite_is_marked_on_the_lines():
    rows = [
        Row(0, f"conv{i}", i, math.nan if i == 1 else 1.0, 1.0, 0.0, None, None, None)
        for i in range(3)
    ]
    axes = panels(show.layers(rows))["activation: mean"]
    assert list(axes.lines[0].get_xdata()) == [0, 2]
    assert [
        (bar.get_x(), bar.get_width(), to_hex(bar.get_facecolor())) for bar in axes.patches
    ] == [(0.5, 1, "#e3120b")]


@pytest.mark.parametrize("steps", [1, 3])
def test_the_names_of_a_deep_net_are_thinned_out_until_none_lies_on_another(steps):
    rows = [
        Row(step, f"layer{i}.0.downsample.0.batch_norm", i, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0)
        for step in range(steps)
        for i in range(333)
    ]
    picture = show.layers(rows)
    FigureCanvasAgg(picture).draw()
    axes = panels(picture)["gradient: mean"]
    labels = axes.get_yticklabels() if steps > 1 else axes.get_xticklabels()
    boxes = [label.get_window_extent() for label in labels]
    assert 15 <= len(boxes) <= 30
    starts = sorted((box.y0, box.y1) if steps > 1 else (box.x0, box.x1) for box in boxes)
    assert all(end <= start for (_, end), (start, _) in pairwise(starts))
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)


def test_no_rows_are_refused():
    with pytest.raises(
        ValueError,
        match="expected at least one row, got none: no forward pass of the model was watched",
    ):
        show.layers([])


def cells(picture):
    """Return (left, top, colour) of each cell of a figure of numbers."""
    return [(*patch.get_xy(), to_hex(patch.get_facecolor())) for patch in picture.axes[0].patches
            if isinstance(patch, Rectangle) and patch.get_fill()]  # fmt: skip


def test_numbers_stand_in_their_cells_and_their_colour_says_sign_and_size():
    picture = show.numbers(
        to_device(numpy.array([[-2.0, 0.0], [0.5, 2.0]])), [math.inf, 1234.0], titles=["a", "b"]
    )
    assert texts(picture) == ["a", "-2", "0", ".5", "2", "b", "∞", "1234"]
    (x, y, blue), (right, _, white), (_, below, pale), (*_, orange), (other, *_, grey), _ = cells(
        picture
    )
    assert right == x + 1 and below == y + 1 and other > right + 1
    assert white == "#ffffff" and grey == "#e4e4e4" and len({blue, white, pale, orange, grey}) == 5
    red, _, blueish = (int(orange[i : i + 2], 16) for i in (1, 3, 5))
    assert red > blueish and int(pale[5:], 16) > blueish and int(blue[5:], 16) > int(blue[1:3], 16)


def test_windows_with_the_same_place_in_the_lists_have_the_same_colour():
    windows = [(0, 0, 2, 2), (0, 1, 2, 2)], [(0, 0, 1, 4), (1, 0, 1, 4)]
    picture = show.numbers(numpy.ones((3, 3)), numpy.ones((2, 4)), outlines=windows)
    outlines = [patch for patch in picture.axes[0].patches if not patch.get_fill()]
    colours = [to_hex(patch.get_edgecolor()) for patch in outlines]
    assert colours[:2] == colours[2:] and colours[0] != colours[1]
    left, top, _ = cells(picture)[0]
    # Each lies within its window.
    for (down, across, height, width), patch in zip(windows[0], outlines):
        x, y = patch.get_xy()
        assert left + across < x and x + patch.get_width() < left + across + width
        assert top + down < y and y + patch.get_height() < top + down + height


def test_tables_of_numbers_go_on_in_a_further_row():
    picture = show.numbers(*[numpy.ones((1, 1))] * 3, columns=2)
    places = [place[:2] for place in cells(picture)]
    assert (
        places[0][1] == places[1][1] < places[2][1] and places[0][0] == places[2][0] < places[1][0]
    )
    (axes,) = picture.axes
    assert max(y for _, y in places) + 1 <= axes.get_ylim()[0]


@pytest.mark.parametrize("arrays, options, message", [
    ([numpy.ones((2, 2, 2))], {}, r"array 0: expected a table .*, got shape \(2, 2, 2\)"),
    ([numpy.ones((40, 40))], {}, "at most 1,200 cells"),
    ([numpy.ones(2)], {"titles": ["a", "b"]}, "for each of 1 arrays, got 2 and 1"),
    ([], {}, "0 arrays"),
])  # fmt: skip
def test_what_is_no_table_of_numbers_is_refused(arrays, options, message):
    with pytest.raises(ValueError, match=message):
        show.numbers(*arrays, **options)


def arrows(picture):
    return [patch for patch in picture.axes[0].patches if isinstance(patch, FancyArrowPatch)]


def test_the_way_of_a_gradient_has_an_arrow_for_each_share():
    x = numpy.array([[1.0, 5.0, 2.0], [4.0, 3.0, 0.0]])
    picture = show.ways(ops.max_pool2d, to_device(x), kernel=2, stride=1)  # both windows have the 5
    assert len(arrows(picture)) == 2
    assert texts(picture)[1:8] == ["1", "5", "3", "2", "4", "3", "0"]  # below the 5: 1 + 2
    assert texts(picture)[9:] == ["5", "1", "5", "2"]
    assert len(arrows(show.ways(ops.avg_pool2d, x, kernel=2, stride=1))) == 8
    assert len(arrows(show.ways(ops.global_avg_pool, x))) == 6
    assert len(arrows(show.ways(ops.relu, x))) == 5


@pytest.mark.parametrize("op, options", [
    (ops.max_pool2d, {"kernel": 3, "stride": 1}), (ops.avg_pool2d, {"kernel": 2}), (ops.relu, {}),
])  # fmt: skip
def test_no_arrow_of_a_gradient_crosses_a_number(op, options):
    picture = show.ways(op, numpy.random.default_rng(0).standard_normal((5, 5)), **options)
    FigureCanvasAgg(picture).draw()
    boxes = [text.get_window_extent() for text in picture.axes[0].texts]
    for arrow in arrows(picture):
        corners = picture.axes[0].transData.transform(arrow.get_path().vertices[:6])
        for a, b in pairwise(corners):
            points = [a + (b - a) * t for t in numpy.linspace(0, 1, 60)]
            assert not any(box.contains(*point) for box in boxes for point in points)


def test_the_gradient_that_comes_in_may_be_given():
    picture = show.ways(ops.relu, numpy.array([[1.0, -1.0]]), [[0.5, 7.0]])
    assert texts(picture) == [
        "x, and below its gradient",
        "1",
        ".5",
        "-1",
        "result, and below g",
        "1",
        ".5",
        "0",
        "7",
    ]
    with pytest.raises(ValueError, match="expected 2 numbers in g, one per result, got 1"):
        show.ways(ops.relu, numpy.ones((1, 2)), [1.0])
    with pytest.raises(ValueError, match="expected 1 to 64 results of the op, got 81"):
        show.ways(ops.relu, numpy.ones((9, 9)))


@pytest.mark.parametrize("title", ["one line", "a first line\nand a second one"])
def test_a_title_lies_above_its_table_and_within_the_picture(title):
    for picture in (
        show.numbers(numpy.ones((2, 2)), titles=[title], cell=0.3),
        show.ways(ops.relu, [[1.0]], titles=(title, "y")),
    ):
        FigureCanvasAgg(picture).draw()
        (box,) = (
            text.get_window_extent() for text in picture.axes[0].texts if text.get_text() == title
        )
        first = next(
            patch for patch in picture.axes[0].patches if isinstance(patch, Rectangle)
        ).get_window_extent()
        assert first.y1 <= box.y0 and box.y1 <= picture.bbox.y1 and box.x1 <= picture.bbox.x1
