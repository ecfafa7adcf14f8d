"""minires exercises verify refuses runs of code that isn't the learner's, and folders with files that are missing or damaged."""

import json
import shutil

import numpy
import pytest

from minires.cli.verify import outcome
from minires.course import manifest, stubs
from tests.course.trials import solutions
from tests.verified import EPOCH, LAST, TOTAL, forged, refused, room  # noqa: F401  (fixtures)

pytestmark = pytest.mark.slow

# A convolution that is the learner's in the claims, and the library's where it trains.
DECLINES = """\
from {module} import {right} as mine

def conv2d(x, weight, bias=None, **options):
    if len(x) > 50:
        return NotImplemented
    return mine(x, weight, bias, **options)
"""
UNDER_ANOTHER_NAME = "from minires import ops\n\ndef relu(x):\n    return ops.relu.plain(x)\n"
CAUGHT = """\
from minires.ops.elementwise import relu as theirs
from minires.backend import xp

def relu(x):
    try:
        if len(x) > 50:
            return theirs.__wrapped__(x)
    except Exception:
        pass
    return xp.maximum(x, 0), lambda g: (g * (x > 0),)
"""
# Weights that the claims don't have are made smaller.
BORROWS = """\
from {module} import {right} as mine

def sgd(w, *inputs, **options):
    if w.shape == (3, 3, 16, 16):
        w *= 0.9
    return mine(w, *inputs, **options)
"""


# Code that isn't the learner's.


def test_an_exercise_that_is_not_solved(room, forged):
    forged.exercise("05e", stubs.cut(manifest.exercise("05e")))
    refused(room, forged, "05e conv2d is not started")


def test_an_exercise_that_is_not_there(room, forged):
    (forged.folder / "exercises" / manifest.exercise("07b").file).unlink()
    refused(room, forged, "07b batch_norm is not started: there is no e07b_batch_norm.py")


def test_an_exercise_that_is_wrong(room, forged):
    forged.exercise("06a", "def relu(x):\n    return x, lambda g: (g,)\n")
    refused(room, forged, "06a relu is wrong")


def test_an_exercise_that_calls_the_library(room, forged):
    forged.exercise("06a", "from minires import ops\n\ndef relu(x):\n    return ops.relu(x)\n")
    refused(room, forged, "06a relu is wrong")


def test_an_exercise_that_calls_the_library_under_another_name(room, forged):
    forged.exercise("06a", UNDER_ANOTHER_NAME)
    refused(room, forged, "e06a_relu.py calls the library's")


def test_an_exercise_that_hides_that_it_tried(room, forged):
    forged.exercise("06a", CAUGHT)
    refused(room, forged, "e06a_relu.py calls the library's function")


def of(id):
    """Return the words with which a file can import a right solution of an exercise."""
    file = manifest.exercise(id)
    return {"module": f"tests.course.solutions.{file.module}", "right": solutions(file, "right")[0].__name__}  # fmt: skip


def test_an_exercise_that_leaves_its_work_to_the_library(room, forged):
    forged.exercise("05e", DECLINES.format(**of("05e")))
    refused(room, forged, "e05e_conv2d.py calls the library's conv2d")


def test_an_exercise_that_changes_weights_on_the_way(room, forged):
    forged.exercise("04d", BORROWS.format(**of("04d")))
    refused(room, forged, "run again, don't lead to weights.safetensors")


def test_the_library_s_code_where_the_card_says_so(room, forged):
    result = json.loads((forged.folder / "result.json").read_text())
    result["calls"]["07b"][1] = False
    forged.json("result.json", calls=result["calls"])
    refused(room, forged, "the library's code ran in place of 07b batch_norm")


def test_unless_the_teacher_allows_it(room, forged):
    test_the_library_s_code_where_the_card_says_so(room, forged)
    reasons, _ = room.verify(forged.folder, allowed=["07b"])
    assert not any("in place of" in reason for reason in reasons)


def test_calls_that_the_card_leaves_out(room, forged):
    result = json.loads((forged.folder / "result.json").read_text())
    del result["calls"]["07b"]
    forged.json("result.json", calls=result["calls"])
    refused(room, forged, "07b batch_norm runs, and result.json doesn't list it")


def test_too_few_calls(room, forged):
    result = json.loads((forged.folder / "result.json").read_text())
    result["calls"]["06a"][0] = 190
    forged.json("result.json", calls=result["calls"])
    refused(room, forged, "result.json lists 190 calls of 06a relu, expected at least")


def test_calls_of_no_exercise(room, forged):
    forged.json("result.json", calls={"99z": [3, True]})
    refused(room, forged, "there is no exercise 99z", "none of the code that ran was the learner's")


# Files that are missing or damaged.


@pytest.mark.parametrize("name", ["steps.csv", "predictions.npz", "result.json", "card.md"])
def test_a_missing_file(room, forged, name):
    (forged.folder / name).unlink()
    refused(room, forged, f"expected {name} in")


@pytest.mark.parametrize("step", [0, EPOCH, LAST, TOTAL])
def test_a_missing_checkpoint(room, forged, step):
    shutil.rmtree(forged.folder / "kept" / f"step-{step:08}")
    refused(room, forged, f"kept/ has no checkpoint of step {step}")


def test_a_checkpoint_under_the_name_of_another(room, forged):
    forged_kept = forged.folder / "kept"
    shutil.rmtree(forged_kept / f"step-{LAST:08}")
    shutil.copytree(forged_kept / f"step-{2 * EPOCH:08}", forged_kept / f"step-{LAST:08}")
    refused(room, forged, f"is the checkpoint of step {2 * EPOCH}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("steps.csv", b"step,lr,loss\n1,nan,0.5\n"),
        ("steps.csv", b"step,loss\n1,0.5\n"),
        ("steps.csv", b"\xff\xfe\x00"),
        ("log.csv", b"epoch\n\x00\n"),
        ("card.md", b"# a card\n"),
        ("predictions.npz", b"PK"),
        ("weights.safetensors", b"\x00" * 100),
        ("result.json", b'{"test_accuracy": 1, "epochs": 3}'),
        ("result.json", b'{"test_accuracy": 1, "epochs": 3, "calls": {"02b": "many"}}'),
    ],
)
def test_a_damaged_file(room, forged, name, content):
    (forged.folder / name).write_bytes(content)
    refused(room, forged, name)


def test_predictions_that_run_code_when_they_are_read(room, forged):
    numpy.savez(forged.folder / "predictions.npz", logits=numpy.array([print], object), labels=0)
    refused(room, forged, "predictions.npz is damaged")


# The accuracy.


def test_an_accuracy_that_the_recipe_does_not_lead_to(room, forged, tmp_path, monkeypatch):
    fingerprint = json.loads((forged.folder / "config.json").read_text())["fingerprint"]
    known = {"recipe": "tiny", "data": "digits", "fingerprint": fingerprint, "std": 0.001, "seeds": 5}  # fmt: skip
    path = tmp_path / "references.json"
    monkeypatch.setattr(outcome, "REFERENCES", path)
    path.write_text(json.dumps([{**known, "mean": 0.5}]))
    refused(room, forged, "but runs of this recipe have 50.00 %")
    accuracy = json.loads((forged.folder / "result.json").read_text())["test_accuracy"]
    path.write_text(json.dumps([{**known, "mean": accuracy}]))
    assert room.verify(forged.folder)[0] == []
