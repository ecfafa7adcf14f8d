"""Shattered gradients: is the derivative of a deep network, along a line of inputs, like noise? By autocorrelation, without training.

Source  Balduzzi et al. 2017, "The Shattered Gradients Problem".
"""

import numpy

from benchmarks.beliefs.table import Making

WIDTH, POINTS = 200, 256
COLUMNS = {"lag 1": 2, "lag 4": 2, "lag 16": 2, "standard deviation of dy/dx": ".0e"}
ROWS = {  # row -> layers, and the options of along()
    "1 layer": (1, {}),
    "24 layers, plain": (24, {}),
    "50 layers, plain": (50, {}),
    "50 layers, plain, biases from N(0, 1/200)": (50, {"biases": WIDTH**-0.5}),
    "50 layers, plain, biases from N(0, 1)": (50, {"biases": 1.0}),
    "50 layers, plain, weights and biases from N(0, 1/200)": (50, {"biases": WIDTH**-0.5, "variance": 1 / WIDTH}),
    "24 layers, plain + BN": (24, {"centre": True, "scale": True}),
    "50 layers, plain + BN": (50, {"centre": True, "scale": True}),
    "50 layers, plain, centred but not scaled": (50, {"centre": True}),
    "50 layers, skip": (50, {"skip": 1.0}),
    "50 layers, skip + BN": (50, {"skip": 1.0, "centre": True, "scale": True}),
    "50 layers, skip + BN, branch times 0.1": (50, {"skip": 0.1, "centre": True, "scale": True}),
    "200 layers, skip + BN": (200, {"skip": 1.0, "centre": True, "scale": True}),
}  # fmt: skip
SETTING = (
    f"dy/dx at {POINTS} points of [-2, 2], width {WIDTH}, before any training. Weights are drawn from N(0, 2/fan-in) and biases are 0 "
    "where the row says nothing else. Plain: relu(BN(W x)); skip: x + W relu(BN(x)). BN's statistics are those of all points, and are held "
    "still in the derivative. Autocorrelation by lag, in points."
)


def tables(seeds, *, quick):
    """Yield (name, table)."""
    made = Making("Shattered gradients", SETTING, "python -m benchmarks.beliefs shattering", seeds, COLUMNS)  # fmt: skip
    for row, (layers, options) in ROWS.items():
        for seed in seeds:
            _, slope = along(4 if quick else layers, numpy.random.default_rng(seed), **options)
            found = {f"lag {lag}": autocorrelation(slope, lag) for lag in (1, 4, 16)}
            made.add(row, seed, **found, **{"standard deviation of dy/dx": slope.std()})
    yield "shattering", made


def along(layers, rng, *, biases=0.0, variance=None, centre=False, scale=False, skip=None):
    """Return (y, dy/dx) at POINTS inputs: values and their derivatives go forward together, each (WIDTH, POINTS).

    biases  their standard deviation    variance  of the weights, by default 2 / fan-in
    centre, scale  the halves of batch norm    skip  None, or the factor of the branch
    """

    def linear(f, df, outputs=WIDTH, of=WIDTH):
        weight = rng.normal(0, (variance or 2 / of) ** 0.5, (outputs, of))
        return weight @ f + rng.normal(0, 1, (outputs, 1)) * biases, weight @ df

    def norm(f, df):
        std = numpy.sqrt(f.var(axis=1, keepdims=True) + 1e-5) if scale else 1
        return (f - (f.mean(axis=1, keepdims=True) if centre else 0)) / std, df / std

    def relu(f, df):
        return numpy.maximum(f, 0), df * (f > 0)

    x = numpy.linspace(-2, 2, POINTS)[None]
    f, df = linear(x, numpy.ones_like(x), of=1)
    if skip is None:
        f, df = relu(*norm(f, df))
    for _ in range(layers - 1):
        if skip is None:
            f, df = relu(*norm(*linear(f, df)))
        else:
            branch, dbranch = linear(*relu(*norm(f, df)))
            f, df = f + skip * branch, df + skip * dbranch
    if skip is not None:
        f, df = relu(*norm(f, df))
    f, df = linear(f, df, outputs=1)
    return f[0], df[0]


def autocorrelation(values, lag):
    """Return the correlation of a series with itself, `lag` places on."""
    values = values - values.mean()
    variance = (values * values).mean()
    return float((values[:-lag] * values[lag:]).mean() / variance) if variance else 1.0
