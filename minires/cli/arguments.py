"""Arguments of argparse, for the options of a command."""

import argparse
from dataclasses import fields

from minires.cli.about import NOUNS, flag, kind
from minires.cli.options import Options


def add_options(parser, command, **help):
    """Add a command's options to its parser. An option that is not typed is missing from the result.

    help  texts that replace those of options: name -> text
    """
    groups = {None: parser}
    for field in fields(Options):
        about = field.metadata["about"]
        if command not in about.on:
            continue
        heading = about.group if command == "train" or about.group in ("data", "model") else None
        if heading not in groups:
            groups[heading] = parser.add_argument_group(heading)
        text = help.get(field.name, about.help)
        how = {"help": text, "default": argparse.SUPPRESS, **_how(field, about)}
        groups[heading].add_argument(flag(field.name), **how)


def _how(field, about):
    """Return the arguments of add_argument() for a field."""
    one, many = kind(field.type)
    if one is bool:
        return {"action": argparse.BooleanOptionalAction if about.negatable else "store_true"}
    how = {"type": _reader(one, many and not about.append), "metavar": about.metavar}
    if about.const is not None:
        return {**how, "nargs": "?", "const": about.const}
    if about.append:
        return {**how, "action": "append"}
    return {**how, "nargs": "+"} if many else how


def _reader(type, many=False):
    """Return a function from typed text to a value of a type. many  the option takes all values up to the next option"""

    def read(text):
        try:
            return type(text)
        except ValueError:
            hint = "; file names go before the options" if many and "." in text else ""
            raise argparse.ArgumentTypeError(
                f"expected {NOUNS[type]}, got {text!r}{hint}"
            ) from None

    return read
