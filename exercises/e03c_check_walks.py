"""Exercise 03c, chapter 03, 30 minutes: a check of walks back. Check: pytest exercises/test_e03c_check_walks.py"""

import numpy

from minires.course.graphs import Leaf, Node, add, scale


def check(candidate):
    """Raise AssertionError unless candidate is a right walk_back.

    candidate  candidate(root, g) adds to the grad of every leaf below root the gradient of the loss, where g is that of root

    Several people wrote walk_back of 03a, and three were wrong. All of them get a chain and a diamond of plain numbers right:
    one such graph shows nothing. Which graphs, which numbers, and how many walks does it take? add(name, a, b) and
    scale(name, a, factor) are nodes, and Node(name, backward, *parents) is any other. No right one may be rejected: do not
    ask for more than the docstring of 03a promises. Chapter 03.
    """
    raise NotImplementedError("exercise 03c: write check")
