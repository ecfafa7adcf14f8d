"""Exercise 03a, chapter 03, 40 minutes: backward() through a graph. Check: pytest exercises/test_e03a_walk_back.py"""


def walk_back(root, g):
    """Add to the `grad` of every leaf below `root` the gradient of the loss, where g is that of root. Returns nothing.

    Each node's backward runs once, on the sum of what its users sent.

    A node has `parents`, a tuple with one entry per operand: a node; or a leaf, whose `grad` is None at first;
    or None if that operand needs no gradient. node.backward(g) returns a tuple of gradients, one per parent: numbers or
    arrays, and 0 counts too. A node may be the parent of several nodes, or of one node twice. Other code may hold the
    same arrays, and what a leaf's grad was before: add with +, never with +=. Another loss may share nodes and
    leaves with this one: set only their grad.
    To derive: when can a node's backward run so that running it once is enough? A graph may be 10,000 nodes
    deep, beyond Python's recursion limit, and have 2**40 paths. Chapter 03.
    """
    raise NotImplementedError("exercise 03a: write walk_back")
