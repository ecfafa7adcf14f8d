"""What processes do together, for tests/test_parallel.py: functions of their group, which tests/mpi.py calls in each process."""

import random
import time

import numpy


def vectors(rank, size):
    """Name -> the array of a rank, for each kind of array that a sum must take."""
    rng = numpy.random.default_rng([rank, 5])
    made = {
        f"{dtype} {length}": rng.standard_normal(length).astype(dtype)
        for dtype in ("f4", "f8")
        for length in (0, 1, 2, 3, 7, 1000003)
    }
    wide = rng.standard_normal((7, 9, 4))
    far = rng.choice([1e-30, 1e-8, 1.0, 1e7, 1e8, 1e30], 5001) * rng.standard_normal(5001)
    return {
        **made,
        "every other": wide.reshape(-1)[::2],
        "backwards": wide[::-1, :, ::-1],
        "transposed": wide.transpose(2, 0, 1).astype("f4"),
        "scalar": numpy.array(rng.standard_normal(), "f4"),
        "whole numbers": rng.integers(-(2**40), 2**40, 100),
        "huge and tiny": far,
        "huge and tiny, f4": (far * 1e-4).astype("f4"),
        "not finite": numpy.array([numpy.inf, 1.0, numpy.nan if rank == size - 1 else 2.0]),
    }


def sums(group):
    """The sum of each of the vectors."""
    return {name: group.sum(array) for name, array in vectors(group.rank, group.size).items()}


OBJECTS = [
    None, (), {"a": [1, None]}, "ä" * 100, numpy.arange(300_000.0), numpy.zeros((0, 3)), ValueError("mine", 3), b"", False,
    [numpy.float32(1.5), numpy.ones((2, 3), "i8")[::-1]]]  # fmt: skip


def objects(group):
    """What broadcasting and gathering odd objects comes to; from other ranks than 0, broadcast() takes anything."""
    found = []
    for i, value in enumerate(OBJECTS):
        sent = group.broadcast(value if group.rank == 0 else object)
        own = OBJECTS[(i + group.rank) % len(OBJECTS)]
        found.append((sent, group.gather(own)))
    return found, group.gather({"rank": group.rank})


def in_turn(group):
    """Sums, gathers and broadcasts in turn, while now this rank and now that is late."""
    rng, found = random.Random(group.rank), []
    for turn in range(40):
        if rng.random() < 0.3:
            time.sleep(rng.random() * 0.02)
        found.append(int(group.sum(numpy.array([turn, group.rank]))[0]))
        found.append(group.gather((turn, group.rank)))
        if rng.random() < 0.3:
            time.sleep(rng.random() * 0.02)
        found.append(group.broadcast((turn, group.rank)))
        found.append(group.gather(numpy.full(turn * 100, group.rank))[-1].tolist()[-1:])
    return found


def waits(group):
    """(what wait() returned after its seconds, whether they had passed, what it returned at once, what it told meanwhile)."""
    began, told = time.monotonic(), []
    group.idle = told.append
    late = group.wait(lambda: 0, 0.2)
    passed = time.monotonic() - began >= 0.2
    return late, passed, group.wait(lambda: "there", 60), len(told) > 0, len(set(told))


def within(group):
    """Whether all called all_within() in time: all did; rank 1 did later than the others waited for; all did again."""
    first = group.all_within(60)
    if group.rank == 1:
        group.gather(None)  # the others send this when they have given up
    second = group.all_within(0.3 if group.rank != 1 else 60)
    if group.rank != 1:
        group.gather(None)
    third = group.all_within(60)
    return first, second, third


def hosts(group):
    """What a group knows of its processes."""
    return group.rank, group.size, group.local_rank, group.host, group.engine
