"""Recipes: what they say, and that a run follows them and names them."""

import json
import re

import numpy
import pytest
from PIL import Image

from minires import models, nn
from minires.cli import recipes, settings
from tests.test_cli import elsewhere, few_digits, lines, typed  # noqa: F401  (two are fixtures)


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_recipe_names_a_model_an_optimizer_a_schedule_and_an_augmentation_that_are_there(name):
    written, variants = recipes.read(name)
    assert (recipes.FOLDER / f"{name}.toml").read_text(encoding="utf-8").startswith("# ")
    for variant in variants or [{}]:
        options = settings.merged({**variant, "name": None}, written)
        settings.check(options)
        model, _ = settings.model(options, num_classes=10, in_channels=3)
        schedule = settings.schedule(options, 1000)
        settings.optimizer(options, model, schedule)
        assert schedule(500) > 0
        settings.augmentation(options.augment)


def rates(name, steps):
    return settings.schedule(settings.merged({}, recipes.read(name)[0]), steps)


def test_the_papers_rate_is_divided_by_10_at_32_and_at_48_thousand_steps():
    rate = rates("resnet20-paper", 64_000)
    assert [rate(step) for step in (0, 31_999, 32_000, 47_999, 48_000, 63_999)] == pytest.approx(
        [0.1] * 2 + [0.01] * 2 + [0.001] * 2
    )
    assert (
        round(182 * (45_000 // 128), -3) == 64_000
        and recipes.read("resnet20-paper")[0]["epochs"] == 182
    )


def test_the_triangle_of_resnet18_fast_is_that_of_its_reference():
    rate = rates("resnet18-fast", 1950)
    assert [rate(step) for step in (0, 487.5, 1950)] == pytest.approx([0.01, 0.2, 0.0])


def test_plain_vs_residual_compares_20_and_56_layers_that_differ_in_their_shortcuts_alone():
    _, variants = recipes.read("plain-vs-residual")
    assert {(variant["model"], variant["shortcut"]) for variant in variants} == {
        (model, shortcut) for model in ("resnet20", "resnet56") for shortcut in ("none", "A")}  # fmt: skip
    nn.manual_seed(0)
    sizes = {
        (v["model"], v["shortcut"]): sum(
            p.size for p in models.build(v["model"], shortcut=v["shortcut"]).parameters()
        )
        for v in variants
    }
    assert (
        sizes["resnet56", "none"]
        == sizes["resnet56", "A"]
        > sizes["resnet20", "A"]
        == sizes["resnet20", "none"]
    )


QUICK = ("--data", "digits", "--epochs", "1", "--batch-size", "60")


def test_a_run_follows_its_recipe_and_its_card_says_where_it_does_not(elsewhere, capsys):
    assert typed("train", "--recipe", "resnet20-paper", *QUICK, "--seed", "3") == 0
    assert "runs/resnet20-paper" in lines(capsys)[0]
    folder = elsewhere / "runs" / "resnet20-paper"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert (config["recipe"], config["lr"], config["weight_decay"], config["schedule"]) == (
        "resnet20-paper",
        0.1,
        1e-4,
        "step",
    )
    assert "| recipe | resnet20-paper, except for data digits, epochs 1, batch_size 60 |" in card
    assert typed("train", "--resume", "resnet20-paper", "--recipe", "resnet18-fast") == 2
    assert "leave out --recipe" in capsys.readouterr().err


def test_whatever_is_not_as_the_recipe_says_is_told_and_no_path():
    given = {
        "data": "folder:/home/me/cats",
        "lr": 0.3,
        "precision": "bfloat16",
        "average": 0,
        "weights": "/home/me/a.pth",
        "seed": 5,
    }
    given.update(recipe="resnet18-fast", data_dir="/home/me")
    config = settings.merged(given, recipes.read("resnet18-fast")[0]).to_config()
    assert (
        recipes.describe(config)
        == "resnet18-fast, except for data folder:cats, lr 0.3, precision bfloat16, weights a.pth"
    )
    given = {"data_label": "dots", "seed": 1, "recipe": "cpu-30min"}
    plain = settings.merged(given, recipes.read("cpu-30min")[0]).to_config()
    assert recipes.describe(plain) == "cpu-30min"
    assert (
        recipes.describe({**plain, "average": 5, "whiten": False})
        == "cpu-30min, except for whiten False, average 5"
    )


def test_a_recipe_of_several_runs_does_one_after_the_other_and_again_those_that_are_left(
    elsewhere, capsys, monkeypatch
):
    written = (
        {"data": "digits", "epochs": 1, "batch_size": 60},
        [{"name": "a", "shortcut": "none"}, {"name": "b", "shortcut": "A"}],
    )
    monkeypatch.setattr(recipes, "read", lambda name: written)
    assert typed("train", "--recipe", "two") == 0
    for name, shortcut in (("a", "none"), ("b", "A")):
        assert (
            json.loads(
                (elsewhere / "runs" / f"two-{name}" / "config.json").read_text(encoding="utf-8")
            )["shortcut"]
            == shortcut
        )
    capsys.readouterr()
    (elsewhere / "runs" / "two-b" / "result.json").unlink()
    assert typed("train", "--recipe", "two") == 0
    said = lines(capsys)
    assert (
        said[0].startswith("runs/two-a is finished: test accuracy")
        and "runs/two-b resumes at step" in said[1]
    )
    assert typed("train", "--recipe", "two", "--name", "mine") == 2
    assert "is 2 runs with names of their own" in capsys.readouterr().err


def test_an_unknown_recipe_is_a_sentence(elsewhere, capsys):
    assert typed("train", "--recipe", "resnet18fast") == 2
    assert (
        "unknown recipe 'resnet18fast'" in (said := capsys.readouterr().err)
        and "did you mean 'resnet18-fast'" in said
    )


TRICKS = ("train", "--recipe", "cpu-30min", "--data", "folder:images", "--epochs", "2", "--batch-size", "8", "--save-every", "0",
         "--validation", "0.2", "--average", "5")  # fmt: skip


def test_a_run_with_all_of_them_resumes_to_the_same_bits(elsewhere, capsys):
    rng = numpy.random.default_rng(0)
    for name in ("dark", "bright"):
        (elsewhere / "images" / name).mkdir(parents=True)
        for i in range(40):
            pixels = rng.integers(0, 256 if name == "bright" else 128, (16, 16, 3), numpy.uint8)
            Image.fromarray(pixels).save(elsewhere / "images" / name / f"{i:02}.png")
    assert typed(*TRICKS, "--name", "a") == 0
    assert typed(*TRICKS, "--name", "b") == 0
    for folder in sorted((elsewhere / "runs" / "b" / "checkpoints").iterdir())[1:]:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    (elsewhere / "runs" / "b" / "result.json").unlink()
    assert typed("train", "--resume", "b") == 0
    weights = [(elsewhere / "runs" / name / "weights.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]
    card = (elsewhere / "runs" / "a" / "card.md").read_text(encoding="utf-8")
    assert (
        "| accuracy on test, read once, at the end |" in card
        and "| the same, each image also mirrored |" in card
    )
    assert (
        "except for data folder:images, validation 0.2, epochs 2, batch_size 8, average 5 |" in card
    )
    assert (
        json.loads((elsewhere / "runs" / "a" / "config.json").read_text(encoding="utf-8"))["whiten"]
        is True
    )
    result = json.loads((elsewhere / "runs" / "a" / "result.json").read_text(encoding="utf-8"))
    capsys.readouterr()
    assert typed("evaluate", "a", "--test-flips") == 0
    plain, mirrored = lines(capsys)[1:3]
    assert plain.startswith("test part of") and plain.endswith(f"({result['test_hits']} of 16)")
    assert mirrored.startswith("each image also mirrored: loss") and mirrored.endswith(
        f"({result['mirrored_hits']} of 16)"
    )


def test_what_asks_for_another_net_is_a_sentence(elsewhere, capsys):
    assert typed("train", "--whiten", "--epochs", "1") == 2
    assert "--whiten: expected --model resnet8, got resnet20" in capsys.readouterr().err
    assert typed("train", "--average", "-1", "--epochs", "1") == 2
    assert "--average is -1, expected 0 or more" in capsys.readouterr().err


# Recipes in files of the user's.


def test_a_recipe_may_be_a_file_of_ones_own(elsewhere, capsys):
    (elsewhere / "my").mkdir()
    (elsewhere / "my" / "fast.toml").write_text('data = "digits"\nbatch_size = 60\nepochs = 1\n')
    assert typed("train", "--recipe", "my/fast.toml", "--lr", "0.01") == 0
    assert lines(capsys)[0].endswith("; backend numpy; runs/fast")
    (elsewhere / "my" / "fast.toml").unlink()  # a run does not need it any more
    assert typed("train", "--resume", "fast", "--epochs", "2") == 0
    config = json.loads((elsewhere / "runs" / "fast" / "config.json").read_text(encoding="utf-8"))
    assert (config["batch_size"], config["lr"]) == (60, 0.01)
    assert config["recipe"] == str(elsewhere / "my" / "fast.toml")
    card = (elsewhere / "runs" / "fast" / "card.md").read_text(encoding="utf-8")
    assert "| recipe | fast.toml |" in card and str(elsewhere) not in card


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"epochs = ", "my.toml is not a TOML file: "),
        (b"a = " + b"[" * 100_000, "my.toml is not a TOML file: "),
        (b"# \xff", "my.toml is not a TOML file: .*utf-8"),
        (b"epoch = 1", "unknown setting of the recipe my.toml 'epoch': .*did you mean 'epochs'"),
        (b"name = 'x'\nresume = 'y'", "unknown setting of the recipe my.toml 'resume'"),
        (b"epochs = '1'", "--epochs is '1', expected a whole number"),
        (b"lr = nan", "--lr is nan, expected a number above 0"),
        (b"runs = 3", r"my.toml: expected a name without slashes in each of its \[\[runs\]\]"),
        (b"runs = [3]", "my.toml: expected a name without slashes"),
        (b"[[runs]]\nepochs = 1", "my.toml: expected a name without slashes"),
        (b"[[runs]]\nname = '../x'", "my.toml: expected a name without slashes"),
        (b"[[runs]]\nname = 3", "my.toml: expected a name without slashes"),
        (None, "my.toml: No such file or directory"),
    ],
)
def test_a_file_that_is_no_recipe_is_a_sentence(elsewhere, capsys, contents, message):
    if contents is not None:
        (elsewhere / "my.toml").write_bytes(contents)
    assert typed("train", "--recipe", "my.toml") == 2
    error = capsys.readouterr().err
    assert re.match(f"minires train: .*{message}", error) and error.count("\n") == 1
    assert not (elsewhere / "runs").exists()


def test_a_recipe_for_colour_runs_on_digits_without_whitening(elsewhere, capsys):
    words = ("train", "--recipe", "cpu-30min", *QUICK)
    assert typed(*words) == 2
    assert "--no-whiten turns it off" in capsys.readouterr().err
    assert typed(*words, "--no-whiten") == 0


def test_a_recipe_for_resnet8_on_another_model_names_what_to_turn_off(elsewhere, capsys):
    words = ("train", "--recipe", "cpu-30min", *QUICK, "--model", "resnet20")
    assert typed(*words) == 2 and "--no-dirac turns it off" in capsys.readouterr().err
    assert typed(*words, "--no-dirac") == 2
    assert "--whiten: expected --model resnet8, got resnet20" in capsys.readouterr().err
    assert typed(*words, "--no-dirac", "--no-whiten") == 0
