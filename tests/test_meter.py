"""The Meter of the command line: what it adds up, when it reads, and where it stops."""

import json

import numpy
import pytest

from minires import Tensor, nn, optim
from minires.backend import to_device
from minires.cli.meter import BarMeter
from minires.train import Score, train_epoch

pytestmark = pytest.mark.usefixtures("each_backend")


def counted(meter, loss, right=1, count=2):
    """A step of `count` images with this loss, of which some are classified correctly."""
    logits = numpy.zeros((count, 2), "f4")
    logits[:right, 1] = 1
    labels = to_device(numpy.ones(count, int))
    meter.update(Tensor(to_device(numpy.float32(loss))), Tensor(to_device(logits)), labels)


def test_a_score_weighs_images_and_not_batches():
    meter = BarMeter()
    counted(meter, 1.0, right=1, count=2)
    counted(meter, 4.0, right=1, count=1)
    assert meter.score() == Score(6.0, 2, 3) and meter.steps == 2


def test_the_next_epoch_starts_at_zero_and_the_steps_go_on():
    meter = BarMeter()
    counted(meter, 1.0)
    meter.score()
    meter.start_epoch()
    counted(meter, 3.0)
    assert meter.score().loss == 3.0 and meter.steps == 2
    with pytest.raises(ValueError, match="expected at least one batch, got none"):
        BarMeter().score()


@pytest.mark.parametrize("cut", range(6))
def test_a_meter_goes_on_where_another_was(cut):
    losses = [0.1, 0.7, 1e-3, 5.0, 0.3]
    whole, first, second = BarMeter(every=2), BarMeter(every=2), BarMeter(every=2)
    for loss in losses:
        counted(whole, loss)
    for loss in losses[:cut]:
        counted(first, loss)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for loss in losses[cut:]:
        counted(second, loss)
    assert second.score() == whole.score() and second.state_dict() == whole.state_dict()


class Shown:
    """A Progress that notes what it is given, in order."""

    def __init__(self, due=False):
        self.seen, self.is_due = [], due

    def count(self, images):
        self.seen.append(images)

    def show(self, loss):
        self.seen.append(f"{loss:.1f}")

    def due(self):
        return self.is_due


def test_losses_are_read_every_so_many_steps_and_images_are_counted_in_each():
    shown = Shown()
    meter = BarMeter(every=2, progress=shown)
    for loss, count in ((1.0, 2), (3.0, 2), (2.0, 2), (2.0, 2), (7.0, 1)):
        counted(meter, loss, count=count)
    assert shown.seen == [2, 2, "2.0", 2, 2, "2.0", 1]
    meter.score()
    assert shown.seen[-1] == f"{(2 * 8 + 7) / 9:.1f}"


def test_losses_are_read_when_a_line_is_due():
    shown = Shown(due=True)
    counted(BarMeter(every=20, progress=shown), 1.5)
    assert shown.seen == [2, "1.5"]


@pytest.mark.parametrize("cut", range(8))
def test_each_loss_is_reported_once_wherever_a_run_is_stopped(cut):
    reported = []
    first, second = (BarMeter(every=3, report=lambda *each: reported.append(each)) for _ in "ab")
    for step in range(8):
        if step == cut:
            second.load_state_dict(first.state_dict())
        counted(first if step < cut else second, step + 0.5)
    second.score()  # reads the last ones
    assert reported == [(step + 1, step + 0.5) for step in range(8)]


@pytest.mark.parametrize("bad", [numpy.nan, numpy.inf])
def test_a_loss_that_is_not_finite_is_named_with_its_step_and_the_last_finite_one(bad):
    meter = BarMeter(every=3)
    meter.load_state_dict({**meter.state_dict(), "steps": 100})
    counted(meter, 0.7)
    counted(meter, bad)
    expected = r"the loss is (nan|inf) at step 101; the last finite one was 0.7. A smaller"
    with pytest.raises(FloatingPointError, match=expected):
        counted(meter, 1.0)
    first = BarMeter(every=1)
    with pytest.raises(FloatingPointError, match="at step 0; there was none before it"):
        counted(first, bad)


def test_the_last_finite_loss_is_known_from_the_run_before():
    meter = BarMeter()
    counted(meter, 0.7)
    again = BarMeter()
    again.load_state_dict(meter.state_dict())
    again.start_epoch()
    counted(again, numpy.nan)
    with pytest.raises(FloatingPointError, match="at step 1; the last finite one was 0.7"):
        again.score()


def test_train_epoch_gives_it_each_step():
    model, meter = nn.Linear(2, 2), BarMeter()
    batch = to_device(numpy.ones((3, 2), "f4")), to_device(numpy.array([0, 1, 1]))
    score = train_epoch(model, [batch] * 4, optim.SGD(model.parameters(), lr=1e-9), meter=meter)
    assert score == meter.score() and (meter.steps, score.count) == (4, 12)
