"""What show says is so: sources, arrays that are kept, and pictures with the right boxes and arrows."""

import numpy
import pytest

from minires import Tensor, models, nn, ops, show
from minires import functional as F
from minires.backend import to_device

pytestmark = pytest.mark.usefixtures("each_backend")


def tensor(*shape):
    return Tensor(to_device(numpy.ones(shape, numpy.float32)), requires_grad=True)


def texts(picture):
    return [text.get_text() for text in picture.axes[0].texts if text.get_text()]


def test_the_source_is_that_of_the_file_and_a_notebook_colours_it():
    source = show.source(ops.relu)
    assert source.startswith("def relu(x):") and "positive = x > 0" in source
    assert repr(source) == str(source) and source._repr_markdown_().startswith("```python\ndef relu")


def test_the_source_of_a_stand_in_is_the_stand_ins(monkeypatch):
    def relu(x):
        return x, lambda g: (g,)

    monkeypatch.setattr(ops, "relu", relu)
    assert "return x, lambda g: (g,)" in show.source(ops.relu)


def test_what_a_backward_keeps():
    x, weight = tensor(2, 5, 4, 3), tensor(3, 3, 3, 6)
    kept = show.kept(F.conv2d(x, weight))
    assert sorted(kept) == [("weight", (3, 3, 3, 6), "float32", 648), ("x", (2, 5, 4, 3), "float32", 480)]
    assert show.kept(F.relu(x)) == [("positive", (2, 5, 4, 3), "bool", 120)]
    assert show.kept(x + x) == []
    _, backward = ops.exp(x.data)
    assert show.kept(backward) == [("y", (2, 5, 4, 3), "float32", 480)]


def test_nothing_is_kept_for_a_leaf_nor_after_backward():
    y = tensor(1).exp()
    y.backward()
    for nothing in (tensor(1), y):
        with pytest.raises(ValueError, match="nothing is kept for this tensor"):
            show.kept(nothing)


def test_a_graph_has_a_box_for_each_op_and_leaf_and_an_arrow_for_each_operand():
    x, y = tensor(2, 3), tensor(3)
    picture = show.graph(((x + y) * x).sum(), names={"x": x})
    assert sorted(texts(picture)) == ["add\n2 x 3", "multiply\n2 x 3", "sum\nnumber", "tensor\n3", "x\n2 x 3"]
    assert len(picture.axes[0].patches) == 5


def test_a_modules_parameters_are_named_in_its_graph():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    boxes = texts(show.graph(model(tensor(2, 3)), names=model))
    assert {"0.weight\n3 x 4", "0.bias\n4", "linear\n2 x 4", "relu\n2 x 4", "tensor\n2 x 3"} == set(boxes)


def test_no_two_boxes_lie_on_each_other():
    block = models.BasicBlock(4, 8, stride=2)
    picture = show.graph(block(tensor(1, 4, 4, 4)), names=block)
    picture.canvas.draw()
    boxes = [text.get_window_extent() for text in picture.axes[0].texts if text.get_text()]
    assert len(boxes) == 19
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_a_leaf_alone_is_a_graph():
    assert texts(show.graph(tensor(2))) == ["tensor\n2"]


def test_graphs_that_are_used_or_too_large_are_refused():
    y = tensor(1).exp()
    y.backward()
    with pytest.raises(ValueError, match=r"backward\(\) has been through this graph"):
        show.graph(y * 2)
    x = tensor(1)
    for _ in range(401):
        x = x + 1
    with pytest.raises(ValueError, match="more than 400 nodes"):
        show.graph(x)


def test_pictures_are_png_in_a_notebook():
    for picture in (show.graph(tensor(1).exp()), show.curves({"train loss": [2.0, 1.0]})):
        assert picture._repr_png_().startswith(b"\x89PNG")


def test_curves_show_the_numbers_of_the_log():
    log = {"train loss": [2.0, 1.0], "validation loss": [2.5, 1.5], "validation accuracy": [0.5, 0.75]}
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
    assert whole.startswith(b"\x89PNG") and [path.name for path in tmp_path.iterdir()] == ["a.png"]

    def full(path, data):
        with open(path, "wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space left on device.*b.png"):
        picture.save(tmp_path / "b.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
