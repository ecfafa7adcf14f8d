"""minires train: a run is begun or taken up again, and ends with its test, its picture and its card."""

import copy
import os
import platform
import shlex
import subprocess
import sys
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from minires import __version__, backend, checkpoint, course, nn, runs
from minires.backend import machine
from minires.cli import recipes, settings, weights
from minires.cli.loop import Loop
from minires.cli.stop import Stop
from minires.runs import Run, RunError

CHANGEABLE = ("backend", "watch", "data", "data_dir", "source")  # settings that --resume takes anew


def train(options):
    """Run the command, with --mine on the learner's own functions. Returns the exit status."""
    if not options.mine:
        return _runs(options)
    with course.mine() as report:
        status = _runs(options)
    print(f"whose code ran:\n{report}")
    return status


def _runs(options):
    """One run; or all that a recipe is made of, one after the other: those that are there already go on."""
    said = {name: value for name, value in vars(options).items() if value is not None and name in settings.KNOWN}
    written, variants = recipes.read(options.recipe) if options.recipe is not None else ({}, [])
    if not variants:
        return _run(options, said, written)
    if options.resume is not None or options.name is not None:
        raise ValueError(f"{options.recipe} is {len(variants)} runs with names of their own: give it again, and they go on")
    for variant in variants:
        seed = f"-seed{said['seed']}" if said.get("seed") else ""
        folder = Path("runs", f"{options.recipe}-{variant['name']}{seed}")
        one = copy.copy(options)
        one.resume, one.name = (str(folder), None) if folder.exists() else (None, folder.name)
        more = {name: value for name, value in variant.items() if name != "name"}
        changeable = {name: value for name, value in said.items() if name in CHANGEABLE}
        status = _run(one, changeable if folder.exists() else said, {**written, **more})
        if status:
            return status
    return 0


def _run(options, given, written):
    """A run with the settings that are given, those that a recipe has written down, and else what suits the data."""
    if not options.save_every >= 0:
        raise ValueError(f"--save-every is {options.save_every}, wanted 0 seconds or more")
    run = start = None
    if options.resume is not None:
        run = Run(runs.find(options.resume))
        fixed = [f"--{name.replace('_', '-')}" for name in given if name not in CHANGEABLE]
        if fixed or options.name is not None:
            raise RunError(f"a run goes on with the settings that it began with: leave out {', '.join(fixed or ['--name'])}")
        if run.result():
            print(f"{run.folder} is finished: test accuracy {100 * run.result()['test_accuracy']:.2f} %")
            return 0
        config = {**run.config, **given}
    else:
        if given.get("weights"):
            start = weights.read(given["weights"])
            written = {**written, **weights.settings_of(start[1], given)}
        config = {"minires": __version__, **settings.merged(given, written)}
        if options.recipe is not None:
            config["recipe"] = options.recipe
    settings.check(config)
    if config.get("backend"):
        backend.use(config["backend"])
    config["backend"] = backend.name()
    exact = settings.precision(config)
    nn.manual_seed(config["seed"])
    parts = settings.datasets(config)
    if parts[0] is None:
        raise ValueError(f"{config['data']} has no training part")
    if config.get("num_classes", len(parts[0].classes)) != len(parts[0].classes):
        raise ValueError(f"--num-classes is {config['num_classes']}, the images have {len(parts[0].classes)}: {', '.join(parts[0].classes)}")
    mark = " ".join(part.fingerprint() for part in parts if part)
    if config.setdefault("fingerprint", mark) != mark:
        raise RunError(f"{run.folder}: these are not the images that this run began with: {parts[0].name}, {parts[0].source}")
    loop = Loop(config, parts, start)
    with ExitStack() as stack:
        stack.enter_context(exact)
        stop = stack.enter_context(Stop())
        run = run or _new(options.name, _lasting(config))
        stack.enter_context(run.locked())
        if run.saved():
            loop.restore(run, complain=_complain)
            if run.config.get("backend", config["backend"]) != config["backend"]:
                _complain(f"{run.folder} began on {run.config['backend']} and goes on on {config['backend']}")
        else:
            loop.save(run)  # now, and not after an hour, if it cannot be
        return _train(loop, run, stop, options.save_every)


def _train(loop, run, stop, save_every):
    parameters = sum(parameter.size for parameter in loop.model.parameters())
    exact = loop.config.get("precision", "float32")
    print(f"{loop.config['model']}, {parameters:,} parameters, on {len(loop.train):,} images of {loop.train.name}; "
          f"backend {backend.name()}{'' if exact == 'float32' else f', {exact}'}; {run.folder}"
          + (f" goes on from step {loop.step}" if loop.step else ""))  # fmt: skip
    if loop.begun:
        print(f"begins with {loop.config['weights']}: {loop.begun}")
    if loop.config.get("freeze"):
        learn = sum(parameter.size for parameter in loop.model.parameters() if parameter.requires_grad)
        print(f"frozen {loop.config['freeze']}: {learn:,} parameters learn")
    try:
        loop.go(run, stop, save_every=save_every)
    except FloatingPointError as error:
        raise FloatingPointError(f"{error}. The last good checkpoint is {run.saved()[0]}") from None
    test = None if stop.asked else loop.evaluated(loop.test, stop)
    mirrored = loop.evaluated(loop.test, stop, flips=True) if loop.config.get("test_flips") and not stop.asked else None
    if stop.asked:
        folder = str(run.folder)
        quoted = subprocess.list2cmdline([folder]) if os.name == "nt" else shlex.quote(folder)
        print(
            f"stopped at step {loop.step} of {loop.epochs * loop.steps}, and saved. To go on:\n  minires train --resume {quoted}"
        )
        return 128 + stop.asked
    _finish(loop, run, test, mirrored)
    return 0


def _finish(loop, run, test, mirrored):
    """Write and print what came out. mirrored  the Score with each test image also mirrored, or None"""
    checkpoint.save_weights(run.folder / "weights.safetensors", loop.model.state_dict(), **loop.facts, epoch=loop.epoch)
    rate = loop.images / loop.seconds
    picture = run.draw(f"{loop.config['model']} on {loop.train.name}, seed {loop.config['seed']}")
    run.write_card(_card(loop, run, test, mirrored, rate))
    also = {"mirrored_accuracy": mirrored.accuracy, "mirrored_hits": mirrored.hits} if mirrored else {}
    run.write_result({"test_loss": test.loss, "test_accuracy": test.accuracy, "test_hits": test.hits, "test_images": test.images, **also,
                      "seconds": loop.seconds, "images_per_second": rate})  # fmt: skip
    print(f"trained in {loop.seconds:.0f} s, {rate:,.0f} images/s; curves in {picture}")
    print(f"test {test}")
    if mirrored:
        print(f"each image also mirrored: {mirrored}")


def _card(loop, run, test, mirrored, rate):
    """What was done and what came out: name -> text."""
    last, blas = loop.log[-1], machine.blas()
    held = f"{100 * last['validation_accuracy']:.2f} %" if loop.validation else "none held out"
    parts = {"training": loop.train, "validation": loop.validation, "test": loop.test}
    sizes = ", ".join(f"{len(part):,} for {use}" for use, part in parts.items() if part)
    options = ", ".join(f"{name} {value}" for name, value in loop.facts["options"].items())
    both = {"the same, each image also mirrored": _counted(mirrored)} if mirrored else {}
    recipe = {"recipe": recipes.told(loop.config)} if "recipe" in loop.config else {}
    tuned = {"weights at the start": weights.shown(loop.config["weights"])} if loop.config.get("weights") else {}
    tuned |= {"frozen": loop.config["freeze"]} if loop.config.get("freeze") else {}
    return {
        **recipe,
        **tuned,
        "model": f"{loop.config['model']} ({options})",
        "data": f"{loop.train.name}: {sizes}; {loop.train.source}",
        "seed": loop.config["seed"],
        "accuracy on validation, after the last epoch": held,
        "accuracy on test, read once, at the end": _counted(test),
        **both,
        "time": f"{loop.seconds:,.0f} s for {loop.epochs} epochs{' and their validation' if loop.validation else ''}: {rate:,.0f} images/s",
        "versions": f"minires {__version__}, Python {platform.python_version()}, NumPy {machine.numpy_version()}",
        "backend": f"{backend.name()}, {loop.config.get('precision', 'float32')}",
        "processor": f"{machine.processor()}, {machine.cores()} cores for this process, {backend.threads()} thread{'s' * (backend.threads() > 1)}",
        "BLAS": f"{blas['name']} {blas['version']}, kernel {blas['kernel']}" if blas else "unknown",
    }


def _counted(score):
    return f"{100 * score.accuracy:.2f} % ({score.hits:,} of {score.images:,})"


def _complain(sentence):
    print(f"minires train: {sentence}", file=sys.stderr)


def _lasting(config):
    """The settings with whole paths, so that a run can be resumed from anywhere."""
    kind, _, path = config["data"].partition(":")
    whole = {"data": f"{kind}:{os.path.abspath(path)}"} if path else {}
    if config.get("data_dir"):
        whole["data_dir"] = os.path.abspath(config["data_dir"])
    return {**config, **whole}


def _new(name, config):
    """A run of this name; without one, named after data and model, with a number where that is taken."""
    if name is not None:
        if Path(name).name != name or name in ("", ".", ".."):
            raise ValueError(f"--name is {name!r}, wanted a name without slashes: the run's folder is runs/NAME")
        return Run.new(Path("runs", name), config)
    base = config.get("recipe") or f"{config['data'].partition(':')[0]}-{config['model']}"
    for number in count(1):
        try:
            return Run.new(Path("runs", base if number == 1 else f"{base}-{number}"), config)
        except RunError:
            continue
