"""Messages of the commands about a GPU: that it compiles kernels at first, and what an error means after which it is lost."""

import os
from functools import cache

from minires.backend import on_a_gpu
from minires.data.notice import notice

# The statuses of CUDA after which a process can no longer use the GPU: illegal address 700, misaligned address 716, ...
LOST = {214, 220, 226, 700, 702, 710, *range(714, 720)}


def announce_kernels(use):
    """Say, once in a process and on a GPU only, that a use of it, such as "the first step", may take longer than later ones."""
    if on_a_gpu():
        _announce(f"{use} compiles the CUDA kernels that no earlier run has kept on disk")


@cache  # so that it is said once
def _announce(sentence):
    notice(sentence)


def is_lost(error):
    """Return True if an error of CuPy says that this process can no longer use the GPU."""
    of_cuda = type(error).__name__ in ("CUDARuntimeError", "CUDADriverError")
    return of_cuda and error.status in LOST


def is_traced():
    """Return True if CUDA waits for each kernel, so that a traceback shows the operation that failed."""
    return os.environ.get("CUDA_LAUNCH_BLOCKING", "0") not in ("", "0")


def explained(error):
    """Return the sentences about an error after which the GPU is lost."""
    return (
        f"the GPU failed: {error}. A GPU reports an error later than its cause, and this process can no longer use it. "
        "To find the cause, run the command again with CUDA_LAUNCH_BLOCKING=1, which shows the operation, "
        "or under compute-sanitizer, which shows the kernel's address"
    )
