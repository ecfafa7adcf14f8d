"""The forms that run in a training step: none of the slow plain ones, or under plain() none of the faster ones."""

import sys
from pathlib import Path

import numpy
import pytest

from minires import Tensor, backend, fast, functional, models, optim
from minires.backend import on_a_gpu, to_device
from minires.ops.forms import EVERY_OP, FUNCTIONS, plain

pytestmark = pytest.mark.usefixtures("each_backend")


def step():
    """A training step of ResNet-20 on two images."""
    model = models.resnet20()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images = to_device(numpy.random.default_rng(0).random((2, 32, 32, 3), dtype="f4"))
    loss = functional.cross_entropy(model(Tensor(images)), [3, 7])
    loss.backward()
    optimizer.step()


def codes_run(function):
    """Record the code of every Python function that runs in this thread."""
    seen = set()

    def note(frame, event, argument):
        if event == "call":
            seen.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        with backend.using_threads(1):
            function()
    finally:
        sys.setprofile(before)
    return seen


def test_a_step_of_resnet_20_runs_no_plain_convolution_or_batch_norm():
    """The plain forms that take nearly all of the time of a step."""
    slow = [
        "conv2d",
        "linear",
        "batch_norm",
        "channel_stats",
        "BasicBlock.forward",
        "ResNet.stem",
    ]
    if on_a_gpu():  # on a CPU, the plain update of a small parameter is the faster one
        slow.append("sgd")
    codes = {name: FUNCTIONS[name].plain.__code__ for name in slow}
    ran = codes_run(step)
    assert [name for name in slow if codes[name] in ran] == []
    with plain():
        ran = codes_run(step)
    assert [name for name in slow if codes[name] in ran] == slow


def test_under_plain_no_code_of_minires_fast_runs():
    """Except the rules that decide if a form runs."""
    folder = str(Path(fast.__file__).parent)
    every = [form for forms in [*FUNCTIONS.values(), EVERY_OP] for form in forms.faster]
    rules = {form.when.__code__ for form in every if form.when is not None}

    def files(codes):
        return {code.co_filename for code in codes - rules if code.co_filename.startswith(folder)}

    with plain():
        assert files(codes_run(step)) == set()
    assert {Path(file).stem for file in files(codes_run(step))} >= {"blocks", "conv", "onepass"}
