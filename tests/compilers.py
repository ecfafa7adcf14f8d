"""What compiles kernels for a GPU on a machine without one: NVRTC from a wheel, as CuPy does it, or nvcc."""

import ctypes
import importlib.util
import shutil
import subprocess
from pathlib import Path


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
    return (
        "NVRTC"
        if nvrtc()
        else shutil.which("nvcc")
        or "nothing: neither NVRTC (pip install nvidia-cuda-nvrtc-cu12) nor nvcc is here"
    )


def with_nvrtc(library, source, functions):
    program, options = ctypes.c_void_p(), [b"-std=c++17", b"-arch=compute_75"]
    assert (
        library.nvrtcCreateProgram(
            ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None
        )
        == 0
    )
    for function in functions:
        assert library.nvrtcAddNameExpression(program, function.encode()) == 0
    code = library.nvrtcCompileProgram(
        program, len(options), (ctypes.c_char_p * len(options))(*options)
    )
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    assert code == 0, log.value.decode()


def with_nvcc(source, functions, folder):
    path = folder / "kernel.cu"
    path.write_text(
        source + "\n".join(f"auto taken_{i} = &{function};" for i, function in enumerate(functions))
    )
    done = subprocess.run(["nvcc", "-std=c++17", "-arch=sm_75", "-ptx", "-o", str(folder / "kernel.ptx"), str(path)],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "kernel.ptx").read_text(encoding="utf-8").count(".entry") == len(functions)
