"""A name that must be one of a few: the error that gives the nearest."""

import difflib
from os.path import commonprefix


def check(kind, name, known, error=ValueError, *, listed=None):
    """`name`, if it is among the `known`.

    Raises  `error`: it is not; the message lists them, or those that are `listed`, and says which one was probably meant.
    """
    known = list(known)
    if name in known:
        return name
    near = difflib.get_close_matches(str(name), map(str, known), n=5)
    nearest = max(near, key=lambda other: len(commonprefix([str(name), other])), default=None)  # noqa: RUF071  names, not paths
    hint = f"; did you mean {nearest!r}?" if near else ""
    raise error(f"unknown {kind} {name!r}: there are {', '.join(map(str, listed or known))}{hint}")
