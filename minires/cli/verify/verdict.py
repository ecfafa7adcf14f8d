"""All checks of a run's folder, with a line for each, and the verdict."""

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field

from minires import nn, runs
from minires.backend import machine
from minires.cli import recipes, settings
from minires.cli.loop import Loop
from minires.cli.terminal import bold, wrapped
from minires.cli.verify import code, evidence, outcome, records, training
from minires.course.evidence import copies
from minires.course.trouble import printable

RECIPES = tuple(name for name in recipes.NAMES if name.startswith("capstone-"))
# What a damaged or forged file may lead to in a check that reads it.
TROUBLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, ArithmeticError)


@dataclass
class Check:
    """A check. found  what it found, in a few words    reasons  why it refuses the run"""

    name: str
    found: str = ""
    reasons: list = field(default_factory=list)


@dataclass
class Verdict:
    """The checks so far, each of which is printed when it ends."""

    checks: list = field(default_factory=list)

    @contextmanager
    def check(self, name):
        """Context manager: a check, which is refused if it cannot be carried out."""
        made = Check(name)
        try:
            yield made
        except TROUBLE as error:
            made.reasons.append(f"could not be checked: {type(error).__name__}: {error}")
        self.checks.append(made)
        told = made.found if not made.reasons else ""
        print(f"  {'x' if made.reasons else '+'} {made.name:14}{told}".rstrip(), flush=True)
        for reason in made.reasons:
            print(wrapped(f"      {printable(reason)}"), flush=True)

    @property
    def reasons(self):
        """The reasons of all checks."""
        return [reason for made in self.checks for reason in made.reasons]


def verify(folder, *, tests, recipe=None, data_dir=None, allowed=(), seed=None, jobs=None):
    """Check the folder of a finished run, print a line per check and the verdict, and return the Verdict.

    tests  the folder with the verifier's claims    recipe  one of the capstone's, or a file; by default, the one that the run names
    data_dir  where CIFAR's files are here    allowed  ids of exercises that may be the library's code
    seed  draws the checkpoint in the middle (default: by chance)    jobs  how many processes run in parallel

    Raises  RunError: it is not a run. ValueError: an unknown recipe, or data that cannot be read here.
    """
    verdict = Verdict()
    run = runs.Run(runs.find(folder))
    seed = int.from_bytes(os.urandom(2), "little") if seed is None else seed
    jobs = jobs or machine.cores()
    found = None
    print(f"{run.folder}:")
    with verdict.check("files") as check:
        try:
            found = evidence.read(run)
            check.found = f"{len(found.steps):,} steps, {len(found.kept)} kept checkpoints"
        except evidence.Missing as error:
            check.reasons.append(str(error))
            if not (run.folder / "result.json").exists():
                check.reasons.append(
                    f"the run isn't finished: minires train --resume {run.quoted()}"
                )
    if found is not None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            _all(verdict, found, tests, recipe, data_dir, allowed, seed, jobs, home)
    count = len(verdict.reasons)
    refused = f"refused, for {count} reason{'s' * (count > 1)}"
    print(bold(refused if count else "accepted: these files trained this network"))
    return verdict


def _all(verdict, found, tests, recipe, data_dir, allowed, seed, jobs, home):
    """Carry out the checks of a folder that could be read."""
    with verdict.check("settings") as check:
        named = recipes.title(found.options.recipe or "")
        if recipe is None and named not in RECIPES:
            check.reasons.append(f"expected the recipe {' or '.join(RECIPES)}, got {named or 'none'}")  # fmt: skip
        else:
            check.reasons += records.settings_reasons(found, recipe or named)
            check.found = f"recipe {named}, seed {found.options.seed}"
    options = records.verifiers(found.options, data_dir)
    try:
        parts = settings.datasets(options)
        nn.manual_seed(options.seed)
        loop = Loop(options, parts)
    except TROUBLE:
        if not verdict.reasons:
            raise
        return  # the settings have been refused, and here is why
    with verdict.check("images") as check:
        check.reasons += records.fingerprint_reasons(found, parts)
        check.found = f"{parts[0].name}, fingerprint {found.options.fingerprint}"
    with verdict.check("card") as check:
        check.reasons += records.card_reasons(found)
        hits, images = found.result["test_hits"], found.result["test_images"]
        check.found = f"{hits:,} of {images:,} correct; the test set was read once"
    with verdict.check("log") as check:
        check.reasons += records.log_reasons(found, loop)
        check.found = f"log.csv follows from the {len(found.steps):,} losses of steps.csv"
    with verdict.check("weights") as check:
        start = {name: array.copy() for name, array in loop.model.state_dict().items()}
        reasons, near = outcome.weights_reasons(found, loop.model, parts[2])
        check.reasons += reasons
        check.found = f"the library finds the same {hits:,} correct ({near} near-ties), and the same logits"  # fmt: skip
    with verdict.check("accuracy") as check:
        check.reasons += outcome.band_reasons(found)
        known = outcome.band(found)
        check.found = f"within {known[2]}" if known else "there is no reference for this recipe on this data"  # fmt: skip
    with verdict.check("owner") as check:
        check.reasons += code.owner_reasons(found, allowed)
        check.found = f"{len(code.learners(found))} exercises ran, all the learner's"
    with verdict.check("claims") as check:
        check.reasons += code.claims_reasons(found, tests, home, jobs)
        check.found = f"all claims of these {len(code.learners(found))} pass on the learner's files"
    with verdict.check("checkpoints") as check:
        check.reasons += training.between_reasons(found, loop)
        check.found = (
            f"{len(records.kept_steps(found, loop))} of them, each continues the one before"
        )
    _replayed(verdict, found, options, loop, start, allowed, seed, tests, jobs, home)
    _notes(found)


def _replayed(verdict, found, options, loop, start, allowed, seed, tests, jobs, home):
    """Carry out the checks that run steps again."""
    replays = {}
    with verdict.check("replay") as check:
        steps = training.drawn(found, loop, seed)
        replays = training.replays(found, options, steps, home=home, tests=tests, jobs=jobs)
        worst = 0.0
        for step, (theirs, library) in replays.items():
            reasons, apart = training.replay_reasons(found, step, theirs, library, allowed)
            check.reasons += reasons
            worst = max(worst, apart or 0)
        told = ", ".join(f"{step:,}" for step in steps)
        check.found = f"ten steps from each of steps {told}: losses differ by at most {worst:.1g}"
    with verdict.check("start") as check:
        check.reasons += training.start_reasons(found, replays[0][0], start)
        check.found = f"the weights that seed {options.seed} gives, and an optimizer at rest"
    with verdict.check("end") as check:
        check.reasons += training.end_reasons(found, *replays[max(replays)])
        check.found = "the last ten steps lead to weights.safetensors"


def _notes(found):
    """Print what a teacher may want to know, and what refuses nothing."""
    ids = code.learners(found)
    same = copies.copied(ids, found.exercises)
    if same:
        print(wrapped(f"  note: word for word as in minires: {', '.join(same)}"))
    names = copies.imported(ids, found.exercises)
    if names:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        told = printable(", ".join(names[:5]))
        print(wrapped(f"  note: besides NumPy and minires, the files import {told}{more}"))
    if (found.run.folder / "report.md").is_file():
        print("  note: report.md is for you to read")
    else:
        print("  note: there is no report.md")
