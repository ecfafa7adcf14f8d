"""Commands for exercises: progress, check, watch, hint, reset, solution."""

import inspect
import re
import sys
import time
from pathlib import Path

from minires import files
from minires.course import manifest, progress, runner, stubs
from minires.course.folder import as_provided, untouched

SIGNS = {runner.SOLVED: "+", runner.WRONG: "x", runner.BEGUN: "~", runner.NOT_STARTED: "."}


def status(home, chapter=None):
    """Print the table, one line per exercise: all of them, or those of a chapter."""
    listed = {
        id: one
        for id, one in manifest.exercises().items()
        if chapter is None or one.chapter == chapter
    }
    if not listed:
        last = max(one.chapter for one in manifest.exercises().values())
        raise ValueError(f"status: expected a chapter from 0 to {last}, got {chapter!r}")
    states, known, headed = progress.states(home, list(listed)), progress.read(home), None
    for id, exercise in listed.items():
        if exercise.chapter != headed:
            headed = exercise.chapter
            print(f"chapter {headed:02d}")
        hints = known.get(id, {}).get("hints", 0)
        asked = f"  {hints} of 3 hints" if hints else ""
        kind = "" if exercise.kind == "write" else f" ({exercise.kind})"
        print(f"  {SIGNS[states[id]]} {id}  {exercise.name:20} {states[id]:12} {exercise.minutes:3d} min  "
              f"{exercise.title}{kind}{asked}")  # fmt: skip
    solved = list(states.values()).count(runner.SOLVED)
    minutes = sum(
        exercise.minutes for id, exercise in listed.items() if states[id] != runner.SOLVED
    )
    bar = "#" * round(20 * solved / len(states))
    print(
        f"[{bar:20}] {solved} of {len(states)} solved"
        + (f"; the others take about {minutes} minutes" if minutes else "")
    )
    coming = following(states)
    if coming:
        print(
            f"next: exercises/{coming.file} (minires exercises check {coming.id}, minires exercises hint {coming.id})"
        )


def following(states):
    """Return the first exercise that is not solved, or None."""
    return next(
        (manifest.exercises()[id] for id, state in states.items() if state != runner.SOLVED), None
    )


def coming(home):
    """Print which exercise comes next, and what it asks for."""
    exercise = following(progress.states(home))
    if exercise is None:
        print("All exercises are solved. minires train --mine trains a network on your functions.")
        return
    print(f"{exercise.id}  {exercise.name}: {exercise.title}. Chapter {exercise.chapter:02d}, about {exercise.minutes} minutes, "
          f"{exercise.kind}")  # fmt: skip
    if exercise.needs:
        print(
            f"  builds on  {', '.join(f'{id} {manifest.exercises()[id].name}' for id in exercise.needs)} (minires has them too)"
        )
    print(f"  write in   {Path(home) / exercise.file}\n  check      minires exercises check {exercise.id}\n"
          f"  or         pytest exercises/{exercise.test}\n  a hint     minires exercises hint {exercise.id}")  # fmt: skip


def check(home, exercise, stream=None, *, timed=True):
    """Run an exercise and print the verdict. Returns its state.

    stream  a file for what the learner's function prints, or None for this process's stdout
    timed  whether to print how long it took, if that is a second or more
    """
    if not (Path(home) / exercise.file).is_file():
        print(f"there is no {exercise.file}: minires exercises reset {exercise.id} brings it back")
        return runner.NOT_STARTED
    if exercise.kind != "bug hunt" and as_provided(exercise, home):
        result = runner.Result(runner.NOT_STARTED)  # without a process, which takes half a second
    else:
        result = progress.check(home, exercise, stdout=stream)
    print(verdict(exercise, result, timed=timed))
    return result.state


def check_begun(home):
    """Check all exercises that have been started, one after the other. Returns their states."""
    begun = [
        one
        for one in manifest.exercises().values()
        if (Path(home) / one.file).is_file() and not untouched(one, home)
    ]
    states = [check(home, exercise) for exercise in begun]
    if not begun:
        print(
            f"nothing is started yet; the first exercise is {next(iter(manifest.exercises().values())).file}"
        )
    return states


def verdict(exercise, result, *, timed=True):
    """Return the verdict as text: the claims, and what is wrong with the first that does not hold."""
    took = f" ({result.seconds:.1f} s)" if timed and result.seconds >= 1 else ""
    lines = [f"{exercise.id}  {exercise.name}: {result.state}{took}"]
    if result.state != runner.NOT_STARTED:
        lines += [
            f"  {SIGNS[claim.state]} {claim.name.removeprefix('test_').replace('_', ' ')}"
            for claim in result.claims
        ]
    if result.message:
        lines += ["", *(f"  {line}" for line in result.message.splitlines())]
    if result.state == runner.NOT_STARTED:
        lines.append(
            f"  write it in exercises/{exercise.file}; for a hint, run minires exercises hint {exercise.id}"
        )
    return "\n".join(lines)


def watch(home, exercise=None, *, every=0.5, rounds=None):
    """Check an exercise whenever its file is saved; by default, all of them. Ctrl-C ends it.

    every  seconds between two looks    rounds  how many looks; by default, no limit
    """
    watched = [exercise] if exercise else list(manifest.exercises().values())
    marks = {one.id: progress.mark(one, home) for one in watched}
    if exercise:
        check(home, exercise)
    print(f"watching {exercise.file if exercise else home}; press Ctrl-C to stop", flush=True)
    while rounds is None or rounds > 0:
        time.sleep(every)
        rounds = None if rounds is None else rounds - 1
        for one in watched:
            now = progress.mark(one, home)
            if now != marks[one.id]:
                marks[one.id] = now
                check(home, one)
                sys.stdout.flush()


def hint(home, exercise):
    """Print the hints so far, and one more."""
    shown = min(progress.read(home).get(exercise.id, {}).get("hints", 0) + 1, len(exercise.hints))
    kept = progress.change(home, exercise, hints=shown)
    for i, text in enumerate(exercise.hints[:shown], start=1):
        print(f"{exercise.id}  hint {i} of {len(exercise.hints)}: {text.strip()}")
    if shown == len(exercise.hints):
        print(
            f"That was the last hint: minires exercises solution {exercise.id} --give-up shows the answer."
        )
    elif not kept:
        print(
            f"{Path(home) / progress.FILE} cannot be written: the next call shows the same hint again"
        )


def reset(home, exercise):
    """Restore the original file, and keep the learner's in the folder `backup`.

    Raises  OSError: one of the two files cannot be written. The learner's stays.
    """
    path = Path(home) / exercise.file
    if as_provided(exercise, home):
        print(f"{path} has not changed")
        return
    if path.is_file():
        kept, text = _free(Path(home) / "backup" / exercise.file), path.read_bytes()
        with files.explained(kept, len(text)):
            kept.parent.mkdir(exist_ok=True)
        files.write(kept, text)
        print(f"your version is saved in {kept}")
    stubs.write(exercise, home)
    print(f"restored {path}")


def _free(path):
    """Return this path with the first number that is free."""
    number = 1
    while (numbered := path.with_stem(f"{path.stem}.{number}")).exists():
        number += 1
    return numbered


def solution(home, exercise, *, give_up=False):
    """Print the answer if the exercise is solved or given up. Returns True if it did."""
    solved = progress.states(home, [exercise.id])[exercise.id] == runner.SOLVED
    if not (solved or give_up or progress.read(home).get(exercise.id, {}).get("gave_up")):
        print(
            f"{exercise.id} is not solved yet; for a hint, run minires exercises hint {exercise.id}; --give-up shows the answer"
        )
        return False
    if not solved:
        progress.change(home, exercise, gave_up="yes")
    if exercise.library:
        print(f"# in minires: {exercise.library}")
        print(inspect.getsource(inspect.unwrap(exercise.reference())))
    else:
        print("\n\n".join(_with_helpers(exercise.reference())))
    return True


def _with_helpers(function):
    """Return the sources of the helpers that a function of an answer file calls, and its own, in the order of the file."""
    module, found, waiting = vars(inspect.getmodule(function)), {}, [function]
    while waiting:
        one = waiting.pop()
        found[one.__name__] = inspect.getsource(one)
        helpers = (module.get(name) for name in re.findall(r"\b_[A-Za-z]\w*", found[one.__name__]))
        waiting += [
            helper
            for helper in helpers
            if inspect.getmodule(helper) is inspect.getmodule(function)
            and helper.__name__ not in found
        ]
    return [found[name] for name in module if name in found]
