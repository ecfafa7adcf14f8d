"""Messages about data that is being read: a line on stderr."""

import sys


def notice(sentence: str) -> None:
    """Print a sentence on stderr."""
    print(f"minires: {sentence}", file=sys.stderr)
