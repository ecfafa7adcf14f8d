"""Do gradients vanish, stay or explode? Their norms at the feature maps, layer by layer, before any training."""

import math

import numpy

from benchmarks.beliefs import digits
from benchmarks.beliefs.table import Making
from minires import Tensor, data, models, watch
from minires import functional as F
from minires.models import DeepMLP
from minires.nn import Parameter

DEPTHS = (32, 200)
NETS = {  # row -> (options of DeepMLP, the nonlinearity)
    "sigmoid": ({}, F.sigmoid),
    "plain": ({}, F.relu),
    "plain + BN": ({"norm": True}, F.relu),
    "skip": ({"skip": True}, F.relu),
    "skip/√L": ({"skip": True, "scale": True}, F.relu),
    "skip + BN": ({"skip": True, "norm": True}, F.relu),
}
COLUMNS = {
    "gradient, first map : last, log10": 1,
    "per layer": 3,
    "variance, last map : first, log10": 1,
}
CONVOLUTIONS = {
    "gradient, first convolution : last, log10": 2,
    "per convolution": 3,
}


def tables(seeds, *, quick):
    """Yield (name, table)."""
    setting = (
        "Perceptrons of width 32, Kaiming weights (for the sigmoid too), before the first step; 256 handwritten digits. The gradient is "
        "the norm of d loss/d map, over all images; per layer, the factor by which it changes from one map back to the one before. "
        "In float64: the variances of the skip would not fit into float32."
    )
    made = Making("Gradients by depth", setting, "python -m benchmarks.beliefs gradients_by_depth", seeds, COLUMNS)  # fmt: skip
    x, labels = next(iter(data.batches(digits.images(quick)[0], 256, seed=0)))
    for depth in DEPTHS:
        for kind in NETS:
            for seed in seeds:
                norms, variances = by_layer(min(depth, 8) if quick else depth, kind, seed, x, labels)  # fmt: skip
                grown = math.log10(norms[0] / norms[-1])
                found = (grown, 10 ** (grown / (len(norms) - 1)), math.log10(variances[-1] / variances[0]))  # fmt: skip
                made.add(f"{depth} layers, {kind}", seed, **dict(zip(COLUMNS, found)))
    yield "gradients_by_depth", made
    yield "gradients_by_convolution", _convolutions(seeds, quick)


def by_layer(depth, kind, seed, x, labels):
    """Return (gradient norms, variances), each a list with a number for each feature map, the first layer's first."""
    options, nonlinear = NETS[kind]
    options = {**options, **({"scale": depth**-0.5} if "scale" in options else {})}
    model = DeepMLP(depth, rng=numpy.random.default_rng(seed), **options).astype("float64")
    maps, added = [], []

    def noted(x):
        """Return x + 0: the gradient at the zeros is the gradient at x."""
        added.append(Parameter(numpy.zeros(x.shape)))
        maps.append(x + added[-1])
        return maps[-1]

    skip = options.get("skip", False)
    x = model.first(Tensor(x.reshape(len(x), -1).astype("float64")))
    x = noted(x if skip else nonlinear(x))
    for layer, norm in zip(model.layers, model.norms):
        if skip:
            x = noted(x + model.scale * layer(nonlinear(x if norm is None else norm(x))))
        else:
            x = noted(nonlinear(layer(x) if norm is None else norm(layer(x))))
    if skip:
        x = nonlinear(x if model.last_norm is None else model.last_norm(x))
    F.cross_entropy(model.last(x), labels).backward()
    norms = [float(numpy.linalg.norm(each.grad)) for each in added]
    return norms, [float(each.data.var()) for each in maps]


def _convolutions(seeds, quick):
    """Return the table for ResNets."""
    setting = (
        "ResNets of 20 and 56 layers, widths 16-32-64, with shortcuts (option A) and without, before the first step; 64 of our shapes. "
        "The root mean square of d loss/d output of the first convolution, over that of the last; per convolution, the factor by which "
        "it changes from one back to the one before."
    )
    made = Making("Gradients by convolution", setting, "python -m benchmarks.beliefs gradients_by_depth", seeds, CONVOLUTIONS)  # fmt: skip
    for n, depth in ((3, 20), (9, 56)):
        for kind, shortcut in (("plain", "none"), ("residual", "A")):
            for seed in seeds:
                rng = numpy.random.default_rng(seed)
                model = models.ResNet(models.BasicBlock, (n, n, n), (2, 4, 8) if quick else (16, 32, 64), shortcut=shortcut, rng=rng)  # fmt: skip
                x, labels = next(iter(data.batches(data.shapes(4 if quick else 64, seed=seed), 64, seed=0)))  # fmt: skip
                with watch.layers(model) as seen:
                    F.cross_entropy(model(Tensor(x)), labels).backward()
                found = [row.gradient_rms for row in seen.rows if "conv" in row.layer]
                grown = math.log10(found[0] / found[-1])
                values = (grown, 10 ** (grown / (len(found) - 1)))
                made.add(f"{depth} layers, {kind}", seed, **dict(zip(CONVOLUTIONS, values)))
    return made
