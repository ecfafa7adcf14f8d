"""Recipes: settings of `minires train` that have a name, as files in minires/recipes."""

import tomllib
from pathlib import Path

from minires import names
from minires import recipes as room
from minires.cli import settings

FOLDER = Path(room.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
FREE = ("seed", "backend", "watch", "data_dir", "data_label", "source")  # which change nothing of what a recipe is


def read(name):
    """(settings, variants) of a recipe. Variants are dicts of settings with a "name", one for each run that it is made of; as a
    rule there are none.

    Raises  ValueError: there is no such recipe, or it has a setting that is none.
    """
    found = tomllib.loads((FOLDER / f"{names.check('recipe', name, NAMES)}.toml").read_text(encoding="utf-8"))
    variants = found.pop("runs", [])
    for key in {key for part in (found, *variants) for key in part} - {"name"}:
        names.check(f"setting of the recipe {name}", key, (*settings.SAID, *settings.TRAINED))
    return found, variants


def told(config):
    """The recipe of a run, and what was done otherwise than it says: a text."""
    written, variants = read(config["recipe"])
    free = {*FREE, *(name for variant in variants for name in variant)}
    compared = [name for name in written if name in config and name not in free]
    other = [f"{name} {config[name]}" for name in compared if config[name] != written[name]]
    return config["recipe"] + (f", but for {', '.join(other)}" if other else "")
