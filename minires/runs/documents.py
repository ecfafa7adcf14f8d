"""A run's JSON files, config.json and result.json, which are checked when they are read."""

import json


class RunError(ValueError):
    """A folder that is in use, already exists, or is not a run."""


def config(path):
    """Return (config, extensions) from config.json.

    Raises  RunError: the file is damaged.
    """
    found = _read(path, ("data", "model", "epochs", "seed"), "start a new run")
    extensions = found.pop("extensions", [])
    if not isinstance(extensions, list) or not all(map(_is_extension, extensions)):
        raise RunError(f"{path} is damaged: expected a list of extensions")
    return found, extensions


def result(path):
    """Return the facts in result.json.

    Raises  RunError: the file is damaged.
    """
    remedy = "remove it, and --resume runs the test again"
    found = _read(path, ("test_accuracy",), remedy)
    for name in found.keys() & {"test_accuracy", "epochs"}:
        if type(found[name]) not in (int, float):
            raise RunError(
                f"{path} is damaged: {name} is {found[name]!r}, expected a number; {remedy}"
            )
    return found


def as_json(facts):
    """Return facts as the bytes of a JSON file."""
    return json.dumps(facts, indent=2).encode() + b"\n"


def _is_extension(found):
    return (
        isinstance(found, dict)
        and all(type(found.get(name)) is int for name in ("from", "to", "epoch", "step"))
        and isinstance(found.get("schedule"), str)
    )


def _read(path, expected, remedy):
    """Read a dict with the `expected` keys from a JSON file.

    Raises  RunError: the file is damaged; the message says what to do.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error}): {remedy}") from None
    lacking = [name for name in expected if not isinstance(facts, dict) or name not in facts]
    if lacking:
        raise RunError(f"{path} is damaged: it lacks {', '.join(lacking)}; {remedy}")
    return facts
