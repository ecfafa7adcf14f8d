"""Phrases that make a reader stumble, or that a machine translation leaves: none in chapters, docstrings, messages or documents."""

import ast
import re
import tomllib

import pytest

from tests import chapters
from tests.sources import PACKAGE

LINES = (chapters.ROOT / "tests" / "phrases.txt").read_text(encoding="utf-8").splitlines()
PATTERNS = [re.compile(line.split("\t")[0], re.IGNORECASE) for line in LINES if line.strip()]
SOURCES = [*sorted(PACKAGE.rglob("*.py")), *sorted((chapters.ROOT / "exercises").glob("*.py"))]
DOCUMENTS = [
    *sorted(chapters.ROOT.glob("*.md")),
    *sorted(chapters.ROOT.glob("docs/*.md")),
    *sorted(chapters.ROOT.glob("chapters/*.md")),
]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
TABLES = sorted((PACKAGE / "course").glob("*/*.toml"))


def hits(texts):
    """What is found in these texts, with some words around it. Each paragraph is one line."""
    found = []
    for text in texts:
        for paragraph in re.split(r"\n\s*\n", text):
            line = chapters.flat(paragraph)
            for pattern in PATTERNS:
                found += [
                    f"{match[0]!r} in ...{line[max(match.start() - 40, 0) : match.end() + 40]}..."
                    for match in pattern.finditer(line)
                ]
    return found


def strings(text):
    """The strings of a source; a docstring begins with its quotes, which some patterns ask for."""
    nodes = list(ast.walk(ast.parse(text)))
    documented = [
        node for node in nodes if isinstance(node, DOCUMENTED) and ast.get_docstring(node)
    ]
    docstrings = {id(node.body[0].value) for node in documented}
    return [
        ('"""' if id(node) in docstrings else "") + node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    ]


def values(table):
    if isinstance(table, str):
        return [table]
    inner = table.values() if isinstance(table, dict) else table if isinstance(table, list) else ()
    return [text for value in inner for text in values(value)]


@pytest.mark.parametrize("path", chapters.PATHS, ids=lambda path: path.stem)
def test_none_in_a_chapter(path):
    cells = chapters.cells(path)
    code = [text for cell in cells if cell.cell_type == "code" for text in strings(cell.source)]
    found = hits([cell.source for cell in cells if cell.cell_type == "markdown"] + code)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(chapters.ROOT).as_posix())  # fmt: skip
def test_none_in_docstrings_and_messages(path):
    texts = strings(path.read_text(encoding="utf-8"))
    if (
        path.parent.name == "answers"
    ):  # there a docstring ends the sentence "This is what comes out when ..."
        texts = [text.removeprefix('"""') for text in texts]
    found = hits(texts)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_none_in_tasks_hints_and_predictions(path):
    found = hits(values(tomllib.loads(path.read_text(encoding="utf-8"))))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_none_in_documents(path):
    found = hits([path.read_text(encoding="utf-8")])
    assert not found, "\n".join(found)


def test_a_docstring_is_read_with_its_quotes():
    assert hits(strings('def f():\n    """What it does."""')) and not hits(
        strings('f("What it does.")')
    )


def test_they_are_found_where_they_are():
    assert hits(["Some 80 minutes,\nand for so it is.", "who looks"]) and not hits(
        ["About 80 minutes."]
    )
