"""Claims about walk_back: each leaf gets its gradient, and each node runs once."""

import sys
from functools import partial

import numpy
from e03a_walk_back import walk_back

from minires.course import Check
from minires.course.graphs import Leaf, Node, add, scale

check = Check("03a")
LIMIT = sys.getrecursionlimit()


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
        x = Leaf("x")
        b = scale("b", x, 5.0)
        deep = scale("d", scale("c", b, 2.0), 3.0)
        return (b, deep, add("e", *((deep, b) if turned else (b, deep)))), (x,)

    for turned, told in ((False, "b + 6b"), (True, "6b + b")):
        made = partial(two_depths, turned)
        check.experiment(walked(made, 1.0), walk_back, f"two depths, b = 5x, e = {told}")


def test_a_leaf_that_is_used_twice_gets_both_contributions():
    def twice():
        x, y = Leaf("x"), Leaf("y")
        product = Node("xy", lambda g: (g * 7.0, g * 2.0), x, y)
        return (product, add("s", product, x)), (x, y)

    check.experiment(walked(twice, 1.0), walk_back, "x * y + x at x = 2, y = 7")


def test_names_mean_nothing():
    def run(walk):
        x, other = Leaf("x"), Leaf("x")
        b, c = scale("b", x, 2.0), scale("b", other, 3.0)
        walk(add("b", add("b", b, c), c), 1.0)
        return {"the gradient of the first": x.grad, "of the second": other.grad}

    check.experiment(run, walk_back, "two leaves of the same name, and nodes of the same name")


def test_gradients_of_two_losses_add_up():
    def run(walk):
        x = Leaf("x")
        walk(scale("b", x, 2.0), 1.0)
        walk(add("d", scale("c", x, 3.0), x), 1.0)
        return {"the gradient of x": x.grad}

    check.experiment(run, walk_back, "two losses, one after the other: 2x and 3x + x")


def test_a_second_backward_pass_on_the_same_nodes_starts_afresh():
    def again(walk):
        x = Leaf("x")
        b = scale("b", x, 5.0)
        root = add("e", scale("c", b, 2.0), b)
        gradients = {}
        for i, g in enumerate((1.0, 10.0, 100.0), start=1):
            walk(root, g)
            gradients[f"the gradient of x after {i} backward passes"] = x.grad
        return gradients

    check.experiment(
        again, walk_back, "three backward passes from e = 2b + b, b = 5x, with g = 1, 10, 100"
    )


def test_two_losses_may_share_nodes():
    def shared(walk):
        x, y = Leaf("x"), Leaf("y")
        b = add("b", scale("a", x, 5.0), y)
        c = scale("c", b, 2.0)
        walk(add("d", c, b), 1.0)
        first = {"the gradient of x after the first": x.grad, "of y": y.grad}
        walk(add("e", scale("f", b, 3.0), c), 1.0)
        return {**first, "the gradient of x after both": x.grad, "of y after both": y.grad}

    check.experiment(shared, walk_back, "two losses, c + b and 3b + c, where c = 2b and b = 5x + y")


def test_gradients_that_were_set_to_none_start_afresh():
    def run(walk):
        x, y = Leaf("x"), Leaf("y")
        b = add("b", scale("a", x, 2.0), y)
        walk(b, 1.0)
        x.grad = y.grad = None  # as zero_grad does
        walk(add("c", b, x), 10.0)
        return {"the gradient of x": x.grad, "the gradient of y": y.grad}

    check.experiment(run, walk_back, "2x + y, then grad = None, then (2x + y) + x with g = 10")


def test_nothing_is_left_on_nodes_and_leaves():
    def run(walk):
        x = Leaf("x")
        b = scale("b", x, 2.0)
        root = add("c", b, x)
        before = {id(part): set(vars(part)) for part in (x, b, root)}
        walk(root, 1.0)
        return {
            f"attributes added to {part}": sorted(set(vars(part)) - before[id(part)])
            for part in (x, b, root)
        }

    check.experiment(run, walk_back, "c = 2x + x, and the attributes of x, b and c")


def test_operands_that_need_no_gradient_get_none():
    def masked():
        x = Leaf("x")
        return (Node("b", lambda g: (None, 2.0 * g), None, x),), (x,)

    def masked_last():
        x, y = Leaf("x"), Leaf("y")
        b = scale("b", x, 3.0)
        return (b, Node("c", lambda g: (2.0 * g, 7.0 * g, 4.0 * g, None), b, None, y, None)), (x, y)

    check.experiment(walked(masked, 1.0), walk_back, "an op whose first operand needs no gradient")
    check.experiment(
        walked(masked_last, 1.0),
        walk_back,
        "an op whose second and fourth operands need no gradient",
    )


def test_a_gradient_of_0_is_a_gradient():
    def dead():
        x, y = Leaf("x"), Leaf("y")
        b = scale("b", x, 2.0)
        return (b, add("d", Node("c", lambda g: (0.0, 0.0), b, y), b)), (x, y)

    def cancelled():
        x = Leaf("x")
        b = scale("b", x, 2.0)
        return (b, Node("c", lambda g: (g, -g), b, b)), (x,)

    def diamond():
        x = Leaf("x")
        b = scale("b", x, 2.0)
        return (b, add("c", b, b)), (x,)

    check.experiment(walked(diamond, 0.0), walk_back, "c = b + b, where b = 2x, with g = 0")
    check.experiment(
        walked(dead, 1.0), walk_back, "b + c, where b = 2x and c's backward sends 0 to b and y"
    )
    check.experiment(walked(cancelled, 1.0), walk_back, "b - b, as one op, where b = 2x")


def test_gradients_may_be_arrays_of_any_shape():
    def run(walk):
        x, y = Leaf("x"), Leaf("y")
        rows = Node("rows", lambda g: (numpy.outer(g, [1.0, 2.0, 3.0]), g * 6), x, y)
        total = Node("total", lambda g: (g * numpy.ones(2),), rows)
        walk(add("e", total, total), numpy.array(0.5))
        return {"the gradient of x": x.grad, "the gradient of y": y.grad}

    told = "a sum of (2,) that needs an outer product: gradients of () and (2,) and (2, 3)"
    check.experiment(run, walk_back, told)


def test_arrays_that_other_code_holds_do_not_change():
    def run(walk, g=(1.0, 10.0)):
        x, y = Leaf("x"), Leaf("y")
        b = add("b", x, y)
        c = scale("c", b, 2.0)
        root = add("e", add("d", b, c), x)
        g = numpy.array(g)
        walk(root, g)
        walk(add("f", x, y), g)
        return {"the gradient of x": x.grad, "the gradient of y": y.grad, "g afterwards": g}

    def held(walk):
        x, sent = Leaf("x"), []

        def backward(g):
            sent.append(g * 3.0)
            return sent[-1], sent[-1]

        b = scale("b", x, 2.0)
        walk(Node("c", backward, b, b), numpy.array([1.0, 10.0]))
        return {"the gradient of x": x.grad, "the array that backward of c returned": sent[0]}

    def earlier(walk, g=(1.0, 10.0)):
        x, y = Leaf("x"), Leaf("y")
        root = add("c", scale("b", x, 2.0), add("d", x, y))
        walk(root, numpy.array(g))
        first = x.grad, y.grad
        walk(root, 100 * numpy.array(g))
        return {"the first gradient of x": first[0], "the first gradient of y": first[1]}

    told = "arrays that add passes to both operands"
    kept = "what grad was after the first of two losses, kept by other code"
    check.experiment(run, walk_back, told)
    check.experiment(earlier, walk_back, kept)
    for g, shape in ((2.0, "()"), ([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]], "(2, 3)")):
        check.experiment(partial(run, g=g), walk_back, f"{told}, of shape {shape}")
        check.experiment(partial(earlier, g=g), walk_back, f"{kept}, of shape {shape}")
    check.experiment(held, walk_back, "an op that keeps the array that it sends to both operands")


def test_infinity_and_nan_are_gradients_too():
    def fork():
        x, y = Leaf("x"), Leaf("y")
        b = scale("b", x, 2.0)
        return (b, Node("c", lambda g: (g * numpy.inf, numpy.nan), b, y)), (x, y)

    def arrays(walk):
        x, y = Leaf("x"), Leaf("y")
        b = add("b", x, y)
        walk(add("c", b, b), numpy.array([1.0, numpy.nan, -numpy.inf]))
        return {"the gradient of x": x.grad, "the gradient of y": y.grad}

    check.experiment(walked(fork, 1.0), walk_back, "c, which sends infinity to b = 2x and NaN to y")
    check.experiment(arrays, walk_back, "b + b, where b = x + y, with g = [1, NaN, -infinity]")


def test_an_op_may_have_many_operands():
    def many():
        x, y = Leaf("x"), Leaf("y")
        b = scale("b", x, 2.0)
        c = Node("c", lambda g: tuple(g * i for i in range(1, 13)), *(b, y, x) * 4)
        return (b, c), (x, y)

    check.experiment(
        walked(many, 1.0), walk_back, "an op with twelve operands, b, y, x four times, where b = 2x"
    )


def test_a_graph_with_2_to_the_40_paths_takes_no_time():
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


def test_the_recursion_limit_does_not_change():
    check.call(walk_back, scale("b", Leaf("x"), 1.0), 1.0)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(LIMIT)
    told = f"yours changes Python's recursion limit from {LIMIT} to {limit}, for all code that runs after it: use a loop"
    check.true(limit == LIMIT, told)
