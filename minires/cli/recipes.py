"""Recipes: options of `minires train` under a name, as files in minires/recipes."""

import tomllib
from pathlib import Path

from minires import names
from minires import recipes as folder
from minires.cli import settings
from minires.cli.options import ABOUT, RECIPE, Options

FOLDER = Path(folder.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name):
    """(options, variants) of a recipe, as dicts.

    A recipe that consists of several runs has a variant for each: its "name", and the options that
    differ. Most recipes have none.

    Raises  ValueError: there is no such recipe, or it sets an option that does not exist.
    """
    path = FOLDER / f"{names.check('recipe', name, NAMES)}.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    variants = found.pop("runs", [])
    for option in {option for part in (found, *variants) for option in part} - {"name"}:
        names.check(f"setting of the recipe {name}", option, RECIPE)
    return found, variants


def describe(config):
    """The recipe of a run, from its config, and how the run departed from it: a text."""
    written, variants = read(config["recipe"])
    differ = {option for variant in variants for option in variant}
    shown, alone = Options.from_config(config).public(), settings.merged({}, written).public()
    other = [
        f"{name} {shown[name]}"
        for name in RECIPE
        if ABOUT[name].result
        and name not in differ
        and name in shown
        and (shown[name] or None) != (alone.get(name) or None)
    ]
    return config["recipe"] + (f", but for {', '.join(other)}" if other else "")
