"""Blocks of settings that overlap, fail, or run in other threads: each undoes only its own change, and no thread sees those of others."""

import threading
from contextlib import ExitStack
from dataclasses import replace

import numpy
import pytest

from minires import Tensor, backend, data, no_grad, ops
from minires.backend import carried, settings, use, using, xp
from minires.fast.parts import CHUNK, sum_over_chunks
from tests.interrupts import interrupts
from tests.test_settings import differing, doubled, in_a_thread, start

__all__ = ["start"]  # the fixture: the settings before a test
FILE = using.__init__.__code__.co_filename


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


def test_an_object_may_be_used_again_but_not_within_its_own_block(start):
    block = using(plain=True)
    for _ in range(2):
        with block:
            with pytest.raises(RuntimeError, match="^using: expected a block that is not open yet"):
                block.__enter__()
            assert settings().plain
        assert settings() is start
    with pytest.raises(RuntimeError, match="release unlocked lock"):
        block.__exit__(None, None, None)
    with using(threads=2), pytest.raises(RuntimeError):
        block.__exit__(None, None, None)
    assert settings() is start


def test_a_decorated_function_may_call_itself(start):
    @using(plain=True)
    def factorial(n):
        assert settings().plain
        return n * factorial(n - 1) if n else 1

    assert factorial(5) == 120 and settings() is start
    assert factorial.__name__ == "factorial"


def test_functions_whose_body_runs_later_are_no_blocks():
    def numbers():
        yield 1

    async def number():
        return 1

    async def later():
        yield 1

    for function in (numbers, number, later):
        with pytest.raises(TypeError, match="^using: expected a function, got a generator or cor"):
            no_grad()(function)


def test_an_exit_stack_ends_its_blocks(start):
    with ExitStack() as blocks:
        for changes in ({"plain": True}, {"threads": 3}):
            blocks.enter_context(using(**changes))
        assert differing(settings(), start) == {"plain", "threads"}
    assert settings() is start


def test_a_block_that_ends_in_another_thread_ends_in_its_own_too(start):
    block = using(plain=True)
    block.__enter__()
    in_a_thread(lambda: block.__exit__(None, None, None))
    assert settings() is start
    with using(threads=3):
        assert not settings().plain


def test_wherever_an_interrupt_comes_in_a_block_of_settings_its_change_ends(start):
    """Interrupts at each line and each call of entering, using and leaving a block."""

    def block():
        with using("strict", grad=False):
            settings()
        with no_grad(), using(threads=7):
            settings()

    for interrupt in interrupts(block, FILE):
        assert settings() is start, interrupt
    assert len(list(interrupts(block, FILE))) > 30


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


def test_in_a_thousand_rounds_two_threads_see_the_settings_of_their_own_blocks_alone(start):
    """Blocks of one begin, end and overlap while those of the other are open; the process's default stays."""
    strict = {"library": "strict"}
    plain = {"plain": True}
    other = {"library": "numpy", "threads": 5}
    blocks = {
        "a": [strict, plain, {"threads": 3}, {**strict, "grad": False}],
        "b": [{**plain, "grad": False}, other, strict, {"grad": True}],
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
                outer, inner = blocks[who][round_ % 4], blocks[who][(3 * round_ + 1) % 4]
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
        here = replace(settings(), threads=1)  # within a chunk there is one
        sum_over_chunks(work, 8, CHUNK)
        use(tf32=True)  # the workers live on; the next call carries what holds then
        with using(without={"winograd"}):
            there = replace(settings(), threads=1)
            sum_over_chunks(work, 8, CHUNK)
    first, second = seen[:8], seen[8:]
    assert len(second) == 8 and here != there
    assert all(now == here for _, now in first) and len({thread for thread, _ in first}) == 3
    assert all(now == there for _, now in second)


def test_ops_in_the_threads_of_chunks_run_the_forms_of_their_caller():
    """A stand-in for an op that chunks call in their threads."""
    images, weight = numpy.ones((64, 32, 32, 16), "float32"), numpy.ones((3, 3, 16, 4), "float32")
    calls = []

    def im2col(x, **options):
        calls.append(x.shape)
        return ops.im2col.default(x * 2, **options)

    form = ops.forms.FUNCTIONS["conv2d"].faster[-1].run
    assert form.__name__ == "columns_in_chunks"
    with using(threads=2, stand_ins={"im2col": im2col}):
        y, _ = form(images, weight)
    assert (y == 2 * 9 * 16).all() and len(calls) > 1


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
