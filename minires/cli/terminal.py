"""What a terminal is told differently from a file: colour, and lines that break between words."""

import os
import sys
import textwrap

BOLD, RED, RESET = "\033[1m", "\033[31m", "\033[0m"


def is_terminal(*streams):
    """True if all of these streams, such as sys.stdout, are terminals."""
    return all(stream is not None and stream.isatty() for stream in streams)


def coloured(stream):
    """True if text for a stream may be coloured. NO_COLOR (https://no-color.org) and FORCE_COLOR decide first."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    old = os.name == "nt" and "WT_SESSION" not in os.environ  # the console of older Windows
    return is_terminal(stream) and not old and os.environ.get("TERM") != "dumb"


def bold(text):
    """The text in bold, for stdout."""
    return f"{BOLD}{text}{RESET}" if coloured(sys.stdout) else text


def red(text):
    """The text in red, for stderr."""
    return f"{RED}{text}{RESET}" if coloured(sys.stderr) else text


def columns():
    """The width of the terminal that stdout is."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):  # it is none
        return 80


def wrapped(text):
    """The text, for stdout; in a terminal its lines break between words, not within them."""
    if not is_terminal(sys.stdout):
        return text
    options = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": "    "}
    return textwrap.fill(text, columns(), replace_whitespace=False, **options)
