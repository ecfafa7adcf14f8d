"""Preflight: versions, views that start anywhere, the cost of what is asked for often, the first step of a process, and the tools
of CUDA.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy

from benchmarks import apart, gpu_training, host, ours
from benchmarks.gpu_agreement import NotThere, Wrong
from benchmarks.gpu_cases import numbers
from benchmarks.problems import NETS, batch
from minires import ops
from minires.backend import on_a_gpu, to_device, to_host, xp
from minires.fast.onepass import norm_add_relu
from minires.fast.products import product
from minires.ops.forms import FUNCTIONS

TRAINING = "benchmarks.gpu_training"
PACKAGES = (
    "ml_dtypes",
    "torch",
    "cupy-cuda12x",
    "cupy-cuda13x",
    "nvidia-cuda-nvrtc-cu12",
    "nvidia-cuda-nvrtc",
)
SANITIZER = "compute-sanitizer"
FOUND = 86  # its exit status after an error


def versions(place):
    """Return what the machine is, in one line, after a line for each fact."""
    facts = place.figures["machine"] = {**place.device.describe(), "commit": host.commit(), **place.device.versions(),
                                        **{name: version for name in PACKAGES if (version := _installed(name))}}  # fmt: skip
    for name, value in facts.items():
        if value is not None:
            memory = name in ("memory", "free", "cache")
            print(f"  {name:24} {f'{value / 2**20:,.0f} MiB' if memory else value}", flush=True)
    if not facts["cupy"]:
        return facts["card"]
    major, minor = facts["capability"]
    return f"{facts['card']}, capability {major}.{minor}, driver {facts['driver']}, CuPy {facts['cupy']}, CUDA {facts['cuda']}"


def _installed(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def views(place):
    """Run ops on arrays that start one number after an aligned address, and compare them with those on copies."""
    shape, done = (2, 6, 6, 8), []
    half = xp.float16

    def of_op(function, *shapes, dtype):
        arrays = [numbers(wanted, seed).astype(dtype) for seed, wanted in enumerate(shapes)]
        found, wanted = (
            [to_host(array).astype(float) for array in _both(function, arrays, shifted)]
            for shifted in (True, False)
        )
        for a, b in zip(found, wanted, strict=True):
            if not numpy.abs(a - b).max() <= 1e-5 * numpy.abs(b).max():
                raise Wrong(f"{numpy.abs(a - b).max():.2g} from the result on a copy")

    window, vector = {"kernel": 3, "padding": 1}, shape[-1:]
    cases = {
        "im2col": (partial(ops.im2col, **window), shape),
        "col2im": (partial(ops.col2im, shape=shape, **window), (72, 72)),
        "max_pool2d": (partial(ops.max_pool2d, kernel=2), shape),
        "channel_stats": (ops.channel_stats, shape),
        "norm_add_relu": (norm_add_relu, shape, vector, vector, shape),
        "conv2d": (partial(ops.conv2d, padding=1), shape, (3, 3, 8, 8)),
        "linear": (ops.linear, (12, 8), (8, 5), (5,)),
    }
    for name, (function, *shapes) in cases.items():
        for dtype in (xp.float32, half):
            vectors = dtype == half and name == "norm_add_relu"
            try:
                of_op(_upcast_vectors(function) if vectors else function, *shapes, dtype=dtype)
                place.device.synchronise()
            except Exception as why:
                raise Wrong(
                    f"{name} of {numpy.dtype(dtype).name} that start anywhere: {why}"
                ) from why
        done.append(name)
    return f"the same results: {', '.join(done)}"


def _upcast_vectors(norm):
    def run(x, gamma, beta, add):
        return norm(x, gamma.astype(xp.float32), beta.astype(xp.float32), add)

    return run


def _both(function, arrays, shifted):
    """Return the results and the gradients of a function of arrays, which start anywhere if they are shifted."""

    def placed(array):
        if not shifted:
            return array
        memory = xp.zeros(array.size + 1, dtype=array.dtype)
        memory[1:] = array.reshape(-1)
        return memory[1:].reshape(array.shape)

    made = function(*map(placed, arrays))
    if callable(made[1]):
        y, backward = made
        made = y, *backward(placed(numbers(y.shape, 9).astype(y.dtype)))
    return [array for array in made if array is not None]


def costs(place):
    """Measure what the host pays for a question or a launch: medians of many calls."""
    small = numbers((16, 16))
    out = xp.empty(small.shape, dtype=small.dtype)
    ways = dict(place.device.questions())
    if on_a_gpu() and "memory" in FUNCTIONS:
        ways["minires's own question for memory"] = FUNCTIONS["memory"].default
    ways["product of two 16 x 16 matrices"] = lambda: product(small, small, out=out)
    ways["channel_stats, two kernels"] = lambda: ops.channel_stats(small)
    for name, way in ways.items():
        way()
        place.device.synchronise()
        taken = []
        for i in range(place.plan.calls):
            begun = time.perf_counter()
            way()
            taken.append(time.perf_counter() - begun)
            if i % 100 == 99:  # the queue of launches is not endless
                place.device.synchronise()
        place.figures[name] = statistics.median(taken)
        print(f"  {name:34} {1e6 * place.figures[name]:8.1f} us", flush=True)
    return ", ".join(f"{name} {1e6 * seconds:.1f} us" for name, seconds in place.figures.items())


def first_step(place):
    """Time the first step of a process whose cache of kernels is empty, and of one that finds them there."""
    with tempfile.TemporaryDirectory(dir=place.folder) as cache:
        found, files = [], []
        for state in ("empty", "filled"):
            found.append(_training(place, place.plan.n, 2, variables={"CUPY_CACHE_DIR": cache}))
            files.append(_written(Path(cache)))
            first, second = found[-1]["steps"]
            print(f"  cache {state:6} imports {found[-1]['imported']:6.1f} s, first step after {first:6.1f} s, second {second - first:.3f} s, "
                  f"{len(files[-1])} files", flush=True)  # fmt: skip
    place.figures.update(empty=found[0], filled=found[1], files=len(files[0]))
    (cold, _), (warm, _) = (run["steps"] for run in found)
    again = {name for name, written in files[1].items() if files[0].get(name) != written}
    if place.device.backend == "cupy" and not files[0]:
        raise Wrong("the cache of kernels stays empty: every process compiles every kernel")
    if again:
        raise Wrong(
            f"{len(again)} of {len(files[1])} kernels were compiled again by the second process: CuPy 14.2 or later finds them"
        )
    return f"after {cold:.1f} s, and {warm:.1f} s with the {len(files[0])} files in the cache"


def _written(folder):
    """Return name -> what changes if a file is written again."""
    found = {path.name: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def _training(place, n, steps, *, before=(), words=(), variables=None):
    """Train in a process of its own, and return what it prints. Raises  Wrong: it failed."""
    command = (
        *before,
        *apart.PYTHON,
        "-m",
        TRAINING,
        place.plan.net,
        str(n),
        str(steps),
        place.device.backend,
        *words,
    )
    with tempfile.TemporaryFile() as file:
        ended = apart.run(command, place.seconds(), variables=variables, stdout=file)
        file.seek(0)
        printed = file.read().decode("utf-8", errors="replace")
    if ended.code > 0 and before:
        raise Wrong(_of_sanitizer(printed) or ended.why)
    if ended.why:
        sys.stderr.write(ended.errors)
        raise Wrong(ended.why)
    return json.loads(next(line for line in printed.splitlines() if line.startswith("{")))


def sanitizer(place, tool):
    """Train under compute-sanitizer. memcheck: no kernel reads or writes outside of an array; initcheck: nor what was never written."""
    program = _program()
    if program is None:
        raise NotThere(f"{SANITIZER} is not on PATH, nor in CUDA's folder")
    if not on_a_gpu():
        raise NotThere("without a GPU there is nothing to see")
    version = (
        subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        .stdout.strip()
        .splitlines()
    )
    place.figures["version"] = version[-1] if version else None
    _training(place, place.plan.few, 2, before=(program, "--tool", tool, "--error-exitcode", str(FOUND)),
              words=(gpu_training.POOLLESS,))  # fmt: skip
    return f"no error in two steps at batch {place.plan.few}"


def _program():
    """Return the path of compute-sanitizer, or None."""
    folders = [os.environ.get(name) for name in ("CUDA_PATH", "CUDA_HOME")] + ["/usr/local/cuda"]
    path = os.pathsep.join(
        [os.environ.get("PATH", ""), *(str(Path(folder, "bin")) for folder in folders if folder)]
    )
    return shutil.which(SANITIZER, path=path)


def _of_sanitizer(printed):
    """Return the first error in what compute-sanitizer printed, with the kernel, in one line."""
    print("\n".join(printed.splitlines()[:40]), flush=True)
    lines = [
        line.removeprefix("=========").strip()
        for line in printed.splitlines()
        if line.startswith("=========")
    ]
    errors = [
        i
        for i, line in enumerate(lines)
        if line and not line.startswith(("COMPUTE-SANITIZER", "ERROR SUMMARY"))
    ]
    summary = [line for line in lines if line.startswith("ERROR SUMMARY")]
    return "; ".join([*(" ".join(lines[i : i + 2]) for i in errors[:1]), *summary])[:200]


def graph(place):
    """Compare training steps that are one launch each with those that are not, and time both."""
    if not on_a_gpu():
        raise NotThere("without a GPU there is nothing to record")
    return graphs_agree(place)


def graphs_agree(place):
    """Do what graph() says, wherever the library in use can record."""
    plan, one = place.plan, tuple(map(to_device, batch(place.plan.n)))
    found = {}
    for name, captured in (("piece by piece", False), ("as one launch", True)):
        run = ours.epoch(ours.build(NETS[plan.net]), *one, plan.launched, cuda_graph=captured)
        losses = [run().loss for _ in range(2)]  # the first records, the second launches
        begun = time.perf_counter()
        losses.append(run().loss)
        found[name] = {"losses": losses, "seconds": (time.perf_counter() - begun) / plan.launched}
        print(
            f"  {name:14} {1e3 * found[name]['seconds']:8.3f} ms a step, losses {' '.join(f'{loss:.4f}' for loss in losses)}",
            flush=True,
        )
    place.figures.update(found)
    plain, launched = found.values()
    off = max(abs(a - b) / abs(b) for a, b in zip(launched["losses"], plain["losses"]))
    if not off <= 1e-2:  # thirty steps let rounding grow
        raise Wrong(
            f"the losses of a graph are {100 * off:.2g} % from those of the same steps piece by piece"
        )
    return f"losses within {100 * off:.1g} %; {1e3 * launched['seconds']:.2f} ms a step, {1e3 * plain['seconds']:.2f} piece by piece"
