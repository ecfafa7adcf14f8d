"""python -m benchmarks.probe --weights resnet20.cifar10: what a network knows, by depth.

A linear layer learns the classes from the features at one depth alone, the mean over a feature map; the network is frozen. What
the layer cannot do, a later stage has to add. For comparison, the same is done with a network that was never trained.
Source  Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes".
"""

import numpy

from benchmarks import trained
from minires import Tensor, models, nn, no_grad, optim
from minires import functional as F
from minires.show.picture import Picture

STEPS, BATCH, RATE, DECAY = 1500, 250, 0.02, 1e-4


def probe(features, labels, classes, *, seed=0):
    """Train a linear layer on features (N, C), and return (layer, mean, std): with the last two it normalises them."""
    nn.manual_seed(seed)
    mean, std = features.mean(axis=0), features.std(axis=0) + 1e-6
    layer = nn.Linear(features.shape[1], classes)
    optimizer = optim.AdamW(
        layer.parameters(), lr=optim.cosine(RATE, steps=STEPS), weight_decay=DECAY
    )
    x, rng = ((features - mean) / std).astype("float32"), numpy.random.default_rng(seed)
    for _ in range(STEPS):
        chosen = rng.integers(0, len(x), BATCH)
        loss = F.cross_entropy(layer(Tensor(x[chosen])), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return layer, mean, std


def accuracy(probed, features, labels):
    """Return the fraction of correct predictions."""
    layer, mean, std = probed
    with no_grad():
        logits = layer(Tensor(((features - mean) / std).astype("float32"))).numpy()
    return float((logits.argmax(axis=1) == labels).mean())


def by_depth(model, train, test):
    """Return place in the network -> accuracy of its probe on the test set."""
    seen, unseen = trained.pooled(model, train), trained.pooled(model, test)
    return {
        place: accuracy(probe(rows, train.labels, len(train.classes)), unseen[place], test.labels)
        for place, rows in seen.items()
    }


def drawn(lines):
    """Return a figure: a line for each network, accuracy by depth."""
    figure = Picture(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for (name, found), colour, mark in zip(lines.items(), ("#0072b2", "#8c8c8c"), "os"):
        axes.plot(
            list(found),
            [100 * value for value in found.values()],
            color=colour,
            marker=mark,
            label=name,
        )
    axes.set(xlabel="features from", ylabel="accuracy of a linear layer, %", ylim=(0, 100))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def main(arguments=None):
    """Print the table and draw the figure."""
    options, facts, model, train, test = trained.net_and_images("probe", __doc__, arguments)
    nn.manual_seed(0)
    fresh = models.build(facts["model"], **facts.get("options", {})).eval()
    lines = {"trained": by_depth(model, train, test), "never trained": by_depth(fresh, train, test)}
    print(
        f"accuracy of a linear layer, trained on {len(train):,} and tested on {len(test):,} images of {test.name}"
    )
    print(f"  {'features':8}" + "".join(f"{name:>16}" for name in lines))
    for place in lines["trained"]:
        print(f"  {place:8}" + "".join(f"{100 * found[place]:14.1f} %" for found in lines.values()))
    drawn(lines).save(options.picture)
    print(f"picture in {options.picture}")


if __name__ == "__main__":
    main()
