"""The check that a name is one of those known, and the error that suggests the nearest."""

import difflib
from os.path import commonprefix


def check(kind, name, known, error=ValueError, *, listed=None):
    """Return `name`, if it is among the `known`.

    Raises  `error`: it is not; the message lists the known names, or `listed`, and suggests the one that was probably meant.
    """
    known = list(known)
    if name in known:
        return name
    near = difflib.get_close_matches(str(name), map(str, known), n=5)
    nearest = max(near, key=lambda other: len(commonprefix([str(name), other])), default=None)  # noqa: RUF071  names, not paths
    hint = f"; did you mean {nearest!r}?" if near else ""
    raise error(
        f"unknown {kind} {name!r}: choose from {', '.join(map(str, listed or known))}{hint}"
    )
