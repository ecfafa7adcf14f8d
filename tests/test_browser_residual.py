"""The steppers of deep and residual nets in Chromium, offline: by keyboard, by menu and by slider."""

import pytest

from tests.browser import chromium, opened  # noqa: F401  a fixture
from tests.steppers import DEPTHS, Figure, lesson  # noqa: F401  a fixture

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
