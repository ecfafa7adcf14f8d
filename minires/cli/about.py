"""What there is to know about an option: its help, the commands that take it, its valid values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin

from minires import names

NOUNS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
PLURALS = {int: "whole numbers", float: "numbers", str: "texts", bool: "truth values"}


class Valid(NamedTuple):
    """Which values are valid, as a function and in words."""

    test: Callable[[Any], bool]
    words: str


def _is_name(name):
    return last_part(name) == name and name not in ("", ".", "..")


def last_part(path):
    """The last part of a path: what the file is called, and not where it is."""
    return Path(path).name


def is_recipe_file(recipe):
    """True for a recipe in a file of the user's, as opposed to one of minires by its name."""
    return recipe.lower().endswith(".toml")


ABOVE_0 = Valid(lambda value: value > 0, "a number above 0")
FROM_0 = Valid(lambda value: value >= 0, "0 or more")
FROM_1 = Valid(lambda value: value >= 1, "at least 1")
BELOW_1 = Valid(lambda value: 0 <= value < 1, "a number from 0 to below 1")
FRACTIONS = Valid(lambda values: all(0 < value < 1 for value in values), "fractions of the steps")
NAME = Valid(_is_name, "a name without slashes: the run's folder is runs/NAME")


@dataclass(frozen=True)
class About:
    """What there is to know about an option besides its name, type and default."""

    help: str
    group: str | None = None  # its heading in --help
    on: tuple[str, ...] = ("train",)  # the commands that take it; (): only files set it
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    valid: Valid | None = None
    const: Any = None  # the value where the option is typed without one
    append: bool = False  # typed several times, its values make a list
    negatable: bool = True  # a flag has a --no- form
    saved: bool = True  # it is in the run's config file
    recipe: bool = True  # a recipe may set it
    result: bool = True  # it changes what comes out: a card says where it departs from the recipe
    resume: bool = False  # --resume may change it
    digits: bool = True  # it applies to the digits too
    card: str | None = None  # its row in the run's card
    public: Callable[[Any], Any] | None = None  # from a value to what a card may show of it
    absolute: Callable[[Any], Any] | None = None  # from a value to one with absolute paths


def option(help, *, default=None, **about):
    """A field of a dataclass of options; see About."""
    metadata = {"about": About(help, **about)}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def flag(name):
    """The option as it is typed.

    >>> flag("batch_size")
    '--batch-size'
    """
    return f"--{name.replace('_', '-')}"


def kind(hint):
    """(type, whether it is a list) of a field's type: (float, True) of list[float] | None."""
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    return (get_args(hint)[0], True) if get_origin(hint) is list else (hint, False)


def check(field, value):
    """Refuse a value that an option cannot have.

    Raises  ValueError: it says what came and what was expected.
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
    """Whether a value is of a type. A whole number is a number too; a truth value is not."""
    if isinstance(value, bool):
        return type is bool
    return isinstance(value, (int, float) if type is float else type)
