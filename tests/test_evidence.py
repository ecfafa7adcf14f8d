"""What a run leaves besides weights and card: steps.csv, kept checkpoints, predictions.npz."""

import json
from pathlib import Path

import numpy
import pytest
from PIL import Image

from minires import Tensor, checkpoint, cli, data, models, nn, no_grad, optim, train
from minires.cli import settings
from minires.cli.options import Options
from minires.runs import steps

TRAIN = ("train", "--data", "digits", "--model", "tiny", "--batch-size", "60", "--lr", "0.1", "--schedule", "cosine",
         "--warmup", "0", "--augment", "none", "--epochs", "2", "--seed", "4")  # fmt: skip


def typed(*words):
    with pytest.raises(SystemExit) as stop:
        cli.main([*words])
    assert stop.value.code == 0


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(
        models.MODELS,
        "tiny",
        lambda **options: models.ResNet(models.BasicBlock, (1,), (4,), **options),
    )


def test_each_loss_is_that_of_a_loop_written_by_hand():
    typed(*TRAIN, "--name", "a")
    rows = steps.read(Path("runs/a/steps.csv"))
    training = data.digits()[0]
    nn.manual_seed(4)
    model = models.build("tiny", num_classes=10, in_channels=1)
    rate = optim.cosine(0.1, steps=len(rows))
    optimizer = optim.SGD(
        model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=1e-3
    )
    losses = []
    for epoch in range(2):
        for batch in data.batches(training, 60, seed=4, epoch=epoch):
            losses.append(train.train_epoch(model, [batch], optimizer).loss)
    assert [row["loss"] for row in rows] == pytest.approx(losses, rel=1e-6)
    assert [row["lr"] for row in rows] == [rate(step) for step in range(len(rows))]


def test_the_checkpoints_of_the_start_each_epoch_and_ten_steps_before_the_end_are_kept():
    typed(*TRAIN, "--name", "a", "--keep-epochs")
    (each,) = {row["step"] for row in steps.read(Path("runs/a/steps.csv"))[-1:]}
    found = sorted(path.name for path in Path("runs/a/kept").iterdir())
    assert found == [f"step-{step:08}" for step in (0, each // 2, each - 10, each)]
    last = checkpoint.load_weights(f"runs/a/kept/{found[-1]}/weights.safetensors")[0]
    final = checkpoint.load_weights("runs/a/weights.safetensors")[0]
    assert all(numpy.array_equal(last[name], final[name]) for name in final)


def test_predictions_are_the_logits_on_the_test_images_in_their_order():
    typed(*TRAIN, "--name", "a")
    model = models.build("tiny", num_classes=10, in_channels=1)
    model.load_state_dict(checkpoint.load_weights("runs/a/weights.safetensors")[0])
    test = data.digits()[2]
    with no_grad(), numpy.load("runs/a/predictions.npz") as found:
        ((x, labels),) = data.batches(test, len(test))
        assert numpy.allclose(found["logits"], model.eval()(Tensor(x)).data, rtol=2e-3, atol=1e-3)
        assert found["labels"].tolist() == labels.tolist()
        hits = int((found["logits"].argmax(axis=1) == labels).sum())
    result = json.loads(Path("runs/a/result.json").read_text())
    assert (result["test_hits"], result["test_reads"]) == (hits, 1)


def test_a_run_that_is_extended_has_read_the_test_images_twice():
    typed(*TRAIN, "--name", "a")
    typed("train", "--resume", "a", "--epochs", "3")
    assert json.loads(Path("runs/a/result.json").read_text())["test_reads"] == 2


def test_rows_of_later_steps_and_a_line_that_was_cut_off_are_removed(tmp_path):
    path = tmp_path / "steps.csv"
    path.write_text("step,lr,loss\n1,0.1,2.5\n2,0.1,2.25\n3,0.1,2.125\n4,0.1,2.", encoding="utf-8")
    written = steps.Steps(path, before=2)
    written.add({"step": 3, "lr": 0.05, "loss": 1 / 3})
    written.flush()
    assert steps.read(path)[1:] == [
        {"step": 2, "lr": 0.1, "loss": 2.25}, {"step": 3, "lr": 0.05, "loss": 1 / 3}]  # fmt: skip
    path.write_text("step,lr,loss\n1,0.1,two\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"steps\.csv is damaged in line 2: .*'two'"):
        steps.read(path)
    path.write_text("step,lr,loss\n2,0.1,2.0\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected the steps 1 to 1, in order"):
        steps.read(path)


def test_some_of_the_training_images_are_the_same_for_each_seed(tmp_path):
    for split in ("train", "test"):
        for k in range(20):
            (tmp_path / "p" / split / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
            picture = numpy.random.default_rng(k).integers(0, 255, (8, 8, 3), dtype="uint8")
            Image.fromarray(picture).save(tmp_path / "p" / split / "ab"[k % 2] / f"{k}.png")
    found = [
        settings.datasets(settings.merged({"data": f"folder:{tmp_path}/p", "size": 8, "train_images": 7, "seed": seed, "validation": 0.0}, {}))
        for seed in (0, 1)
    ]  # fmt: skip
    (first, _, test), (second, _, _) = found
    assert (len(first), len(test)) == (7, 20) and first.fingerprint() == second.fingerprint()
    with pytest.raises(
        ValueError, match="--train-images is 21, expected 1 to 20, the number of images of"
    ):
        settings.datasets(
            Options(data=f"folder:{tmp_path}/p", size=8, train_images=21, validation=0.0)
        )
