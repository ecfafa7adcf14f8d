"""The faster forms in use, listed by file for `minires info` and the cards of runs."""

from minires.backend import settings
from minires.ops.forms import FUNCTIONS


def by_file() -> dict[str, list[str]]:
    """Return the name of each file of forms -> the functions that its forms replace here."""
    now, found = settings(), {}
    for name, forms in FUNCTIONS.items():
        for form in forms.faster:
            if form.runs(now):
                found.setdefault(form.run.__module__.rpartition(".")[2], set()).add(name)
    return {file: sorted(names) for file, names in sorted(found.items())}


def files() -> str:
    """Return the names of those files in one line."""
    return ", ".join(by_file()) or "none: the plain forms run"
