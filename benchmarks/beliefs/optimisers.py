"""SGD or Adam? Four learning rates each, chosen by validation images, on handwritten digits."""

import numpy

from benchmarks.beliefs.table import Making
from minires import data, models, optim
from minires.train import evaluate, train_epoch

RATES = {"SGD": (0.8, 0.2, 0.05, 0.0125), "Adam": (0.064, 0.016, 0.004, 0.001)}
EPOCHS, BATCH = 3, 64
COLUMNS = {"training loss, last epoch": 2, "validation accuracy, %": 1, "test accuracy, %": 1}


def tables(seeds, *, quick):
    """Yield (name, table)."""
    setting = (
        f"A ResNet of 8 layers, widths 8-16-32, option A, {EPOCHS} epochs of 1,257 handwritten digits in batches of {BATCH}, 185 "
        "for validation, 355 for the test. The rate falls along half a cosine, after a warm-up of 5 % of the steps. SGD with "
        "momentum 0.9 and Adam with its usual betas, both without weight decay."
    )
    made = Making(
        "SGD or Adam?", setting, "python -m benchmarks.beliefs optimisers", seeds, COLUMNS
    )
    parts = data.digits()
    if quick:
        parts = [part.part(numpy.arange(64)) for part in parts]
    for seed in seeds:
        for kind, rates in RATES.items():
            for rate in rates:
                found = trained(parts, seed, kind, rate, 1 if quick else EPOCHS)
                made.add(f"{kind}, {rate}", seed, **dict(zip(COLUMNS, found)))
    yield "optimisers", made


def trained(parts, seed, kind, rate, epochs=EPOCHS):
    """Train, and return (the loss of the last epoch, the accuracies in %: validation, test)."""
    train, *others = parts
    rng = numpy.random.default_rng(seed)
    model = models.ResNet(
        models.BasicBlock, (1, 1, 1), (8, 16, 32), in_channels=1, shortcut="A", rng=rng
    )
    steps = epochs * -(-len(train) // BATCH)
    schedule = optim.cosine(rate, steps=steps, warmup=steps // 20)
    if kind == "SGD":
        optimizer = optim.SGD(model.parameters(), schedule, momentum=0.9)
    else:
        optimizer = optim.Adam(model.parameters(), schedule)
    for epoch in range(epochs):
        loss = train_epoch(
            model, data.batches(train, BATCH, seed=seed, epoch=epoch), optimizer
        ).loss
    return loss, *(100 * evaluate(model, data.batches(part, 256)).accuracy for part in others)
