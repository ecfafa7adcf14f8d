"""What malloc does with memory that was freed: it keeps it, so that the next step takes it again.

By default glibc maps each array of 32 MiB or more anew, and gives the end of its heap back to the system when much of it is
free, as after each step of a training. The system must then clear every page again: a tenth to a quarter of a step.
"""

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # parameters of mallopt(3)


def keep():
    """Tell glibc to keep what is freed, but for arrays of 1 GiB or more. Without glibc, or where the environment says by
    MALLOC_... or GLIBC_TUNABLES what malloc is to do, nothing is changed. Whether something was.
    """
    chosen = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    mallopt = (
        getattr(ctypes.CDLL(None), "mallopt", None)
        if sys.platform == "linux" and not chosen
        else None
    )
    if mallopt is None:
        return False
    if not mallopt(M_MMAP_THRESHOLD, 1 << 30):  # before glibc 2.35 it may be 32 MiB at most
        mallopt(M_MMAP_MAX, 0)
    return bool(mallopt(M_TRIM_THRESHOLD, -1))
