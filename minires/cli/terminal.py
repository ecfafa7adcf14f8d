"""Colour and line breaks for terminals."""

import os
import sys
import textwrap

BOLD, RED, RESET = "\033[1m", "\033[31m", "\033[0m"


def is_terminal(*streams):
    """Return True if all these streams are terminals.

    Under Open MPI's launcher, none is: it gives each process a terminal of its own, even if the output goes into a file.
    """
    if "OMPI_COMM_WORLD_SIZE" in os.environ:
        return False
    return all(stream is not None and stream.isatty() for stream in streams)


def coloured(stream):
    """Return True if text for a stream may be coloured. NO_COLOR (https://no-color.org) and FORCE_COLOR come first."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    old = (
        os.name == "nt" and "WT_SESSION" not in os.environ
    )  # a console of older versions of Windows
    return is_terminal(stream) and not old and os.environ.get("TERM") != "dumb"


def bold(text):
    """Return text for stdout, in bold where colour is allowed."""
    return f"{BOLD}{text}{RESET}" if coloured(sys.stdout) else text


def red(text):
    """Return text for stderr, in red where colour is allowed."""
    return f"{RED}{text}{RESET}" if coloured(sys.stderr) else text


def columns():
    """Return the width of the terminal, or 80 if stdout is not one."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def wrapped(text):
    """Return text for stdout, with line breaks between words if stdout is a terminal."""
    if not is_terminal(sys.stdout):
        return text
    options = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": "    "}
    return textwrap.fill(text, columns(), replace_whitespace=False, **options)
