"""Exercise 03c: backward passes to tell apart, a check that does it, and checks that do not."""

import numpy

from minires.course.answers.e03a_walk_back import (
    before_all_users,
    borrowed_written_to,
    leaves_emptied,
    walk_back,
)
from minires.course.graphs import Leaf, Node, add, scale


def check(candidate):
    """Raise AssertionError unless candidate is a right walk_back.

    candidate  candidate(root, g) adds to the grad of every leaf below root the gradient of the loss, where g is that of root
    """
    x, y = Leaf("x"), Leaf("y")
    b = scale("b", x, 5.0)
    root = add("e", b, scale("d", scale("c", b, 2.0), 3.0))
    candidate(root, 1.0)
    assert x.grad == 35.0, "two ways of different lengths"
    candidate(add("f", x, y), 2.0)
    assert x.grad == 37.0 and y.grad == 2.0, "a second loss is added"
    x, y, g = Leaf("x"), Leaf("y"), numpy.array([1.0, 10.0])
    candidate(add("c", add("b", x, y), x), g)
    assert g.tolist() == [1.0, 10.0], "g belongs to the caller"
    assert x.grad.tolist() == [2.0, 20.0], "arrays that others hold"
    assert y.grad.tolist() == [1.0, 10.0], "arrays that others hold"


def _sorted(root):
    """Return the nodes, each before its parents."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend(
                (parent, False)
                for parent in node.parents
                if parent is not None and not hasattr(parent, "grad")
            )
    return order[::-1]


def _sorted_first(root, g):
    sums = {root: g}
    for node in _sorted(root):
        for parent, part in zip(node.parents, node.backward(sums.pop(node))):
            if parent is not None and not hasattr(parent, "grad"):
                sums[parent] = sums[parent] + part if parent in sums else part
            elif parent is not None:
                parent.grad = part if parent.grad is None else parent.grad + part


def _in_copies(root, g):
    """A right one whose leaves have their own memory."""
    before, leaves = {}, []
    for node in _all(root):
        for parent in node.parents:
            if hasattr(parent, "grad") and parent not in before:
                before[parent], parent.grad = parent.grad, None
                leaves.append(parent)
    walk_back(root, g * 1)
    for leaf in leaves:
        leaf.grad = leaf.grad * 1 if before[leaf] is None else before[leaf] + leaf.grad


def _all(root):
    nodes = [root]
    for node in nodes:
        nodes += [
            parent for parent in node.parents if isinstance(parent, Node) and parent not in nodes
        ]
    return nodes


def _in_arrays(root, g):
    """A right one whose gradients are arrays of float64, even of a number."""
    walk_back(root, numpy.asarray(g))
    for leaf in {part for node in _all(root) for part in node.parents if hasattr(part, "grad")}:
        leaf.grad = numpy.array(leaf.grad, dtype="float64")


def _in_reverse(root, g):
    """A right one that adds up the contributions to a node from the last to the first."""
    order, parts = _sorted(root), {root: [g]}
    for node in order:
        coming = _total(parts.pop(node))
        for parent, part in zip(node.parents, node.backward(coming)):
            if parent is not None:
                parts.setdefault(parent, []).append(part)
    for leaf, its in parts.items():
        total = _total(its)
        leaf.grad = total if leaf.grad is None else leaf.grad + total


def _total(parts):
    total = parts[-1]
    for part in parts[-2::-1]:
        total = total + part
    return total


def _looking_often(root, g):
    """A right one that looks at parents again and again."""
    for node in _all(root):
        for _ in range(9):
            node.parents  # noqa: B018
    walk_back(root, g)


RIGHT = {
    "a right one": walk_back,
    "one that sorts first": _sorted_first,
    "one that copies what it keeps": _in_copies,
    "one that looks at parents often": _looking_often,
    "one that makes arrays of numbers": _in_arrays,
    "one that adds up in reverse order": _in_reverse,
}
WRONG = {
    "the one that runs a node before all its users have sent their contributions": before_all_users,
    "the one that zeroes the gradients first": leaves_emptied,
    "the one that adds with +=": borrowed_written_to,
}  # fmt: skip


def _diamond(candidate, g=1.0):
    x = Leaf("x")
    b = scale("b", x, 2.0)
    candidate(add("e", scale("c", b, 3.0), scale("d", b, 4.0)), g)
    assert numpy.array_equal(x.grad, 14.0 * g)


def _two_depths(candidate):
    x = Leaf("x")
    b = scale("b", x, 5.0)
    candidate(add("e", b, scale("d", scale("c", b, 2.0), 3.0)), 1.0)
    assert x.grad == 35.0


def _two_losses(candidate):
    x = Leaf("x")
    candidate(scale("b", x, 2.0), 1.0)
    candidate(scale("c", x, 3.0), 1.0)
    assert x.grad == 5.0


def _arrays(candidate):
    x, y, g = Leaf("x"), Leaf("y"), numpy.array([1.0, 10.0])
    candidate(add("c", add("b", x, y), x), g)
    assert g.tolist() == [1.0, 10.0] and y.grad.tolist() == [1.0, 10.0]


def one_diamond(candidate):
    """the check accepts all of them: it looks at graphs that all of them get right, or does not raise AssertionError"""
    _diamond(candidate)


def one_walk(candidate):
    """the check does not see that the gradient of an earlier loss is lost: its leaves are always new, or it does not compare the sum of both"""
    _two_depths(candidate)
    _arrays(candidate)


def ways_of_one_length(candidate):
    """the check does not see that a node runs too early: all paths to a node have the same length, or nothing fails if the gradient is wrong"""
    _diamond(candidate)
    _two_losses(candidate)
    _arrays(candidate)


def plain_numbers(candidate):
    """the check does not see that += changes an array: its gradients are numbers, or no other code holds its arrays, or it compares an array with itself"""
    _two_depths(candidate)
    _two_losses(candidate)


def never_content(candidate):
    """the check rejects everything, including the right ones"""
    raise AssertionError


def memory_asked_for(candidate):
    """the check asks for the very array that was passed in: an equal one is just as right, because the docstring promises only values"""
    _two_depths(candidate)
    _two_losses(candidate)
    _arrays(candidate)
    x, g = Leaf("x"), numpy.array([1.0])
    candidate(add("b", x, None), g)
    assert x.grad is g
