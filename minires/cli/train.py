"""minires train: start or resume a run, train, test once at the end, and write the run's card."""

import os
import shlex
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from minires import backend, checkpoint, course, nn, runs
from minires.cli import recipes, settings, weights
from minires.cli.about import flag
from minires.cli.card import card
from minires.cli.loop import Loop
from minires.cli.options import ABOUT, Options, typed
from minires.cli.stop import Stop
from minires.runs import Run, RunError


def train(arguments):
    """Run the command, with --mine on the learner's own functions. Returns the exit status."""
    given = typed(arguments)
    if "mine" not in given:
        return _train(given)
    with course.mine() as report:
        status = _train(given)
    print(f"whose code ran:\n{report}")
    return status


def _train(given):
    """One run; or all that a recipe consists of, one after the other. Returns the exit status."""
    options = Options(**given)
    written, variants = ({}, []) if options.recipe is None else recipes.read(options.recipe)
    if not variants:
        return _carry_out(fresh(given, written) if options.resume is None else resumed(given))
    if options.resume is not None or options.name is not None:
        raise ValueError(
            f"{options.recipe} is {len(variants)} runs with names of their own: "
            "give it again, and they go on"
        )
    for plan in _plans(options, given, written, variants):
        status = _carry_out(plan)
        if status:
            return status
    return 0


@dataclass(frozen=True)
class Plan:
    """A run that is about to be trained.

    run    the one to resume, or None: a new one is made
    start  (state, facts) of the weights to start from, or None
    """

    options: Options
    run: Run | None = None
    start: tuple[dict[str, Any], dict[str, Any]] | None = None


def fresh(given, written):
    """The Plan of a new run: with the options given, or else those written in a recipe."""
    source = {**written, **given}.get("weights")
    start = None if source is None else weights.read(source)
    if start:
        written = {**written, **weights.options_of(start[1], given)}
    return Plan(settings.merged(given, written), start=start)


def resumed(given):
    """The Plan of a run that goes on: with the options of its config, and those given now.

    Raises  RunError: there is no such run, or an option is given that cannot change.
    """
    run = Run(runs.find(given["resume"]))
    fixed = [flag(name) for name in given if not ABOUT[name].resume]
    if fixed:
        raise RunError(
            f"a run goes on with the settings that it began with: leave out {', '.join(fixed)}"
        )
    options = Options.from_config(run.config, **given)
    unsaved = options.weights is not None and not run.saved()
    return Plan(options, run, weights.read(options.weights) if unsaved else None)


def _plans(options, given, written, variants):
    """The Plans of a recipe's runs. Those that exist already go on."""
    changes = {name: value for name, value in given.items() if ABOUT[name].resume}
    seed = f"-seed{options.seed}" if options.seed else ""
    for variant in variants:
        folder = Path("runs", f"{options.recipe}-{variant['name']}{seed}")
        if folder.exists():
            yield resumed({**changes, "resume": str(folder)})
        else:
            yield fresh({**given, "name": folder.name}, {**written, **variant})


def _carry_out(plan):
    """Train as planned. Returns the exit status."""
    if plan.run and plan.run.result():
        accuracy = 100 * plan.run.result()["test_accuracy"]
        print(f"{plan.run.folder} is finished: test accuracy {accuracy:.2f} %")
        return 0
    options = plan.options
    settings.check(options)
    if options.backend:
        backend.use(options.backend)
    nn.manual_seed(options.seed)
    parts = settings.datasets(options)
    options = replace(options, backend=backend.name(), fingerprint=_fingerprint(plan, parts))
    loop = Loop(options, parts, plan.start)
    with ExitStack() as stack:
        stack.enter_context(settings.precision(options))
        stop = stack.enter_context(Stop())
        run = plan.run or _new_run(options)
        stack.enter_context(run.locked())
        if run.saved():
            loop.restore(run, complain=_complain)
            _compare_backends(run, options)
        else:
            loop.save(run)  # now, and not after an hour, if it cannot be
        return _go(loop, run, stop)


def _fingerprint(plan, parts):
    """The fingerprint of a run's images.

    Raises  ValueError: there are none to train on, or they have other classes than expected.
    RunError: they are not the images that the run began with.
    """
    options, train = plan.options, parts[0]
    if train is None:
        raise ValueError(f"{options.data} has no training part")
    if options.num_classes not in (None, len(train.classes)):
        raise ValueError(
            f"--num-classes is {options.num_classes}, the images have {len(train.classes)}: "
            f"{', '.join(train.classes)}"
        )
    found = " ".join(part.fingerprint() for part in parts if part)
    if options.fingerprint not in (None, found):
        raise RunError(
            f"{plan.run.folder}: these are not the images that this run began with: "
            f"{train.name}, {train.source}"
        )
    return found


def _go(loop, run, stop):
    """Train, and test at the end. Returns the exit status."""
    _introduce(loop, run)
    try:
        loop.go(run, stop, save_every=loop.options.save_every)
    except FloatingPointError as error:
        last = run.saved()[0]
        raise FloatingPointError(f"{error}. The last good checkpoint is {last}") from None
    tests = {}
    for flips in (False, True) if loop.options.test_flips else (False,):
        if not stop.asked:
            tests[flips] = loop.evaluated(loop.test, stop, flips=flips)
    if not stop.asked:
        _finish(loop, run, tests[False], tests.get(True))
        return 0
    folder = str(run.folder)
    quoted = subprocess.list2cmdline([folder]) if os.name == "nt" else shlex.quote(folder)
    steps = loop.options.epochs * loop.steps
    print(
        f"stopped at step {loop.step} of {steps}, and saved. To go on:\n"
        f"  minires train --resume {quoted}"
    )
    return 128 + stop.asked


def _introduce(loop, run):
    """Print what is about to be trained."""
    options, parameters = loop.options, loop.model.parameters()
    size = sum(parameter.size for parameter in parameters)
    precision = "" if options.precision == "float32" else f", {options.precision}"
    step = f" goes on from step {loop.step}" if loop.step else ""
    print(
        f"{options.model}, {size:,} parameters, on {len(loop.train):,} images of "
        f"{loop.train.name}; backend {backend.name()}{precision}; {run.folder}{step}"
    )
    if loop.started:
        print(f"begins with {options.weights}: {loop.started}")
    if options.batch_size > len(loop.train):
        _complain(
            f"--batch-size is {options.batch_size}: "
            f"each epoch is one step, on all {len(loop.train)} training images"
        )
    if options.freeze:
        learn = sum(parameter.size for parameter in parameters if parameter.requires_grad)
        print(f"frozen {options.freeze}: {learn:,} parameters learn")


def _finish(loop, run, test, mirrored):
    """Write and print what came out. mirrored  the Score with test flips, or None"""
    facts = {**loop.facts, "epoch": loop.epoch}
    checkpoint.save_weights(run.folder / "weights.safetensors", loop.model.state_dict(), **facts)
    seconds = loop.log.seconds
    rate = loop.images / seconds
    title = f"{loop.options.model} on {loop.train.name}, seed {loop.options.seed}"
    picture = run.draw(title)
    began_with = Options.from_config(run.config).public()
    run.write_card(card(loop, test, mirrored), began_with)
    result = {
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "test_hits": test.correct,
        "test_images": test.count,
    }
    if mirrored:
        result.update(mirrored_accuracy=mirrored.accuracy, mirrored_hits=mirrored.correct)
    run.write_result({**result, "seconds": seconds, "images_per_second": rate})
    print(f"trained in {seconds:.0f} s, {rate:,.0f} images/s; curves in {picture}")
    print(f"test {test}")
    if mirrored:
        print(f"each image also mirrored: {mirrored}")


def _compare_backends(run, options):
    before = run.config.get("backend", options.backend)
    if before != options.backend:
        _complain(f"{run.folder} began on {before} and goes on on {options.backend}")


def _complain(sentence):
    print(f"minires train: {sentence}", file=sys.stderr)


def _new_run(options):
    """A run of the name in the options; or named after data and model, with a number if need be."""
    config = options.to_config()
    if options.name is not None:
        return Run.new(Path("runs", options.name), config)
    base = options.recipe or f"{options.data.partition(':')[0]}-{options.model}"
    for number in count(1):
        try:
            return Run.new(Path("runs", base if number == 1 else f"{base}-{number}"), config)
        except RunError:
            continue
