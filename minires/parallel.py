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

from minires.backend import Array, BackendError, card, to_device, to_host, xp

__all__ = ["Alone", "Mpi", "Nccl", "ParallelError", "launched", "start"]

# Variables in which a launcher tells a process the number of processes and its rank: MPICH and Intel MPI, Open MPI.
LAUNCHERS = {"PMI_SIZE": "PMI_RANK", "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK"}


class ParallelError(ValueError):
    """The processes cannot work together."""


def launched() -> tuple[int, int]:
    """Return (rank, size) of this process, as a launcher gave them; (0, 1) without a launcher."""
    for size, rank in LAUNCHERS.items():
        if os.environ.get(size, "").isdigit() and os.environ.get(rank, "").isdigit():
            return int(os.environ[rank]), int(os.environ[size])
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

    rank, size  this process's number, and how many there are    local_rank  its number on its host    hosts  how many there are
    """

    rank, size, local_rank, hosts = 0, 1, 0, 1
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

    sums  the number of sums so far    waiting  True while one is being added up
    """

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI

        self.comm, self.rank, self.size = comm, comm.Get_rank(), comm.Get_size()
        on_host = comm.Split_type(MPI.COMM_TYPE_SHARED)
        self.on_host, self.local_rank = on_host, on_host.Get_rank()
        self.hosts = comm.allgather(self.local_rank).count(0)
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


class Nccl(Mpi):
    """Processes with a GPU each: NCCL adds up their vectors, in an order of its own, and everything else goes through MPI."""

    def __init__(self, comm: Any) -> None:
        """Choose the GPU whose number is the rank's on its host, and wait until all have joined.

        Raises  BackendError: NCCL is missing, or two processes share a GPU.
        """
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
        """Return the sum of all ranks' vectors, of float32 or float64. The host does not wait for it.

        Raises  ValueError: a vector of a different dtype, on a different GPU, or not contiguous.
        """
        kinds = {"float32": self._nccl.NCCL_FLOAT32, "float64": self._nccl.NCCL_FLOAT64}
        kind = kinds.get(array.dtype.name)
        if kind is None or array.device.id != self._card or not array.flags.c_contiguous:
            got = f"{array.dtype} on GPU {array.device.id}, strides {array.strides}"
            want = f"contiguous float32 or float64 on GPU {self._card}"
            raise ValueError(f"Nccl.sum: expected {want}, got {got}")
        with xp.cuda.Device(self._card):  # a thread begins with GPU 0
            total = xp.empty_like(array)
            given = array.data.ptr, total.data.ptr, array.size, kind, self._nccl.NCCL_SUM
            self._ranks.allReduce(*given, xp.cuda.get_current_stream().ptr)
        return total


def _powers(size: int) -> list[int]:
    """Return 1, 2, 4, ... below size."""
    return [1 << i for i in range(size.bit_length() - 1)]
