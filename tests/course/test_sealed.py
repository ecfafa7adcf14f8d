"""Sealing: the library's counterparts of the learner's functions are out of reach, by any name, and come back afterwards."""

import numpy
import pytest

from minires import ops
from minires.course import manifest, poison
from minires.course.sealed import sealed
from minires.models.resnet import BasicBlock
from minires.ops.forms import FUNCTIONS

X = numpy.ones((2, 5, 5, 3), "float32")
W = numpy.ones((3, 3, 3, 4), "float32")
EXERCISES = [manifest.exercise(id) for id in ("05e", "06a", "08a")]
# Ways to a function: from the public one.
WAYS = {
    "its name": lambda run: run,
    "plain": lambda run: run.plain,
    "default": lambda run: run.default,
    "wrapped": lambda run: run.__wrapped__,
    "without its stand-in": lambda run: lambda *inputs: run(*inputs, stand_in=False),
    "the table": lambda run: FUNCTIONS[run.forms.name].default,
    "the table's plain one": lambda run: FUNCTIONS[run.forms.name].plain,
    "a faster form": lambda run: FUNCTIONS[run.forms.name].faster[0].run,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("plain", [True, False])
def test_no_way_leads_to_a_sealed_function(way, plain):
    with sealed(EXERCISES) as tried:
        with ops.plain() if plain else ops.without():
            for run, inputs in ((ops.relu, (X,)), (ops.conv2d, (X, W))):
                with pytest.raises(poison.Cheating, match="which it should replace"):
                    way(run)(*inputs)
    assert tried == ["06a", "05e"]


def test_a_faster_form_cannot_be_imported():
    from minires.fast import conv

    names = [form.run.__name__ for form in FUNCTIONS["conv2d"].faster if form.run.__module__ == "minires.fast.conv"]  # fmt: skip
    assert names
    with sealed(EXERCISES):
        for name in names:
            with pytest.raises(poison.Cheating):
                getattr(conv, name)(X, W)


def test_the_methods_of_a_class_are_sealed():
    block = BasicBlock(3, 3)
    with sealed(EXERCISES), pytest.raises(poison.Cheating):
        block(ops)


def test_other_functions_run_and_everything_comes_back():
    before = {name: (one.plain, one.default, one.faster) for name, one in FUNCTIONS.items()}
    with sealed(EXERCISES):
        assert ops.add(X, X)[0].max() == 2
    assert {name: (one.plain, one.default, one.faster) for name, one in FUNCTIONS.items()} == before
    assert ops.relu.plain is ops.relu.__wrapped__ is FUNCTIONS["relu"].plain
    assert ops.relu(X)[0].max() == 1


def test_a_stand_in_runs_while_the_library_is_sealed():
    with sealed(EXERCISES) as tried, ops.standing_in(relu=lambda x: (x + 1, None)):
        assert ops.relu(X)[0].max() == 2
    assert tried == []
