"""CuPy, if a small kernel and a small matrix multiplication run; otherwise the reason why not, and what to type."""

import re
import subprocess
import warnings
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from typing import Any, NamedTuple

from minires.backend.library import BackendError

# They contain files of the same names, so only one of them works.
WHEELS = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")
# The first CuPy that keeps kernels made from templates on disk, whatever the driver's version.
KEEPS_KERNELS = (14, 2)
# Errors that a missing file cannot cause.
OF_THE_CARD = ("CUDARuntimeError", "CUDADriverError", "CUBLASError", "OutOfMemoryError")


class Unusable(Exception):
    """CuPy cannot be used here."""


class Facts(NamedTuple):
    """The properties of a GPU. Memory is in bytes."""

    name: str
    memory: int
    free: int | None  # known of the current GPU alone: to ask another one takes some 400 MB of it
    capability: tuple[int, int]  # (9, 0)
    driver: str | None  # its version; None if nvidia-smi does not report it
    driver_cuda: str  # the newest CUDA that the driver supports
    cuda: str  # the CUDA that CuPy was built with
    cupy: str
    tf32: bool
    float16: bool
    bfloat16: bool


def load() -> Any:
    """Return the cupy module. Any CuPy that imports and computes is accepted.

    Raises  Unusable: it is not installed or is broken, finds no driver or no GPU, lacks parts of CUDA, or computes wrong results.
    """
    try:
        with warnings.catch_warnings():
            # _conflict() says it in one line.
            warnings.filterwarnings("ignore", r"\s*-+\s+CuPy may not function correctly")
            import cupy
        found = f"CuPy {cupy.__version__}"
    except (
        Exception
    ) as error:  # not ImportError alone: a half uninstalled package may lack its __init__
        raise Unusable(
            f"CuPy cannot be imported ({_line(error)}){_conflict()}. Install it with: {_cure()} "
            "(an NVIDIA GPU and its driver are needed)"
        ) from error
    try:
        cards = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CUDARuntimeError, a different class in each version
        cards, driver = 0, cupy.cuda.runtime.driverGetVersion()  # 0: no driver
        if driver and "InsufficientDriver" in str(error):
            other = (
                f", or install CuPy for an older CUDA with: {_cure(cupy)}"
                if driver >= 12000
                else ""
            )
            raise Unusable(
                f"{found} needs a newer CUDA than the {_version(driver)} of this machine's NVIDIA driver{_conflict()}. "
                f"Update the driver{other}"
            ) from error
        if "NoDevice" not in str(error):
            raise Unusable(
                f"{found} finds no working NVIDIA driver ({_line(error)}){_conflict()}. Without an NVIDIA GPU, stay with "
                "NumPy: backend.use('numpy'); with one, install or update its driver, until `nvidia-smi` lists the GPU"
            ) from error
    if cards == 0:
        raise Unusable(
            f"{found} finds no NVIDIA GPU{_conflict()}: use backend.use('numpy'); if `nvidia-smi` lists one, "
            "CUDA_VISIBLE_DEVICES may hide it"
        )
    try:
        square = cupy.arange(4, dtype=cupy.float32).reshape(2, 2) + 1
        works = float((square @ square).sum()) == 54.0
    except Exception as error:
        sees = f"{found} sees the GPU but cannot compute on it ({_line(error)})"
        if type(error).__name__ in OF_THE_CARD:
            raise Unusable(
                f"{sees}{_conflict()}. If `nvidia-smi` shows free memory there, reinstall CuPy with: {_cure()}"
            ) from error
        parts = "; parts of CUDA (NVRTC, cuBLAS, headers) are missing or have the wrong version"
        raise Unusable(f"{sees}{_conflict() or parts}. Fix it with: {_cure(cupy)}") from error
    if not works:
        raise Unusable(
            f"{found} computes wrong results on this GPU{_conflict()}. Reinstall it with: {_cure()}"
        )
    if _conflict():
        warnings.warn(f"{found} computes{_conflict()}. Fix it with: {_cure(cupy)}", stacklevel=2)
    elif _numbers(cupy.__version__) < KEEPS_KERNELS:
        warnings.warn(
            f"{found} may keep no compiled kernels on disk, so that each process compiles them again. "
            f"CuPy {'.'.join(map(str, KEEPS_KERNELS))} keeps them: {_cure(cupy)}",
            stacklevel=2,
        )
    return cupy


def nccl() -> Any:
    """Return CuPy's module for NCCL, the library that adds up arrays of several GPUs.

    Raises  BackendError: NCCL cannot be loaded.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*nccl library could not be loaded")  # said below
        from cupy.cuda import nccl, runtime  # `import cupy` alone leaves cupy.cuda.nccl undefined
    if not nccl.available:
        wheel = f"nvidia-nccl-cu{runtime.runtimeGetVersion() // 1000}"
        raise BackendError(f"CuPy finds no NCCL, which several GPUs need: pip install {wheel}")
    return nccl


def facts() -> list[Facts]:
    """Return the Facts of each GPU, in order of their numbers. Raises Unusable if there is no usable GPU."""
    cupy, found = load(), []
    runtime = cupy.cuda.runtime
    versions = (
        _driver(),
        _version(runtime.driverGetVersion()),
        _version(runtime.runtimeGetVersion()),
        cupy.__version__,
    )
    for number in range(runtime.getDeviceCount()):
        properties = runtime.getDeviceProperties(number)
        free = runtime.memGetInfo()[0] if number == runtime.getDevice() else None
        capability = properties["major"], properties["minor"]
        ampere = capability >= (8, 0)
        bfloat16 = (
            ampere and _numbers(cupy.__version__) >= (14,) and find_spec("ml_dtypes") is not None
        )
        found.append(Facts(properties["name"].decode(), properties["totalGlobalMem"], free, capability, *versions,
                           tf32=ampere, float16=capability >= (7, 0), bfloat16=bfloat16))  # fmt: skip
    return found


def _driver() -> str | None:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True
        ).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version, such as (14, 2) of 14.2.0rc1."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _version(cuda: int) -> str:
    """Format a CUDA version number: 12090 as 12.9."""
    return f"{cuda // 1000}.{cuda % 1000 // 10}"


def _line(error: BaseException) -> str:
    """Return an error as one line: CuPy's import errors have many, and the true error as their cause."""
    error = error.__cause__ or error
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join([type(error).__name__, *lines[:1]])


def _installed() -> list[str]:
    return [name for name in WHEELS if any(metadata.distributions(name=name))]


def _conflict() -> str:
    """Return a clause that names the CuPys installed, if there are several; otherwise an empty string."""
    there = _installed()
    return (
        f"; {' and '.join(there)} are installed together, one over the other's files"
        if len(there) > 1
        else ""
    )


def _cure(cupy: Any = None) -> str:
    """Return the commands that install the right CuPy with its parts of CUDA. Without `cupy`, they first remove what is installed.

    12x runs with newer drivers too; 13x needs a driver for CUDA 13 and a GPU of compute capability 7.5.
    """
    there, wheel = _installed(), "cupy-cuda12x"
    if cupy and there != [wheel]:
        with suppress(Exception):  # the driver is too old for this CuPy: 12x is right
            properties = cupy.cuda.runtime.getDeviceProperties(0)
            if cupy.cuda.runtime.driverGetVersion() >= 13000 and (
                properties["major"],
                properties["minor"],
            ) >= (7, 5):
                wheel = "cupy-cuda13x"
    if cupy and there == [wheel]:
        return f"pip install -U '{wheel}[ctk]'"
    return (
        f"pip uninstall -y {' '.join(there)}, then " if there else ""
    ) + f"pip install '{wheel}[ctk]'"
