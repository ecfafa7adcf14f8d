"""The choice of the array library that does the arithmetic, and the other settings. Only this package names NumPy or CuPy for it.

    from minires.backend import xp       read xp as np; the library is looked up at each use
    backend.use("cupy")                  use the GPU from now on
    with backend.using("strict"): ...    for a block, in this thread

MINIRES_BACKEND sets the library at the start (default: numpy).
"""

from minires.backend.border import is_array, refuse_foreign, to_device, to_host
from minires.backend.library import LOADERS, Array, BackendError, HostArray, HostScalar, Library
from minires.backend.precision import (
    HALVES,
    accumulation_dtype,
    as_float,
    autocast,
    is_float,
    is_half,
    result_dtype,
    upcast,
    using_tf32,
)
from minires.backend.settings import (
    Settings,
    carried,
    grad_enabled,
    name,
    no_grad,
    on_a_gpu,
    settings,
    threads,
    use,
    using,
    using_threads,
    xp,
)

__all__ = [
    "HALVES",
    "LOADERS",
    "Array",
    "BackendError",
    "HostArray",
    "HostScalar",
    "Library",
    "Settings",
    "accumulation_dtype",
    "as_float",
    "autocast",
    "carried",
    "grad_enabled",
    "is_array",
    "is_float",
    "is_half",
    "name",
    "no_grad",
    "on_a_gpu",
    "refuse_foreign",
    "result_dtype",
    "settings",
    "threads",
    "to_device",
    "to_host",
    "upcast",
    "use",
    "using",
    "using_tf32",
    "using_threads",
    "xp",
]
