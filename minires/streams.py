"""Standard output and error that take any text, whatever characters the terminal lacks."""

import os
import sys


def take_any_text():
    """Let stdout and stderr escape the characters that their encoding lacks, and write each line at once.

    If there is no such stream, as under pythonw, output to it is discarded.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
