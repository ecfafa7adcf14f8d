"""The trophy: a picture of one's own, what a network says about it, its feature maps, and whose code ran."""

import numpy
import pytest
from matplotlib.patches import Wedge
from PIL import Image

from minires import data, nn, show
from minires import functional as F
from minires.backend import to_device, to_host
from minires.tensor import Tensor

pytestmark = pytest.mark.usefixtures("each_backend")

SEVEN = [
    "########",
    ".......#",
    "......#.",
    ".....#..",
    "....#...",
    "...#....",
    "..#.....",
    "..#.....",
]


class Small(nn.Module):
    def __init__(self):
        rng = numpy.random.default_rng(0)
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1, bias=False, rng=rng)
        self.bn1 = nn.BatchNorm(6)
        self.fc = nn.Linear(6, 10, rng=rng)

    def forward(self, x):
        return self.fc(F.global_avg_pool(F.relu(self.bn1(self.conv1(x)))))


class Report:
    def rows(self):
        return [("conv2d", 1280, True), ("relu", 7, False)]


def said(picture):
    return [text.get_text() for text in picture.findobj(match=lambda one: hasattr(one, "get_text"))]


def test_a_drawing_of_strings_is_an_image_as_the_digits_are():
    image = data.drawing(["#......."] * 4 + [" .-+#..#"] * 4)
    assert image.dtype == numpy.uint8 and image.shape == (8, 8, 1)
    assert image[0, :, 0].tolist() == [16, 0, 0, 0, 0, 0, 0, 0]
    assert image[7, :, 0].tolist() == [0, 0, 5, 10, 16, 0, 0, 16]


@pytest.mark.parametrize("ink", [0, 255])
@pytest.mark.parametrize("corner", [(0, 0), (31, 17), (80, 96)])
def test_a_drawing_from_a_file_is_cut_out_white_on_black_wherever_the_digit_is(
    tmp_path, ink, corner
):
    expected = data.drawing(SEVEN)
    digit = numpy.kron(expected[..., 0] > 0, numpy.ones((5, 5), bool))
    page = numpy.zeros((140, 150), bool)
    page[corner[0] + 9 : corner[0] + 49, corner[1] + 9 : corner[1] + 49] = digit
    Image.fromarray(numpy.where(page, ink, 255 - ink).astype("uint8")).save(tmp_path / "seven.png")
    numpy.testing.assert_array_equal(data.drawing(tmp_path / "seven.png"), expected)
    numpy.testing.assert_array_equal(data.drawing(str(tmp_path / "seven.png")), expected)


def test_a_narrow_digit_keeps_its_proportions_and_is_centred(tmp_path):
    page = numpy.full((60, 60), 255, "uint8")
    page[10:50, 20:30] = 0
    Image.fromarray(page).save(tmp_path / "one.png")
    image = data.drawing(tmp_path / "one.png")[..., 0]
    assert (image == [0, 0, 0, 16, 16, 0, 0, 0]).all()


@pytest.mark.parametrize(("lines", "message"), [(SEVEN[:7], "8 strings of 8 characters, got 7"), (["#"] * 8, r"got 8 of \[1, 1"),
                                                 (["x" * 8] * 8, "got 'x'")])  # fmt: skip
def test_what_is_no_drawing_is_refused(lines, message):
    with pytest.raises(ValueError, match=message):
        data.drawing(lines)


def test_an_empty_sheet_is_no_digit(tmp_path):
    Image.fromarray(numpy.full((20, 20), 250, "uint8")).save(tmp_path / "empty.png")
    with pytest.raises(data.dataset.DataError, match=r"empty\.png: expected a digit"):
        data.drawing(tmp_path / "empty.png")


def test_a_trophy_says_what_the_model_says_and_whose_code_ran(tmp_path):
    test, model = data.digits()[2], Small()
    picture = data.drawing(SEVEN)
    model.bn1.running_mean[...] = 0.3  # so that evaluation differs from training
    x = to_device(((picture[None] / 16 - test.mean[0]) / test.std[0]).astype("float32"))
    model.eval()
    logits = to_host(model(Tensor(x)).data)[0].astype(float)
    maps = F.relu(model.bn1(model.conv1(Tensor(x))))
    model.train()
    before = to_host(model.bn1.running_mean).copy()
    trophy = show.trophy(model, picture, test, layers={"conv1": maps}, report=Report())

    chances = numpy.exp(logits - logits.max()) / numpy.exp(logits - logits.max()).sum()
    texts = said(trophy)
    assert f"It says: {chances.argmax()}" in texts
    assert all(f"{100 * chance:.1f} %" in texts for chance in chances)
    assert "conv1: 6 feature maps of 8x8" in texts and "Its first 6 filters, 3x3" in texts
    assert "\N{CHECK MARK} mine · 1,280" in texts and "minires · 7" in texts
    images, labels = next(iter(data.batches(test, len(test))))
    model.eval()
    right = int((to_host(model(Tensor(images)).data).argmax(axis=1) == to_host(labels)).sum())
    assert f"{right} of 355 test images" in trophy.alt and "1 of 2 functions" in trophy.alt
    numpy.testing.assert_array_equal(to_host(model.bn1.running_mean), before)
    trophy.save(tmp_path / "trophy.png")
    assert Image.open(tmp_path / "trophy.png").size[0] > 1000


def test_a_trophy_counts_whose_functions_ran_and_says_how_the_run_went():
    """The ring's second wedge is the share; once all are the learner's own, a star takes the place of the count."""
    test, model, report = data.digits()[2], Small(), Report()
    log = {"validation accuracy": [0.25, 0.9, 0.975]}
    some = show.trophy(model, test.images[0], test, log=log, report=report)
    assert "1/2" in said(some) and "from 25 % to 98 % in 3 epochs" in some.alt
    assert "gold star" not in some.alt and [270, 90] in arcs(some)  # half of the circle
    report.rows = lambda: [(name, calls, True) for name, calls, _ in Report().rows()]
    all_ = show.trophy(model, test.images[0], test, report=report)
    assert "2/2" not in said(all_) and "gold star" in all_.alt and "epochs" not in all_.alt


def arcs(figure):
    wedges = [one for axes in figure.axes for one in axes.patches if isinstance(one, Wedge)]
    return [[wedge.theta1 % 360, wedge.theta2 % 360] for wedge in wedges]


def test_a_trophy_needs_neither_layers_nor_a_report_and_leaves_the_modes_as_they_were():
    test, model = data.digits()[2], Small()
    model.bn1.eval()
    texts = said(show.trophy(model, test.images[0], test))
    assert model.training and not model.bn1.training
    assert "Whose code ran" not in texts and not any("feature maps" in text for text in texts)


@pytest.mark.parametrize(("picture", "error"), [(numpy.zeros((8, 8, 1)), TypeError), (numpy.zeros((9, 8, 1), "uint8"), ValueError)])  # fmt: skip
def test_a_trophy_refuses_a_picture_of_another_type_or_shape(picture, error):
    with pytest.raises(error, match="trophy: expected a picture of"):
        show.trophy(Small(), picture, data.digits()[2])


def test_feature_maps_stand_in_rows_and_keep_their_values():
    maps = numpy.arange(2 * 3 * 5.0).reshape(2, 3, 5)
    picture = show.feature_maps(
        {"first": to_device(maps), "second": Tensor(to_device(maps[None]))}, columns=2
    )
    assert "first: 5 maps of 2x3" in said(picture)
    for axes in picture.axes:
        drawn = numpy.ma.filled(axes.images[0].get_array(), numpy.nan)
        step = drawn.shape[1] // 2 + 1  # to the second map of a row
        assert drawn[0, 0] == maps[0, 0, 0] and drawn[0, step] == maps[0, 0, 1]
        assert drawn[-1, 0] == maps[1, 0, 4] and numpy.isnan(drawn[-1, -1])


@pytest.mark.parametrize(("layers", "columns"), [({}, 2), ({"one": numpy.zeros((2, 2, 3))}, 0), ({"one": numpy.zeros((2, 2))}, 2),
                                                 ({"one": numpy.zeros((2, 4, 4, 3))}, 2)])  # fmt: skip
def test_what_are_no_feature_maps_is_refused(layers, columns):
    with pytest.raises(ValueError, match="feature"):
        show.feature_maps(layers, columns=columns)
