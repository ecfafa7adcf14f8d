"""Grading: each exercise of each submission in its own process, with limits. This is not a sandbox."""

import csv
import io
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from minires import files, streams
from minires.backend import machine
from minires.course import apart, diagnosis, folder, manifest, runner
from minires.course.trouble import message, printable

COLUMNS = ("submission", "exercise", "name", "state", "mistake", "seconds", "message")
MOST = 1 << 20  # bytes of the largest file that is read


def grade(submissions, out, *, tests, seconds=20.0, memory=2048, only=None, jobs=None):
    """Run all exercises of all submissions, write a CSV table, and print a line per submission and the known mistakes.

    submissions  a folder: each folder in it is a submission, with the learner's files in it or in its folder `exercises`
    tests  the folder with the claims: those of a submission are ignored    seconds, memory (MiB)  limits per exercise
    only  ids of exercises; by default, all    jobs  how many run in parallel; by default, one per core

    Raises  ValueError: there is no submission, or a limit is impossible. OSError: the table cannot be written.
    """
    _check(seconds, memory, jobs)
    streams.take_any_text()  # the names of folders, for example
    folders = _folders(submissions)
    chosen = [manifest.exercises()[id] for id in dict.fromkeys(only or manifest.exercises())]
    table = _Table(out)
    mistakes = Counter()
    pool = ThreadPoolExecutor(jobs or machine.cores())
    try:
        coming = {
            path: [
                pool.submit(graded, exercise, path, tests, seconds, memory) for exercise in chosen
            ]
            for path in folders
        }
        for path in folders:
            results = [future.result() for future in coming[path]]
            table.add(_row(path, exercise, result) for exercise, result in zip(chosen, results))
            mistakes.update((exercise.id, result.mistake) for exercise, result in zip(chosen, results)
                            if result.mistake)  # fmt: skip
            count = Counter(result.state for result in results)
            states = [f"{count[state]} {state}" for state in runner.STATES if count[state]]
            print(f"{printable(path.name).replace(chr(10), chr(92) + 'n'):24} {', '.join(states)}")
    finally:
        pool.shutdown(cancel_futures=True)
    table.finish()
    print(f"table in {out}")
    tell(mistakes)
    return table.rows


def _check(seconds, memory, jobs):
    if not seconds > 0:
        raise ValueError(f"seconds: expected more than 0, got {seconds}")
    if memory < 0:
        raise ValueError(f"memory: expected 0 (no limit) or more MiB, got {memory}")
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs: expected at least 1, got {jobs}")


def _folders(submissions):
    """Return the submissions, sorted by name."""
    if not Path(submissions).is_dir():
        raise ValueError(f"expected a folder of submissions, got {submissions}")
    found = [path for path in Path(submissions).iterdir() if not path.name.startswith(".")]
    folders = sorted(filter(_is_submission, found))
    if not folders:
        raise ValueError(
            f"{submissions} contains no folders: each submission should be a folder in it"
        )
    return folders


def _is_submission(path):
    """Return True if it is a folder, or a broken link."""
    try:
        return path.is_dir() or (path.is_symlink() and not path.exists())
    except OSError:  # it cannot be read; its rows will say so
        return True


class _Table:
    """The CSV table, written again after each submission, so that the file is always complete.

    Grading continues if that fails, as on a full disk. If the path is not a file but a pipe or a device, the table is written
    once, at the end.
    """

    def __init__(self, path):
        self.path, self.rows = Path(path), []
        self._stream = self.path.exists() and not (self.path.is_file() or self.path.is_dir())
        if not self._stream:
            self._write()

    def add(self, rows):
        """Add a submission's rows."""
        self.rows.extend(rows)
        if not self._stream:
            with suppress(OSError):  # finish() raises it
                self._write()

    def finish(self):
        """Write all rows.

        Raises  OSError: it names the path. A file that was written before stays.
        """
        self._write()

    def _write(self):
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, COLUMNS)
        table.writeheader()
        for row in self.rows:
            table.writerow({key: harmless(value) for key, value in row.items()})
        data = text.getvalue().encode("utf-8", errors="backslashreplace")
        if not self._stream:
            files.write(self.path.resolve(), data)
            return
        with files.explained(self.path, len(data)), open(self.path, "wb") as stream:
            stream.write(data)


def _row(submission, exercise, result):
    text = " / ".join(map(str.strip, result.message.splitlines()))
    return {"submission": submission.name, "exercise": exercise.id, "name": exercise.name, "state": result.state,
            "mistake": result.mistake or "", "seconds": f"{result.seconds:.2f}", "message": text[:500]}  # fmt: skip


def tell(mistakes):
    """Print the mistakes that the class makes, the most common first."""
    if mistakes:
        print("known mistakes:")
    for (id, key), count in mistakes.most_common():
        exercise = manifest.exercises()[id]
        if key in exercise.all_mistakes():
            print(
                f"  {count:3d}  {id} {exercise.name}: {key}: {diagnosis.clause(exercise.all_mistakes()[key])}"
            )


def graded(exercise, submission, *limits):
    """Return the verdict on one exercise of one submission; an error here is a verdict too, and does not end the others."""
    try:
        return _run(exercise, submission, *limits)
    except Exception as error:
        told = f"could not be graded: {type(error).__name__}: {message(error)}"
        return runner.Result(runner.WRONG, message=told)


def _run(exercise, submission, tests, seconds, memory):
    """Return the verdict on one exercise of one submission, from copies of its files."""
    if submission.is_symlink() and not submission.is_dir():
        raise OSError("a link that leads nowhere")
    places = submission / exercise.file, submission / "exercises" / exercise.file
    theirs = next((path for path in places if path.is_file()), None)
    if theirs is None:
        return runner.Result(runner.NOT_STARTED, message=f"there is no {exercise.file}")
    if theirs.stat().st_size > MOST:
        return runner.Result(runner.WRONG, message=f"{exercise.file} is larger than {MOST:,} bytes")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        shutil.copyfile(theirs, Path(place, theirs.name))
        for path in theirs.parent.glob("e*.py"):  # an exercise may import another
            with suppress(OSError):
                if path != theirs and path.is_file() and path.stat().st_size <= MOST:
                    shutil.copyfile(path, Path(place, path.name))
        if folder.untouched(exercise, place):
            return runner.Result(runner.NOT_STARTED)
        started = time.perf_counter()
        options = {
            "cwd": place,
            "stdout": apart.DEVNULL,
            "env": {"OPENBLAS_NUM_THREADS": "1", "MINIRES_THREADS": "1"},
        }
        result = apart.run_apart(exercise, place, tests, limit=seconds, memory=memory, **options)
        return result._replace(seconds=time.perf_counter() - started)


def harmless(value):
    """Return a cell that a spreadsheet does not read as a formula."""
    return f"'{value}" if str(value)[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else value
