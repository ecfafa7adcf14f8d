"""PyTorch trained with a recipe of minires sees what minires sees, and comes to the same."""

import csv
import json

import numpy
import pytest

pytest.importorskip("torch")

from benchmarks import accuracy_torch  # noqa: E402
from tests.test_cli import elsewhere, typed  # noqa: E402, F401  (a fixture among them)

QUICK = ("--data", "digits", "--epochs", "1", "--batch-size", "256", "--seed", "4")


@pytest.mark.parametrize("shortcut", ["A", "B", "none"])
def test_both_have_the_same_losses_and_accuracy_but_for_rounding(elsewhere, shortcut):  # noqa: F811
    words = ("--recipe", "resnet20-paper", *QUICK, "--shortcut", shortcut)
    assert typed("train", *words, "--name", "ours") == 0
    accuracy_torch.main([*words, "--folder", "runs/theirs", "--threads", "1"])
    logs = [list(csv.DictReader((elsewhere / "runs" / name / "log.csv").read_text().splitlines())) for name in ("ours", "theirs")]
    for column, tolerance in (("train_loss", 0.005), ("train_accuracy", 0.015), ("lr", 1e-9)):
        ours, theirs = (numpy.array([float(row[column]) for row in log]) for log in logs)
        numpy.testing.assert_allclose(ours, theirs, atol=tolerance)
    ours, theirs = (json.loads((elsewhere / "runs" / name / "result.json").read_text()) for name in ("ours", "theirs"))
    assert ours["test_images"] == theirs["test_images"] == 355 and theirs["test_accuracy"] == theirs["test_hits"] / 355
    assert [row["step"] for row in logs[0]] == [row["step"] for row in logs[1]]


def test_what_it_has_no_net_or_optimizer_for_is_a_sentence(elsewhere, capsys):  # noqa: F811
    for words, sentence in ((("--model", "resnet1202"), "unknown model"), (("--recipe", "none"), "unknown recipe")):
        with pytest.raises(SystemExit) as stop:
            accuracy_torch.main([*QUICK, *words])
        assert stop.value.code == 2
    assert "accuracy_torch: " in capsys.readouterr().err
