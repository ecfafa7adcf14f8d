"""minires summary, data, plot and info: things to look at."""

import os
import sys

from minires import __version__, backend, models, runs, show, watch
from minires.backend import card, machine
from minires.cli import settings


def summary(options):
    """Run the command: a table of a model's layers."""
    shape = options.input or ([224, 224, 3] if options.stem == "imagenet" else [32, 32, 3])
    if len(shape) != 3:
        raise ValueError(f"--input is {shape}, wanted three numbers: height, width, channels")
    model, _ = settings.model(vars(options), num_classes=options.num_classes, in_channels=shape[2])
    if options.freeze:
        models.freeze(model, options.freeze)
    print(models.summary(model, tuple(shape)))


def data(options):
    """Run the command: fetch and check a set of images, describe it, and draw some of them."""
    config = {**settings.defaults(options.data), **{key: value for key, value in vars(options).items() if value is not None}}
    parts = dict(zip(("train", "validation", "test"), settings.datasets(config)))
    parts = {name: part for name, part in parts.items() if part is not None}
    first = next(iter(parts.values()))
    print(f"{first.name}. {first.source}")
    for name, part in parts.items():
        counts = part.counts()
        each = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
        print(f"{name:10}  {part!r}, {each} of each")
    for name in ("mean", "std"):
        print(f"{name:10}  " + " ".join(f"{value:.4f}" for value in getattr(first, name)))
    path = options.picture or f"{options.data.partition(':')[0]}.png"
    images, labels = first.examples(8)
    show.images(images, labels, first.classes, columns=8).save(path)
    print(f"picture in {path}")


def plot(options):
    """Run the command: the curves of runs, laid over each other; or their gradients by depth."""
    opened = [runs.Run(runs.find(name)) for name in options.runs]
    names = [run.folder.name for run in opened]
    if len(set(names)) < len(names):
        names = [str(run.folder) for run in opened]
    opened = dict(zip(names, opened))
    if options.depths:
        unwatched = [run.folder for run in opened.values() if not (run.folder / "layers.csv").is_file()]
        if unwatched:
            raise ValueError(f"{unwatched[0]} has no layers.csv: its layers were not noted; train with --watch for that")
        picture = show.depths({name: watch.read(run.folder / "layers.csv") for name, run in opened.items()})
    else:
        empty = [run.folder for run in opened.values() if not run.log()]
        if empty:
            raise ValueError(f"{empty[0]} has no finished epoch yet: its log is empty")
        picture = show.overlay({name: run.curves() for name, run in opened.items()})
    path = options.picture or ("depths.png" if options.depths else "curves.png")
    picture.save(path)
    print(f"picture in {path}")


def info(options):
    """Run the command: what this machine has."""
    print(f"minires     {__version__}, Python {sys.version.split()[0]}")
    try:
        print(f"backend     {backend.name()} (MINIRES_BACKEND or backend.use() change it)")
    except backend.BackendError as why:
        print(f"backend     none: {why}")
    print(f"processor   {machine.processor()}, {machine.cores()} cores for this process")
    try:
        print(f"threads     {backend.threads()} with NumPy, each at work on a part of the batch (MINIRES_THREADS changes it)")
    except ValueError as why:
        print(f"threads     none: {why}")
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
            print(
                f"warning     the kernel does not use this processor's {unused}: products run slower than they could. {cause}"
            )
    try:
        for facts in card.facts():
            _describe(facts)
    except card.Unusable as why:
        print(f"GPU         none: {why}")


def _describe(facts):
    print(f"GPU         {facts.name}")
    print(f"memory      {facts.memory / 2**30:.1f} GiB, {facts.free / 2**30:.1f} GiB of it free")
    print(f"capability  {'.'.join(map(str, facts.capability))}")
    print(f"driver      {facts.driver or 'of unknown version'}, for CUDA up to {facts.driver_cuda}")
    print(f"CuPy        {facts.cupy}")
    print(f"CUDA        {facts.cuda}, CuPy's own runtime")
    print(f"TF32        {'yes: minires train --precision tf32, or MINIRES_TF32=1' if facts.tf32 else 'no: it needs capability 8.0'}")
    print(f"float16     {'yes: minires train --precision float16' if facts.float16 else 'no: it needs capability 7.0'}")
    print(f"bfloat16    {'yes: minires train --precision bfloat16' if facts.bfloat16 else 'no: it needs capability 8.0, CuPy 14 and ml_dtypes'}")
