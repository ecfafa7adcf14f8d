"""Whatever the learner's code raises, at its top or in the function: it is one wrong exercise with its line, and no more."""

import signal
import threading

import pytest

from minires.course import manifest, progress, runner
from minires.course.contained import Ended, contained
from minires.course.trouble import message, printable, trouble
from tests.course.conftest import answer
from tests.course.test_pytest import words
from tests.course.trials import TESTS

FIRST = manifest.exercise("00a")


class Silent(Exception):
    def __str__(self):
        raise SystemExit


class Numeric(NotImplementedError):
    def __str__(self):
        return 5


def boxed(error, notes):
    error.__notes__ = notes
    return error


BROKEN = SyntaxError("x")
BROKEN.lineno, BROKEN.filename, BROKEN.text = "a line", 5, 7


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("größe ✓"), "ValueError: größe ✓"),
        (ValueError("\ud800"), r"ValueError: \ud800"),
        (ValueError("\x1b[2J\0\r"), r"ValueError: \x1b[2J\x00\r"),
        (ValueError("a\r\nb\u2028c"), "ValueError: a\nb\\u2028c"),
        (ValueError("x" * 10_000_000), "(9,998,000 more characters)"),
        (ValueError("\n" * 1000), "(971 more lines)"),
        (ValueError(), "ValueError"),
        (Silent(), "Silent: its message cannot be shown"),
        (Numeric(), "Numeric: its message cannot be shown: __str__ raised TypeError"),
        (SyntaxError("x"), "SyntaxError: x"),
        (BROKEN, "SyntaxError: its message cannot be shown"),
        (boxed(ValueError("x"), 5), "ValueError"),
        (boxed(ValueError("x"), ["a", "b"]), "ValueError: x\na\nb"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_any_exception_is_told_in_text_that_any_file_takes(error, said):
    text = trouble(error, TESTS)
    text.encode()
    assert said in text and len(text) < 2100 and text.count("\n") <= 30
    assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_a_text_of_letters_stays_as_it_is():
    for text in ("größe\n\t日本 ✓", ""):
        assert printable(text) == message(ValueError(text)) == text


class Own(BaseException):
    pass


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), Own("x"), SystemExit("\ud800")]
)
def test_what_would_end_python_is_an_error_that_names_it(error):
    with pytest.raises(Ended, match=type(error).__name__), contained():
        raise error


def test_an_exception_stays_what_it_is():
    for error in (ValueError("x"), StopIteration(), RecursionError()):
        with pytest.raises(type(error)) as caught, contained():
            raise error
        assert caught.value is error


def test_ctrl_c_is_no_error_of_the_learners():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), contained():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_thread_contains_too():
    found = []

    def work():
        try:
            with contained():
                raise KeyboardInterrupt
        except Ended as error:
            found.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(found) == 1


# What is raised -> words of the message.
ENDS = {
    "import sys; sys.exit(0)": "SystemExit: 0",
    "raise SystemExit": "SystemExit",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise GeneratorExit": "GeneratorExit",
    "raise type('Own', (BaseException,), {})('x')": "Own: x",
    "raise ValueError('\\ud800')": r"ValueError: \ud800",
    "import pytest; pytest.skip('x', allow_module_level=True)": "Skipped: x",
    "(lambda f: f(f))(lambda f: f(f))": "RecursionError",
}


def top(line):
    return f"{line}\ndef sum_of_squares(x):\n    return (x * x).sum()\n"


def inside(line):
    return f"def sum_of_squares(x):\n    {line}\n"


@pytest.mark.parametrize("line", ENDS)
def test_whatever_a_file_or_its_function_raises_is_wrong_with_its_line(tmp_path, line):
    (tmp_path / FIRST.file).write_text(top(line), encoding="utf-8")
    result = runner.run(FIRST, tmp_path, TESTS)
    assert result.state == runner.WRONG and ENDS[line] in result.message
    assert f"{FIRST.file}, line 1: {line}" in result.message
    (tmp_path / FIRST.file).write_text(inside(line), encoding="utf-8")
    result = runner.run(FIRST, tmp_path, TESTS)
    assert {claim.state for claim in result.claims} == {runner.WRONG}
    if "lambda" not in line:  # a recursion that is too deep has a sentence of its own
        assert f"{FIRST.file}, line 2: {line}" in result.message and ENDS[line] in result.message


def test_no_error_of_the_learners_own_class_ends_the_claims(tmp_path):
    for body in (
        "    def __str__(self): raise SystemExit\n",
        "    mistake = property(lambda self: 1 / 0, lambda self, value: 1 / 0)\n",
        "    mistake = {1: 2}\n    __setattr__ = None\n",
    ):
        own = f"class Own(AssertionError):\n{body}\n\ndef sum_of_squares(x):\n    raise Own('x')\n"
        (tmp_path / FIRST.file).write_text(own, encoding="utf-8")
        result = runner.run(FIRST, tmp_path, TESTS)
        assert {claim.state for claim in result.claims} == {runner.WRONG}
        assert result.mistake is None and result.message


def test_pytest_runs_the_others_whatever_one_does(classroom):
    """By id: at the top of the file, or in the function."""
    body = "def {}(*_, **__):\n    {}\n"
    at_top = {
        "00a": "import sys; sys.exit(0)",
        "02a": "raise KeyboardInterrupt",
        "02b": "import os; os._exit(0)",
        "02c": "raise ValueError('\\ud800\\x1b[2J')",
        "02d": "e = SyntaxError('x'); e.lineno = e.filename = e.text = []; raise e",
    }
    within = {
        "02e": "raise KeyboardInterrupt",
        "02f": "import os; os._exit(0)",
        "04c": "import pytest; pytest.skip('x')",
        "04d": "raise type('Own', (NotImplementedError,), {'__str__': None})",
        "04e": "e = SyntaxError('x'); e.lineno = e.filename = e.text = []; raise e",
        "04f": "raise ValueError('\\ud800\\x1b[2J' + 'x' * 1_000_000)",
    }
    for id, line in at_top.items():
        classroom.write(id, line + "\n" + body.format(manifest.exercise(id).function, "return 0"))
    for id, line in within.items():
        classroom.write(id, body.format(manifest.exercise(id).function, line))
    classroom.answer("05c")
    status, output = classroom.run(module="pytest")
    assert status == 1 and words(output, "05c").startswith("solved")
    for id in (*at_top, *within):
        assert words(output, id).startswith("wrong"), id
    for id in ("00a", "02a", "02b", "02c"):
        assert f"{manifest.exercise(id).file}, line 1: {at_top[id]}" in words(output, id)
    assert "\x1b" not in output and len(output) < 200_000
    known = progress.read(classroom.home)
    assert known["00a"]["state"] == known["02e"]["state"] == "wrong"
    assert known["05c"]["state"] == "solved"


def test_status_lists_all_whatever_one_does(classroom):
    classroom.write("00a", top("import sys; sys.exit(0)"))
    classroom.answer("05c")
    status, output = classroom.run("exercises")
    assert status == 0 and "x 00a" in output and "+ 05c" in output


def test_a_thread_that_is_left_running_does_not_hold_a_verdict_up(classroom):
    thread = "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()\n"
    classroom.write("00a", thread + answer("00a"))
    result = progress.check(classroom.home, FIRST, limit=100)
    assert result.state == runner.SOLVED and result.seconds < 50


def test_the_signal_that_ends_a_process_is_named(classroom):
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("there is no SIGKILL")
    classroom.write("00a", inside("import os; os.kill(os.getpid(), 9)"))
    assert "SIGKILL" in progress.check(classroom.home, FIRST).message
