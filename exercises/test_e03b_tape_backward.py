"""Claims about tape_backward: each leaf gets its gradient, even where one op uses a value twice."""

import numpy
from e03b_tape_backward import tape_backward

from minires.course import Check
from minires.course.graphs import Leaf, Node, add, scale

check = Check("03b")


def walked(record, g=1.0):
    """Experiment: record() returns a new tape and its leaves: their gradients, and how often nodes ran."""

    def run(backward):
        tape, leaves = record()
        coming = numpy.array(g) if isinstance(g, list) else g
        backward(tape, coming)
        gradients = {f"the gradient of {leaf}": leaf.grad for leaf in leaves}
        return {
            **gradients,
            "g afterwards": coming,
            **{f"runs of {node}": node.runs for node in tape},
        }

    return run


def product(name, a, b, at_a, at_b):
    """Return a node a * b, at these values."""
    return Node(name, lambda g: (g * at_b, g * at_a), a, b)


def less_a_quarter(name, x):
    """Return a node x - x / 4, as one op that uses x twice: the derivatives are 1 and -1/4."""
    return Node(name, lambda g: (g, -0.25 * g), x, x)


def test_a_diamond_adds():
    def record():
        x = Leaf("x")
        b = scale("b", x, 2.0)
        c, d = scale("c", b, 3.0), scale("d", b, 4.0)
        return (b, c, d, add("e", c, d)), (x,)

    check.experiment(walked(record), tape_backward, "a diamond, b = 2x, c = 3b, d = 4b, e = c + d")


def test_two_ops_may_take_one_leaf():
    def record():
        x = Leaf("x")
        b, c = scale("b", x, 3.0), scale("c", x, 4.0)
        return (b, c, add("d", b, c)), (x,)

    check.experiment(walked(record), tape_backward, "b = 3x, c = 4x, d = b + c")


def test_an_op_may_take_one_leaf_twice():
    def less():
        x = Leaf("x")
        return (less_a_quarter("b", x),), (x,)

    def record():
        x, y = Leaf("x"), Leaf("y")
        square = product("xx", x, x, 5.0, 5.0)
        return (square, product("xxy", square, y, 25.0, 3.0)), (x, y)

    check.experiment(
        walked(less), tape_backward, "b = x - x / 4, as one op with derivatives 1 and -1/4"
    )
    check.experiment(walked(record), tape_backward, "x * x * y at x = 5, y = 3")


def test_an_op_may_take_one_node_twice():
    def record():
        x = Leaf("x")
        b = less_a_quarter("b", x)
        return (b, Node("c", lambda g: (5.0 * g, 3.0 * g), b, b)), (x,)

    def square():
        x = Leaf("x")
        b = scale("b", x, 3.0)
        return (b, product("bb", b, b, 6.0, 6.0)), (x,)

    check.experiment(
        walked(record),
        tape_backward,
        "b = x - x / 4, then an op that uses b twice, with derivatives 5 and 3",
    )
    check.experiment(walked(square), tape_backward, "b * b at b = 3x, x = 2")


def test_an_op_may_take_one_node_three_times():
    def record():
        x = Leaf("x")
        b = scale("b", x, 2.0)
        return (b, Node("c", lambda g: (g, 5.0 * g, -g), b, b, b)), (x,)

    check.experiment(
        walked(record),
        tape_backward,
        "one op that uses b three times, with derivatives 1, 5 and -1",
    )


def test_operands_may_alternate():
    def record():
        x, y = Leaf("x"), Leaf("y")
        b = scale("b", x, 2.0)
        c = Node("c", lambda g: tuple(g * i for i in range(1, 13)), *(b, y, x) * 4)
        return (b, c), (x, y)

    check.experiment(
        walked(record),
        tape_backward,
        "an op with twelve operands, b, y, x four times, where b = 2x",
    )


def test_other_ops_may_take_the_same_node():
    def record():
        x = Leaf("x")
        b = scale("b", x, 2.0)
        square = product("bb", b, b, 4.0, 4.0)
        return (b, square, add("c", square, b), add("d", b, x)), (x,)

    def of_c():
        tape, leaves = record()
        return tape[:3], leaves

    check.experiment(walked(of_c), tape_backward, "b * b + b at b = 2x, x = 2")
    check.experiment(
        walked(record),
        tape_backward,
        "b + x, on a tape with b * b + b, which it does not depend on",
    )


def test_operands_that_need_no_gradient_get_none():
    def record():
        x = Leaf("x")
        return (Node("b", lambda g: (None, 2.0 * g, None), None, x, None),), (x,)

    check.experiment(walked(record), tape_backward, "an op with two operands that need no gradient")


def test_a_gradient_of_0_is_a_gradient():
    def record():
        x, y = Leaf("x"), Leaf("y")
        b = scale("b", x, 2.0)
        c = Node("c", lambda g: (g, -g), b, b)
        return (b, c, Node("d", lambda g: (g, 0.0 * g), c, y)), (x, y)

    check.experiment(
        walked(record), tape_backward, "b - b, as one op, then an op with derivatives 1 and 0"
    )
    check.experiment(walked(record, 0.0), tape_backward, "the same with g = 0")


def test_the_same_tape_may_run_again():
    def record():
        x = Leaf("x")
        b = scale("b", x, 2.0)
        square = product("bb", b, b, 4.0, 4.0)
        return [b, square, add("c", square, b)], x

    def once(backward):
        tape, _ = record()
        recorded = list(tape)
        backward(tape, 1.0)
        return {"the tape is unchanged": tape == recorded}

    def again(backward):
        tape, x = record()
        found = {}
        for i, g in enumerate((1.0, 10.0), start=1):
            backward(tape, g)
            found[f"the gradient of x after {i} backward passes"] = x.grad
        backward(tape[:2], 100.0)
        return {**found, "the gradient of x after another loss on a part of the tape": x.grad}

    check.experiment(once, tape_backward, "a tape as a list")
    check.experiment(again, tape_backward, "b * b + b at b = 2x, x = 2, twice, then b * b alone")


def test_names_mean_nothing():
    def run(backward):
        x, other = Leaf("x"), Leaf("x")
        b, c = scale("b", x, 2.0), scale("b", other, 3.0)
        d = add("b", b, c)
        backward((b, c, d, add("b", d, c)), 1.0)
        return {"the gradient of the first": x.grad, "the gradient of the second": other.grad}

    check.experiment(run, tape_backward, "two leaves of the same name, and nodes of the same name")


def test_two_losses_add_up():
    def run(backward):
        x = Leaf("x")
        backward((scale("b", x, 2.0),), 1.0)
        backward((add("c", x, x),), 1.0)
        return {"the gradient of x": x.grad}

    check.experiment(run, tape_backward, "two losses, one after the other: 2x and x + x")


def test_arrays_that_other_code_holds_do_not_change():
    def record():
        x, y = Leaf("x"), Leaf("y")
        b = add("b", x, y)
        c = add("c", b, b)
        return (b, c, add("d", c, b)), (x, y)

    def earlier(g):
        def run(backward):
            tape, (x, y) = record()
            backward(tape, numpy.array(g))
            first = x.grad, y.grad
            backward(tape, 100 * numpy.array(g))
            return {"the first gradient of x": first[0], "the first gradient of y": first[1]}

        return run

    matrix = [[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]
    told = "arrays that add passes to both operands, (b + b) + b"
    check.experiment(walked(record, [1.0, 10.0]), tape_backward, told)
    check.experiment(walked(record, matrix), tape_backward, f"{told}, of shape (2, 3)")
    for g, shape in ((2.0, ()), ([1.0, 10.0], (2,)), (matrix, (2, 3))):
        told = f"what grad was after the first of two passes, of shape {shape}"
        check.experiment(earlier(g), tape_backward, f"{told}, kept by other code")


def test_nan_is_not_hidden():
    def record():
        x, y = Leaf("x"), Leaf("y")
        b = scale("b", x, 2.0)
        return (b, Node("c", lambda g: (g, numpy.nan, g), b, y, b)), (x, y)

    check.experiment(
        walked(record, [1.0, numpy.nan, 3.0]),
        tape_backward,
        "an op that uses b = 2x twice, with g = [1, NaN, 3], and sends NaN to y",
    )


def test_gradients_may_be_arrays_of_any_shape():
    def record():
        x, y = Leaf("x"), Leaf("y")
        b = Node("b", lambda g: (numpy.outer(g, [1.0, 2.0, 3.0]), g.sum()), x, y)
        return (b, Node("c", lambda g: (g * numpy.ones(2), g * numpy.array([1.0, -1.0])), b, b)), (
            x,
            y,
        )

    check.experiment(
        walked(record, [0.5]), tape_backward, "gradients of shapes (1,), (2,), (2, 3) and ()"
    )
