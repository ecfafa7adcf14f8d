"""The options of a run, one field each, for the parser, config files, recipes and cards.

To add an option to `minires train`, add a field with its type, default, help and the rest of About.
"""

# ruff: noqa: RUF009  (the calls in the dataclass create its fields)

import os
from dataclasses import dataclass, fields

from minires import __version__, models, names
from minires.cli import about, records
from minires.cli.about import BELOW_1, FROM_0, last_part, option

WEIGHTS = "a safetensors or PyTorch file (.pth), a run, or a published name, e.g. resnet50.tv_in1k"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a run. None means not given.

    Raises  ValueError: a value of the wrong type, or out of range.
    """

    recipe: str | None = option(
        "settings with a name, such as resnet18-fast, or in a file of your own, FILE.toml; "
        "options override them",
        metavar="NAME",
        recipe=False,
        public=last_part,
        absolute=about.change_file(os.path.abspath),
    )

    data: str = about.images(
        "digits, shapes, cifar10, cifar100, or folder:PATH with images sorted by class",
        default="digits",
        on=("train", "evaluate"),
        metavar="SET",
        resume=True,
        public=about.change_path(last_part),
        absolute=about.change_path(os.path.abspath),
    )
    data_dir: str | None = about.data(
        "read CIFAR from this folder, unpacked or as an archive, instead of downloading it",
        metavar="DIR",
        resume=True,
        public=lambda _: None,
        absolute=os.path.abspath,
    )
    data_label: str | None = about.data(
        "name of data that differs from the published files", metavar="TEXT", result=False
    )
    source: list[str] | None = about.data(
        "download CIFAR's archive from here first; then come mirrors (of CIFAR-10: Google, BrainChip), "
        "then the University of Toronto",
        metavar="URL",
        append=True,
        resume=True,
        public=lambda _: None,
    )
    train_images: int | None = about.data(
        "train on this many of the training images, drawn at random, the same for each seed",
        metavar="N",
        valid=about.FROM_1,
    )
    validation: float | None = about.data(
        "fraction of the training images that is held out (default: 0.1)",
        metavar="FRACTION",
        valid=BELOW_1,
    )
    size: int | None = about.images(
        "height and width to which images are resized and cropped",
        metavar="PIXELS",
        valid=about.FROM_1,
        digits=False,
    )
    mean: list[float] | None = about.images(
        "mean of each channel, from 0 to 1 (default: that of the training images)"
    )
    std: list[float] | None = about.images(
        "standard deviation of each channel (default: that of the training images)"
    )

    model: str | None = about.model(
        f"one of {', '.join(models.MODELS)}", metavar="NAME", on=about.LOAD
    )
    shortcut: str | None = about.model("A, B or none (default: the model's)")
    stem: str | None = about.model("cifar or imagenet (default: cifar)")
    preactivation: bool | None = about.model(
        "use pre-activation blocks (He et al. 2016)", negatable=False
    )

    epochs: int | None = about.training(
        "number of epochs; with --resume, the run's new total, over which its schedule is stretched",
        metavar="N",
        valid=about.FROM_1,
        resume=True,
    )
    batch_size: int | None = about.training("images per step", metavar="N", valid=about.FROM_1)
    lr: float | None = about.training("largest learning rate", valid=about.ABOVE_0)
    schedule: str | None = about.training(
        "constant, step, cosine or triangle",
        metavar="NAME",
        choices=("constant", "step", "cosine", "triangle"),
    )
    warmup: float | None = about.training(
        "fraction of the steps over which the learning rate rises",
        metavar="FRACTION",
        valid=BELOW_1,
    )
    milestones: list[float] = about.training(
        "for the step schedule: fractions of the steps after which the learning rate is divided by 10",
        default=[0.5, 0.75],
        metavar="FRACTION",
        valid=about.FRACTIONS,
    )
    optimizer: str = about.training(
        "sgd, adam or adamw (default: sgd)",
        default="sgd",
        metavar="NAME",
        choices=("sgd", "adam", "adamw"),
    )
    momentum: float = about.training("momentum of SGD (default: 0.9)", default=0.9, valid=BELOW_1)
    nesterov: bool = about.training("use Nesterov momentum (default: yes)", default=True)
    weight_decay: float | None = about.training("weight decay", valid=FROM_0)
    label_smoothing: float | None = about.training("label smoothing", valid=BELOW_1)
    augment: str | None = about.training(
        "data augmentation, e.g. crop=4,flip,cutout=8 or flip=alternating; or none", metavar="WORDS"
    )
    drop_last: bool | None = about.training("drop the last batch of an epoch if it is not full")
    shards: int = about.training(
        "cut each batch into this many shards, which processes share out (default: 1)",
        default=1,
        metavar="V",
        valid=about.POWER_OF_2,
    )
    sync_batch_norm: bool | None = about.training(
        "synchronise batch norm over processes, instead of --shards", negatable=False
    )
    seed: int = about.training(
        "seed of initialisation, shuffling and augmentation (default: 0)",
        default=0,
        valid=FROM_0,
        result=False,
        card="seed",
    )
    precision: str = about.training(
        "float32, tf32 (needs a GPU), or mixed precision with bfloat16 or float16 (default: float32)",
        default="float32",
        metavar="NAME",
        choices=("float32", "tf32", "bfloat16", "float16"),
    )
    whiten: bool | None = about.training(
        "compute a whitening first convolution from the images, and freeze it (resnet8)"
    )
    dirac: bool | None = about.training("initialise convolutions as the identity (resnet8)")
    zero_init_residual: bool | None = about.training(
        "start each residual block as its shortcut (all but resnet8)"
    )
    bias_lr: float | None = about.training(
        "learning-rate multiplier of batch-norm biases", metavar="FACTOR", valid=FROM_0
    )
    freeze_scales: bool | None = about.training("freeze batch-norm weights")
    average: int | None = about.training(
        "average the weights (Lookahead) every STEPS steps; 0 for never",
        metavar="STEPS",
        valid=FROM_0,
    )
    test_flips: bool | None = about.training(
        "test again, with each image's logits averaged with those of its mirror image",
        on=("train", "evaluate"),
    )

    weights: str | None = about.tuning(
        f"start from these weights: {WEIGHTS}; for other classes, the last layer is new",
        on=about.LOAD,
        metavar="FILE",
        card="weights at the start",
        public=last_part,
    )
    num_classes: int | None = about.tuning(
        "refuse images with a different number of classes", metavar="K", valid=about.FROM_1
    )
    freeze: str | None = about.tuning(
        "layers to freeze, e.g. until:layer4 (all before it), until:fc, or conv1,bn1,layer1",
        on=("train", "summary"),
        metavar="PARTS",
        card="frozen",
    )
    lr_times: list[str] | None = about.tuning(
        "learning-rate multipliers of layers, e.g. layer3=0.1", metavar="PART=FACTOR"
    )
    backend: str | None = about.run(
        "numpy, cupy, auto or strict (default: MINIRES_BACKEND, or numpy)", on=about.LOAD
    )
    cuda_graph: bool | None = about.run("on a GPU, launch each training step as one CUDA graph")
    log: list[str] | None = about.run(
        "write the losses for other programs: jsonl (JSON lines) or tensorboard; may be repeated",
        metavar="FORMAT",
        append=True,
        choices=records.FORMATS,
    )
    watch: int | None = about.run(
        "record and draw each layer's activations and gradients every STEPS steps "
        "(default: 20; 0 for never)",
        metavar="STEPS",
        const=20,
        valid=about.FROM_0,
    )
    keep_epochs: bool | None = about.run(
        "keep the checkpoints of the start, of each epoch, and of ten steps before the end"
    )

    name: str | None = about.command(
        "save the run in runs/NAME (default: named after data and model)",
        resume=False,
        valid=about.NAME,
    )
    resume: str | None = about.command(
        "resume a stopped or killed run, by its name or folder; with --epochs, train it longer",
        metavar="RUN",
    )
    save_every: float = about.command(
        "seconds between checkpoints (default: 30)",
        default=30,
        metavar="SECONDS",
        valid=about.SECONDS,
    )
    engine: str | None = about.run(
        "how processes add up gradients: mpi, or nccl between GPUs (default: nccl if each has a GPU)",
        metavar="NAME",
        choices=("mpi", "nccl"),
    )
    timeout: float = about.command(
        "of several processes: end all if one stands still for this long (default: 600)",
        default=600,
        on=("train", "evaluate"),
        metavar="SECONDS",
        valid=about.ABOVE_0,
    )
    mine: bool | None = about.run(
        "train on your solved exercises, keep a copy of them, and report whose code ran",
        recipe=False,
        negatable=False,
    )

    resize: int | None = about.noted("the shorter side of photos before the crop")
    interpolation: str | None = about.noted("how photos are resized")
    minires: str = about.noted("the version that began the run", default=__version__)
    fingerprint: str | None = about.noted("of the images")

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                about.check(field, value)

    @classmethod
    def from_config(cls, config, **changes):
        """Return the options in a run's config file, with changes.

        Raises  ValueError: an unknown setting.
        """
        for name in config:
            names.check("setting of a run", name, SAVED)
        return cls(**{**config, **changes})

    def to_config(self):
        """Return the contents of a run's config file: name -> value of the options given, with absolute paths."""
        values = {name: getattr(self, name) for name in SAVED}
        return {
            name: ABOUT[name].absolute(value) if ABOUT[name].absolute else value
            for name, value in values.items()
            if value is not None
        }

    def public(self):
        """Return the same without paths and sources of data, which mean something only on this machine."""
        shown = {
            name: ABOUT[name].public(value) if ABOUT[name].public else value
            for name, value in self.to_config().items()
        }
        return {name: value for name, value in shown.items() if value is not None}

    def card_rows(self):
        """Return the options that have a row in the run's card: label -> value."""
        return {
            ABOUT[name].card: value for name, value in self.public().items() if ABOUT[name].card
        }


ABOUT = {field.name: field.metadata["about"] for field in fields(Options)}
SAVED = [name for name, about in ABOUT.items() if about.saved]
RECIPE = [name for name, about in ABOUT.items() if about.recipe]  # those that a recipe may set


def typed(arguments):
    """Return the options that were typed, from the result of argparse: name -> value."""
    return {name: value for name, value in vars(arguments).items() if name in ABOUT}
