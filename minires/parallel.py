"""Processes that train one model together, and what they exchange: Alone, Mpi (any hosts), Nccl (a GPU for each process).

    group = parallel.start()              under `mpiexec -n 4`: an Mpi with four ranks; without a launcher: Alone
    total = group.sum(gradients)          the same array on every rank
    settings = group.broadcast(settings)  rank 0's object, on every rank

Each process has a rank, from 0 to size - 1. All of them call the same methods in the same order. sum() adds arrays in a fixed
binary tree, so a sum over 4 ranks that each hold one array has the same bits as one over 2 ranks that each hold the sum of two.
"""

import os
import time
from collections import Counter
from typing import Any

from minires.backend import Array, to_device, to_host

__all__ = ["Alone", "Mpi", "ParallelError", "launched", "start"]

# Variables in which a launcher says how many processes it started: MPICH's and Intel's, Open MPI's.
LAUNCHERS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")


class ParallelError(ValueError):
    """The processes cannot work together."""


def launched() -> int:
    """Return the number of processes that a launcher started, this one included; 1 without a launcher."""
    return max(
        [int(os.environ[name]) for name in LAUNCHERS if os.environ.get(name, "").isdigit()],
        default=1,
    )


def start() -> "Alone":
    """Return the group of this process: Mpi under a launcher of several processes, Alone otherwise.

    Raises  ParallelError: mpi4py is missing, or it finds no MPI or a different one.
    """
    number = launched()
    if number == 1:
        return Alone()
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ParallelError(
            f"a launcher started {number} processes, and they need mpi4py with an MPI library "
            f"({error}): pip install 'minires[mpi]'"
        ) from error
    if MPI.COMM_WORLD.size != number:
        raise ParallelError(
            f"a launcher started {number} processes, but mpi4py sees {MPI.COMM_WORLD.size}: the launcher "
            f"belongs to a different MPI than {MPI.Get_library_version().splitlines()[0]}"
        )
    return Mpi(MPI.COMM_WORLD)


class Alone:
    """One process, with every method of a group.

    rank, size  this process's number, and how many there are    host_rank  its number on its host    hosts  how many there are
    """

    rank, size, host_rank, hosts = 0, 1, 0, 1
    engine = "none"

    def sum(self, array: Array) -> Array:
        """Return the sum over all ranks, element by element; it may be in the memory of `array`."""
        return array

    def broadcast(self, value: Any) -> Any:
        """Return rank 0's value. It travels pickled."""
        return value

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, in their order. They travel pickled."""
        return [value]

    def all_within(self, seconds: float) -> bool:
        """Return True as soon as every rank has called this, or False if that takes longer."""
        return True

    def cores(self, own: set[int]) -> int:
        """Return how many of its `own` cores (their numbers) a process may keep busy, at least 1; ranks on one host share theirs."""
        return max(len(own), 1)

    def describe(self) -> str:
        """Return a text such as "4 processes on 2 hosts (MPICH 5.0.2)"."""
        hosts = f"{self.hosts} host{'s' * (self.hosts > 1)}"
        return f"{self.size} process{'es' * (self.size > 1)} on {hosts} ({self.engine})"

    def abort(self, status: int) -> None:
        """End all processes now, with this exit status."""
        os._exit(status)


class Mpi(Alone):
    """The processes of an MPI communicator.

    steps  the number of sums so far    waiting  True while a sum waits for other ranks

    Raises  ParallelError: their number is not a power of two.
    """

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI

        self.comm, self.rank, self.size = comm, comm.Get_rank(), comm.Get_size()
        if self.size & (self.size - 1):
            raise ParallelError(f"expected 1, 2, 4, 8, ... processes, got {self.size}")
        on_host = comm.Split_type(MPI.COMM_TYPE_SHARED)
        self.on_host, self.host_rank = on_host, on_host.Get_rank()
        self.hosts = comm.allgather(self.host_rank).count(0)
        name, version = MPI.get_vendor()
        self.engine = f"{name} {'.'.join(map(str, version))}"
        self.sums, self.waiting = 0, False

    def sum(self, array: Array) -> Array:
        """Return the sum over all ranks, in the order of a binary tree: of neighbours, then of pairs, then of fours.

        Each element is added up on one rank: at every distance, two partners exchange halves of what they hold. Then the
        sums travel back the same way. A rank sends and receives 2 (size - 1) / size of the array each.
        """
        whole = to_host(array)
        vector = whole.reshape(-1)
        received, (begin, end), way = vector.copy(), (0, vector.size), []
        self.waiting = True
        for distance in _powers(self.size):
            partner, middle = self.rank ^ distance, (begin + end) // 2
            halves = slice(begin, middle), slice(middle, end)
            mine, theirs = halves if self.rank < partner else halves[::-1]
            self.comm.Sendrecv(vector[theirs], partner, recvbuf=received[mine], source=partner)
            vector[mine] += received[mine]
            way.append((partner, mine, theirs))
            begin, end = mine.start, mine.stop
        for partner, mine, theirs in reversed(way):
            self.comm.Sendrecv(vector[mine], partner, recvbuf=vector[theirs], source=partner)
        self.sums, self.waiting = self.sums + 1, False
        return to_device(vector.reshape(whole.shape))

    def broadcast(self, value: Any) -> Any:
        return self.comm.bcast(value)

    def gather(self, value: Any) -> list[Any]:
        return self.comm.allgather(value)

    def all_within(self, seconds: float) -> bool:
        request, end = self.comm.Ibarrier(), time.monotonic() + seconds
        while not request.Test():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def cores(self, own: set[int]) -> int:
        shared = Counter(core for cores in self.on_host.allgather(own) for core in cores)
        return max(int(sum(1 / shared[core] for core in own) + 1e-9), 1)

    def abort(self, status: int) -> None:
        self.comm.Abort(status)


def _powers(size: int) -> list[int]:
    """Return 1, 2, 4, ... below size."""
    return [1 << i for i in range(size.bit_length() - 1)]
