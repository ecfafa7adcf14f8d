"""python -m benchmarks.ablation: whose images it uses, that it goes on where it was, and its table, by hand."""

import json
import os
import signal
from dataclasses import replace

import numpy
import pytest

from benchmarks import ablation
from minires import data
from minires.cli import recipes, settings

WRITTEN = settings.merged({}, recipes.read("cpu-30min")[0])


def images(count, seed=0):
    """Two classes, told apart by their brightness, and each image by its pixels."""
    labels = numpy.arange(count) % 2
    pixels = (
        numpy.random.default_rng(seed).integers(0, 128, (count, 16, 16, 3))
        + 127 * labels[:, None, None, None]
    )
    return data.Dataset(pixels.astype(numpy.uint8), labels, ["dark", "bright"], name="test data")


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Few images and figures in a folder of their own; the real sizes otherwise."""
    monkeypatch.setattr(
        settings, "datasets", lambda config: (images(100), None, images(100, seed=1))
    )
    for name, value in {
        "IMAGES": 64,
        "HELD": 30,
        "EPOCHS": 1,
        "RESULTS": tmp_path / "ablation.json",
    }.items():
        monkeypatch.setattr(ablation, name, value)
    return tmp_path / "ablation.json"


def test_both_parts_are_of_the_training_images_and_share_none(small):
    train, held = ablation.parts(WRITTEN)
    rows = [{image.tobytes() for image in part.images} for part in (train, held)]
    assert [len(found) for found in rows] == [64, 30] and not rows[0] & rows[1]
    assert rows[0] | rows[1] <= {image.tobytes() for image in images(100).images}


def test_each_row_changes_a_setting_of_the_recipe():
    for name, changes in ablation.ROWS.items():
        assert all(getattr(WRITTEN, setting) != value for setting, value in changes.items()), name
        assert bool(changes) == (name != "the recipe")
    tricks = {"whiten", "dirac", "bias_lr", "freeze_scales", "label_smoothing", "augment"}
    assert set(ablation.ROWS["without all of these"]) == tricks <= set(WRITTEN.to_config())


def test_a_training_gives_both_accuracies_and_the_same_again(small):
    config = replace(WRITTEN, epochs=6, batch_size=8, lr=0.1)
    parts = ablation.parts(config)
    found = ablation.trained(config, *parts)
    assert all(accuracy > 0.8 and round(30 * accuracy) / 30 == accuracy for accuracy in found)
    assert ablation.trained(config, *parts) == found


def test_a_training_that_was_stopped_is_no_figure(small, monkeypatch):
    config = replace(WRITTEN, batch_size=8)
    go = ablation.Loop.go

    def interrupted(loop, run, stop, **options):
        os.kill(os.getpid(), signal.SIGTERM)
        go(loop, run, stop, **options)

    monkeypatch.setattr(ablation.Loop, "go", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ablation.trained(config, *ablation.parts(config))


def test_it_goes_on_where_it_was(small, monkeypatch, capsys):
    asked = []

    def trained(config, train, held):
        asked.append(config.seed)
        if len(asked) == 12:
            raise KeyboardInterrupt
        return [config.seed / 10, 0.5]

    monkeypatch.setattr(ablation, "trained", trained)
    with pytest.raises(KeyboardInterrupt):
        ablation.main([])
    assert [
        len(found) for found in json.loads(small.read_text(encoding="utf-8"))["rows"].values()
    ] == [2, 2] + [1] * 7
    ablation.main(["--resume"])
    assert asked == [0] * 9 + [1] * 3 + [1] * 7 + [2] * 9
    figures = json.loads(small.read_text(encoding="utf-8"))
    assert list(figures["rows"].values()) == [[[0.0, 0.5], [0.1, 0.5], [0.2, 0.5]]] * 9
    assert (figures["images"], figures["held"], figures["data"]) == (
        64,
        30,
        "test data",
    ) and figures["machine"]["processor"]
    monkeypatch.setattr(ablation, "EPOCHS", 2)
    with pytest.raises(SystemExit, match="has different recipe: start again"):
        ablation.main(["--resume"])
    assert json.loads(small.read_text(encoding="utf-8")) == figures
    capsys.readouterr()
    ablation.main(["--table"])
    assert capsys.readouterr().out == "\n".join(ablation.markdown(figures)) + "\n"


def test_the_table_by_hand():
    rows = {"the recipe": [[0.5, 0.6], [0.7, 0.72]], "without whitening": [[0.4, 0.4], [0.68, 0.7]], "without faster shifts": [[0.4, 0.4]],
            "without label smoothing": []}  # fmt: skip
    assert ablation.markdown({"rows": rows})[2:] == [
        "| the recipe | 60.00 ± 14.14 % |  |",
        "| without whitening | 54.00 ± 19.80 % | -6.00 ± 5.66 |",
        "| without faster shifts | 40.00 % | -10.00 |",
        "| the recipe, each test image also mirrored | 66.00 ± 8.49 % | +6.00 ± 5.66 |",
    ]
