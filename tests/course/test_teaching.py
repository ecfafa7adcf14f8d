"""The documents about the course agree with the manifest."""

import json
import re
from pathlib import Path

from minires.course import chapters, manifest, runner

ROOT = Path(__file__).parents[2]
ROW = r"^\| [\d, ]+ \| (\d\d .*?) \| .* \| \d+ \| (\d+) \| (\d+) \|$"


def test_the_schedule_has_each_chapters_exercises_and_minutes():
    rows, seen = (
        re.findall(ROW, (ROOT / "TEACHING.md").read_text(encoding="utf-8"), flags=re.MULTILINE),
        [],
    )
    for numbered, count, minutes in rows:
        numbers = [int(text) for text in re.findall(r"(?:^|, )(\d\d) ", numbered)]
        found = [
            exercise for exercise in manifest.exercises().values() if exercise.chapter in numbers
        ]
        assert (len(found), sum(exercise.minutes for exercise in found)) == (
            int(count),
            int(minutes),
        ), numbered
        seen += numbers
    assert seen == list(range(17))


def test_the_readme_counts_the_exercises():
    text, exercises = (
        (ROOT / "README.md").read_text(encoding="utf-8"),
        manifest.exercises().values(),
    )
    hours = round(sum(exercise.minutes for exercise in exercises) / 60)
    assert f"There are {len(exercises)} exercises, {hours} hours of them" in text


def test_the_map_has_each_chapter_with_its_title_and_its_exercises():
    folder = ROOT / "chapters"
    listed = chapters.chapters()
    assert [one.file for one in listed.values()] == [
        path.name for path in sorted(folder.glob("*.ipynb"))
    ]
    text, seen = (folder / "README.md").read_text(encoding="utf-8"), []
    for one in listed.values():
        title = json.loads((folder / one.file).read_text(encoding="utf-8"))["cells"][0]["source"][0]
        assert (
            title.strip()
            == f"# {one.key.replace('.', ', part ')}{':' * ('.' in one.key)} {one.title}"
        )
        row = f"| [{one.key} {one.title}]({one.file}) | {one.question} | {', '.join(one.needs) or 'Python'} | {one.reward} |"
        assert row in text
        assert set(one.needs) <= set(seen)
        seen.append(one.key)
    assert [id for one in listed.values() for id in one.ids()] == sorted(
        manifest.exercises(),
        key=lambda id: [id in one.ids() for one in listed.values()].index(True),
    )


def test_the_map_says_how_many_are_solved():
    picture = chapters.drawn({"00a": runner.SOLVED, "04h": runner.SOLVED, "04d": runner.WRONG})
    said = [text.get_text() for text in picture.axes[0].texts]
    assert said[1] == "1 of 1" and said[9] == "1 of 4" and said[11] == "0 of 4"
    assert "04.1 The loss builds on 03, 1 of 4 exercises solved" in picture.alt


def test_there_is_enough_of_each_kind():
    kinds = [exercise.kind for exercise in manifest.exercises().values()]
    assert len(kinds) >= 30 and kinds.count("bug hunt") >= 4 and kinds.count("write the test") >= 3
