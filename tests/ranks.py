"""Threads that stand in for the processes of a group, and exchange arrays without MPI."""

import threading
from concurrent.futures import ThreadPoolExecutor

from minires.backend import carried
from minires.parallel import Alone


class Rank(Alone):
    """A group of threads, as one of them has it. sum() adds in a fixed binary tree, as the one of parallel.Mpi."""

    def __init__(self, rank, size, meeting, places):
        self.rank, self.size, self.meeting, self.places = rank, size, meeting, places

    def gather(self, value):
        self.places[self.rank] = value
        self.meeting.wait()
        found = [*self.places]
        self.meeting.wait()
        return found

    def broadcast(self, value):
        return self.gather(value)[0]

    def sum(self, array):
        return tree(self.gather(array.copy()))


def tree(arrays):
    """The sum of 1, 2, 4, ... arrays: of neighbours, then of pairs, then of fours. Of another number, the sum in their order."""
    if len(arrays) & (len(arrays) - 1):
        return sum(arrays[1:], start=arrays[0])
    while len(arrays) > 1:
        arrays = [a + b for a, b in zip(arrays[::2], arrays[1::2])]
    return arrays[0]


def run(size, work):
    """What work(group) returned in each of `size` threads. An error in one ends the others."""
    meeting, places = threading.Barrier(size, timeout=60), [None] * size

    def rank(number):
        try:
            return work(Rank(number, size, meeting, places))
        except BaseException:
            meeting.abort()
            raise

    with ThreadPoolExecutor(size) as pool:
        made = [pool.submit(carried(rank), number) for number in range(size)]
        errors = [each.exception() for each in made]
    for error in sorted(filter(None, errors), key=lambda e: isinstance(e, threading.BrokenBarrierError)):  # fmt: skip
        raise error
    return [each.result() for each in made]
