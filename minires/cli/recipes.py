"""Recipes: settings of `minires train` that have a name, as files in minires/recipes."""

import tomllib
from pathlib import Path

from minires import names, runs
from minires import recipes as room
from minires.cli import settings

FOLDER = Path(room.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
FREE = ("seed", "backend", "watch", "data_label")  # which change nothing of what a recipe is


def read(name):
    """(settings, variants) of a recipe. Variants are dicts of settings with a "name", one for each run that it is made of; as a
    rule there are none.

    Raises  ValueError: there is no such recipe, or it has a setting that is none.
    """
    found = tomllib.loads((FOLDER / f"{names.check('recipe', name, NAMES)}.toml").read_text(encoding="utf-8"))
    variants = found.pop("runs", [])
    for key in {key for part in (found, *variants) for key in part} - {"name"}:
        names.check(f"setting of the recipe {name}", key, settings.KNOWN)
    return found, variants


def told(config):
    """The recipe of a run, and what was done otherwise than it says: a text."""
    written, variants = read(config["recipe"])
    free, alone = {*FREE, *(name for variant in variants for name in variant)}, settings.merged({}, written)
    shown = {name: value for name, value in runs.without_paths(config).items() if name not in free}
    other = [f"{name} {shown[name]}" for name in settings.KNOWN if name in shown and (shown[name] or None) != (alone.get(name) or None)]
    return config["recipe"] + (f", but for {', '.join(other)}" if other else "")
