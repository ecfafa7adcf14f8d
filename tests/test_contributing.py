"""The change that CONTRIBUTING.md shows is whole: made in a copy, it passes the tests that look at a new op."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```diff\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^--- a/\S+\n\+\+\+ b/(\S+)\n(.*?)(?=^--- |\Z)", re.MULTILINE | re.DOTALL)


def changes():
    """(file, place, context, new lines) of each hunk, in order; place is the line that it names after @@, or ""."""
    for block in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for file, hunks in FILE.findall(block):
            for hunk in re.split(r"^(?=@@ )", hunks, flags=re.MULTILINE):
                lines = hunk.splitlines()
                place = lines.pop(0)[3:] if lines and lines[0].startswith("@@ ") else ""
                context = [line[1:] for line in lines if line.startswith(" ")]
                new = [line[1:] for line in lines if line.startswith("+")]
                if new:
                    yield file, place, context, new


def where(lines, place, context):
    """How many lines come before the new ones: those up to the place, and then to the first line of context after it."""
    at = lines.index(place) + 1 if place else 0 if context else len(lines)
    return lines.index(context[0], at) + 1 if context else at


def test_each_hunk_has_its_place():
    found = list(changes())
    assert {file for file, *_ in found} >= {"minires/ops/elementwise.py", "CHANGELOG.md"}
    for file, place, context, _ in found:
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        assert 0 < where(lines, place, context) <= len(lines)
        assert not [line for line in context if line not in lines]


@pytest.mark.slow
def test_the_change_is_whole(tmp_path):
    for name in ("minires", "tests", "exercises", "benchmarks", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tmp_path / name)
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for file, place, context, new in changes():
        path = tmp_path / file
        lines = path.read_text(encoding="utf-8").splitlines()
        at = where(lines, place, context)
        path.write_text("\n".join([*lines[:at], *new, *lines[at:], ""]), encoding="utf-8")
    files = ("elementwise", "public", "ops", "stairs", "names", "forms_equal", "parity")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "leaky or public or stairs or every",
         *(f"tests/test_{name}.py" for name in files)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "MINIRES_TEST_PROFILE": "quick"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
    assert (
        "leaky_relu" not in result.stdout and int(re.search(r"(\d+) passed", result.stdout)[1]) > 50
    )
    program = "from minires import Tensor, functional as F; print(F.leaky_relu(Tensor([-2.0, 3.0]), slope=0.1))"
    out = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert "-0.2" in out.stdout, out.stderr
