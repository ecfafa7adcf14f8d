"""Did these files train this network? The start, steps that are run again, and what lies between the checkpoints."""

import random
from concurrent.futures import ThreadPoolExecutor

from minires.cli.loop import LAST
from minires.cli.verify import records
from minires.cli.verify.replay import replay
from minires.course import manifest
from minires.course.evidence import arrays, losses

STEPS = 10  # of each replay
CLOSE = 1e-5  # losses of the learner's code, run again, relative to those in steps.csv
# Rounding differs from machine to machine, and training amplifies it: from 1e-7 in the first loss to 1e-2 in the tenth, with a high
# learning rate. How much, is measured: by the library's code, whose faster forms round differently. It may be this many times as much,
MARGIN = 10
MOST = 0.1  # but never more than this; and the first losses, before much is amplified, may differ by less:
GROWTH = 30  # times as much from step to step (16 was measured, ResNet-20 at its highest rate on two kinds of processor)
LIBRARY = (
    1e-4,
    1e-3,
)  # the library's first two losses, relative to those in steps.csv: nothing has been amplified yet
WEIGHTS = 1e-5  # final weights, relative to the largest of an array
SAME = 1e-6  # initial weights that were drawn twice
EARLY = 0.75  # of the calls per step in a replay, which prepares a batch or two ahead
# A run on several processes lists the calls of one of them, which works on one of the shards of a batch or on more.


def drawn(evidence, loop, seed):
    """Return the steps to replay from: the start, ten steps before the end, and a kept checkpoint in between, drawn with a seed."""
    *others, _ = records.kept_steps(evidence, loop)
    first, *middle, last = others if len(others) > 1 else (*others, *others)
    chosen = random.Random(seed).sample(middle, 1) if middle else []
    return sorted({first, *chosen, last})


def replays(evidence, options, steps, *, home, tests, jobs):
    """Return step -> (Replay of the learner's code, Replay of the library's), from the kept checkpoints of these steps."""
    config, total = options.to_config(), len(evidence.steps)

    def both(step):
        folder, count = evidence.checkpoint(step).folder.resolve(), min(STEPS, total - step)
        theirs = replay(config, folder, steps=count, home=home, tests=tests)
        return theirs, replay(config, folder, steps=count)

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(steps, pool.map(both, steps)))


def replay_reasons(evidence, step, theirs, library, allowed):
    """Return why the steps after a kept checkpoint aren't those of the learner's code, and the largest difference of a loss.

    allowed  ids of exercises that may be the library's code
    """
    where = f"replay from step {step:,}"
    if theirs.error:
        return [f"{where}: {theirs.error}"], None
    known = manifest.exercises()
    tried = [f"{where}: {known[id].file} calls the library's function, which it should replace" for id in theirs.tried]  # fmt: skip
    expected = evidence.losses[step : step + STEPS]
    if len(theirs.losses) != len(expected):
        return [*tried, f"{where}: {len(theirs.losses)} steps ran, expected {len(expected)}"], None
    reasons = tried + _calls(evidence, where, theirs, len(expected), allowed)
    if library.error:
        return [*reasons, f"{where}, with the library's code: {library.error}"], None
    close = tolerances(theirs.losses, library.losses)
    for i, (loss, told) in enumerate(zip(theirs.losses, expected)):
        if not losses.close(loss, told, close[i]):
            reasons.append(f"{where}: the learner's code has loss {loss:.6g} at step {step + i + 1:,}, steps.csv has {told:.6g}")  # fmt: skip
            break
    for i, tolerance in enumerate(LIBRARY[: len(expected)]):
        if not losses.close(library.losses[i], expected[i], tolerance):
            reasons.append(f"{where}: the library's code has loss {library.losses[i]:.6g} at step {step + i + 1:,}, steps.csv has {expected[i]:.6g}")  # fmt: skip
            break
    return reasons, losses.farthest(theirs.losses, expected)[1]


def tolerances(theirs, library):
    """Return how far each loss in steps.csv may be from the replay's, given those of the learner's and of the library's code here."""
    allowed, worst = [], 0.0
    for i, (ours, known) in enumerate(zip(theirs, library)):
        worst = max(worst, abs(ours - known) / max(abs(known), 1e-12))
        allowed.append(min(max(CLOSE, MARGIN * worst), CLOSE * GROWTH**i, MOST))
    return allowed


def _calls(evidence, where, theirs, steps, allowed):
    """Return why the calls of a replay aren't those of the card, except for those of exercises that are allowed to be missing there."""
    reasons, known = [], manifest.exercises()
    for id, (before, after) in theirs.calls.items():
        told = evidence.calls.get(id)
        least = EARLY * (after - before) * len(evidence.steps) / steps / evidence.options.shards
        if told is None and id in allowed:
            continue
        if told is None:
            reasons.append(f"{where}: {id} {known[id].name} runs, and result.json doesn't list it")
        elif after - before >= steps and told[0] < least:
            reasons.append(f"{where}: result.json lists {told[0]:,} calls of {id} {known[id].name}, expected at least {least:,.0f}")  # fmt: skip
    return reasons


def start_reasons(evidence, theirs, library):
    """Return why a run didn't begin with the weights that its seed gives.

    theirs  the Replay from step 0    library  the weights that the library draws
    """
    kept, reasons = evidence.checkpoint(0), []
    if theirs.error:
        return ["the replay from step 0 failed"]
    found, expected = kept.weights, theirs.start
    if evidence.options.whiten:  # an eigenvector may have either sign
        found, expected = (arrays.without_signs(each, "conv1.weight") for each in (found, expected))
    name, apart = arrays.farthest(found, expected)
    if apart > SAME:
        reasons.append(f"kept/{kept.folder.name}: {name} is not what the seed {evidence.options.seed} gives")  # fmt: skip
    strange = arrays.unlike_the_library(kept.weights, library)
    if strange:
        reasons.append(f"kept/{kept.folder.name}: {strange[0]} is not distributed like the library's initial weights")  # fmt: skip
    moving = [name for name, value in kept.loop["optimizer"].items() if getattr(value, "ndim", 0) and value.any()]  # fmt: skip
    if moving:
        reasons.append(f"kept/{kept.folder.name}: the optimizer has already made steps ({moving[0]} is not 0)")  # fmt: skip
    return reasons


def end_reasons(evidence, last, library):
    """Return why the final weights don't follow from the last ten steps. last, library  the Replays of these"""
    total, reasons = len(evidence.steps), []
    kept = evidence.checkpoint(total)
    if arrays.farthest(kept.weights, evidence.weights)[1]:
        reasons.append(f"weights.safetensors is not the last checkpoint, kept/{kept.folder.name}")
    if last.error or library.error:
        return [*reasons, "the replay of the last steps failed"]
    name, apart = arrays.farthest(last.weights, evidence.weights)
    allowed = max(WEIGHTS, min(MARGIN * arrays.farthest(last.weights, library.weights)[1], MOST))
    if apart > allowed:
        reasons.append(f"the last {LAST} steps, run again, don't lead to weights.safetensors: {name} is off by {apart:.2g}")  # fmt: skip
    return reasons


def between_reasons(evidence, loop):
    """Return where a run doesn't continue from one kept checkpoint to the next."""
    reasons, before = [], None
    for step in records.kept_steps(evidence, loop):
        kept = evidence.checkpoint(step)
        reasons += records.kept_reasons(evidence, kept, loop)
        if before is not None:
            cosine = arrays.alikeness(before.weights, kept.weights)
            if not cosine > arrays.ALIKE:
                reasons.append(f"the weights of step {step:,} don't come from those of step {before.step:,}: the cosine between them is {cosine:.3f}")  # fmt: skip
        found = losses.jump(evidence.losses, step)
        if found:
            reasons.append(f"the loss jumps at step {step:,}, from {found[0]:.3f} to {found[1]:.3f}: a run doesn't")  # fmt: skip
        before = kept
    return reasons
