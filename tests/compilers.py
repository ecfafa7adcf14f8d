"""What compiles kernels for a GPU on a machine without one: NVRTC from a wheel, with the options that CuPy passes."""

import ctypes
import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

# Volta, Ampere, Hopper, Blackwell; and Turing, the oldest that CUDA 13 knows.
CAPABILITIES = [(7, 0), (7, 5), (8, 0), (9, 0), (12, 0)]
MISSING = (
    "kernels are compiled by NVRTC, which is not installed: pip install nvidia-cuda-nvrtc-cu12"
)
TOGETHER = 24  # kernels in one program, at most: more of them would leave other cores idle


def options(capability):
    """What CuPy passes to NVRTC: minires' own option, and those that CuPy adds. Folders of headers are left out: kernels include none."""
    own, added = ("-std=c++17",), ("-ftz=true", "--device-as-default-execution-space")
    return [*own, added[0], "-arch=sm_{}{}".format(*capability), added[1]]


@cache
def nvrtc():
    """The NVRTC library of a wheel (nvidia-cuda-nvrtc-cu12, as cupy-cuda12x[ctk] brings it), or None."""
    for name in ("nvidia.cuda_nvrtc", "nvidia.cu13"):
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            continue
        for folder in spec.submodule_search_locations or [] if spec else []:
            for path in sorted(Path(folder).glob("lib/libnvrtc.so*")):
                return ctypes.CDLL(str(path))
    return None


def name():
    """What compiles kernels for a GPU here, in words."""
    if nvrtc() is None:
        return MISSING
    major, minor = ctypes.c_int(), ctypes.c_int()
    nvrtc().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return f"NVRTC {major.value}.{minor.value}"


def supported():
    """The compute capabilities that NVRTC compiles for."""
    count = ctypes.c_int()
    assert nvrtc().nvrtcGetNumSupportedArchs(ctypes.byref(count)) == 0
    numbers = (ctypes.c_int * count.value)()
    assert nvrtc().nvrtcGetSupportedArchs(numbers) == 0
    return {divmod(number, 10) for number in numbers}


def log_of(source, functions, capability):
    """Compile some kernels of one source to machine code. Returns what NVRTC says against it: nothing, if all went well."""
    library, program, chosen = nvrtc(), ctypes.c_void_p(), options(capability)
    create = library.nvrtcCreateProgram
    assert create(ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None) == 0
    try:
        for function in functions:
            assert library.nvrtcAddNameExpression(program, function.encode()) == 0
        given = (ctypes.c_char_p * len(chosen))(*(option.encode() for option in chosen))
        code, size = library.nvrtcCompileProgram(program, len(chosen), given), ctypes.c_size_t()
        library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        library.nvrtcGetProgramLog(program, log)
        return log.value.decode() or f"NVRTC's error {code}" if code else ""
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def logs(sources, capability):
    """What NVRTC says against {source: functions}, on all cores."""
    parts = [
        (source, functions[i : i + TOGETHER], capability)
        for source, functions in sources.items()
        for i in range(0, len(functions), TOGETHER)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return "\n".join(filter(None, pool.map(lambda part: log_of(*part), parts)))
