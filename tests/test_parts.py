"""Chunks of a batch: the cut, the order of sums, and the same bits with any number of threads."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from minires import Tensor, backend, models, nn, no_grad, ops, optim
from minires import functional as F
from minires.backend import carried, machine, on_a_gpu, to_device, to_host, using_threads
from minires.fast import parts
from minires.fast.memory import empty
from minires.fast.onepass import norm_add_relu
from minires.fast.parts import scratch, sum_over_chunks
from tests.chunks import in_chunks_of
from tests.interrupts import interrupts

on_each_backend = pytest.mark.usefixtures("each_backend")

LARGE = parts.CHUNK  # bytes per example, so that each is a chunk of its own
FLOAT32, FLOAT64 = numpy.dtype("float32"), numpy.dtype("float64")


@pytest.fixture
def on_numpy():
    """Tests for NumPy only, which has several threads."""
    with backend.using("numpy"):
        yield


def chunked(work, n, size, shared=0, chunk=LARGE):
    """Run sum_over_chunks with chunks of this many bytes; on a GPU, whose chunks would be larger, cut as on a CPU."""
    with in_chunks_of(chunk) if on_a_gpu() else mock.patch.object(parts, "CHUNK", chunk):
        return sum_over_chunks(work, n, size, shared)


def cut(n, size, shared=0, chunk=LARGE):
    """Return the slices in the order in which their results are added: a sum of lists is a longer list."""
    return chunked(lambda chunk: [chunk], n, size, shared, chunk)


def lengths(n, size, shared=0, chunk=LARGE):
    return [chunk.stop - chunk.start for chunk in cut(n, size, shared, chunk)]


def two_at_once():
    """Run two chunks that wait for each other, so that two threads must run them; return the threads' idents."""
    meeting = threading.Barrier(2)

    def work(chunk):
        meeting.wait(timeout=60)
        return [threading.get_ident()]

    with using_threads(2):
        return sum_over_chunks(work, 2, LARGE)


# The cut.


@on_each_backend
@pytest.mark.parametrize(("n", "size", "options", "expected"), [
    (7, 30, {}, [2, 2, 2, 1]),
    (9, 14, {}, [5, 4]),  # 7 would fit, 5 are more even
    (4, 100, {}, [1] * 4),
    (2, 1000, {}, [1, 1]),  # more than a chunk has room for
    (5, 1, {}, [5]),
    (5, 0, {}, [5]),
    (0, 30, {}, [0]),
    (7, 30, {"shared": 130}, [4, 3]),
    (7, 30, {"shared": 250}, [4, 3]),  # what is more than one chunk has room for goes to two threads
    (7, 30, {"shared": 99}, [2, 2, 2, 1]),
])  # fmt: skip
def test_chunks_have_so_many_examples_as_fit_into_the_budget_or_outweigh_what_is_shared(
    n, size, options, expected
):
    assert lengths(n, size, **options, chunk=100) == expected


@on_each_backend
@pytest.mark.parametrize(
    ("n", "size", "expected"), [(5, 20, [5]), (5, 21, [3, 2]), (4, 30, [2, 2]), (1, 1000, [1])]
)
def test_what_fits_into_one_chunk_stays_on_one_thread_and_the_rest_is_cut_in_two_whatever_is_shared(
    n, size, expected
):
    assert lengths(n, size, shared=100_000, chunk=100) == expected


@on_each_backend
@given(n=st.integers(0, 200), size=st.integers(0, 5_000_000), shared=st.integers(0, 10_000_000))
def test_the_cut_depends_on_the_problem_alone_and_covers_the_batch_in_order(n, size, shared):
    cuts = []
    for number in (1, 2, 5):
        with using_threads(number):
            cuts.append(cut(n, size, shared=shared))
    assert cuts[0] == cuts[1] == cuts[2]
    assert [i for chunk in cuts[0] for i in range(chunk.start, chunk.stop)] == list(range(n))
    each = [chunk.stop - chunk.start for chunk in cuts[0]]
    assert max(each) - min(each) <= 1 and (min(each) > 0 or n == 0)
    assert max(each) <= 1 or max(each) * size <= max(parts.CHUNK, shared)
    assert len(each) % 2 == 0 or n * size <= parts.CHUNK or len(each) == n


@on_each_backend
def test_no_example_is_one_empty_chunk():
    assert cut(0, 8) == [slice(0, 0)]


@pytest.mark.parametrize("forms", [("parts",), None], ids=["without parts", "plain"])
def test_without_the_faster_form_a_batch_goes_through_whole_and_the_blas_keeps_its_threads(
    on_numpy, blas_of_three, forms
):
    with ops.plain() if forms is None else ops.without(*forms):
        assert sum_over_chunks(lambda chunk: [(chunk, blas_threads())], 5, LARGE) == [
            (slice(0, 5), {3})
        ]
    assert lengths(5, LARGE) == [1] * 5


# Sums.


@on_each_backend
@pytest.mark.parametrize("number", [1, 2, 5])
def test_what_chunks_give_is_added_in_their_order_however_long_they_take(number):
    """In float32 the order can be seen: 1e8 + 1 is 1e8. The first chunks take longest."""
    values = numpy.array([1e8, 1, -1e8, 3, 1e8, 5, -1e8, 7], numpy.float32)

    def work(chunk):
        time.sleep(0.02 * (len(values) - chunk.start) / len(values))
        return to_device(values[chunk].copy()), [chunk.start]

    def added(values):
        total = numpy.float32(0)
        for value in values:
            total += value
        return total

    with using_threads(number):
        total, order = chunked(work, len(values), LARGE)
    assert order == list(range(len(values)))
    assert to_host(total).dtype == numpy.float32 and to_host(total).tolist() == [added(values)]
    assert added(values) not in (added(values[::-1]), values.sum(dtype=numpy.float64))


@on_each_backend
@pytest.mark.parametrize("number", [1, 2])
def test_chunks_may_give_nothing_an_array_or_several(number):
    with using_threads(number):
        assert chunked(lambda chunk: None, 4, LARGE) is None
        assert_array_equal(
            to_host(chunked(lambda chunk: to_device([chunk.start, 1]), 4, LARGE)),
            [0 + 1 + 2 + 3, 4],
        )
        start, square = chunked(
            lambda chunk: (to_device([chunk.start]), to_device([[chunk.start**2]])), 4, LARGE
        )
    assert to_host(start).tolist() == [6] and to_host(square).tolist() == [[14]]


def images(*shape, seed):
    return to_device(numpy.random.default_rng(seed).normal(1, 2, shape).astype(numpy.float32))


def convolution(weight, **options):
    def run():
        y, backward = ops.conv2d(
            images(9, 11, 10, weight[2], seed=1),
            images(*weight, seed=2),
            images(weight[3], seed=3),
            **options,
        )
        return [y, *backward(images(*y.shape, seed=4))]

    return run


def statistics():
    return ops.channel_stats(images(9, 11, 10, 8, seed=1))


def norm(**options):
    def run():
        x, gamma, beta, add = (
            images(*shape, seed=i)
            for i, shape in enumerate([(9, 11, 10, 8), (8,), (8,), (9, 11, 10, 8)])
        )
        y, backward = norm_add_relu(x, gamma, beta, add, **options)
        return [y, *backward(images(*y.shape, seed=4))]

    return run


def training(optimizer, **options):
    def run():
        nn.manual_seed(0)
        model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), num_classes=4)
        steps = optimizer(model.parameters(), lr=0.1, **options)
        for i in range(2):
            loss = F.cross_entropy(model(Tensor(images(9, 12, 10, 3, seed=i))), numpy.arange(9) % 4)
            steps.zero_grad()
            loss.backward()
            steps.step()
        return [loss.data, *model.state_dict().values()]

    return run


@pytest.mark.parametrize("run", [
    pytest.param(ops.without("winograd")(convolution((3, 3, 8, 8), padding=1)), id="columns"),
    pytest.param(convolution((3, 3, 8, 8), padding=1), id="winograd"),
    pytest.param(convolution((3, 2, 3, 5), stride=2), id="columns with a stride"),
    pytest.param(convolution((1, 1, 8, 8)), id="pointwise"),
    pytest.param(convolution((1, 1, 8, 8), stride=2), id="pointwise with a stride"),
    pytest.param(statistics, id="statistics"),
    pytest.param(norm(), id="norm"),
    pytest.param(norm(relu=False), id="norm without relu"),
    pytest.param(training(optim.SGD, momentum=0.9, nesterov=True, weight_decay=0.1), id="SGD"),
    pytest.param(training(optim.AdamW, weight_decay=0.1), id="AdamW"),
])  # fmt: skip
def test_any_number_of_threads_gives_the_same_bits(on_numpy, run):
    found = []
    with in_chunks_of(4000) as cuts:
        for number in (1, 2, 5, 2):
            with using_threads(number):
                found.append([numpy.asarray(array).tobytes() for array in run()])
    assert found[0] == found[1] == found[2] == found[3]
    assert max(map(len, cuts)) >= 3


# Threads.


@pytest.mark.parametrize("number", [2, 5])
def test_chunks_within_a_chunk_run_in_its_thread(on_numpy, number):
    def inner(chunk):
        return numpy.array([chunk.start + 1]), [threading.get_ident()]

    def outer(chunk):
        here = threading.get_ident()
        total, idents = sum_over_chunks(inner, 3, LARGE)
        return total, [set(idents) == {here}]

    with using_threads(number):
        total, own = sum_over_chunks(outer, 8, LARGE)
    assert total.tolist() == [8 * (1 + 2 + 3)] and own == [True] * 8
    assert len(set(two_at_once())) == 2  # afterwards this thread shares its chunks again


def test_several_callers_at_once_get_each_their_own_sum(on_numpy, blas_of_three):
    found = {}

    def call(caller):
        def work(chunk):
            time.sleep(0.001 * caller)
            return numpy.array([caller * 100 + chunk.start])

        found[caller] = sum_over_chunks(work, 4, LARGE).tolist()

    with using_threads(2):
        callers = [threading.Thread(target=call, args=(caller,)) for caller in range(6)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(timeout=60)
    assert found == {caller: [4 * caller * 100 + 6] for caller in range(6)}
    assert blas_threads() == {3}


@on_each_backend
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_an_error_in_a_chunk_reaches_the_caller_and_the_rest_stops(number, error):
    started = []

    def work(chunk):
        started.append(chunk.start)
        if chunk.start == 3:
            raise error("chunk 3")
        time.sleep(0.001)
        return [chunk.start]

    with using_threads(number):
        with pytest.raises(error, match="chunk 3"):
            chunked(work, 100, LARGE)
        assert max(started) < 99
        assert cut(4, LARGE) == [slice(i, i + 1) for i in range(4)]
    if backend.name() == "numpy":
        assert len(set(two_at_once())) == 2


def test_an_error_while_another_chunk_is_done_and_cannot_be_added_yet_ends_both(on_numpy):
    def work(chunk):
        if chunk.start == 0:
            time.sleep(0.1)  # chunk 1 is done
            raise ZeroDivisionError("chunk 0")
        return [chunk.start]

    with using_threads(2), pytest.raises(ZeroDivisionError, match="chunk 0"):
        sum_over_chunks(work, 2, LARGE)
    assert len(set(two_at_once())) == 2


def test_ctrl_c_in_a_caller_that_waits_leaves_no_thread_at_work(on_numpy, request):
    # a shell's background jobs begin with it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    ended = []

    def work(chunk):
        if threading.current_thread() is threading.main_thread():
            both.wait(timeout=60)
            return
        both.wait(timeout=60)
        time.sleep(0.1)  # the caller is done with its chunk, and waits
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.2)
        ended.append(chunk.start)

    both = threading.Barrier(2)
    with using_threads(2), pytest.raises(KeyboardInterrupt):
        sum_over_chunks(work, 2, LARGE)
    assert len(ended) == 1
    assert len(set(two_at_once())) == 2


def test_the_number_of_threads_is_set_for_a_block():
    before = backend.threads()
    with using_threads(3):
        with using_threads(1):
            assert backend.threads() == 1
        assert backend.threads() == 3
    with pytest.raises(RuntimeError, match="within"), using_threads(before + 1):
        raise RuntimeError("within")
    for number in (0, -1, "many"):
        with (
            pytest.raises(
                ValueError,
                match=f"^threads: expected a number of threads, 1 or more, got {number!r}$",
            ),
            using_threads(number),
        ):
            pass
    assert backend.threads() == before


def program(text, **environment):
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(Path(backend.__file__).parents[2]),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=120
    )


THREADS = """if True:
    from minires.backend import threads
    from minires.fast.parts import sum_over_chunks
    print(sum_over_chunks(lambda chunk: [1], 3, 0), threads())"""


def test_the_environment_sets_the_number_of_threads():
    assert program(THREADS, MINIRES_THREADS="3").stdout == "[1] 3\n"
    assert (
        program(THREADS, MINIRES_THREADS="").stdout
        == program(THREADS).stdout
        == f"[1] {machine.cores()}\n"
    )


@pytest.mark.parametrize("number", ["0", "-2", "x", "1.5"])
def test_an_environment_that_asks_for_no_number_of_threads_is_refused(number):
    wrong = program(THREADS, MINIRES_THREADS=number)
    assert wrong.returncode != 0
    assert (
        f"ValueError: MINIRES_THREADS: expected a number of threads, 1 or more, got {number!r}"
        in wrong.stderr
    )


@pytest.mark.parametrize("number", [1, 2])
def test_another_backend_within_a_chunk_is_that_chunks_alone(on_numpy, number):
    def work(chunk):
        before = backend.name()
        with backend.using("strict"):
            within = backend.name()
        return [(before, within, backend.name())]

    with using_threads(number):
        assert sum_over_chunks(work, 6, LARGE) == [("numpy", "strict", "numpy")] * 6
    assert backend.name() == "numpy"


def test_chunks_run_under_the_settings_of_their_caller(on_numpy):
    meeting = threading.Barrier(2)

    def work(chunk):
        meeting.wait(timeout=60)  # on two threads
        return [
            (
                backend.settings().tf32,
                backend.settings().grad,
                "winograd" in backend.settings().without,
            )
        ]

    with using_threads(2), backend.using_tf32(), no_grad(), ops.without("winograd"):
        assert sum_over_chunks(work, 2, LARGE) == [(True, False, True)] * 2
    with using_threads(2):
        assert sum_over_chunks(work, 2, LARGE) == [(False, True, False)] * 2


FORK = """
import os, signal, sys, threading
import numpy
from minires import backend
from minires.fast import parts

def total():
    meeting = threading.Barrier(2)

    def work(chunk):
        if chunk.start < 2:
            meeting.wait(timeout=30)  # two threads
        return numpy.full((50, 50), chunk.start) @ numpy.ones((50, 1))

    with backend.using_threads(2):
        return float(parts.sum_over_chunks(work, 4, parts.CHUNK)[0, 0])

print(total(), flush=True)  # or the child has it in its buffer too
child = os.fork()
if not child:
    signal.alarm(60)
    sys.exit(0 if total() == total() == 300 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), total())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_has_threads_of_its_own():
    ran = program(FORK)
    assert ran.stdout == "300.0\n0 300.0\n", ran.stderr


# The BLAS.


def blas_threads():
    """Return the numbers of threads of this process's BLAS libraries, as a set."""
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


@pytest.fixture
def blas_of_three():
    """A BLAS with three threads, which is neither one nor a number that a machine is likely to have."""
    with threadpool_limits(limits=3, user_api="blas"):
        if blas_threads() != {3}:
            pytest.skip(f"the number of threads of this BLAS cannot be set: {blas_threads()}")
        yield


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("n", [1, 4])
def test_the_blas_has_one_thread_within_chunks_and_its_own_number_afterwards(
    on_numpy, blas_of_three, number, n
):
    def work(chunk):
        return [blas_threads(), *sum_over_chunks(lambda chunk: [blas_threads()], 2, LARGE)]

    with using_threads(number):
        assert sum_over_chunks(work, n, LARGE) == [{1}] * 3 * n
    assert blas_threads() == {3}


@pytest.mark.parametrize("number", [1, 2])
def test_the_blas_has_its_own_number_after_an_error_too(on_numpy, blas_of_three, number):
    def work(chunk):
        raise ZeroDivisionError

    with using_threads(number), pytest.raises(ZeroDivisionError):
        sum_over_chunks(work, 4, LARGE)
    assert blas_threads() == {3}


def test_the_number_that_a_user_sets_in_between_is_the_blas_own(on_numpy, blas_of_three):
    for number in (2, 3):
        with threadpool_limits(limits=number, user_api="blas"):
            assert sum_over_chunks(lambda chunk: [blas_threads()], 2, LARGE) == [{1}, {1}]
            assert blas_threads() == {number}


def in_a_thread(run):
    """Return the result of run() in a new thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(run()))
    thread.start()
    thread.join(timeout=60)
    return found[0]


def control_is_taken():
    """Make this thread the first to set a number through threadpoolctl, which then ignores all others."""
    with threadpool_limits(limits=2, user_api="blas"):
        ThreadpoolController().select(user_api="blas").lib_controllers[0].set_num_threads(3)


@pytest.mark.parametrize("number", [1, 2])
def test_in_any_thread_the_blas_has_one_thread_within_chunks(on_numpy, blas_of_three, number):
    def limited():
        with using_threads(number):
            return sum_over_chunks(lambda chunk: [blas_threads()], 4, LARGE)

    control_is_taken()
    assert in_a_thread(limited) == [{1}] * 4 == limited() == in_a_thread(limited)
    assert blas_threads() == {3} == in_a_thread(blas_threads)


def test_the_blas_gets_its_number_back_when_the_last_thread_is_done_whichever_it_is(
    on_numpy, blas_of_three
):
    for main_leaves_first in (False, True):
        inside, leave, found = threading.Barrier(2), threading.Event(), []

        def elsewhere(inside=inside, leave=leave, first=not main_leaves_first, found=found):
            def work(chunk):
                inside.wait(timeout=60)
                if not first:
                    assert leave.wait(60)
                found.append(blas_threads())

            with using_threads(1):
                sum_over_chunks(work, 1, LARGE)

        other = threading.Thread(target=elsewhere)

        def here(chunk, inside=inside, other=other, first=main_leaves_first, found=found):
            inside.wait(timeout=60)
            if not first:
                other.join(timeout=60)
            found.append(blas_threads())

        other.start()
        with using_threads(1):
            sum_over_chunks(here, 1, LARGE)
        leave.set()
        other.join(timeout=60)
        assert found == [{1}, {1}]
        assert blas_threads() == {3}


def test_two_threads_that_never_rest_leave_the_blas_its_number(on_numpy, blas_of_three):
    def busy(number):
        with using_threads(number):
            for _ in range(100):
                assert (
                    sum_over_chunks(lambda chunk: [blas_threads() == {1}], 3, LARGE) == [True] * 3
                )
        return True

    found = []
    both = [threading.Thread(target=lambda n=n: found.append(busy(n))) for n in (1, 2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(timeout=120)
    assert found == [True, True] and blas_threads() == {3}


class OneNumberForEachThread:
    """A BLAS such as MKL, whose number of threads each thread sets for itself."""

    internal_api, here = "mkl", None

    def __init__(self):
        self.here = threading.local()

    def get_num_threads(self):
        return getattr(self.here, "number", 3)

    def set_num_threads(self, number):
        self.here.number = number


def test_where_each_thread_has_a_number_of_its_own_each_gets_one_and_its_own_back(on_numpy):
    library = OneNumberForEachThread()
    meeting = threading.Barrier(3)

    def work(chunk):
        if chunk.start < 3:
            meeting.wait(timeout=60)  # three threads take part
        return [library.get_num_threads()]

    with mock.patch.object(parts, "PROCESS", parts.Process()), using_threads(3):
        parts.PROCESS._libraries = [parts.Blas.of(library)]
        for _ in range(2):
            assert sum_over_chunks(work, 6, LARGE) == [1] * 6
            assert library.get_num_threads() == 3
        assert in_a_thread(carried(lambda: sum_over_chunks(work, 6, LARGE))) == [1] * 6
        assert library.get_num_threads() == 3


# Interrupts.


def bits_of_a_sum():
    with using_threads(2):
        return run_of_chunks().tobytes()


def run_of_chunks():
    x = images(9, 11, 10, 8, seed=1)
    return sum_over_chunks(lambda chunk: (x[chunk] * x[chunk]).sum(axis=(0, 1)), len(x), LARGE)


@pytest.mark.parametrize("number", [1, 2])
def test_wherever_an_interrupt_comes_the_blas_has_its_number_and_the_next_call_the_same_bits(
    on_numpy, blas_of_three, number
):
    def run():
        with using_threads(number):
            run_of_chunks()

    start, bits = backend.settings(), bits_of_a_sum()
    found = 0
    for place in interrupts(run, parts.__file__, backend.using.__init__.__code__.co_filename):
        assert blas_threads() == {3}, place
        assert backend.settings() == start, place
        assert len(set(two_at_once())) == 2 and bits_of_a_sum() == bits, place
        found += 1
    assert found > 60


def test_what_setting_the_number_of_the_blas_raises_is_undone_by_the_next_call(on_numpy):
    """A library that raises on request, and a second one; their numbers of threads are 3 and 5."""

    class Library:
        internal_api, raises = "test", 0

        def __init__(self, number):
            self.num_threads = number

        def get_num_threads(self):
            return self.num_threads

        def set_num_threads(self, number):
            if Library.raises:
                Library.raises -= 1
                raise KeyboardInterrupt
            self.num_threads = number

    process, libraries = parts.Process(), [Library(3), Library(5)]
    process._libraries = [parts.Blas.of(library) for library in libraries]

    def numbers():
        return [library.num_threads for library in libraries]

    for raises in (1, 2, 3):
        Library.raises = raises
        with pytest.raises(KeyboardInterrupt):
            process.with_one_blas_thread(numbers)
        Library.raises = 0
        assert process.with_one_blas_thread(numbers) == [1, 1]
        assert numbers() == [3, 5]

    def interrupted(raises):
        Library.raises = raises

    for raises in (1, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            process.with_one_blas_thread(lambda: interrupted(raises))
        Library.raises = 0
        assert process.with_one_blas_thread(numbers) == [1, 1]
        assert numbers() == [3, 5]


def test_where_no_thread_can_be_started_the_caller_does_all_the_work(on_numpy):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with (
        mock.patch.object(parts, "PROCESS", parts.Process()),
        mock.patch.object(threading.Thread, "start", refuse),
        using_threads(3),
    ):
        found = sum_over_chunks(lambda chunk: [threading.get_ident()], 6, LARGE)
    assert found == [threading.get_ident()] * 6


MAIN_HAS_ENDED = """
import threading, time
from minires import backend
from minires.fast import parts

def work():
    threading.main_thread().join()
    with backend.using_threads(3):
        print(sum(parts.sum_over_chunks(lambda chunk: [chunk.start], 5, parts.CHUNK)), flush=True)

threading.Thread(target=work).start()
"""


def test_a_thread_that_outlives_the_main_one_goes_on(on_numpy):
    ran = program(MAIN_HAS_ENDED)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("10\n", "", 0)


# Memory that is used again.


def test_arrays_and_scratch_of_a_page_or_more_begin_at_a_cache_line(on_numpy):
    kept = [numpy.empty(n, "uint8") for n in range(1, 4000, 7)]  # so that memory begins elsewhere
    for n in (1024, 1025, 5000):
        for made in (empty((n,), FLOAT32), scratch(f"test {n}", (n,), FLOAT32)):
            assert made.ctypes.data % 64 == 0 and made.shape == (n,) and made.dtype == FLOAT32
            assert made.flags.c_contiguous and made.flags.writeable
    assert empty((0, 3), FLOAT32).shape == (0, 3)
    assert kept


def test_scratch_under_one_name_is_the_same_memory_in_one_thread(on_numpy):
    first = scratch("test", (2, 3), FLOAT32)
    assert (
        first.shape == (2, 3)
        and first.dtype == FLOAT32
        and first.flags.c_contiguous
        and first.flags.writeable
    )
    assert numpy.shares_memory(first, scratch("test", (6,), FLOAT32))
    assert not numpy.shares_memory(first, scratch("another test", (2, 3), FLOAT32))
    larger = scratch("test", (50, 2), FLOAT64)
    assert larger.shape == (50, 2) and larger.dtype == FLOAT64
    assert numpy.shares_memory(larger, scratch("test", (2, 3), FLOAT32))
    assert (
        scratch("test", (0, 3), FLOAT32).shape == (0, 3)
        and scratch("test", (), FLOAT32).shape == ()
    )


def test_scratch_is_a_threads_own(on_numpy):
    meeting = threading.Barrier(2)

    def work(chunk):
        mine = scratch("test", (1000,), FLOAT64)
        mine[...] = chunk.start
        meeting.wait(timeout=60)  # both have written
        return [(bool((mine == chunk.start).all()), mine.ctypes.data)]

    with using_threads(2):
        (right, address), (right_too, another) = sum_over_chunks(work, 2, LARGE)
    assert right and right_too and address != another


@on_each_backend
def test_scratch_of_strict_is_nan_so_that_who_reads_it_unwritten_sees_it(each_backend):
    array = scratch("test", (2, 3), FLOAT32)
    assert backend.is_array(array) and array.shape == (2, 3) and array.dtype == FLOAT32
    if each_backend == "strict":
        array[...] = 5
        assert numpy.isnan(to_host(scratch("test", (2, 3), FLOAT32))).all()
        assert to_host(scratch("test", (2,), numpy.dtype(int))).tolist() == [1, 1]
