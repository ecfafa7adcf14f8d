"""Claims about share_by_length: binomial counts, weighted by the gradient of a path, as fractions of the whole."""

import numpy
from e11d_share_by_length import share_by_length

from minires.course import Check

check = Check("11d")


def of(*pairs):
    """Experiment: the shares for these (blocks, gain)."""

    def run(yours):
        found = {}
        for blocks, gain in pairs:
            with numpy.errstate(all="ignore"):  # of mistakes that divide by 0
                found[f"{blocks} blocks, gain {gain}"] = yours(blocks, gain)
        return found

    return run


def test_two_blocks_by_hand():
    check.experiment(of((2, 0.5)), share_by_length, "two blocks with a gain of 0.5")


def test_a_gain_of_1_counts_the_paths():
    check.experiment(of((3, 1.0), (5, 1.0)), share_by_length, "a gain of 1")


def test_a_small_gain_favours_short_paths_and_a_large_one_long_paths():
    check.experiment(of((5, 0.1), (5, 0.9)), share_by_length, "five blocks")
    check.experiment(of((4, 2.0), (3, 10.0)), share_by_length, "gains above 1")


def test_a_net_of_9_or_54_blocks():
    check.experiment(of((9, 0.7)), share_by_length, "nine blocks, as in ResNet-20")
    check.experiment(of((54, 0.25), (54, 1.5)), share_by_length, "54 blocks, as in ResNet-110")


def test_without_a_gain_there_is_one_path():
    check.experiment(of((4, 0.0)), share_by_length, "a gain of 0")


def test_one_block_or_none():
    check.experiment(of((1, 0.25), (1, 3.0)), share_by_length, "one block")
    check.experiment(of((0, 0.5)), share_by_length, "no block: one path, of length 0")


def test_many_blocks():
    check.experiment(of((300, 0.5), (500, 1.0), (500, 0.01)), share_by_length, "up to 500 blocks")


def test_what_it_is():
    def run(yours):
        shares = yours(6, 0.5)
        return {
            "what it is": type(shares).__name__,
            "dtype": str(getattr(shares, "dtype", "none")),
            "how many": len(shares),
            "their sum": float(sum(shares)),
        }

    check.experiment(run, share_by_length, "six blocks with a gain of 0.5")


def test_calls_share_nothing():
    def run(yours):
        first = yours(3, 0.5)
        other = yours(3, 2.0)
        found = {"the first": first.copy(), "the other": other.copy()}
        first[...] = 7
        found["once more"] = yours(3, 0.5)
        found["the other still"] = other
        found["an int as gain"] = yours(4, 2)
        return found

    check.experiment(run, share_by_length, "several calls, and one result that is written to")
