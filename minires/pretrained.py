"""Published weights and weights in files, with the facts that are needed to use them.

Names are those of timm (tv: torchvision's). The names of these files contain the beginning of their SHA-256, which is checked.
Licences  torchvision BSD-3-Clause; timm Apache-2.0; akamaster/pytorch_resnet_cifar10 BSD-2-Clause. What ImageNet's own terms
mean for networks that were trained on it is for you to judge.
"""

from pathlib import Path

from minires import checkpoint, models, names
from minires.data import CLASSES
from minires.data.download import fetch
from minires.data.imagenet import PREPARED

__all__ = ["PUBLISHED", "read"]

TORCHVISION = "https://download.pytorch.org/models/"
TIMM = "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/"
CIFAR = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/"
WIDER = {"resize": 232}  # for torchvision's second set of weights
SMOOTH = {"interpolation": "bicubic"}
IMAGENET = {"classes": list(CLASSES["imagenet"]), **PREPARED}
CIFAR10 = {
    "classes": list(CLASSES["cifar10"]),
    "size": [32, 32, 3],
    "mean": PREPARED["mean"],
    "std": PREPARED["std"],
}

SUFFIXES = (".safetensors", *checkpoint.TORCH_SUFFIXES)

PUBLISHED = {  # name -> address, and facts
    **{f"{name}.tv_in1k": (f"{TORCHVISION}{name}-{digits}.pth", IMAGENET) for name, digits in (
        ("resnet18", "f37072fd"), ("resnet34", "b627a593"), ("resnet50", "0676ba61"), ("resnet101", "63fe2227"), ("resnet152", "394f9c45"))},
    **{f"{name}.tv2_in1k": (f"{TORCHVISION}{name}-{digits}.pth", {**IMAGENET, **WIDER}) for name, digits in (
        ("resnet50", "11ad3fa6"), ("resnet101", "cd907fc2"), ("resnet152", "f82ba261"))},
    **{f"{name}.a1_in1k": (f"{TIMM}{name}_a1_0-{digits}.pth", {**IMAGENET, **SMOOTH}) for name, digits in (
        ("resnet18", "d63eafa0"), ("resnet34", "46f8f793"), ("resnet50", "14fe96d1"), ("resnet101", "cdcb52a9"), ("resnet152", "2eee8a7a"))},
    **{f"{name}.cifar10": (f"{CIFAR}{name}-{digits}.th", CIFAR10) for name, digits in (
        ("resnet20", "12fca82f"), ("resnet32", "d509ac18"), ("resnet44", "014dd654"), ("resnet56", "4bfd9763"), ("resnet110", "1d1ed7c2"))},
}  # fmt: skip


def read(source, tell=None):
    """Return (state, facts) of weights; facts as far as they are known: model, options, classes, size, resize, mean, std.

    source  a safetensors file, or one of PyTorch's; FILE:KEY, for one of several sets of weights in it; or a name in PUBLISHED,
            which is downloaded once, to the cache
    tell  is called with sentences about what is read from a file and what is left out

    Facts in the file take precedence. Otherwise, its shapes determine the network; one with 1,000 classes that begins with a 7x7
    convolution of three channels is assumed to be trained on ImageNet.
    Raises  ValueError: no such file, or an unknown name. CheckpointError: a damaged file. ConnectionError: the download failed.
    """
    path, key, known = *_split(source), {}
    if not path.is_file():
        _check_is_name(str(source))
        address, known = PUBLISHED[
            names.check("file, run or published name", str(source), PUBLISHED)
        ]
        file = address.rpartition("/")[2]
        digits = file.rpartition("-")[2].partition(".")[0]
        path = fetch(
            [address], {digits: file}, what="weights", otherwise="or name the file with --weights"
        )
    choice = tell and (lambda told: tell(f"{told} ({path}:KEY chooses another)"))
    state, facts = checkpoint.load_weights(path, key=key, tell=None if key else choice)
    if "model" not in facts:
        state, others = _net(state, path)
        if others and tell:
            tell(
                f"{path}: left out {len(others)} arrays that are not part of the network: {', '.join(others[:3])}"
            )
    name, options = models.infer_model(state) or (None, {})
    guessed = {"model": name, "options": options} if name else {}
    if (
        options.get("stem") == "imagenet"
        and options["in_channels"] == 3
        and options["num_classes"] == len(IMAGENET["classes"])
    ):
        guessed.update(IMAGENET)
    return state, {**guessed, **known, **facts}


def _split(source):
    """Split FILE:KEY into path and key; the key is None if there is none."""
    path, _, key = str(source).rpartition(":")
    return (
        (Path(path), key)
        if Path(path).is_file() and not Path(source).is_file()
        else (Path(source), None)
    )


def _check_is_name(source):
    """Reject a path to a file that does not exist: a list of published names would not help."""
    if Path(source).is_dir():
        raise ValueError(
            f"{source} is a folder without a run: expected a file, a run or a published name"
        )
    suffixes = {Path(part).suffix for part in (source, source.rpartition(":")[0])}
    if {"/", "\\"} & {*source} or suffixes & {*SUFFIXES}:
        raise ValueError(f"no such file: {source}")


def _net(state, path):
    try:
        return checkpoint.net_within(state)
    except ValueError as error:
        raise checkpoint.CheckpointError(
            f"{path}: {error}. Choose one with {path}:PREFIX"
        ) from None
