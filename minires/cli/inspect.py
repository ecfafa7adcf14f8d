"""minires summary, data, plot and info: look at models, data, runs and this machine."""

import os
import sys
import warnings
from contextlib import suppress

from minires import __version__, backend, models, runs, show, watch
from minires.backend import card, machine
from minires.cli import forms, settings
from minires.cli.options import Options, typed


def summary(arguments):
    """Run the command: print a table of a model's layers."""
    options = Options(**typed(arguments))
    size = [224, 224, 3] if options.stem == "imagenet" else [32, 32, 3]
    shape = arguments.input or size
    if len(shape) != 3 or min(shape) < 1:
        given = " ".join(map(str, shape))
        raise ValueError(
            f"--input {given}: expected three numbers of at least 1: height, width, channels"
        )
    classes, channels = options.num_classes, shape[2]
    model, _ = settings.model(options, num_classes=classes, in_channels=channels)
    if options.freeze:
        models.freeze(model, options.freeze)
    print(models.summary(model, tuple(shape)))


def data(arguments):
    """Run the command: download and check a dataset, describe it, and draw some of it."""
    given = typed(arguments)
    options = settings.merged({"validation": None, **given}, {})
    parts = dict(zip(("train", "validation", "test"), settings.datasets(options)))
    parts = {name: part for name, part in parts.items() if part is not None}
    first = next(iter(parts.values()))
    print(f"{first.name}. {first.source}")
    for name, part in parts.items():
        least, most = min(part.counts()), max(part.counts())
        each = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        print(f"{name:10}  {part!r}, {each} per class")
    for name in ("mean", "std"):
        print(f"{name:10}  " + " ".join(f"{value:.4f}" for value in getattr(first, name)))
    path = arguments.picture or f"{options.data.partition(':')[0]}.png"
    images, labels = first.examples(8)
    show.images(images, labels, first.classes, columns=8).save(path)
    print(f"picture in {path}")


def plot(arguments):
    """Run the command: overlay the curves of runs, or draw their gradients by depth."""
    opened = [runs.Run(runs.find(name)) for name in arguments.runs]
    names = [run.folder.name for run in opened]
    if len(set(names)) < len(names):
        names = [str(run.folder) for run in opened]
    opened = dict(zip(names, opened))
    if arguments.depths:
        paths = {name: run.folder / "layers.csv" for name, run in opened.items()}
        unwatched = [path.parent for path in paths.values() if not path.is_file()]
        if unwatched:
            raise ValueError(
                f"{unwatched[0]} has no layers.csv: its layers were not recorded; "
                "train with --watch to record them"
            )
        picture = show.depths({name: watch.read(path) for name, path in paths.items()})
    else:
        empty = [run.folder for run in opened.values() if not run.log()]
        if empty:
            raise ValueError(f"{empty[0]} has no finished epoch yet: its log is empty")
        picture = show.overlay({name: run.curves() for name, run in opened.items()})
    path = arguments.picture or ("depths.png" if arguments.depths else "curves.png")
    picture.save(path)
    print(f"picture in {path}")


def info(_):
    """Run the command: describe this machine."""
    print(f"minires     {__version__}, Python {sys.version.split()[0]}")
    try:
        print(f"backend     {backend.name()} (MINIRES_BACKEND or backend.use() changes it)")
    except backend.BackendError as why:
        print(f"backend     none: {why}")
    print(f"processor   {machine.processor()}, {machine.cores()} cores for this process")
    try:
        print(
            f"threads     {backend.threads()} with NumPy, each on a chunk of the batch "
            "(MINIRES_THREADS changes it)"
        )
    except ValueError as why:
        print(f"threads     none: {why}")
    print(f"NumPy       {machine.numpy_version()}")
    _describe_blas()
    with suppress(backend.BackendError):  # said above
        print(f"faster      {forms.files()}")
    _describe_gpus()


def _describe_blas():
    blas = machine.blas()
    if blas is None:
        print("BLAS        of unknown name")
        return
    name, kernel = f"{blas['name']} {blas['version']}", blas["kernel"] or "unknown"
    print(f"BLAS        {name}, kernel {kernel}, {blas['threads']} threads")
    unused = machine.pinned_below(blas["kernel"], machine.features())
    if unused:
        pin = os.environ.get("OPENBLAS_CORETYPE")
        cause = "another NumPy build may have a faster one"
        if pin:
            cause = f"OPENBLAS_CORETYPE={pin} pins it: unset it"
        print(
            f"warning     the kernel does not use this processor's {unused}, "
            f"so matrix products are slower than they could be: {cause}"
        )


def _describe_gpus():
    try:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            cards = card.facts()
    except card.Unusable as why:
        print(f"GPU         none: {why}")
        return
    for facts in cards:
        _describe(facts)
    for warning in found:
        print(f"warning     {warning.message}")


def _describe(facts):
    print(f"GPU         {facts.name}")
    free = "" if facts.free is None else f", {facts.free / 2**30:.1f} GiB of it free"
    print(f"memory      {facts.memory / 2**30:.1f} GiB{free}")
    print(f"capability  {'.'.join(map(str, facts.capability))}")
    driver = facts.driver or "of unknown version"
    print(f"driver      {driver}, for CUDA up to {facts.driver_cuda}")
    print(f"CuPy        {facts.cupy}")
    print(f"CUDA        {facts.cuda}, CuPy's own runtime")
    for name, can, yes, needs in (
        ("TF32", facts.tf32, "tf32, or MINIRES_TF32=1", "capability 8.0"),
        ("float16", facts.float16, "float16", "capability 7.0"),
        ("bfloat16", facts.bfloat16, "bfloat16", "capability 8.0, CuPy 14 and ml_dtypes"),
    ):
        answer = f"yes: minires train --precision {yes}" if can else f"no: it needs {needs}"
        print(f"{name:10}  {answer}")
