"""The table: of each exercise, what its claims accept and reject. python -m tests.course prints it."""

from typing import NamedTuple

from minires.course import runner
from tests.course import excuses as reasons
from tests.course import mutants
from tests.course.trials import OutOfTime, built, solutions, source, tried, within

SECONDS = 10  # for a mutant


class Row(NamedTuple):
    """Counts for an exercise, and sentences about what is not as it should be."""

    id: str
    name: str
    right: int = 0
    accepted: int = 0
    wrong: int = 0  # known mistakes, their second spellings, and others
    rejected: int = 0
    spellings: int = 0  # second spellings of known mistakes
    named: int = 0  # of those
    mutants: int = 0
    killed: int = 0
    excused: int = 0
    faults: tuple = ()


def judged(exercise):
    """The Row of an exercise, without mutants."""
    faults = []
    right = solutions(exercise, "right")
    results = [
        (function.__name__, tried(exercise, function))
        for function in [built(exercise, source(exercise)), *right]
    ]
    accepted = sum(result.state == runner.SOLVED for _, result in results)
    faults += [
        f"{name} is right and rejected: {result.message}"
        for name, result in results
        if result.state != runner.SOLVED
    ]
    known, rejected = exercise.mistakes(), 0
    for key, function in known.items():
        result = tried(exercise, function)
        rejected += result.state == runner.WRONG
        if result.state != runner.WRONG or result.mistake != key:
            faults.append(
                f"the known mistake {key} comes out as {result.state}, {result.mistake}: {result.message}"
            )
    if exercise.kind == "bug hunt":
        found = tried(exercise, exercise.answers().hunted)
        faults += (
            [f"the file as provided is {found.state}, {found.mistake}"]
            if found.mistake != "hunted"
            else []
        )
    wrong, named = solutions(exercise, "wrong"), 0
    for function in wrong:
        result = tried(exercise, function)
        fault = _rejection(function, result)
        rejected += fault is None
        faults += [fault] if fault else []
        named += bool(function.mistake) and result.mistake == function.mistake
    spellings = [function for function in wrong if function.mistake]
    missing = set(known) - {function.mistake for function in spellings}
    faults += [f"{key} has no second spelling" for key in sorted(missing)]
    faults += [
        f"{function.__name__}: there is no known mistake {function.mistake}"
        for function in spellings
        if function.mistake not in known
    ]
    return Row(exercise.id, exercise.name, len(right) + 1, accepted, len(wrong) + len(known), rejected, len(spellings), named,
               faults=tuple(faults))  # fmt: skip


def _rejection(function, result):
    """Return what is wrong with the rejection of a wrong solution; None if nothing is."""
    claims = {claim.name: claim for claim in result.claims}
    claim = claims.get(function.claim)
    if claim is None:
        return f"{function.__name__}: there is no claim {function.claim}"
    if claim.state != runner.WRONG:
        return f"{function.__name__} passes {function.claim} ({result.state}: {result.message})"
    if not isinstance(claim.error, AssertionError) and not function.crashes:
        return f"{function.__name__} is not rejected by an assertion of {function.claim}, it raises {claim.error!r}"
    return None


def mutated(exercise, row):
    """The Row with its mutants: killed, or excused by a reason in survivors/."""
    count = killed = excused = 0
    used = set()
    faults, excuses = list(row.faults), reasons.read().get(exercise.id, {})
    for told, tree in mutants.mutants(source(exercise), exercise.holes):
        count += 1
        if dies(exercise, tree):
            killed += 1
        elif told in excuses:
            excused += 1
            used.add(told)
        else:
            faults.append(f"a mutant lives: {told}")
    faults += [
        f"survivors/ names a mutant that does not live: {told}" for told in set(excuses) - used
    ]
    return row._replace(mutants=count, killed=killed, excused=excused, faults=tuple(faults))


def dies(exercise, tree):
    """Return True if the claims reject a mutant."""
    try:
        with within(SECONDS):
            return tried(exercise, built(exercise, tree), first=True).state != runner.SOLVED
    except (OutOfTime, Exception):
        return True


def text(rows):
    """The table."""
    head = f"{'exercise':26} {'right':>11} {'wrong':>11} {'2nd spelling':>13} {'mutants':>17}"
    lines = [
        head,
        f"{'':26} {'accepted':>11} {'rejected':>11} {'named':>13} {'killed (excused)':>17}",
    ]
    total = Row("", "all together", *(sum(column) for column in zip(*(row[2:-1] for row in rows))))
    for row in [*rows, total]:
        lines.append(f"{row.id:4} {row.name:21} {_of(row.accepted, row.right):>11} {_of(row.rejected, row.wrong):>11} "
                     f"{_of(row.named, row.spellings):>13} {_of(row.killed, row.mutants):>12} ({row.excused:2})")  # fmt: skip
    share = f"{100 * total.named / max(total.spellings, 1):.1f} % of second spellings named"
    if total.mutants:
        share += f", {100 * total.killed / total.mutants:.1f} % of mutants killed"
    lines.append(f"{len(rows)} exercises; {share}")
    return "\n".join(lines)


def _of(part, whole):
    return f"{part} of {whole}"
