"""Grading made-up submissions: whatever they do, the table is right and the machine unharmed."""

import csv
import os
from collections import Counter

import pytest

from minires.course import grade, manifest
from tests.course.conftest import answer
from tests.course.trials import TESTS

pytestmark = pytest.mark.slow

HEAD = "def sum_of_squares(x):\n"
BAD = {
    "loops": HEAD + "    while True:\n        pass\n",
    "sleeps": "import time\n" + HEAD + "    time.sleep(1000)\n",
    "leaves_a_child": "import subprocess\nsubprocess.Popen(['sleep', '1000'])\n" + HEAD + "    while True:\n        pass\n",
    "eats_memory": HEAD + "    rows = []\n    while True:\n        rows.append(bytearray(1 << 29))\n",
    "fills_the_disk": HEAD + "    with open('big', 'wb') as f:\n        while True:\n            f.write(b'0' * (1 << 24))\n",
    "prints": HEAD + "    for _ in range(20):\n        print('x' * (1 << 20))\n    return 0\n",
    "exits": "import os\n" + HEAD + "    os._exit(0)\n",
    "exits_softly": "raise SystemExit(0)\n",
    "says_that_it_passed": "import os\n" + HEAD + "    print('3 passed')\n    print('{\"id\": \"00a\", \"state\": \"solved\"}', flush=True)\n"
                           "    os._exit(0)\n",
    "writes_its_own_result": "import os, sys\nopen(sys.argv[sys.argv.index('--out') + 1], 'w').write("
                             "'{\"token\": \"?\", \"id\": \"00a\", \"state\": \"solved\", \"claims\": []}')\nos._exit(0)\n",
    "crashes": "import ctypes\n" + HEAD + "    ctypes.string_at(0)\n",
    "has_no_syntax": "def sum_of_squares(x:\n",
    "has_another_name": "def sum_of_cubes(x):\n    return x\n",
    "no_text": "\x00\x01",
    "kills_itself": "import os\n" + HEAD + "    os.kill(os.getpid(), 9)\n",
    "interrupts": HEAD + "    raise KeyboardInterrupt\n",
    "has_no_message": "class E(Exception):\n    __str__ = None\n\n" + HEAD + "    raise E\n",
    "says_what_no_file_takes": HEAD + "    raise ValueError('\\ud800\\x1b[2J' * 1_000_000)\n",
    "closes_its_streams": "import os, sys\nsys.stdout.close()\nos.close(2)\n" + HEAD + "    return 0\n",
    "removes_its_folder": "import os, shutil\nshutil.rmtree(os.getcwd())\n" + HEAD + "    return 0\n",
    "recurses": "import sys\nsys.setrecursionlimit(10 ** 9)\n" + HEAD + "    return sum_of_squares(x)\n",
    "brings_its_own_claims": HEAD + "    return 0\n",
    "makes_a_formula": HEAD + "    raise ValueError('=1+1')\n",
}  # fmt: skip
SECONDS = 6
MARK = f"by {os.getpid()}"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The rows of the table: (submission, exercise) -> row; and what was printed."""
    folder = tmp_path_factory.mktemp("class")
    for name, text in BAD.items():
        (folder / name).mkdir()
        (folder / name / "e00a_sum_of_squares.py").write_text(text)
    (folder / "brings_its_own_claims" / "test_e00a_sum_of_squares.py").write_text(
        "def test_nothing():\n    pass\n"
    )
    chosen = ("00a", "05c", "05d")
    for name, given in {
        "perfect": dict.fromkeys(chosen),
        "half": {"00a": None, "05c": "bare"},
        "deeper/exercises": {"05d": "last_place_wins"},
        "also_assigns": {"05d": "last_place_wins"},
    }.items():
        (folder / name).mkdir(parents=True)
        for id, solution in given.items():
            (folder / name / manifest.exercise(id).file).write_text(answer(id, solution))
    (folder / "half" / "e05d_col2im.py").write_text(
        (TESTS / "e05d_col2im.py").read_text(encoding="utf-8")
    )
    (folder / "calls_the_library").mkdir()
    (folder / "calls_the_library" / "e05c_im2col.py").write_text("from minires.ops import im2col\n")
    (folder / "empty").mkdir()
    (folder / "a file.txt").write_text("no submission")
    (folder / "written").mkdir()
    out = folder / "written" / "grades.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIRES_GRADED", MARK)  # whatever is started meanwhile has it too
        grade.grade(folder, out, tests=TESTS, seconds=SECONDS, memory=1024, only=list(chosen))
    with open(out, newline="") as file:
        return {(row["submission"], row["exercise"]): row for row in csv.DictReader(file)}


def test_good_ones_are_told_from_bad_ones(graded):
    assert [graded["perfect", id]["state"] for id in ("00a", "05c", "05d")] == ["solved"] * 3
    assert [graded["half", id]["state"] for id in ("00a", "05c", "05d")] == [
        "solved",
        "wrong",
        "not started",
    ]
    assert graded["half", "05c"]["mistake"] == "padding_forgotten"
    assert (
        graded["deeper", "05d"]["mistake"] == graded["also_assigns", "05d"]["mistake"] == "assigns"
    )
    assert (
        graded["calls_the_library", "05c"]["state"] == "wrong"
        and "charming" in graded["calls_the_library", "05c"]["message"]
    )
    assert {graded["empty", id]["state"] for id in ("00a", "05c", "05d")} == {"not started"}
    assert "there is no e00a" in graded["empty", "00a"]["message"]


@pytest.mark.parametrize("name", BAD)
def test_none_of_the_bad_ones_is_solved(graded, name):
    row = graded[name, "00a"]
    assert row["state"] == "wrong" and row["message"] and float(row["seconds"]) < SECONDS + 5
    assert graded[name, "05c"]["state"] == "not started"


def test_the_message_says_what_happened(graded):
    said = {name: graded[name, "00a"]["message"] for name in BAD}
    assert (
        "more than 6 s" in said["sleeps"]
        and "MemoryError" in said["eats_memory"]
        and "line 1: SyntaxError" in said["has_no_syntax"]
    )
    assert "ended before the claims did" in said["exits"] and "ended before" in said["crashes"]
    assert (
        "sum_of_cubes" in said["has_another_name"] or "sum_of_squares" in said["has_another_name"]
    )


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="there is no /proc")
def test_no_process_is_left(graded):
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if f"MINIRES_GRADED={MARK}".encode() in file.read().split(b"\0"):
                    left.append(pid)
        except OSError:
            continue
    assert not left


def test_the_class_is_told_which_mistakes_it_makes(graded, capsys):
    grade.tell(Counter({("05d", "assigns"): 2}))
    assert "2  05d col2im: assigns: the parts are assigned" in capsys.readouterr().out


def test_a_cell_is_no_formula():
    assert grade.harmless("=1+1") == "'=1+1" and grade.harmless("solved") == "solved"


def test_a_folder_without_submissions_is_told(tmp_path):
    with pytest.raises(ValueError, match="contains no folders"):
        grade.grade(tmp_path, tmp_path / "grades.csv", tests=TESTS)
    assert not (tmp_path / "grades.csv").exists()


def test_the_command_writes_the_table(classroom):
    (classroom.folder / "class" / "ada").mkdir(parents=True)
    (classroom.folder / "class" / "ada" / "e00a_sum_of_squares.py").write_text(
        answer("00a", "sum_first")
    )
    status, output = classroom.run(
        "exercises", "grade", "class", "--only", "00a", "--out", "table.csv"
    )
    assert (
        status == 0
        and "1 wrong" in output
        and "1  00a sum_of_squares: sum_first: x is added up first" in output
    )
    assert "ada,00a,sum_of_squares,wrong,sum_first" in (classroom.folder / "table.csv").read_text(
        encoding="utf-8"
    )
