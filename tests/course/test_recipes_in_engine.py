"""Exercises of chapter 14 in the engine: the smoothed cross entropy takes over from 04b, and the triangle drives the optimizer."""

import numpy
import pytest

from minires import Tensor, functional, optim
from minires.course import engine

LABELS = numpy.array([0, 2, 1])


def losses():
    """Return the losses with a hard target and with a smoothed one."""
    logits = Tensor(numpy.random.default_rng(0).standard_normal((3, 4)))
    return [
        float(functional.cross_entropy(logits, LABELS, label_smoothing=e).data) for e in (0.0, 0.2)
    ]


@pytest.mark.parametrize(
    ("solved", "calls"),
    [
        (("04b", "14c"), {"04b": 1, "14c": 1}),
        (("04b",), {"04b": 2}),
        (("14c",), {"04b": 1, "14c": 1}),
        ((), {"04b": 2}),
    ],
)
def test_a_smoothed_target_goes_to_14c_once_it_is_solved(classroom, solved, calls):
    expected = losses()
    for id in solved:
        classroom.answer(id)
    with engine.mine(classroom.home) as report:
        found = losses()
    assert found == pytest.approx(expected, rel=1e-12)
    assert {id: report.calls[id] for id in ("04b", "14c") if report.calls[id]} == calls


def test_a_triangle_runs_on_14b(classroom):
    rate = optim.triangle(0.5, steps=10, peak=0.25, start=0.05)
    expected = [rate(step) for step in range(12)]
    classroom.answer("14b")
    with engine.mine(classroom.home) as report:
        assert [rate(step) for step in range(12)] == pytest.approx(expected)
    assert report.rows() == [("triangle_rate", 12, True)]
