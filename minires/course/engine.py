"""The learner's own functions in the engine: what is solved takes the library's place, and each call is counted."""

import functools
from collections import Counter
from contextlib import ExitStack, contextmanager

from minires import nn, ops
from minires.backend import using_threads
from minires.course import folder, manifest, progress, runner
from minires.course.standin import standing_in


WHOSE = {runner.SOLVED: "yours", runner.WRONG: "minires (yours is wrong)"}


class Report:
    """Whose code ran: for each exercise that is a part of the library, how often, and whether it was the learner's."""

    def __init__(self, states):
        self.states, self.calls = states, Counter()

    def note(self, id):
        """One call more."""
        self.calls[id] += 1

    def lines(self):
        """A line for each that was called; at the end those that were not."""
        lines, idle = [], []
        for id, state in self.states.items():
            exercise = manifest.exercises()[id]
            whose, count = WHOSE.get(state, "minires (not solved yet)"), self.calls[id]
            if count:
                lines.append(f"{exercise.name}: {whose}, {count:,} call{'s' if count > 1 else ''}")
            elif state == runner.SOLVED:
                idle.append(exercise.name)
        return lines + ([f"yours, but not needed here: {', '.join(idle)}"] if idle else [])

    def __str__(self):
        return "\n".join(self.lines()) or "none of the exercises is a part of what ran"


def yours(exercise):
    """The learner's function if it is solved, else the library's. Prints which."""
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
def mine(home=None):
    """For a while the learner's solved functions stand in the library's places, and those of the exercises that are not solved
    are counted. The ops run one by one: nothing is fused, folded, done by another algorithm, or on several threads at once.

        with course.mine() as report:
            train_epoch(...)
        print(report)

    home  the folder of exercises; without it the one of this clone
    """
    home = folder.find(home)
    part = {id: exercise for id, exercise in manifest.exercises().items() if exercise.target}
    states = progress.states(home, part)
    report, stand_ins = Report(states), {}
    with ExitStack() as stack:
        for id, exercise in part.items():
            original = manifest.resolve(exercise.target)
            function = original
            if states[id] == runner.SOLVED:
                module = folder.load(home / exercise.file)
                function = getattr(module, exercise.function)
                fitted = getattr(exercise.answers(), "in_engine", None)
                function = fitted(function) if fitted else function
            stand_ins[exercise.target] = counted(function, original, functools.partial(report.note, id), exercise.holes)
        stack.enter_context(nn.separate_ops())
        stack.enter_context(ops.algorithm("im2col"))
        stack.enter_context(using_threads(1))
        stack.enter_context(standing_in(stand_ins))
        yield report


def counted(function, original, note, holes=()):
    """The function, which notes each call; of a class a subclass, where each call of a method among the holes is noted."""
    if isinstance(original, type):
        methods = {name: counted(getattr(function, name), getattr(original, name), note) for name in holes or ["__init__"]}
        return type(original.__name__, (function,), {**methods, "__doc__": original.__doc__, "__module__": original.__module__})

    @functools.wraps(original)
    def noted(*inputs, **options):
        note()
        return function(*inputs, **options)

    return noted
