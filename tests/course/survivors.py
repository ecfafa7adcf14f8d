"""The mutants that may live, each with a reason: survivors.txt."""

from pathlib import Path

FILE = Path(__file__).with_name("survivors.txt")


def read():
    """id -> {what was changed: why it may live}."""
    found, id, told = {}, None, None
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith(" "):
            id, told = line.split(maxsplit=1)
        else:
            found.setdefault(id, {})[told] = line.strip()
    return found
