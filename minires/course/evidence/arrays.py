"""Judgements on arrays: weights that were borrowed, weights that jump, predictions that belong to other weights."""

import zipfile

import numpy

MOST = 256 << 20  # bytes of predictions.npz, unpacked
NEAR = 1e-3  # logits this close may come in a different order on a different machine
ALIKE = 0.05  # least cosine between the convolutions of consecutive checkpoints
FAR = 6  # standard errors


def predictions(path):
    """Return (logits, labels) from predictions.npz.

    Raises  ValueError: it is damaged, too large, or has other arrays. OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST:
                raise ValueError(f"expected at most {MOST:,} bytes")
        with numpy.load(path, allow_pickle=False) as found:
            logits, labels = found["logits"], found["labels"]
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise ValueError(f"predictions.npz is damaged: {error}") from None
    if logits.dtype != numpy.float16 or logits.ndim != 2 or labels.dtype != numpy.uint8:
        raise ValueError(
            f"predictions.npz: expected logits float16 (N, K) and labels uint8 (N,), "
            f"got {logits.dtype} {logits.shape} and {labels.dtype} {labels.shape}"
        )
    return logits, labels


def hits(logits, labels):
    """Return (correct predictions, images whose two best logits are so close that their order may change)."""
    best = numpy.sort(logits, axis=1)[:, -2:]
    return int((logits.argmax(axis=1) == labels).sum()), int((best[:, 1] - best[:, 0] < NEAR).sum())


def different_predictions(saved, logits):
    """Return how many images have logits that differ by more than rounding to float16 and NEAR allow."""
    logits = logits.astype(numpy.float64)
    allowed = NEAR + numpy.abs(logits) * 2.0**-11
    apart = numpy.abs(saved.astype(numpy.float64) - logits)
    return int((~(apart <= allowed)).any(axis=1).sum())


def farthest(found, expected):
    """Return (name, distance) of the array that differs most: the largest difference, relative to the largest value of that array.

    (name, infinity) if the names, the shapes or the places of NaN differ.
    """
    worst = "", 0.0
    for name in sorted(found.keys() | expected.keys()):
        distance = _distance(found.get(name), expected.get(name))
        if distance > worst[1]:
            worst = name, distance
    return worst


def _distance(found, expected):
    if found is None or expected is None or found.shape != expected.shape:
        return float("inf")
    if not found.size:
        return 0.0
    found, expected = found.astype(numpy.float64), expected.astype(numpy.float64)
    distance = numpy.abs(found - expected).max() / max(numpy.abs(expected).max(), 1e-30)
    return float(distance) if numpy.isfinite(distance) else float("inf")


def without_signs(state, name):
    """Return a state in which the filters of one array come in no order: pairs w and -w may change places."""
    return {**state, name: numpy.sort(state[name], axis=-1)}


def unlike_the_library(found, expected):
    """Return the names of initial weights whose mean or standard deviation isn't that of the library's initial weights.

    The two may be different draws from one distribution, and are compared by FAR standard errors.
    """
    wrong = []
    for name, theirs in expected.items():
        mine = found.get(name)
        if mine is None or mine.shape != theirs.shape:
            wrong.append(name)
            continue
        mine, theirs = mine.astype(numpy.float64), theirs.astype(numpy.float64)
        error = FAR * (2 / theirs.size) ** 0.5 * theirs.std() + 1e-6
        apart = abs(mine.mean() - theirs.mean()), abs(mine.std() - theirs.std())
        if not max(apart) <= error:
            wrong.append(name)
    return wrong


def alikeness(before, after):
    """Return the cosine between the convolutions of two checkpoints, all of them as one vector.

    Weights that were trained on from one to the other point in similar directions; those of two networks that began with
    different seeds are as good as perpendicular.
    """
    names = [name for name, array in before.items() if array.ndim == 4 and name in after]
    pairs = [
        (before[name].astype(numpy.float64).ravel(), after[name].astype(numpy.float64).ravel())
        for name in names
        if before[name].shape == after[name].shape
    ]
    dot = sum(a @ b for a, b in pairs)
    return float(dot / (sum(a @ a for a, _ in pairs) * sum(b @ b for _, b in pairs)) ** 0.5)


def joined(parts):
    """Return arrays one below the other."""
    return numpy.concatenate(parts)
