"""Claims about walk_back: each leaf gets its gradient, and each node runs once."""

import numpy
from e03a_walk_back import walk_back

from minires.course import Check
from minires.course.graphs import Leaf, Node, add, scale

check = Check("03a")


def walked(root, g, *leaves):
    """Experiment: a backward pass from root(), a new graph each time: the gradients of leaves, and how often nodes ran."""

    def run(walk):
        made = root()
        nodes, leaves = made
        walk(nodes[-1], g if numpy.isscalar(g) else g.copy())
        return {
            **{f"the gradient of {leaf}": leaf.grad for leaf in leaves},
            **{f"runs of {node}": node.runs for node in nodes},
        }

    return run


def test_a_chain_multiplies():
    def chain():
        x = Leaf("x")
        b = scale("b", x, 2.0)
        return (b, scale("c", b, 3.0)), (x,)

    check.experiment(walked(chain, 1.0), walk_back, "a chain, b = 2x, c = 3b")


def test_a_diamond_adds():
    def diamond():
        x = Leaf("x")
        b = scale("b", x, 2.0)
        c, d = scale("c", b, 3.0), scale("d", b, 4.0)
        return (b, c, d, add("e", add("f", c, d), b)), (x,)

    check.experiment(
        walked(diamond, 1.0), walk_back, "a diamond, b = 2x, c = 3b, d = 4b, e = (c + d) + b"
    )


def test_a_node_that_is_used_at_two_depths_waits_for_both():
    def two_depths(turned):
        def make():
            x = Leaf("x")
            b = scale("b", x, 5.0)
            deep = scale("d", scale("c", b, 2.0), 3.0)
            return (b, deep, add("e", *((deep, b) if turned else (b, deep)))), (x,)

        return make

    check.experiment(walked(two_depths(False), 1.0), walk_back, "two depths, b = 5x, e = b + 6b")
    check.experiment(walked(two_depths(True), 1.0), walk_back, "two depths, b = 5x, e = 6b + b")


def test_a_leaf_that_is_used_twice_gets_both_parts():
    def twice():
        x, y = Leaf("x"), Leaf("y")
        product = Node("xy", lambda g: (g * 7.0, g * 2.0), x, y)
        return (product, add("s", product, x)), (x, y)

    check.experiment(walked(twice, 1.0), walk_back, "x * y + x at x = 2, y = 7")


def test_gradients_of_two_losses_add_up():
    def run(walk):
        x = Leaf("x")
        walk(scale("b", x, 2.0), 1.0)
        walk(add("d", scale("c", x, 3.0), x), 1.0)
        return {"the gradient of x": x.grad}

    check.experiment(run, walk_back, "two losses, one after the other: 2x and 3x + x")


def test_where_no_gradient_is_wanted_none_goes():
    def masked():
        x = Leaf("x")
        return (Node("b", lambda g: (None, 2.0 * g), None, x),), (x,)

    check.experiment(walked(masked, 1.0), walk_back, "an op whose first operand needs no gradient")


def test_arrays_that_others_hold_stay_as_they_are():
    def run(walk):
        x, y = Leaf("x"), Leaf("y")
        b = add("b", x, y)
        c = scale("c", b, 2.0)
        root = add("e", add("d", b, c), x)
        g = numpy.array([1.0, 10.0])
        walk(root, g)
        walk(add("f", x, y), g)
        return {"the gradient of x": x.grad, "the gradient of y": y.grad, "g afterwards": g}

    check.experiment(run, walk_back, "arrays that add passes to both operands")


def test_forty_doublings_have_2_to_the_40_paths_and_take_no_time():
    def doublings():
        x = Leaf("x")
        nodes = [add("x1", x, x)]
        for i in range(2, 41):
            nodes.append(add(f"x{i}", nodes[-1], nodes[-1]))
        return nodes, (x,)

    check.experiment(
        walked(doublings, 1.0), walk_back, "forty doublings, x1 = x + x, x2 = x1 + x1, ..."
    )


def test_a_chain_of_10000_is_not_too_deep():
    def long_chain():
        x = Leaf("x")
        nodes = [scale("b", x, 1.0)]
        for _ in range(9999):
            nodes.append(scale("b", nodes[-1], 1.0))
        return (nodes[0], nodes[-1]), (x,)

    check.experiment(walked(long_chain, 1.0), walk_back, "a chain of 10,000 nodes")
