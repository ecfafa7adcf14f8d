"""Exercise 11d: the fraction of the gradient that the paths of each length carry, and what goes wrong with it."""

import math

from minires.backend import xp


def share_by_length(blocks, gain):
    """Return the fraction of the gradient that comes through the paths of length 0, 1, ..., blocks: (blocks + 1,), in float64.

    blocks  how many residual blocks there are in a row    gain  what the branch of each multiplies a gradient by
    """
    shares = [math.comb(blocks, k) * gain**k for k in range(blocks + 1)]
    return xp.array(shares) / sum(shares)


def _shares(blocks, term, *, whole=None):
    terms = [float(term(k)) for k in range(blocks + 1)]
    return xp.array(terms) / (sum(terms) if whole is None else whole)


def not_normalised(blocks, gain):
    """the sums are not divided by the sum over all paths: fractions add up to 1"""
    return _shares(blocks, lambda k: math.comb(blocks, k) * gain**k, whole=1.0)


def divided_by_the_count(blocks, gain):
    """the sums are divided by 2^blocks, the number of paths: the gradient of all paths together is (1 + gain)^blocks"""
    return _shares(blocks, lambda k: math.comb(blocks, k) * gain**k, whole=2.0**blocks)


def paths_counted(blocks, gain):
    """the paths are counted, and `gain` isn't used: a path counts by its gradient"""
    return _shares(blocks, lambda k: math.comb(blocks, k))


def one_path_each(blocks, gain):
    """there is one path of each length: there are C(blocks, k) of length k"""
    return _shares(blocks, lambda k: gain**k)


def gain_on_the_shortcut(blocks, gain):
    """the gain is on the shortcut: the branch multiplies by it, and the shortcut by 1"""
    return _shares(blocks, lambda k: math.comb(blocks, k) * gain ** (blocks - k))


def from_length_1(blocks, gain):
    """there is no path of length 0: the one along all the shortcuts takes no branch"""
    return _shares(blocks, lambda k: math.comb(blocks, k) * gain**k if k else 0.0)


def branch_less_gain(blocks, gain):
    """the shortcut multiplies by 1 - gain, as if the two shared the gradient: it multiplies by 1"""
    return _shares(blocks, lambda k: math.comb(blocks, k) * gain**k * (1 - gain) ** (blocks - k))


def squares_added(blocks, gain):
    """the squares of the gradients are added up"""
    return _shares(blocks, lambda k: math.comb(blocks, k) * gain ** (2 * k))


def in_order(blocks, gain):
    """a path counts once per order of its branches: blocks come in one order, so there are C(blocks, k) paths, not blocks! / (blocks - k)!"""
    return _shares(blocks, lambda k: math.perm(blocks, k) * gain**k)
