"""A note for the teacher: which of the learner's functions are word for word the library's or the answer's, and what their files import."""

import ast
import inspect

from minires.course import folder, manifest

LEAST = 4  # statements; shorter functions look alike by chance
USUAL = {"numpy", "math", "itertools", "functools", "collections", "typing", "dataclasses", "minires"}  # fmt: skip
INSIDE = ("minires.fast", "minires.course")  # of minires, what no exercise asks for


def copied(ids, home):
    """Return the names of functions in the learner's files that are copies, as "05e conv2d"; comments and docstrings don't count."""
    found = []
    for id in ids:
        exercise = manifest.exercises()[id]
        known = set()
        for module in _modules(exercise):
            known.update(text for _, text in _functions(inspect.getsource(module)))
        for name, text in _functions(_text(home / exercise.file)):
            if text in known:
                found.append(f"{id} {name}")
    return found


def imported(ids, home):
    """Return the names of modules that the learner's files import, except for usual ones, those of the course and each other."""
    usual = USUAL | {exercise.module for exercise in manifest.exercises().values()}
    found = {}
    for id in ids:
        for node in ast.walk(_tree(_text(home / manifest.exercises()[id].file))):
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            else:
                names = [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                if name.split(".")[0] not in usual or name.startswith(INSIDE):
                    found[name] = True
    return list(found)


def _modules(exercise):
    """Return the modules that contain the exercise's solution."""
    dotted = [exercise.library, exercise.target]
    modules = [inspect.getmodule(inspect.unwrap(manifest.resolve(name))) for name in dotted if name]
    return {*modules, exercise.answers()}


def _functions(source):
    """Return (name, syntax tree as text) of each function and method of at least LEAST statements, without its docstring."""
    found = []
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if sum(isinstance(each, ast.stmt) for part in body for each in ast.walk(part)) >= LEAST:
                found.append((node.name, "\n".join(ast.dump(part) for part in body)))
    return found


def _tree(source):
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.parse("")


def _text(path):
    try:
        return folder.source(path)
    except (OSError, SyntaxError):
        return ""
