"""Facts about this machine, for `minires info` and for a run's record: processor, cores, BLAS kernel and threads."""

import os
import platform
import subprocess
from functools import cache
from typing import Any

import numpy

# OpenBLAS kernels for x86-64, from slowest to fastest, with the processor feature that each needs.
KERNELS = [("Prescott", "SSE3"), ("Nehalem", "SSE42"), ("Sandybridge", "AVX"), ("Haswell", "AVX2"), ("Zen", "AVX2"),
           ("SkylakeX", "AVX512_SKX"), ("Cooperlake", "AVX512_SKX"), ("Sapphirerapids", "AVX512_SKX")]  # fmt: skip


def processor() -> str:
    """The processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return (
            subprocess.run(command, capture_output=True, encoding="utf-8").stdout.strip()
            or platform.machine()
        )
    return platform.processor() or platform.machine()


@cache
def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def numpy_version() -> str:
    """NumPy's version."""
    return numpy.__version__


def features() -> set[str]:
    """The names of the processor's features that NumPy found: AVX2, AVX512_SKX, ..."""
    from numpy._core._multiarray_umath import __cpu_features__

    return {name for name, present in __cpu_features__.items() if present}


def blas() -> dict[str, Any] | None:
    """The library behind numpy.matmul: {"name", "version", "kernel", "threads"}, or None if it is not recognised."""
    from threadpoolctl import threadpool_info

    numpy.ones((2, 2)) @ numpy.ones((2, 2))
    for entry in threadpool_info():
        if entry["user_api"] == "blas":
            return {"name": entry["internal_api"], "version": entry["version"],
                    "kernel": entry.get("architecture"), "threads": entry["num_threads"]}  # fmt: skip
    return None


def pinned_below(kernel: str | None, features: set[str]) -> str | None:
    """The feature that an OpenBLAS `kernel` leaves unused on a processor with `features`, or None.

    >>> pinned_below("Haswell", {"AVX2", "AVX512_SKX"})
    'AVX512_SKX'
    """
    needs = {name.lower(): feature for name, feature in KERNELS}
    order = list(dict.fromkeys(feature for _, feature in KERNELS))
    if kernel is None or kernel.lower() not in needs:
        return None
    best = max((feature for feature in order if feature in features), key=order.index, default=None)
    used = needs[kernel.lower()]
    return best if best is not None and order.index(best) > order.index(used) else None
