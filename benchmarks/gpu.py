"""python -m benchmarks.gpu: how fast minires is on this machine's NVIDIA GPU, compared with PyTorch (where it is installed and
finds the GPU) and with the GPU's limits.

Both do the same work on the same GPU: network, weights, batch, precision. They take turns, and the GPU is idle before and after each.
Every second round has the reverse order, the first round is a warm-up, and the medians over the rounds are printed, with the minimum
and the maximum. PyTorch is measured in NCHW and in channels_last, eager and, where possible, compiled; the fastest is compared.
"""

import importlib
import importlib.util
import json
import os
import sys
import time
import traceback
from contextlib import nullcontext
from datetime import UTC, datetime

from benchmarks import (
    gpu_device,
    gpu_kernels,
    gpu_kinds,
    gpu_pictures,
    gpu_preflight,
    gpu_steps,
    host,
)
from benchmarks.command import arguments
from benchmarks.problems import GPU, GPU_SMOKE
from minires import backend
from minires.backend import card

PARTS = {"kernels": gpu_kernels.kernels, "products": gpu_kernels.products, "kinds": gpu_kinds.kinds, "steps": gpu_steps.steps,
         "inference": gpu_steps.inference, "memory": gpu_steps.memory}  # fmt: skip
ROOFLINE, STEP = "gpu-roofline.png", "gpu-step.png"
# These change the work of one of the two, or when it is done.
PINS = {"CUPY_TF32": "lets CuPy round the factors of products to TF32", "NVIDIA_TF32_OVERRIDE": "decides about TF32 for all",
        "CUDA_LAUNCH_BLOCKING": "makes the host wait for each kernel"}  # fmt: skip


class Call:
    """One run of the command: what all its parts need to know, and what went wrong.

    device  a gpu_device.Card or Processor    peers  benchmarks.gpu_peers, or None
    """

    def __init__(self, device, plan, peers):
        self.device, self.plan, self.peers, self.limits, self.faults = device, plan, peers, {}, []
        self.begun = time.perf_counter()

    def elapsed(self):
        """Return the seconds since it began."""
        return time.perf_counter() - self.begun

    def late(self, what):
        """Return True if it is too late to begin with this, and say so."""
        late = self.elapsed() > self.plan.seconds
        if late:
            print(f"  left out, as {self.plan.seconds:.0f} s are over: {what}", flush=True)
        return late

    def compiles(self, n):
        """Return True if PyTorch also compiles its network for batches of n."""
        return n in self.plan.compiled and self.elapsed() < self.plan.compiling

    def precision(self, tf32):
        """Context manager: PyTorch uses TF32, or does not."""
        return self.peers.precision(tf32) if self.peers else nullcontext()

    def tried(self, name, make, failed):
        """Return what make() returns, called twice so that everything is compiled; None if that fails: a line says why, and failed[name]."""
        try:
            way = make()
            way()
            way()
            self.device.synchronise()
            return way
        except (
            Exception
        ) as error:  # a compiler's, a library's, too little memory: the others are still measured
            failed[name] = why = gpu_device.reason(error)
            print(f"    {name}: not measured: {why}", flush=True)
            if name.startswith("minires"):
                self.faults.append(f"{name}: {why}")
        self.release()
        return None

    def release(self):
        """Return unused memory to the GPU."""
        self.device.release()
        if self.peers:
            self.peers.release()


def main():
    """Run the command. Exit status 2: there is no GPU, or the figures would mean nothing. 1: a part of minires failed."""
    options = arguments("gpu", __doc__, PARTS, (ROOFLINE, STEP), gpu_preflight.KINDS)
    if options.preflight:
        sys.exit(gpu_preflight.preflight(smoke=options.smoke, only=options.only, path=options.json))
    try:
        device = gpu_device.Processor() if options.smoke else gpu_device.Card()
    except card.Unusable as why:
        print(why, file=sys.stderr)
        sys.exit(2)
    why = pinned()
    if why and not options.smoke:
        print(f"not measured: {why}", file=sys.stderr)
        sys.exit(2)
    peers = None
    if not options.smoke and importlib.util.find_spec("torch"):
        peers = importlib.import_module("benchmarks.gpu_peers")
    with backend.using(device.backend):
        call = Call(
            device, GPU_SMOKE if options.smoke else GPU, peers if peers and peers.usable() else None
        )
        figures = {"smoke": options.smoke, "date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": host.commit(),
                   "machine": described(call, peers), "limits": {}, "parts": {}, "failed": {}, "seconds": 0.0}  # fmt: skip
        measure(call, figures, options.only or list(PARTS), options.json)
    drawn(figures, options.pictures)
    for fault in call.faults:
        print(f"failed: {fault}", file=sys.stderr)
    sys.exit(1 if call.faults else 0)


def pinned():
    """Return which environment variable makes the figures meaningless, and what to type; None if there is none."""
    for name, deed in PINS.items():
        value = os.environ.get(name)
        if value and (value != "0" or name == "NVIDIA_TF32_OVERRIDE"):
            return f"{name}={value} {deed}: unset {name}"
    return None


def described(call, peers):
    """Return what the machine is, as figures to save, and print it."""
    facts = {**call.device.describe(), "torch": call.peers and call.peers.describe()}
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
        why = "finds no GPU" if peers else "is not installed" if facts["cupy"] else "is left out"
        print(f"PyTorch {why}: minires alone")
    return facts


def measure(call, figures, names, path):
    """Fill in the figures of each part named, and write them after each. A part that fails is reported, and the others run."""
    print("\nlimits: the rates of copying memory and of a large matrix product", flush=True)
    call.limits = figures["limits"] = gpu_kernels.limits(call)
    call.release()
    for name in names:
        print(f"\n{name}: {PARTS[name].__doc__}", flush=True)
        if call.late(name):
            continue
        try:
            figures["parts"][name] = PARTS[name](call)
        except Exception as error:  # it is reported, and the exit status is 1
            traceback.print_exc()
            figures["failed"][name] = gpu_device.reason(error)
            call.faults.append(f"{name}: {gpu_device.reason(error)}")
            call.release()
        figures["seconds"] = call.elapsed()
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"\nall in {figures['seconds']:.0f} s" + (f"; figures in {path}" if path else ""))


def drawn(figures, folder):
    """Draw the figures of the parts that were measured."""
    parts, machine, pictures = figures["parts"], figures["machine"], {}
    if parts.get("kernels") or parts.get("products"):
        pictures[ROOFLINE] = gpu_pictures.roofline(
            parts.get("kernels"), parts.get("products"), figures["limits"], machine
        )
    if parts.get("kinds"):
        pictures[STEP] = gpu_pictures.step(parts["kinds"], parts.get("steps"), machine)
    for name, picture in pictures.items() if folder else ():
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(folder / name)
        print(f"picture in {folder / name}")


if __name__ == "__main__":
    main()
