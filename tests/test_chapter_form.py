"""The form of the chapters: one template, short open cells, alt texts, links that lead somewhere."""

import re

import pytest

from minires.course import manifest
from tests import chapters, notebooks

each_chapter = pytest.mark.parametrize("path", chapters.PATHS, ids=lambda path: path.stem)
LINES, WORDS, CELLS, MINUTES = 20, 3400, 90, 60


def opening(path):
    return chapters.cells(path)[0].source


@each_chapter
def test_a_chapter_opens_with_a_question_what_you_learn_the_time_and_what_you_need(path):
    text = opening(path)
    assert re.match(rf"# {path.name[:2]}(, part \d:)? \w", text)
    puzzle, _, rest = text.partition("**By the end, you'll be able to**")
    assert re.search(r"\*\*[^*]+\?\*\*", puzzle), "the question is in bold"
    abilities = re.findall(r"^- ", rest, re.MULTILINE)
    assert 3 <= len(abilities) <= 6
    time = re.search(r"\*\*Time\.\*\* About (\d+) minutes to read", rest)
    assert time and int(time[1]) <= MINUTES
    assert "**What you need.**" in rest
    assert rest.rstrip().endswith("[Map of the chapters](README.md) · [Glossary](glossary.md)")


@each_chapter
def test_its_second_cell_is_the_setup_that_all_chapters_share(path):
    cell = chapters.cells(path)[1]
    assert cell.source == notebooks.setup()
    assert cell.metadata == {"tags": ["folded"], "jupyter": {"source_hidden": True}}


@each_chapter
def test_it_ends_with_exercises_summary_and_what_to_read_on(path):
    sections = [text for level, text in chapters.headings(path) if level == 2]
    assert sections[-3:] == ["Exercises", "Summary", "Read on"] and len(sections) >= 6
    last = chapters.cells(path)[-1].source.rstrip().splitlines()[-1]
    assert re.match(r"Next: \[[^\]]+\]\([^)]+\)", last) or path == chapters.PATHS[-1]
    code = [cell.source for cell in chapters.cells(path) if cell.cell_type == "code"]
    number = chapters.number(path)
    assert code[-2:] == [f"course.status({number})", f"course.score({number})"]


@each_chapter
def test_it_fits_into_an_hour(path):
    assert len(chapters.markdown(path).split()) <= WORDS and len(chapters.cells(path)) <= CELLS


@each_chapter
def test_no_open_code_cell_is_long_and_few_are_folded(path):
    folded = 0
    for number, cell in enumerate(chapters.cells(path), 1):
        if cell.cell_type != "code":
            continue
        is_folded = "folded" in cell.metadata.get("tags", [])
        assert is_folded == cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert is_folded or len(cell.source.splitlines()) <= LINES, f"cell {number}"
        folded += is_folded
    assert folded <= 8


@each_chapter
def test_every_picture_has_a_description(path):
    for number, cell in enumerate(chapters.cells(path), 1):
        for alt in chapters.alts(cell):
            assert len(alt) >= 30 and not alt.startswith(("Figure;", "<")), (
                f"cell {number}: {alt!r}"
            )


@each_chapter
def test_plots_are_made_in_show(path):
    assert not [
        cell.source
        for cell in chapters.cells(path)
        if cell.cell_type == "code" and re.search(r"pyplot|\bplt\b", cell.source)
    ]


@each_chapter
def test_links_lead_to_files_and_headings_that_there_are(path):
    for target in chapters.LINK.findall(chapters.markdown(path)):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), target
        if anchor and there.suffix == ".ipynb":
            assert anchor in chapters.anchors(there), target


def test_every_exercise_is_announced_where_it_is_checked():
    places = chapters.places()
    assert set(places) == set(manifest.exercises())
    for exercise in chapters.EXERCISES:
        chapter, cell = places[exercise.id]
        path = chapters.PATHS[chapter]
        assert chapters.number(path) == exercise.chapter
        said = chapters.cells(path)[cell - 1].source
        assert re.search(rf"^### Exercise {exercise.id}: ", said, re.MULTILINE), exercise.id
        assert f"(../exercises/{exercise.file})" in said and f"{exercise.minutes} min" in said
        assert f'course.hint("{exercise.id}")' in said, exercise.id
