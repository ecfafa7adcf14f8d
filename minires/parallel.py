"""Processes that train one model together, and what they exchange: Alone, Mpi (any hosts), Nccl (a GPU for each process).

    group = parallel.start()              under `mpiexec -n 4`: an Mpi with four ranks; without a launcher: Alone
    total = group.sum(gradients)          the same array on every rank
    settings = group.broadcast(settings)  rank 0's object, on every rank

Each process has a rank, from 0 to size - 1, and all of them call the same methods in the same order. sum() adds in a fixed binary
tree: four ranks with an array each get the same bits as two ranks that each hold the sum of two arrays.
"""

import math
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from minires.backend import Array, BackendError, HostArray, card, to_device, to_host, xp

__all__ = ["Alone", "Mpi", "Nccl", "ParallelError", "launched", "start"]
# Variables in which a launcher tells a process the number of processes and its rank: MPICH and Intel MPI, Open MPI.
LAUNCHERS = {"PMI_SIZE": "PMI_RANK", "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK"}
MARK = "MINIRES_LAUNCHED"  # the process that a launcher started: its children inherit the variables


class ParallelError(ValueError):
    """The processes cannot work together."""


def launched() -> tuple[int, int]:
    """Return (rank, size) of this process, as a launcher gave them; (0, 1) without a launcher, or in a child of such a process."""
    own, given = str(os.getpid()), os.environ
    for size, rank in LAUNCHERS.items():
        if {rank, size} <= given.keys() and given.setdefault(MARK, own) == own:
            return int(given[rank]), int(given[size])
    return 0, 1


def start() -> "Alone":
    """Return the group of this process: Mpi under a launcher of several processes, Alone otherwise.

    Raises  ParallelError: mpi4py is missing, it finds no MPI or a different one, or their number is not a power of two.
    """
    _, number = launched()
    if number == 1:
        return Alone()
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ParallelError(
            f"{number} processes need mpi4py with an MPI library ({error}): pip install 'minires[mpi]'"
        ) from error
    if number & (number - 1):
        raise ParallelError(f"expected 1, 2, 4, 8, ... processes, got {number}")
    if MPI.COMM_WORLD.size != number:
        raise ParallelError(
            f"the launcher started {number} processes, but mpi4py sees {MPI.COMM_WORLD.size}: they belong to "
            f"different MPIs (mpi4py's is {MPI.get_vendor()[0]})"
        )
    return Mpi(MPI.COMM_WORLD)


class Alone:
    """One process, with every method of a group.

    rank  this process's number    size  how many there are    local_rank  its number on its host    host  the host's first rank
    """

    rank, size, local_rank, host = 0, 1, 0, 0

    def sum(self, array: Array) -> Array:
        """Return the sum over all ranks, element by element; it may be in the memory of `array`."""
        return array

    def broadcast(self, value: Any) -> Any:
        """Return rank 0's value. It travels pickled."""
        return value

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, in their order. They travel pickled."""
        return [value]


class Mpi(Alone):
    """The processes of an MPI communicator.

    engine  the library's name    idle  is called while this process waits for others, with the time at which it began to
    """

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI

        self.mpi, self.comm, self.rank, self.size = MPI, comm, comm.Get_rank(), comm.Get_size()
        on_host = comm.Split_type(MPI.COMM_TYPE_SHARED)
        self.local_rank, self.host = on_host.Get_rank(), on_host.bcast(self.rank)
        name, version = MPI.get_vendor()
        self.engine = f"{name} {'.'.join(map(str, version))}"
        self.idle: Callable[[float], None] = lambda began: None

    def wait(self, ready: Callable[[], Any], seconds: float = math.inf) -> Any:
        """Return what ready() returns, as soon as that is true, or its last answer after some seconds."""
        began, pause = time.monotonic(), 1e-6
        while not (found := ready()) and time.monotonic() < began + seconds:
            pause = min(1.05 * pause, 2e-3)
            if (
                pause > 1e-4
            ):  # a wait of a few milliseconds: leave the core to processes that share it
                self.idle(began)
                time.sleep(pause)
        return found

    def sum(self, array: Array) -> Array:
        """Return the sum over all ranks, in the order of a binary tree: of neighbours, then of pairs, then of fours.

        At each distance, two partners exchange halves of what they hold, and each adds up its own half. Then the sums travel
        back the same way. A rank sends and receives 2 (size - 1) / size of the array.
        """
        whole = to_host(array)
        vector = whole.ravel()
        received, (begin, end), way = vector.copy(), (0, vector.size), []
        for distance in (1 << i for i in range(self.size.bit_length() - 1)):
            partner, middle = self.rank ^ distance, (begin + end) // 2
            halves = slice(begin, middle), slice(middle, end)
            mine, theirs = halves if self.rank < partner else halves[::-1]
            self._exchange(partner, vector[theirs], received[mine])
            vector[mine] += received[mine]
            way.append((partner, mine, theirs))
            begin, end = mine.start, mine.stop
        for partner, mine, theirs in reversed(way):
            self._exchange(partner, vector[mine], vector[theirs])
        return to_device(vector.reshape(whole.shape))

    def _exchange(self, partner: int, given: HostArray, received: HostArray) -> None:
        requests = [self.comm.Irecv(received, partner), self.comm.Isend(given, partner)]
        self.wait(partial(self.mpi.Request.Testall, requests))

    def broadcast(self, value: Any) -> Any:
        return self.gather(value, [0])[0]

    def gather(self, value: Any, ranks: Sequence[int] = ()) -> list[Any]:
        """Return the values of these ranks (default: of all), in their order. They travel pickled."""
        every = range(self.size)
        others = [rank for rank in every if rank != self.rank and self.rank in (ranks or every)]
        sent, found = [self.comm.isend(value, rank) for rank in others], []
        for rank in ranks or every:
            arrived = partial(self.comm.improbe, rank)
            found.append(value if rank == self.rank else self.wait(arrived).recv())
        self.wait(partial(self.mpi.Request.Testall, sent))
        return found

    def all_within(self, seconds: float) -> bool:
        """Return True as soon as every rank has called this, or False if that takes longer."""
        return self.wait(self.comm.Ibarrier().Test, seconds)

    def abort(self, status: int) -> None:
        """End all processes now, with this exit status."""
        self.comm.Abort(status)
        time.sleep(1)  # MPICH returns, and a launcher beyond a broken network can't end this
        os._exit(status)


class Nccl(Mpi):
    """Processes with a GPU each: NCCL adds up their vectors, in an order of its own, and everything else goes through MPI.

    Raises  BackendError: NCCL is missing, or two processes share a GPU.
    """

    def __init__(self, comm: Any) -> None:
        super().__init__(comm)
        self._nccl, runtime = card.nccl(), xp.cuda.runtime
        self._card = self.local_rank % runtime.getDeviceCount()  # 0 where it sees only its own
        xp.cuda.Device(self._card).use()  # the communicator takes the current one
        uuid = runtime.getDeviceProperties(self._card)["uuid"]
        used = len(set(comm.allgather((runtime.deviceGetPCIBusId(self._card), uuid))))
        if used < self.size:
            raise BackendError(f"expected a GPU per process, got {used} for {self.size} processes")
        unique = self.broadcast(self._nccl.get_unique_id() if self.rank == 0 else None)
        self._ranks = self._nccl.NcclCommunicator(self.size, unique, self.rank)
        self.engine = f"NCCL, {self.engine}"

    def sum(self, array: Array) -> Array:
        """Return the sum of all ranks' vectors, of float32 or float64.

        Raises  ValueError: a vector of a different dtype, on a different GPU, or not contiguous.
        """
        kinds = {"float32": self._nccl.NCCL_FLOAT32, "float64": self._nccl.NCCL_FLOAT64}
        kind = kinds.get(array.dtype.name)
        if kind is None or array.device.id != self._card or not array.flags.c_contiguous:
            got = f"{array.dtype} on GPU {array.device.id}, strides {array.strides}"
            raise ValueError(
                f"expected contiguous float32 or float64 on GPU {self._card}, got {got}"
            )
        with xp.cuda.Device(self._card):  # a thread begins with GPU 0
            total = xp.empty_like(array)
            given = array.data.ptr, total.data.ptr, array.size, kind, self._nccl.NCCL_SUM
            stream = xp.cuda.get_current_stream()
            self._ranks.allReduce(*given, stream.ptr)
            self.wait(lambda: stream.done)  # to notice a rank that stands still
        return total
