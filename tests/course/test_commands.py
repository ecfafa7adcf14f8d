"""minires exercises: status, next, check, watch, hint, reset, solution; and the same from a notebook."""

import errno
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from minires import course, files
from minires.course import commands, folder, manifest, progress, runner
from tests.course.trials import ROOT


@pytest.fixture
def here(classroom, monkeypatch):
    monkeypatch.chdir(classroom.folder)
    return classroom


def test_status_shows_what_is_solved_and_what_comes_next(here):
    here.answer("00a")
    here.answer("02a", "own_factors")
    status, output = here.run("exercises")
    assert status == 0
    lines = {line.split()[1]: line for line in output.splitlines() if line.startswith("  ")}
    assert (
        "+ 00a" in lines["00a"]
        and "x 02a" in lines["02a"]
        and ". 02b" in lines["02b"]
        and "(bug hunt)" in lines["02h"]
    )
    second = list(manifest.exercises().values())[1]
    assert (
        f"1 of {len(manifest.exercises())} solved" in output
        and f"next: exercises/{second.file}" in output
    )


def test_status_runs_only_what_changed(here, monkeypatch):
    here.answer("00a")
    assert progress.states(here.home)["00a"] == runner.SOLVED
    monkeypatch.setattr(progress, "run_apart", None)
    assert progress.states(here.home)["00a"] == runner.SOLVED
    monkeypatch.undo()
    here.answer("00a", "mean")
    assert progress.states(here.home)["00a"] == runner.WRONG


def test_it_works_from_any_folder_inside_and_says_what_to_do_outside(
    here, tmp_path_factory, monkeypatch
):
    inner = here.folder / "chapters" / "deep"
    inner.mkdir(parents=True)
    assert folder.find(inner) == folder.find(here.home) == here.home
    monkeypatch.setattr(folder, "__file__", "/nowhere/minires/course/folder.py")
    with pytest.raises(folder.NoExercises, match="clone it"):
        folder.find(tmp_path_factory.mktemp("elsewhere"))


def test_next_names_the_file_and_the_command(here):
    here.answer("00a")
    _, output = here.run("exercises", "next")
    second = list(manifest.exercises().values())[1]
    command = f"minires exercises check {second.id}"
    assert (
        f"{second.id}  {second.name}" in output
        and str(here.home / second.file) in output
        and command in output
    )


def test_check_shows_claims_message_and_what_the_function_prints(here):
    here.write(
        "00a", "def sum_of_squares(x):\n    print('looking at', x.shape)\n    return x.sum() ** 2\n"
    )
    status, output = here.run("exercises", "check", "sum_of_squares")
    assert (
        status == 1
        and "x three numbers" in output
        and "yours is 36, ours is 14" in output
        and "looking at (3,)" in output
    )
    assert "This is what comes out when x is added up first" in output
    here.answer("00a")
    status, output = here.run("exercises", "check")
    assert status == 0 and "00a  sum_of_squares: solved" in output and "05c" not in output


def test_of_a_bug_hunt_that_is_not_started_one_sees_where_the_bug_shows(here):
    for words, module in (
        (("exercises", "check", "02h"), "minires"),
        (("exercises/test_e02h_divide.py",), "pytest"),
    ):
        _, output = here.run(*words, module=module)
        assert "not started" in output and "the gradient of b differs from ours" in output
        assert "as provided, test_" in output and "This is what comes out when" not in output
    assert progress.states(here.home)["02h"] == runner.NOT_STARTED


def test_a_loop_without_end_is_wrong_after_a_while(here):
    here.write("00a", "def sum_of_squares(x):\n    while True:\n        pass\n")
    started = time.monotonic()
    result = progress.check(here.home, manifest.exercise("00a"), limit=1)
    assert (
        result.state == runner.WRONG
        and "more than 1 s" in result.message
        and time.monotonic() - started < 20
    )


def test_watch_runs_again_when_a_file_is_saved(here, capsys, monkeypatch):
    clock = SimpleNamespace(sleep=lambda _: here.answer("00a"))  # between two looks it is saved
    monkeypatch.setattr(commands, "time", clock)
    commands.watch(here.home, manifest.exercise("00a"), rounds=2)
    output = capsys.readouterr().out
    assert "not started" in output and output.index("watching") < output.index(
        "sum_of_squares: solved"
    )


def test_hints_come_one_by_one(here):
    outputs = [here.run("exercises", "hint", "05c")[1] for _ in range(4)]
    assert [output.count("05c  hint") for output in outputs] == [1, 2, 3, 3]
    assert "--give-up" in outputs[3] and "hints=3" in (here.home / progress.FILE).read_text(
        encoding="utf-8"
    )


def test_reset_keeps_what_was_there(here):
    for number in (1, 2):
        here.write("00a", f"mine = {number}\n")
        here.run("exercises", "reset", "00a")
    kept = sorted(path.read_text(encoding="utf-8") for path in (here.home / "backup").iterdir())
    assert kept == ["mine = 1\n", "mine = 2\n"]
    assert folder.untouched(manifest.exercise("00a"), here.home)


def test_reset_of_a_file_as_provided_writes_nothing(here):
    exercise = manifest.exercise("05c")
    path = here.home / exercise.file
    provided = path.read_bytes()
    for data in (provided, provided.replace(b"\n", b"\r\n")):
        path.write_bytes(data)
        status, output = here.run("exercises", "reset", "05c")
        assert status == 0 and "has not changed" in output
        assert path.read_bytes() == data and not (here.home / "backup").exists()


def test_reset_keeps_comments_too(here):
    path = here.home / manifest.exercise("05c").file
    provided = path.read_bytes()
    for data in (provided + b"# my idea\n", "größe".encode("latin-1"), b""):
        path.write_bytes(data)
        commands.reset(here.home, manifest.exercise("05c"))
        assert path.read_bytes() == provided
        assert data in [kept.read_bytes() for kept in (here.home / "backup").iterdir()]


def test_reset_in_a_clone_that_is_read_only_is_one_clear_line(here, monkeypatch):
    """Neither the backup nor the file is written by halves; the learner's stays."""
    here.write("00a", "mine = 1\n")
    path = here.home / manifest.exercise("00a").file

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    for where, name in ((folder.Path, "mkdir"), (files, "sync")):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, refuse)
            with pytest.raises(
                OSError, match=r"^cannot write .*e00a.* bytes\): Read-only file system$"
            ):
                commands.reset(here.home, manifest.exercise("00a"))
        assert path.read_text(encoding="utf-8") == "mine = 1\n"
    assert not [*here.home.glob("backup/*"), *here.home.glob(".*.part")]


def test_a_hint_says_when_progress_cannot_be_saved(here, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(files, "write", refuse)
    commands.hint(here.home, manifest.exercise("05c"))
    output = capsys.readouterr().out
    assert "05c  hint 1 of 3" in output and "progress.txt cannot be written" in output


def test_the_solution_is_shown_to_who_has_one_or_gives_up(here):
    status, output = here.run("exercises", "solution", "05c")
    assert status == 1 and "def im2col" not in output
    status, output = here.run("exercises", "solution", "05c", "--give-up")
    assert status == 0 and "def im2col" in output and "minires.ops.conv.im2col" in output
    assert "def im2col" in here.run("exercises", "solution", "05c")[1]
    here.answer("00a")
    assert "def sum_of_squares" in here.run("exercises", "solution", "00a")[1]


def test_a_wrong_word_is_told(here):
    status, output = here.run("exercises", "check", "im2cool")
    assert status == 2 and "did you mean 'im2col'" in output


@pytest.mark.parametrize(("word", "meant"), [("im2cool", "im2col"), ("e05c", "05c")])
def test_a_word_that_is_nearly_right_gets_one_suggestion_and_no_list(word, meant):
    with pytest.raises(ValueError, match=f"did you mean '{meant}'") as caught:
        manifest.exercise(word)
    assert len(str(caught.value)) < 120
    with pytest.raises(ValueError, match="unknown exercise 'qqq'") as caught:
        manifest.exercise("qqq")
    assert "did you mean" not in str(caught.value) and len(str(caught.value)) < 120


@pytest.mark.parametrize(
    "word", ["05c", "05C", "5c", "5C", "im2col", "Im2Col", "exercises/E05C_IM2COL.PY"]
)
def test_an_exercise_is_found_by_id_name_or_file(word):
    assert manifest.exercise(word).id == "05c"


def test_a_notebook_says_the_same(here, capsys):
    here.answer("05c", "bare")
    course.check("05c")
    course.hint("05c")
    course.status()
    output = capsys.readouterr().out
    assert (
        "x the padding is zeros around the image" in output
        and "05c  hint 1 of 3" in output
        and "x 05c" in output
    )


def test_yours_is_the_learners_when_it_is_solved(here, capsys):
    assert course.yours("im2col") is manifest.exercise("05c").reference()
    here.answer("05c")
    mine = course.yours("05c")
    assert (
        mine.__name__ == "slices"
        and capsys.readouterr().out == "im2col: minires (not started)\nim2col: yours\n"
    )


def test_progress_survives_nonsense(here):
    (here.home / progress.FILE).write_text("99z what\n05c  im2col hints=many state=solved\n\xff\n")
    progress.change(here.home, manifest.exercise("05c"), hints=1)
    assert progress.read(here.home)["05c"]["hints"] == 1


def test_bytes_that_are_no_text_cost_no_other_line_of_the_progress(here):
    for id in ("00a", "05c"):
        progress.change(here.home, manifest.exercise(id), hints=2)
    path = here.home / progress.FILE
    path.write_bytes(path.read_bytes() + b"02a  gr\xf6\xdfe\n")
    progress.change(here.home, manifest.exercise("02h"), hints=1)
    known = progress.read(here.home)
    assert [known[id]["hints"] for id in ("00a", "05c", "02h")] == [2, 2, 1]


def test_a_file_that_an_editor_is_writing_does_not_end_the_watch(here, monkeypatch):
    exercise = manifest.exercise("00a")
    whole = progress.mark(exercise, here.home)
    read = folder.Path.read_bytes

    def busy(path):
        if path.name == exercise.file:
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path)

    monkeypatch.setattr(folder.Path, "read_bytes", busy)
    assert progress.mark(exercise, here.home) != whole


def test_pytest_is_not_needed(here):
    here.answer("00a")
    program = (
        "import sys; sys.modules['pytest'] = None; from minires import course; course.check('00a')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=here.folder,
        env=environment,
    )
    assert "solved" in done.stdout, done.stderr


def test_a_notebook_shows_no_seconds_which_would_differ_each_time(here, monkeypatch, capsys):
    here.answer("00a")
    slow = progress.check(here.home, manifest.exercise("00a"))._replace(seconds=1.234)
    monkeypatch.setattr(progress, "check", lambda *_, **__: slow)
    commands.check(here.home, manifest.exercise("00a"))
    assert "00a  sum_of_squares: solved (1.2 s)\n" in capsys.readouterr().out
    course.check("00a")
    assert "00a  sum_of_squares: solved\n" in capsys.readouterr().out
