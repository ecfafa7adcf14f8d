"""A learner's ops on chunks of the batch: the same values, the same bits on any number of threads, and honest counts."""

import threading
from contextlib import ExitStack

import numpy
import pytest

from minires import Tensor, backend, functional, models, ops, optim
from minires.course import chunks, engine
from minires.fast import parts
from minires.nn import init

RNG = numpy.random.default_rng(0)
IMAGES, WEIGHT = RNG.standard_normal((9, 6, 6, 4)), RNG.standard_normal((3, 3, 4, 5))
CHANNELS = RNG.standard_normal(4), RNG.standard_normal(4)
CALLS = {
    "conv2d": ((IMAGES, WEIGHT, RNG.standard_normal(5)), {"padding": 1}),
    "relu": ((IMAGES,), {}),
    "max_pool2d": ((IMAGES,), {"kernel": 2}),
    "avg_pool2d": ((IMAGES,), {"kernel": 3, "stride": 2}),
    "global_avg_pool": ((IMAGES,), {}),
    "batch_norm_frozen": ((IMAGES, *CHANNELS), {"mean": CHANNELS[0], "var": CHANNELS[1] ** 2}),
}
SOLVED = ("02c", "05c", "05d", "05e", "06a", "06b", "06d", "07a", "07b")


@pytest.fixture
def small(monkeypatch):
    """Chunks of a few of the images above."""
    monkeypatch.setattr(parts, "CHUNK", 6_000)


def same(own, theirs):
    """Check two tuples of arrays, some of which may be None."""
    assert len(own) == len(theirs)
    for one, other in zip(own, theirs):
        if other is None:
            assert one is None
        else:
            assert one.shape == other.shape and one.dtype == other.dtype
            assert numpy.allclose(one, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("library", ["numpy", "strict"])
@pytest.mark.parametrize("name", CALLS)
def test_an_op_in_chunks_has_the_values_and_gradients_of_one_call(name, library, small):
    inputs, options = CALLS[name]
    with ExitStack() as stack:
        stack.enter_context(backend.using(library))
        stack.enter_context(ops.plain())
        inputs = [backend.to_device(array) for array in inputs]
        options = {
            key: backend.to_device(value) if hasattr(value, "shape") else value
            for key, value in options.items()
        }
        plain, seen = getattr(ops, name), []

        def function(*inputs, **options):
            seen.append(len(inputs[0]))
            return plain(*inputs, **options)

        own, own_backward = chunks.cut(name, function)(*inputs, **options)
        theirs, their_backward = plain(*inputs, **options)
        g = backend.to_device(RNG.standard_normal(theirs.shape))
        own = [own, *own_backward(g), *own_backward(g)]
        theirs = [theirs, *their_backward(g), *their_backward(g)]
        same(*([a if a is None else backend.to_host(a) for a in made] for made in (own, theirs)))
    assert len(seen) > 2 and sum(seen) == 9


def test_the_other_operations_and_small_batches_run_whole(small):
    function = ops.relu.plain
    assert all(chunks.cut(name, function) is function for name in ("add", "batch_norm", "im2col"))
    seen = []
    run = chunks.cut("relu", lambda x: seen.append(x.shape) or function(x))
    for shape in [(1, 6, 6, 4), (2, 3), (0, 6, 6, 4), (50_000,), ()]:
        same(run(numpy.ones(shape))[:1], [numpy.ones(shape)])
        assert seen.pop() == shape and not seen


def test_the_learners_memory_is_not_added_to(small):
    kept = numpy.ones_like(WEIGHT)
    run = chunks.cut("conv2d", lambda x, weight: (x * 2, lambda g: (g * 2, kept)))
    _, (_, g_weight) = (made := run(IMAGES, WEIGHT)), made[1](IMAGES)
    assert numpy.all(kept == 1) and g_weight is not kept and g_weight.flat[0] > 2


def test_an_error_in_a_chunk_names_the_learners_line(small):
    def function(x):
        if threading.current_thread() is threading.main_thread() or x[0, 0, 0, 0] >= 0:
            raise ZeroDivisionError("mine")
        return ops.relu.plain(x)

    for threads in (1, 2):
        with backend.using_threads(threads), pytest.raises(ZeroDivisionError, match="mine") as told:
            chunks.cut("relu", function)(IMAGES)
        assert told.traceback[-1].name == "function"
    assert chunks.is_counted()


def test_an_op_that_declines_is_asked_once_per_chunk_and_the_next_one_runs(small):
    asked = []
    own = engine._first([lambda x: asked.append(1) or NotImplemented], "relu")
    same(chunks.cut("relu", own)(IMAGES)[:1], [numpy.maximum(IMAGES, 0)])
    assert len(asked) > 2
    assert chunks.cut("relu", lambda x: NotImplemented)(IMAGES) is NotImplemented


def trained(home, threads):
    """(report, losses, weights) of two steps of a small network."""
    init.manual_seed(5)
    rng = numpy.random.default_rng(6)
    x = rng.standard_normal((20, 16, 16, 3)).astype("float32")
    labels = rng.integers(0, 4, 20)
    model, losses = models.resnet8(num_classes=4), []
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with engine.mine(home, threads=threads) as report:
        for _ in range(2):
            loss = functional.cross_entropy(model(Tensor(x)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item().hex())
    return report, losses, [parameter.data for parameter in model.parameters()]


@pytest.mark.parametrize("solved", [SOLVED, ()])
def test_a_run_has_the_same_bits_on_one_thread_and_on_two(classroom, monkeypatch, solved):
    monkeypatch.setattr(parts, "CHUNK", 1 << 17)
    for id in solved:
        classroom.answer(id)
    (_, *one), (_, *two), (_, *three) = (trained(classroom.home, n) for n in (1, 2, 3))
    for losses, weights in (two, three):
        assert losses == one[0]
        assert all(numpy.array_equal(a, b) for a, b in zip(weights, one[1]))
    with backend.using_threads(1):
        assert trained(classroom.home, None)[1] == one[0]


def test_the_report_counts_calls_of_the_op_and_of_the_function(classroom, monkeypatch):
    for id in SOLVED:
        classroom.answer(id)
    whole = trained(classroom.home, 2)[0]
    monkeypatch.setattr(parts, "CHUNK", 1 << 17)
    report = trained(classroom.home, 2)[0]
    assert report.calls == whole.calls and report.rows() == whole.rows()
    assert (
        report.chunks["05e"] > 2 * report.calls["05e"]
        and report.chunks["07b"] == report.calls["07b"]
    )
    lines = report.lines()
    told = f"conv2d: yours, {report.calls['05e']} calls, in {report.chunks['05e']} chunks"
    assert told in lines and f"batch_norm: yours, {report.calls['07b']} calls" in lines
    one = [line for line in whole.lines() if "global_avg_pool" in line]
    assert all("chunks" not in line for line in one)
