"""The README's figures are those of the logs that are committed beside it."""

import csv
import json
import statistics
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import ablation, accuracy, few_images, frozen, table
from minires import watch
from minires.cli import recipes

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOLDERS = sorted(path for path in (ROOT / "docs" / "results").iterdir() if path.is_dir())


def test_each_row_of_the_results_comes_from_the_logs_beside_it():
    lines = accuracy.lines(accuracy.committed())
    assert "\n".join(lines) + "\n\n" in README
    assert sum(line.count("/card.md)") for line in lines) == len(FOLDERS) >= 3  # each run stands in one row


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_committed_run_says_the_same_in_its_log_its_result_and_its_card(folder):
    run, card = accuracy.read(folder), (folder / "card.md").read_text(encoding="utf-8")
    hits, images = run.result["test_hits"], run.result["test_images"]
    assert run.result["test_accuracy"] == hits / images and f"{100 * hits / images:.2f} % ({hits:,} of {images:,})" in card
    if "mirrored_hits" in run.result:
        mirrored = run.result["mirrored_hits"]
        assert run.result["mirrored_accuracy"] == mirrored / images and f"{100 * mirrored / images:.2f} % ({mirrored:,} of" in card
    assert run.config.get("test_flips", False) == ("mirrored_hits" in run.result)
    assert [int(row["epoch"]) for row in run.log] == list(range(1, run.config["epochs"] + 1))
    assert 0 < run.result["seconds"] - float(run.log[-1]["seconds"]) < 0.1 * run.result["seconds"]
    assert f"| seed | {run.config['seed']} |" in card and (folder / "curves.png").is_file()
    assert ("data_label" in run.config) == ("unverified files" in card)  # images that are not the published ones are named


def shown(**changes):
    """A run as accuracy.read() gives it."""
    config = {"model": "resnet20", "seed": 0, "epochs": 10, "shortcut": "none", "data_label": "dots", **changes}
    result = {"test_accuracy": changes.pop("accuracy", 0.5), "seconds": 120.0}
    return accuracy.Shown(Path(f"run{config['seed']}"), config, [], result, {"processor": "Abacus, 7 cores for this process, 2 threads"})


def test_runs_that_differ_by_their_seed_make_a_row():
    runs = [shown(seed=0, accuracy=0.5), shown(seed=1, accuracy=0.6), shown(model="resnet56"), shown(lr=0.3)]
    for run in runs:
        run.config.pop("accuracy", None)
    groups = accuracy.grouped(runs)
    assert [[run.config["seed"] for run in group] for group in groups] == [[0, 1], [0], [0]]
    assert f"{statistics.stdev([50, 60]):.2f}" == "7.07"
    assert accuracy.row(groups[0]) == (
        "| resnet20, no shortcuts | none: as `train` does, 10 epochs | dots | 55.00 ± 7.07 % (seeds [0](docs/results/run0/card.md), "
        "[1](docs/results/run1/card.md)) | 2 min | Abacus, 7 cores, 2 of them at work |  |"
    )
    assert "91.25 %" in accuracy.row([shown(shortcut="A")]) and "dots" in accuracy.row([shown(shortcut="A")])
    runs[3].facts["processor"] = "Abacus, 7 cores for this process, 1 thread"
    assert "| Abacus, 7 cores, 1 of them at work |" in accuracy.row([runs[3]])
    for run, mirrored in zip(runs, (0.7, 0.9)):
        run.result["mirrored_accuracy"] = mirrored
    assert "run1/card.md)); each image also mirrored 80.00 ± 14.14 % |" in accuracy.row(groups[0])


def test_a_run_that_is_not_finished_is_not_taken_in(tmp_path):
    (tmp_path / "log.csv").touch()
    with pytest.raises(ValueError, match="has no result.json, card.md, curves.png: a run has them when it is finished"):
        accuracy.add(tmp_path)


def test_a_run_that_was_watched_keeps_its_first_and_its_last_step_and_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy, "FOLDER", tmp_path / "results")
    (folder := tmp_path / "run").mkdir()
    for name in accuracy.SHOWN:
        (folder / name).write_text(name)
    rows = [watch.Row(step, f"conv{i}", i, 0.0, 1.0, 0.0, 0.0, 0.1, 0.0) for step in (0, 50, 100) for i in (1, 2)]
    watch.write(folder / "layers.csv", rows)
    accuracy.add(folder)
    assert watch.read(tmp_path / "results" / "run" / "layers.csv") == rows[:2] + rows[4:]
    assert all((tmp_path / "results" / "run" / name).read_text() == name for name in accuracy.SHOWN)
    log = [{"epoch": "1", "train_loss": "2.0", "train_accuracy": "0.25"}]
    run = shown(recipe="plain-vs-residual")._replace(folder=folder, log=log)
    fast = shown(recipe="resnet18-fast")._replace(log=log)
    accuracy.pictures([run, shown(), fast], tmp_path)
    assert not (tmp_path / "resnet18.png").exists()  # one epoch makes no curve
    accuracy.pictures([fast._replace(log=log * 2)], tmp_path)
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("degradation.png", "depths.png", "resnet18.png"))


def test_without_shortcuts_the_deeper_net_ends_with_the_higher_training_loss_and_with_them_it_does_not():
    runs = accuracy.committed()
    assert "\n\n" + "\n".join(accuracy.losses(runs)) + "\n\n" in (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    last = {run.folder.name: float(run.log[-1]["train_loss"]) for run in runs}
    plain20, plain56, residual20, residual56 = (last[f"plain-vs-residual-{name}"] for name in "plain20 plain56 residual20 residual56".split())
    assert plain56 > plain20 > residual20 >= residual56


def figures_of(name, key):
    """The last row that a file in docs/results has of each `key`: the figures that are there."""
    with open(ROOT / "docs" / "results" / name, encoding="utf-8") as file:
        return {row.pop(key): {name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)}


def pytorchs_last():
    """What PyTorch's nets end with, by the name of the net."""
    return figures_of("pytorch.csv", "net")


def test_pytorchs_figures_are_those_of_its_log():
    last = pytorchs_last()
    resnet18, resnet20, resnet8 = (f"{100 * last[net]['test_accuracy']:.2f} %" for net in ("resnet18", "resnet20", "resnet8"))
    assert f"comes to {resnet18} (ResNet-18, 5 epochs), {resnet20} (ResNet-20, 10 epochs) and {resnet8} (cpu-30min,\nmirrored " in README
    assert f"mirrored {100 * last['resnet8']['mirrored_accuracy']:.2f} %; [its figures]" in README


def test_the_tables_of_fine_tuning_are_what_was_measured():
    text = (ROOT / "docs" / "weights.md").read_text(encoding="utf-8")
    figures = json.loads((ROOT / frozen.RESULTS).read_text())
    assert "\n".join(frozen.markdown(figures["net"], figures["batch"], figures["frozen"])) + "\n" in text
    few = json.loads((ROOT / "docs" / "results" / "few-images.json").read_text())
    assert all(f"| {name} | {few_images.told(found)} |\n" in text for name, found in few["rows"].items()) and f"{few['tests']:,} others" in text
    nothing, whole = (few_images.told(few["rows"][name]) for name in ("from nothing", "tuned, nothing frozen"))
    assert f"in {whole} of the tests, and one from nothing in {nothing};" in README
    assert f"a step of ResNet-18 takes {100 * figures['frozen']['until:layer4']['share']:.0f} % of its time" in README


def test_the_ablation_is_that_of_the_recipe_and_its_table_that_of_its_figures():
    figures = json.loads((ROOT / ablation.RESULTS).read_text())
    assert figures["recipe"] == {**recipes.read("cpu-30min")[0], "epochs": ablation.EPOCHS}
    assert list(figures["rows"]) == list(ablation.ROWS) and all(len(found) == len(ablation.SEEDS) for found in figures["rows"].values())
    assert (figures["images"], figures["held"]) == (ablation.IMAGES, ablation.HELD)
    assert "\n\n" + "\n".join(ablation.markdown(figures)) + "\n\n" in (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    whole, bare = (statistics.fmean(plain for plain, _ in figures["rows"][name]) for name in (ablation.WHOLE, "without all of these"))
    assert f"`cpu-30min` is made of gains {100 * (whole - bare):.1f} points in\nshort trainings" in README


def test_what_is_said_of_resnet18_is_in_its_logs():
    text, runs = (ROOT / "docs" / "results.md").read_text(encoding="utf-8"), {run.folder.name: run for run in accuracy.committed()}
    whole, one, *five = (runs[f"resnet18-{name}"] for name in ("fast-seed0", "1epoch-seed0", "5epochs-seed0", "5epochs-seed1"))
    assert f"({one.result['seconds'] / 60:.0f} minutes), and comes to {100 * one.result['test_accuracy']:.2f} %" in text
    assert one.result["seconds"] < 1800
    shorter = table.spread([run.result["test_accuracy"] for run in five])
    assert f"ends at {100 * whole.result['test_accuracy']:.2f} % on the test images after its {len(whole.log)} epochs" in text
    assert f"ends at\n{shorter} % (two seeds), and PyTorch with the same settings at {100 * pytorchs_last()['resnet18']['test_accuracy']:.2f} %" in text
    fifth = [f"{100 * float(run.log[4]['train_accuracy']):.2f}" for run in (whole, *five)]
    assert f"gets {fifth[0]} % of the training images right, the shorter ones {fifth[1]} and {fifth[2]} %" in text
    ends = [0.0, *(float(row["seconds"]) / 60 for row in whole.log)]
    times = [after - before for before, after in pairwise(ends)]
    assert f"took {whole.result['seconds'] / 60:.0f} minutes on two cores" in text and f", {min(times):.0f} to {max(times):.0f} minutes each" in text


def test_what_is_said_of_cpu_30min_is_in_its_logs():
    text, runs = (ROOT / "docs" / "results.md").read_text(encoding="utf-8"), {run.folder.name: run for run in accuracy.committed()}
    seeds = [runs[f"cpu-30min-seed{seed}"].result for seed in range(3)]
    again = figures_of("cpu-30min-again.csv", "seed")
    zero, one, two, one_again, two_again = (f"{result['seconds'] / 60:.0f}" for result in (*seeds, again["1"], again["2"]))
    assert f"that took {zero}, {one} and {two} minutes with seeds\n0, 1 and 2: " in text
    missed = {seed: f"{result['seconds'] - 1800:.1f}" for seed, result in enumerate(seeds) if result["seconds"] > 1800}
    assert list(missed) == [1, 2] and f"seeds 1 and 2 missed the half hour by {missed[1]} and {missed[2]} s." in text
    assert f"again some hours later they took {one_again} and {two_again} minutes and ended with the same\naccuracy" in text
    assert all(seeds[int(seed)][name] == found[name] for seed, found in again.items() for name in ("test_accuracy", "mirrored_accuracy"))
    plain, mirrored = (table.spread([result[name] for result in seeds]) for name in ("test_accuracy", "mirrored_accuracy"))
    assert f"The three end at {plain} %, and with each test image also mirrored at\n{mirrored} %" in text
    torchs = pytorchs_last()["resnet8"]
    its = f"{100 * torchs['test_accuracy']:.2f} %, mirrored {100 * torchs['mirrored_accuracy']:.2f} %, in {torchs['seconds'] / 60:.0f} minutes"
    assert f"and first weights as seed 0 comes to {its}" in text


def test_the_table_of_speed_is_what_was_measured():
    figures = json.loads((ROOT / "benchmarks" / "results" / "cpu.json").read_text())
    assert not figures["smoke"] and not figures["pinned"] and figures["machine"]["torch"]
    lines, text = table.markdown(figures), (ROOT / "README.md").read_text()
    assert len(lines) == 8 and all(f"{line}\n" in text for line in lines)
