"""The machine: what it is, whether its fastest kernels are used, and how fast it multiplies matrices and copies memory."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from platform import python_version

import numpy

from benchmarks import timing
from minires import backend
from minires.backend import machine

# These keep PyTorch's kernels below what the processor can do.
PINS = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_CBWR",
)


def describe(peers):
    """Return processor, cores, threads and versions, as figures to save. PyTorch is given minires's number of threads."""
    blas = machine.blas() or {"name": "BLAS", "version": "unknown", "kernel": None, "threads": None}
    return {"processor": machine.processor(), "cores": machine.cores(), "threads": backend.threads(), "python": python_version(),
            "numpy": numpy.__version__, "blas": blas, "torch": peers and peers.describe(backend.threads())}  # fmt: skip


def report(facts):
    """Print what describe() returned."""
    blas, torch = facts["blas"], facts["torch"]
    print(
        f"{facts['processor']}, {facts['cores']} cores; {facts['threads']} threads each; float32; Python {facts['python']}"
    )
    print(f"minires on NumPy {facts['numpy']} with {blas['name']} {blas['version']}, kernel {blas['kernel'] or 'unknown'}, "
          f"{blas['threads']} threads")  # fmt: skip
    if torch:
        print(
            f"PyTorch {torch['version']}, eager, kernels for {torch['kernels']}, {torch['threads']} threads"
        )
    else:
        print("PyTorch is not installed: these are minires's figures alone")


def pinned(facts):
    """Return why the figures of this process would mean nothing, and what to type; otherwise None."""
    kernel, pin = facts["blas"]["kernel"], os.environ.get("OPENBLAS_CORETYPE")
    unused = machine.pinned_below(kernel, machine.features())
    if unused:
        cause = "another NumPy build may have a faster one"
        if pin:
            cause = f"OPENBLAS_CORETYPE={pin} pins it: unset OPENBLAS_CORETYPE"
        return f"the BLAS kernel {kernel} does not use this processor's {unused}. {cause}"
    for name in PINS if facts["torch"] else ():
        if os.environ.get(name):
            return f"{name}={os.environ[name]} may hold PyTorch below what this processor can do: unset {name}"
    return None


def commit():
    """Return the commit of this checkout, with "+ changes" if files differ from it; None outside a checkout."""
    root = Path(__file__).parents[1]
    try:
        head, changes = (
            subprocess.run(
                ["git", *words], cwd=root, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + (" + changes" if changes else "")


class Others:
    """The fraction of the cores that other processes take, from when this is created: it makes the figures too low.

    own  returns the processor time that is not theirs, in seconds (default: of this process and of those that it waited for)
    """

    def __init__(self, own=None):
        self.now = own or _own
        self.begun, self.busy, self.own = time.perf_counter(), _busy(), self.now()

    def share(self):
        """Return the fraction of all cores' time since then (Linux; None elsewhere)."""
        if self.busy is None:
            return None
        spent = (time.perf_counter() - self.begun) * os.cpu_count()
        return max(0.0, (_busy() - self.busy - (self.now() - self.own)) / spent)


def _busy():
    """Return the seconds that all cores of this machine have been busy, or taken by a different virtual machine."""
    try:
        with open("/proc/stat") as lines:
            user, nice, system, _, _, interrupts, soft, stolen = map(
                int, lines.readline().split()[1:9]
            )
    except OSError:
        return None
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def _own():
    """Return the processor time of this process and of those that it waited for, in seconds."""
    return sum(os.times()[:4])


def limits(plan):
    """Return the rate of a large product of float32 matrices, in GFLOP/s, and of copying memory, in GB/s read and written.

    The fastest round is the limit.
    """
    n, threads = plan.product, backend.threads()
    a, b, product = (numpy.ones((n, n), numpy.float32) for _ in range(3))
    source, target = (
        numpy.zeros((threads, plan.copied // 8 // threads), numpy.float64) + 1 for _ in range(2)
    )
    with ThreadPoolExecutor(threads) as pool:

        def copy():
            list(pool.map(numpy.copyto, target, source))  # copyto releases the interpreter's lock

        ways = {"product": lambda: numpy.matmul(a, b, out=product), "copy": copy}
        seconds = timing.alternated(ways, plan.rounds, turn=plan.turn)
    figures = {"product": timing.spread([2e-9 * n**3 / value for value in seconds["product"]]),
               "copy": timing.spread([2e-9 * source.nbytes / value for value in seconds["copy"]])}  # fmt: skip
    print(f"  product of two {n} x {n} matrices {timing.shown(figures['product']).strip()} GFLOP/s; "
          f"copy of {source.nbytes >> 20} MiB {timing.shown(figures['copy']).strip()} GB/s (read and written)")  # fmt: skip
    return figures
