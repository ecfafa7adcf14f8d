"""The settings: use() for the process, using() for a block in one thread; blocks that overlap, fail, or are carried to other threads."""

import os
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import numpy
import pytest

from minires import Tensor, backend, ops
from minires.backend import BackendError, Settings, settings, threads, use, using, xp


def doubled(x):
    return x * 2, lambda g: (g * 2,)


# Each setting -> a value that is not the one at the start, and what it is kept as.
OTHERS = {
    "library": ("strict", backend.LOADERS["strict"]()),
    "threads": (7, 7),
    "plain": (True, True),
    "without": ({"winograd"}, frozenset({"winograd"})),
    "stand_ins": ({"relu": doubled}, {"relu": doubled}),
    "tf32": (True, True),
    "cuda_graph": (True, True),
    "half": (numpy.dtype("float16"), numpy.dtype("float16")),
    "grad": (False, False),
}
each_setting = pytest.mark.parametrize("name", OTHERS)


@pytest.fixture(autouse=True)
def start():
    """Restore the settings after a test."""
    before = settings()
    assert before.library.name == "numpy" and before.grad and not before.plain
    yield before
    use(**{name: getattr(before, name) for name in OTHERS})
    assert settings() == before


def in_a_thread(work):
    """Return the result of work() in a new thread, or raise its error."""
    found = []

    def run():
        try:
            found.append((work(), None))
        except BaseException as error:
            found.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    (value, error), *_ = found
    if error is not None:
        raise error
    return value


def differing(now, before):
    """Return the names of the settings in which two records differ."""
    return {name for name in OTHERS if getattr(now, name) != getattr(before, name)}


# Each field


def test_every_field_is_among_those_that_are_tried():
    assert set(OTHERS) == {field.name for field in fields(Settings) if field.init}


@each_setting
def test_using_changes_a_setting_for_its_block_in_its_thread_alone(name, start):
    given, kept = OTHERS[name]
    with using(**{name: given}) as block:
        assert getattr(settings(), name) == kept and differing(settings(), start) == {name}
        assert isinstance(block, using)
        assert in_a_thread(settings) is start
    assert settings() is start


@each_setting
def test_use_changes_a_setting_for_every_thread_and_stays(name, start):
    given, kept = OTHERS[name]
    use(**{name: given})
    for now in (settings(), in_a_thread(settings)):
        assert getattr(now, name) == kept and differing(now, start) == {name}


@each_setting
def test_a_block_within_another_has_the_last_word_and_the_outer_one_comes_back(name, start):
    given, kept = OTHERS[name]
    with using(**{name: given}):
        with using(**{name: getattr(start, name)}):
            assert getattr(settings(), name) == getattr(start, name)
        assert getattr(settings(), name) == kept
        with using(**{name: given}):
            pass
        assert getattr(settings(), name) == kept


@each_setting
def test_a_setting_may_be_changed_for_a_function(name, start):
    given, kept = OTHERS[name]

    @using(**{name: given})
    def look(depth):
        assert getattr(settings(), name) == kept
        if depth:
            look(depth - 1)
        assert getattr(settings(), name) == kept
        return depth

    assert look(2) == 2 and look(depth=0) == 0 and settings() is start
    with using(**{name: getattr(start, name)}):
        assert look(1) == 1 and getattr(settings(), name) == getattr(start, name)
    assert in_a_thread(lambda: look(1)) == 1


def test_several_settings_change_at_once_and_the_library_may_come_first(start):
    with using("strict", plain=True, threads=2):
        assert differing(settings(), start) == {"library", "plain", "threads"}
        with using(library="numpy"):
            assert differing(settings(), start) == {"plain", "threads"}


def test_a_block_keeps_what_it_does_not_name_from_around_it_and_from_the_process():
    with using(threads=3), using(plain=True):
        assert (settings().library.name, settings().threads, settings().plain) == ("numpy", 3, True)
        use("strict", threads=5)
        assert (settings().library.name, settings().threads, settings().plain) == (
            "strict",
            3,
            True,
        )
        assert in_a_thread(lambda: (settings().library.name, threads())) == ("strict", 5)
    assert (backend.name(), threads(), settings().plain) == ("strict", 5, False)


def test_each_setting_has_its_effect():
    x = Tensor([-1.0, 2.0], requires_grad=True)
    with using("strict"):
        assert backend.name() == "strict" and xp.ones is not numpy.ones
    with using(threads=3):
        assert threads() == 3
    with using(plain=True):
        assert ops.in_use() == {}
    with using(without={"winograd"}):
        assert ops.in_use()["conv2d"] == ["pointwise", "columns_in_chunks"]
    with using(stand_ins={"relu": doubled}):
        assert x.relu().data.tolist() == [-2, 4]
    with using(half=numpy.dtype("float16")):
        assert (
            ops.linear(x.data.reshape(1, 2), numpy.ones((2, 1), "float32"))[0].dtype
            == numpy.float16
        )
    with using(grad=False):
        assert not x.relu().requires_grad
    with using(tf32=True):
        assert settings().tf32
    assert (
        xp.ones is numpy.ones
        and ops.in_use()["conv2d"][0] == "winograd"
        and x.relu().data.tolist() == [0, 2]
    )


def test_the_record_cannot_be_written_to():
    given = {"relu": doubled}
    with using(stand_ins=given):
        with pytest.raises(FrozenInstanceError):
            settings().plain = True
        with pytest.raises(TypeError):
            settings().stand_ins["exp"] = doubled
        given["exp"] = doubled
        assert set(settings().stand_ins) == {"relu"}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"plane": True}, TypeError, "^unknown setting 'plane': choose from library, threads, plain, .*; did you mean 'plain'"),
        ({"chosen": {}}, TypeError, "^unknown setting 'chosen'"),
        ({"library": "nunpy"}, BackendError, "^unknown backend 'nunpy': .* did you mean 'numpy'"),
        ({"library": numpy}, TypeError, "^library: expected a name, such as 'numpy', got <module 'numpy'.*$"),
        ({"threads": 0}, ValueError, "^threads: expected a number of threads, 1 or more, got 0$"),
        ({"threads": -2}, ValueError, "^threads: expected .*, got -2$"),
        ({"threads": "two"}, ValueError, "^threads: expected .*, got 'two'$"),
        ({"threads": 2.5}, ValueError, "^threads: expected .*, got 2.5$"),
        ({"threads": float("inf")}, ValueError, "^threads: expected .*, got inf$"),
        ({"threads": [2]}, ValueError, r"^threads: expected .*, got \[2\]$"),
        ({"plain": "yes"}, TypeError, "^plain: expected True or False, got 'yes'$"),
        ({"tf32": 1}, TypeError, "^tf32: expected True or False, got 1$"),
        ({"cuda_graph": 1}, TypeError, "^cuda_graph: expected True or False, got 1$"),
        ({"grad": None}, TypeError, "^grad: expected True or False, got None$"),
        ({"half": "bfloat16"}, TypeError, r"^half: expected a dtype of 2 bytes or None, got 'bfloat16': backend.autocast\(\) takes a name$"),
        ({"half": numpy.dtype("float64")}, TypeError, "^half: expected .* got dtype.'float64'.: "),
        ({"without": "winograd"}, TypeError, "^without: expected a set of names, got 'winograd'$"),
        ({"stand_ins": doubled}, TypeError, "^stand_ins: expected a dict of functions, got <function doubled.*$"),
        ({"stand_ins": {"relu": "mine"}}, TypeError, "^stand_ins: expected a function for relu, got 'mine'$"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("change", [using, use])
def test_an_unknown_setting_and_a_bad_value_are_refused_and_change_nothing(
    change, changes, error, message, start
):
    with pytest.raises(error, match=message):
        change(**changes)
    with pytest.raises(error, match=message):
        change(**{"plain": True, "threads": 2, **changes})  # all or nothing
    assert settings() is start


# The environment


def started(program, **environment):
    """Return (exit status, output, errors) of a program in a new process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MINIRES_")}
    root = str(Path(backend.__file__).parents[2])
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "PYTHONPATH": root, **environment},
        capture_output=True,
        text=True,
    )
    return result.returncode, result.stdout.strip(), result.stderr.strip()


def test_a_backend_that_the_environment_names_and_that_is_none_is_reported_when_it_is_used():
    program = "import minires; print('imported'); minires.Tensor([1.0])"
    status, said, error = started(program, MINIRES_BACKEND="strickt")
    assert status and said == "imported"
    last = error.splitlines()[-1]
    assert last.startswith(
        "minires.backend.library.BackendError: MINIRES_BACKEND=strickt: unknown backend 'strickt': choose from numpy, strict"
    )
    assert last.endswith("did you mean 'strict'?")
    program = "import minires; minires.backend.use('numpy'); print(minires.Tensor([1.0]).item())"
    assert started(program, MINIRES_BACKEND="strickt")[:2] == (0, "1.0")


@pytest.mark.parametrize("value", ["0", "two", "-1", "1.5"])
def test_a_number_of_threads_in_the_environment_that_is_none_is_reported_when_it_is_used(value):
    program = "from minires import backend; print('imported'); backend.threads()"
    status, said, error = started(program, MINIRES_THREADS=value)
    assert status and said == "imported"
    assert (
        error.splitlines()[-1]
        == f"ValueError: MINIRES_THREADS: expected a number of threads, 1 or more, got '{value}'"
    )
    program = "from minires import backend; backend.use(threads=2); print(backend.threads())"
    assert started(program, MINIRES_THREADS=value)[:2] == (0, "2")


def test_the_environment_sets_the_start_of_threads_and_switches():
    program = (
        "from minires import backend, ops; s = backend.settings(); "
        "print(backend.threads(), s.plain, s.tf32, s.cuda_graph, bool(ops.in_use()))"
    )
    switches = ("MINIRES_PLAIN", "MINIRES_TF32", "MINIRES_CUDA_GRAPH")

    def printed(**given):
        status, text = started(program, **given)[:2]
        assert status == 0
        return text

    assert printed(MINIRES_THREADS="3", **dict.fromkeys(switches, "1")) == "3 True True True False"
    for off in ({}, dict.fromkeys(switches, ""), dict.fromkeys(switches, "0")):
        assert printed(MINIRES_THREADS="2", **off) == "2 False False False True"
