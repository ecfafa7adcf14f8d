"""Whose code trained a network, and do the claims pass on it?"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from minires.course import grade, manifest, progress, runner

SECONDS, MEMORY = 60, 4096  # limits for the claims of an exercise: MiB
FIRST = 160  # characters of what is wrong with one


def learners(evidence):
    """Return the ids of the exercises that the run calls the learner's, in order."""
    return [id for id in manifest.exercises() if evidence.calls.get(id, (0, False))[1]]


def owner_reasons(evidence, allowed):
    """Return why the code of a run isn't the learner's own. allowed  ids that may be the library's"""
    known, calls = manifest.exercises(), evidence.calls
    strange = [id for id in calls if id not in known or not known[id].target]
    reasons = [f"result.json: there is no exercise {id} that could run" for id in strange]
    theirs = [id for id in known if id in calls and not calls[id][1] and id not in allowed]
    if theirs:
        listed = ", ".join(f"{id} {known[id].name}" for id in theirs)
        reasons.append(f"the library's code ran in place of {listed}")
    if not learners(evidence):
        reasons.append("none of the code that ran was the learner's")
    return reasons


def claims_reasons(evidence, tests, home, jobs):
    """Run the claims on the learner's files, each exercise in its own process, and return why they don't pass.

    tests  the folder with the verifier's claims    home  an empty folder: the files are copied there, and the verdicts noted,
    so that engine.mine(home) uses those that passed    jobs  how many run in parallel
    """
    home, reasons = Path(home), []
    for path in sorted(evidence.exercises.glob("e*.py")):
        with suppress(OSError):
            if path.is_file() and path.stat().st_size <= grade.MOST:
                shutil.copyfile(path, home / path.name)
    chosen = [manifest.exercises()[id] for id in learners(evidence)]
    with ThreadPoolExecutor(jobs) as pool:
        coming = [pool.submit(grade.graded, one, home, tests, SECONDS, MEMORY) for one in chosen]
        results = {one.id: future.result() for one, future in zip(chosen, coming)}
    for id, exercise in manifest.exercises().items():
        state = results[id].state if id in results else runner.WRONG
        if (home / exercise.file).is_file():
            progress.note(home, exercise, state, tests=tests)
    for id, result in results.items():
        if result.state != runner.SOLVED:
            first = next(iter(result.message.splitlines()), "")[:FIRST]
            reasons.append(f"{id} {manifest.exercises()[id].name} is {result.state}{f': {first}' if first else ''}")  # fmt: skip
    return reasons
