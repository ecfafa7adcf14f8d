"""Deep perceptrons on digits: what 4, 32 and 200 layers learn, plain or with a skip, with and without batch norm, at several rates."""

import numpy

from benchmarks.beliefs import digits
from benchmarks.beliefs.table import Making
from minires import nn
from minires.models import DeepMLP

EPOCHS, SHORT = 5, 2
RATES = {4: (0.1, 0.05, 0.01), 32: (0.1, 0.05, 0.01), 200: (0.05, 0.01), 1000: (0.05,)}
NETS = ("plain", "plain + BN", "skip", "skip/√L", "skip + BN", "skip + BN, none at the end")
DEEPEST, FEWER = ("skip/√L", "skip + BN"), 3  # nets with 1,000 layers, and their seeds
COLUMNS = {
    f"{what}, rate {rate}": decimals
    for rate in RATES[4]
    for what, decimals in (("loss", 2), ("validation, %", 1))
}
SETTING = (
    f"Perceptrons of width 32, Kaiming weights, {EPOCHS} epochs ({SHORT} with 200 and 1,000 layers) of {digits.SETTING}, cosine with 10 % warm-up; "
    "the training loss of the last epoch and the validation accuracy, by learning rate. plain: relu(BN(W x)); skip: x + W relu(BN(x)), "
    "and BN before the last layer; skip/√L has the branch divided by √L, and no BN."
)


def tables(seeds, *, quick):
    """Yield (name, table)."""
    parts = digits.images(quick)
    made = Making("Depth, with skips and with batch norm", SETTING, "python -m benchmarks.beliefs depth", seeds, COLUMNS)  # fmt: skip
    for depth, rates in RATES.items():
        kinds, some = (DEEPEST, seeds[:FEWER]) if depth == max(RATES) else (NETS, seeds)
        for kind in kinds:
            for seed in some:
                for rate in rates:
                    model = net(min(depth, 6) if quick else depth, kind, seed)
                    epochs = EPOCHS if depth <= 32 and not quick else SHORT
                    losses, accuracy = digits.trained(
                        model, parts, seed=seed, lr=rate, epochs=epochs
                    )
                    found = {
                        f"loss, rate {rate}": losses[-1],
                        f"validation, %, rate {rate}": accuracy,
                    }
                    made.add(f"{depth:,} layers, {kind}", seed, **found)
        yield "depth", made  # so far: the deepest take minutes


def net(depth, kind, seed):
    """Return one of NETS, for images."""
    options = {"skip": "skip" in kind, "norm": "BN" in kind}
    if "√L" in kind:
        options["scale"] = depth**-0.5
    model = DeepMLP(depth, rng=numpy.random.default_rng(seed), **options)
    if "none at the end" in kind:
        model.last_norm = None
    return nn.Sequential(nn.Flatten(), model)
