"""Run the claims of an exercise on a learner's file, in this process and without pytest: python -m minires.course.runner."""

import argparse
import json
import os
import sys
import time
import traceback
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from minires import streams
from minires.course import diagnosis, folder, manifest, surroundings
from minires.course.check import unstarted
from minires.course.contained import contained
from minires.course.trouble import trouble

NOT_STARTED, BEGUN, WRONG, SOLVED = "not started", "begun", "wrong", "solved"
STATES = (SOLVED, BEGUN, WRONG, NOT_STARTED)


class Claim(NamedTuple):
    """The verdict on one claim. state  SOLVED, WRONG or NOT_STARTED    error  the exception, if it does not hold."""

    name: str
    state: str
    error: BaseException | None = None


class Result(NamedTuple):
    """The verdict on an exercise."""

    state: str
    claims: list = []
    message: str = ""
    mistake: str | None = None
    seconds: float = 0.0


def run(exercise, yours, tests=None):
    """Run an exercise on the learner's file in the folder `yours`, with the claims in the folder `tests` (by default, the same)."""
    started = time.perf_counter()
    path = Path(yours) / exercise.file
    if not path.is_file():
        return Result(NOT_STARTED, message=f"there is no {exercise.file}")
    try:
        with contained():
            module = folder.load(path)
    except Exception as error:
        return Result(
            WRONG, message=trouble(error, path.parent), seconds=time.perf_counter() - started
        )
    return judge(exercise, module, Path(tests or yours), folder.untouched(exercise, yours), started)


def judge(exercise, module, tests, untouched=False, started=None, first=False):
    """Run the claims on a module that has the function.

    untouched  True if it is still as provided: then no claim counts as started, although some may hold in a bug hunt
    first  stop at the first claim that does not hold
    """
    started = time.perf_counter() if started is None else started
    sys.modules[exercise.module] = module
    claims = []
    try:
        with contained():
            found = claims_of(exercise, tests)
    except ImportError:
        return Result(WRONG, message=f"{exercise.file} has no {exercise.function}")
    for name, claim in found:
        try:
            with contained(), surroundings.unchanged():
                claim()
        except Exception as error:
            hole = untouched or unstarted(error, exercise)
            claims.append(Claim(name, NOT_STARTED if hole else WRONG, error))
            # What its frames refer to may leave too little memory for what follows.
            traceback.clear_frames(error.__traceback__)
            if first:
                break
        else:
            claims.append(Claim(name, NOT_STARTED if untouched else SOLVED))
    wrong = next((claim for claim in claims if claim.state == WRONG), None)
    mistake = _mistake(exercise, claims, tests) if wrong and not first else None
    message = f"{wrong.name}: {trouble(wrong.error, _home(module))}" if wrong else ""
    if untouched and exercise.kind == "bug hunt":
        message = next(
            (clue(claim.name, claim.error, _home(module)) for claim in claims if claim.error), ""
        )
    return Result(
        overall(claim.state for claim in claims),
        claims,
        message,
        mistake,
        time.perf_counter() - started,
    )


def _mistake(exercise, claims, tests):
    """Return the key of the known mistake that the claims point to, or None; add its sentence to the errors."""
    outcomes = [... if claim.state == NOT_STARTED else claim.error for claim in claims]
    key = None
    # What the learner's code has changed in NumPy, for example, may break even this.
    with suppress(Exception), contained():
        path = Path(tests) / exercise.test
        stamp = str(path), path.stat().st_mtime_ns
        key = diagnosis.of(exercise, outcomes, partial(claims_of, exercise, tests), stamp)
    for claim in claims:
        if key and claim.state == WRONG:
            name(claim.error, exercise, key)
    return key


def name(error, exercise, key):
    """Add the sentence about a known mistake to an error."""
    with suppress(Exception):  # the learner's own class may refuse it
        error.add_note(f"  {diagnosis.sentence(exercise.all_mistakes()[key])}")


def clue(name, error, home):
    """Return a claim's message on a bug hunt as provided: it shows where the bug appears, and not what it is."""
    lines = trouble(error, home).splitlines()
    return "\n".join([f"as provided, {name}: {lines[0]}", *lines[1:]])


def overall(states):
    """Return the state of an exercise from those of its claims: wrong if one is; solved if all hold; not started if none is."""
    states = set(states)
    if WRONG in states:
        return WRONG
    if NOT_STARTED in states:
        return BEGUN if SOLVED in states else NOT_STARTED
    return SOLVED if states else NOT_STARTED


def claims_of(exercise, tests):
    """Return the claims, [(name, function)], which use the learner's module that is now in sys.modules.

    Raises  any error of importing the learner's function.
    """
    path = Path(tests) / exercise.test
    space = {"__name__": path.stem, "__file__": str(path)}
    exec(_compiled(path, path.stat().st_mtime_ns), space)
    return [
        (name, value)
        for name, value in space.items()
        if name.startswith("test_") and callable(value)
    ]


@cache
def _compiled(path, _):
    return compile(path.read_text(encoding="utf-8"), str(path), "exec")


def _home(module):
    return Path(getattr(module, "__file__", None) or ".").parent


def _limit(seconds, memory):
    """Limit this process, for good: memory, processor time, the size of a file, and no core dump."""
    try:
        import resource
    except ImportError:  # Windows
        return
    bounds = {resource.RLIMIT_AS: memory << 20, resource.RLIMIT_CPU: int(seconds) + 1, resource.RLIMIT_FSIZE: 64 << 20,
              resource.RLIMIT_CORE: 0}  # fmt: skip
    for which, bound in bounds.items():
        try:
            resource.setrlimit(which, (bound, bound))
        except (ValueError, OSError):  # macOS has no memory limit
            pass


def main(arguments=None):
    """Run exercises and write each verdict to a file, as a line of JSON. The first line of stdin is a token for these."""
    parser = argparse.ArgumentParser(prog="python -m minires.course.runner", description=__doc__)
    parser.add_argument("ids", nargs="+")
    parser.add_argument("--yours", required=True, help="the folder with the learner's files")
    parser.add_argument("--tests", required=True, help="the folder with the claims")
    parser.add_argument("--out", required=True, help="the file to write the verdicts to")
    parser.add_argument(
        "--memory",
        type=int,
        help="MiB; this limit and those on time and files apply where the system supports them",
    )
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args(arguments)
    if options.memory:
        _limit(options.seconds, options.memory)
    streams.take_any_text()
    token, out = sys.stdin.readline().strip(), Path(options.out)
    # Last, so that no file there hides a module.
    sys.path.append(str(Path(options.yours).resolve()))
    for id in options.ids:
        result = run(
            manifest.exercise(id), Path(options.yours).resolve(), Path(options.tests).resolve()
        )
        claims = [[claim.name, claim.state] for claim in result.claims]
        line = {"token": token, "id": id, **result._asdict(), "claims": claims}
        with open(out, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # without waiting for threads that the learner's code left running
