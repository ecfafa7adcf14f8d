"""The settings: use() for the process, using() for a block in one thread; blocks that overlap, fail, or are carried elsewhere."""

import os
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import numpy
import pytest

from minires import Tensor, backend, data, no_grad, ops
from minires.backend import BackendError, Settings, carried, settings, threads, use, using, xp
from minires.fast.parts import CHUNK, sum_over_chunks


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
    "half": (numpy.dtype("float16"), numpy.dtype("float16")),
    "grad": (False, False),
}
each_setting = pytest.mark.parametrize("name", OTHERS)


@pytest.fixture(autouse=True)
def start():
    """The settings before a test, which gives them back."""
    before = settings()
    assert before.library.name == "numpy" and before.grad and not before.plain
    yield before
    use(**{name: getattr(before, name) for name in OTHERS})
    assert settings() == before


def in_a_thread(work):
    """What work() gives in a thread of its own; what it raises comes through."""
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
    """The names of the settings in which two records differ."""
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
        ({"plane": True}, TypeError, "^unknown setting 'plane': there are library, threads, plain, .*; did you mean 'plain'"),
        ({"chosen": {}}, TypeError, "^unknown setting 'chosen'"),
        ({"library": "nunpy"}, BackendError, "^unknown backend 'nunpy': .* did you mean 'numpy'"),
        ({"library": numpy}, TypeError, "^library is <module 'numpy'.*, expected a name, such as 'numpy'$"),
        ({"threads": 0}, ValueError, "^threads is 0, expected a number of threads, 1 or more$"),
        ({"threads": -2}, ValueError, "^threads is -2, expected"),
        ({"threads": "two"}, ValueError, "^threads is 'two', expected"),
        ({"threads": 2.5}, ValueError, "^threads is 2.5, expected"),
        ({"threads": float("inf")}, ValueError, "^threads is inf, expected"),
        ({"threads": [2]}, ValueError, r"^threads is \[2\], expected"),
        ({"plain": "yes"}, TypeError, "^plain is 'yes', expected True or False$"),
        ({"tf32": 1}, TypeError, "^tf32 is 1, expected True or False$"),
        ({"grad": None}, TypeError, "^grad is None, expected True or False$"),
        ({"half": "bfloat16"}, TypeError, r"^half is 'bfloat16', expected a dtype of 2 bytes or None: backend.autocast\(\) takes a name$"),
        ({"half": numpy.dtype("float64")}, TypeError, "^half is dtype.'float64'., expected"),
        ({"without": "winograd"}, TypeError, "^without is 'winograd', expected a set of names$"),
        ({"stand_ins": doubled}, TypeError, "^stand_ins is <function doubled.*, expected a dict of functions$"),
        ({"stand_ins": {"relu": "mine"}}, TypeError, "^the stand-in for relu is 'mine', expected a function$"),
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


# Blocks that end in any order, and in any way


def test_blocks_of_one_thread_may_end_in_the_order_in_which_they_began(start):
    first, second, third = using("strict"), using(plain=True), using("numpy", threads=2)
    first.__enter__(), second.__enter__(), third.__enter__()
    assert differing(settings(), start) == {"plain", "threads"}
    third_goes_on = [(first, {"plain", "threads"}), (second, {"threads"}), (third, set())]
    for block, left in third_goes_on:
        block.__exit__(None, None, None)
        assert differing(settings(), start) == left
    assert settings() is start


def test_an_inner_block_that_outlives_the_outer_one_leaves_its_own_change_alone(start):
    outer, inner = using("strict", threads=2), using("strict", plain=True)
    outer.__enter__(), inner.__enter__()
    outer.__exit__(None, None, None)
    assert differing(settings(), start) == {"library", "plain"}
    inner.__exit__(None, None, None)
    assert settings() is start


def test_one_object_may_be_entered_twice_and_an_exit_without_an_entry_changes_nothing(start):
    block = using(plain=True)
    with block:
        with block:
            assert settings().plain
        assert settings().plain
    assert settings() is start
    block.__exit__(None, None, None)
    with using(threads=2):
        block.__exit__(None, None, None)
        assert threads() == 2
    assert settings() is start


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit, SystemExit])
def test_whatever_ends_a_block_its_change_ends_with_it(error, start):
    with pytest.raises(error), using("strict", plain=True), no_grad():
        raise error

    block = using(plain=True)

    @block
    def fails():
        assert settings().plain
        raise error

    with pytest.raises(error):
        fails()
    assert settings() is start


def test_a_generator_that_ends_takes_its_own_change_along(start):
    def within(**changes):
        with using(**changes):
            yield settings()
            yield settings()

    strict, plain = within(library="strict"), within(plain=True)
    assert next(strict).library.name == "strict"
    assert differing(next(plain), start) == {"library", "plain"}
    strict.close()  # the first to begin is the first to end
    assert differing(settings(), start) == {"plain"} == differing(next(plain), start)
    assert next(plain, None) is None
    assert settings() is start
    failing = within(threads=2)
    next(failing)
    with pytest.raises(KeyboardInterrupt):
        failing.throw(KeyboardInterrupt)
    assert settings() is start


# Threads


def test_a_thousand_rounds_of_two_threads_with_overlapping_blocks_each_see_their_own_settings_only(
    start,
):
    """The blocks of one begin, change and end while those of the other are open; the process's default stays what it was."""
    blocks = {
        "a": [
            {"library": "strict"},
            {"plain": True},
            {"threads": 3},
            {"library": "strict", "grad": False},
        ],
        "b": [
            {"plain": True, "grad": False},
            {"library": "numpy", "threads": 5},
            {"library": "strict"},
            {"grad": True},
        ],
    }
    together, wrong = threading.Barrier(2, timeout=60), []

    def seen():
        now = settings()
        return now.library.name, now.threads, now.plain, now.grad

    def expected(open_blocks):
        all_changes = {"library": "numpy", "threads": start.threads, "plain": False, "grad": True}
        for changes in open_blocks:
            all_changes.update(changes)
        return tuple(all_changes[name] for name in ("library", "threads", "plain", "grad"))

    def look(who, round_, open_blocks):
        together.wait()
        if seen() != expected(open_blocks) or backend.name() != expected(open_blocks)[0]:
            wrong.append((who, round_, seen(), expected(open_blocks)))

    def run(who):
        try:
            for round_ in range(1000):
                outer, inner = (
                    blocks[who][(round_ * step + shift) % 4] for step, shift in ((1, 0), (3, 1))
                )
                first, second = using(**outer), using(**inner)
                if who == "b":
                    look(who, round_, [])  # the two are never at the same place
                first.__enter__()
                look(who, round_, [outer])
                second.__enter__()
                look(who, round_, [outer, inner])
                (first if round_ % 2 else second).__exit__(None, None, None)
                look(who, round_, [inner] if round_ % 2 else [outer])
                (second if round_ % 2 else first).__exit__(None, None, None)
                if who == "a":
                    look(who, round_, [])
                if settings() is not start:
                    wrong.append((who, round_, "after"))
        except BaseException as error:
            wrong.append((who, error))
            together.abort()

    both = [threading.Thread(target=run, args=(who,)) for who in "ab"]
    for thread in both:
        thread.start()
    while any(thread.is_alive() for thread in both):
        assert settings() is start and xp.ones is numpy.ones  # here nothing ever changes
        both[0].join(0.001)
    for thread in both:
        thread.join()
    assert not wrong, wrong[:5]
    assert settings() is start


def test_no_grad_in_one_thread_leaves_another_its_graph():
    x, inside, looked = Tensor([1.0], requires_grad=True), threading.Event(), threading.Event()

    def without_a_graph():
        with no_grad():
            inside.set()
            assert looked.wait(60)
            return (x * 2).requires_grad

    found = []
    thread = threading.Thread(target=lambda: found.append(without_a_graph()))
    thread.start()
    assert inside.wait(60)
    assert (x * 2).requires_grad
    looked.set()
    thread.join()
    assert found == [False]


def test_use_reaches_the_open_blocks_of_other_threads():
    inside, changed, found = threading.Event(), threading.Event(), []

    def look():
        with using(plain=True):
            found.append((backend.name(), settings().plain))
            inside.set()
            assert changed.wait(60)
            found.append((backend.name(), settings().plain))

    thread = threading.Thread(target=look)
    thread.start()
    assert inside.wait(60)
    use("strict")
    changed.set()
    thread.join()
    assert found == [("numpy", True), ("strict", True)]


def test_a_carried_function_runs_in_another_thread_under_the_settings_of_here_and_now(start):
    def look(add):
        with using(threads=9):
            inner = settings()
        return settings(), inner, add + 1

    with using("strict", plain=True):
        carried_look = carried(look)
        here = settings()
    use(grad=False, threads=4)  # after it: of no account
    for work in (lambda: in_a_thread(lambda: carried_look(1)), lambda: carried_look(1)):
        now, inner, result = work()
        assert now == here and result == 2
        assert differing(inner, here) == {"threads"}
    assert differing(settings(), start) == {"grad", "threads"}
    assert in_a_thread(lambda: carried(look)(0)[0]) == settings()


def test_carrying_a_carried_function_leaves_it_its_settings():
    with using(plain=True):
        inner = carried(settings)
    with using("strict"):
        outer = carried(lambda: (settings(), inner()))
    around, within = in_a_thread(outer)
    assert (around.library.name, around.plain) == ("strict", False)
    assert (within.library.name, within.plain) == ("numpy", True)


@pytest.mark.parametrize(
    "changes",
    [{}, {"grad": False, "stand_ins": {"relu": doubled}}, {"half": numpy.dtype("float16")}],
)
def test_the_threads_that_share_an_ops_chunks_see_their_callers_settings(changes):
    seen, together = [], threading.Barrier(3, timeout=60)

    def work(chunk):
        if chunk.start < 3:
            together.wait()  # so that three threads take part
        seen.append((threading.get_ident(), settings()))

    with using(threads=3, **changes):
        here = settings()
        sum_over_chunks(work, 8, CHUNK)
        use(tf32=True)  # the pool's threads live on; the next call carries what holds then
        with using(without={"winograd"}):
            there = settings()
            sum_over_chunks(work, 8, CHUNK)
    first, second = seen[:8], seen[8:]
    assert len(second) == 8 and here != there
    assert all(now == here for _, now in first) and len({thread for thread, _ in first}) == 3
    assert all(now == there for _, now in second)


def test_ops_in_the_threads_of_chunks_run_the_forms_of_their_caller():
    """A stand-in for an op that chunks call within their threads."""
    images, weight, threads_seen = (
        numpy.ones((64, 32, 32, 16), "float32"),
        numpy.ones((3, 3, 16, 4), "float32"),
        set(),
    )

    def im2col(x, **options):
        threads_seen.add(threading.get_ident())
        return ops.im2col.default(x * 2, **options)

    form = ops.forms.FUNCTIONS["conv2d"].faster[-1].run
    assert form.__name__ == "columns_in_chunks"
    with using(threads=2, stand_ins={"im2col": im2col}):
        y, _ = form(images, weight)
    assert (y == 2 * 9 * 16).all() and threads_seen


# Batches


def dataset():
    images = numpy.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), numpy.uint8)
    return data.Dataset(images, numpy.arange(40) % 4, classes=list("abcd"), name="noise")


@pytest.mark.parametrize("options", [{}, {"seed": 3, "crop": 1, "flip": True, "cutout": 2}])
def test_batches_go_on_with_the_backend_of_their_first_one_whatever_is_used_in_between(options):
    made = [(x.copy(), labels.copy()) for x, labels in data.batches(dataset(), 8, **options)]
    coming = iter(data.batches(dataset(), 8, **options))
    found = [next(coming)]
    with using("strict"):
        found.append(next(coming))
        other = iter(data.batches(dataset(), 8, **options))
        strict = [next(other)]
    found.append(next(coming))
    strict.append(next(other))
    with using("strict", threads=1):
        strict.extend(other)
        found.extend(coming)
    for batches, array in ((found, numpy.ndarray), (strict, backend.LOADERS["strict"]().ndarray)):
        assert len(batches) == 5 and all(
            isinstance(part, array) for batch in batches for part in batch
        )
    with using("strict"):
        on_host = [tuple(map(backend.to_host, batch)) for batch in strict]
    for batches in (found, on_host):
        for (x, labels), (expected, right) in zip(batches, made, strict=True):
            numpy.testing.assert_array_equal(x, expected)
            numpy.testing.assert_array_equal(labels, right)


def test_batches_made_ahead_do_not_keep_the_settings_of_their_thread():
    with using(plain=True):
        coming = iter(data.batches(dataset(), 8))
        next(coming)
    assert not settings().plain
    coming.close()
    assert not settings().plain and not in_a_thread(settings).plain


# The environment


def started(program, **environment):
    """(exit status, output, errors) of a program in a process of its own."""
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
        "minires.backend.library.BackendError: MINIRES_BACKEND=strickt: unknown backend 'strickt': there are numpy, strict"
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
        == f"ValueError: MINIRES_THREADS is '{value}', expected a number of threads, 1 or more"
    )
    program = "from minires import backend; backend.use(threads=2); print(backend.threads())"
    assert started(program, MINIRES_THREADS=value)[:2] == (0, "2")


def test_the_environment_sets_the_start_of_threads_plain_forms_and_tf32():
    program = "from minires import backend, ops; s = backend.settings(); print(backend.threads(), s.plain, s.tf32, bool(ops.in_use()))"
    assert started(program, MINIRES_THREADS="3", MINIRES_PLAIN="1", MINIRES_TF32="1")[:2] == (
        0,
        "3 True True False",
    )
    for off in ("", "0"):
        assert started(program, MINIRES_THREADS="2", MINIRES_PLAIN=off, MINIRES_TF32=off)[:2] == (
            0,
            "2 False False True",
        )
    assert started(program, MINIRES_THREADS="2")[:2] == (0, "2 False False True")
