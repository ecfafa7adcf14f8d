"""The learner's progress: a readable text file next to the exercises, with one line per exercise."""

import hashlib
from pathlib import Path

from minires import files
from minires.course import folder, manifest, runner
from minires.course.apart import DEVNULL, run_apart, run_together

FILE = "progress.txt"
HEAD = "# Your progress, written by pytest and minires exercises. If you delete it, you lose only the count of hints.\n"
LIMIT = 60  # seconds for an exercise


def read(home):
    """Return id -> {"state", "file" (a mark of the learner's file at that time), "hints", "gave_up"} from the file."""
    entries = {}
    try:
        lines = (Path(home) / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return entries
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] in manifest.exercises():
            facts = dict(word.split("=", 1) for word in words[2:] if "=" in word)
            hints = facts.get("hints", "0")
            entries[words[0]] = {"state": facts.get("state", "").replace("-", " "), "file": facts.get("file", ""),
                                 "hints": int(hints) if hints.isdigit() else 0, "gave_up": facts.get("gave-up", ""),
                                 "mistake": facts.get("mistake", "")}  # fmt: skip
    return entries


def change(home, exercise, **facts):
    """Record facts of an exercise; the others stay. Returns False if the file cannot be written."""
    entries = read(home)
    entry = entries.setdefault(
        exercise.id, {"state": "", "file": "", "hints": 0, "gave_up": "", "mistake": ""}
    )
    before = dict(entry)
    entry.update(facts)
    if entry == before:
        return True
    lines = [HEAD]
    for id, one in manifest.exercises().items():
        if id in entries:
            told = {
                name.replace("_", "-"): str(value).replace(" ", "-")
                for name, value in entries[id].items()
                if value
            }
            lines.append(
                f"{id}  {one.name:20}  "
                + "  ".join(f"{name}={value}" for name, value in told.items())
                + "\n"
            )
    try:
        files.write(Path(home) / FILE, "".join(lines).encode())
    except OSError:
        return False
    return True


def mark(exercise, home, tests=None):
    """Return a few letters that change when the learner's file or its claims do."""
    digest = hashlib.sha256()
    for path in (Path(home) / exercise.file, Path(tests or home) / exercise.test):
        try:
            digest.update(path.read_bytes())
        except OSError:  # it does not exist, or an editor is writing it
            digest.update(b"none")
    return digest.hexdigest()[:12]


def note(home, exercise, state, mistake=None, *, tests=None):
    """Record the verdict on an exercise."""
    change(home, exercise, state=state, file=mark(exercise, home, tests), mistake=mistake or "")


def states(home, ids=None, *, tests=None):
    """Return id -> state, for all exercises or these. Those that changed since their last run are run now: first all in one
    process, then each that is not solved in its own.

    tests  the folder with the claims; by default, home
    """
    tests = tests or home
    known, found, changed = read(home), {}, []
    for id in ids or manifest.exercises():
        exercise, found[id] = manifest.exercises()[id], runner.NOT_STARTED
        if folder.untouched(exercise, home) or not (Path(home) / exercise.file).is_file():
            continue
        if known.get(id, {}).get("state") and known[id]["file"] == mark(exercise, home, tests):
            found[id] = known[id]["state"]
        else:
            changed.append(exercise)
    before = {exercise.id: mark(exercise, home, tests) for exercise in changed}
    together = (
        run_together(changed, home, tests, limit=LIMIT, stdout=DEVNULL) if len(changed) > 1 else {}
    )
    for exercise in changed:
        result, same = together.get(exercise.id), mark(exercise, home, tests) == before[exercise.id]
        if result and result.state == runner.SOLVED and same:
            note(home, exercise, result.state, tests=tests)
            found[exercise.id] = result.state
        else:
            found[exercise.id] = check(home, exercise, tests=tests).state
    return found


def check(home, exercise, *, limit=LIMIT, stdout=DEVNULL, tests=None):
    """Run an exercise in its own process, and record the verdict. Returns a runner.Result.

    limit  seconds, after which it counts as wrong    stdout  for what the learner's function prints, as in subprocess;
        what arrives through a pipe is printed    tests  the folder with the claims; by default, home
    """
    tests = tests or home
    before = mark(exercise, home, tests)
    result = run_apart(exercise, home, tests, limit=limit, stdout=stdout)
    # Otherwise it was saved meanwhile, and this verdict is on an older file.
    if mark(exercise, home, tests) == before:
        note(home, exercise, result.state, result.mistake, tests=tests)
    return result


def details(state, states, message):
    """Return what follows a state in a list: how many claims hold, or the first line of what is wrong."""
    held = f"{states.count(runner.SOLVED)} of {len(states)} claims hold"
    if state == runner.WRONG:
        lines = message.splitlines()
        known = [
            line.strip() for line in lines if line.strip().startswith("This is what comes out when")
        ]
        return f"{held}. {known[0] if known else lines[0] if lines else ''}"
    return held if state == runner.BEGUN else ""
