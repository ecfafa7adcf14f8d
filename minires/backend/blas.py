"""NumPy's BLAS: how many threads it uses. Found once, whatever was imported first."""

import threading
from contextlib import contextmanager

import numpy

_lock = threading.Lock()
_found, _depth, _before = None, 0, []


def _libraries():
    """The BLAS libraries of this process; none where they cannot be told (Accelerate): then they stay as they are."""
    global _found
    if _found is None:
        from threadpoolctl import ThreadpoolController

        numpy.ones((2, 2)) @ numpy.ones((2, 2))
        _found = ThreadpoolController().select(user_api="blas").lib_controllers
    return _found


def takes_small_products():
    """Whether it is OpenBLAS with a kernel that multiplies small matrices where they lie."""
    kernels = "SkylakeX", "Cooperlake", "SapphireRapids"
    return any(getattr(library, "architecture", None) in kernels for library in _libraries())


@contextmanager
def one_thread():
    """In this block each product of matrices runs on the thread that asked for it; then the BLAS has its own number back."""
    global _depth, _before
    with _lock:
        _depth += 1
        if _depth == 1:
            _before = [(library, library.num_threads) for library in _libraries()]
            for library, number in _before:
                if number != 1:
                    library.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                for library, number in _before:
                    if number != 1:
                        library.set_num_threads(number)
