"""Fair timing: several ways of doing the same work take turns, round after round; medians over the rounds count."""

import math
import statistics
import time

KINDS = ("", " compiled")  # of PyTorch's ways: eager and compiled
PAUSE = 0.1  # seconds between two turns: threads of OpenMP and OpenBLAS keep spinning for a moment after their work


def alternated(ways, rounds, *, turn=0.0, synchronise=None):
    """Return the seconds per call of each way: name -> a number for each round. Every second round has the reverse order, and one
    more round before them is a warm-up.

    ways  name -> a function without arguments
    turn  seconds: a way is called again until its turn is over, after a first call that is not counted
    synchronise  waits for a device that is still busy after a call has returned. The first call, which is waited for, says how
        often a way is called in its turn; then it is waited for once, at the end
    """
    seconds = {name: [] for name in ways}
    for i in range(rounds + 1):
        for name in list(ways)[:: 1 if i % 2 else -1]:
            time.sleep(PAUSE)
            taken = _one_turn(ways[name], turn, synchronise)
            if i:
                seconds[name].append(taken)
    return seconds


def _one_turn(way, turn, synchronise):
    way()  # threads wake up, caches fill, memory is reused: that happens once in a training run, and not in each step
    if synchronise is None:
        return _seconds(way, turn)
    one = of_calls(way, 1, synchronise)
    return of_calls(way, math.ceil(turn / one), synchronise) if one < turn else one


def of_calls(way, calls, synchronise):
    """Return the seconds of a call, on average over `calls` calls, from an idle device to an idle device."""
    synchronise()
    begun = time.perf_counter()
    for _ in range(calls):
        way()
    synchronise()
    return (time.perf_counter() - begun) / calls


def _seconds(way, turn):
    """Return the seconds of a call, on average over as many as fit in `turn` seconds, and at least one."""
    begun, calls, now = time.perf_counter(), 0, 0.0
    while not calls or now < turn:
        way()
        calls, now = calls + 1, time.perf_counter() - begun
    return now / calls


def spread(values):
    """Return {"median", "min", "max"} of numbers."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def best(seconds, names):
    """Return the name with the lowest median, or None if there are no names."""
    return min(names, key=lambda name: statistics.median(seconds[name]), default=None)


def rates(seconds, work):
    """Return `work` per second for each way, and how they compare, from what alternated() returned.

    "pytorch" is the best of the eager ways whose names begin with "PyTorch", "pytorch compiled" the best of the compiled ones;
    "ratio" and "ratio compiled" are minires's rate / theirs, from round to round.
    """
    figures = {
        "rate": {
            name: spread([work / value for value in values]) for name, values in seconds.items()
        }
    }
    theirs = [name for name in seconds if name.startswith("PyTorch")]
    for kind in KINDS:
        names = [name for name in theirs if ("compiled" in name) == bool(kind)]
        peer = best(seconds, names)
        if peer or not kind:
            figures[f"pytorch{kind}"] = peer
        if peer and "minires" in seconds:
            figures[f"ratio{kind}"] = spread(
                [other / ours for ours, other in zip(seconds["minires"], seconds[peer])]
            )
    return figures


def report(title, figures, unit):
    """Print what rates() returned."""
    print(f"  {title}")
    width = max(30, *map(len, figures["rate"]))
    for name, rate in figures["rate"].items():
        print(f"    {name:{width}} {shown(rate)} {unit}")
    for kind in KINDS:
        if f"ratio{kind}" in figures:
            name = f"minires / {figures[f'pytorch{kind}']}"
            print(f"    {name:{width}} {shown(figures[f'ratio{kind}'])}", flush=True)


def shown(values):
    """Return a spread as text, to three digits."""
    digits = max(0, 2 - math.floor(math.log10(values["median"] or 1)))
    return f"{values['median']:9,.{digits}f}   ({values['min']:,.{digits}f} to {values['max']:,.{digits}f})"
