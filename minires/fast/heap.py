"""Tuning of malloc: freed memory is kept, so that the next step can use it again.

By default, glibc maps each array of 32 MiB or more separately, and returns the end of its heap to the system when much of it
is free, as after each training step. The system must then clear every page again, which takes 10 to 25% of a step.
"""

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # parameters of mallopt(3)


def keep():
    """Tell glibc to keep freed memory, except for arrays of 1 GiB or more. Without glibc, or if the environment configures malloc
    (MALLOC_..., GLIBC_TUNABLES), nothing is changed. Returns True if something was.
    """
    chosen = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    mallopt = (
        getattr(ctypes.CDLL(None), "mallopt", None)
        if sys.platform == "linux" and not chosen
        else None
    )
    if mallopt is None:
        return False
    if not mallopt(M_MMAP_THRESHOLD, 1 << 30):  # before glibc 2.35 it is limited to 32 MiB
        mallopt(M_MMAP_MAX, 0)
    return bool(mallopt(M_TRIM_THRESHOLD, -1))
