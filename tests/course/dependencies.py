"""The files that the verdicts on an exercise depend on: what its checks import, directly or not, and what they read."""

import ast
import functools
import inspect

from minires.course import manifest
from tests.course.trials import BANKS, ROOT, TESTS, parts

CHECKER = "tests.course.table"
DATA = ROOT / "minires" / "data" / "digits.npz"
# What course imports for notebooks alone; test_verdicts fails if claims ever load it.
PAGES = ("minires.course.chapters", "minires.course.listing", "minires.course.predictions")
# Of these packages only the exercise's own module.
DYNAMIC = ("minires.course.answers", *BANKS)


def files(exercise):
    """All of them, sorted: the closure of the imports from the checker, the claims, the solutions and the answers, and the digits.

    An import inside a function counts like any other. So a change that can't reach a verdict may cost a run, but none
    that can is missed. Not in it: what nothing here imports (cli, recipes, show, ...), the pages of notebooks, and CUDA sources, which NumPy doesn't run.
    """
    modules = [CHECKER, *(f"{package}.{exercise.module}" for package in DYNAMIC)]
    modules += [inspect.unwrap(part).__module__ for part in parts(exercise)]
    modules += [
        getattr(manifest.resolve(dotted), "__module__", None) or dotted
        for dotted in exercise.poisoned
    ]
    claims = TESTS / exercise.test
    return sorted({claims, DATA}.union(*map(closure, [*modules, *imported(claims)])))


@functools.cache
def closure(module):
    """The files of this repository that importing a module may run."""
    found, todo = set(), [module]
    while todo:
        name = todo.pop()
        path = file_of(name)
        if path is not None and path not in found and not name.startswith(PAGES):
            found.add(path)
            todo += imported(path)
            todo += [name.rpartition(".")[0]]  # the package comes first
    return frozenset(found)


@functools.cache
def imported(path):
    """The dotted names that a file imports. Of "from a import b" both a and a.b, as b may be a module."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


def file_of(module):
    """Return the file of one of our modules; None for other modules, and for a name that is not a module."""
    if module.partition(".")[0] not in ("minires", "tests"):
        return None
    path = ROOT.joinpath(*module.split("."))
    return next(
        (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None
    )
