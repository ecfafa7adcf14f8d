"""Nccl on an imitation of NCCL and of CuPy's arrays (tests/nccl.py), which checks each call."""

import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minires.backend import BackendError
from tests import nccl
from tests.nccl import Communicator, Device, Stream, World, device, on_the_card, run


@pytest.fixture
def library():
    """The library that stands in for CuPy."""
    with nccl.stand_in() as made:
        yield made


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("processes", [(1,), (2,), (2, 2), (1, 3)])
def test_nccl_returns_the_sum_of_all_vectors_to_all_ranks(library, dtype, processes):
    vectors = np.random.default_rng(0).standard_normal((sum(processes), 1001)).astype(dtype)

    def work(ranks):
        given = on_the_card(vectors[ranks.rank])
        total = ranks.sum(given)
        np.testing.assert_array_equal(given, vectors[ranks.rank])
        assert total.card == ranks.local_rank and total.dtype == dtype
        return np.array(total)

    for total in run(library, work, World(processes)):
        np.testing.assert_allclose(total, vectors.astype("f8").sum(0), rtol=1e-6)


def test_a_part_of_an_array_that_is_contiguous_is_added_up(library):
    def work(ranks):
        return np.array(ranks.sum(on_the_card(np.arange(10.0))[3:7]))

    for total in run(library, work, World((2,))):
        np.testing.assert_array_equal(total, [6, 8, 10, 12])


def test_the_sum_runs_on_the_current_stream(library):
    world = World((2,))

    def work(ranks):
        x = on_the_card([1.0, 2.0])
        ranks.sum(x)
        with (stream := Stream()):
            ranks.sum(x)
        ranks.sum(x)
        return stream.ptr

    for address, notes in zip(run(library, work, world), world.notes):
        assert [note[1] for note in notes if note[0] == "sum"] == [0, address, 0]


def test_a_rank_chooses_its_gpu_then_gets_the_one_id_then_joins(library):
    world = World((2, 1))
    run(library, lambda ranks: None, world)
    first, *others = world.notes
    assert first == ["use", "id", "join"]
    assert others == [["use", "join"]] * 2


@pytest.mark.parametrize(("own", "wanted"), [(False, [0, 1, 0, 1, 2]), (True, [0] * 5)])
def test_a_rank_takes_the_gpu_of_its_number_on_its_host_or_the_only_one_it_sees(library, own, wanted):  # fmt: skip
    world = World((2, 3), cards=(4, 3), own=own)
    assert run(library, lambda ranks: device(), world) == wanted


def test_more_processes_than_gpus_on_a_host_are_an_error_in_all_of_them(library):
    world = World((3, 1), cards=(2, 4))
    for error in run(library, lambda ranks: None, world):
        assert isinstance(error, BackendError)
        assert "expected a GPU per process, got 3 for 4 processes" in str(error)
    assert not any("join" in notes for notes in world.notes)


def test_missing_nccl_is_an_error_that_says_what_to_install(library):
    """And CuPy's own warning, of several lines, is not shown."""

    def cupys_answer(name):
        if name != "nccl":
            raise AttributeError(name)
        warnings.warn("\nnccl library could not be loaded.\n\nReason: ImportError", stacklevel=2)
        return SimpleNamespace(available=False)

    sys.modules["cupy.cuda"].__getattr__ = cupys_answer
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (error,) = run(library, lambda ranks: None, World((1,)))
    assert isinstance(error, BackendError) and "pip install nvidia-nccl-cu12" in str(error)


@pytest.mark.parametrize(("array", "message"), [
    (lambda: on_the_card([1, 2], "f2"), "got float16 on GPU 0"), (lambda: on_the_card([1, 2], "i4"), "got int32"),
    (lambda: on_the_card([1.0, 2, 3, 4])[::2], r"strides \(16,\)"), (lambda: on_the_card(np.ones((3, 2))).T, "strides"),
    (lambda: elsewhere([1.0, 2]), "on GPU 0, got float64 on GPU 1")])  # fmt: skip
def test_what_nccl_would_add_up_wrongly_is_refused(library, array, message):
    def work(ranks):
        with pytest.raises(ValueError, match=message):
            ranks.sum(array())

    run(library, work, World((1,), cards=(2,)))


def elsewhere(value):
    with Device(1):
        return on_the_card(value)


def test_a_thread_whose_current_gpu_is_another_one_gets_its_sum_on_the_ranks_gpu(library):
    def work(ranks):
        x = on_the_card([1.0, 2.0])
        with Device(0):
            total = ranks.sum(x)
        return total.card, total.tolist()

    assert run(library, work, World((2,))) == [(0, [2, 4]), (1, [2, 4])]


# That the imitation finds mistakes, and that it is like CuPy.


@pytest.mark.parametrize("mistake", [
    lambda a, b, n, kind, how, stream: (b, a, n, kind, how, stream, 0), lambda a, b, n, kind, how, stream: (a, b, kind, n, how, stream),
    lambda a, b, n, kind, how, stream: (a, b, n, how, kind, stream), lambda a, b, n, kind, how, stream: (a, b, n, 15 - kind, how, stream),
    lambda a, b, n, kind, how, stream: (a, b, n, kind, how, 0), lambda a, b, n, kind, how, stream: (a, b, n, kind, stream, how),
    lambda a, b, n, kind, how, stream: (a, b, 8 * n, kind, how, stream), lambda a, b, n, kind, how, stream: (a, b, float(n), kind, how, stream),
    lambda a, b, n, kind, how, stream: (a, b, np.int64(n), kind, how, stream), lambda a, b, n, kind, how, stream: (a + 0.0, b, n, kind, how, stream),
    lambda a, b, n, kind, how, stream: (a, 1 << 40, n, kind, how, stream), lambda a, b, n, kind, how, stream: (a, b, n, kind, 4, stream)])  # fmt: skip
def test_a_wrong_call_is_found(library, mistake):
    def work(ranks):
        x, out, ranks_of = on_the_card([1.0, 2]), on_the_card([0.0, 0]), Communicator.allReduce
        joined = next(value for value in vars(ranks).values() if isinstance(value, Communicator))
        with Stream():
            right = x.data.ptr, out.data.ptr, 2, 8, 0, nccl.current_stream().ptr
            with pytest.raises((TypeError, AssertionError)):
                ranks_of(joined, *mistake(*right))
            ranks_of(joined, *right)
        assert out.tolist() == [1, 2]

    run(library, work, World((1,)))


def test_arrays_of_another_gpu_or_that_are_gone_are_found(library):
    def work(ranks):
        joined = next(value for value in vars(ranks).values() if isinstance(value, Communicator))
        x, there = on_the_card([1.0, 2]), elsewhere([0.0, 0])
        with pytest.raises(AssertionError, match="arrays on GPUs 0 and 1"):
            joined.allReduce(x.data.ptr, there.data.ptr, 2, 8, 0, 0)
        address = there.data.ptr
        del there
        with pytest.raises(AssertionError, match="no array is at"):
            joined.allReduce(x.data.ptr, address, 2, 8, 0, 0)

    run(library, work, World((1,), cards=(2,)))


def test_the_imitation_has_the_signatures_of_cupys_nccl():
    """They are in the compiled file, whether or not NCCL is installed."""
    if find_spec("cupy_backends") is None:
        pytest.skip("CuPy is not installed")
    contents = Path(find_spec("cupy_backends.cuda.libs.nccl").origin).read_bytes()
    for line in (nccl.ALL_REDUCE, nccl.JOIN, "get_unique_id()"):
        assert b"\0" + line.encode() in contents


def test_the_imitation_has_the_constants_of_cupys_nccl():
    """Where CuPy and NCCL are installed; no GPU is needed."""
    pytest.importorskip("cupy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cupy.cuda import nccl as real
    if not real.available:
        pytest.skip("NCCL is not installed")
    assert {name: getattr(real, name) for name in nccl.CONSTANTS} == nccl.CONSTANTS
    assert type(real.get_unique_id()) is bytes and len(real.get_unique_id()) == 128
