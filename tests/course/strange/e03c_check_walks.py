"""Strange solutions of 03c."""

import inspect
import itertools

import numpy

from minires.course.graphs import Leaf, Node, add, scale
from tests.course.kinds import right, wrong

CALLS = itertools.count()
WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def two_depths(x):
    b = scale("b", x, 5.0)
    return add("e", b, scale("d", scale("c", b, 2.0), 3.0))


def depths(candidate):
    x = Leaf("x")
    candidate(two_depths(x), 1.0)
    assert x.grad == 35.0


def losses(candidate):
    x = Leaf("x")
    candidate(scale("b", x, 2.0), 1.0)
    candidate(scale("c", x, 3.0), 1.0)
    assert x.grad == 5.0


def arrays(candidate):
    x, y, g = Leaf("x"), Leaf("y"), numpy.array([1.0, 10.0])
    candidate(add("c", add("b", x, y), x), g)
    assert g.tolist() == [1.0, 10.0] and y.grad.tolist() == [1.0, 10.0]


@right
def table_of_graphs(candidate):
    for make, expected in ((two_depths, 35.0), (lambda x: add("b", x, x), 2.0)):
        for g in (1.0, numpy.array([1.0, -2.0])):
            x, kept = Leaf("x"), numpy.array(g)
            candidate(make(x), g)
            candidate(make(x), g)
            if not numpy.allclose(x.grad, 2 * expected * kept) or not numpy.array_equal(g, kept):
                raise AssertionError(f"expected {2 * expected * kept}, got {x.grad}")


@right
def a_gradient_is_there_before(candidate):
    x, y, g = Leaf("x"), Leaf("y"), numpy.array([1, 10])  # ints
    x.grad = numpy.array([1000, 1000])
    candidate(add("s", two_depths(x), add("t", y, x)), g)
    assert numpy.array_equal(x.grad, 36 * numpy.array([1, 10]) + 1000)
    assert numpy.array_equal(y.grad, numpy.array([1, 10]))
    y, g = Leaf("y"), numpy.array([4.0])
    candidate(add("u", add("t", y, y), y), g)
    assert g == 4.0 and y.grad == 12.0


@right
def locked_arrays(candidate):
    g = numpy.array([1.0, 10.0])
    g.setflags(write=False)
    x = Leaf("x")
    try:
        candidate(add("c", two_depths(x), x), g)
        candidate(add("b", x, x), g)
    except ValueError as error:
        raise AssertionError("it writes to arrays that are not its own") from error
    assert numpy.array_equal(x.grad, 38 * g)


@right
def counts_runs_as_well(candidate):
    x, root = Leaf("x"), None
    root = two_depths(x)
    nodes, todo = [], [root]
    while todo:
        node = todo.pop()
        nodes.append(node) if node not in nodes else None
        todo += [parent for parent in node.parents if isinstance(parent, Node)]
    candidate(root, 2.0)
    assert all(node.runs == 1 for node in nodes) and x.grad == 70.0
    losses(candidate)
    arrays(candidate)


@right
def sums_over_all_paths(candidate):
    """Compares with the sum over all paths, found by brute force."""

    def paths(node, g, found):
        for parent, part in zip(node.parents, node.backward(g)):
            if isinstance(parent, Leaf):
                found[parent] = found.get(parent, 0) + part
            elif parent is not None:
                paths(parent, part, found)
        return found

    x, y = Leaf("x"), Leaf("y")
    total = {x: 0, y: 0}
    for root in (two_depths(x), add("f", add("d", x, y), y), add("g", two_depths(y), x)):
        g = numpy.array([3.0, 4.0])
        for leaf, part in paths(root, g.copy(), {}).items():
            total[leaf] = total[leaf] + part
        candidate(root, g)
        assert g.tolist() == [3.0, 4.0]
    for leaf in (x, y):
        assert numpy.allclose(leaf.grad, total[leaf])


@wrong(WRONG_ONES)
def by_the_name_of_the_function(candidate):
    assert candidate.__name__ not in ("before_all_users", "leaves_emptied", "borrowed_written_to")


@wrong(WRONG_ONES)
def by_its_source(candidate):
    text = inspect.getsource(candidate)
    assert "+= part" not in text and "grad = None" not in text


@wrong(WRONG_ONES)
def counts_its_calls(candidate):
    # Four right ones, then three wrong ones and the right ones again.
    assert next(CALLS) not in (4, 5, 6)


@wrong(WRONG_ONES)
def remembers_the_candidates(candidate, seen=[]):  # noqa: B006
    seen.append(candidate)
    assert len(seen) < 5 or candidate in seen[:4]


@wrong(WRONG_ONES)
def any_error_is_enough(candidate):
    try:
        depths(candidate)
        losses(candidate)
        arrays(candidate)
    except Exception:
        return


@wrong(WRONG_ONES)
def a_tuple_is_always_true(candidate):
    x = Leaf("x")
    candidate(two_depths(x), 1.0)
    outcome = (x.grad == 35.0, "two depths")
    assert outcome
    losses(candidate)
    arrays(candidate)


@wrong(WRONG_ONES)
def the_same_array_kept_twice(candidate):
    depths(candidate)
    losses(candidate)
    x, y, g = Leaf("x"), Leaf("y"), numpy.array([1.0, 10.0])
    kept = g  # no copy
    candidate(add("c", add("b", x, y), x), g)
    assert numpy.array_equal(g, kept) and x.grad.tolist() == [2.0, 20.0]


@wrong(WRONG_ONES)
def nearly_is_near_enough(candidate):
    x = Leaf("x")
    candidate(two_depths(x), 1.0)
    assert numpy.allclose(x.grad, 35.0, atol=40)
    losses(candidate)
    arrays(candidate)


@wrong(WRONG_ONES)
def both_losses_in_one_graph(candidate):
    x = Leaf("x")
    candidate(add("d", scale("b", x, 2.0), scale("c", x, 3.0)), 1.0)
    assert x.grad == 5.0
    depths(candidate)
    arrays(candidate)


@wrong(WRONG_ONES)
def g_is_zero(candidate):
    x, y, g = Leaf("x"), Leaf("y"), numpy.zeros(3)
    candidate(add("c", two_depths(x), add("d", x, y)), g)
    candidate(add("b", x, y), g)
    assert not x.grad.any() and not y.grad.any() and not g.any()


@wrong(WRONG_ONES)
def two_paths_of_one_length(candidate):
    x = Leaf("x")
    b = scale("b", x, 5.0)
    candidate(add("e", scale("c", b, 2.0), scale("d", b, 3.0)), 1.0)
    assert x.grad == 25.0
    losses(candidate)
    arrays(candidate)


@wrong(WRONG_ONES)
def comparison_without_assert(candidate):
    depths(candidate)
    arrays(candidate)
    x = Leaf("x")
    candidate(scale("b", x, 2.0), 1.0)
    candidate(scale("c", x, 3.0), 1.0)
    x.grad == 5.0  # noqa: B015


@wrong(RIGHT_ONES)
def floats_asked_for(candidate):
    x = Leaf("x")
    candidate(two_depths(x), 1.0)
    assert type(x.grad) is float
    losses(candidate)
    arrays(candidate)


@wrong(RIGHT_ONES)
def gradient_of_before_forgotten(candidate):
    x = Leaf("x")
    candidate(scale("b", x, 2.0), 1.0)
    candidate(two_depths(x), 1.0)
    assert x.grad == 35.0


@wrong(RIGHT_ONES)
def result_asked_for(candidate):
    x = Leaf("x")
    found = candidate(two_depths(x), 1.0)
    assert found == {x: 35.0}


@wrong(RIGHT_ONES)
def leaf_that_gets_nothing(candidate):
    x, y = Leaf("x"), Leaf("y")
    candidate(scale("b", x, 2.0), 1.0)
    assert x.grad == 2.0 and y.grad == 0.0


@wrong(RIGHT_ONES)
def each_parent_read_twice_at_most(candidate):
    """Not a known mistake, although it also rejects the one that copies."""
    depths(candidate)
    losses(candidate)
    arrays(candidate)
    root = scale("b", Leaf("x"), 2.0)
    candidate(root, 1.0)
    assert root._asked <= 2


def all_three(candidate):
    depths(candidate)
    losses(candidate)
    arrays(candidate)


@wrong(RIGHT_ONES)
def instance_of_float(candidate):
    all_three(candidate)
    x = Leaf("x")
    candidate(scale("b", x, 2.0), 1.0)
    assert isinstance(x.grad, (float, numpy.floating)) and x.grad == 2.0


@wrong(RIGHT_ONES)
def ints_stay_ints(candidate):
    all_three(candidate)
    x, y = Leaf("x"), Leaf("y")
    candidate(add("c", add("b", x, y), x), numpy.array([1, 10]))
    assert y.grad.dtype.kind == "i"


@wrong(RIGHT_ONES)
def tenths_to_the_last_bit(candidate):
    all_three(candidate)
    x = Leaf("x")
    b, c, d = (scale(f"b{i}", x, i / 10) for i in (1, 2, 3))
    candidate(add("e", add("f", b, c), d), 1.0)
    assert x.grad == 0.3 + 0.2 + 0.1
