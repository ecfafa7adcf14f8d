"""Exercise 12e, chapter 12, 10 minutes: a stage of blocks. Check: pytest exercises/test_e12e_make_stage.py"""

from minires.nn import Sequential


def make_stage(block, depth, in_channels, width, *, stride, **options):
    """Return `depth` blocks of `width`; the first has the stride.

    block is a class: block(in_channels, channels, stride=..., **options) makes one, and block.expansion * channels is the
    number of channels that come out of it; expansion may be any whole number from 1 up. stride belongs to the first
    block; the others have none, so leave it out or pass 1. Every block gets the same options, such as shortcut="A" or
    rng=...: blocks that share a generator draw their weights from it one after the other, so make them in the order in
    which they run. Return a Sequential of `depth` blocks: Sequential(a, b, c). Chapter 12.
    """
    raise NotImplementedError("exercise 12e: write make_stage")
