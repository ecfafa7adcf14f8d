"""Is the gradient of parts of a batch, averaged, that of the whole batch? With batch norm frozen, and with batch norm by part."""

import numpy

from benchmarks.beliefs import digits
from benchmarks.beliefs.table import Making
from minires import Tensor, data, models
from minires import functional as F

BATCH, PARTS, UNEQUAL = 128, (2, 8, 64), (64, 36)
COLUMNS = {"relative distance": ".1e", "cosine": 3}
SETTING = (
    f"ResNet-20 after an epoch of digits, the gradient of all its parameters on {BATCH} digits, in float64; the parts' gradients are averaged, "
    "weighted by their sizes, and compared with the whole batch's: norm of the difference over norm of the whole, and the angle's cosine."
)


def tables(seeds, *, quick):
    """Yield (name, table)."""
    made = Making("The gradient of parts and of the whole batch", SETTING, "python -m benchmarks.beliefs parts", seeds, COLUMNS)  # fmt: skip
    parts = digits.images(quick)
    for seed in seeds:
        rng, n = numpy.random.default_rng(seed), 1 if quick else 3
        model = models.ResNet(models.BasicBlock, (n, n, n), (2, 4, 8) if quick else (16, 32, 64), in_channels=1, shortcut="A", rng=rng)  # fmt: skip
        digits.trained(model, parts, seed=seed, lr=0.05, epochs=1)
        model.astype("float64")
        x, labels = next(iter(data.batches(parts[0], BATCH, seed=seed, epoch=9)))
        x = x.astype("float64")
        for frozen in (True, False):
            name = "BN frozen" if frozen else "BN by part"
            whole = gradient(model, x, labels, frozen)
            for count in PARTS:
                sizes = [BATCH // count] * count
                made.add(f"{name}, {count} parts", seed, **_apart(whole, joined(model, x, labels, sizes, frozen)))  # fmt: skip
        some = sum(UNEQUAL)
        whole = gradient(model, x[:some], labels[:some], True)
        for weighted in (True, False):
            row = f"BN frozen, parts of {' and '.join(map(str, UNEQUAL))}{'' if weighted else ', not weighted'}"
            made.add(row, seed, **_apart(whole, joined(model, x[:some], labels[:some], UNEQUAL, True, weighted)))  # fmt: skip
    yield "parts", made


def gradient(model, x, labels, frozen):
    """Return the gradient of the mean loss with respect to all parameters, as a vector.

    frozen  batch norm with its running statistics; otherwise with the batch's, and the running ones are restored
    """
    kept = {name: value.copy() for name, value in model.state_dict().items()}
    model.train(not frozen)
    for parameter in model.parameters():
        parameter.grad = None
    F.cross_entropy(model(Tensor(x)), labels).backward()
    found = numpy.concatenate([parameter.grad.ravel() for parameter in model.parameters()])
    model.load_state_dict(kept)
    return found


def joined(model, x, labels, sizes, frozen, weighted=True):
    """Return the mean of the gradients of consecutive parts, weighted by their sizes or not."""
    total, start = 0, 0
    for size in sizes:
        share = size / sum(sizes) if weighted else 1 / len(sizes)
        part = slice(start, start + size)
        total, start = total + share * gradient(model, x[part], labels[part], frozen), start + size
    return total


def _apart(whole, other):
    distance = numpy.linalg.norm(other - whole) / numpy.linalg.norm(whole)
    cosine = whole @ other / numpy.linalg.norm(whole) / numpy.linalg.norm(other)
    return {"relative distance": distance, "cosine": cosine}
