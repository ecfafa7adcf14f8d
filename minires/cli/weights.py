"""The weights that a command is given: of a run, of a file, or published ones."""

from minires import checkpoint, data, models, pretrained, runs
from minires.cli import settings
from minires.cli.options import ABOUT, typed

VARIANTS = ("shortcut", "stem", "preactivation")


def read(source):
    """Return (state, facts) of a run (its name or folder), a file, or a name in pretrained.PUBLISHED."""
    folder = runs.find(source)
    if (folder / "config.json").is_file():
        state, facts = runs.Run(folder).weights()
    else:
        state, facts = pretrained.read(source, tell=print)
    if progress := _progress(facts):
        print(f"{source}: {progress}")
    return state, facts


def _progress(facts):
    """Describe how far training was when weights were saved; "" if it was finished, or if that is unknown."""
    if "step" not in facts:
        return ""
    steps = f" of {facts['steps']:,}" if "steps" in facts else ""
    return f"unfinished: step {facts['step']:,}{steps}"


def trained(arguments):
    """Return (config, model, facts) of a run, or of weights.

    config  the run's, or {}. Options about data and model that were typed replace the saved ones.

    Raises  ValueError: both were given, or the weights do not fit. RunError: there is no such run.
    """
    given = {
        name: value
        for name, value in typed(arguments).items()
        if ABOUT[name].group in ("data", "model")
    }
    source = typed(arguments).get("weights")
    if source and arguments.trained:
        raise ValueError(f"expected a run or --weights, got {arguments.trained} and {source}")
    if source:
        config, path = {}, source
        state, facts = read(source)
    else:
        run = runs.Run(runs.find(arguments.trained) if arguments.trained else runs.newest())
        config, path = run.config, run.folder
        state, facts = run.weights()
        print(", ".join(filter(None, (f"the net of {path}", _progress(facts)))))
    facts = {**facts, **{name: given[name] for name in ("mean", "std", "model") if name in given}}
    if arguments.classes:
        facts["classes"] = data.CLASSES.get(arguments.classes) or arguments.classes.split(",")
    if "size" in given:
        channels = facts.get("options", {}).get("in_channels", 3)
        facts["size"] = [given["size"], given["size"], facts.get("size", (0, 0, channels))[2]]
        facts.pop("resize", None)
    variants = {name: given[name] for name in VARIANTS if name in given}
    return {**config, **given}, built(path, state, facts, variants), facts


def built(path, state, facts, variants=None):
    """Return the model that a state belongs to, with that state.

    variants  options of the model that replace those in the facts

    Raises  ValueError: the facts name no model, the state does not fit it, or its numbers are not finite.
    """
    if "model" not in facts:
        raise ValueError(
            f"{path} does not say which model it belongs to: "
            "name it, for example with --model resnet20 --shortcut A"
        )
    state, _ = checkpoint.net_within(state)
    options = {**facts.get("options", {}), **(variants or {})}
    if "fc.weight" in state and "conv1.weight" in state:
        options["num_classes"] = state["fc.weight"].shape[1]
        options["in_channels"] = state["conv1.weight"].shape[2]
    model = models.build(facts["model"], **options)
    try:
        model.load_state_dict(state)
    except ValueError as error:
        raise ValueError(
            f"{path} does not fit {facts['model']} {options} "
            f"(choose another with --model, --shortcut and --stem): {error}"
        ) from None
    _check_finite(model, path)
    return model


def _check_finite(model, source):
    """Reject weights that are not finite, or that are too large for float32."""
    broken = checkpoint.first_not_finite(model.state_dict())
    if broken:
        raise ValueError(f"{source}: {broken} contains NaN or infinity, expected finite numbers")


def options_of(facts, given):
    """Return the options of a run that starts from weights: their model, and how its images were prepared.

    given  the options that were typed
    """
    built_with = facts.get("options", {})
    found = {"model": facts.get("model"), **{name: built_with.get(name) for name in VARIANTS}}
    found.update({name: facts.get(name) for name in ("mean", "std")})
    if given.get("data", "").startswith("folder:") and "size" not in given and "size" in facts:
        found.update(size=facts["size"][0], **settings.resizing(facts))
    return {name: value for name, value in found.items() if value is not None}


def take_over(model, state, facts, classes):
    """Write weights into a model, except for the last layer, fc, if they are for other classes. Return a sentence about that layer.

    Raises  ValueError: it names what is missing, unknown, of a different shape or not finite.
    """
    own, (state, _) = model.state_dict(), checkpoint.net_within(state)
    head = [name for name in own if name.startswith("fc.")]
    same = list(facts.get("classes", ())) == list(classes)
    message = "the last layer too: the classes are the same"
    if not same or any(state[name].shape != own[name].shape for name in head if name in state):
        state = {**state, **{name: own[name] for name in head}}
        message = f"the last layer is new, for {len(classes)} classes"
    try:
        model.load_state_dict(state)
    except ValueError as error:
        raise ValueError(f"--weights: {error}") from None
    _check_finite(model, "--weights")
    return message
