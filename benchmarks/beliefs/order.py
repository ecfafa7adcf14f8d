"""Orders of convolution, batch norm and ReLU after six epochs, not two: does the fastest end best?"""

from benchmarks.beliefs import digits
from benchmarks.beliefs.blocks import net
from benchmarks.beliefs.table import Making

EPOCHS = 6
CHOSEN = ("original", "pre-activation", "conv ReLU BN", "second conv reads x")
COLUMNS = {"loss, epoch 1": 2, f"loss, epoch {EPOCHS}": 3, "validation, %": 1}


def tables(seeds, *, quick):
    """Yield (name, table)."""
    parts, depths = digits.images(quick), (1, 1, 1) if quick else (5, 5, 5)
    setting = f"ResNets of 32 layers, widths 8-16-32, shortcut A, {EPOCHS} epochs of {digits.SETTING}, learning rate 0.1, cosine with 10 % warm-up."
    made = Making("Four blocks after six epochs", setting, "python -m benchmarks.beliefs order", seeds, COLUMNS)  # fmt: skip
    for seed in seeds:
        for variant in CHOSEN:
            losses, accuracy = digits.trained(net(variant, depths, seed), parts, seed=seed, lr=0.1, epochs=EPOCHS)  # fmt: skip
            made.add(variant, seed, **dict(zip(COLUMNS, (losses[0], losses[-1], accuracy))))
    yield "order", made
