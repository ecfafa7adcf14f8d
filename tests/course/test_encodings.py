"""The learner's file in any encoding, and what its function prints to any terminal."""

import subprocess

import pytest

from minires.course import commands, folder, manifest, progress, runner, stubs
from tests.course.trials import TESTS

FIRST = manifest.exercise("00a")
RIGHT = "# größe\ndef sum_of_squares(x):\n    return (x * x).sum()\n"


@pytest.mark.parametrize(
    "data",
    [
        RIGHT.encode("utf-8-sig"),
        RIGHT.replace("\n", "\r\n").encode("utf-8"),
        RIGHT.replace("\n", "\r").encode("utf-8"),
        b"\x0c" + RIGHT.replace("\n", "\n\x0c", 1).encode("utf-8"),
        b"# coding: latin-1\n" + RIGHT.encode("latin-1"),
        b"#!/usr/bin/env python\n# -*- coding: cp1252 -*-\r\n" + RIGHT.encode("cp1252"),
    ],
    ids=["a byte order mark", "CRLF", "CR", "form feeds", "latin-1", "cp1252"],
)
def test_what_python_reads_is_read(tmp_path, data):
    (tmp_path / FIRST.file).write_bytes(data)
    assert runner.run(FIRST, tmp_path, TESTS).state == runner.SOLVED
    assert "größe" in folder.source(tmp_path / FIRST.file)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (RIGHT.encode("utf-16"), 1),
        (RIGHT.encode("utf-16-le"), 1),
        (RIGHT.encode("utf-32"), 1),
        (RIGHT.encode("latin-1"), 1),
        (b"x = 1\ny = 2\n" + RIGHT.encode("latin-1"), 3),
        (RIGHT.encode() + b"# \0\n", 4),
        (b"# coding: nonsense\n" + RIGHT.encode(), 1),
        (b"# coding: rot13\n" + RIGHT.encode(), 1),
    ],
    ids=["UTF-16", "UTF-16, no mark", "UTF-32", "latin-1", "line 3", "null", "unknown", "no text"],
)
def test_what_is_no_utf_8_is_said_to_be_none(tmp_path, data, line):
    (tmp_path / FIRST.file).write_bytes(data)
    result = runner.run(FIRST, tmp_path, TESTS)
    assert result.state == runner.WRONG and "save it as UTF-8" in result.message
    assert result.message.startswith(f"{FIRST.file}, line {line}: SyntaxError: ")


@pytest.mark.parametrize("id", ["00a", "02h"])
def test_a_mark_and_line_ends_start_nothing(tmp_path, id):
    exercise = manifest.exercise(id)
    provided = stubs.cut(exercise)
    for data in (provided.encode("utf-8-sig"), provided.replace("\n", "\r\n").encode("utf-8-sig")):
        (tmp_path / exercise.file).write_bytes(data)
        assert folder.untouched(exercise, tmp_path) and folder.as_provided(exercise, tmp_path)
        assert runner.run(exercise, tmp_path, TESTS).state == runner.NOT_STARTED
    (tmp_path / exercise.file).write_text("# mine\n" + provided, encoding="utf-8")
    assert folder.untouched(exercise, tmp_path) and not folder.as_provided(exercise, tmp_path)


@pytest.mark.parametrize("text", ["-" * 100_000 + "1", "a" + ".b" * 100_000, "x = (", "\0"])
def test_what_cannot_be_parsed_has_changed(tmp_path, text):
    (tmp_path / FIRST.file).write_text(text, encoding="utf-8")
    assert not folder.untouched(FIRST, tmp_path)


def test_pytest_and_check_read_a_byte_order_mark(classroom):
    path = classroom.home / "e02h_divide.py"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    status, output = classroom.run("-k", "e02h", module="pytest")
    assert status == 5 and "wrong" not in output
    assert "02h  divide: not started" in classroom.run("exercises", "check", "02h")[1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_right_solution_may_print_what_the_terminal_lacks(classroom, monkeypatch, encoding):
    classroom.write(
        "00a", "def sum_of_squares(x):\n    print('✓', x.shape)\n    return (x * x).sum()\n"
    )
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    status, output = classroom.run("exercises", "check", "00a")
    assert status == 0 and "00a  sum_of_squares: solved" in output and "\\u2713 (3,)" in output
    classroom.write("00a", "def sum_of_squares(x):\n    raise ValueError('日本 ✓')\n")
    status, output = classroom.run("exercises", "check", "00a")
    assert status == 1 and "ValueError: \\u65e5\\u672c \\u2713" in output
    assert progress.read(classroom.home)["00a"]["state"] == "wrong"


def test_a_notebook_shows_what_is_printed_and_not_gigabytes_of_it(classroom, capsys):
    prints = "    print('größe')\n    for _ in range(30):\n        print('x' * 100_000)\n"
    classroom.write("00a", f"def sum_of_squares(x):\n{prints}    return (x * x).sum()\n")
    commands.check(classroom.home, FIRST, stream=subprocess.PIPE)
    output = capsys.readouterr().out
    assert "größe\nxxx" in output and "more bytes)" in output and len(output) < 1_100_000
    assert "00a  sum_of_squares: solved" in output
