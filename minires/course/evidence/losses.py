"""Judgements on the losses of a run's steps: do they make up the log, and do they jump where a checkpoint was kept?"""

import math
from statistics import fmean

WINDOW = 15  # steps on either side of a checkpoint
JUMP = 8  # standard errors by which the two lines may miss each other, and
LEVEL = 0.15  # the fraction of the loss by which they may do so in any case


def epoch_loss(losses, counts):
    """Return the mean loss of an epoch, from those of its steps and the images in each."""
    return sum(loss * count for loss, count in zip(losses, counts)) / sum(counts)


def close(found, expected, tolerance):
    """Return True if two numbers agree, relative to the second. NaN agrees with nothing."""
    return abs(found - expected) <= tolerance * max(abs(expected), 1e-12)


def farthest(found, expected):
    """Return (index, relative difference) where two lists of numbers differ most."""
    apart = [abs(a - b) / max(abs(b), 1e-12) for a, b in zip(found, expected)]
    apart = [math.inf if math.isnan(each) else each for each in apart]
    worst = max(range(len(apart)), key=apart.__getitem__)
    return worst, apart[worst]


def jump(losses, at):
    """Return (before, after), the losses right before and after step `at`, if they lie too far apart for one run; otherwise None.

    They are the ends of two straight lines, fitted to WINDOW steps on either side. Where such a line ends, its variance is about four
    times that of a mean. The noise of a step is taken from second differences, in which a slope doesn't count.
    """
    before, after = losses[max(at - WINDOW, 0) : at], losses[at : at + WINDOW]
    if len(before) < WINDOW or len(after) < WINDOW:
        return None
    noise = max(_noise(before), _noise(after))
    end, begin = _end_of_line(before), _end_of_line(after[::-1])
    allowed = JUMP * noise * (8 / WINDOW) ** 0.5 + LEVEL * max(end, begin)
    return (end, begin) if not abs(begin - end) <= allowed else None


def _noise(losses):
    """Return the standard deviation of a step's loss about its trend."""
    bends = [a - 2 * b + c for a, b, c in zip(losses, losses[1:], losses[2:])]
    return (fmean(bend * bend for bend in bends) / 6) ** 0.5


def _end_of_line(losses):
    """Return where the least-squares line through losses ends, half a step after the last one."""
    middle = (len(losses) - 1) / 2
    at = [i - middle for i in range(len(losses))]
    slope = sum(i * loss for i, loss in zip(at, losses)) / sum(i * i for i in at)
    return fmean(losses) + slope * (middle + 0.5)
