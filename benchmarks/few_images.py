"""python -m benchmarks.few_images: a network that knows eight classes of CIFAR-10 learns the other two from fifty images each.

It is fine-tuned with nothing frozen, and then with more and more of it frozen; for comparison, the same network learns the two from
scratch. Each is done three times, with different images in a different order. The accuracy on all test images of the two classes
is printed and drawn.

The network that knows eight classes is trained first (ResNet-20, ten epochs) and saved, so that the next call is faster.
"""

import json
import statistics
import time
from pathlib import Path

import numpy

from benchmarks import trained
from minires import checkpoint, data, models, nn, optim
from minires.cli import weights
from minires.show.picture import Picture
from minires.train import evaluate, train_epoch

NEW = ("cat", "dog")  # the two classes, which are hard to tell apart
SEEDS = (0, 1, 2)
FROZEN = (None, "until:layer1", "until:layer2", "until:layer3", "until:fc")
TRUNK = {"epochs": 10, "batch": 128, "lr": 0.4}
TUNING = {"epochs": 60, "batch": 20, "lr": 0.02}  # the same for all


def only(dataset, classes, each=None, seed=0):
    """Return the images of some classes; with `each`, that many of each, drawn at random."""
    rng, chosen = numpy.random.default_rng(seed), []
    for name in classes:
        found = numpy.flatnonzero(dataset.labels == dataset.classes.index(name))
        chosen.append(found if each is None else numpy.sort(rng.permutation(found)[:each]))
    labels = numpy.repeat(numpy.arange(len(classes)), list(map(len, chosen)))
    return data.Dataset(
        dataset.images[numpy.concatenate(chosen)],
        labels,
        classes,
        mean=dataset.mean,
        std=dataset.std,
        name=dataset.name,
    )


def learn(model, train, *, epochs, batch, lr, seed):
    """Train what is not frozen, with a learning rate that rises for a quarter of the steps and then falls to 0."""
    steps = len(data.batches(train, batch, drop_last=True))
    rate = optim.triangle(lr, steps=epochs * steps, peak=0.25)
    optimizer = optim.SGD(
        model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    for epoch in range(epochs):
        batches = data.batches(
            train, batch, seed=seed, epoch=epoch, crop=4, flip=True, drop_last=True
        )
        train_epoch(model, batches, optimizer)


def trunk(path, train):
    """Return the state of a network that knows the classes of `train`: read from the file, or trained and written there."""
    if not path.exists():
        print(
            f"training the network that knows {len(train.classes)} classes, on {len(train):,} images: once, for {path}"
        )
        nn.manual_seed(0)
        model = models.resnet20(num_classes=len(train.classes))
        learn(model, train, **TRUNK, seed=0)
        checkpoint.save_weights(
            path, model.state_dict(), model="resnet20", classes=list(train.classes)
        )
    state, facts = checkpoint.load_weights(path)
    if facts["classes"] != list(train.classes):
        raise ValueError(
            f"{path} knows {', '.join(facts['classes'])}: remove it, or name another with --trunk"
        )
    return state


def tuned(state, freeze, train, seed):
    """Return a network with two classes, trained from scratch, or from a state without its last layer."""
    nn.manual_seed(seed)
    model = models.resnet20(num_classes=len(NEW))
    if state is not None:
        weights.take_over(model, state, {}, NEW)
    if freeze:
        models.freeze(model, freeze)
    learn(model, train, **TUNING, seed=seed)
    return model


def drawn(rows):
    """Return a figure: a dot for each run, a line at each mean."""
    figure = Picture(figsize=(7, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for y, (name, found) in enumerate(reversed(rows.items())):
        colour = "#8c8c8c" if name == "from scratch" else "#0072b2"
        axes.plot([100 * value for value in found], [y] * len(found), "o", color=colour, alpha=0.7)
        axes.plot(
            2 * [100 * statistics.fmean(found)], [y - 0.3, y + 0.3], color=colour, linewidth=2
        )
    axes.set_yticks(range(len(rows)), reversed(rows))
    axes.set(xlabel=f"accuracy on {' and '.join(NEW)}, %")
    axes.grid(axis="x", alpha=0.3)
    return figure


def mean_and_deviation(found):
    """Return the mean and standard deviation of fractions, in per cent."""
    return f"{100 * statistics.fmean(found):.1f} % ± {100 * statistics.stdev(found):.1f}"


def main(arguments=None):
    """Train, print the table and draw the figure."""
    parser = trained.parser("few_images", __doc__)
    parser.add_argument(
        "--each",
        type=int,
        default=50,
        metavar="N",
        help="training images per class (default: 50)",
    )
    parser.add_argument("--trunk", type=Path, default=Path("few_images-trunk.safetensors"), metavar="FILE",
                        help="the network that knows eight classes; trained if the file is missing")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    options = parser.parse_args(arguments)
    train, test = trained.images(options)
    state = trunk(
        options.trunk, only(train, tuple(name for name in train.classes if name not in NEW))
    )
    tests, rows = only(test, NEW), {}
    ways = {
        "from scratch": (None, None),
        **{f"tuned, {part or 'nothing'} frozen": (state, part) for part in FROZEN},
    }
    print(
        f"{options.each} images of each of {' and '.join(NEW)}, {TUNING['epochs']} epochs; accuracy on {len(tests):,} others"
    )
    for name, (start, freeze) in ways.items():
        begun, rows[name] = time.perf_counter(), []
        for seed in SEEDS:
            few = only(train, NEW, options.each, seed)
            rows[name].append(
                evaluate(tuned(start, freeze, few, seed), data.batches(tests, 250)).accuracy
            )
        seconds = (time.perf_counter() - begun) / len(SEEDS)
        print(
            f"  {name:32} {mean_and_deviation(rows[name]):>14}   {seconds:4.0f} s each", flush=True
        )
    if options.json:
        options.json.write_text(
            json.dumps(
                {"data": test.name, "each": options.each, "tests": len(tests), "rows": rows},
                indent=2,
            )
            + "\n"
        )
    drawn(rows).save(options.picture)
    print(f"picture in {options.picture}")


if __name__ == "__main__":
    main()
