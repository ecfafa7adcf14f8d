"""What outlives a call: three objects, and nothing else. Read from the source, and seen in a run."""

import ast
import enum
import functools
import re
import types
import typing
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy

from minires import Tensor, backend, data, functional, models, ops, optim
from minires.train import evaluate, train_epoch
from tests.sources import (
    FILES,
    METHODS,
    PACKAGE,
    by_file,
    imports,
    module,
    nodes,
    relative,
    root,
    tree,
    variables,
    write,
    written,
)

# The state. Each has its lock: settings._lock, Process.lock, and NumPy's own in a bit generator.
STATE = {
    "backend/settings.py": {"_default", "_lock"},
    "fast/parts.py": {"PROCESS"},
    "nn/init.py": {"_generator"},
}
# A context variable is a thread's own; what it holds ends with the block that set it.
CONTEXT = {"backend/settings.py": {"_override"}, "course/chunks.py": {"_here"}}
# Filled while modules are imported, and by whoever registers a form.
FORMS = {"ops/forms.py": {"FUNCTIONS", "EVERY_OP"}}
# Objects of other classes, with nothing in them that changes.
STATELESS = {
    "backend/settings.py": {"xp"},
    "backend/strict.py": {"lib"},
    "course/answers/e14f_check_batches.py": {"MEAN"},  # an array that nothing writes to
    "course/layouts.py": {"AS_IT_IS", "OTHERS"},
    "course/plugin.py": {"SEEN"},
}
# Functions that remember what they gave: it depends on their arguments alone.
CACHED = {
    "backend/machine.py": {"cores"},
    "backend/precision.py": {"_tried", "accumulation_dtype", "is_half"},
    "cli/gpu.py": {"_announce"},  # it gives nothing; what it prints is printed once
    "course/chapters.py": {"chapters"},
    "course/diagnosis.py": {"_known"},  # how known mistakes fare under the claims of a file
    "course/manifest.py": {"exercises"},
    "course/predictions/__init__.py": {"predictions"},
    "course/runner.py": {"_compiled"},
    "fast/cuda/cublas.py": {"functions"},
    "fast/cuda/device.py": {"_compiled", "_memory", "_products"},
    "fast/cuda/gemm.py": {"_factors", "_kind"},
    "fast/cuda/start.py": {"_named", "run_length", "source"},
    "fast/cuda/winograd.py": {"_constants"},
    "fast/tiles.py": {"_made"},  # arrays that nothing writes to
}
# Writes to something imported: ops become methods of Tensor, every op gets its forms, files are loaded as modules.
WRITTEN_ELSEWHERE = {
    "functional.py": {"Tensor.reshape", "Tensor.transpose", "setattr(Tensor"},
    "fast/half.py": {"EVERY_OP.faster"},
    "course/predictions/fold.py": {"sys.stdout", "sys.displayhook"},  # to the end of a cell
    "course/diagnosis.py": {"sys.modules[exercise.module]", "sys.modules.pop"},
    "course/folder.py": {"sys.modules[name]", "sys.modules.pop"},
    "course/plugin.py": {"sys.modules[exercise.module]"},
    "course/runner.py": {"sys.modules[exercise.module]", "sys.path.append"},
    "streams.py": {"setattr(sys"},  # a stream where there is none
}
CONSTANTS = (
    type(None), bool, int, float, complex, str, bytes, slice, range, enum.Enum, Path, re.Pattern, numpy.dtype, numpy.generic, numpy.ufunc,
    type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.GenericAlias, typing.TypeVar, functools._lru_cache_wrapper,
)  # fmt: skip


def kind(value):
    """ "constant", "table" (a dict, list or set of constants), or "state": anything else, which may change."""
    if isinstance(value, functools.partial):
        return kind((value.func, value.args, value.keywords)).replace("table", "constant")
    if is_dataclass(value) and type(value).__dataclass_params__.frozen:
        parts = {kind(getattr(value, field.name)) for field in fields(value)}
    elif isinstance(value, (dict, types.MappingProxyType)):
        parts = {kind(part) for part in value.values()}
    elif isinstance(value, (tuple, list, set, frozenset)):  # NamedTuples too
        parts = {kind(part) for part in value}
    elif (
        isinstance(value, CONSTANTS) or typing.get_origin(value) is not None or value is typing.Any
    ):
        return "constant"
    else:
        return "state"
    if "state" in parts:
        return "state"
    return "table" if "table" in parts or isinstance(value, (dict, list, set)) else "constant"


def pairs(*tables):
    """{(file, name), ...} of {file: {name, ...}}."""
    return {(file, name) for table in tables for file, names in table.items() for name in names}


def declared_global(path):
    """The names that functions of a file bind anew in their module."""
    return {name for node in nodes(path) if isinstance(node, ast.Global) for name in node.names}


def test_only_the_settings_have_a_global_statement():
    found = by_file((path, name) for path in FILES for name in declared_global(path))
    assert found == {"backend/settings.py": {"_default"}}


def test_the_mutable_state_is_three_objects():
    found = by_file(
        (path, name)
        for path in FILES
        for name, value in variables(path).items()
        if kind(value) == "state" or name in declared_global(path)
    )
    assert pairs(found) == pairs(STATE, CONTEXT, FORMS, STATELESS)
    assert len(pairs(STATE) - {("backend/settings.py", "_lock")}) == 3


def test_each_state_has_its_lock():
    settings, parts, init = (module(PACKAGE / file) for file in STATE)
    assert isinstance(parts.PROCESS.lock, type(settings._lock))
    assert hasattr(init._generator.bit_generator, "lock")
    source = nodes(PACKAGE / "backend/settings.py")
    blocks = [ast.unparse(node) for node in source if isinstance(node, ast.With)]
    writes = [
        ast.unparse(n)
        for n in source
        if isinstance(n, ast.Assign) and ast.unparse(n).startswith("_default = replace")
    ]
    assert "with _lock:\n    _default = replace(_default, **changes)" in blocks
    assert writes == ["_default = replace(_default, **changes)"]


def test_what_is_stateless_has_nothing_that_changes():
    for file, name in pairs(STATELESS):
        held = getattr(variables(PACKAGE / file)[name], "__dict__", {})
        functions = {key: part for value in held.values() for key, part in vars(value).items()}
        assert all(not vars(part).keys() - {"_function"} for part in functions.values()), (
            file,
            name,
        )


def test_the_functions_that_remember_what_they_gave_are_these():
    found = by_file(
        (path, node.name)
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef)
        and any(
            re.search(r"\b(lru_)?cache\b", ast.unparse(decorator))
            for decorator in node.decorator_list
        )
    )
    assert found == CACHED


def test_thread_locals_and_context_variables_are_those_of_the_state():
    found = by_file(
        (path, name)
        for path in FILES
        for name in ("threading.local", "contextvars", "ContextVar")
        for origin in {
            *imports(path).values(),
            *(ast.unparse(n) for n in nodes(path) if isinstance(n, ast.Attribute)),
        }
        if name in origin
    )
    assert found == {
        "backend/settings.py": {"contextvars", "ContextVar"},
        "course/chunks.py": {"contextvars", "ContextVar"},
        "fast/parts.py": {"threading.local"},
    }


def test_no_table_function_or_class_of_a_module_is_written_to_but_the_table_of_the_forms():
    found = set()
    for path in FILES:
        if "course/answers/" not in relative(path):  # there known mistakes get their names
            own = variables(path).keys() | {
                node.name
                for node in tree(path).body
                if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            }
            own -= {name for file, name in pairs(STATE, CONTEXT) if file == relative(path)}
            found |= {(path, text) for name, text in written(tree(path)) if name in own}
    assert by_file(found) == {"ops/forms.py": {"FUNCTIONS[name]"}}


def test_nothing_is_written_to_what_was_imported_from_elsewhere():
    """No monkeypatch: not to a module, a class, a function or a table of another file."""
    found = set()
    for path in FILES:
        origins = imports(path)
        for name, text in written(tree(path)):
            if name in origins:
                ours = origins[name].startswith("minires.") and not origins[name].endswith(".xp")
                is_function = text.split(".")[1:] in ([method] for method in METHODS)
                if ours or not is_function:  # numpy.sort, os.remove
                    found.add((path, text))
    assert by_file(found) == WRITTEN_ELSEWHERE


def test_no_class_and_no_namespace_is_changed_from_behind():
    """No object.__class__ = ..., no globals(), no exec but for a learner's file."""
    for path in FILES:
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                assert not re.fullmatch(r"__(class|dict|code|globals|bases)__", node.attr), (
                    relative(path)
                )
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("globals", "exec", "eval"):
                assert relative(path).startswith("course/"), relative(path)


def test_no_argument_defaults_to_something_that_can_change():
    for path in FILES:
        for node in nodes(path):
            if isinstance(node, ast.arguments):
                for default in (*node.defaults, *filter(None, node.kw_defaults)):
                    assert not isinstance(
                        default, (ast.Dict, ast.List, ast.Set, ast.ListComp, ast.DictComp)
                    ), relative(path)
                    made = ast.unparse(default.func) if isinstance(default, ast.Call) else ""
                    assert made not in ("dict", "list", "set", "deque", "defaultdict", "Counter"), (
                        relative(path)
                    )


def test_no_class_has_a_list_dict_or_set_of_its_own_that_is_written_to():
    for path in FILES:
        texts = {text for name, text in map(write, nodes(path)) if name is not None}
        changed = {
            attribute for text in texts for attribute in re.findall(r"\.(\w+)(?=\[|\.)", text)
        }
        for cls in (node for node in nodes(path) if isinstance(node, ast.ClassDef)):
            for node in cls.body:
                if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                    if any(
                        isinstance(part, (ast.Dict, ast.List, ast.Set))
                        for part in ast.walk(node.value)
                    ):
                        targets = getattr(node, "targets", [getattr(node, "target", None)])
                        names = {root(part) for target in targets for part in ast.walk(target)}
                        assert not names & changed, (relative(path), cls.name)


def snapshot(value):
    """What a table holds; objects by their identity, and of forms which ones there are."""
    if isinstance(value, (dict, types.MappingProxyType)):
        return {key: snapshot(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [snapshot(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return set(value)
    if isinstance(value, ops.forms.Forms):
        return value.plain, value.name, value.faster, value.default
    return value if isinstance(value, (int, float, str, bytes, type(None))) else id(value)


def test_training_evaluating_and_switching_change_none_of_it():
    tables = {
        (relative(path), name): value
        for path in FILES
        for name, value in variables(path).items()
        if kind(value) != "constant"
    }
    tables = {key: value for key, value in tables.items() if key not in pairs(STATE, CONTEXT)}
    assert {
        *pairs(FORMS),
        ("backend/library.py", "LOADERS"),
        ("fast/half.py", "MOVES"),
    } <= tables.keys()
    before, default = snapshot(tables), backend.settings()
    images = numpy.random.default_rng(0).integers(0, 256, (16, 8, 8, 3), numpy.uint8)
    noise = data.Dataset(images, numpy.arange(16) % 4, classes=list("abcd"), name="noise")
    for context in (
        ops.without(),
        ops.plain(),
        ops.without("winograd", "blocks"),
        backend.using("strict"),
        backend.autocast("float16"),
        ops.standing_in(relu=lambda x: ops.relu.default(x)),
        backend.using(threads=3),
    ):
        with context:
            model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), num_classes=4)
            parameters, rate = model.parameters(), optim.cosine(0.1, steps=9)
            for optimizer in (optim.SGD(parameters, lr=rate, momentum=0.9), optim.Adam(parameters)):
                train_epoch(
                    model, data.batches(noise, 8, seed=0, crop=1, flip=True, cutout=2), optimizer
                )
            evaluate(model, data.batches(noise, 8), flips=True)
            functional.softmax(Tensor([[1.0, 2.0]], requires_grad=True)).sum().backward()
    backend.use("numpy")
    assert snapshot(tables) == before
    assert backend.settings() == default
