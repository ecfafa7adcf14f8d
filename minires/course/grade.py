"""Grading: each submission's exercises in processes of their own, with limits. It is no sandbox."""

import csv
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from minires.backend import machine
from minires.course import diagnosis, folder, manifest, progress, runner

COLUMNS = ("submission", "exercise", "name", "state", "mistake", "seconds", "message")
MOST = 1 << 20  # bytes of a learner's file that are read


def grade(submissions, out, *, tests, seconds=20.0, memory=2048, only=None, jobs=None):
    """Run all exercises of all submissions, write a table in CSV, print who solved how many and which mistakes were made.

    submissions  a folder: each folder in it is a submission, with the learner's files in it or in its folder `exercises`
    tests  the folder with the claims: those of a submission are not looked at    seconds, memory (MiB)  limits for an exercise
    only  ids of exercises; without it all    jobs  how many run side by side; without it one a core

    Raises  ValueError: there is no submission.
    """
    folders = sorted(
        path
        for path in Path(submissions).iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )
    if not folders:
        raise ValueError(f"{submissions} holds no folders: each submission is a folder in it")
    chosen = [manifest.exercises()[id] for id in only or manifest.exercises()]
    rows, mistakes = [], Counter()
    with (
        open(out, "w", newline="", encoding="utf-8") as file,
        ThreadPoolExecutor(jobs or machine.cores()) as pool,
    ):
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        coming = {
            path: [pool.submit(_run, exercise, path, tests, seconds, memory) for exercise in chosen]
            for path in folders
        }
        for path in folders:
            results = {
                exercise.id: future.result() for exercise, future in zip(chosen, coming[path])
            }
            for exercise in chosen:
                result = results[exercise.id]
                rows.append({"submission": path.name, "exercise": exercise.id, "name": exercise.name, "state": result.state,
                             "mistake": result.mistake or "", "seconds": f"{result.seconds:.2f}",
                             "message": " / ".join(map(str.strip, result.message.splitlines()))[:500]})  # fmt: skip
                table.writerow({key: harmless(value) for key, value in rows[-1].items()})
                mistakes.update([(exercise.id, result.mistake)] if result.mistake else [])
            file.flush()
            count = Counter(result.state for result in results.values())
            print(
                f"{path.name:24} "
                + ", ".join(f"{count[state]} {state}" for state in runner.STATES if count[state])
            )
    print(f"table in {out}")
    tell(mistakes)
    return rows


def tell(mistakes):
    """Print which mistakes the class makes, the commonest first."""
    if mistakes:
        print("mistakes that were recognised:")
    for (id, key), count in mistakes.most_common():
        exercise = manifest.exercises()[id]
        if key in exercise.all_mistakes():
            print(
                f"  {count:3d}  {id} {exercise.name}: {key}: {diagnosis.clause(exercise.all_mistakes()[key])}"
            )


def _run(exercise, submission, tests, seconds, memory):
    """What became of one exercise of one submission. Its file is copied: the submission stays as it is."""
    places = submission / exercise.file, submission / "exercises" / exercise.file
    theirs = next((path for path in places if path.is_file()), None)
    if theirs is None:
        return runner.Result(runner.NOT_STARTED, message=f"there is no {exercise.file}")
    if theirs.stat().st_size > MOST:
        return runner.Result(runner.WRONG, message=f"{exercise.file} is larger than {MOST:,} bytes")
    with tempfile.TemporaryDirectory() as place:
        for path in theirs.parent.glob("e*.py"):  # an exercise may import another
            if path.is_file() and path.stat().st_size <= MOST:
                shutil.copyfile(path, Path(place, path.name))
        if folder.untouched(exercise, place):
            return runner.Result(runner.NOT_STARTED)
        started = time.perf_counter()
        options = {
            "cwd": place,
            "stdout": progress.DEVNULL,
            "env": {"OPENBLAS_NUM_THREADS": "1", "MINIRES_THREADS": "1"},
        }
        result = progress.run_apart(exercise, place, tests, limit=seconds, memory=memory, **options)
        return result._replace(seconds=time.perf_counter() - started)


def harmless(value):
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{value}" if str(value)[:1] in ("=", "+", "-", "@", "\t", "\r") else value
