"""The mutants that may live, each with a reason: survivors/NN.txt, one file a chapter."""

from pathlib import Path

FOLDER = Path(__file__).with_name("survivors")


def read():
    """id -> {what was changed: why it may live}."""
    found, id, told = {}, None, None
    lines = [
        line
        for path in sorted(FOLDER.glob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith(" "):
            id, told = line.split(maxsplit=1)
        else:
            found.setdefault(id, {})[told] = line.strip()
    return found
