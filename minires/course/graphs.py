"""Small graphs to walk back through: nodes that count how often they are asked, and leaves."""

MOST = 1000  # times that a walk may look at one node


class Walked(AssertionError):
    """A walk goes over the paths of a graph, of which there are too many."""

    __module__ = "builtins"  # so that pytest calls it by its bare name


class Leaf:
    """Where a graph begins: gradients are added up in `grad`, which is None at first."""

    def __init__(self, name):
        self.name, self.grad = name, None

    def __repr__(self):
        return self.name


class Node:
    """One op that was run.

    parents  for each operand its Node or Leaf, or None where no gradient is wanted
    backward  from the gradient that comes in to a tuple with one for each operand
    """

    def __init__(self, name, backward, *parents):
        self.name = name
        self.runs = 0
        self._asked = 0
        self._backward = backward
        self._parents = parents

    @property
    def parents(self):
        """One for each operand. Asking too often raises Walked."""
        self._asked += 1
        if self._asked > MOST:
            raise Walked(
                f"the parents of {self.name} were asked for more than {MOST} times: a walk over every path never ends"
            )
        return self._parents

    def backward(self, g):
        """The gradients of the operands. Running too often raises Walked."""
        self.runs += 1
        if self.runs > MOST:
            raise Walked(
                f"backward of {self.name} ran more than {MOST} times: a walk over every path never ends"
            )
        return self._backward(g)

    def __repr__(self):
        return self.name


def add(name, a, b):
    """a + b: both get the same array, as it came in."""
    return Node(name, lambda g: (g, g), a, b)


def scale(name, a, factor):
    """factor * a."""
    return Node(name, lambda g: (factor * g,), a)
