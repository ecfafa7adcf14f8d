"""The public names: each package and public module lists them in __all__, and the list is complete."""

import ast
import pkgutil
from importlib import import_module
from pathlib import Path
from types import GenericAlias, ModuleType

import pytest

import minires

# Modules that nobody outside minires imports from.
INTERNAL = {
    "minires.__main__",  # python -m minires
    "minires.course.answers",  # a file per exercise, and nothing in the package itself
    "minires.course.predictions",  # what course.predict reads
    "minires.course.evidence",  # judgements that minires exercises verify puts together,
    "minires.cli.verify",  # and its checks
    "minires.fast.cuda",  # its forms are registered, and run in place of the plain ones
    "minires.files",
    "minires.names",
    "minires.streams",
    "minires.unpickling",
}


def modules():
    """Yield minires, its packages, and the modules at its top."""
    yield "minires"
    for found in pkgutil.walk_packages(minires.__path__, "minires.", onerror=lambda name: None):
        if found.ispkg or found.name.count(".") == 1:
            yield found.name


PUBLIC = sorted(set(modules()) - INTERNAL)


def own(path, name):
    """Yield the module's own names without an underscore: functions, classes, and what it assigns.

    In a package also constants, and what comes from a module of the package.
    """
    package = Path(path).name == "__init__.py"
    for node in ast.parse(Path(path).read_text(encoding="utf-8")).body:
        found = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            targets = [target for target in targets if not isinstance(target, ast.Attribute)]
            inner = [part for target in targets for part in ast.walk(target)]
            found = [part.id for part in inner if isinstance(part, ast.Name)]
            found = [part for part in found if package or not part.isupper()]
        elif isinstance(node, ast.ImportFrom) and package:
            below = f"{node.module}.".startswith(f"{name}.")
            found = [alias.asname or alias.name for alias in node.names if below]
        yield from (part for part in found if not part.startswith("_"))


def test_every_name_in_the_lists_of_this_test_exists():
    assert INTERNAL - {"minires.__main__"} <= set(modules())


@pytest.mark.parametrize("name", PUBLIC)
def test_all_lists_each_public_name_once_and_no_other(name):
    module = import_module(name)
    listed = module.__all__
    assert len(set(listed)) == len(listed)
    assert [part for part in listed if not hasattr(module, part)] == []
    assert [part for part in listed if part.startswith("_") and part != "__version__"] == []
    public = {
        part
        for part in own(module.__file__, name)
        if not isinstance(getattr(module, part), ModuleType)
    }
    assert sorted(public - set(listed)) == []


@pytest.mark.parametrize("name", PUBLIC)
def test_each_function_and_class_in_all_is_documented(name):
    module = import_module(name)
    things = {part: getattr(module, part) for part in getattr(module, "__all__", [])}
    silent = [
        part
        for part, thing in things.items()
        if callable(thing) and not (thing.__doc__ or "").strip()
        if not isinstance(thing, GenericAlias)  # the alias of a type has no docstring of its own
    ]
    assert not silent
