"""The figures in README.md and docs are those of the logs that are committed with them, and the texts say what the logs say."""

import json
import re
import statistics
from pathlib import Path

import pytest

from benchmarks import ablation, accuracy, figures
from minires import watch
from minires.cli import recipes

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path for path in (ROOT / "docs" / "results").iterdir() if path.is_dir())
KNOWN = figures.known()


# Figures in texts. make results writes them.


@pytest.mark.parametrize("path", figures.documents(), ids=lambda path: path.name)
def test_every_marked_figure_is_that_of_the_logs(path):
    text = path.read_text(encoding="utf-8")
    assert figures.written(text, KNOWN)[0] == text, "make results writes the figures again"


def test_every_figure_is_marked_somewhere():
    """So that no figure is without a mark, where nothing would compare it with the logs."""
    marked = {
        name
        for path in figures.documents()
        for name in figures.written(path.read_text(encoding="utf-8"), KNOWN)[1]
    }
    assert marked == set(KNOWN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 1.0 %<!--a-->.", "It is 83.78 ± 0.16 %<!--a-->."),
        ("It is 83.78 ±\n0.16 %<!--a-->.", "It is 83.78 ±\n0.16 %<!--a-->."),
        ("It is 83.78 ±\n0.17 %<!--a-->.", "It is 83.78 ± 0.16 %<!--a-->."),
        ("1, 2 and 3<!--b--> s", "1, 2 and 2,340<!--b--> s"),
        ("5.0 % ± 1.0<!--c-->, -6.00<!--d--> points", "57.9 % ± 2.3<!--c-->, +0.17<!--d--> points"),
        (
            "<!-- table e -->\n| old |\n<!-- end -->\n",
            "<!-- table e -->\n| x |\n| - |\n<!-- end -->\n",
        ),
        (
            "<!-- table e -->\n<!-- end -->\nKept.\n<!-- table e -->\n| old |\n<!-- end -->\n",
            "<!-- table e -->\n| x |\n| - |\n<!-- end -->\nKept.\n<!-- table e -->\n| x |\n| - |\n<!-- end -->\n",
        ),
        (
            "A comment <!-- of two words --> and 1 more",
            "A comment <!-- of two words --> and 1 more",
        ),
    ],
)
def test_a_figure_before_its_mark_and_a_table_between_its_marks_are_written(text, expected):
    known = {
        "a": "83.78 ± 0.16 %",
        "b": "2,340",
        "c": "57.9 % ± 2.3",
        "d": "+0.17",
        "e": "| x |\n| - |",
    }
    assert figures.written(text, known)[0] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1<!--b-->", "no figure is called b: choose from a"),
        ("one<!--a-->", "expected a figure right before it, such as 3"),
    ],
)
def test_a_mark_that_names_nothing_or_follows_nothing_is_an_error(text, message):
    with pytest.raises(ValueError, match=message):
        figures.written(text, {"a": "3"})


def test_no_mark_begins_a_line():
    """There Markdown takes the whole line for HTML."""
    for path in figures.documents():
        assert not re.search(r"^\s*<!--\S", path.read_text(encoding="utf-8"), re.MULTILINE), path


def test_each_run_is_in_one_row_of_the_table():
    assert KNOWN["runs"].count("/card.md)") == len(FOLDERS) >= 3


# The logs.


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_committed_run_says_the_same_in_its_log_its_result_and_its_card(folder):
    run, card = accuracy.read(folder), (folder / "card.md").read_text(encoding="utf-8")
    hits, images = run.result["test_hits"], run.result["test_images"]
    assert (
        run.result["test_accuracy"] == hits / images
        and f"{100 * hits / images:.2f} % ({hits:,} of {images:,})" in card
    )
    if "mirrored_hits" in run.result:
        mirrored = run.result["mirrored_hits"]
        assert (
            run.result["mirrored_accuracy"] == mirrored / images
            and f"{100 * mirrored / images:.2f} % ({mirrored:,} of" in card
        )
    assert run.config.get("test_flips", False) == ("mirrored_hits" in run.result)
    assert [int(row["epoch"]) for row in run.log] == list(range(1, run.config["epochs"] + 1))
    assert 0 < run.result["seconds"] - float(run.log[-1]["seconds"]) < 0.1 * run.result["seconds"]
    assert f"| seed | {run.config['seed']} |" in card and (folder / "curves.png").is_file()
    # Images that are not the published ones are named.
    assert ("data_label" in run.config) == ("unverified files" in card)


def shown(**changes):
    """Return a run as accuracy.read() does."""
    config = {
        "model": "resnet20",
        "seed": 0,
        "epochs": 10,
        "shortcut": "none",
        "data_label": "dots",
        **changes,
    }
    result = {"test_accuracy": changes.pop("accuracy", 0.5), "seconds": 120.0}
    return accuracy.Shown(
        Path(f"run{config['seed']}"),
        config,
        [],
        result,
        {"processor": "Abacus, 7 cores for this process, 2 threads"},
    )


def test_runs_that_differ_by_their_seed_make_a_row():
    runs = [
        shown(seed=0, accuracy=0.5),
        shown(seed=1, accuracy=0.6),
        shown(model="resnet56"),
        shown(lr=0.3),
    ]
    for run in runs:
        run.config.pop("accuracy", None)
    groups = accuracy.grouped(runs)
    assert [[run.config["seed"] for run in group] for group in groups] == [[0, 1], [0], [0]]
    assert f"{statistics.stdev([50, 60]):.2f}" == "7.07"
    assert accuracy.row(groups[0]) == (
        "| resnet20, no shortcuts | none: as `train` does, 10 epochs | dots | 55.00 ± 7.07 % (seeds [0](results/run0/card.md), "
        "[1](results/run1/card.md)) | 2 min | Abacus, 7 cores, 2 of them in use |  |"
    )
    assert "91.25 %" in accuracy.row([shown(shortcut="A")]) and "dots" in accuracy.row(
        [shown(shortcut="A")]
    )
    runs[3].facts["processor"] = "Abacus, 7 cores for this process, 1 thread"
    assert "| Abacus, 7 cores, 1 of them in use |" in accuracy.row([runs[3]])
    for run, mirrored in zip(runs, (0.7, 0.9)):
        run.result["mirrored_accuracy"] = mirrored
    assert "run1/card.md)); each image also mirrored 80.00 ± 14.14 % |" in accuracy.row(groups[0])


def test_a_run_that_is_not_finished_is_not_taken_in(tmp_path):
    (tmp_path / "log.csv").touch()
    with pytest.raises(
        ValueError,
        match="has no result.json, card.md, curves.png: a run has them when it is finished",
    ):
        accuracy.add(tmp_path)


def test_a_run_that_was_watched_keeps_its_first_and_its_last_step_and_is_drawn(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(accuracy, "FOLDER", tmp_path / "results")
    (folder := tmp_path / "run").mkdir()
    for name in accuracy.SHOWN:
        (folder / name).write_text(name)
    rows = [
        watch.Row(step, f"conv{i}", i, 0.0, 1.0, 0.0, 0.0, 0.1, 0.0)
        for step in (0, 50, 100)
        for i in (1, 2)
    ]
    watch.write(folder / "layers.csv", rows)
    accuracy.add(folder)
    assert watch.read(tmp_path / "results" / "run" / "layers.csv") == rows[:2] + rows[4:]
    assert all(
        (tmp_path / "results" / "run" / name).read_text(encoding="utf-8") == name
        for name in accuracy.SHOWN
    )
    log = [{"epoch": "1", "train_loss": "2.0", "train_accuracy": "0.25"}]
    run = shown(recipe="plain-vs-residual")._replace(folder=folder, log=log)
    fast = shown(recipe="resnet18-fast")._replace(log=log)
    accuracy.pictures([run, shown(), fast], tmp_path)
    assert not (tmp_path / "resnet18.png").exists()  # one epoch makes no curve
    accuracy.pictures([fast._replace(log=log * 2)], tmp_path)
    assert all(
        (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        for name in ("degradation.png", "depths.png", "resnet18.png")
    )


# What the texts say besides figures.


RUNS = {run.folder.name: run for run in accuracy.committed()}


def test_without_shortcuts_the_deeper_net_ends_with_the_higher_training_loss_and_with_them_it_does_not():
    last = {name: float(run.log[-1]["train_loss"]) for name, run in RUNS.items()}
    plain20, plain56, residual20, residual56 = (
        last[f"plain-vs-residual-{name}"]
        for name in "plain20 plain56 residual20 residual56".split()
    )
    assert plain56 > 2 * plain20 > plain20 > residual20 >= residual56  # "more than twice the loss"


def test_the_ablation_is_that_of_the_recipe():
    found = json.loads((ROOT / ablation.RESULTS).read_text(encoding="utf-8"))
    assert found["recipe"] == {**recipes.read("cpu-30min")[0], "epochs": ablation.EPOCHS}
    assert list(found["rows"]) == list(ablation.ROWS) and all(
        len(row) == len(ablation.SEEDS) for row in found["rows"].values()
    )
    assert (found["images"], found["held"]) == (ablation.IMAGES, ablation.HELD)


def test_what_the_tricks_gain_one_by_one_is_what_they_gain_together():
    """docs/results.md: "What they gain adds up"."""
    means = {
        name: statistics.fmean(plain for plain, _ in row)
        for name, row in json.loads((ROOT / ablation.RESULTS).read_text(encoding="utf-8"))[
            "rows"
        ].items()
    }
    whole, together = means[ablation.WHOLE], "without all of these"
    single = sum(
        whole - mean
        for name, mean in means.items()
        if name.startswith("without") and name != together
    )
    assert f"{100 * single:.1f}" == f"{100 * (whole - means[together]):.1f}"


def test_one_epoch_of_resnet18_fits_into_half_an_hour():
    assert RUNS["resnet18-1epoch-seed0"].result["seconds"] < 1800


def test_two_seeds_of_cpu_30min_were_late_and_trained_again_they_came_to_the_same():
    assert [name for name in KNOWN if name.startswith("cpu-30min.late")] == [
        "cpu-30min.late.1",
        "cpu-30min.late.2",
    ]
    again = figures.last("cpu-30min-again.csv", "seed")
    assert set(again) == {"1", "2"}
    for seed, found in again.items():
        first = RUNS[f"cpu-30min-seed{seed}"].result
        assert all(first[name] == found[name] for name in ("test_accuracy", "mirrored_accuracy"))


def test_the_table_of_speed_is_of_a_whole_measurement_beside_pytorch():
    found = json.loads((ROOT / "benchmarks" / "results" / "cpu.json").read_text(encoding="utf-8"))
    assert not found["smoke"] and not found["pinned"] and found["machine"]["torch"]
    assert len(KNOWN["speed"].splitlines()) == 8
