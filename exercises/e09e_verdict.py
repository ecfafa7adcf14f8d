"""Exercise 09e, chapter 09, 25 minutes: a verdict on two nets. Check: pytest exercises/test_e09e_verdict.py"""

import numpy


def verdict(shallow, deep):
    """Say in one word or three what the losses of a shallow and a deep net show.

    shallow, deep  {"train": array, "test": array} of losses (S, E): S seeds, the same ones for both nets, and E epochs
    result  "too early", "degradation", "overfitting", "deeper is better" or "undecided"

    The first of these that holds, by the losses of the last epoch unless it says otherwise (epochs are counted from 0):
    "too early"         the deep net's training loss is higher, but the gap, deep - shallow, is lower than at epoch E // 2
    "degradation"       the deep net's training loss is higher
    "overfitting"       the deep net's test loss is higher
    "deeper is better"  the deep net's test loss is lower
    "undecided"         none of them
    Each "higher" and "lower" must be decided by the paired differences, one per seed: there are at least five, all have
    the same sign, and their mean is at least twice their standard deviation (with S - 1) away from 0. Five equal
    differences are decided, unless they are 0. All losses are finite: no run has diverged. Leave the arrays unchanged.
    Chapter 09.
    """
    raise NotImplementedError("exercise 09e: write verdict")
