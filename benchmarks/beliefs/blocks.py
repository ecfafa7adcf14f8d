"""The residual block and its variants: how fast nets of each learn in two epochs, and what warm-up changes."""

import numpy

from benchmarks.beliefs import digits
from benchmarks.beliefs.table import Making
from minires import models
from minires.course.variants import VARIANTS

EPOCHS = 2
WARMED = ("original", "pre-activation", "gamma 0")


def tables(seeds, *, quick):
    """Yield (name, table)."""
    parts = digits.images(quick)
    yield "blocks", _blocks(seeds, parts, (1, 1, 1) if quick else (5, 5, 5))
    yield "warmup", _warmup(seeds, parts, (1, 1, 1) if quick else (3, 3, 3))


def net(variant, depths, seed):
    """Return the net of a variant; wherever two variants draw the same weights, they are the same."""
    rng = numpy.random.default_rng(seed)
    return models.ResNet(
        VARIANTS[variant], depths, (8, 16, 32), in_channels=1, shortcut="A", rng=rng
    )


def _blocks(seeds, parts, depths):
    setting = (
        f"ResNets of {6 * depths[0] + 2} layers, widths 8-16-32, shortcut A, {EPOCHS} epochs of {digits.SETTING}, learning rate 0.1, "
        "cosine with 10 % warm-up. Early speed only."
    )
    columns = {"loss, epoch 1": 2, f"loss, epoch {EPOCHS}": 2, "validation, %": 1}
    made = Making("Variants of the residual block", setting, "python -m benchmarks.beliefs blocks", seeds, columns)  # fmt: skip
    for seed in seeds:
        for variant in VARIANTS:
            losses, accuracy = digits.trained(
                net(variant, depths, seed), parts, seed=seed, lr=0.1, epochs=EPOCHS
            )
            made.add(variant, seed, **dict(zip(columns, (losses[0], losses[-1], accuracy))))
    return made


def _warmup(seeds, parts, depths):
    setting = (
        f"ResNets of {6 * depths[0] + 2} layers, widths 8-16-32, shortcut A, {EPOCHS} epochs of {digits.SETTING}, cosine; warm-up is "
        "10 % of the steps."
    )
    columns = {"loss, epoch 1": 2, f"loss, epoch {EPOCHS}": 2, "validation, %": 1}
    made = Making("Learning rate and warm-up", setting, "python -m benchmarks.beliefs blocks", seeds, columns)  # fmt: skip
    for seed in seeds:
        for variant in WARMED:
            for lr in (0.1, 0.4):
                for warmup in (0.1, 0.0):
                    losses, accuracy = digits.trained(
                        net(variant, depths, seed), parts, seed=seed, lr=lr, epochs=EPOCHS, warmup=warmup
                    )  # fmt: skip
                    row = f"{variant}, {lr}, {'with' if warmup else 'no'} warm-up"
                    made.add(row, seed, **dict(zip(columns, (losses[0], losses[-1], accuracy))))
    return made
