"""From the words of a command to what they name: datasets, a model, an optimizer, a schedule, augmentation."""

from contextlib import nullcontext

from minires import backend, data, models, names, nn, optim

SETS = ("digits", "cifar10", "cifar100", "folder:PATH")

# The options that say which data and which model, and how it is trained.
SAID = tuple("data data_dir data_label source validation size mean std model shortcut stem preactivation".split())
TRAINED = tuple(
    "epochs batch_size lr schedule warmup milestones optimizer momentum nesterov weight_decay label_smoothing augment drop_last "
    "seed precision whiten dirac bias_lr freeze_scales average test_flips weights num_classes freeze lr_times backend watch".split()
)
KNOWN = (*SAID, *TRAINED)

# What `minires train` does with a set of images where nothing else is said.
SMALL = {"model": "resnet20", "epochs": 30, "batch_size": 64, "lr": 0.05, "schedule": "cosine", "warmup": 0.1, "weight_decay": 1e-3,
         "label_smoothing": 0.0, "augment": "crop=1", "drop_last": False}  # fmt: skip
LARGE = {"model": "resnet20", "epochs": 10, "batch_size": 128, "lr": 0.4, "schedule": "triangle", "warmup": 0.25,
         "weight_decay": 5e-4, "label_smoothing": 0.1, "augment": "crop=4,flip", "drop_last": True}  # fmt: skip
PHOTOS = {**SMALL, "augment": "crop=4,flip", "weight_decay": 5e-4}
ALWAYS = {"data": "digits", "optimizer": "sgd", "momentum": 0.9, "nesterov": True, "milestones": [0.5, 0.75], "validation": 0.1,
          "seed": 0, "precision": "float32"}  # fmt: skip


PACKAGED = ("data_dir", "data_label", "source", "size", "validation")  # mean nothing for the digits, which lie in the package


def defaults(name):
    """The settings for a set of images."""
    kind = name.partition(":")[0]
    return meant_for(name, {**ALWAYS, **{"digits": SMALL, "folder": PHOTOS}.get(kind, LARGE)})


def meant_for(name, config):
    """The settings that mean something for a set of images."""
    return {key: value for key, value in config.items() if name != "digits" or key not in PACKAGED}


def merged(given, written):
    """The settings that are given, else those that a recipe has written down, else what suits the data."""
    which = {**written, **given}.get("data", ALWAYS["data"])
    return {**defaults(which), **meant_for(which, written), **given}


def check(config):
    """Refuse numbers out of range that would be seen only when training has begun.

    Raises  ValueError.
    """
    odd = [f"--{name.replace('_', '-')}" for name in PACKAGED if config.get(name) is not None and config["data"] == "digits"]
    if odd:
        raise ValueError(f"the digits lie in the package and are split once for all: {', '.join(odd)} means nothing for them")
    if config["epochs"] < 1:
        raise ValueError(f"--epochs is {config['epochs']}, wanted at least 1")
    if not 0 <= config["label_smoothing"] < 1:
        raise ValueError(f"--label-smoothing is {config['label_smoothing']}, wanted 0 <= label smoothing < 1")
    if (config.get("watch") or 0) < 0:
        raise ValueError(f"--watch is {config['watch']}, wanted a number of steps, or 0 for none")
    for name, least in (("average", 0), ("bias_lr", 0)):
        if not (config.get(name) or 0) >= least:
            raise ValueError(f"--{name.replace('_', '-')} is {config[name]}, wanted {least} or more")
    if not all(0 < share < 1 for share in config["milestones"]):
        raise ValueError(f"--milestones are {config['milestones']}, wanted shares of the training, such as 0.5 0.75")
    if config["schedule"] == "triangle" and not config["warmup"]:
        raise ValueError("--warmup is 0: a triangle rises for a share of the training above 0")


def datasets(config):
    """(train, validation, test) as `config` names them; validation is None where none is held out.

    Raises  ValueError: an unknown set. Whatever the reader raises.
    """
    kind, _, path = config["data"].partition(":")
    names.check("data", kind if path else config["data"], [name.partition(":")[0] if path else name for name in SETS])
    mean_std = {key: config[key] for key in ("mean", "std") if config.get(key) is not None}
    if kind == "digits":
        parts = data.digits()
    elif kind == "folder":
        parts = data.folder(path, size=config.get("size"), **resizing(config))
    else:
        read = {"cifar10": data.cifar10, "cifar100": data.cifar100}[kind]
        train, test = read(data_dir=config.get("data_dir"), sources=config.get("source") or (), label=config.get("data_label"))
        parts = train, None, test
    train, validation, test = parts
    if validation is None and train is not None:
        train, validation = data.held_out(train, config.get("validation", 0))
    for part in filter(None, (train, validation, test)):
        part.normalise(**mean_std)
    return train, validation, test


def resizing(known):
    """How photos are resized beside their size, as settings or facts say: options of data.load_image."""
    return {name: known[name] for name in ("resize", "interpolation") if known.get(name) is not None}


def model(config, *, num_classes, in_channels):
    """The model of `config`, and the options that it was built with."""
    options = {"num_classes": num_classes, "in_channels": in_channels}
    options.update((key, config[key]) for key in ("shortcut", "stem", "preactivation", "dirac") if config.get(key) is not None)
    return models.build(config["model"], **options), options


def optimizer(config, model):
    """The optimizer of `config`. With freeze_scales batch norms keep theirs; their shifts learn `bias_lr` times as fast, which does
    not change their decay; and what lr_times names ("layer1=0.1") so many times as fast.

    Raises  ValueError: names or numbers that are none.
    """
    norms = [module for _, module in model.modules() if isinstance(module, nn.BatchNorm)]
    for norm in norms if config.get("freeze_scales") else ():
        norm.weight.requires_grad = False
    shifts, groups = {id(norm.bias) for norm in norms}, {}
    times = dict(_times(word, model) for word in config.get("lr_times") or ())
    for name, parameter in model.named_parameters():
        bias = (config.get("bias_lr") or 1) if id(parameter) in shifts else 1
        named = max((part for part in times if f"{name}.".startswith(f"{part}.")), key=len, default=None)  # the nearest
        groups.setdefault((bias * times.get(named, 1), bias), []).append(parameter)
    parameters = [{"params": params, "lr": factor * config["lr"], "weight_decay": config["weight_decay"] / bias}
                  for (factor, bias), params in groups.items()]  # fmt: skip
    name = names.check("optimizer", config["optimizer"], ("sgd", "adam", "adamw"))
    options = {"lr": config["lr"], "weight_decay": config["weight_decay"]}
    if name == "sgd":
        nesterov = bool(config["nesterov"] and config["momentum"])
        return optim.SGD(parameters, momentum=config["momentum"], nesterov=nesterov, **options)
    return {"adam": optim.Adam, "adamw": optim.AdamW}[name](parameters, **options)


def _times(word, model):
    """("layer1", 0.1) of "layer1=0.1"."""
    part, _, text = word.partition("=")
    known = [name for name, _ in model.modules() if name]
    names.check("part of the net in --lr-times:", part, known, listed=[name for name in known if "." not in name])
    try:
        times = float(text)
    except ValueError:
        times = 0
    if not times > 0:
        raise ValueError(f"--lr-times {word}: wanted NAME=TIMES with a number above 0; --freeze keeps a part as it is")
    return part, times


PRECISIONS = ("float32", "tf32", *backend.HALVES)


def precision(config):
    """A context in which arithmetic is as exact as `config` says; runs of before it was asked are of float32."""
    name = names.check("precision", config.get("precision", "float32"), PRECISIONS)
    if name == "tf32":
        return backend.using_tf32()
    return backend.using_mixed(name) if name in backend.HALVES else nullcontext()


def scaler(config):
    """What scales the loss, where the type needs it; or None."""
    return optim.GradScaler() if config.get("precision") == "float16" else None


def average(config, model, steps):
    """What averages the weights every so many steps; or None."""
    return optim.Lookahead(model, steps=steps, every=config["average"]) if config.get("average") else None


def schedule(config, steps):
    """The learning rate as a function of the step. `warmup` is the share of all steps in which it rises."""
    name = names.check("schedule", config["schedule"], ("constant", "step", "cosine", "triangle"))
    lr, warmup = config["lr"], config["warmup"]
    if not 0 <= warmup < 1:
        raise ValueError(f"--warmup is {warmup}, wanted a share of the training: 0 <= warmup < 1")
    if name == "triangle":
        return optim.triangle(lr, steps=steps, peak=warmup, start=0.05)
    options = {"warmup": int(warmup * steps)}
    if name == "cosine":
        options["steps"] = steps
    if name == "step":
        options["milestones"] = [share * steps for share in config["milestones"]]
    return getattr(optim, name)(lr, **options)


def augmentation(text):
    """Options of data.batches from words such as "crop=4,flip,cutout=8", "flip=alternating" or "none".

    Raises  ValueError: an unknown word, or a number that is none.
    """
    options = {}
    for word in text.split(",") if text != "none" else ():
        name, given, value = word.strip().partition("=")
        names.check("augmentation", name, ("crop", "flip", "cutout"))
        if name == "flip":
            options[name] = value or True
        elif value.isascii() and value.isdigit():
            options[name] = int(value)
        else:
            raise ValueError(f"--augment: {word!r}, wanted {name}=PIXELS")
    return options
