"""What pytest says of exercises: not started is neither wrong nor skipped, and each exercise has a line at the end.

exercises/conftest.py imports these hooks. The exit status is 0 when nothing is wrong and something was started, 5 when
nothing was started yet, 1 when something is wrong.
"""

import ast
import sys
from pathlib import Path

import pytest

from minires.course import folder, manifest, progress, runner
from minires.course.check import unstarted

__all__ = ["pytest_collection_modifyitems", "pytest_configure", "pytest_make_collect_report", "pytest_report_teststatus",
           "pytest_runtest_makereport", "pytest_sessionfinish", "pytest_terminal_summary"]  # fmt: skip

MARK = "not started"
COLOURS = {
    runner.SOLVED: "green",
    runner.WRONG: "red",
    runner.BEGUN: "yellow",
    runner.NOT_STARTED: "cyan",
}
SEEN = pytest.StashKey[dict]()  # id -> {"folder", "claims": [(name, state)], "message", "mistake"}


def _exercise(path):
    """The exercise whose claims a file holds, or None."""
    modules = {exercise.test: exercise for exercise in manifest.exercises().values()}
    return modules.get(Path(path).name)


def _seen(config, exercise, path):
    new = {"folder": Path(path).parent, "claims": [], "message": "", "mistake": None}
    return config.stash.setdefault(SEEN, {}).setdefault(exercise.id, new)


def pytest_configure(config):
    """A file that cannot be imported does not keep the others from running; short tracebacks."""
    config.option.continue_on_collection_errors = True
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "short"


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """An error in the learner's file is told with its line, and nothing of the machinery."""
    report = yield
    exercise = _exercise(getattr(collector, "path", ""))
    if exercise is None or report.passed or not isinstance(collector, pytest.Module):
        return report
    seen = _seen(collector.config, exercise, collector.path)
    report.longrepr = seen["message"] = _import_trouble(exercise, collector.path.parent) or str(
        report.longrepr
    )
    seen["claims"].append(("the import", runner.WRONG))
    return report


def _import_trouble(exercise, home):
    try:
        folder.load(home / exercise.file, f"{exercise.module}__again")
    except FileNotFoundError:
        return f"there is no {exercise.file}: minires exercises reset {exercise.id} brings it back"
    except BaseException as error:
        return runner.trouble(error, home)
    return f"{exercise.file} has no {exercise.function}"


def pytest_collection_modifyitems(config, items):
    """In the order of the manifest."""
    order = {id: i for i, id in enumerate(manifest.exercises())}
    items.sort(key=lambda item: order[exercise.id] if (exercise := _exercise(item.path)) else -1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A claim that meets the hole is not started."""
    report = yield
    exercise = _exercise(item.path)
    if exercise is None or not (report.when == "call" or report.failed):
        return report
    state = runner.SOLVED if report.passed else runner.WRONG
    error = call.excinfo and call.excinfo.value
    if _not_started(exercise, error, item.path.parent):
        state = runner.NOT_STARTED
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, str(error or MARK))
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
    if state == runner.WRONG and not seen["message"]:
        seen["message"] = f"{item.name}: {runner.trouble(error, item.path.parent)}"
        seen["mistake"] = getattr(error, "mistake", None)
    return report


def _not_started(exercise, error, home):
    """Whether a claim meets the hole, or a function that is as it was given out (of which, in a bug hunt, a claim may hold)."""
    if error is None and exercise.kind != "bug hunt":
        return False
    return unstarted(error, exercise) or folder.untouched(exercise, home)


def pytest_report_teststatus(report):
    """Its own word, letter and colour."""
    if (MARK, True) in getattr(report, "user_properties", ()):
        return (
            (MARK, "-", ("NOT STARTED", {"cyan": True})) if report.when == "call" else ("", "", "")
        )
    return None


def pytest_sessionfinish(session, exitstatus):
    """The exit status; and what became of each exercise is kept beside the exercises."""
    idle = session.config.pluginmanager.get_plugin("hypothesispytest")
    # Its summary would import it: longer than all takes.
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
    """The names of the claims in a file."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in nodes if getattr(node, "name", "").startswith("test_")}


def pytest_terminal_summary(terminalreporter, config):
    """A line an exercise."""
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
            # A bug hunt, asked for by itself.
            if state == runner.NOT_STARTED and len(seen) == 1 and seen[id]["message"]:
                terminalreporter.line(seen[id]["message"])
    if all(state == runner.NOT_STARTED for facts in seen.values() for _, state in facts["claims"]):
        first = manifest.exercises()[min(seen, key=list(manifest.exercises()).index)]
        begin = f"Begin with exercises/{first.file}; minires exercises hint {first.id} helps."
        terminalreporter.line(f"Nothing is started yet. {begin}")
