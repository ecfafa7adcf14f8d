"""A pytest plugin for exercises: "not started" is an outcome of its own, and the summary has a line per exercise.

exercises/conftest.py imports these hooks. The exit status is 0 if nothing is wrong and something has been started, 5 if
nothing has been started yet, and 1 if something is wrong.
"""

import ast
import os
import sys
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from unittest import SkipTest

import pytest

from minires.course import folder, manifest, progress, runner, surroundings
from minires.course.check import unstarted
from minires.course.contained import Ended, contained
from minires.course.trouble import message, printable, trouble

__all__ = ["pytest_collection_modifyitems", "pytest_configure", "pytest_make_collect_report", "pytest_pyfunc_call",
           "pytest_report_teststatus", "pytest_runtest_makereport", "pytest_sessionfinish", "pytest_terminal_summary"]  # fmt: skip

MARK = "not started"
LONGEST_REPORT = 20_000  # characters
COLOURS = {
    runner.SOLVED: "green",
    runner.WRONG: "red",
    runner.BEGUN: "yellow",
    runner.NOT_STARTED: "cyan",
}
SEEN = pytest.StashKey[dict]()  # id -> {"folder", "claims": [(name, state)], "message", "mistake"}


def _exercise(path):
    """Return the exercise whose claims are in a file, or None."""
    modules = {exercise.test: exercise for exercise in manifest.exercises().values()}
    return modules.get(Path(path).name)


def _seen(config, exercise, path):
    new = {"folder": Path(path).parent, "claims": [], "message": "", "mistake": None}
    return config.stash.setdefault(SEEN, {}).setdefault(exercise.id, new)


def pytest_configure(config):
    """Run the other exercises if a file cannot be imported, and show short tracebacks."""
    config.option.continue_on_collection_errors = True
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "short"


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Report an error in the learner's file by its line alone, without the machinery."""
    exercise = _exercise(getattr(collector, "path", ""))
    if exercise is None or not isinstance(collector, pytest.Module):
        return (yield)
    try:
        with _outlived():
            report = yield
    except Exception as error:  # it was contained, or is one that pytest cannot show
        report = pytest.CollectReport(collector.nodeid, "failed", message(error), [])
    if report.passed:
        return report
    seen = _seen(collector.config, exercise, collector.path)
    report.longrepr = seen["message"] = _import_trouble(exercise, collector.path.parent) or str(
        report.longrepr
    )
    seen["claims"].append(("the import", runner.WRONG))
    report.outcome = "failed"  # also where the learner's file asks to be skipped
    return report


def _import_trouble(exercise, home):
    path = home / exercise.file
    if not path.is_file():
        return f"there is no {exercise.file}: minires exercises reset {exercise.id} brings it back"
    try:
        with _outlived():
            module = folder.load(path, f"{exercise.module}__again")
    except Exception as error:
        return trouble(error, home)
    return (
        None
        if hasattr(module, exercise.function)
        else f"{exercise.file} has no {exercise.function}"
    )


def pytest_collection_modifyitems(config, items):
    """Put the claims in the order of the manifest."""
    order = {id: i for i, id in enumerate(manifest.exercises())}
    items.sort(key=lambda item: order[exercise.id] if (exercise := _exercise(item.path)) else -1)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Make a claim wrong if it would end pytest."""
    if _exercise(pyfuncitem.path) is None:
        return (yield)
    with _outlived():
        try:
            with surroundings.unchanged():
                return (yield)
        except Exception as error:
            # Those two would count as skipped, or end pytest.
            if _can_be_shown(error) and not isinstance(error, (SkipTest, pytest.exit.Exception)):
                raise
            raise Ended(trouble(error, pyfuncitem.path.parent)) from None


@contextmanager
def _outlived():
    """Context manager: raise an Exception for whatever would end pytest, os._exit included (except in a child process)."""
    process, leave = os.getpid(), os._exit

    def refuse(status):
        if os.getpid() != process:
            leave(status)
        raise Ended(f"os._exit({status!r}) (which would end Python)")

    with contained(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "_exit", refuse)
        yield


def _can_be_shown(error):
    try:
        traceback.format_exception_only(error)
    except Exception:  # a SyntaxError whose line is not a number, for example
        return False
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Report a claim that reaches the placeholder as not started."""
    exercise = _exercise(item.path)
    error = call.excinfo and call.excinfo.value
    if exercise and call.when == "call" and error is not None:
        _name(item, exercise, error)
    report = yield
    if exercise is None or not (report.when == "call" or report.failed):
        return report
    state = runner.SOLVED if report.passed else runner.WRONG
    if _not_started(exercise, error, item.path.parent):
        state = runner.NOT_STARTED
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, MARK if error is None else message(error))
        report.user_properties.append((MARK, True))
    seen = _seen(item.config, exercise, item.path)
    seen["claims"].append((item.name, state))
    if (
        state == runner.NOT_STARTED
        and error is not None
        and exercise.kind == "bug hunt"
        and not seen["message"]
    ):
        seen["message"] = runner.clue(item.name, error, item.path.parent)
    if state == runner.WRONG:
        report.longrepr = _shown(report.longrepr, error, item.path.parent)
        if not seen["message"]:
            seen["message"] = f"{item.name}: {trouble(error, item.path.parent)}"
    return report


def _name(item, exercise, error):
    """Add to an error the sentence about the known mistake that all claims together point to, if there is one."""
    if _not_started(exercise, error, item.path.parent):
        return
    seen = _seen(item.config, exercise, item.path)
    if "judged" not in seen:
        seen["judged"], module = True, sys.modules.get(exercise.module)
        # What the learner's function prints has been shown already.
        with (
            suppress(Exception),
            _outlived(),
            redirect_stdout(StringIO()),
            redirect_stderr(StringIO()),
        ):
            seen["mistake"] = runner.run(exercise, item.path.parent).mistake
        if module is not None:
            sys.modules[exercise.module] = module
    if seen["mistake"]:
        runner.name(error, exercise, seen["mistake"])


def _shown(longrepr, error, home):
    """Return pytest's report of an error; if it is endless or unprintable, that of `minires exercises check`."""
    text = str(longrepr)
    return longrepr if printable(text, LONGEST_REPORT) == text else trouble(error, home)


def _not_started(exercise, error, home):
    """Return True if a claim reaches the placeholder, or a function as provided (in a bug hunt, a claim may then hold)."""
    if error is None and exercise.kind != "bug hunt":
        return False
    return unstarted(error, exercise) or folder.untouched(exercise, home)


def pytest_report_teststatus(report):
    """Give "not started" a word, letter and colour."""
    if (MARK, True) in getattr(report, "user_properties", ()):
        return (
            (MARK, "-", ("NOT STARTED", {"cyan": True})) if report.when == "call" else ("", "", "")
        )
    return None


def pytest_sessionfinish(session, exitstatus):
    """Set the exit status, and record each verdict in the progress file."""
    idle = session.config.pluginmanager.get_plugin("hypothesispytest")
    # Its summary would import Hypothesis, which takes longer than all exercises.
    if idle and "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(idle)
    seen = session.config.stash.get(SEEN, {})
    states = {
        id: runner.overall(state for _, state in facts["claims"]) for id, facts in seen.items()
    }
    if exitstatus == 0 and states and set(states.values()) == {runner.NOT_STARTED}:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
    if session.config.option.collectonly:
        return
    for id, state in states.items():
        exercise, home = manifest.exercises()[id], seen[id]["folder"]
        if state == runner.WRONG or _claims(home / exercise.test) <= {
            name for name, _ in seen[id]["claims"]
        }:
            progress.note(home, exercise, state, seen[id]["mistake"])


def _claims(path):
    """Return the names of the claims in a file."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in nodes if getattr(node, "name", "").startswith("test_")}


def pytest_terminal_summary(terminalreporter, config):
    """Print one line per exercise."""
    seen = config.stash.get(SEEN, {})
    if not seen:
        return
    terminalreporter.section("exercises")
    for id, exercise in manifest.exercises().items():
        if id in seen:
            states = [state for _, state in seen[id]["claims"]]
            state = runner.overall(states)
            terminalreporter.write(f"{id}  {exercise.name:20} ")
            terminalreporter.write(f"{state:12}", **{COLOURS[state]: True})
            terminalreporter.line(progress.details(state, states, seen[id]["message"]))
            # A bug hunt that runs alone.
            if state == runner.NOT_STARTED and len(seen) == 1 and seen[id]["message"]:
                terminalreporter.line(seen[id]["message"])
    if all(state == runner.NOT_STARTED for facts in seen.values() for _, state in facts["claims"]):
        first = manifest.exercises()[min(seen, key=list(manifest.exercises()).index)]
        begin = (
            f"Begin with exercises/{first.file}; for a hint, run minires exercises hint {first.id}."
        )
        terminalreporter.line(f"Nothing is started yet. {begin}")
