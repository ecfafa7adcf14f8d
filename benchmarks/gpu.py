"""python -m benchmarks.gpu: how fast minires is on this machine's NVIDIA GPU, compared with PyTorch (where it is installed and
finds the GPU) and with the GPU's limits.

Both do the same work on the same GPU: network, weights, batch, precision. They take turns, and the GPU is idle before and after each.
Every second round has the reverse order, the first round is a warm-up, and the medians over the rounds are printed, with the minimum
and the maximum. PyTorch is measured in NCHW and in channels_last, eager and, where possible, compiled: the fastest of each is compared.

All of it takes under eight minutes. Each part then runs in a process of its own, with a time limit, so that a crash costs one part.
With --only, the parts named run in this process. On a new GPU, run --preflight first: it checks that all results are right.
"""

import importlib
import importlib.util
import json
import os
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks import (
    apart,
    gpu_device,
    gpu_kernels,
    gpu_kinds,
    gpu_pictures,
    gpu_preflight,
    gpu_steps,
    host,
)
from benchmarks.command import arguments
from benchmarks.gpu_call import Call
from benchmarks.problems import GPU, GPU_SMOKE
from minires import backend, files
from minires.backend import card

# In the order in which they are wanted.
PARTS = {"steps": gpu_steps.steps, "kinds": gpu_kinds.kinds, "graph": gpu_steps.graph, "products": gpu_kernels.products, "kernels": gpu_kernels.kernels,
         "inference": gpu_steps.inference, "memory": gpu_steps.memory}  # fmt: skip
# Part -> whether it is compared with the rates of large products, besides that of a copy.
LIMITS = {"products": True, "kernels": False}
ROOFLINE, STEP = "gpu-roofline.png", "gpu-step.png"
# These change the work of one of the two, or when it is done. Names, or beginnings of names.
PINS = {"CUPY_TF32": "lets CuPy round the factors of products to TF32", "NVIDIA_TF32_OVERRIDE": "decides about TF32 for all",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "lets PyTorch round the factors of products to TF32",
        "CUBLAS_EMULAT": "lets cuBLAS emulate float32 or float64 with smaller types",
        "CUDA_LAUNCH_BLOCKING": "makes the host wait for each kernel",
        "CUPY_CUDA_PER_THREAD_DEFAULT_STREAM": "puts CuPy's work on a stream that PyTorch does not wait for",
        "PYTORCH_NO_CUDA_MEMORY_CACHING": "makes PyTorch wait for memory"}  # fmt: skip


def main():
    """Run the command. Exit status 2: there is no GPU, or the figures would mean nothing. 1: a part of minires failed.
    130: it was interrupted.
    """
    try:
        sys.exit(_run())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _run():
    begun = time.perf_counter()
    options = arguments("gpu", __doc__, PARTS, (ROOFLINE, STEP), gpu_preflight.KINDS)
    if options.preflight:
        return gpu_preflight.preflight(smoke=options.smoke, only=options.only, path=options.json)
    why = pinned()
    if why and not options.smoke:
        print(f"not measured: {why}", file=sys.stderr)
        return 2
    figures = {"smoke": options.smoke, "date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": host.commit(),
               "machine": {}, "limits": {}, "parts": {}, "failed": {}, "took": {}, "seconds": 0.0}  # fmt: skip
    if options.only:
        faults = in_this_process(options, figures, begun)
    else:
        faults = each_apart(options, figures, begun)
    drawn(figures, options.pictures)
    for fault in faults:
        print(f"failed: {fault}", file=sys.stderr)
    return 1 if faults else 0


def pinned():
    """Return which environment variable makes the figures meaningless, and what to type; None if there is none."""
    for name, value in os.environ.items():
        deed = next((deed for start, deed in PINS.items() if name.startswith(start)), None)
        if deed and value and (value != "0" or name == "NVIDIA_TF32_OVERRIDE"):
            return f"{name}={value} {deed}: unset {name}"
    return None


def each_apart(options, figures, begun):
    """Fill in the figures of all parts, each in a process of its own, and return what failed."""
    plan, faults = GPU_SMOKE if options.smoke else GPU, []
    with tempfile.TemporaryDirectory(prefix="gpu-") as folder:
        for i, name in enumerate(PARTS):
            left = plan.seconds - (time.perf_counter() - begun)
            if left <= 0:
                print(f"\n{name}: left out, as {plan.seconds:.0f} s are over", flush=True)
                continue
            file, limit = Path(folder) / f"{name}.json", min(plan.parts[name].limit, left)
            words = (
                "-m",
                "benchmarks.gpu",
                "--only",
                name,
                "--json",
                str(file),
                "--within",
                f"{limit:.1f}",
            )
            ended = apart.run(
                (*apart.PYTHON, *words, *["--smoke"] * options.smoke, *["--continued"] * (i > 0)),
                limit + plan.grace,
            )
            sys.stderr.write(ended.errors)
            if ended.code == 2 and i == 0 and not file.exists():
                sys.exit(2)
            merged(figures, name, file, ended)
            if ended.code:
                faults.append(f"{name}: {figures['failed'].get(name) or ended.why or 'see above'}")
            figures["seconds"] = time.perf_counter() - begun
            saved(figures, options.json)
    print(
        f"\nall in {figures['seconds']:.0f} s"
        + (f"; figures in {options.json}" if options.json else "")
    )
    return faults


def merged(figures, name, file, ended):
    """Add what a part wrote, and how its process Ended."""
    if file.exists():
        found = json.loads(file.read_text(encoding="utf-8"))
        for key in ("machine", "limits", "parts", "failed"):
            figures[key].update(found[key])
    if ended.code and (ended.code != 1 or not file.exists()) and name not in figures["failed"]:
        figures["failed"][name] = ended.why
    figures["took"][name] = ended.seconds


def in_this_process(options, figures, begun):
    """Fill in the figures of the parts named, and return what failed."""
    try:
        device = gpu_device.Processor() if options.smoke else gpu_device.Card()
    except card.Unusable as why:
        print(why, file=sys.stderr)
        sys.exit(2)
    if options.within:
        apart.leave_no_core_file()
    peers, without = pytorch(options.smoke)
    with backend.using(device.backend):
        plan = GPU_SMOKE if options.smoke else GPU
        call = Call(device, plan, peers)
        figures["machine"] = described(call, without, quiet=options.continued)
        measure(call, figures, options.only, options.json, begun, options.within or plan.seconds)
    if not options.continued and options.within is None:
        print(
            f"\nall in {figures['seconds']:.0f} s"
            + (f"; figures in {options.json}" if options.json else "")
        )
    return call.faults


def pytorch(smoke):
    """Return (benchmarks.gpu_peers, None); or (None, why PyTorch is not measured)."""
    if smoke:
        return None, "is left out"
    if not importlib.util.find_spec("torch"):
        return None, "is not installed"
    try:
        peers = importlib.import_module("benchmarks.gpu_peers")
        return (peers, None) if peers.usable() else (None, "finds no GPU")
    except Exception as error:  # such as a library of CUDA's that does not load
        return None, f"cannot be imported ({gpu_device.reason(error)})"


def described(call, without, *, quiet=False):
    """Return what the machine is, as figures to save, and print it."""
    facts = {**call.device.describe(), "torch": call.peers and call.peers.describe()}
    if quiet:
        return facts
    if facts["cupy"]:
        memory, free = (facts[name] / 2**30 for name in ("memory", "free"))
        print(
            f"{facts['card']}, {memory:.0f} GiB, of which {free:.0f} free; driver {facts['driver']}"
        )
        print(
            f"minires on CuPy {facts['cupy']} with CUDA {facts['cuda']}, NumPy {facts['numpy']}, Python {facts['python']}"
        )
    else:
        print(
            "--smoke: everything once and small, without a GPU, to see that it works; the figures mean nothing"
        )
    if call.peers:
        print(
            f"PyTorch {facts['torch']['version']}, CUDA {facts['torch']['cuda']}, cuDNN {facts['torch']['cudnn']}"
        )
    else:
        print(f"PyTorch {without}: minires alone")
    return facts


def measure(call, figures, names, path, begun, seconds):
    """Fill in the figures of each part named, and write them after each row. A part that fails is reported, and the others run."""
    for name in names:
        now = time.perf_counter()
        # The first part has begun with the process.
        call.begin(name, begun if name == names[0] else now, seconds - (now - begun))
        part = call.plan.parts[name]
        print(
            f"\n{name}: {' '.join(PARTS[name].__doc__.split())} (about {part.expected:.0f} s, at most {part.limit:.0f})",
            flush=True,
        )
        if call.late(name):
            continue
        call.keep = partial(kept, figures, name, path)
        try:
            if name in LIMITS:
                found = gpu_kernels.limits(call, products=LIMITS[name])
                call.limits = figures["limits"] = {**figures["limits"], **found}
                call.release()
            figures["parts"][name] = PARTS[name](call)
        except Exception as error:  # it is reported, and the exit status is 1
            traceback.print_exc()
            figures["failed"][name] = why = gpu_device.reason(error)
            call.faults.append(f"{name}: {why}")
            if gpu_device.lost(error):
                print(
                    "  this process can no longer use the GPU after this error: it measures nothing more",
                    flush=True,
                )
                break
            call.release()
        finally:
            figures["took"][name], figures["seconds"] = call.elapsed(), time.perf_counter() - begun
            saved(figures, path)


def kept(figures, name, path, rows):
    """Save the rows of a part so far."""
    figures["parts"][name] = rows
    saved(figures, path)


def saved(figures, path):
    """Write the figures, if there is a path for them."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, f"{json.dumps(figures, indent=1)}\n".encode())


def drawn(figures, folder):
    """Draw the figures of the parts that were measured, if there is a folder for them."""
    if not folder:
        return
    parts, machine, pictures = figures["parts"], figures["machine"], {}
    if parts.get("kernels") or parts.get("products"):
        pictures[ROOFLINE] = gpu_pictures.roofline(
            parts.get("kernels"), parts.get("products"), figures["limits"], machine
        )
    if parts.get("kinds"):
        pictures[STEP] = gpu_pictures.step(parts["kinds"], parts.get("steps"), machine)
    for name, picture in pictures.items():
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(folder / name)
        print(f"picture in {folder / name}")


if __name__ == "__main__":
    main()
