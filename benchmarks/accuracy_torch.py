"""python -m benchmarks.accuracy_torch --recipe resnet18-fast: the accuracy that PyTorch reaches with a recipe of minires.

The settings, the images, their order and augmentation, the batches, the learning rate at each step and the first weights are those of
`minires train`, whose options it takes; the network, its gradients and SGD are PyTorch's. So there is a reference for minires on any data
and any machine. The log and the result are written to runs/torch-NAME, in the format of minires, so `minires plot` draws both.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from benchmarks import peers
from benchmarks.problems import Net
from minires import backend, data, models, nn
from minires.cli import recipes, settings
from minires.cli.loop import Loop
from minires.cli.options import typed

SHAPES = {
    "resnet18": ("BasicBlock", (2, 2, 2, 2), (64, 128, 256, 512)), "resnet34": ("BasicBlock", (3, 4, 6, 3), (64, 128, 256, 512)),
    "resnet50": ("Bottleneck", (3, 4, 6, 3), (64, 128, 256, 512)),
    **{f"resnet{6 * n + 2}": ("BasicBlock", (n, n, n), (16, 32, 64)) for n in (3, 5, 7, 9, 18)},
}  # fmt: skip
SHORT = "resnet8"
LAYOUT = "PyTorch channels_last"


def main(arguments=None):
    """Train and test; an error that the user can fix is one line on stderr, and exit status 2."""
    options = _parser().parse_args(arguments)
    try:
        train(
            _config(options),
            Path(
                options.folder
                or f"runs/torch-{options.recipe}-{options.model or 'net'}-seed{options.seed}"
            ),
        )
    except (ValueError, OSError) as error:
        print(f"accuracy_torch: {error}", file=sys.stderr)
        sys.exit(2)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy_torch", description="PyTorch's accuracy with a recipe."
    )
    parser.add_argument(
        "--recipe", default="resnet18-fast", help=f"one of {', '.join(recipes.NAMES)}"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--data", metavar="SET")
    parser.add_argument("--data-dir", metavar="DIR")
    parser.add_argument("--data-label", metavar="TEXT")
    parser.add_argument("--model", help="instead of the recipe's")
    parser.add_argument("--shortcut", help="A, B or none")
    parser.add_argument("--folder", metavar="DIR", help="folder for the log and the result")
    parser.add_argument("--threads", type=int, help="PyTorch's")
    return parser


def _config(options):
    """Return the settings of minires train."""
    written, _ = recipes.read(options.recipe)
    given = {name: value for name, value in typed(options).items() if value is not None}
    config = settings.merged(given, written)
    settings.check(config)
    if (
        config.model not in (*SHAPES, SHORT)
        or config.preactivation
        or config.stem not in (None, "cifar")
    ):
        known = ", ".join((*SHAPES, SHORT))
        raise ValueError(f"model {config.model}: expected one of {known} with a CIFAR stem")
    if config.optimizer != "sgd":
        raise ValueError(f"optimizer: expected sgd, got {config.optimizer}")
    if options.threads:
        torch.set_num_threads(options.threads)
    return config


def train(config, folder):
    """Train with these settings, log each epoch, test once at the end, and return the result."""
    nn.manual_seed(config.seed)
    ours = Loop(config, settings.datasets(config))
    model = _model(ours)
    theirs = dict(model.named_parameters())
    names = {id(parameter): name for name, parameter in ours.model.named_parameters()}
    groups = [{"params": [theirs[names[id(parameter)]] for parameter in group["params"]], "weight_decay": group["weight_decay"]}
              for group in ours.optimizer.groups]  # fmt: skip
    nesterov = config.nesterov and config.momentum > 0
    optimizer = torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=nesterov)
    shares = [group["lr"] / ours.schedule(0) for group in ours.optimizer.groups]
    log, step, begun = [], 0, time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(
        json.dumps({**config.to_config(), "library": f"PyTorch {torch.__version__}"}, indent=2)
        + "\n"
    )
    for epoch in range(config.epochs):
        model.train()
        losses = hits = images = 0.0
        for x, labels in ours.batches(epoch):
            for group, share in zip(optimizer.param_groups, shares):
                group["lr"] = share * ours.schedule(step)
            labels = torch.from_numpy(backend.to_host(labels).astype("int64"))
            logits = model(peers.images(backend.to_host(x), LAYOUT))
            loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses = losses + loss.item() * len(labels)
            hits = hits + _hits(logits, labels)
            images = images + len(labels)
            step += 1
        row = {"epoch": epoch + 1, "step": step, "lr": ours.schedule(step - 1), "train_loss": losses / images,
               "train_accuracy": hits / images, "validation_loss": "", "validation_accuracy": "",
               "seconds": round(time.perf_counter() - begun, 2)}  # fmt: skip
        log.append(row)
        with open(folder / "log.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, list(row), lineterminator="\n")
            writer.writeheader()
            writer.writerows(log)
        print(
            f"epoch {epoch + 1:2d}   train: loss {row['train_loss']:.3f}, accuracy {100 * row['train_accuracy']:.2f} %",
            flush=True,
        )
    seconds = time.perf_counter() - begun
    result = {
        **_tested(model, ours.test, config.test_flips),
        "seconds": seconds,
        "images_per_second": ours.images / seconds,
    }
    (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    print(
        f"test accuracy {100 * result['test_accuracy']:.2f} % ({result['test_hits']:,} of {result['test_images']:,}); log in {folder}"
    )
    if "mirrored_accuracy" in result:
        print(f"each image also mirrored: {100 * result['mirrored_accuracy']:.2f} %")
    return result


def _model(ours):
    """Return PyTorch's network with the first weights of minires's; weights that are frozen there are frozen here."""
    options = {"in_channels": ours.facts["size"][2], "classes": len(ours.facts["classes"])}
    if ours.options.model == SHORT:
        model = peers.ShortResNet(**options)
    else:
        shortcut = ours.options.shortcut or _shortcut(ours.options.model)
        model = peers.ResNet(Net(*SHAPES[ours.options.model]), shortcut=shortcut, **options)
    model = peers.placed(model, LAYOUT, ours.model.state_dict())
    theirs = dict(model.named_parameters())
    for name, parameter in ours.model.named_parameters():
        theirs[name].requires_grad_(parameter.requires_grad)
    return model


def _shortcut(name):
    """Return the default shortcut of minires's model of this name; a projection is known by its weights."""
    return "B" if any("downsample" in key for key in models.build(name).state_dict()) else "A"


def _hits(logits, labels):
    return int((logits.argmax(1) == labels).sum())


def _tested(model, part, flips):
    """Return the result. flips  also with test-time flips"""
    model.eval()
    hits = mirrored = images = 0
    with torch.no_grad():
        for x, labels in data.batches(part, 250):
            x = peers.images(backend.to_host(x), LAYOUT)
            labels = torch.from_numpy(backend.to_host(labels).astype("int64"))
            logits = model(x)
            hits, images = hits + _hits(logits, labels), images + len(labels)
            mirrored += _hits(logits + model(x.flip(3)), labels) if flips else 0
    also = {"mirrored_accuracy": mirrored / images, "mirrored_hits": mirrored} if flips else {}
    return {"test_accuracy": hits / images, "test_hits": hits, "test_images": images, **also}


if __name__ == "__main__":
    main()
