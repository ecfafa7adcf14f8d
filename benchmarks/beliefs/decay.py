"""Weight decay before a batch norm: with it, without it, and without it but with the same lengths of the weights."""

import math

from benchmarks.beliefs import recipes
from benchmarks.beliefs.table import Making
from minires import optim
from minires.nn import Conv2d

LR, DECAY = 0.05, 5e-3
WITH, WITHOUT, LENGTHS = "with decay", "without", "without, lengths as with decay"
COLUMNS = {
    "length of the convolutions' weights, end": 1,
    "training loss, last epoch": 2,
    "test accuracy, %": 1,
}


def tables(seeds, *, quick):
    """Yield (name, table)."""
    parts, epochs = recipes.images(quick), 1 if quick else recipes.EPOCHS
    setting = (
        f"{recipes.SETTING}; SGD, momentum 0.9, learning rate {LR}, triangle; weight decay {DECAY} on the weights of the "
        "convolutions, all of which a batch norm follows, and none on the other parameters. In the last row there is none "
        "at all, and after each step each of these weights is multiplied by a number, so that it is as long as in the "
        f"first row. Tested on {recipes.TESTED} other shapes."
    )
    made = Making(
        "Weight decay before a batch norm",
        setting,
        "python -m benchmarks.beliefs decay",
        seeds,
        COLUMNS,
    )
    for seed in seeds:
        recorded = []
        for name in (WITH, WITHOUT, LENGTHS):
            last = []

            def hook(model, name=name, last=last):
                last[:] = [length(weight) for weight in weights(model)]
                if name == WITH:
                    recorded.append(list(last))
                elif name == LENGTHS:
                    lengths_with_decay = recorded.pop(0)
                    for weight, now, then in zip(weights(model), last, lengths_with_decay):
                        weight.data *= then / now
                    last[:] = lengths_with_decay

            found = recipes.trained(
                parts, seed, maker(DECAY if name == WITH else 0), epochs=epochs, hook=hook
            )[-1]
            whole = math.sqrt(sum(value**2 for value in last))
            made.add(name, seed, **dict(zip(COLUMNS, (whole, found[0], found[1]))))
    yield "decay", made


def weights(model):
    """Return the weights of the convolutions."""
    return [module.weight for _, module in model.modules() if isinstance(module, Conv2d)]


def length(weight):
    """Return the length of a parameter, as a vector."""
    return math.sqrt(float((weight.data.astype("float64") ** 2).sum()))


def maker(decay):
    """Return a function from the model to SGD, with decay on the convolutions alone."""
    rate = optim.triangle(LR, steps=recipes.STEPS, peak=0.2, start=0.05)

    def make(model):
        chosen = weights(model)
        others = [
            parameter
            for parameter in model.parameters()
            if not any(parameter is one for one in chosen)
        ]
        groups = [{"params": chosen, "weight_decay": decay}, {"params": others}]
        return optim.SGD(groups, rate, momentum=0.9)

    return make
