"""How much there is to read: one training step is short, and docs/reading.md leads through all of it. `-s` prints the table."""

import re
from pathlib import Path

import pytest

from benchmarks import figures, reading
from benchmarks.reading import PACKAGE, traced
from minires import ops


@pytest.fixture(scope="module")
def step():
    return reading.training_step()


def row(name, found):
    files, codes, lines = found
    whole = sum(len(Path(file).read_text(encoding="utf-8").splitlines()) for file in files)
    print(
        f"\n{name:8} {len(files):6} files {len(codes):6} functions {len(lines):6} lines, of {whole:6,} in those files",
        end="",
    )
    return len(files), len(codes), len(lines)


@pytest.mark.parametrize(
    ("forms", "most"),
    [(ops.plain, (18, 110, 325)), (ops.without, (29, 216, 689))],
    ids=["plain", "default"],
)
def test_a_step_of_training_is_short_to_read(step, forms, most, request):
    with forms():
        step()  # which forms run is found out at the first call
        found = traced(step)
    assert all(a <= b for a, b in zip(row(request.node.callspec.id, found), most, strict=True))
    room = {Path(file).relative_to(PACKAGE).parts[0] for file in found[0]}
    assert ("fast" in room) == (forms is not ops.plain)
    assert {
        "train.py",
        "tensor.py",
        "graph.py",
        "ops",
        "nn",
        "models",
        "optim",
    } <= room


def test_the_tracer_counts_what_runs():
    """Against a function whose lines can be counted by eye: names.check, of a name that is known and of one that is not."""
    from minires import names

    files, codes, lines = traced(lambda: names.check("kind", "a", ["a", "b"]))
    assert {Path(file).name for file in files} == {"names.py"}
    assert [code.co_name for code in codes] == ["check"] and len(lines) == 3

    def fails():
        with pytest.raises(ValueError, match="unknown kind"):
            names.check("kind", "c", ["a", "b"])

    _, codes, more = traced(fails)
    assert {code.co_name for code in codes} >= {"check"} and lines - more and more - lines


PAGE = Path(__file__).parents[1] / "docs" / "reading.md"


def test_the_page_leads_through_all_files_of_a_step_once_each():
    """And benchmarks.figures writes its counts, which tests/test_results.py compares."""
    listed = re.findall(
        r"^\| \[(\S+)\]\(\.\./minires/\1\) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(reading.plain_step())


def test_each_file_comes_after_those_that_it_imports():
    """Among the files of the page; settings and forms may be left for later, as ops need only know their names."""
    listed = re.findall(r"^\| \[(\S+)\]", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for i, file in enumerate(listed):
        later = {other.removesuffix(".py").replace("/", ".") for other in listed[i + 1 :]}
        later -= {"backend.settings", "ops.forms"}
        imported = re.findall(
            r"^from minires\.(\S+) import",
            (PACKAGE / file).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        assert not later & set(imported), file


def test_the_names_that_the_page_mentions_exist():
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| \[(\S+)\]\(\S+\) \| \S+ \| (.*) \|$", line)
        if row:
            source = (PACKAGE / row[1]).read_text(encoding="utf-8")
            for name in re.findall(r"`([A-Za-z_0-9.]+)`", row[2]):
                last = name.rpartition(".")[2]
                assert re.search(rf"\b{last}\b", source), f"{name} is not in {row[1]}"


def test_a_count_that_is_off_is_written_again():
    known = reading.figures()
    text, marks = figures.written(PAGE.read_text(encoding="utf-8"), known)
    assert text == PAGE.read_text(encoding="utf-8") and set(marks) == set(known)
    off = text.replace(f"{known['reading.lines']}<!--reading.lines-->", "1<!--reading.lines-->")
    assert off != text and figures.written(off, known)[0] == text
