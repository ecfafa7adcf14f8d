"""The learner's files, cut from the library's source: a placeholder replaces the body, signature and docstring stay.

python -m minires.course.stubs            write the missing ones (--force: all; solved ones are overwritten)
python -m minires.course.stubs --check    list the committed ones that are out of date
"""

import argparse
import ast
import inspect
import re
import sys
import textwrap
from pathlib import Path

from minires import files
from minires.course import manifest


def cut(exercise):
    """Return the text of the learner's file as provided."""
    body = (
        _hunted(exercise) if exercise.kind == "bug hunt" else with_holes(exercise, source(exercise))
    )
    imports = "\n".join(exercise.imports) + "\n\n\n" if exercise.imports else "\n"
    return f'"""{_headline(exercise)}"""\n\n{imports}{body}'


def _headline(exercise):
    check = f"pytest exercises/{exercise.test}"
    return f"Exercise {exercise.id}, chapter {exercise.chapter:02d}, {exercise.minutes} minutes: {exercise.title}. Check: {check}"


def source(exercise):
    """Return the source of the reference, without decorators."""
    return plain(exercise.reference())


def plain(function):
    """Return the source of a function or class, without its decorators, those of forms, and annotations."""
    text = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    text = text[re.search(r"^(def|class) ", text, re.MULTILINE).start() :]
    return _untyped(re.sub(r"^ *@has_forms\n", "", text, flags=re.MULTILINE))


def _untyped(text):
    """Return a source without annotations; each signature that had some is on one line."""
    lines = text.splitlines(keepends=True)
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    # From the last to the first, so that earlier line numbers stay valid.
    for node in sorted(functions, key=lambda node: -node.lineno):
        arguments = [part for part in ast.walk(node.args) if isinstance(part, ast.arg)]
        if node.returns is None and not any(argument.annotation for argument in arguments):
            continue
        for argument in arguments:
            argument.annotation = None
        inner = re.sub(r"e-0(\d)", r"e-\1", ast.unparse(node.args).replace("'", '"'))  # 1e-05: 1e-5
        signature = f"{' ' * node.col_offset}def {node.name}({inner}):\n"
        lines[node.lineno - 1 : node.body[0].lineno - 1] = [signature]
    return "".join(lines)


def with_holes(exercise, text):
    """Return the source `text` of a function or class, with placeholders where the learner writes."""
    tree = ast.parse(text).body[0]
    if not isinstance(tree, ast.ClassDef):
        return _hole(exercise, tree, text, "", exercise.task)
    lines = text.splitlines()
    parts = [_signature(lines, tree), _docstring(tree, "    ", exercise.task, exercise.hides)]
    for node in tree.body:
        if isinstance(node, ast.Expr):
            continue
        own = "\n".join(lines[_first(node) - 1 : node.end_lineno]) + "\n"
        holed = isinstance(node, ast.FunctionDef) and node.name in exercise.holes
        parts.append("\n" + (_hole(exercise, node, text, "    ", "") if holed else own))
    return "".join(parts)


def _hole(exercise, node, text, indent, task):
    inner = indent + "    "
    what = exercise.function if not indent else f"{exercise.function}.{node.name}"
    raises = f'{inner}raise NotImplementedError("exercise {exercise.id}: write {what}")\n'
    said = _docstring(node, inner, task, exercise.hides)
    return _signature(text.splitlines(), node) + said + raises


def _signature(lines, node):
    """Return the source from `def` to the colon."""
    end = node.body[0].lineno - 1
    return "\n".join(line for line in lines[node.lineno - 1 : end] if line.strip()) + "\n"


def _first(node):
    return min(
        [node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]
    )


def _docstring(node, indent, task, hides):
    """Return the docstring, without its Raises and the lines that begin as `hides` says, and with the task."""
    text = ast.get_docstring(node) or ""
    text = re.sub(r"^Raises  .*\n?(?:^(?!\w+  ).+\n?)*", "", text, flags=re.MULTILINE)
    lines = [line for line in text.splitlines() if not line.startswith(hides)]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    text = "\n\n".join(part for part in (text, task) if part)
    if not text:
        return ""
    if "\n" not in text:
        return f'{indent}"""{text}"""\n'
    return textwrap.indent(f'"""{text}\n"""\n', indent, lambda line: line.strip() != "")


def _hunted(exercise):
    """Return the source of the wrong function, under the name and with the docstring of the right one."""
    function = exercise.answers().hunted
    text = re.sub(r"^def hunted\(", f"def {exercise.function}(", plain(function), count=1)
    node = ast.parse(text).body[0]
    lines = text.splitlines()
    rest = "\n".join(lines[node.body[0].end_lineno :]) + "\n"
    # The docstring of the wrong function gives its fault away.
    said = ast.parse(source(exercise)).body[0]
    return _signature(lines, node) + _docstring(said, "    ", exercise.task, exercise.hides) + rest


def write(exercise, folder):
    """Write the learner's file as provided, over any that exists.

    Raises  OSError: it cannot be written; the old file stays.
    """
    files.write(Path(folder) / exercise.file, cut(exercise).encode())


def main(arguments=None):
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m minires.course.stubs", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--check", action="store_true", help="only list the files that differ")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    options = parser.parse_args(arguments)
    folder = Path(__file__).parents[2] / "exercises"
    status = 0
    for exercise in manifest.exercises().values():
        path = folder / exercise.file
        if path.exists() and path.read_text(encoding="utf-8") == cut(exercise):
            continue
        if options.check or (path.exists() and not options.force):
            print(
                f"{path.name} {'differs from what the sources give' if path.exists() else 'is missing'}"
            )
            status = 1
        else:
            write(exercise, folder)
            print(f"wrote {path.name}")
    return status


if __name__ == "__main__":
    sys.exit(main())
