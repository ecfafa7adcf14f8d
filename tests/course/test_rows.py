"""Grading a class: every submission has its rows, whatever its name and contents, and wherever the table is written."""

import csv
import errno
import os

import pytest

from minires import files
from minires.course import apart, grade, manifest, runner
from tests.course.conftest import answer
from tests.course.trials import TESTS

FIRST = manifest.exercise("00a")
NAMES = ["ann", "bö", "日本", "a,b", "a\nb", "a\rb", 'a"b', "=1+1", "\x1b[31mred", " x", "zed"]
if os.name == "nt":
    NAMES = ["ann", "bö", "日本", "a,b", "=1+1", "zed"]
SURROGATES = [os.fsdecode(b"c\xff\xfe")] if os.name == "posix" and os.uname()[0] == "Linux" else []


def submit(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / FIRST.file).write_text(answer("00a"), encoding="utf-8")


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def verdicts(monkeypatch):
    """Submission -> the Result that stands in for running it, or an error to raise."""
    found = {}

    def run(exercise, submission, *_):
        result = found.get(submission.name, runner.Result(runner.SOLVED))
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(grade, "_run", run)
    return found


def graded(folder, out=None, only=("00a",)):
    out = out or folder.parent / "grades.csv"
    return grade.grade(folder, out, tests=TESTS, only=only)


def test_each_name_has_its_row(tmp_path, verdicts, capsys):
    submit(tmp_path / "class", *NAMES, *SURROGATES)
    rows = graded(tmp_path / "class")
    assert sorted(row["submission"] for row in rows) == sorted(NAMES + SURROGATES)
    names = {name: "'=1+1" if name == "=1+1" else name for name in NAMES}
    escaped = [r"c\udcff\udcfe"] if SURROGATES else []
    table = read(tmp_path / "grades.csv")
    assert sorted(row["submission"] for row in table) == sorted([*names.values(), *escaped])
    assert {row["state"] for row in table} == {"solved"}
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(rows) + 1 and not any("\x1b" in line for line in printed)


def test_each_message_has_its_row(tmp_path, verdicts):
    said = {"a": "\ud800", "b": "=1+1\nx, y", "c": "x" * 10_000, "d": "\x00\r"}
    submit(tmp_path / "class", *said)
    verdicts.update(
        {name: runner.Result(runner.WRONG, message=text) for name, text in said.items()}
    )
    graded(tmp_path / "class")
    told = {row["submission"]: row["message"] for row in read(tmp_path / "grades.csv")}
    assert told["a"] == r"\ud800" and told["b"] == "'=1+1 / x, y" and told["c"] == "x" * 500
    assert set(told) == set(said)


@pytest.mark.parametrize(
    "error",
    [PermissionError(errno.EACCES, "Permission denied"), OSError(errno.ENOSPC, "No space"), MemoryError(),
     RuntimeError("can't start new thread"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_trouble_with_one_submission_is_its_row(tmp_path, verdicts, error):
    submit(tmp_path / "class", "ann", "bob", "cid")
    verdicts["bob"] = error
    graded(tmp_path / "class")
    states = {row["submission"]: row["state"] for row in read(tmp_path / "grades.csv")}
    assert states == {"ann": "solved", "bob": "wrong", "cid": "solved"}
    message = read(tmp_path / "grades.csv")[1]["message"]
    assert "could not be graded" in message and type(error).__name__ in message


def test_a_terminal_of_ascii_takes_names_and_messages(classroom, monkeypatch):
    submissions = classroom.folder / "class"
    submit(submissions, "ann", "日本", *SURROGATES, "zed")
    (submissions / "bob").mkdir()
    (submissions / "bob" / FIRST.file).write_text(
        "def sum_of_squares(x):\n    raise ValueError('\\ud800 ✓')\n", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    status, output = classroom.run("exercises", "grade", "class", "--only", "00a", "--out", "g.csv")
    assert status == 0 and "zed" in output and r"\u65e5\u672c" in output
    rows = {row["submission"]: row for row in read(classroom.folder / "g.csv")}
    assert len(rows) == 4 + len(SURROGATES)
    assert r"ValueError: \ud800 ✓" in rows["bob"]["message"]
    assert rows["zed"]["state"] == rows["日本"]["state"] == "solved"


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_links_and_what_is_no_file_have_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "run_apart", lambda *_, **__: runner.Result(runner.SOLVED))
    here = tmp_path / "class"
    submit(here, "ann", "sibling")
    (here / "link").symlink_to(here / "ann")
    (here / "nowhere").symlink_to(here / "gone")
    (here / "circle").symlink_to(here / "circle")
    (here / "folder" / FIRST.file).mkdir(parents=True)
    (here / "endless").mkdir()
    (here / "endless" / FIRST.file).symlink_to("/dev/zero")
    (here / "sibling" / "e05c_im2col.py").symlink_to(here / "gone")
    (here / "a file.txt").write_text("no submission")
    graded(here)
    states = {row["submission"]: row["state"] for row in read(tmp_path / "grades.csv")}
    assert states == {"ann": "solved", "sibling": "solved", "link": "solved", "nowhere": "wrong", "circle": "wrong",
                      "folder": "not started", "endless": "not started"}  # fmt: skip


def test_a_disk_that_is_full_for_a_moment_costs_nothing(tmp_path, verdicts, monkeypatch):
    write, calls = files.write, []

    def failing(path, data):
        calls.append(path)
        if len(calls) in (3, 4):
            raise files.NotWritten(errno.ENOSPC, "No space left on device")
        write(path, data)

    submit(tmp_path / "class", "a", "b", "c", "d")
    monkeypatch.setattr(files, "write", failing)
    graded(tmp_path / "class")
    assert [row["submission"] for row in read(tmp_path / "grades.csv")] == ["a", "b", "c", "d"]


def test_a_full_disk_is_told_at_the_end_and_the_table_so_far_is_complete(
    tmp_path, verdicts, monkeypatch, capsys
):
    write, left = files.write, [None, None]

    def failing(path, data):
        if not left:
            raise files.NotWritten(errno.ENOSPC, f"cannot write {path}: No space left on device")
        left.pop()
        write(path, data)

    submit(tmp_path / "class", "a", "b", "c")
    monkeypatch.setattr(files, "write", failing)
    with pytest.raises(OSError, match=r"cannot write .*grades.csv.*No space"):
        graded(tmp_path / "class")
    assert [row["submission"] for row in read(tmp_path / "grades.csv")] == ["a"]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["a", "b", "c"]


def test_a_place_that_cannot_be_written_to_is_told_before_anything_runs(tmp_path, verdicts, capsys):
    submit(tmp_path / "class", "a")
    with pytest.raises(OSError, match=r"cannot write .*grades.csv"):
        graded(tmp_path / "class", tmp_path / "nowhere" / "grades.csv")
    with pytest.raises(OSError, match="cannot write"):
        graded(tmp_path / "class", tmp_path)
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_the_table_may_go_to_what_is_no_file(tmp_path, verdicts):
    submit(tmp_path / "class", "a")
    with pytest.raises(OSError, match=r"cannot write /dev/full .*No space left"):
        graded(tmp_path / "class", "/dev/full")
    assert os.path.exists("/dev/full") and not os.path.isfile("/dev/full")
    graded(tmp_path / "class", "/dev/null")
    assert not os.path.isfile("/dev/null")


def test_limits_that_cannot_be_are_refused(tmp_path, verdicts):
    submit(tmp_path / "class", "a")
    out = tmp_path / "grades.csv"
    for limits, said in (
        ({"seconds": 0.0}, "seconds: expected more than 0, got 0"),
        ({"seconds": float("nan")}, "seconds: expected"),
        ({"memory": -1}, "memory: expected 0"),
        ({"jobs": 0}, "jobs: expected at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=said):
            grade.grade(tmp_path / "class", out, tests=TESTS, **limits)
    with pytest.raises(ValueError, match="expected a folder of submissions, got .*nowhere"):
        grade.grade(tmp_path / "nowhere", out, tests=TESTS)
    assert not out.exists()


def test_an_exercise_asked_for_twice_has_one_row(tmp_path, verdicts):
    submit(tmp_path / "class", "a")
    assert len(graded(tmp_path / "class", only=["00a", "00a"])) == 1
