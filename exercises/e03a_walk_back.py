"""Exercise 03a, chapter 03, 40 minutes: backward() through a graph. Check: pytest exercises/test_e03a_walk_back.py"""


def walk_back(root, g):
    """Add to the `grad` of every leaf below `root` the gradient of the loss, where g is that of root. Gives nothing.

    Each node's backward runs once, on the sum of what its users sent.

    A node has `parents`, a tuple with one entry for each operand: a node; or a leaf, which has a `grad`, None at first; or None
    where no gradient is wanted. node.backward(g) gives a tuple of gradients, one for each parent. A node may be the parent of
    several; and of one twice. The arrays belong to others, and may be handed out twice: add with +, never with +=.
    To derive: when may a node's backward run, so that once is enough? A graph may be 10,000 nodes deep, and have 2**40 paths.
    Chapter 03.
    """
    raise NotImplementedError("exercise 03a: write walk_back")
