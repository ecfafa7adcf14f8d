"""python -m benchmarks.gpu --preflight, without a GPU: its table, and how each check may end."""

import json
import re
import signal
import subprocess
import time

import pytest

from benchmarks import (
    apart,
    gpu_preflight,
)
from minires.backend import card
from tests import shim
from tests.halves import needs_bfloat16
from tests.test_benchmarks_gpu import ROOT, run

needs_compiler = pytest.mark.skipif(
    shim.COMPILER is None, reason="there is no g++ to run kernels on the processor"
)


# The table: each check in a process of its own.

CHILD = """
import os, signal, sys, time
from benchmarks import gpu_preflight
from benchmarks.gpu_agreement import NotThere
from minires.backend import card

def crashes(place):
    os.kill(os.getpid(), signal.SIGSEGV)

def hangs(place):
    time.sleep(100)

def raises(place):
    raise ValueError("no luck\\nat all")

def lacks(place):
    raise NotThere("no such tool")

def works(place):
    place.figures["answer"] = 42
    return "all is well"

class Crash:
    def synchronise(self):
        os.abort()
    backend = "strict"

def crashes_late(place):
    return "all is well"

def without_card(place):
    raise card.Unusable("there is no GPU")

name = sys.argv[1]
if name == "crashes late":
    import atexit
    atexit.register(os.abort)
gpu_preflight.CHECKS[name] = gpu_preflight.Check(globals()[name.replace(" ", "_")], 60)
gpu_preflight.main(*sys.argv[1:])
"""


@pytest.fixture
def checks(tmp_path, monkeypatch):
    """Return a function that lets preflight run checks of CHILD: name -> seconds."""
    file = tmp_path / "child.py"
    file.write_text(CHILD)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(gpu_preflight, "CHILD", (str(file),))

    def set_checks(**seconds):
        names = {
            name.replace("_", " "): gpu_preflight.Check(None, limit)
            for name, limit in seconds.items()
        }
        monkeypatch.setattr(gpu_preflight, "CHECKS", names)

    return set_checks


def table(printed):
    """Return name -> (result, seconds, why) of the table at the end."""
    lines = printed.rpartition("\ncheck ")[2].partition(" work, ")[0].splitlines()[1:-1]
    return {name: (result, float(seconds), why) for name, result, seconds, why in
            (re.fullmatch(r"(.+?) +(works|FAILED|not there) +([\d.]+)  (.*)", line).groups() for line in lines)}  # fmt: skip


@pytest.mark.slow
def test_a_crash_a_hang_and_an_error_cost_a_line_each_and_the_others_run(checks, tmp_path, capfd):
    checks(crashes=60, hangs=4, raises=60, lacks=60, crashes_late=60, works=60)
    file = tmp_path / "results" / "preflight.json"
    assert gpu_preflight.preflight(smoke=True, path=file) == 1
    printed = capfd.readouterr().out
    rows = table(printed)
    assert {name: (result, why) for name, (result, _, why) in rows.items()} == {
        "crashes": ("FAILED", f"ended by SIGSEGV, in crashes (child.py, line {CHILD.split('os.kill')[0].count(chr(10)) + 1})"),
        "hangs": ("FAILED", f"not finished after 4 s, in hangs (child.py, line {CHILD.split('time.sleep')[0].count(chr(10)) + 1})"),
        "raises": ("FAILED", "ValueError: no luck"),
        "lacks": ("not there", "no such tool"),
        "crashes late": ("FAILED", "ended by SIGABRT"),
        "works": ("works", "all is well"),
    }  # fmt: skip
    assert printed.splitlines()[-2].startswith("1 work, 4 failed, 1 not there; ")
    assert rows["hangs"][1] < 30 and "Traceback" in printed  # the whole error comes above the table
    saved = json.loads(file.read_text())["checks"]
    assert saved["works"]["figures"] == {"answer": 42} and list(saved) == list(rows)


@pytest.mark.slow
def test_all_that_works_is_status_0_and_no_card_is_status_2(checks, capfd):
    checks(works=60, lacks=60)
    assert gpu_preflight.preflight(smoke=True) == 0
    checks(without_card=60, works=60)
    assert gpu_preflight.preflight(smoke=True) == 2
    assert capfd.readouterr().err == "there is no GPU\n"


@pytest.mark.slow
def test_a_gpu_that_is_lost_later_is_a_failure_and_the_table_is_printed(checks, capfd):
    checks(works=60, without_card=60)
    assert gpu_preflight.preflight(smoke=True) == 1
    rows = table(capfd.readouterr().out)
    assert rows["works"][0] == "works" and rows["without card"][::2] == (
        "FAILED",
        "there is no GPU",
    )


def test_an_interrupt_prints_the_checks_before_it(monkeypatch, capsys):
    def ends(name, *_):
        if name == "views":
            raise KeyboardInterrupt
        return {"result": "works", "why": "all is well", "seconds": 1.0, "figures": {}}

    monkeypatch.setattr(gpu_preflight, "_in_its_process", ends)
    assert gpu_preflight.preflight(smoke=True, only=["versions", "views", "costs"]) == 130
    said = capsys.readouterr()
    assert list(table(said.out)) == ["versions"] and said.err == "interrupted\n"
    assert gpu_preflight.preflight(smoke=True, only=["views"]) == 130


def test_without_a_card_preflight_says_so_in_one_sentence():
    try:
        card.load()
    except card.Unusable as why:
        result = run("--preflight", "--only", "versions")
        assert result.returncode == 2 and result.stderr == f"{why}\n"
    else:
        pytest.skip("there is a card")


@pytest.mark.slow
@needs_bfloat16
def test_the_smoke_run_of_preflight(tmp_path):
    result = run("--preflight", "--smoke", "--json", f"{tmp_path}/preflight.json")
    assert result.returncode == 0 and not result.stderr, result.stdout[-3000:] + result.stderr
    rows = table(result.stdout)
    assert list(rows) == list(gpu_preflight.CHECKS)
    missing = {name for name, (result, *_) in rows.items() if result == "not there"}
    assert missing <= {"graph", "sanitizer memcheck", "sanitizer initcheck"}
    assert list(json.loads((tmp_path / "preflight.json").read_text())["checks"]) == list(rows)


@pytest.mark.slow
def test_only_some_kinds_of_checks(capsys):
    result = run("--preflight", "--smoke", "--only", "graph", "views")
    assert result.returncode == 0 and list(table(result.stdout)) == ["views", "graph"]
    wrong = run("--preflight", "--smoke", "--only", "memory")
    assert wrong.returncode == 2 and "--only memory: choose from versions, kernels" in wrong.stderr
    assert "--only views: choose from" in run("--smoke", "--only", "views").stderr


def test_a_process_ends_with_its_children():
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
    ended = apart.run((*apart.PYTHON, "-c", code), 1.0, stdout=subprocess.DEVNULL)
    assert ended.late and ended.seconds < 5
    assert apart.run((*apart.PYTHON, "-c", "import sys; sys.exit('why')"), 60).why == "why"
    assert (
        apart.run(
            (*apart.PYTHON, "-c", "import os; assert os.environ['A'] == '1'"),
            60,
            variables={"A": "1"},
        ).why
        is None
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_no_command_outlives_one_that_is_interrupted(tmp_path, name):
    """Not even one that a command runs apart in its turn, as a check runs its training."""
    alive, ran = (
        tmp_path / "alive",
        "from benchmarks import apart; apart.run((*apart.PYTHON, '-c', {!r}), 60)",
    )
    beats = f"import pathlib, time\nfor i in range(900): pathlib.Path({str(alive)!r}).write_text(str(i)); time.sleep(0.05)"
    command = [*apart.PYTHON, "-c", ran.format(ran.format(beats))]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while not alive.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.Signals[name])
        assert process.wait(20)
    last = alive.read_text()
    time.sleep(0.5)
    assert alive.read_text() == last
