"""The steppers of deep and residual nets: what they show is computed here by other means, and bad input is refused."""

import math
import re

import pytest

from minires import show
from tests.steppers import DEPTHS, shown


def heights(state, name):
    """The heights of a line's points, as they are drawn: y points down."""
    return [float(point.split(",")[1]) for point in state[f"{name}.points"].split()]


def test_depth_has_a_line_in_each_panel_and_says_both():
    runs = shown(show.steps.depth(DEPTHS))
    assert [run[0][0] for run in runs] == [
        "plain: the gradient norm is 1 in layer 1 and 1e+03 in layer 4, 1e+03 times smaller in layer 1. "
        "The variance is 1 in layer 1 and 0 in layer 4.",
        "skip: the gradient norm is 2 in layer 1 and 2 in layer 4, nearly the same. "
        "The variance is 1 in layer 1 and nan in layer 4.",
    ]
    (_, plain), (_, skip) = (run[0] for run in runs)
    assert (plain["name.text"], skip["name.text"]) == ("plain", "skip")
    rising, falling = heights(plain, "line"), heights(plain, "line1")
    steps = [a - b for a, b in zip(rising, rising[1:])]  # noqa: RUF007
    assert steps == pytest.approx([150 / 3] * 3, abs=1.1)  # three powers of ten
    assert falling[0] < falling[1] < falling[2] == falling[3]  # 0 and the smallest, at the edge
    assert len(set(heights(skip, "line"))) == 1
    assert min(heights(skip, "line1")) == heights(skip, "line1")[3]  # NaN is at the upper edge
    assert max(rising) < min(falling)  # one panel above the other


def test_depth_draws_numbers_of_any_size():
    nets = {"a": [5e-324, 1.7e308], "b": [1.0, math.inf]}
    shown(show.steps.depth({"norm": nets, "variance": nets}, layers=["in", "out"]))


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: show.steps.depth({}), ValueError, "depth: expected 1 to 3 panels, got 0"),
    (lambda: show.steps.depth({"norm": {}}), ValueError, "depth: expected 1 to 12 choices, got 0"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}, "std": {"b": [1, 2]}}), ValueError,
     "depth: expected the same nets in each panel, got [['a'], ['b']]"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}, "std": {"a": [1, 2, 3]}}), ValueError,
     "depth: expected the same number of layers for each choice, 2 to 200, got [2, 3]"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}, "std": {"a": [1, -2]}}), ValueError,
     "depth: expected no negative numbers for 'a', got -2"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}, "std": {"a": [0, 0]}}), ValueError,
     "depth: expected at least one finite number above 0"),
    (lambda: show.steps.depth({"norm": {"a": [1, 2]}}, layers="abc"), ValueError, "depth: expected 2 names of layers, got 3"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()
