"""Exercise 03c, chapter 03, 30 minutes: a test for the backward pass. Check: pytest exercises/test_e03c_check_walks.py"""

import numpy

from minires.course.graphs import Leaf, Node, add, scale


def check(candidate):
    """Raise AssertionError unless candidate is a right walk_back.

    candidate  candidate(root, g) adds to the grad of every leaf below root the gradient of the loss, where g is that of root

    Several people wrote walk_back from 03a, and three got it wrong. All of them get a chain and a diamond of
    plain numbers right, so one such graph shows nothing. Which graphs, which numbers, and how many backward
    passes do you need? add(name, a, b) and scale(name, a, factor) make nodes, and Node(name, backward, *parents)
    makes any other. Don't reject a right one: ask for no more than the docstring of 03a promises. It promises
    values, not which array or type they come in. Decide the same in every call. Chapter 03.
    """
    raise NotImplementedError("exercise 03c: write check")
