"""minires train: start, resume or extend a run, train, test at the end, and write the run's card."""

import math
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from minires import backend, course, nn, runs
from minires.backend import machine
from minires.cli import extension, gpu, ranks, recipes, settings, weights
from minires.cli.about import flag
from minires.cli.finish import already_finished, finish
from minires.cli.introduction import introduce
from minires.cli.loop import Loop
from minires.cli.options import ABOUT, Options, typed
from minires.cli.stop import Stop
from minires.cli.watchdog import StandsStill, watching
from minires.course.folder import find
from minires.runs import Run, RunError

READING = 3600.0  # seconds that processes wait for one that reads or downloads the images


def train(arguments):
    """Train one run, or all runs of a recipe, one after the other. Returns the exit status."""
    given, group = typed(arguments), arguments.group
    ranks.compare(group, {flag(name): str(value) for name, value in given.items()}, ranks.refuse)
    options = Options(**given)
    recipe = options.recipe
    written, variants = ranks.first(group, lambda: recipes.read(recipe)) if recipe else ({}, [])
    if not variants:
        plan = ranks.first(
            group, lambda: fresh(given, written) if options.resume is None else resumed(given)
        )
        return _carry_out(plan, group)
    if options.resume is not None or options.name is not None:
        raise ValueError(
            f"{options.recipe} is {len(variants)} runs with names of their own: leave out --name "
            "and --resume; running it again resumes them"
        )
    for variant in variants:
        plan = ranks.first(
            group, lambda variant=variant: _variant(options, given, written, variant)
        )
        status = _carry_out(plan, group)
        if status:
            return status
    return 0


@dataclass(frozen=True)
class Plan:
    """A run to train.

    run    the run to resume, or None for a new one
    start  (state, facts) of the weights to start from, or None
    """

    options: Options
    run: Run | None = None
    start: tuple[dict[str, Any], dict[str, Any]] | None = None


def fresh(given, written):
    """Return the Plan of a new run. written  options of a recipe, which those given override"""
    source = {**written, **given}.get("weights")
    start = None if source is None else weights.read(source)
    if start:
        written = {**written, **weights.options_of(start[1], given)}
    return Plan(settings.merged(given, written), start=start)


def resumed(given):
    """Return the Plan of a run to resume, with the options of its config and those given now.

    Raises  RunError: there is no such run, or an option that is given cannot change.
    """
    run = Run(runs.find(given["resume"]))
    fixed = [flag(name) for name in given if not ABOUT[name].resume]
    if fixed:
        raise RunError(f"--resume keeps the settings of the run: leave out {', '.join(fixed)}")
    options = Options.from_config(run.config, **given)
    unsaved = options.weights is not None and not run.saved()
    return Plan(options, run, weights.read(options.weights) if unsaved else None)


def _variant(options, given, written, variant):
    """Return the Plan of one of a recipe's runs. If it already exists, it is resumed."""
    changes = {name: value for name, value in given.items() if ABOUT[name].resume}
    seed = f"-seed{options.seed}" if options.seed else ""
    folder = Path("runs", f"{recipes.title(options.recipe)}-{variant['name']}{seed}")
    if folder.exists():
        return resumed({**changes, "resume": str(folder)})
    return fresh({**given, "name": folder.name}, {**written, **variant})


def _carry_out(plan, group):
    """Carry out a plan. Returns the exit status."""
    options, run = plan.options, plan.run
    if ranks.first(group, lambda: run is not None and _is_finished(run, options)):
        return 0
    settings.check(options)
    settings.check_processes(options, group, begun=run is not None)
    if options.backend:
        backend.use(options.backend)
    settings.check_backend(options, _complain if run else _refuse)
    group = ranks.on_gpus(group, options.engine, _complain)
    if options.freeze and not (options.weights or run):
        _complain("--freeze without --weights: the frozen layers keep their random initialisation")
    nn.manual_seed(options.seed)
    with watching(group, max(options.timeout, READING)):
        parts = ranks.host_first(group, lambda: settings.datasets(options))
    options = replace(options, backend=backend.name(), fingerprint=_fingerprint(plan, parts))
    _compare(group, options)
    with ExitStack() as stack:
        report = stack.enter_context(_mine(run)) if options.mine else None
        if report:
            files = repr(sorted(report.files().items())).encode()
            ranks.compare(group, {"exercises": sha256(files).hexdigest()[:16]}, ranks.refuse)
        extensions = run.extensions if run else ()
        loop = Loop(options, parts, plan.start, extensions, report, group)
        stack.enter_context(settings.precision(options))
        if options.cuda_graph is not None:
            stack.enter_context(backend.using(cuda_graph=options.cuda_graph))
        stop = stack.enter_context(Stop(group))
        run = run or ranks.first(group, lambda: _new_run(options))
        run = ranks.Follower(run) if group.rank else run
        ranks.first(group, lambda: stack.enter_context(run.locked()))
        with _way_to_resume(run, options), watching(group, options.timeout):
            _prepare(loop, run)
            status = _go(loop, run, stop)
        if report:
            where = " on rank 0" if group.size > 1 else ""
            print(f"whose code ran{where}:\n{report}")
        return status


def _is_finished(run, options):
    """Return True if a run is finished, and print that."""
    finished = bool(run.result()) and options.epochs == run.config["epochs"]
    if finished:
        already_finished(run, complain=_complain)
    return finished


def _compare(group, options):
    """Check that the processes have the same settings and images. Warn if their BLAS adds up in different orders."""
    same = {flag(name): str(value) for name, value in options.public().items()}
    same["images"] = same.pop(flag("fingerprint"))
    ranks.compare(group, same, ranks.refuse)
    blas = machine.blas() or {}
    kernels = {
        "BLAS kernels": " ".join(str(blas.get(key)) for key in ("name", "version", "kernel"))
    }
    ranks.compare(
        group,
        kernels,
        lambda told: _complain(
            f"{told}. A different number of processes will end in different bits"
        ),
    )


def _mine(run):
    """Context manager: train on the learner's functions; those of a run that is resumed are the ones with which it began."""
    if run and run.exercises.is_dir():
        return course.mine(run.exercises, tests=find())
    return course.mine()


def _prepare(loop, run):
    """Restore a loop from its run, and record an extension."""
    saved, begun = ranks.first(loop.group, lambda: (bool(run.saved()), _has_begun(run)))
    if saved:
        loop.restore(run, complain=_complain)
        _compare_backends(run, loop.options)
    elif begun:
        raise RunError(
            f"{run.folder} has no checkpoint left to resume from: start a new run, "
            f"with --weights {run.quoted()} from its weights"
        )
    else:
        if loop.report:
            run.write_exercises(loop.report.files())
        # If that fails, it should fail now and not after an hour.
        ranks.first(loop.group, lambda: loop.save(run, keep=True))
    extension.make(loop, run)
    run.reopen()


def _has_begun(run):
    """Return True if a run has a result or rows of its log."""
    return bool(run.result() or run.log())


@contextmanager
def _way_to_resume(run, options):
    """Context manager: if the disk or the memory is full, the GPU is lost, or another process stands still, name the command
    that resumes the run.
    """
    try:
        yield
    except (
        StandsStill
    ) as error:  # any rank may say so, and those other than 0 print only their error
        raise StandsStill(f"{error}. To resume:\n{_command(run, options)}") from None
    except Exception as error:
        if isinstance(error, (OSError, MemoryError)) or gpu.is_lost(error):
            _complain(f"stopped. To resume:\n{_command(run, options)}")
        raise


def _command(run, options):
    """Return the command that resumes a run, with --epochs if an extension is not recorded yet."""
    extended = options.epochs != run.config["epochs"]
    epochs = f" --epochs {options.epochs}" if extended else ""
    return f"  minires train --resume {run.quoted()}{epochs}"


def _fingerprint(plan, parts):
    """Return the fingerprint of a run's images.

    Raises  ValueError: there is no training set, or it has a different number of classes.
    RunError: the run began with different images.
    """
    options, train = plan.options, parts[0]
    if train is None:
        raise ValueError(f"{options.data} has no training set")
    if options.num_classes not in (None, len(train.classes)):
        raise ValueError(
            f"--num-classes is {options.num_classes}, but the images have {len(train.classes)} classes: "
            f"{', '.join(train.classes)}"
        )
    found = " ".join(part.fingerprint() for part in parts if part)
    if options.fingerprint not in (None, found):
        raise RunError(
            f"{plan.run.folder}: the run began with different images; these are "
            f"{train.name}, {train.source}"
        )
    return found


def _go(loop, run, stop):
    """Train, and test at the end. Returns the exit status."""
    introduce(loop, run, _complain)
    gpu.announce_kernels("the first step")
    try:
        loop.go(run, stop, save_every=loop.options.save_every)
    except FloatingPointError as error:
        good = [f". The last good checkpoint is {folder}" for folder in run.saved()[:1]]
        raise FloatingPointError(f"{error}{''.join(good)}") from None
    tests = {}
    for flips in (False, True) if loop.options.test_flips else (False,):
        if not stop.asked:
            tests[flips] = loop.evaluated(loop.test, stop, flips=flips)
    if not stop.asked:
        if loop.group.rank == 0:
            finish(loop, run, tests[False], tests.get(True))
        if not math.isfinite(tests[False].loss):
            loss = tests[False].loss
            _complain(
                f"the test loss is {loss}: not all logits are finite, and the accuracy means nothing"
            )
        return 0
    steps = loop.options.epochs * loop.steps
    command = _command(run, loop.options)
    print(f"stopped at step {loop.step} of {steps}; a checkpoint is saved. To resume:\n{command}")
    return 128 + stop.asked


def _compare_backends(run, options):
    before = run.config.get("backend", options.backend)
    if before != options.backend:
        _complain(f"{run.folder} began on {before} and continues on {options.backend}")


def _refuse(sentence):
    raise ValueError(sentence)


def _complain(sentence):
    print(f"minires train: {sentence}", file=sys.stderr)


def _new_run(options):
    """Create a run with the name in the options, or one named after data and model, numbered if necessary."""
    config = options.to_config()
    if options.name is not None:
        return Run.new(Path("runs", options.name), config)
    named_after = f"{options.data.partition(':')[0]}-{options.model}"
    base = recipes.title(options.recipe) if options.recipe else named_after
    for number in count(1):
        try:
            return Run.new(Path("runs", base if number == 1 else f"{base}-{number}"), config)
        except RunError:
            continue
