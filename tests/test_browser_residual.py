"""The steppers of deep and residual nets in Chromium, offline: by keyboard, by menu and by slider."""

import re
from itertools import product

import pytest

from tests.browser import chromium, opened  # noqa: F401  a fixture
from tests.steppers import BLOCKS, DEPTHS, GAINS, LAYERS, LEFT, Figure, depends, lesson  # noqa: F401  a fixture

pytestmark = pytest.mark.slow


@pytest.fixture
def page(chromium, lesson):
    """The lesson, opened. It may ask no other host for anything, and put no error on the console."""
    with opened(chromium, lesson) as (page, complaints):
        yield page
    assert complaints.errors == [] and complaints.foreign == []


def test_depth_by_menu_and_by_arrow_keys(page):
    figure = Figure(page, "depth")
    menu = figure.control("net")
    for name in ("skip", "plain"):
        menu.select_option(name)
        assert figure.text("name") == name
        for quantity, nets in DEPTHS.items():
            assert f"he {quantity} is {nets[name][0]:.3g} in layer 1 and {nets[name][-1]:.3g} in layer 4" in figure.says()  # fmt: skip
    upper, lower = figure.box("line"), figure.box("line1")
    assert upper["y"] + upper["height"] < lower["y"]
    figure.press("ArrowRight")
    assert menu.input_value() == "1" and figure.says().startswith("skip")
    assert figure.root.get_by_role("button").count() == 0


def test_paths_by_keyboard_and_the_gain_by_slider(page):
    """Path by path: the product of 1 or the gain in each block; the slider stays on the same path."""
    figure = Figure(page, "paths")
    slider = figure.control("gain of a branch")
    assert figure.count() == (8, 8)  # it opens at the last path
    figure.press("Home")
    lengths = []
    for step in range(1, 9):
        assert figure.count() == (step, 8)
        lengths.append(int(re.search(r"length (\d)", figure.says())[1]))
        route, taken = (
            figure.box("route"),
            figure.root.locator("[data-name=taken]").get_attribute("d"),
        )
        assert taken.count("M") == lengths[-1]
        assert route["width"] > 8 * route["height"]  # from x to y
        figure.press("ArrowRight")
    assert lengths == sorted(sum(path) for path in product((0, 1), repeat=3))
    figure.press("Home")
    figure.press("ArrowRight")
    for i, gain in enumerate(GAINS):
        if i:
            slider.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") == f"{gain:g}"
        assert figure.count() == (2, 8)
        carried = [sum(gain ** sum(path) for path in product((0, 1), repeat=3) if sum(path) == k) for k in range(4)]  # fmt: skip
        for k, part in enumerate(carried):
            found = float(figure.text(f"t{k}").removesuffix(" %"))
            assert found == pytest.approx(100 * part / sum(carried), abs=0.5)


def test_lesions_by_clicks_show_the_shortcut_of_the_block_and_its_bar(page):
    figure = Figure(page, "lesions")
    assert figure.says().startswith("The whole net classifies 932 of 1,017 images")
    for k, value in enumerate(LEFT):
        figure.click("Next")
        assert f"Without the branch of block {BLOCKS[k + 1]}, the net classifies {value} of" in figure.says()  # fmt: skip
        shortcut, block, bar = (figure.box(name) for name in ("bypass", f"box{k}", f"bar{k}"))
        for inner in (block, bar):  # above each other
            assert shortcut["x"] <= inner["x"]
            assert inner["x"] + inner["width"] <= shortcut["x"] + shortcut["width"] + 1
        assert block["y"] + block["height"] < shortcut["y"] < bar["y"]
        hidden = [figure.root.locator(f"[data-name=bar{i}]").is_hidden() for i in range(4)]
        assert hidden == [i > k for i in range(4)]
    figure.click("Next")
    assert figure.says().startswith("Without one branch, from 10.0 %")
    assert figure.root.locator("[data-name=bypass]").is_hidden()


def test_receptive_field_by_keyboard_grows_under_its_element(page):
    figure = Figure(page, "receptive_field")
    rows = depends(LAYERS, 60)
    assert figure.count() == (1, len(rows))
    one = figure.box("span")["width"]  # with the thickness of its line
    cell = figure.box("twin")["x"] - figure.box("span")["x"]
    for depth, row in enumerate(rows):
        size, moved = max(row[0]) - min(row[0]) + 1, min(row[1]) - min(row[0])
        span, twin, element, neighbour = map(figure.box, ("span", "twin", "now", "neighbour"))
        assert (span["width"] - one) / cell == pytest.approx(size - 1, abs=0.1)
        assert twin["width"] == pytest.approx(span["width"], abs=1)
        assert (twin["x"] - span["x"]) / cell == pytest.approx(moved, abs=0.15)
        for above, below in (
            (element, span),
            (neighbour, twin),
        ):  # each above the middle of its pixels
            assert above["x"] + above["width"] / 2 == pytest.approx(below["x"] + below["width"] / 2, abs=1.5)  # fmt: skip
        shown = [figure.text(f"wide{i}") != "" for i in range(len(rows))]
        assert shown == [i <= depth for i in range(len(rows))]
        figure.press("ArrowRight")
