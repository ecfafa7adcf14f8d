"""python -m tests.commands [FILE ...]: run the commands of README.md and docs as they are printed, in a fresh clone.

The clone is of HEAD, in a temporary folder, and its environment is the one that its own `make train` and `make test` create.
Programs in Python run from the folder above the clone. What is not run, or is run with other words, is marked in the document
(tests/documents.py) and listed at the end with its reason. The clone holds stand-ins for what a reader brings along: photo.jpg,
photos (two classes of pictures), cifar10-jpeg (the files of CIFAR-10, with 200 random images in each), and imagenet18.safetensors
(random weights for ImageNet's ResNet-18).
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
from PIL import Image

from minires import models
from minires.checkpoint import save_weights
from tests import documents
from tests.documents import ROOT

SECONDS = 1800  # for a command, at most
NUMBER = re.compile(r"(?:\\[-+])?\d[\d,]*(?:\\\.\d+)?")


def clone(folder):
    """Clone HEAD, put the stand-ins there, and return the clone's folder."""
    home = folder / "minires"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(home)], check=True)
    rng = numpy.random.default_rng(0)

    def photo(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (96, 128, 3), numpy.uint8)).save(path)

    photo(home / "photo.jpg")
    for name in ("cat", "dog"):
        for i in range(25):
            photo(home / "photos" / name / f"{i}.jpg")
    network = models.resnet18(stem="imagenet", num_classes=1000, rng=rng)
    save_weights(home / "imagenet18.safetensors", network.state_dict())
    (home / "cifar10-jpeg").mkdir()
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        rows = rng.integers(0, 256, (200, 1 + 3 * 32 * 32))
        rows[:, 0] = numpy.arange(200) % 10
        rows.astype(numpy.uint8).tofile(home / "cifar10-jpeg" / name)
    return home


def environment(home):
    """Return the environment of a reader who has activated the clone's .venv, has no browser, and may be root."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(
            ("MINIRES_", "MAKE", "MFLAGS", "PYTHONPATH", "VIRTUAL_ENV", "FORCE_", "PYTEST_")
        )
        and name not in ("ARGS", "ALL", "FRESH")  # of a make that runs this one
    }
    jupyter = home.parent / "jupyter"
    jupyter.mkdir(exist_ok=True)
    config = {"ServerApp": {"allow_root": True, "open_browser": False}}
    (jupyter / "jupyter_server_config.json").write_text(json.dumps(config))
    return {
        **kept,
        "PATH": os.pathsep.join([str(home / ".venv" / "bin"), os.environ["PATH"]]),
        "PYTHON": sys.executable,  # of make
        "JUPYTER_CONFIG_DIR": str(jupyter),
        "MINIRES_CACHE": str(home.parent / "cache"),
    }


def run(command, home):
    """Run a command in the clone, and return (what is wrong, or None; what was printed)."""
    text, cwd = command.text, home
    if command.is_a("run with"):
        text += f" {command.mark.value}"
    arguments = ["sh", "-c", text]
    if not text.startswith(("make", "git")) and not (home / ".venv" / "test").exists():
        subprocess.run(["make", ".venv/test"], cwd=home, env=environment(home), check=True)
    if command.language == "python":
        arguments, cwd = [str(home / ".venv" / "bin" / "python"), "-c", text], home.parent
    until = command.mark.value if command.is_a("stopped at") else None
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen(
            arguments,
            cwd=cwd,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ended = _wait(process, file, until)
        printed = _read(file)
    expected = int(command.mark.value) if command.is_a("exits with") else 0
    if until is not None:
        wrong = None if until in printed else f"it never printed {until!r}"
    elif not ended:
        wrong = f"it ran for more than {SECONDS} s"
    elif process.returncode != expected:
        wrong = f"it exited with {process.returncode}, expected {expected}"
    else:
        wrong = missing(command.output, printed)
    return wrong, printed


def _read(file):
    file.seek(0)
    return file.read().decode("utf-8", errors="replace")


def _wait(process, file, until):
    """Wait for the end of a process, or until it has printed a text, and end its group. Return True if it ended by itself."""
    deadline = time.monotonic() + SECONDS
    try:
        while time.monotonic() < deadline:
            try:
                process.wait(0.5 if until else deadline - time.monotonic())
                return True
            except subprocess.TimeoutExpired:
                if until and until in _read(file):
                    return False
        return False
    finally:
        if process.poll() is None:
            for each in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, each)
                    process.wait(10)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass


def missing(shown, printed):
    """Return the first line of a shown output that was not printed, as a sentence, or None: numbers may differ, and ... is anything."""
    lines = iter([" ".join(line.split()) for line in re.split(r"[\r\n]+", printed)])
    for line in filter(None, (" ".join(line.split()) for line in shown)):
        if line == "...":
            continue
        pattern = NUMBER.sub(r"[-+]?\\d[\\d,]*(?:\\.\\d+)?", re.escape(line))
        pattern = re.compile(pattern.replace(re.escape("..."), ".*"))
        if not any(pattern.fullmatch(other) for other in lines):
            return f"it did not print {line!r}"
    return None


def main():
    """Run them, print a line for each, and exit with 1 if one failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.commands",
        description="Run the commands of README.md and docs in a fresh clone.",
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="such as docs/runs.md (default: all)"
    )
    parser.add_argument(
        "--without", action="append", default=[], metavar="COMMAND", help="leave this command out"
    )
    options, begun = parser.parse_args(), time.monotonic()
    files = [Path(file).resolve() for file in options.files] or documents.documents()
    found = [command for file in files for command in documents.commands(file)]
    if _git("status", "--porcelain"):
        print("the working tree has changes that are not committed; they are not in the clone")
    print(f"{_git('log', '-1', '--format=%h %s')}\n")
    folder = Path(tempfile.mkdtemp(prefix="readme-"))
    try:
        failed, marked = _run_all(found, clone(folder), options.without)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for command, how in marked:
        print(f"{command.place}: {_short(command)}\n    {how}")
    named = {text for file in files for text in documents.named(file)}
    named -= {command.text for command in found}
    ran = len(found) - sum(how.startswith("not run") for _, how in marked)
    print(f"\n{ran} commands run, {len(failed)} failed, {len(found) - ran} not run, as said above.")
    print("\nnamed in sentences, and not run (tests/test_readme.py checks that they exist):")
    print("    " + "\n    ".join(sorted(named)) if named else "    none")
    print(f"{time.monotonic() - begun:.0f} s")
    sys.exit(bool(failed))


def _run_all(found, home, without):
    """Return (the commands that failed, [(command, how it was run)] of those with a mark)."""
    failed, marked = [], []
    for command in found:
        mark = command.mark
        if command.text in without:
            marked.append((command, "not run: left out by --without"))
            continue
        if mark:
            value = f" {mark.value}" if mark.value else ""
            marked.append((command, f"{mark.kind}{value}: {mark.reason}"))
        if command.is_a("not run"):
            continue
        started = time.monotonic()
        wrong, printed = run(command, home)
        seconds = f"{time.monotonic() - started:.1f} s"
        print(
            f"{'FAILED' if wrong else 'ok':7}{seconds:>8}  {command.place}  {_short(command)}",
            flush=True,
        )
        if wrong:
            failed.append(command)
            tail = "\n    ".join(printed.splitlines()[-30:])
            print(f"    {wrong}\n    {tail}")
    print()
    return failed, marked


def _short(command):
    if command.language == "python":
        return f"a program in Python, {len(command.text.splitlines())} lines"
    return command.text


def _git(*words):
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
