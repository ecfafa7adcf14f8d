"""The pytest plugin: outcomes, exit status, one line per exercise."""

import os
import re

import pytest

from minires.course import manifest, progress


def words(output, id):
    """Return what the summary says about an exercise."""
    section = output.split(" exercises ===", 1)[1]
    return next(line.split(maxsplit=2)[2] for line in section.splitlines() if line.startswith(id))


def test_at_first_nothing_is_started(whole_classroom):
    status, output = whole_classroom.run("--durations=1", module="pytest")
    assert status == 5 and "Nothing is started yet. Begin with exercises/e00a" in output
    assert all(words(output, id).startswith("not started") for id in manifest.exercises())
    assert words(output, "00a").strip() == words(output, "02h").strip() == "not started"
    assert "passed" not in output and "failed" not in output and "skipped" not in output


def test_an_exercise_takes_no_time(classroom):
    """Neither Hypothesis nor PyTorch is imported: they take longer than all exercises."""
    (classroom.home / "conftest.py").write_text(
        (classroom.home / "conftest.py").read_text(encoding="utf-8") + LOOK
    )
    _, output = classroom.run("exercises/test_e00a_sum_of_squares.py", module="pytest")
    assert "imported: []" in output


LOOK = """

def pytest_unconfigure(config):
    import sys
    print("imported:", sorted({"hypothesis", "torch", "matplotlib"} & set(sys.modules)))
"""


def test_one_that_is_solved_is_enough_for_0_and_a_wrong_one_for_1(classroom):
    classroom.answer("05c")
    status, output = classroom.run(module="pytest")
    assert (
        status == 0
        and words(output, "05c").startswith("solved")
        and words(output, "00a").startswith("not started")
    )
    classroom.answer("05d", "last_place_wins")
    status, output = classroom.run("exercises/test_e05d_col2im.py", module="pytest")
    assert status == 1 and "This is what comes out when the parts are assigned" in words(
        output, "05d"
    )
    known = progress.read(classroom.home)
    assert (
        known["05c"]["state"] == "solved"
        and known["05d"]["state"] == "wrong"
        and known["05d"]["mistake"] == "assigns"
    )


def test_a_message_stands_alone(classroom):
    classroom.answer("05d", "last_place_wins")
    _, output = classroom.run("exercises/test_e05d_col2im.py", module="pytest")
    assert "minires/course" not in output and "difference(" not in output
    assert (
        "E   Wrong: col2im(columns (4, 4), shape=(1, 3, 3, 1), kernel=2): the result differs from ours"
        in output
    )
    assert "check.same(col2im, rows," in output


def test_a_file_that_cannot_be_imported_is_wrong_with_its_line_and_the_others_run(classroom):
    classroom.write("00a", "import numpy\ndef sum_of_squares(x:\n    return 0\n")
    classroom.write("02b", "import nonumpy\n")
    classroom.write("02a", "x = 1\n")
    classroom.answer("05c")
    status, output = classroom.run(module="pytest")
    assert status == 1 and words(output, "05c").startswith("solved")
    assert "e00a_sum_of_squares.py, line 2: SyntaxError" in words(output, "00a")
    assert "e02b_unbroadcast.py, line 1: import nonumpy" in words(output, "02b")
    assert "e02a_multiply.py has no multiply" in words(output, "02a")


def test_a_half_with_a_hole_left_is_begun_and_not_wrong(classroom):
    text = 'from tests.course.solutions.e05c_im2col import slices\n\n\ndef im2col(x, **options):\n    if options.get("padding"):\n'
    classroom.write(
        "05c",
        text
        + '        raise NotImplementedError("exercise 05c: padding")\n    return slices(x, **options)\n',
    )
    status, output = classroom.run("exercises/test_e05c_im2col.py", module="pytest")
    counted = re.match(r"begun +(\d+) of (\d+) claims hold$", words(output, "05c"))
    assert status == 0 and 0 < int(counted[1]) < int(counted[2])


def test_another_not_implemented_error_is_wrong(classroom):
    classroom.write("00a", "def sum_of_squares(x):\n    raise NotImplementedError('some day')\n")
    status, output = classroom.run("exercises/test_e00a_sum_of_squares.py", module="pytest")
    assert status == 1 and words(output, "00a").startswith("wrong")


def test_a_bug_hunt_is_started_when_its_function_changes(classroom):
    path = classroom.home / "e02h_divide.py"
    path.write_text("# I have looked at it.\n" + path.read_text(encoding="utf-8"))
    status, output = classroom.run("-k", "e02h", module="pytest")
    assert status == 5 and words(output, "02h").startswith("not started")
    path.write_text(path.read_text(encoding="utf-8").replace("-g * a / b * b", "g * a / b * b"))
    status, output = classroom.run("-k", "e02h", module="pytest")
    assert status == 1 and words(output, "02h").startswith("wrong")
    path.write_text(path.read_text(encoding="utf-8").replace("g * a / b * b", "-g * a / (b * b)"))
    status, output = classroom.run("-k", "e02h", module="pytest")
    assert status == 0 and words(output, "02h").startswith("solved")


def test_a_part_of_the_claims_does_not_make_it_solved(classroom):
    classroom.answer("05c")
    classroom.run("exercises/test_e05c_im2col.py", "-k", "row", module="pytest")
    assert "05c" not in progress.read(classroom.home)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_cannot_be_written_to_is_no_obstacle(classroom):
    classroom.answer("05c")
    classroom.home.chmod(0o500)
    status, _ = classroom.run(
        "exercises/test_e05c_im2col.py", "-p", "no:cacheprovider", module="pytest"
    )
    classroom.home.chmod(0o700)
    assert status == 0


@pytest.mark.parametrize(
    "line",
    ["pytest.skip('no')", "pytest.xfail('no')", "pytest.importorskip('none_of_this_name')", "pytest.exit('no', returncode=0)",
     "raise unittest.SkipTest('no')"],
)  # fmt: skip
def test_a_solution_that_asks_to_be_skipped_is_wrong(classroom, line):
    classroom.write("00a", f"import pytest, unittest\n\n\ndef sum_of_squares(x):\n    {line}\n")
    status, output = classroom.run("exercises/test_e00a_sum_of_squares.py", module="pytest")
    assert status == 1 and words(output, "00a").startswith("wrong") and "skipped" not in output
    status, output = classroom.run("exercises", "check", "00a")
    assert status == 1 and "00a  sum_of_squares: wrong" in output


def test_a_file_that_asks_to_be_skipped_is_wrong(classroom):
    text = "import pytest\n\npytest.skip('no', allow_module_level=True)\n"
    classroom.write("00a", text)
    status, output = classroom.run("exercises/test_e00a_sum_of_squares.py", module="pytest")
    assert status == 1 and words(output, "00a").startswith("wrong")
    assert "line 3: pytest.skip" in words(output, "00a")


def test_one_claim_alone_names_what_all_claims_point_to(classroom):
    classroom.answer("05d", "last_place_wins")
    path = "exercises/test_e05d_col2im.py"
    _, output = classroom.run(path, "-k", "dropped", module="pytest")
    assert "E     This is what comes out when the parts are assigned" in output
    _, output = classroom.run("exercises", "check", "05d")
    assert "This is what comes out when the parts are assigned" in output
