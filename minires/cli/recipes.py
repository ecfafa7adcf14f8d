"""Recipes: options of `minires train` with a name, in minires/recipes or in a file of the user's."""

import tomllib
from pathlib import Path

from minires import names
from minires import recipes as folder
from minires.cli import settings
from minires.cli.about import NAME, is_recipe_file
from minires.cli.options import ABOUT, RECIPE, Options

FOLDER = Path(folder.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name):
    """Return (options, variants) of a recipe, as dicts.

    name  a name in minires/recipes, or a path that ends in .toml

    A recipe of several runs has a variant for each: its "name", and the options that differ. Most
    recipes have no variants.

    Raises  ValueError: an unknown recipe or option, or a file that is not TOML. OSError: the file
    cannot be read.
    """
    own = is_recipe_file(name)
    path = Path(name) if own else FOLDER / f"{names.check('recipe', name, NAMES)}.toml"
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, or not TOML
        raise ValueError(f"{path} is not a TOML file: {error}") from None
    variants = found.pop("runs", [])
    if not isinstance(variants, list) or not all(_is_variant(each) for each in variants):
        raise ValueError(f"{path}: expected a name without slashes in each of its [[runs]]")
    for option in {option for part in (found, *variants) for option in part} - {"name"}:
        names.check(f"setting of the recipe {name}", option, RECIPE)
    return found, variants


def _is_variant(found):
    return (
        isinstance(found, dict) and isinstance(found.get("name"), str) and NAME.test(found["name"])
    )


def title(name):
    """Return the name of a recipe, for the names of its runs: fast for my/fast.toml."""
    return Path(name).stem if is_recipe_file(name) else name


def describe(config):
    """Return the name of a run's recipe, from the run's config, and the options that differ from it.

    A file of the user's may have changed since the run began, so only its name is returned.
    """
    if is_recipe_file(config["recipe"]):
        return Path(config["recipe"]).name
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
    return config["recipe"] + (f", except for {', '.join(other)}" if other else "")
