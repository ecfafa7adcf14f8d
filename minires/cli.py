"""The command line: minires train, minires info."""

import argparse
import os
import sys
import time
from pathlib import Path

from minires import __version__, backend, data, models, nn, optim
from minires.backend import card, machine
from minires.train import evaluate, train_epoch


def main(arguments=None):
    """Run a command. What the user can mend becomes one line on stderr, and exit status 2."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (backend.BackendError, ValueError, OSError, FloatingPointError) as error:
        print(f"minires {options.command}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser():
    parser = argparse.ArgumentParser(prog="minires", description="Residual networks from scratch, on NumPy and CuPy.")
    parser.add_argument("--version", action="version", version=f"minires {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a residual network on handwritten digits, in about a minute",
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)  # fmt: skip
    train.add_argument("--model", default="resnet20", help=f"one of {', '.join(models.MODELS)}")
    train.add_argument("--epochs", type=int, default=30)
    train.add_argument("--batch-size", type=int, default=64)
    train.add_argument("--lr", type=float, default=0.05, help="the largest learning rate")
    train.add_argument("--seed", type=int, default=0, help="of weights, order and shifts")
    train.add_argument("--backend", help="numpy, cupy, auto or strict; without it MINIRES_BACKEND, or numpy")
    train.add_argument("--name", default="digits", help="the run's folder is runs/NAME")
    train.set_defaults(run=_train)

    info = commands.add_parser("info", help="the backend in use, the devices, and how fast NumPy's products can be")
    info.set_defaults(run=_info)
    return parser


def _train(options):
    from tqdm import tqdm

    from minires import show

    if options.epochs < 1:
        raise ValueError(f"--epochs is {options.epochs}, wanted at least 1")
    folder = Path("runs", options.name)
    folder.mkdir(parents=True, exist_ok=True)  # now, and not after the training, if it cannot be
    if options.backend:
        backend.use(options.backend)
    nn.manual_seed(options.seed)
    train, validation, test = data.digits()
    model = models.build(options.model, num_classes=10, in_channels=1)
    optimizer = optim.SGD(model.parameters(), lr=options.lr, momentum=0.9, nesterov=True, weight_decay=1e-3)
    steps = len(data.batches(train, options.batch_size))
    total = options.epochs * steps
    schedule = optim.cosine(options.lr, steps=total, warmup=total // 10)
    count = sum(parameter.size for parameter in model.parameters())
    print(f"{options.model}, {count:,} parameters, on {len(train):,} images of handwritten digits; backend {backend.name()}")

    log = {"train loss": [], "validation loss": [], "train accuracy": [], "validation accuracy": []}
    start = time.perf_counter()
    bar = tqdm(total=options.epochs * len(train), unit=" images", disable=None, leave=False)
    with bar, machine.one_blas_thread():  # 8 x 8 images make small products: two threads get in each other's way
        for epoch in range(options.epochs):
            batches = data.batches(train, options.batch_size, seed=options.seed, epoch=epoch, crop=1)
            scores = {
                "train": train_epoch(model, batches, optimizer, schedule=schedule, step=epoch * steps, bar=bar),
                "validation": evaluate(model, data.batches(validation, 256)),
            }
            for part, score in scores.items():
                log[f"{part} loss"].append(score.loss)
                log[f"{part} accuracy"].append(score.accuracy)
            bar.write(f"epoch {epoch + 1:2d}   " + "   ".join(
                f"{part}: loss {score.loss:.3f}, accuracy {100 * score.accuracy:.2f} %" for part, score in scores.items()
            ))  # fmt: skip
    seconds = time.perf_counter() - start

    picture = folder / "curves.png"
    show.curves(log, title=f"{options.model} on handwritten digits, seed {options.seed}").save(picture)
    print(f"trained in {seconds:.0f} s, {options.epochs * len(train) / seconds:,.0f} images/s; curves in {picture}")
    print(f"test accuracy {100 * evaluate(model, data.batches(test, 256)).accuracy:.2f} %")


def _info(options):
    print(f"minires     {__version__}, Python {sys.version.split()[0]}")
    try:
        print(f"backend     {backend.name()} (MINIRES_BACKEND or backend.use() change it)")
    except backend.BackendError as why:
        print(f"backend     none: {why}")
    print(f"processor   {machine.processor()}, {machine.cores()} cores for this process")
    print(f"NumPy       {machine.numpy_version()}")
    blas = machine.blas()
    if blas is None:
        print("BLAS        does not tell its name")
    else:
        print(f"BLAS        {blas['name']} {blas['version']}, kernel {blas['kernel'] or 'unknown'}, {blas['threads']} threads")
        unused = machine.pinned_below(blas["kernel"], machine.features())
        if unused:
            pin = os.environ.get("OPENBLAS_CORETYPE")
            cause = f"OPENBLAS_CORETYPE={pin} pins it: unset it" if pin else "another NumPy build may have a faster one"
            print(f"warning     the kernel does not use this processor's {unused}: products run slower than they could. {cause}")
    try:
        for line in card.describe():
            print(f"GPU         {line}")
    except card.Unusable as why:
        print(f"GPU         none: {why}")
