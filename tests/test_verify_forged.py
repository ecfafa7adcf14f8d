"""minires exercises verify refuses forged runs, each for its own reason: borrowed weights, edited logs, other runs, other settings."""

import json
import shutil

import pytest

from minires import checkpoint
from tests.verified import EPOCH, LAST, TOTAL, Forged, forged, refused, room  # noqa: F401  (fixtures)

pytestmark = pytest.mark.slow
FINAL = f"kept/step-{TOTAL:08}/weights.safetensors"


# Weights that come from elsewhere.


def test_borrowed_final_weights(room, forged):
    forged.take(room.other, "weights.safetensors")
    refused(room, forged, "is not the last checkpoint", "predictions.npz has logits of other")


def test_borrowed_final_weights_with_all_that_belongs_to_them(room, forged):
    forged.take(room.other, "weights.safetensors", "predictions.npz", FINAL)
    result = json.loads((room.other / "result.json").read_text())
    old = json.loads((room.honest / "result.json").read_text())
    changes = {name: result[name] for name in ("test_accuracy", "test_hits", "test_loss")}
    forged.json("result.json", **changes)
    written = [f"{100 * one['test_accuracy']:.2f} % ({one['test_hits']} of 355)" for one in (old, result)]  # fmt: skip
    forged.replace("card.md", *written)
    refused(room, forged, "run again, don't lead to weights.safetensors")


def test_borrowed_weights_in_the_last_checkpoints_with_losses_to_match(room, forged):
    """The last ten steps are honest steps of the learner's code, from a checkpoint of another run."""
    forged.take_checkpoint(room.other, LAST)
    forged.take_checkpoint(room.other, TOTAL)
    forged.take(room.other, "weights.safetensors", "predictions.npz")
    refused(room, forged, f"the weights of step {LAST} don't come from those of step {2 * EPOCH}")


def test_borrowed_weights_at_the_start(room, forged):
    forged.take_checkpoint(room.other, 0)
    refused(room, forged, "is not what the seed 0 gives", "the learner's code has loss")


def test_trained_weights_at_the_start(room, forged):
    folder = forged.folder / "kept"
    state, facts = checkpoint.load_weights(folder / f"step-{TOTAL:08}" / "weights.safetensors")
    packed = checkpoint.packed_weights(state, **{**facts, "step": 0, "epoch": 0})
    (folder / "step-00000000" / "weights.safetensors").write_bytes(packed)
    refused(room, forged, "is not what the seed 0 gives", "is not distributed like")


def test_an_optimizer_in_motion_at_the_start(room, forged):
    folder = forged.folder / "kept" / "step-00000000"
    arrays, facts = checkpoint.load(folder / "loop.safetensors")
    other, _ = checkpoint.load(forged.folder / "kept" / f"step-{EPOCH:08}" / "loop.safetensors")
    (folder / "loop.safetensors").write_bytes(checkpoint.packed({**arrays, **other}, facts))
    refused(room, forged, "the optimizer has already made steps")


def test_weights_to_start_from(room, forged):
    forged.json("config.json", weights="resnet20.pth")
    refused(room, forged, "the run began with weights", "card.md and config.json differ in weights")


# Files that were edited.


def test_an_edited_log(room, forged):
    forged.replace("log.csv", "\n1,13,", "\n1,12,")
    refused(room, forged, "expected epoch 1 to end at step 13, got 12")


def test_a_training_loss_that_the_steps_do_not_have(room, forged):
    rows = (forged.folder / "log.csv").read_text().splitlines()
    loss = rows[3].split(",")[3]
    forged.replace("log.csv", loss, "0.01")
    refused(room, forged, "log.csv: the training loss of epoch 3 is 0.01")


def test_edited_losses(room, forged):
    """In the log and the checkpoints too, so that all agree."""
    losses = [float(row[2]) for row in forged.steps()]
    forged.write_steps([loss * (0.999 if i == LAST + 3 else 1) for i, loss in enumerate(losses)])
    refused(room, forged, f"the learner's code has loss {losses[LAST + 3]:.6g} at step {LAST + 4}")


def test_edited_losses_alone(room, forged):
    row = forged.steps()[15]
    forged.replace("steps.csv", row[2], "0.5")
    refused(room, forged, "log.csv: the training loss of epoch 2")


def test_an_edited_learning_rate(room, forged):
    row = forged.steps()[20]
    forged.replace("steps.csv", f"\n{','.join(row[:2])},", f"\n{row[0]},0.2,")
    refused(room, forged, "steps.csv: the learning rate of step 21 is 0.2")


def test_a_step_that_is_missing(room, forged):
    row = forged.steps()[20]
    forged.replace("steps.csv", ",".join(row) + "\n", "")
    refused(room, forged, "expected the steps 1 to 38, in order")


def test_a_better_accuracy_on_the_card(room, forged):
    hits = json.loads((room.honest / "result.json").read_text())["test_hits"]
    forged.replace("card.md", f"({hits} of 355)", "(354 of 355)")
    refused(room, forged, "card.md: expected the accuracy")


def test_a_better_accuracy_everywhere(room, forged):
    hits = json.loads((room.honest / "result.json").read_text())["test_hits"]
    better = min(hits + 9, 355)
    old, new = (f"{100 * each / 355:.2f} % ({each} of 355)" for each in (hits, better))
    forged.replace("card.md", old, new)
    forged.json("result.json", test_hits=better, test_accuracy=better / 355)
    refused(room, forged, f"result.json says {better} of 355")


# Files of another run.


def test_the_card_of_another_run(room, forged):
    forged.take(room.other, "card.md")
    refused(room, forged, "card.md and config.json differ in mine, seed")


def test_the_predictions_of_another_run(room, forged):
    forged.take(room.other, "predictions.npz")
    refused(room, forged, "predictions.npz has logits of other weights on")


def test_a_checkpoint_of_another_seed_in_the_middle(room, forged):
    forged.take_checkpoint(room.other, EPOCH)
    refused(
        room,
        forged,
        f"the weights of step {EPOCH} don't come from those of step 0",
        "its log is not the beginning of log.csv",
    )


def test_the_seed_of_another_run(room, forged):
    forged.setting('"seed": 0', '"seed": 5')
    refused(room, forged, "is not what the seed 5 gives")


def test_the_library_s_run_passed_off_as_one_s_own(room, tmp_path):
    """Of another learner, or trained without --mine; the files of exercises and the calls were added."""
    forged = Forged(room.other, tmp_path / "other")
    shutil.copytree(room.honest / "exercises", forged.folder / "exercises")
    calls = json.loads((room.honest / "result.json").read_text())["calls"]
    forged.json("result.json", calls=calls)
    refused(room, forged, "the run was not started with --mine")


# Settings.


@pytest.mark.parametrize(
    ("old", "new", "flag"),
    [
        ('"lr": 0.05', '"lr": 0.06', "--lr is 0.06, expected 0.05"),
        ('"batch_size": 96', '"batch_size": 64', "--batch-size is 64"),
        ('"augment": "crop=1"', '"augment": "none"', "--augment is none"),
        ('"model": "resnet20"', '"model": "resnet32"', "--model is resnet32"),
        ('"data": "digits"', '"data": "folder:x"', "--data is folder:x, expected digits"),
    ],
)
def test_a_setting_that_is_not_the_recipe_s(room, forged, old, new, flag):
    forged.setting(old, new)
    refused(room, forged, flag)


def test_more_epochs_than_the_recipe_s(room, forged):
    made = {"epoch": 2, "step": 26, "from": 2, "to": 3, "schedule": "stretched"}
    forged.json("config.json", extensions=[made])
    refused(room, forged, "the run was extended")


def test_another_recipe(room, forged):
    forged.setting("tiny.toml", "easy.toml")
    refused(room, forged, "expected the recipe tiny")


def test_different_images(room, forged):
    """Of which some may be test images."""
    config = json.loads((forged.folder / "config.json").read_text())
    forged.setting(config["fingerprint"], "0123456789abcdef " + config["fingerprint"][17:])
    refused(room, forged, "the run was trained on different images")


def test_two_looks_at_the_test_set(room, forged):
    forged.json("result.json", test_reads=2)
    refused(room, forged, "the test set was read 2 times")
