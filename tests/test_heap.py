"""Freed memory is kept for the next step, if malloc is glibc's and the environment does not configure it."""

import os
import platform
import subprocess
import sys

import pytest

from minires.fast import heap

GLIBC = sys.platform == "linux" and platform.libc_ver()[0] == "glibc"
ROUNDS, SIZE = 20, 48 << 20  # bytes: above what glibc keeps by itself
FAULTS = f"""
import resource, numpy, minires
for i in range({ROUNDS} + 2):
    if i == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    numpy.empty({SIZE}, "uint8").fill(i)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(**environment):
    """Count the pages that the system had to find for ROUNDS arrays, one after the other."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MALLOC_", "GLIBC_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], env={**kept, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not GLIBC, reason="malloc is not glibc's")
def test_an_array_takes_the_memory_of_the_one_before_it():
    assert faults() < ROUNDS


@pytest.mark.skipif(not GLIBC, reason="malloc is not glibc's")
@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_who_tells_malloc_what_to_do_is_obeyed(name):
    value = {"MALLOC_ARENA_MAX": "8", "GLIBC_TUNABLES": "glibc.malloc.arena_max=8"}[name]
    # a huge page at least for each 2 MiB, or small ones.
    assert faults(**{name: value}) >= ROUNDS * SIZE // (2 << 20)


def test_keep_says_whether_it_changed_anything(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)
    assert heap.keep() is GLIBC
    monkeypatch.setenv("MALLOC_TOP_PAD_", "0")
    assert heap.keep() is False


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_elsewhere_nothing_is_asked_of_the_c_library(monkeypatch, system):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: pytest.fail("asked"))
    assert heap.keep() is False


@pytest.mark.parametrize("refused", [{-3}, {-1}, {-1, -3}])
def test_what_an_old_glibc_refuses_is_asked_for_otherwise(monkeypatch, refused):
    """Before 2.35, glibc takes no threshold above 32 MiB; then no array is mapped, however large."""
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)
    asked = {}

    class Library:
        def mallopt(self, parameter, value):
            asked[parameter] = value
            return int(parameter not in refused)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: Library())
    assert heap.keep() is (-1 not in refused)
    assert asked == {-3: 1 << 30, -1: -1, **({-4: 0} if -3 in refused else {})}


def test_a_c_library_without_mallopt_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: object())
    assert heap.keep() is False
