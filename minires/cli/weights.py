"""Weights that a command is given: of a run, a file, or by a published name; for use as they are, or to begin a training with."""

from pathlib import Path

from minires import data, models, pretrained, runs
from minires.cli import settings

VARIANTS = ("shortcut", "stem", "preactivation")


def read(source):
    """(state, facts) of a run (its name or folder), a file of weights, or a name in pretrained.PUBLISHED."""
    folder = runs.find(source)
    return runs.Run(folder).weights() if (folder / "config.json").is_file() else pretrained.read(source)


def trained(options):
    """(config, model, facts) of a run or of weights, with what the options say in place of what is saved."""
    given = {key: value for key in settings.SAID if (value := getattr(options, key, None)) is not None}
    config = {}
    if options.weights and options.trained:
        raise ValueError(f"a run, {options.trained}, and --weights {options.weights}: which of them?")
    if options.weights:
        path = options.weights
        state, facts = read(path)
    else:
        run = runs.Run(runs.find(options.trained) if options.trained else runs.newest())
        config, path = run.config, run.folder
        state, facts = run.weights()
        print(f"the net of {path}")
    facts = {**facts, **{key: given[key] for key in ("mean", "std", "model") if key in given}}
    if getattr(options, "classes", None):
        facts["classes"] = data.CLASSES.get(options.classes) or options.classes.split(",")
    if "size" in given:
        facts["size"] = [given["size"], given["size"], facts.get("size", (0, 0, 3))[2]]
        facts.pop("resize", None)
    model = built(path, state, facts, {key: given[key] for key in VARIANTS if key in given})
    return {**config, **given}, model, facts


def built(path, state, facts, variants=None):
    """The model that a state is of, with it. variants  options in place of those among the facts

    Raises  ValueError: the facts name no model, or the state does not fit it.
    """
    if "model" not in facts:
        raise ValueError(f"{path} does not say of which model it is: --model does, such as --model resnet20 --shortcut A")
    options = {**facts.get("options", {}), **(variants or {})}
    if "fc.weight" in state and "conv1.weight" in state:
        options.update(num_classes=state["fc.weight"].shape[1], in_channels=state["conv1.weight"].shape[2])
    model = models.build(facts["model"], **options)
    try:
        model.load_state_dict(state)
    except ValueError as error:
        raise ValueError(
            f"{path} does not fit {facts['model']} {options} (--model, --shortcut and --stem choose another): {error}"
        ) from None
    return model


def settings_of(facts, given):
    """The settings of a training that weights decide: their model, and how images are prepared; where nothing else is given."""
    options = facts.get("options", {})
    found = {"model": facts.get("model"), **{name: options.get(name) for name in VARIANTS}}
    found.update({name: facts.get(name) for name in ("mean", "std")})
    if given.get("data", "").startswith("folder:") and "size" not in given and "size" in facts:
        found.update(size=facts["size"][0], **settings.resizing(facts))
    return {name: value for name, value in found.items() if value is not None}


def take_over(model, state, facts, classes):
    """Write weights into a model; all but its last layer, fc, where they tell other classes apart than these. Returns what was
    done, a sentence.

    Raises  ValueError: it names what is missing, unknown or of another shape.
    """
    own = model.state_dict()
    head = [name for name in own if name.startswith("fc.")]
    same = list(facts.get("classes", ())) == list(classes)
    told = "the last layer too: the classes are the same"
    if not same or any(state[name].shape != own[name].shape for name in head if name in state):
        state = {**state, **{name: own[name] for name in head}}
        told = f"the last layer is new, for {len(classes)} classes"
    try:
        model.load_state_dict(state)
    except ValueError as error:
        raise ValueError(f"--weights: {error}") from None
    return told


def shown(source):
    """What a card calls the weights."""
    return Path(source).name
