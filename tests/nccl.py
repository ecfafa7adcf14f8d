"""An imitation of NCCL, of mpi4py's communicator and of CuPy's arrays, which checks each call. Ranks are threads.

It knows what the documentation of CuPy and NCCL says of types, constants, streams, GPUs and order. What NCCL itself does (its speed,
its rounding, what a lost peer looks like) only GPUs can show.
"""

import operator
import pickle
import queue
import sys
import threading
import weakref
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from unittest import mock

import numpy as np

from minires import backend
from minires.backend import BackendError, Library
from minires.parallel import Nccl
from tests import signatures

# As in CuPy's docstrings, and the numbers of nccl.h.
ALL_REDUCE = ("NcclCommunicator.allReduce(self, intptr_t sendbuf, intptr_t recvbuf, size_t count, int datatype, int op, "
              "intptr_t stream)")  # fmt: skip
JOIN = "NcclCommunicator(int ndev, bytes commId, int rank, NcclConfig config=None)"
CONSTANTS = {"NCCL_FLOAT16": 6, "NCCL_FLOAT32": 7, "NCCL_FLOAT64": 8, "NCCL_INT32": 2, "NCCL_INT64": 4,
             "NCCL_SUM": 0, "NCCL_PROD": 1, "NCCL_MAX": 2, "NCCL_MIN": 3, "NCCL_AVG": 4}  # fmt: skip
TYPES = {7: np.dtype("f4"), 8: np.dtype("f8")}
LONG = 30  # seconds after which a rank that waits for another one fails

NOW = threading.local()  # of each thread: rank, host, world, device, streams
MEMORY = []  # (weak reference to what owns the memory, address, bytes, number of the GPU on its rank's list)


class Array(np.ndarray):
    """An array on an imitated GPU."""

    def __array_finalize__(self, source):
        self.card = getattr(source, "card", None)

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)

    @property
    def device(self):
        return SimpleNamespace(id=self.card)


def on_the_card(value, dtype=None):
    """A new array on the thread's current GPU."""
    owner = np.array(value, dtype)
    made = owner.view(Array)
    made.card = device()
    MEMORY.append((weakref.ref(owner), owner.ctypes.data, owner.nbytes, made.card))
    return made


def device():
    return getattr(NOW, "device", 0)


class Device:
    """cupy.cuda.Device: the current one is a thread's own."""

    def __init__(self, number):
        assert type(number) is int and 0 <= number < len(NOW.world.visible(NOW.host, NOW.local))
        self.number = number

    def use(self):
        NOW.device = self.number
        NOW.world.note("use")

    def __enter__(self):
        self.before, NOW.device = device(), self.number

    def __exit__(self, *error):
        NOW.device = self.before


class Stream:
    """cupy.cuda.Stream: the current one is a thread's own, for each GPU."""

    def __init__(self, address=None):
        self.ptr, self.done = id(self) if address is None else address, True

    def __enter__(self):
        self.card, self.before = device(), current_stream()
        vars(NOW).setdefault("streams", {})[self.card] = self

    def __exit__(self, *error):
        NOW.streams[self.card] = self.before


NULL = Stream(0)


def current_stream(device_id=-1):
    return getattr(NOW, "streams", {}).get(device() if device_id == -1 else device_id, NULL)


def memory(address, count, dtype):
    """The elements at an address, if an array that is alive holds them all. Returns them and their GPU."""
    for owner, start, nbytes, card in MEMORY:
        alive = owner()
        if alive is not None and start <= address < start + nbytes:
            assert address + count * dtype.itemsize <= start + nbytes, "beyond the array's end"
            assert alive.dtype == dtype, f"{alive.dtype} passed as {dtype}"
            return np.frombuffer(alive.data.cast("B"), dtype, count, address - start), card
    raise AssertionError(f"no array is at {address}")


class World:
    """What the ranks share: hosts with GPUs, MPI's and NCCL's messages, and the notes of what was called.

    processes, cards  of each host: how many there are; own: a process sees one GPU alone, by CUDA_VISIBLE_DEVICES
    """

    def __init__(self, processes, cards=None, own=False):
        self.processes, self.cards, self.own = processes, cards or processes, own
        self.size = sum(processes)
        self.places = [(host, local) for host, many in enumerate(processes) for local in range(many)]  # fmt: skip
        self.notes = [[] for _ in range(self.size)]
        self.ids, self.slots, self.calls = [], [None] * self.size, [0] * self.size
        self.done = []  # what the ranks exchanged, each time that all had called
        self.boxes = defaultdict(queue.SimpleQueue)
        self.meeting = threading.Barrier(self.size, lambda: self.done.append([*self.slots]), LONG)

    def visible(self, host, local):
        cards = [f"{host}:{number}" for number in range(self.cards[host])]
        return [cards[local]] if self.own else cards

    def note(self, what):
        self.notes[NOW.rank].append(what)

    def box(self, sender, receiver):
        """The messages from one rank to another."""
        return self.boxes[sender, receiver]

    def exchange(self, value):
        """The values of all ranks, once all have called."""
        self.slots[NOW.rank], call = pickle.dumps(value), self.calls[NOW.rank]
        self.calls[NOW.rank] += 1
        try:
            self.meeting.wait()
        except threading.BrokenBarrierError:
            if len(self.done) <= call:  # another rank failed before it called, not after
                raise
        return [pickle.loads(slot) for slot in self.done[call]]


class Comm:
    """The communicator of mpi4py."""

    rank = property(lambda self: NOW.rank)
    size = property(lambda self: NOW.world.size)

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.size

    def Split_type(self, *arguments, **options):
        return SimpleNamespace(Get_rank=lambda: NOW.local, bcast=lambda value: NOW.rank - NOW.local)

    def isend(self, value, rank):
        NOW.world.box(NOW.rank, rank).put(pickle.dumps(value))
        return SimpleNamespace()

    def improbe(self, rank):
        box = NOW.world.box(rank, NOW.rank)
        if NOW.world.meeting.broken:
            raise threading.BrokenBarrierError
        return None if box.empty() else SimpleNamespace(recv=lambda: pickle.loads(box.get()))

    def allgather(self, value):
        return NOW.world.exchange(value)


def get_unique_id():
    NOW.world.note("id")
    NOW.world.ids.append(bytes([NOW.rank]) * 128)
    return NOW.world.ids[-1]


class Communicator:
    """cupy.cuda.nccl.NcclCommunicator."""

    def __init__(self, *arguments, **options):
        wanted = signatures.parsed(JOIN)
        signatures.check("NcclCommunicator", wanted, arguments, options)
        ndev, unique, rank = wanted.bind(*arguments, **options).args
        world = self.world = NOW.world
        assert (type(ndev), type(rank), len(unique)) == (int, int, 128)
        assert (ndev, rank) == (world.size, NOW.rank)
        assert [unique] == world.ids, "not the one id that was made"
        world.note("join")
        self.card = device()
        there = world.visible(NOW.host, NOW.local)[self.card]
        if len(set(world.exchange(there))) < world.size:
            raise RuntimeError("NCCL_ERROR_INVALID_USAGE: invalid usage")

    def allReduce(self, *arguments, **options):
        wanted = signatures.parsed(ALL_REDUCE)
        signatures.check("allReduce", wanted, arguments, options)
        given = wanted.bind(*arguments, **options).args
        assert [type(value) for value in given] == [int] * 6
        given, total, count, kind, how, stream = given
        assert how == CONSTANTS["NCCL_SUM"] and kind in TYPES
        assert stream == current_stream(self.card).ptr, "not the current stream"
        (x, card), (out, other) = memory(given, count, TYPES[kind]), memory(total, count, TYPES[kind])  # fmt: skip
        assert card == other == self.card, f"arrays on GPUs {card} and {other}, NCCL on {self.card}"
        calls = self.world.exchange((count, kind, x.copy()))
        assert len({call[:2] for call in calls}) == 1
        out[...] = sum(x.astype("f8") for _, _, x in calls)
        self.world.note(("sum", stream))


def uuid_and_more(number):
    return {"uuid": NOW.world.visible(NOW.host, NOW.local)[operator.index(number)].encode()}


def bus(number):
    assert type(number) is int
    return f"0000:{NOW.world.visible(NOW.host, NOW.local)[number].partition(':')[2]}a:00.0"


@contextmanager
def stand_in():
    """Context manager: a Library whose module stands in for CuPy. As there, cupy.cuda has no nccl until somebody imports it."""
    cupy, cuda, nccl = ModuleType("cupy"), ModuleType("cupy.cuda"), ModuleType("cupy.cuda.nccl")
    cupy.cuda, cupy.empty_like = cuda, lambda like: on_the_card(np.full_like(like, np.nan))
    cuda.Device, cuda.get_current_stream = Device, current_stream
    cuda.runtime = SimpleNamespace(
        getDeviceCount=lambda: len(NOW.world.visible(NOW.host, NOW.local)), runtimeGetVersion=lambda: 12090,
        getDeviceProperties=uuid_and_more, deviceGetPCIBusId=bus, getDevice=device)  # fmt: skip
    vars(nccl).update(CONSTANTS, available=True, get_unique_id=get_unique_id)
    nccl.NcclCommunicator = Communicator
    mpi4py = ModuleType("mpi4py")
    mpi4py.MPI = SimpleNamespace(
        COMM_TYPE_SHARED=1, get_vendor=lambda: ("MPI", (1, 0, 0)),
        Request=SimpleNamespace(Testall=lambda requests: True))  # fmt: skip
    modules = (cupy, cuda, nccl, mpi4py)
    with mock.patch.dict(sys.modules, {each.__name__: each for each in modules}):
        yield Library("cupy", cupy, Array, on_the_card, np.array)
    MEMORY.clear()


def run(library, work, world):
    """What work(the Nccl of the rank) returned or raised in each rank. As MPI does, an error in one ends the others."""

    def rank(number):
        NOW.rank, (NOW.host, NOW.local), NOW.world = number, world.places[number], world
        try:
            with backend.using(library):
                return work(Nccl(Comm()))
        except Exception as error:
            world.meeting.abort()
            return error

    with ThreadPoolExecutor(world.size) as pool:
        made = [*pool.map(rank, range(world.size))]
    for error in made:
        if isinstance(error, Exception) and not isinstance(error, BackendError):
            if not isinstance(error, threading.BrokenBarrierError):
                raise error
    return made
