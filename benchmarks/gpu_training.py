"""Preflight: training steps on a GPU. python -m benchmarks.gpu_training NET BATCH STEPS BACKEND trains in float32 and prints the
seconds since the interpreter began, at each step; with POOLLESS as a further word, CuPy's arrays get memory of their own, so that
compute-sanitizer sees where each ends.
"""

import hashlib
import json
import sys
import time

import numpy

from benchmarks import ours
from benchmarks.gpu_agreement import PRECISIONS, NotThere, Wrong
from benchmarks.problems import CLASSES, NETS, SGD, SMOOTHING, batch
from minires import Tensor, backend, data, ops, optim
from minires import functional as F
from minires.backend import to_device

# How far the losses may be from NumPy's in float32, as a fraction of them.
TOLERANCE = {"float32": 2e-4, "tf32": 5e-3, "bf16": 2e-2, "fp16": 5e-3}
SCALE = 2.0**10  # of float16's loss: small enough that no step is skipped
POOLLESS = "without-pool"


def steps(model, batches, *, scaled=False):
    """Train on each batch, and yield the losses as numbers."""
    model.train()
    optimizer = optim.SGD(model.parameters(), **SGD)
    optimizer = optim.GradScaler(optimizer, SCALE) if scaled else optimizer
    for x, labels in batches:
        loss = F.cross_entropy(model(Tensor(x)), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        (optimizer.scale(loss) if scaled else loss).backward()
        if optimizer.step() is False:
            raise Wrong(f"a gradient is not finite at a loss scale of {SCALE:.0f}")
        yield loss.item()


def trained(net, n, count, **options):
    """Return (the losses of `count` steps on one batch, a digest of all weights after them)."""
    model, one = ours.build(NETS[net]), tuple(map(to_device, batch(n)))
    losses, digest = list(steps(model, [one] * count, **options)), hashlib.sha256()
    for name, array in sorted(model.state_dict().items()):
        digest.update(name.encode() + numpy.ascontiguousarray(array).tobytes())
    return losses, digest.hexdigest()


def training(place, precision):
    """Compare the losses of a few training steps with those of the plain forms on NumPy, and the bits of the weights of two runs."""
    plan, found = place.plan, []
    wanted, options = of_numpy(place), {"scaled": precision == "fp16"}
    try:
        with PRECISIONS[precision]():
            for _ in range(2):
                begun = time.perf_counter()
                found.append(trained(plan.net, plan.n, plan.steps, **options))
                place.figures.setdefault("seconds", []).append(time.perf_counter() - begun)
    except backend.BackendError as why:
        raise NotThere(str(why)) from None
    losses, again = found[0][0], found[1][0]
    off = _apart(losses, wanted)
    place.figures.update(losses=losses, numpy=wanted, off=off)
    told = " ".join(f"{loss:.4f}" for loss in losses)
    print(f"  losses {told}, NumPy's {' '.join(f'{loss:.4f}' for loss in wanted)}", flush=True)
    if not off <= TOLERANCE[precision]:
        raise Wrong(
            f"losses {told} are {100 * off:.2g} % from NumPy's, expected {100 * TOLERANCE[precision]:g} % at most"
        )
    if found[0] != found[1]:
        raise Wrong(
            f"two runs differ, by {100 * _apart(again, losses):.1g} % in their losses: expected the same bits"
        )
    return f"losses within {100 * off:.2g} % of NumPy's, the same bits twice"


def of_numpy(place):
    """Return the losses of the plain forms on NumPy in float32, computed once for all precisions."""
    file = place.folder / "losses.json"
    if not file.exists():
        with backend.using("numpy"), ops.plain():
            losses, _ = trained(place.plan.net, place.plan.n, place.plan.steps)
        file.write_text(json.dumps(losses))
    return json.loads(file.read_text())


def _apart(losses, wanted):
    """Return the largest difference as a fraction; NaN if a loss is none."""
    off = numpy.abs(numpy.array(losses) - wanted) / numpy.abs(wanted)
    return float(off.max())


def stream(place):
    """Train on batches that a thread prepares, on the default stream and on a stream that does not wait for it."""
    net, n, count = place.plan.ahead

    def losses():
        rng = numpy.random.default_rng(0)
        images = rng.integers(0, 256, (n * count, 32, 32, 3), numpy.uint8)
        dataset = data.Dataset(images, rng.integers(0, CLASSES, n * count), [f"class {i}" for i in range(CLASSES)],
                               mean=(0.5,) * 3, std=(0.25,) * 3, name="noise")  # fmt: skip
        batches = data.batches(dataset, n, seed=0, crop=4, flip=True, cutout=8)
        return list(steps(ours.build(NETS[net]), batches))

    wanted = losses()
    with place.device.stream():
        found = losses()
    off = _apart(found, wanted)
    place.figures.update(losses=found, default=wanted)
    if not off <= 1e-5:
        told = " ".join(f"{loss:.4f}" for loss in found)
        raise Wrong(
            f"losses {told} are {100 * off:.2g} % from those on the default stream: something does not wait for its input"
        )
    return f"{count} steps have the same losses as on the default stream" + (
        "" if found == wanted else ", up to rounding"
    )


def main(net, n, count, library, *words):
    """Train, and print {"imported": seconds, "steps": [seconds, ...], "losses": [...]} as JSON."""
    found = {"imported": _age(), "steps": [], "losses": []}
    with backend.using(library):
        if POOLLESS in words and library == "cupy":
            import cupy

            cupy.cuda.set_allocator(None)
        one = tuple(map(to_device, batch(int(n))))
        for loss in steps(ours.build(NETS[net]), [one] * int(count)):
            found["steps"].append(_age())
            found["losses"].append(loss)
    print(json.dumps(found))


def _age():
    """Return the seconds since this process began (Linux)."""
    with open("/proc/self/stat") as file, open("/proc/uptime") as uptime:
        ticks = int(file.read().rpartition(")")[2].split()[19])
        return float(uptime.read().split()[0]) - ticks / 100


if __name__ == "__main__":
    main(*sys.argv[1:])
