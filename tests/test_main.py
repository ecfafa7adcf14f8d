"""The edges of the command: errors of every kind, pipes that nobody reads, threads, completion."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from minires import cli, data
from minires.cli import exercises, inspect, predict, train
from minires.cli.stop import SIGNALS, Stop
from tests.test_cli import elsewhere, few_digits, typed  # noqa: F401  (two are fixtures)

ROOT = Path(__file__).parents[1]

# A command line of each command, and the function that runs it.
COMMANDS = {
    ("train",): (train, "train"),
    ("evaluate",): (predict, "evaluate"),
    ("predict", "a.png"): (predict, "predict"),
    ("export",): (predict, "export"),
    ("summary", "resnet20"): (inspect, "summary"),
    ("data", "digits"): (inspect, "data"),
    ("plot", "a"): (inspect, "plot"),
    ("exercises", "status"): (exercises, "exercises"),
    ("info",): (inspect, "info"),
}


def minires(*words, code=None, **options):
    """A process `minires WORDS`, or one that runs some code."""
    command = ["-c", code, *words] if code else ["-m", "minires", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.Popen([sys.executable, *command], env=environment, text=True, **options)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "not enough memory"),
        (MemoryError("1 GiB for an array"), "not enough memory: 1 GiB for an array"),
        (RecursionError("too deep"), "too deep"),
        (OSError(28, "No space left on device", "a/b"), "a/b: No space left on device"),
        (PermissionError(13, "Permission denied", "a/b"), "a/b: Permission denied"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (OSError("in words"), "in words"),
        (ValueError(), "ValueError"),
        (KeyError("x"), None),
    ],
    ids=repr,
)
def test_what_may_go_wrong_is_one_line_and_a_bug_has_its_traceback(
    words, error, told, monkeypatch, capsys
):
    def fails(_):
        raise error

    monkeypatch.setattr(*COMMANDS[words], fails)
    if told is None:
        with pytest.raises(KeyError):
            typed(*words)
    else:
        assert typed(*words) == 2
        assert capsys.readouterr().err == f"minires {words[0]}: {told}\n"


def test_every_command_is_among_those(capsys):
    actions = [each for each in cli._parser()._actions if hasattr(each, "choices") and each.choices]
    assert {words[0] for words in COMMANDS} == set(actions[0].choices)


def test_memory_that_is_not_there_is_one_line(capsys):
    assert typed("summary", "resnet20", "--input", "4000000", "4000000", "3") == 2
    told = capsys.readouterr().err
    assert told.startswith("minires summary: not enough memory: ") and told.count("\n") == 1


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_ctrl_c_ends_each_command_quietly(words, monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(*COMMANDS[words], interrupted)
    assert typed(*words) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize(
    ("words", "status"),
    # argparse takes no notice when its help cannot be printed.
    [(("info",), 141), (("summary", "resnet20"), 141), (("train", "--help"), 0)],
)
def test_a_pipe_that_nobody_reads_ends_the_command_quietly(words, status, elsewhere):
    reading, writing = os.pipe()
    process = minires(*words, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    os.close(reading)
    error = process.communicate(timeout=60)[1]
    assert (process.returncode, error) == (status, "")


def test_an_error_is_red_where_colour_is_forced(monkeypatch, capsys):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert typed("train", "--epochs", "0") == 2
    told = capsys.readouterr().err
    assert told == "\x1b[31mminires train: --epochs is 0, expected at least 1\x1b[0m\n"


# Threads.


def in_thread(work):
    """The result of a function in a thread of its own."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_a_run_is_trained_in_another_thread_than_the_main_one(elsewhere, capsys):
    handlers = [signal.getsignal(number) for number in SIGNALS]
    assert in_thread(lambda: typed("train", "--epochs", "1", "--batch-size", "60")) == 0
    assert [signal.getsignal(number) for number in SIGNALS] == handlers
    assert "test loss" in capsys.readouterr().out


def test_a_stop_elsewhere_lets_all_items_pass():
    def items():
        with Stop() as stop:
            return list(stop.until(range(3)))

    assert in_thread(items) == [0, 1, 2]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_a_run_under_nohup_survives_the_terminal():
    """nohup starts a program with SIGHUP ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert list(stop.until(range(3))) == [0, 1, 2] and not stop.asked
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.asked == signal.SIGTERM
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# The main thread has ended, and Python waits for another one.
AFTER = """
import threading, time
from minires import backend, data
def work():
    main.join()
    try:
        digits = data.digits()[0].part(slice(0, 70))
        epochs = [list(data.batches(digits, 32, seed=0, crop=1)) for _ in range(2)]
        print([int(labels.sum()) for _, labels in epochs[0]], len(epochs[1]), flush=True)
    except BaseException as error:
        print(repr(error), flush=True)
main = threading.main_thread()
threading.Thread(target=work).start()
"""


def test_batches_are_made_after_the_main_thread_has_ended(elsewhere, few_digits):
    process = minires(code=AFTER, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, error = process.communicate(timeout=60)
    digits = few_digits[0].part(slice(0, 70))
    expected = [int(labels.sum()) for _, labels in data.batches(digits, 32, seed=0)]
    assert (out, error) == (f"{expected} 3\n", "")


# Completion.


def test_completion_without_its_package_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert typed("--completion", "bash") == 2
    assert "needs the package shtab: pip install shtab" in capsys.readouterr().err


def test_completion_prints_the_script_of_a_shell(monkeypatch, capsys):
    shtab = type(sys)("shtab")
    shtab.SUPPORTED_SHELLS = ["bash", "zsh"]
    shtab.complete = lambda parser, shell: f"{parser.prog} in {shell}"
    monkeypatch.setitem(sys.modules, "shtab", shtab)
    assert typed("--completion", "zsh") == 0 and capsys.readouterr().out == "minires in zsh\n"
    assert typed("--completion", "csh") == 2
    assert "--completion: choose from bash, zsh" in capsys.readouterr().err


def test_shtab_knows_the_options():
    shtab = pytest.importorskip("shtab")
    parser = cli._parser()
    assert isinstance(parser, argparse.ArgumentParser)
    assert "--recipe" in shtab.complete(parser, "bash")
