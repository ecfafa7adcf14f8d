"""Every CUDA kernel compiles for a GPU, by NVRTC with the options that CuPy passes."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minires import backend, ops
from minires.backend import accumulation_dtype
from minires.fast.cuda import augment, columns, device, loss, norm, pool, start, update
from minires.fast.cuda import winograd as maps_on_a_gpu
from minires.fast.tiles import F2, F4, Maps
from tests import compilers, shim
from tests.halves import TYPES

FILES = sorted(Path(start.__file__).parent.glob("*.cu"))
needs_nvrtc = pytest.mark.skipif(compilers.nvrtc() is None, reason=compilers.MISSING)
# Turing stands in for Volta where NVRTC no longer knows that. In the quick tier one capability, and threads that take as many channels as they can, or one: the suite has the rest.
CHANNELS, FEW = (8, 4, 6, 3), (8, 3)
CASES = [
    pytest.param((9, 0), FEW, id="9.0-quick"),
    pytest.param((9, 0), CHANNELS, id="9.0", marks=pytest.mark.slow),
]
CASES += [pytest.param(capability, FEW, id="{}.{}".format(*capability), marks=pytest.mark.slow)
          for capability in compilers.CAPABILITIES if capability != (9, 0)]  # fmt: skip


def kernels_used(channels=CHANNELS):
    """Return (source, function) of every kernel, in all types, with the position types of large windows."""
    seen = set()

    def noted(source, function, blocks, block, arguments):
        seen.add((source, function))

    with backend.using(shim.library()), ops.standing_in(launch=noted):
        for dtype in (np.float32, np.float64, *TYPES.values()):
            for c in channels:
                x = np.ones((2, 4, 4, c), dtype)
                vector = np.ones(c, accumulation_dtype(x.dtype))
                window = {"kernel": 3, "padding": 1}
                made, _ = columns.im2col_kernel(x, **window)
                columns.col2im_kernel(made, shape=x.shape, **window)
                norm.channel_stats_kernel(x)
                norm.moving_stats_kernel(x, vector, vector, vector, vector, 0.1)
                for adds in (True, False):
                    for relu in (True, False):
                        norm.norm_forward_kernel(
                            x, vector, vector, x if adds else None, vector, vector, 1e-5, relu
                        )
                        for training in (True, False):
                            norm.norm_backward_kernel(
                                x,
                                x if relu else None,
                                x,
                                vector,
                                vector,
                                vector,
                                1e-5,
                                training,
                                adds,
                            )
                for kernel in (3, 17):
                    y, backward = pool.max_pool2d_kernel(
                        x, kernel=kernel, stride=1, padding=kernel // 2
                    )
                    backward(y)
            for nesterov in (True, False):
                update.sgd_kernel(vector, vector, vector, 0.1, 0.9, 0.0, nesterov)
                update.adam_kernel(
                    vector, vector, vector, vector, 1, 0.1, (0.9, 0.9), 0.1, 0.1, nesterov
                )
            update.sgd_kernel(vector, vector, None, 0.1, 0.0, 0.0, False)
            for arrays, flags in (((vector,) * 3, ("true", "false")), ((vector,) * 4, ("false",))):
                name, count = {3: ("sgd", 1), 4: ("adam", 3)}[len(arrays)]
                numbers = [np.ones((), "f8")] * count  # read from memory, as in a CUDA graph
                update.launch_update(name, arrays, numbers, (0.1,) * 4, flags)
            norm.update_running_kernel(vector, vector, vector, vector, 0.1, 2)
            if vector.dtype == dtype:
                for tile in (F2, F4):
                    maps = Maps(x, np.ones((3, 3, c, c), dtype), (1, 1), tile, x.dtype)
                    v = maps_on_a_gpu.tile_images_kernel(maps, x)
                    maps_on_a_gpu.untile_kernel(maps, v, x)
                    maps_on_a_gpu.tile_gradient_kernel(maps, x)
                    u = maps_on_a_gpu.tile_filters_kernel(maps, np.ones((3, 3, c, c), dtype))
                    maps_on_a_gpu.untile_filters_kernel(maps, u)
            for ints in ("i4", "i8", "u1"):
                loss.cross_entropy_kernel(
                    np.ones((2, 3), dtype), np.zeros(2, ints), label_smoothing=0.1
                )
        for kind in ("u1", "f4"):
            for ints in ("i4", "i8"):
                augment.gather_kernel(
                    np.ones((2, 3, 3, 3), kind),
                    np.zeros(2, ints),
                    None,
                    0,
                    np.ones(3, "f4"),
                    np.ones(3, "f4"),
                )
    return sorted(seen)


def sources(file, channels=FEW):
    """{source: functions} of the kernels in one file."""
    text, found = file.read_text(encoding="utf-8"), {}
    for source, function in kernels_used(channels):
        if source.endswith(text):
            found.setdefault(source, []).append(function)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_kernel_is_left_out(file):
    text = file.read_text(encoding="utf-8")
    written = set(re.findall(r"__global__\s+void\s+(\w+)\(", text))
    used = {
        function.partition("<")[0] for functions in sources(file).values() for function in functions
    }
    assert written and written == used


@needs_nvrtc
@pytest.mark.parametrize(("capability", "channels"), CASES)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_kernel_compiles_for_a_gpu(file, capability, channels):
    if capability == (7, 5) and (7, 0) in compilers.supported():
        pytest.skip("7.0 is compiled in its place")
    if capability not in compilers.supported():
        version = "{}.{}".format(*capability)
        pytest.skip(f"{compilers.name()} does not compile for compute capability {version}")
    assert compilers.logs(sources(file, channels), capability) == ""


@needs_nvrtc
def test_what_nvrtc_does_not_know_is_found():
    """NAN is in math.h, which nvcc includes unasked and NVRTC does not."""
    source = "template <typename T> __global__ void f(T* x) { *x = (T)NAN; }"
    assert 'identifier "NAN" is undefined' in compilers.logs({source: ["f<float>"]}, (9, 0))


class Compiled(Exception):
    """CuPy would load the machine code now, for which it needs a GPU."""


def test_the_options_are_those_of_cupy(monkeypatch, tmp_path):
    """CuPy's own way from a kernel's first launch to its call of NVRTC, without a GPU: it is told which one there is."""
    cupy = pytest.importorskip("cupy")
    from cupy._core import raw
    from cupy.cuda import compiler

    asked = []

    def compile_program(program, given):
        asked.append([option for option in given if not option.startswith("-I")])

    def load(program):
        raise Compiled

    nvrtc = SimpleNamespace(NVRTCError=ArithmeticError, getVersion=lambda: (12, 9), createProgram=lambda *program: 1,
                            addNameExpression=lambda *name: None, compileProgram=compile_program, getPTX=lambda program: b"",
                            getLoweredName=lambda program, name: name, getCUBIN=load, destroyProgram=lambda program: None)  # fmt: skip
    monkeypatch.setenv("CUPY_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiler, "nvrtc", nvrtc)
    monkeypatch.setattr(compiler, "_get_arch", lambda: "90")
    # Both remember what they return for each GPU, and ask the driver for its number.
    monkeypatch.setattr(raw, "_get_raw_module", raw._get_raw_module.__wrapped__)
    name = "_get_arch_for_options_for_nvrtc"
    monkeypatch.setattr(compiler, name, getattr(compiler, name).__wrapped__)
    with pytest.raises(Compiled):
        device.launch.plain("__global__ void f() {}", "f", (1, 1), 1, ())
    assert asked[-1] == compilers.options((9, 0)), f"of CuPy {cupy.__version__}"
