"""One process among several: rank 0 owns the run's folder and prints, and all of them end together."""

import os
import sys
import time
from contextlib import nullcontext, redirect_stderr, redirect_stdout

from minires import __version__, backend, parallel
from minires.backend import machine
from minires.fast.parts import PROCESS
from minires.runs import Run

# Seconds after an error. Processes that fail for the same reason do so within this time; if one fails alone, it ends the others.
PATIENCE = 2.0


class Followed(Exception):
    """Rank 0 failed, or the first rank on this host, and reports it."""


def start():
    """Return the group of this process.

    Raises  ParallelError: as parallel.start(). Followed: on ranks other than 0, instead of that.
    """
    try:
        return parallel.start()
    except parallel.ParallelError:
        if parallel.launched()[0]:  # the same happens on rank 0, which reports it
            raise Followed from None
        raise


def join(group, stack):
    """Give this process its share of the host's cores. Ranks other than 0 print only errors from now on.

    stack  an ExitStack; at its end they print again

    Raises  ParallelError: the processes have different versions of minires or NumPy.
    """
    if group.size == 1:
        return
    if group.rank:
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        for redirect in (redirect_stdout, redirect_stderr):
            stack.enter_context(redirect(nowhere))
    versions = {"minires": __version__, "NumPy": machine.numpy_version()}
    compare(group, {f"versions of {name}": found for name, found in versions.items()}, refuse)
    _share_cores(group)


def _share_cores(group):
    """Give this process as many threads as its share of the host's cores, unless MINIRES_THREADS is set."""
    affinity = getattr(os, "sched_getaffinity", None)
    own = affinity(0) if affinity else set(range(os.cpu_count() or 1))
    every = [cores for host, cores in group.gather((group.host, own)) if host == group.host]
    threads = max(int(sum(1 / sum(core in cores for cores in every) for core in own) + 1e-9), 1)
    if not os.environ.get("MINIRES_THREADS"):
        backend.use(threads=threads)
    for library in PROCESS.blas():
        library.set(min(library.get(), threads))


def describe(group):
    """Return a text such as "4 processes on 2 hosts (MPICH 5.0.2)"."""
    hosts = len({*group.gather(group.host)})
    return f"{group.size} processes on {hosts} host{'s' * (hosts > 1)} ({group.engine})"


def on_gpus(group, engine, complain):
    """Return the group with the engine that adds up arrays of the backend in use. engine  "mpi", "nccl" or None

    Raises  BackendError: nccl, and it is missing, or two processes share a GPU.
    """
    if engine == "nccl" and backend.name() != "cupy":
        raise ValueError(
            f"--engine nccl needs GPUs: the backend is {backend.name()}, expected cupy"
        )
    if group.size == 1 or backend.name() != "cupy" or engine == "mpi":
        return group
    try:
        return parallel.Nccl(group.comm)
    except backend.BackendError as error:
        if engine == "nccl":
            raise
        complain(f"{error}. Gradients are added up on the hosts, by MPI")
        return group


def refuse(sentence):
    """Raise a ParallelError."""
    raise parallel.ParallelError(sentence)


def compare(group, facts, complain):
    """Call `complain` with a sentence about each fact (name -> text) that differs between the processes."""
    every = group.gather(facts)
    for name in dict.fromkeys(name for found in every for name in found):
        ranks = {}
        for rank, found in enumerate(every):
            ranks.setdefault(found.get(name), []).append(str(rank))
        if len(ranks) > 1:
            each = (f"{value} (rank {', '.join(found)})" for value, found in ranks.items())
            complain(f"the processes have different {name}: {'; '.join(each)}")


def first(group, make):
    """Return what make() returns on rank 0, on every rank.

    Raises  on rank 0, what make() raises; then elsewhere, Followed.
    """
    made, error = _tried(make) if group.rank == 0 else (None, None)
    made, failed = group.broadcast((made, error is not None))
    if error is not None:
        raise error
    if failed:
        raise Followed
    return made


def _tried(make):
    """Return (make(), None), or (None, what it raised)."""
    try:
        return make(), None
    except Exception as error:
        return None, error


def host_first(group, make):
    """Return make(), called on the first rank of each host before the others: what it downloads is there for them.

    Raises  on the first rank of a host, what make() raises; then on the others there, Followed.
    """
    made, error = _tried(make) if group.local_rank == 0 else (None, None)
    failed = group.gather((group.host, error is not None))
    if error is not None:
        raise error
    if (group.host, True) in failed:
        raise Followed
    return made if group.local_rank == 0 else make()


def failed(group, status, message=None):
    """Report an error once, and end every process. Returns the exit status, if all of them failed.

    message  None if this process has nothing to report
    """
    if group.size > 1 and not group.all_within(PATIENCE):
        if message:
            told = sys.__stderr__ if group.rank else sys.stderr
            print(f"rank {group.rank}: {message}", file=told, flush=True)
            time.sleep(0.1)  # the launcher reads it before it ends everything
        group.abort(status)
    every = group.gather((status, message))
    if group.rank == 0:
        for told in [found for _, found in every if found][:1]:
            print(told, file=sys.stderr)
    return max(found for found, _ in every)


class Follower(Run):
    """A run as ranks other than 0 have it: with its settings, without its folder. It reads and writes nothing."""

    def __init__(self, run):
        self.folder, self.config, self.extensions = run.folder, run.config, run.extensions

    def _nothing(self, *args, **options):
        pass

    save = reopen = forget_after = write_log = write_exercises = _nothing

    def locked(self):
        """Context manager: do nothing, as rank 0 holds the lock."""
        return nullcontext()

    def extend(self, extension):
        """Change the settings as Run.extend does."""
        self.config = {**self.config, "epochs": extension["to"]}
        self.extensions = [*self.extensions, extension]

    def steps(self, before):
        """Return an object with the methods of runs.steps.Steps."""
        return Unwritten()

    def saved(self):
        """Return no checkpoints."""
        return []

    def result(self):
        """Return None: only rank 0 knows."""


class Unwritten:
    """Rows of steps.csv that nobody writes."""

    def add(self, row):
        """Forget the row."""

    def flush(self):
        """Do nothing."""
