"""Facts about an option: its help, the commands that take it, its valid values."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin

from minires import names

NOUNS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
PLURALS = {int: "whole numbers", float: "numbers", str: "texts", bool: "truth values"}


class Valid(NamedTuple):
    """The valid values, as a function and in words."""

    test: Callable[[Any], bool]
    words: str


def _is_name(name):
    return last_part(name) == name and name not in ("", ".", "..")


def last_part(path):
    """Return the last part of a path: the name of the file, without its folders."""
    return Path(path).name


def is_recipe_file(recipe):
    """Return True if a recipe is a file of the user's, and not the name of one in minires."""
    return recipe.lower().endswith(".toml")


def change_path(change):
    """Return a function that changes PATH in folder:PATH, and leaves digits, shapes, cifar10, ... unchanged."""

    def changed(data):
        kind, _, path = data.partition(":")
        return f"{kind}:{change(path)}" if path else kind

    return changed


def change_file(change):
    """Return a function that changes the path of a recipe's file, and leaves a recipe's name unchanged."""
    return lambda recipe: change(recipe) if is_recipe_file(recipe) else recipe


ABOVE_0 = Valid(lambda value: 0 < value < math.inf, "a number above 0")
FROM_0 = Valid(lambda value: 0 <= value < math.inf, "0 or more")
SECONDS = Valid(lambda value: value >= 0, "0 or more")  # "inf" for never
FROM_1 = Valid(lambda value: value >= 1, "at least 1")
POWER_OF_2 = Valid(lambda value: value >= 1 and not value & (value - 1), "1, 2, 4, 8, ...")
BELOW_1 = Valid(lambda value: 0 <= value < 1, "a number from 0 to below 1")
FRACTIONS = Valid(lambda values: all(0 < value < 1 for value in values), "fractions of the steps")
NAME = Valid(_is_name, "a name without slashes: the run's folder is runs/NAME")


@dataclass(frozen=True)
class About:
    """Facts about an option besides its name, type and default."""

    help: str
    group: str | None = None  # its heading in --help
    on: tuple[str, ...] = ("train",)  # the commands that take it; (): only files set it
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    valid: Valid | None = None
    const: Any = None  # the value if the option is typed without one
    append: bool = False  # it may be typed several times, which makes a list
    negatable: bool = True  # a flag has a --no- form
    saved: bool = True  # it is in the run's config file
    recipe: bool = True  # a recipe may set it
    result: bool = True  # it changes the result: a card lists where it departs from the recipe
    resume: bool = False  # --resume may change it
    digits: bool = True  # it applies to the digits and shapes too, which are already split
    card: str | None = None  # its row in the run's card
    public: Callable[[Any], Any] | None = None  # from a value to the part that a card may show
    absolute: Callable[[Any], Any] | None = None  # from a value to one with absolute paths


def option(help, *, default=None, **about):
    """Return a field of a dataclass of options; see About."""
    metadata = {"about": About(help, **about)}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


# The kinds of options, by their groups in --help, and the commands that take them.
READ = ("train", "evaluate", "data")  # the commands that read a dataset,
PREPARE = (*READ, "predict", "export")  # prepare images,
LOAD = ("train", "evaluate", "predict", "export")  # load a model,
BUILD = (*LOAD, "summary")  # or build one

data = partial(option, group="data", on=READ, digits=False)
images = partial(option, group="data", on=PREPARE)
model = partial(option, group="model", on=BUILD)
training = partial(option, group="training (the default of each depends on the data)")
tuning = partial(option, group="fine-tuning")
command = partial(option, group="the run", saved=False, recipe=False, resume=True)
run = partial(option, group="the run", result=False, resume=True)
noted = partial(option, on=(), recipe=False)


def flag(name):
    """Return the option as it is typed.

    >>> flag("batch_size")
    '--batch-size'
    """
    return f"--{name.replace('_', '-')}"


def kind(hint):
    """Return the type of a field's values, and True if it takes a list: (float, True) for list[float] | None."""
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    return (get_args(hint)[0], True) if get_origin(hint) is list else (hint, False)


def check(field, value):
    """Reject a value that an option cannot have.

    Raises  ValueError: it says what was expected, and what came.
    """
    about, (one, many) = field.metadata["about"], kind(field.type)
    each = value if many and isinstance(value, list) else [value]
    if isinstance(value, list) != many or not all(_is(one, item) for item in each):
        expected = f"a list of {PLURALS[one]}" if many else NOUNS[one]
    elif about.valid and not about.valid.test(value):
        expected = about.valid.words
    else:
        for item in each if about.choices else ():
            names.check(field.name.replace("_", " "), item, about.choices)
        return
    verb = "are" if isinstance(value, list) else "is"
    raise ValueError(f"{flag(field.name)} {verb} {value!r}, expected {expected}")


def _is(type, value):
    """Return True if a value is of a type. A whole number is a number too; a truth value is not."""
    if isinstance(value, bool):
        return type is bool
    return isinstance(value, (int, float) if type is float else type)
