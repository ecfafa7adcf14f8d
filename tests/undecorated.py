"""A copy of the project in which decorators that add forms are assignments, as mutmut leaves decorated functions alone.

    python -m tests.undecorated build/mutants     then `make mutants` runs mutmut there

`@op` above `def relu` becomes `relu = op(relu)` below it; so do `@has_forms` and `@faster(...)`.
"""

import ast
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = ("minires", "tests", "exercises", "chapters", "pyproject.toml", "README.md", "LICENSE")
NAMES = {"op", "has_forms", "faster"}


def undecorated(text):
    """The source with each such decorator as an assignment."""
    lines, insertions = text.split("\n"), []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and len(node.decorator_list) == 1:
            decorator = node.decorator_list[0]
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(called, ast.Name) and called.id in NAMES:
                insertions.append((node, decorator))
    for node, decorator in sorted(insertions, key=lambda pair: -pair[0].lineno):
        written = ast.get_source_segment(text, decorator)
        indent = " " * node.col_offset
        lines[node.end_lineno : node.end_lineno] = [f"{indent}{node.name} = {written}({node.name})"]
        for number in range(decorator.lineno, decorator.end_lineno + 1):
            lines[number - 1] = ""
    return "\n".join(lines)


def main(destination):
    """Make the copy, replacing an earlier one."""
    destination = Path(destination)
    shutil.rmtree(destination, ignore_errors=True)
    destination.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, destination / name, ignore=ignored)
        else:
            shutil.copyfile(source, destination / name)
    for path in (destination / "minires").rglob("*.py"):
        path.write_text(undecorated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
