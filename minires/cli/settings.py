"""Datasets, a model, an optimizer and augmentation, from the options of a run."""

import math
from contextlib import nullcontext

from minires import backend, data, models, names, nn, optim
from minires.cli import records
from minires.cli.about import flag
from minires.cli.options import ABOUT, Options

HELD_OUT = 0.1  # fraction of the training images
MIXED_SIZE = 64  # pixels per side of photos that differ in size, where --size is not given
SETS = ("digits", "shapes", "cifar10", "cifar100", "folder:PATH")
# Sets that are already split, and why nothing else can be said about them.
SPLIT = {"digits": "which are in the package", "shapes": "which are drawn from seeds"}
DRAWN = {"train": (5000, 0), "validation": (500, 2), "test": (1000, 1)}  # shapes: how many, seed

# Defaults of `minires train` by dataset. Recipes and options override them.
DIGITS = {
    "model": "resnet20",
    "epochs": 30,
    "batch_size": 64,
    "lr": 0.05,
    "schedule": "cosine",
    "warmup": 0.1,
    "weight_decay": 1e-3,
    "label_smoothing": 0.0,
    "augment": "crop=1",
    "drop_last": False,
}
SHAPES = {**DIGITS, "epochs": 3, "batch_size": 50, "lr": 0.1, "schedule": "triangle", "warmup": 0.2, "weight_decay": 5e-4, "augment": "flip"}  # fmt: skip
PHOTOS = {**DIGITS, "augment": "crop=4,flip", "weight_decay": 5e-4, "validation": HELD_OUT}
CIFAR = {
    "model": "resnet20",
    "epochs": 10,
    "batch_size": 128,
    "lr": 0.4,
    "schedule": "triangle",
    "warmup": 0.25,
    "weight_decay": 5e-4,
    "label_smoothing": 0.1,
    "augment": "crop=4,flip",
    "drop_last": True,
    "validation": HELD_OUT,
}


def defaults(data):
    """Return the default options of a dataset: name -> value."""
    return {"digits": DIGITS, "shapes": SHAPES, "folder": PHOTOS}.get(data.partition(":")[0], CIFAR)


def merged(given, written):
    """Merge options into Options: those given come first, then those of a recipe, then the data's defaults."""
    name = {**written, **given}.get("data", Options.data)
    if name in SPLIT:  # a recipe for other data may be tried on them
        written = {option: value for option, value in written.items() if ABOUT[option].digits}
    return Options(**{**defaults(name), **written, **given})


def check(options):
    """Refuse options that do not go together, before any work is done.

    Raises  ValueError.
    """
    odd = [
        flag(name)
        for name, about in ABOUT.items()
        if not about.digits and getattr(options, name) is not None
    ]
    if options.data in SPLIT and odd:
        raise ValueError(
            f"{', '.join(odd)} cannot be used with the {options.data}, {SPLIT[options.data]}, already split"
        )
    if options.schedule == "triangle" and not options.warmup:
        raise ValueError("--warmup is 0, expected a fraction above 0 for the triangle schedule")
    records.check(options.log or ())
    if options.shards > 1:
        for name in ("watch", "cuda_graph", "sync_batch_norm"):
            if getattr(options, name):
                raise ValueError(
                    f"expected {flag(name)} or --shards, got both: a step on shards is several passes of the network"
                )


def check_processes(options, group, *, begun=False):
    """Refuse a number of processes that cannot share out the shards of a batch. begun  the run exists, so its shards are fixed

    Raises  ValueError.
    """
    if options.sync_batch_norm:
        return
    number = options.shards
    if number % group.size:
        told = f"{group.size} processes cannot share out {number} shard{'s' * (number > 1)} of a batch: "
        if begun:
            raise ValueError(
                f"{told}the run began with --shards {number}, so start at most {number} "
                f"process{'es' * (number > 1)}"
            )
        raise ValueError(
            f"{told}add --shards {group.size}, or a larger power of two. The number of shards changes the result, "
            "as each has its own batch-norm statistics; the number of processes doesn't"
        )


def check_backend(options, refuse):
    """Call `refuse` with a sentence if the backend in use does not support the precision, or CUDA graphs."""
    if options.precision == "tf32" and backend.name() != "cupy":
        refuse(f"--precision tf32 needs a GPU: the backend is {backend.name()}, expected cupy")
    if options.cuda_graph and not backend.on_a_gpu():
        refuse(f"--cuda-graph needs a GPU: the backend is {backend.name()}, expected cupy")


def datasets(options, size=None, mixed_size=MIXED_SIZE):
    """Return the datasets (train, validation, test); validation is None if no images are held out.

    size  (height, width) of photos, instead of the options' own    mixed_size  as in data.folder

    Raises  ValueError: an unknown dataset. Also whatever the reader raises.
    """
    kind, _, path = options.data.partition(":")
    known = [name.partition(":")[0] if path else name for name in SETS]
    names.check("data", kind if path else options.data, known)
    if kind == "digits":
        train, validation, test = data.digits()
    elif kind == "shapes":
        train, validation, test = (data.shapes(n, seed) for n, seed in DRAWN.values())
        train.source = f"drawn from seeds {', '.join(str(seed) for _, seed in DRAWN.values())}"
    elif kind == "folder":
        size = options.size if size is None else size
        resized = {"size": size, "mixed_size": mixed_size, **resizing(vars(options))}
        train, validation, test = data.folder(path, **resized)
    else:
        read = {"cifar10": data.cifar10, "cifar100": data.cifar100}[kind]
        where = {"data_dir": options.data_dir, "sources": options.source or ()}
        (train, test), validation = read(**where, label=options.data_label), None
    if validation is None and train is not None:
        try:
            train, validation = data.held_out(train, options.validation or 0)
        except ValueError as error:
            raise ValueError(f"{error}; --validation 0 holds none out") from None
    if options.train_images is not None and train is not None:
        train = train.some(options.train_images, option="--train-images")
    given = {name: getattr(options, name) for name in ("mean", "std")}
    given = {name: value for name, value in given.items() if value is not None}
    for part in filter(None, (train, validation, test)):
        part.normalise(**given)
    return train, validation, test


def resizing(known):
    """Return the other options of resizing photos (see data.load_image), from a dict."""
    return {
        name: known[name] for name in ("resize", "interpolation") if known.get(name) is not None
    }


def model(options, *, num_classes, in_channels):
    """Return the model, and the options that it was built with."""
    built = {"num_classes": num_classes, "in_channels": in_channels}
    short = options.model == "resnet8"
    for name in ("shortcut", "stem", "preactivation", "zero_init_residual", "dirac"):
        value = getattr(options, name)
        if value and (name == "dirac") != short:
            off = f" ({flag(f'no_{name}')} turns it off)" if value is True and ABOUT[name].negatable else ""  # fmt: skip
            raise ValueError(f"{flag(name)}: {options.model} has no such option{off}")
        if value is not None and (name == "dirac") == short:
            built[name] = value
    return models.build(options.model, **built), built


def optimizer(options, model, lr):
    """Return the optimizer of the parameters that are trained.

    With freeze_scales, the weights of batch norms are frozen. The learning rate of their biases is
    multiplied by bias_lr, and their weight decay is not; lr_times multiplies that of other parts
    ("layer1=0.1").

    lr  the learning rate: a number, or a schedule

    Raises  ValueError: an unknown part or a bad number in lr_times.
    """
    norms = [module for _, module in model.modules() if isinstance(module, nn.BatchNorm)]
    for norm in norms if options.freeze_scales else ():
        norm.weight.requires_grad = False
    biases, groups = {id(norm.bias) for norm in norms}, {}
    times = dict(_times(word, model) for word in options.lr_times or ())
    for name, parameter in model.named_parameters():
        bias = (options.bias_lr or 1) if id(parameter) in biases else 1
        named = [part for part in times if f"{name}.".startswith(f"{part}.")]
        nearest = max(named, key=len, default=None)
        groups.setdefault((bias * times.get(nearest, 1), bias), []).append(parameter)
    base, decay = getattr(lr, "lr", lr), options.weight_decay
    parameters = [
        {"params": params, "lr": factor * base, "weight_decay": decay / bias}
        for (factor, bias), params in groups.items()
    ]
    if options.optimizer == "sgd":
        momentum = options.momentum
        nesterov = options.nesterov and momentum > 0
        return optim.SGD(parameters, lr, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    make = {"adam": optim.Adam, "adamw": optim.AdamW}[options.optimizer]
    return make(parameters, lr, weight_decay=decay)


def trainable(options, model, lr, *, steps):
    """Return (module, optimizer) for train_epoch: the model and its optimizer, wrapped if necessary.

    lr  as in optimizer    steps  of the whole run
    """
    module, each = model, optimizer(options, model, lr)
    if options.precision == "float16":
        each = optim.GradScaler(each)
        module = Scaled(model, each)
    if options.average:
        each = optim.Lookahead(each, model, steps=steps, every=options.average)
    return module, each


class Scaled(nn.Module):
    """A model whose gradients are multiplied by the scale of a GradScaler; for float16."""

    def __init__(self, model, scaler):
        self.model, self.scaler = model, scaler

    def forward(self, x):
        return self.scaler.scale(self.model(x))


def _times(word, model):
    """Split "layer1=0.1" into ("layer1", 0.1)."""
    part, _, text = word.partition("=")
    known = [name for name, _ in model.modules() if name]
    first = [name for name in known if "." not in name]
    names.check("part of the net in --lr-times:", part, known, listed=first)
    try:
        times = float(text)
    except ValueError:
        times = 0
    if not 0 < times < math.inf:
        raise ValueError(
            f"--lr-times: expected PART=FACTOR with a number above 0, got {word!r}; "
            "--freeze keeps a part unchanged"
        )
    return part, times


def precision(options):
    """Context manager: the precision of arithmetic that the options name."""
    if options.precision == "float32":
        return nullcontext()
    return (
        backend.using_tf32() if options.precision == "tf32" else backend.autocast(options.precision)
    )


def schedule(options, steps):
    """Return the learning rate as a function of the step. steps  of the whole run"""
    lr, warmup = options.lr, int(options.warmup * steps)
    if options.schedule == "triangle":
        return optim.triangle(lr, steps=steps, peak=options.warmup, start=0.05)
    if options.schedule == "cosine":
        return optim.cosine(lr, steps=steps, warmup=warmup)
    if options.schedule == "step":
        milestones = [fraction * steps for fraction in options.milestones]
        return optim.step(lr, milestones=milestones, warmup=warmup)
    return optim.constant(lr, warmup=warmup)


def augmentation(text):
    """Return options of data.batches from words: "crop=4,flip,cutout=8", "flip=alternating" or "none".

    Raises  ValueError: an unknown word, or a missing number.
    """
    options = {}
    for word in text.split(",") if text != "none" else ():
        name, _, value = word.strip().partition("=")
        names.check("augmentation", name, ("crop", "flip", "cutout"))
        if name == "flip":
            options[name] = value or True
        elif value.isascii() and value.isdigit():
            options[name] = int(value)
        else:
            raise ValueError(f"--augment: expected {name}=PIXELS, got {word!r}")
    return options
