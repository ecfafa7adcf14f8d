"""Errors of the learner's code, in a few lines that any terminal can show and any file can store."""

import traceback
from pathlib import Path

from minires.course.contained import Ended, contained

LONGEST, LINES = 2000, 30  # characters and lines of an exception's message


def trouble(error, home):
    """Return an exception in a few lines: for a wrong answer its message; for a crash also the learner's line."""
    try:
        with contained():
            return printable(_lines(error, Path(home)), 2 * LONGEST)
    except Exception:
        return f"{type(error).__name__}: its message cannot be shown"


def message(error):
    """Return str(error), cut and printable, whatever its __str__ does."""
    try:
        with contained():
            lines = printable(str(error)).split("\n")
    except Exception as inner:
        return f"its message cannot be shown: __str__ raised {type(inner).__name__}"
    more = [f"... ({len(lines) - LINES} more lines)"] if len(lines) > LINES else []
    return "\n".join(lines[:LINES] + more)


def printable(text, longest=LONGEST):
    """Return a text with control characters, other than newline and tab, and lone surrogates escaped; a long one is cut."""
    shown = "".join(map(_escaped, text[:longest].replace("\r\n", "\n")))
    more = len(text) - longest
    return f"{shown} ... ({more:,} more characters)" if more > 0 else shown


def _escaped(character):
    if character.isprintable() or character in "\n\t":
        return character
    return character.encode("unicode_escape").decode()


def _lines(error, home):
    told = message(error)
    notes = [str(note) for note in getattr(error, "__notes__", [])]
    if isinstance(error, AssertionError) and told:
        return "\n".join([told, *notes])
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        where = f"{Path(error.filename).name}, line {error.lineno}"
        said = f"{where}: {type(error).__name__}: {error.msg}"
        return f"{said}\n  {error.text.strip()}" if error.text else said
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).parent == home
    ]
    frames = [
        frame for frame in frames if not Path(frame.filename).name.startswith("test_")
    ] or frames
    lines = [
        f"{Path(frame.filename).name}, line {frame.lineno}: {frame.line}" for frame in frames[-1:]
    ]
    name = "" if isinstance(error, Ended) else type(error).__name__
    said = ": ".join(filter(None, [name, told]))
    return "\n".join([*lines, said, *notes])
