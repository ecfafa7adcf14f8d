"""Solutions of 03c: checks that tell the wrong walks from the right ones, and checks that do not."""

import numpy

from minires.course.graphs import Leaf, Node, add, scale
from tests.course.kinds import right, wrong


def equal(leaf, wanted):
    assert leaf.grad is not None and numpy.array_equal(leaf.grad, wanted), f"{leaf} has {leaf.grad}"


def ladder(x):
    """b = 2x, c = b + 3b: b is used at two depths."""
    b = scale("b", x, 2.0)
    return add("c", scale("3b", b, 3.0), add("b + x", b, x))


def two_walks(candidate, g=1.0):
    x = Leaf("x")
    candidate(scale("b", x, 2.0), g)
    candidate(scale("c", x, 3.0), g)
    equal(x, 5.0 * g)


def chain(candidate):
    x = Leaf("x")
    candidate(scale("c", scale("b", x, 2.0), 3.0), 1.0)
    equal(x, 6.0)


@right
def one_graph_and_all_at_once(candidate):
    x, y = Leaf("x"), Leaf("y")
    x.grad = numpy.array([100.0, 200.0])  # as another loss left it
    b = add("b", x, y)
    root = add("d", b, scale("3(b + y)", add("b + y", b, y), 3.0))
    g = numpy.array([1.0, 2.0])
    candidate(root, g)
    equal(x, [104.0, 208.0])
    equal(y, 7 * g)
    assert g.tolist() == [1.0, 2.0]


@right
def one_by_one(candidate):
    x = Leaf("x")
    candidate(add("e", scale("2b", scale("b", x, 5.0), 2.0), x), 1.0)
    equal(x, 11.0)
    x = Leaf("x")
    b = scale("b", x, 5.0)
    candidate(add("e", b, scale("c", scale("d", b, 2.0), 2.0)), 1.0)
    equal(x, 25.0)
    two_walks(candidate)
    given = []
    x, y = Leaf("x"), Leaf("y")
    both = Node(
        "both",
        lambda g: (given.append(g.copy()) or g, g),
        x,
        add("y + y + x", add("y + y", y, y), x),
    )
    g = numpy.ones(3)
    candidate(both, g)
    assert (g == 1).all() and (given[0] == 1).all()
    equal(x, 2 * numpy.ones(3))
    equal(y, 2 * numpy.ones(3))


@right
def against_small_steps(candidate):
    rng = numpy.random.default_rng(3)
    factors = rng.integers(1, 9, 5).astype(float)

    def loss(x, y):
        b = factors[0] * x + y
        return b + factors[1] * (factors[2] * b + x) + y

    def graph(x, y):
        b = add("b", scale("fx", x, factors[0]), y)
        return add(
            "f", add("e", b, scale("d", add("c", scale("fb", b, factors[2]), x), factors[1])), y
        )

    x, y = Leaf("x"), Leaf("y")
    total = numpy.zeros(2)
    for g in (numpy.array([1.0, -2.0]), numpy.array([3.0, 5.0])):
        coming = g.copy()
        candidate(graph(x, y), coming)
        total += g
        if not numpy.array_equal(coming, g):
            raise AssertionError("g was written to")
        for leaf, slope in ((x, loss(1, 0) - loss(0, 0)), (y, loss(0, 1) - loss(0, 0))):
            if not numpy.allclose(leaf.grad, slope * total):
                raise AssertionError(f"{leaf}")


WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def arrays(candidate):
    x, y, g = Leaf("x"), Leaf("y"), numpy.array([3.0, 4.0])
    candidate(add("c", add("b", x, y), x), g)
    equal(x, [6.0, 8.0])
    equal(y, [3.0, 4.0])
    assert g.tolist() == [3.0, 4.0]


def depths(candidate):
    x = Leaf("x")
    b = scale("b", x, 2.0)
    candidate(add("d", b, scale("3c", scale("c", b, 2.0), 3.0)), 1.0)
    equal(x, 14.0)


@wrong(WRONG_ONES, mistake="one_diamond")
def a_chain(candidate):
    chain(candidate)


@wrong(WRONG_ONES, mistake="one_diamond")
def gives_bools(candidate):
    try:
        one_by_one(candidate)
    except AssertionError:
        return False
    return True


@wrong(WRONG_ONES, mistake="one_walk")
def always_new_leaves(candidate):
    chain(candidate)
    depths(candidate)
    arrays(candidate)


@wrong(WRONG_ONES, mistake="ways_of_one_length")
def level_by_level(candidate):
    chain(candidate)
    two_walks(candidate, 3.0)
    arrays(candidate)


@wrong(WRONG_ONES, mistake="plain_numbers")
def floats_only(candidate):
    chain(candidate)
    two_walks(candidate)
    depths(candidate)


@wrong(RIGHT_ONES, mistake="never_content")
def wrong_itself(candidate):
    x = Leaf("x")
    candidate(scale("b", x, 2.0), 1.0)
    equal(x, 1.0)


@wrong(RIGHT_ONES, mistake="memory_asked_for")
def the_very_array(candidate):
    against_small_steps(candidate)
    x, y, g = Leaf("x"), Leaf("y"), numpy.ones(2)
    candidate(add("b", x, y), g)
    if x.grad is not y.grad:
        raise AssertionError("two arrays")


@wrong(RIGHT_ONES)
def memory_of_its_own(candidate):
    one_graph_and_all_at_once(candidate)
    x, y, g = Leaf("x"), Leaf("y"), numpy.ones(2)
    candidate(add("b", x, y), g)
    assert not numpy.shares_memory(x.grad, g)


@wrong(RIGHT_ONES)
def order_asked_for(candidate):
    one_by_one(candidate)
    ran, x = [], Leaf("x")
    nodes = [Node(name, lambda g, name=name: ran.append(name) or (g,), x) for name in "bc"]
    candidate(add("d", *nodes), 1.0)
    assert ran == ["b", "c"]


@wrong(WRONG_ONES)
def only_that_there_is_a_gradient(candidate):
    x = Leaf("x")
    candidate(ladder(x), numpy.ones(2))
    assert x.grad is not None and x.grad.shape == (2,)


@wrong(WRONG_ONES)
def short_way_last(candidate):
    x = Leaf("x")
    candidate(add("d", x, scale("b", x, 2.0)), 1.0)  # a leaf at two depths: leaves wait for nobody
    equal(x, 3.0)
    two_walks(candidate)
    arrays(candidate)


@wrong(WRONG_ONES)
def arrays_that_scale_made_anew(candidate):
    x, g = Leaf("x"), numpy.array([1.0, 2.0])
    candidate(add("d", scale("b", x, 2.0), scale("c", x, 3.0)), g)
    equal(x, [5.0, 10.0])
    two_walks(candidate)
    depths(candidate)
