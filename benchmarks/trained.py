"""Shared by few_images, neighbours and probe: their options, and the features of a trained network at each depth."""

import argparse

import numpy

from minires import Tensor, data, no_grad
from minires import functional as F
from minires.backend import to_host
from minires.cli import settings, weights
from minires.cli.options import Options, typed


def parser(name, doc):
    """Return the parser of the options that all three have."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc.partition(": ")[2],
                                   formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    made.add_argument(
        "--data",
        default="cifar10",
        help="cifar10, or folder:PATH with images by class (default: cifar10)",
    )
    made.add_argument(
        "--data-dir", metavar="DIR", help="read CIFAR from this folder instead of downloading it"
    )
    made.add_argument(
        "--data-label",
        metavar="TEXT",
        help="what to call data that differs from the published files",
    )
    made.add_argument("--picture", metavar="FILE", default=f"{name}.png")
    return made


def images(options, facts=None):
    """Return (train, test) datasets, prepared as the facts of weights say."""
    facts = facts or {}
    size = facts["size"][:2] if "size" in facts else None
    prepared = {name: facts[name] for name in ("mean", "std") if name in facts}
    given = {**typed(options), "weights": None, **prepared, **settings.resizing(facts)}
    train, _, test = settings.datasets(Options(**given), size=size)
    return train, test


def net_and_images(name, doc, arguments):
    """Return (options, facts, model, train, test) for a program that looks at the features of a network."""
    made = parser(name, doc)
    made.add_argument(
        "--weights",
        default="resnet20.cifar10",
        help="a file, a run or a published name (default: resnet20.cifar10)",
    )
    options = made.parse_args(arguments)
    state, facts = weights.read(options.weights)
    model = weights.built(options.weights, state, facts).eval()
    return options, facts, model, *images(options, facts)


def pooled(model, dataset):
    """Return place in the network -> (N, C): the mean over its feature map, for each image; "pixels" are the images themselves."""
    found = {}
    with no_grad():
        for x, _ in data.batches(dataset, 250):
            found.setdefault("pixels", []).append(to_host(x).reshape(len(x), -1))
            for name, y in model.features(Tensor(x)).items():
                found.setdefault(name, []).append(to_host(F.global_avg_pool(y).data))
    return {name: numpy.concatenate(parts) for name, parts in found.items()}
