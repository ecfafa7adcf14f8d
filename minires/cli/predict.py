"""minires evaluate, predict and export: a trained net at work."""

from pathlib import Path

from minires import backend, data, show
from minires import export as onnx
from minires import functional as F
from minires.cli import settings
from minires.cli.weights import trained
from minires.tensor import Tensor, no_grad
from minires.train import evaluate as score


def evaluate(options):
    """Run the command: loss and accuracy on a part of the data."""
    _use_backend(options)
    config, model, facts = trained(options)
    if "data" not in config:
        raise ValueError("which images? --data says it, such as --data cifar10 or --data folder:PATH")
    shape = {"size": facts["size"][:2]} if "size" in facts else {}
    config = {"validation": settings.ALWAYS["validation"], **config, **shape, **settings.resizing(facts)}
    parts = dict(zip(("train", "validation", "test"), settings.datasets(config)))
    part = parts[options.part]
    if part is None:
        raise ValueError(f"{config['data']} has no {options.part} part here")
    _check_classes(part, facts, model)
    part.normalise(mean=facts.get("mean"), std=facts.get("std"))
    if "mean" not in facts or "std" not in facts:
        print("the weights do not say how an image is prepared: by mean and std of these images (--mean, --std give others)")
    result = score(model, data.batches(part, 250))
    if options.pictures:
        _draw(model, part, facts, Path(options.pictures))
    print(f"{options.part} part of {part.name}: {result} ({result.hits:,} of {result.images:,})")
    if options.test_flips:
        both = score(model, data.batches(part, 250), flips=True)
        print(f"each image also mirrored: {both} ({both.hits:,} of {both.images:,})")
    if part.source:
        print(part.source)


WORST = 12  # mistakes that are drawn


def _draw(model, part, facts, folder):
    """Pictures of what the net makes of a part: which class it takes for which, its worst mistakes, its first filters."""
    chances = _probabilities(model, data.batches(part, 250))
    labels, guesses = part.labels, chances.argmax(axis=1)
    classes = facts.get("classes") or part.classes
    pictures = {"confusion": show.confusion(labels, guesses, classes)}
    wrong = (guesses != labels).nonzero()[0]
    worst = sorted(wrong.tolist(), key=lambda i: -chances[i, guesses[i]])[:WORST]  # the surest of them
    if worst:
        named = [f"{classes[labels[i]]}, number {i}" for i in worst]
        pictures["mistakes"] = show.predictions(part.images[worst], chances[worst], classes, top=3, titles=named,
                                                labels=labels[worst], columns=3, max_value=part.max_value)  # fmt: skip
    weight = next(parameter for parameter in model.parameters() if parameter.ndim == 4)
    if weight.shape[2] in (1, 3):
        pictures["filters"] = show.filters(weight)
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
    print(f"pictures in {folder}: {', '.join(f'{name}.png' for name in pictures)}")


def _probabilities(model, batches):
    """(N, K), on the host, in evaluation mode."""
    model.eval()
    with no_grad():
        return backend.to_host(backend.xp.concatenate([F.softmax(model(Tensor(x))).data for x, _ in batches]))


def predict(options):
    """Run the command: the likeliest classes of each image."""
    _use_backend(options)
    if options.top < 1:
        raise ValueError(f"--top is {options.top}, wanted at least 1")
    _, model, facts = trained(options)
    missing = [f"--{name}" for name in ("size", "mean", "std") if name not in facts]
    if missing:
        raise ValueError(f"the weights do not say how an image is prepared: give {', '.join(missing)}")
    h, w, c = facts["size"]
    images = [data.load_image(path, size=(h, w), channels=c, **settings.resizing(facts)) for path in options.images]
    dataset = data.Dataset(images, [0] * len(images), ["unknown"], mean=facts["mean"], std=facts["std"])
    probabilities = _probabilities(model, data.batches(dataset, 64))
    names = facts.get("classes") or [f"class {k}" for k in range(probabilities.shape[1])]
    if len(names) != probabilities.shape[1]:
        raise ValueError(
            f"the net tells {probabilities.shape[1]} classes apart, there are {len(names)} names: {', '.join(names)}"
        )
    for path, row in zip(options.images, probabilities):
        best = sorted(range(len(names)), key=lambda k: -row[k])[: options.top]
        print(f"{path}: " + ", ".join(f"{names[k]} {100 * row[k]:.1f} %" for k in best))
    if options.picture:
        show.predictions(dataset.images, probabilities, names, top=options.top).save(options.picture)
        print(f"picture in {options.picture}")


def export(options):
    """Run the command: a trained net as a file of ONNX."""
    _use_backend(options)
    config, model, facts = trained(options)
    if "size" not in facts:
        raise ValueError("the weights do not say how large an image is: give --size")
    path = Path(options.to or f"{config.get('model', facts['model'])}.onnx")
    told = {name: list(facts[name]) for name in ("classes", "mean", "std") if name in facts}
    onnx.export(model, path, tuple(facts["size"]), **told)
    h, w, c = facts["size"]
    print(f"{path}: images (N, {c}, {h}, {w}) in, each channel normalised by mean and std, to logits (N, {model.fc.weight.shape[1]})")


def _check_classes(part, facts, model):
    known, outputs = facts.get("classes"), model.fc.weight.shape[1]
    if known and list(known) != list(part.classes):
        raise ValueError(f"the net knows the classes {', '.join(known)}; the images have {', '.join(part.classes)}")
    if outputs != len(part.classes):
        raise ValueError(
            f"the net tells {outputs} classes apart; the images have {len(part.classes)}: {', '.join(part.classes)}"
        )


def _use_backend(options):
    if options.backend:
        backend.use(options.backend)
