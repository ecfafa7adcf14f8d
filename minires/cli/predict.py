"""minires evaluate, predict and export: use a trained model."""

import math
from pathlib import Path
from statistics import median

from minires import backend, data, shards, show
from minires import export as onnx
from minires import functional as F
from minires.cli import gpu, ranks, settings
from minires.cli.options import Options, typed
from minires.cli.watchdog import watching
from minires.cli.weights import trained
from minires.tensor import Tensor, no_grad


def evaluate(arguments):
    """Run the command: print loss and accuracy on a part of the data."""
    given, group = _use_backend(arguments), arguments.group
    config, model, facts = ranks.first(group, lambda: trained(arguments))
    if "data" not in config:
        raise ValueError("expected a dataset, such as --data cifar10 or --data folder:PATH")
    config = {**config, **settings.resizing(facts)}
    if arguments.part != "train":  # the test set is the same, whatever is held out
        held_out = config.get("validation", settings.HELD_OUT)
        config["validation"] = held_out if arguments.part == "validation" else 0
    shape = facts["size"][:2] if "size" in facts else None
    options = Options.from_config(config)
    datasets = ranks.host_first(group, lambda: settings.datasets(options, shape, mixed_size=None))
    part = dict(zip(("train", "validation", "test"), datasets))[arguments.part]
    if part is None:
        raise ValueError(f"{config['data']} has no {arguments.part} set here")
    _check_classes(part, facts, model)
    part.normalise(mean=facts.get("mean"), std=facts.get("std"))
    if "mean" not in facts or "std" not in facts:
        print(
            "the weights do not say how images are normalised: "
            "using the mean and std of these images (or --mean and --std)"
        )
    gpu.announce_kernels("the first batch")
    ranks.compare(group, {"images": part.fingerprint()}, ranks.refuse)
    with watching(group, given.get("timeout", Options.timeout)):
        result = shards.evaluate(model, part, 250, group)
    if not math.isfinite(result.loss):
        raise ValueError(f"the loss on {part.name} is {result.loss}: not all logits are finite")
    if arguments.pictures and group.rank == 0:
        _draw(model, part, facts, Path(arguments.pictures))
    print(f"{arguments.part} part of {part.name}: {_with_count(result)}")
    if given.get("test_flips"):
        mirrored = shards.evaluate(model, part, 250, group, flips=True)
        print(f"each image also mirrored: {_with_count(mirrored)}")
    if part.source:
        print(part.source)


def _with_count(score):
    return f"{score} ({score.correct:,} of {score.count:,})"


WORST = 12  # mistakes that are drawn


def _draw(model, part, facts, folder):
    """Draw which classes a model confuses, its most confident mistakes, and its first filters."""
    probabilities = _probabilities(model, data.batches(part, 250))
    labels, guesses = part.labels, probabilities.argmax(axis=1)
    classes = facts.get("classes") or part.classes
    pictures = {"confusion": show.confusion(labels, guesses, classes)}
    wrong = (guesses != labels).nonzero()[0]
    worst = sorted(wrong.tolist(), key=lambda i: -probabilities[i, guesses[i]])[:WORST]
    if worst:
        pictures["mistakes"] = show.predictions(
            part.images[worst],
            probabilities[worst],
            classes,
            top=3,
            titles=[f"{classes[labels[i]]}, number {i}" for i in worst],
            labels=labels[worst],
            columns=3,
            max_value=part.max_value,
        )
    weight = next(parameter for parameter in model.parameters() if parameter.ndim == 4)
    if weight.shape[2] in (1, 3):
        pictures["filters"] = show.filters(weight)
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
    print(f"pictures in {folder}: {', '.join(f'{name}.png' for name in pictures)}")


def _probabilities(model, batches):
    """Return the probabilities (N, K), on the host, in evaluation mode."""
    model.eval()
    with no_grad():
        found = [F.softmax(model(Tensor(x))).data for x, _ in batches]
        return backend.to_host(backend.xp.concatenate(found))


def predict(arguments):
    """Run the command: print the most likely classes of each image."""
    _use_backend(arguments)
    if arguments.top < 1:
        raise ValueError(f"--top is {arguments.top}, expected at least 1")
    _, model, facts = trained(arguments)
    missing = [f"--{name}" for name in ("size", "mean", "std") if name not in facts]
    if missing:
        raise ValueError(
            f"the weights do not say how images are prepared: add {', '.join(missing)}"
        )
    h, w, c = facts["size"]
    resizing = settings.resizing(facts)
    images = [
        data.load_image(path, size=(h, w), channels=c, **resizing) for path in arguments.images
    ]
    for path, image in zip(arguments.images, images):
        rgb = data.load_image(path, size=(h, w), **resizing) if c == 1 else image
        _compare(path, rgb, c, facts["mean"])
    mean, std = facts["mean"], facts["std"]
    dataset = data.Dataset(images, [0] * len(images), ["unknown"], mean=mean, std=std)
    gpu.announce_kernels("the first batch")
    probabilities = _probabilities(model, data.batches(dataset, 64))
    classes = probabilities.shape[1]
    names = facts.get("classes") or [f"class {k}" for k in range(classes)]
    if len(names) != classes:
        raise ValueError(
            f"the network has {classes} classes, "
            f"expected as many names, got {len(names)}: {', '.join(names)}"
        )
    for path, row in zip(arguments.images, probabilities):
        if math.isnan(row.sum()):
            raise ValueError(f"{path}: the logits are not finite")
        best = sorted(range(classes), key=lambda k: -row[k])[: arguments.top]
        print(f"{path}: " + ", ".join(f"{names[k]} {100 * row[k]:.1f} %" for k in best))
    if arguments.picture:
        picture = show.predictions(dataset.images, probabilities, names, top=arguments.top)
        picture.save(arguments.picture)
        print(f"picture in {arguments.picture}")


COLOURFUL = 20  # of 255: channels of a grey image differ by less, even in a JPEG
DARK, LIGHT = 1 / 3, 2 / 3  # of white


def _compare(path, rgb, channels, mean):
    """Print a line if an image is unlike the training images: in colour where they are grey, or with a different background.

    rgb  uint8 (H, W, 3)    channels  of the network's input    mean  of each channel of the training images, from 0 to 1
    """
    if channels == 1 and (rgb.max(axis=2) - rgb.min(axis=2)).max() > COLOURFUL:
        print(f"{path} is in colour, but the network sees it in grey")
    edges = (rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1])
    frame = [value for edge in edges for value in edge.ravel().tolist()]
    background, usual = median(frame) / 255, sum(mean) / len(mean)
    if (usual < DARK and background > LIGHT) or (usual > LIGHT and background < DARK):
        here, there = ("light", "dark") if background > LIGHT else ("dark", "light")
        print(
            f"{path} has a {here} background, but the training images are mostly {there}: "
            "if it shows the same kind of thing, invert its colours"
        )


def export(arguments):
    """Run the command: write a trained model as an ONNX file."""
    _use_backend(arguments)
    config, model, facts = trained(arguments)
    if "size" not in facts:
        raise ValueError("the weights do not say how large an image is: add --size")
    path = Path(arguments.to or f"{config.get('model', facts['model'])}.onnx")
    known = {name: list(facts[name]) for name in ("classes", "mean", "std") if name in facts}
    onnx.export(model, path, tuple(facts["size"]), **known)
    h, w, c = facts["size"]
    print(
        f"{path}: from images (N, {c}, {h}, {w}), each channel normalised by mean and std, "
        f"to logits (N, {model.fc.weight.shape[1]})"
    )


def _check_classes(part, facts, model):
    known, outputs = facts.get("classes"), model.fc.weight.shape[1]
    classes = ", ".join(part.classes)
    if known and list(known) != list(part.classes):
        raise ValueError(
            f"the network has the classes {', '.join(known)}, the images have {classes}"
        )
    if outputs != len(part.classes):
        raise ValueError(
            f"the network has {outputs} classes, the images have {len(part.classes)}: {classes}"
        )


def _use_backend(arguments):
    """Use the backend that was typed, if any. Return the typed options."""
    given = typed(arguments)
    if "backend" in given:
        backend.use(given["backend"])
    return given
