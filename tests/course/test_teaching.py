"""The documents about the course agree with the manifest."""

import re
from pathlib import Path

from minires.course import manifest

ROOT = Path(__file__).parents[2]
ROW = r"^\| [\d, ]+ \| (\d\d .*?) \| .* \| \d+ \| (\d+) \| (\d+) \|$"


def test_the_schedule_has_each_chapters_exercises_and_minutes():
    rows, seen = (
        re.findall(ROW, (ROOT / "TEACHING.md").read_text(encoding="utf-8"), flags=re.MULTILINE),
        [],
    )
    for chapters, count, minutes in rows:
        numbers = [int(text) for text in re.findall(r"\b(\d\d) ", chapters + " ")]
        found = [
            exercise for exercise in manifest.exercises().values() if exercise.chapter in numbers
        ]
        assert (len(found), sum(exercise.minutes for exercise in found)) == (
            int(count),
            int(minutes),
        ), chapters
        seen += numbers
    assert seen == list(range(9))


def test_the_readme_counts_the_exercises_and_its_page_names_each_chapter():
    text, exercises = (
        (ROOT / "README.md").read_text(encoding="utf-8"),
        manifest.exercises().values(),
    )
    hours = round(sum(exercise.minutes for exercise in exercises) / 60)
    assert f"There are {len(exercises)} exercises, {hours} hours of them" in text
    page = (ROOT / "docs" / "exercises.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        assert f"](../chapters/{path.name}) |" in page


def test_there_is_enough_of_each_kind():
    kinds = [exercise.kind for exercise in manifest.exercises().values()]
    assert len(kinds) >= 30 and kinds.count("bug hunt") >= 4 and kinds.count("write the test") >= 3
