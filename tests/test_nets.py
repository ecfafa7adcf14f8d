"""The networks of the course: their size, their card, and that the committed weights still classify as many shapes."""

import re
from pathlib import Path

import numpy
import pytest

from minires import Tensor, course, data, no_grad
from minires.course import nets

NAME = "shapes-resnet20"
FOLDER = Path(nets.__file__).parent
CORRECT = 904  # of 1,000 test images


@pytest.fixture(scope="module")
def correct():
    model = course.net(NAME)
    right = 0
    with no_grad():
        for x, labels in data.batches(data.shapes(1000, seed=1), 250):
            right += int((model(Tensor(x)).data.argmax(axis=1) == labels).sum())
    return right


def test_it_classifies_as_many_test_images_as_when_it_was_committed(correct):
    assert abs(correct - CORRECT) <= 2


def test_its_card_says_so():
    card = (FOLDER / NAME / "card.md").read_text(encoding="utf-8")
    assert (
        f"| accuracy on test, read once, at the end | {CORRECT / 10:.2f} % ({CORRECT} of 1,000) |"
        in card
    )
    assert "| recipe | shapes |" in card and "| seed | 0 |" in card
    assert "/tmp" not in card


def test_it_is_a_resnet_20_with_option_a_in_evaluation_mode():
    model = course.net(NAME)
    assert type(model).__name__ == "ResNet" and not model.training
    assert [len(getattr(model, f"layer{i}")) for i in (1, 2, 3)] == [3, 3, 3]
    assert sum(parameter.size for parameter in model.parameters()) == 269_722
    assert {parameter.data.dtype for parameter in model.parameters()} == {numpy.dtype("float32")}
    assert (FOLDER / NAME / "weights.safetensors").stat().st_size < 1_200_000


def test_two_calls_share_nothing():
    one, two = course.net(NAME), course.net(NAME)
    one.fc.weight.data[:] = 0
    assert two.fc.weight.data.any()


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(
        ValueError, match=re.escape("'shapes-resnet2'") + f".*did you mean '{NAME}'"
    ):
        course.net("shapes-resnet2")
