"""The options of a run: one field makes the argument, the setting in files, the row of the card."""

import argparse
import json
import re
from dataclasses import dataclass, fields

import pytest

from minires.cli import arguments, options, recipes, settings
from minires.cli.about import flag, kind, option
from minires.cli.options import ABOUT, RECIPE, SAVED, Options


def parsed(*words, command="train"):
    parser = argparse.ArgumentParser(exit_on_error=False)
    arguments.add_options(parser, command)
    return options.typed(parser.parse_args(words))


def test_what_is_typed_comes_in_the_type_of_its_field():
    words = "--epochs 3 --lr 0.1 --mean 0.5 1 --model resnet8 --no-nesterov --mine --watch --seed 2"
    given = {"epochs": 3, "lr": 0.1, "mean": [0.5, 1.0], "model": "resnet8", "nesterov": False}
    assert parsed(*words.split()) == {**given, "mine": True, "watch": 20, "seed": 2}
    assert parsed("--watch", "5", "--source", "a", "--source", "b") == {
        "watch": 5,
        "source": ["a", "b"],
    }


def test_what_is_not_typed_is_not_there():
    assert parsed() == {}
    assert Options().data == "digits" and Options().epochs is None


def test_a_command_takes_the_options_that_name_it():
    for name, about in ABOUT.items():
        for command in ("train", "evaluate", "predict", "export", "summary", "data"):
            parser = argparse.ArgumentParser()
            arguments.add_options(parser, command)
            listed = re.findall(r"--[a-z-]+", parser.format_help())
            assert (flag(name) in listed) == (command in about.on), (name, command)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--epochs x", "argument --epochs: expected a whole number, got 'x'"),
        ("--epochs 1.5", "argument --epochs: expected a whole number, got '1.5'"),
        ("--mean 0.5 grey", "argument --mean: expected a number, got 'grey'"),
    ],
)
def test_a_word_that_is_no_number_is_named_with_what_was_expected(words, message):
    with pytest.raises(argparse.ArgumentError) as refusal:
        parsed(*words.split())
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": "3"}, "--epochs is '3', expected a whole number"),
        ({"epochs": 3.0}, "--epochs is 3.0, expected a whole number"),
        ({"epochs": True}, "--epochs is True, expected a whole number"),
        ({"epochs": 0}, "--epochs is 0, expected at least 1"),
        ({"lr": "0.1"}, "--lr is '0.1', expected a number"),
        ({"mean": 0.5}, "--mean is 0.5, expected a list of numbers"),
        ({"mean": [0.5, "x"]}, "--mean are [0.5, 'x'], expected a list of numbers"),
        ({"milestones": [1.0]}, "--milestones are [1.0], expected fractions of the steps"),
        ({"model": 18}, "--model is 18, expected a text"),
        ({"whiten": 1}, "--whiten is 1, expected true or false"),
        ({"save_every": -1.0}, "--save-every is -1.0, expected 0 or more"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_refused(given, message):
    with pytest.raises(ValueError) as refusal:
        Options(**given)
    assert str(refusal.value) == message


def test_a_name_that_is_none_of_the_choices_gets_the_nearest():
    with pytest.raises(ValueError, match="unknown schedule 'cosin': .*did you mean 'cosine'"):
        Options(schedule="cosin")


def test_a_whole_number_is_a_number_and_stays_as_it_was_written():
    assert json.dumps(Options(bias_lr=64).to_config()["bias_lr"]) == "64"


def test_a_config_comes_back():
    given = {"epochs": 3, "lr": 0.1, "weights": "a.pth", "fingerprint": "f", "recipe": "r"}
    made = Options(**given, name="a", resume="b", save_every=1.0, mine=True)
    config = json.loads(json.dumps(made.to_config()))
    assert given.items() <= config.items() and None not in config.values()
    assert not {"name", "resume", "save_every"} & set(config) and config["mine"] is True
    again = Options.from_config(config, epochs=5)
    assert again.to_config() == {**config, "epochs": 5}


def test_an_unknown_setting_in_a_config_or_a_recipe_is_named_with_the_nearest(
    monkeypatch, tmp_path
):
    with pytest.raises(
        ValueError, match="unknown setting of a run 'epoch': .*did you mean 'epochs'"
    ):
        Options.from_config({"epoch": 3})
    (tmp_path / "mine.toml").write_text("nam = 'a'\n")
    monkeypatch.setattr(recipes, "FOLDER", tmp_path)
    monkeypatch.setattr(recipes, "NAMES", ["mine"])
    with pytest.raises(ValueError, match="unknown setting of the recipe mine 'nam'"):
        recipes.read("mine")
    assert set(RECIPE) <= set(SAVED)


def test_paths_are_whole_in_a_config_and_nowhere_in_public(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Options(data="folder:cats", data_dir="cifar", source=["file:x"], weights="w/a.pth")
    config, public = made.to_config(), made.public()
    assert config["data"] == f"folder:{tmp_path / 'cats'}"
    assert config["data_dir"] == str(tmp_path / "cifar")
    assert public["data"] == "folder:cats" and public["weights"] == "a.pth"
    assert not {"data_dir", "source"} & set(public)
    assert Options(data="cifar10").to_config()["data"] == "cifar10"


def test_a_card_has_rows_for_the_options_that_ask_for_one():
    assert Options(seed=3).card_rows() == {"seed": 3}
    rows = Options(weights="w/a.pth", freeze="conv1").card_rows()
    assert rows == {"seed": 0, "weights at the start": "a.pth", "frozen": "conv1"}


def test_options_that_were_given_come_before_those_written_before_those_that_suit_the_data():
    made = settings.merged({"lr": 1.0}, {"lr": 2.0, "epochs": 7, "validation": 0.2})
    assert (made.lr, made.epochs, made.batch_size) == (1.0, 7, settings.DIGITS["batch_size"])
    assert made.validation is None  # which means nothing for the digits
    assert settings.merged({"data": "shapes"}, {"validation": 0.2}).validation is None
    made = settings.merged({"data": "cifar10"}, {"validation": 0.2})
    assert (made.validation, made.epochs) == (0.2, settings.CIFAR["epochs"])


def test_one_field_is_all_that_a_new_option_takes(monkeypatch):
    @dataclass(frozen=True, kw_only=True)
    class More(Options):
        clip: float | None = option("largest norm of the gradient", metavar="NORM", card="clipped")

    about = {field.name: field.metadata["about"] for field in fields(More)}
    monkeypatch.setattr(options, "ABOUT", about)
    saved = [name for name, each in about.items() if each.saved]
    monkeypatch.setattr(options, "SAVED", saved)
    monkeypatch.setattr(arguments, "Options", More)
    assert parsed("--clip", "2") == {"clip": 2.0}
    made = More.from_config({"clip": 2.0})
    assert made.to_config()["clip"] == 2.0 and made.card_rows()["clipped"] == 2.0


def test_every_field_has_a_type_that_is_read():
    assert {kind(field.type)[0] for field in fields(Options)} == {str, int, float, bool}
    assert kind(list[float] | None) == (float, True) and kind(int | None) == (int, False)


DIGITS = {
    "model": "resnet20", "epochs": 30, "batch_size": 64, "lr": 0.05, "schedule": "cosine",
    "warmup": 0.1, "milestones": [0.5, 0.75], "optimizer": "sgd", "momentum": 0.9,
    "nesterov": True, "weight_decay": 1e-3, "label_smoothing": 0.0, "augment": "crop=1",
    "drop_last": False, "shards": 1, "seed": 0, "precision": "float32",
}  # fmt: skip
PHOTOS = {**DIGITS, "validation": 0.1, "weight_decay": 5e-4, "augment": "crop=4,flip"}
CIFAR = {
    **PHOTOS, "epochs": 10, "batch_size": 128, "lr": 0.4, "schedule": "triangle",
    "warmup": 0.25, "label_smoothing": 0.1, "drop_last": True,
}  # fmt: skip
SHAPES = {
    **DIGITS, "epochs": 3, "batch_size": 50, "lr": 0.1, "schedule": "triangle", "warmup": 0.2,
    "weight_decay": 5e-4, "augment": "flip",
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected"),
    [("digits", DIGITS), ("shapes", SHAPES), ("cifar10", CIFAR), ("folder:x", PHOTOS)],
)
def test_where_nothing_is_said_a_set_of_images_is_trained_on_so(data, expected):
    config = settings.merged({"data": data}, {}).to_config()
    assert {
        name: value for name, value in config.items() if name not in ("data", "minires")
    } == expected
