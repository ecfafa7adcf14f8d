"""Small graphs for a backward pass: leaves, and nodes that count how often they are used."""

MOST = 1000  # how often a backward pass may look at one node


class Walked(AssertionError):
    """A backward pass follows each path of a graph, and there are too many."""

    __module__ = "builtins"  # so that pytest calls it by its bare name


class Leaf:
    """The start of a graph: gradients are added up in `grad`, which is None at first."""

    def __init__(self, name):
        self.name, self.grad = name, None

    def __repr__(self):
        return self.name


class Node:
    """One op that has run.

    parents  one per operand: its Node or Leaf, or None if it needs no gradient
    backward  takes the upstream gradient and returns a tuple with one gradient per operand
    """

    def __init__(self, name, backward, *parents):
        self.name = name
        self.runs = 0
        self._asked = 0
        self._backward = backward
        self._parents = parents

    @property
    def parents(self):
        """The parents, one per operand. Reading them too often raises Walked."""
        self._asked += 1
        if self._asked > MOST:
            raise Walked(
                f"the parents of {self.name} were read more than {MOST} times: following every path never ends"
            )
        return self._parents

    def backward(self, g):
        """Return the gradients of the operands. Running too often raises Walked."""
        self.runs += 1
        if self.runs > MOST:
            raise Walked(
                f"backward of {self.name} ran more than {MOST} times: following every path never ends"
            )
        return self._backward(g)

    def __repr__(self):
        return self.name


def add(name, a, b):
    """a + b: both operands get the upstream gradient itself, the same array."""
    return Node(name, lambda g: (g, g), a, b)


def scale(name, a, factor):
    """factor * a."""
    return Node(name, lambda g: (factor * g,), a)
