"""The gradient of a trained residual network by length of path, exactly: which of the 2^9 paths carry it?

The gradient at the end of each branch is multiplied by t. A path of k branches is then multiplied by t^k, so the gradient at the
first block is a polynomial in t, whose coefficient k is the gradient of all paths of length k. Ten backward passes determine it.
Source  Veit et al. 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks", for the paths.
"""

import math
from pathlib import Path

import numpy

from benchmarks.beliefs.lesions import shapes_net
from benchmarks.beliefs.table import Making
from minires import Tensor, data
from minires import functional as F

IMAGES = 40
COLUMNS = {"measured, %": 2, "computed from one gain, %": 2}
GAIN = "gain"


def add_options(parser):
    """Add the options of this experiment."""
    parser.add_argument("--nets", type=Path, metavar="FOLDER", help="read the networks from here; train those that are missing, and save them here")  # fmt: skip


def tables(seeds, *, quick, nets=None):
    """Yield (name, table)."""
    setting = (
        f"ResNet-20 (option A), trained by the recipe shapes, one network per seed, in evaluation mode and float64, on {IMAGES} shapes of seed 1. "
        "Of the gradient of the loss at the first block: what the paths of each length add along the whole, in per cent of it. Computed: "
        "C(9, k) r^k / (1 + r)^9, where r, the gain, is chosen so that the mean length is right."
    )
    made = Making("The gradient by length of path", setting, "python -m benchmarks.beliefs paths", seeds, {**COLUMNS, GAIN: 2})  # fmt: skip
    for seed in seeds:
        shares = by_length(shapes_net(seed, nets, quick), 4 if quick else IMAGES)
        n = len(shares) - 1
        mean = sum(k * share for k, share in enumerate(shares))
        r = mean / (n - mean)
        for k, share in enumerate(shares):
            computed = math.comb(n, k) * r**k / (1 + r) ** n
            made.add(
                f"{k} branch{'es' * (k != 1)}",
                seed,
                **dict(zip(COLUMNS, (100 * share, 100 * computed))),
            )
        made.add("all lengths", seed, **{GAIN: r})
    yield "paths", made


def by_length(model, images):
    """Return the fraction of the gradient at the first block that comes through paths of 0, 1, 2, ... branches."""
    model = model.eval().astype("float64")
    blocks = [block for i in range(model.stages) for block in getattr(model, f"layer{i + 1}")]
    x, labels = next(iter(data.batches(data.shapes(images, seed=1), images)))
    stem = model.stem(Tensor(x.astype("float64"))).data

    def gradient(t):
        start = y = Tensor(stem, requires_grad=True)
        for block in blocks:
            branch = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(y)))))
            y = F.relu(F.scale_gradient(branch, factor=t) + block.shortcut(y))
        F.cross_entropy(model.fc(model.avgpool(y)), labels).backward()
        return start.grad.ravel()

    n = len(blocks) + 1
    nodes = numpy.cos(numpy.pi * (numpy.arange(n) + 0.5) / n)
    parts = numpy.linalg.solve(numpy.vander(nodes, increasing=True), numpy.stack([gradient(t) for t in nodes]))  # fmt: skip
    whole = parts.sum(axis=0)
    return [float(share) for share in parts @ whole / (whole @ whole)]
