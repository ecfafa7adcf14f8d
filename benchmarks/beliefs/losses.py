"""Cross entropy, and its formula mixed with the binary one: a small network on digits."""

import numpy

from benchmarks.beliefs.table import Making
from minires import Tensor, data, optim
from minires import functional as F
from minires.nn import Linear

RATES, EPOCHS = (0.2, 0.05, 0.0125), 10
COLUMNS = {
    "loss, first step": 2,
    **{f"validation accuracy, %, rate {rate}": 1 for rate in RATES},
}


def categorical(logits, target):
    """-sum of y log p, p = softmax."""
    return -(target * F.log_softmax(logits)).sum() / len(target)


def both_with_minus(logits, target):
    """-sum of y log p + (1 - y) log(1 - p), with one bracket around both, p = softmax."""
    p = F.softmax(logits)
    return -(target * (p + TINY).log() + (1 - target) * (1 - p + TINY).log()).sum() / len(target)


def second_with_plus(logits, target):
    """-sum of y log p, and then + (1 - y) log(1 - p): the minus is before the first term only, p = softmax."""
    p = F.softmax(logits)
    second = ((1 - target) * (1 - p + TINY).log()).sum()
    return (second - (target * (p + TINY).log()).sum()) / len(target)


def binary(logits, target):
    """-sum of y log p + (1 - y) log(1 - p), p = sigmoid: ten questions of yes or no."""
    p = F.sigmoid(logits)
    return -(target * (p + TINY).log() + (1 - target) * (1 - p + TINY).log()).sum() / len(target)


TINY = 1e-7
LOSSES = {
    "softmax, -Σ y log p": categorical,
    "softmax, -Σ (y log p + (1-y) log(1-p))": both_with_minus,
    "softmax, -Σ y log p + Σ (1-y) log(1-p)": second_with_plus,
    "sigmoid, -Σ (y log p + (1-y) log(1-p))": binary,
}


def tables(seeds, *, quick):
    """Yield (name, table)."""
    train, validation, _ = data.digits()
    if quick:
        train = validation = train.part(numpy.arange(64))
    setting = (
        f"A network of two layers, 64-64-10, {EPOCHS} epochs of 1,257 handwritten digits in batches of 64, 185 for "
        "validation; SGD, momentum 0.9, the rate falls along half a cosine; the same first weights for each loss."
    )
    made = Making(
        "One formula, four readings", setting, "python -m benchmarks.beliefs losses", seeds, COLUMNS
    )
    for seed in seeds:
        for name, loss in LOSSES.items():
            for rate in RATES:
                first, accuracy = trained(
                    train, validation, seed, loss, rate, 1 if quick else EPOCHS
                )
                made.add(
                    name,
                    seed,
                    **{"loss, first step": first, f"validation accuracy, %, rate {rate}": accuracy},
                )
    yield "losses", made


def trained(train, validation, seed, loss, rate, epochs=EPOCHS):
    """Train with a loss, and return (the loss of the first step, the validation accuracy in %)."""
    rng = numpy.random.default_rng(seed)
    first, last = Linear(64, 64, rng=rng), Linear(64, 10, rng=rng)
    steps = epochs * -(-len(train) // 64)
    optimizer = optim.SGD(
        [*first.parameters(), *last.parameters()], optim.cosine(rate, steps=steps), momentum=0.9
    )
    losses, eye = [], numpy.eye(10, dtype="float32")

    def logits(x):
        return last(F.relu(first(Tensor(x.reshape(len(x), 64)))))

    for epoch in range(epochs):
        for x, labels in data.batches(train, 64, seed=seed, epoch=epoch):
            found = loss(logits(x), Tensor(eye[labels]))
            optimizer.zero_grad()
            found.backward()
            optimizer.step()
            losses.append(float(found.data))
    hits = sum(
        int((logits(x).data.argmax(axis=1) == labels).sum())
        for x, labels in data.batches(validation, 256)
    )
    return losses[0], 100 * hits / len(validation)
