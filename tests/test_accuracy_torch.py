"""PyTorch trained with a recipe of minires sees what minires sees, and comes to the same."""

import csv
import json

import numpy
import pytest

pytest.importorskip("torch")

from benchmarks import accuracy_torch
from minires.cli import settings
from tests.test_ablation import images
from tests.test_cli import elsewhere, typed  # noqa: F401  (a fixture among them)

QUICK = ("--data", "digits", "--epochs", "1", "--batch-size", "256", "--seed", "4")


def both(folder, *words):
    """(logs, results): those of ours and of theirs."""
    assert typed("train", *words, "--name", "ours") == 0
    accuracy_torch.main([*words, "--folder", "runs/theirs", "--threads", "1"])
    logs = [
        list(
            csv.DictReader(
                (folder / "runs" / name / "log.csv").read_text(encoding="utf-8").splitlines()
            )
        )
        for name in ("ours", "theirs")
    ]
    assert [row["step"] for row in logs[0]] == [row["step"] for row in logs[1]]
    return logs, [
        json.loads((folder / "runs" / name / "result.json").read_text(encoding="utf-8"))
        for name in ("ours", "theirs")
    ]


def alike(logs, **tolerances):
    for column, tolerance in tolerances.items():
        ours, theirs = (numpy.array([float(row[column]) for row in log]) for log in logs)
        numpy.testing.assert_allclose(ours, theirs, atol=tolerance, err_msg=column)


@pytest.mark.parametrize("shortcut", ["A", "B", "none"])
def test_both_have_the_same_losses_and_accuracy_but_for_rounding(elsewhere, shortcut):
    logs, (ours, theirs) = both(
        elsewhere, "--recipe", "resnet20-paper", *QUICK, "--shortcut", shortcut
    )
    alike(logs, train_loss=0.005, train_accuracy=0.015, lr=1e-9)
    assert (
        ours["test_images"] == theirs["test_images"] == 355
        and theirs["test_accuracy"] == theirs["test_hits"] / 355
    )
    assert "mirrored_hits" not in theirs


def test_so_do_both_with_all_that_the_recipe_for_short_trainings_is_made_of(elsewhere, monkeypatch):
    parts = images(128), None, images(90, seed=1)
    monkeypatch.setattr(settings, "datasets", lambda config: parts)
    logs, (ours, theirs) = both(
        elsewhere, "--recipe", "cpu-30min", "--epochs", "3", "--batch-size", "32", "--seed", "2"
    )
    alike(logs, train_loss=0.002, train_accuracy=0.02, lr=1e-9)
    # Steps that matter.
    assert float(logs[1][-1]["train_loss"]) < 0.9 * float(logs[1][0]["train_loss"])
    for name in ("test_hits", "mirrored_hits"):
        assert abs(ours[name] - theirs[name]) <= 2 and theirs[name] > 60
    assert theirs["mirrored_accuracy"] == theirs["mirrored_hits"] / 90


def test_what_it_has_no_net_or_optimizer_for_is_a_sentence(elsewhere, capsys):
    for words, sentence in (
        (("--model", "resnet1202"), "model resnet1202: expected one of resnet18"),
        (("--recipe", "none"), "unknown recipe"),
    ):
        with pytest.raises(SystemExit) as stop:
            accuracy_torch.main([*QUICK, *words])
        assert stop.value.code == 2
        error = capsys.readouterr().err
        assert "accuracy_torch: " in error and sentence in error
