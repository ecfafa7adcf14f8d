"""The faster forms in use, as `minires info` and the cards of runs show them: by the file that holds them."""

from minires.backend import settings
from minires.ops.forms import FUNCTIONS


def by_file() -> dict[str, list[str]]:
    """The name of each file of forms -> the functions whose place one of its forms takes here."""
    now, found = settings(), {}
    for name, forms in FUNCTIONS.items():
        for form in forms.faster:
            if form.runs(now):
                found.setdefault(form.run.__module__.rpartition(".")[2], set()).add(name)
    return {file: sorted(names) for file, names in sorted(found.items())}


def files() -> str:
    """Those files in one line."""
    return ", ".join(by_file()) or "none: the plain forms run"
