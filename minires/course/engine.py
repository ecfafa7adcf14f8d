"""The learner's functions in the engine: those that are solved replace the library's, and each call is counted."""

import functools
import inspect
import threading
from collections import Counter
from contextlib import contextmanager, nullcontext
from pathlib import Path

from threadpoolctl import threadpool_limits

from minires import ops
from minires.backend import settings, using_threads
from minires.course import chunks, folder, manifest, progress, runner, sealed
from minires.ops.forms import FUNCTIONS

WHOSE = {runner.SOLVED: "yours", runner.WRONG: "minires (yours is wrong)"}


class Report:
    """A report of whose code ran: for each exercise that is part of the library, how often, and whether it was the learner's.

    states  id of each exercise -> its state    home  the folder of exercises
    calls   id -> calls of the op               chunks  id -> calls of the function: one per chunk where a call is cut
    tried   ids of exercises whose functions called the library's, if that is sealed
    """

    def __init__(self, states, home):
        self.states, self.home, self.calls, self.chunks = states, home, Counter(), Counter()
        self.tried, self.lock = [], threading.Lock()

    def note(self, id):
        """Count a call; where one was cut into chunks, each is a call of the function, and the first counts for all."""
        with self.lock:
            self.calls[id] += chunks.is_counted()
            self.chunks[id] += 1

    def files(self):
        """Return the learner's files that run: name -> bytes."""
        solved = [id for id, state in self.states.items() if state == runner.SOLVED]
        names = [manifest.exercises()[id].file for id in solved]
        return {name: (self.home / name).read_bytes() for name in names}

    def facts(self):
        """Return id -> [calls, whether the function is the learner's] of each exercise that was called, in order."""
        called = {id: self.calls[id] for id in self.states if self.calls[id]}
        return {id: [calls, self.states[id] == runner.SOLVED] for id, calls in called.items()}

    def not_yours(self):
        """Return a sentence on the functions that were called and aren't the learner's, or None."""
        facts = self.facts()
        names = [
            f"{id} {manifest.exercises()[id].name}" for id, (_, own) in facts.items() if not own
        ]
        if not names:
            return None
        return (
            f"{len(names)} of the {len(facts)} functions that have run are minires's, not yours: {', '.join(names)}. "
            "What you solve from now on doesn't count for this run"
        )

    def state_dict(self):
        """Return the calls so far, which a checkpoint of `train --mine` contains."""
        return {"calls": dict(self.calls), "chunks": dict(self.chunks)}

    def load_state_dict(self, state):
        """Continue from where state_dict() was called."""
        for counts, saved in (self.calls, state["calls"]), (self.chunks, state["chunks"]):
            counts.clear()
            counts.update(saved)

    def rows(self):
        """Return (name, calls, whether it is the learner's) of each exercise that was called, in order."""
        names = {id: manifest.exercises()[id].name for id in self.states if self.calls[id]}
        return [
            (name, self.calls[id], self.states[id] == runner.SOLVED) for id, name in names.items()
        ]

    def lines(self):
        """Return a line for each that was called, and one for those that were not."""
        lines, idle = [], []
        for id, state in self.states.items():
            exercise = manifest.exercises()[id]
            whose, count = WHOSE.get(state, "minires (not solved yet)"), self.calls[id]
            if count:
                cut = f", in {self.chunks[id]:,} chunks" if self.chunks[id] > count else ""
                calls = f"{count:,} call{'s' if count > 1 else ''}{cut}"
                lines.append(f"{exercise.name}: {whose}, {calls}")
            elif state == runner.SOLVED:
                idle.append(exercise.name)
        return lines + ([f"yours, but not needed here: {', '.join(idle)}"] if idle else [])

    def __str__(self):
        return "\n".join(self.lines()) or "none of the exercises is part of what ran"


def yours(exercise):
    """Return the learner's function if it is solved, otherwise the library's. Prints which."""
    try:
        home = folder.find()
        state = progress.states(home, [exercise.id])[exercise.id]
    except folder.NoExercises:
        home, state = None, runner.NOT_STARTED
    if state == runner.SOLVED:
        print(f"{exercise.function}: yours")
        return getattr(folder.load(home / exercise.file), exercise.function)
    print(f"{exercise.function}: minires ({state})")
    return exercise.reference()


@contextmanager
def mine(home=None, *, tests=None, threads=None, seal=False):
    """Context manager: run the library on the learner's solved functions, and count their calls and those of the library's.

    Only plain forms run: nothing is fused, folded or computed by a different algorithm. Ops that treat each example by itself
    run on chunks of the batch, several at a time (minires/course/chunks.py), with the same bits on any number of threads.

        with course.mine() as report:
            train_epoch(...)
        print(report)

    home  the folder of exercises; by default, that of this clone
    tests  the folder with the claims, if `home` contains only the learner's files
    threads  for the chunks; by default, as many as the library uses
    seal  the library's counterparts of the learner's functions raise; see minires.course.sealed
    """
    home = folder.find(home) if tests is None else Path(home)
    parts = {id: exercise for id, exercise in manifest.exercises().items() if exercise.target}
    states = progress.states(home, parts, tests=tests)
    report = Report(states, home)
    solved = [id for id in parts if states[id] == runner.SOLVED]
    # Sealed before the learner's files are loaded, so that they find nothing to keep.
    shut = sealed.sealed(parts[id] for id in solved) if seal else nullcontext([])
    with shut as report.tried:
        stand_ins = _stand_ins(parts, solved, home, report)
        threads = settings().threads if threads is None else threads
        with ops.plain(), using_threads(threads), threadpool_limits(1, user_api="blas"):
            with ops.standing_in(stand_ins):
                yield report


def _stand_ins(parts, solved, home, report):
    """Return the replacements of all exercises' targets, by the names of these.

    Where several exercises replace a function, those that are solved come first, and the later ones before the earlier ones.
    """
    found = {}
    for id in [*reversed(solved), *(id for id in parts if id not in solved)]:
        exercise, whose = parts[id], home if id in solved else None
        found.setdefault(manifest.form_name(exercise.target), []).append(
            _stand_in(exercise, whose, functools.partial(report.note, id))
        )
    return {name: chunks.cut(name, _first(several, name)) for name, several in found.items()}


def _stand_in(exercise, home, note):
    """Return the replacement for an exercise's target, which calls note() each time: the learner's function, or without a home the library's."""
    written = (
        getattr(folder.load(home / exercise.file), exercise.function)
        if home
        else exercise.reference()
    )
    fitted = getattr(exercise.answers(), "in_engine", None)
    if inspect.isclass(written):
        return fitted(counted(written, note, exercise.holes))
    if home is None:
        return counted(manifest.resolve(exercise.target).default, note)
    own = counted(written, note)
    return fitted(own) if fitted else own


def _first(functions, name):
    """Return a function that calls these in order, until one doesn't return NotImplemented; in the end, the library's."""

    @functools.wraps(FUNCTIONS[name].plain)
    def first(*inputs, **options):
        for function in (*functions, FUNCTIONS[name].default):
            made = function(*inputs, **options)
            if made is not NotImplemented:
                return made

    return first


def counted(function, note, holes=()):
    """Return the function, which calls note() each time; for a class, a subclass in which each of the methods `holes` does."""
    if inspect.isclass(function):
        methods = {name: counted(getattr(function, name), note) for name in holes or ["__init__"]}
        return type(
            function.__name__,
            (function,),
            {**methods, "__doc__": function.__doc__, "__module__": function.__module__},
        )

    @functools.wraps(function)
    def noted(*inputs, **options):
        note()
        return function(*inputs, **options)

    return noted
