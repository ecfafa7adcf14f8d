"""Strange solutions of 04g."""

import inspect
import itertools

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def arrays(seed=5, shape=(3,)):
    rng = numpy.random.default_rng(seed)
    return [rng.standard_normal(shape) for _ in range(3)]


def expected(w, g, v, lr, momentum):
    """(w, v) as they should be after a step."""
    moved = momentum * v + g
    return w - lr * moved, moved


@right
def number_by_number(candidate):
    w, g, v = arrays()
    before = w.tolist(), g.tolist(), v.tolist()
    candidate(w, g, v, lr=0.3, momentum=0.7)
    for i, (a, b, c) in enumerate(zip(*before)):
        speed = 0.7 * c + b
        assert abs(v[i] - speed) < 1e-9, f"v[{i}]"
        assert abs(w[i] - (a - 0.3 * speed)) < 1e-9, f"w[{i}]"
        assert g[i] == b, f"g[{i}]"


@right
def many_seeds_and_steps(candidate):
    for seed in range(5):
        w, _, v = arrays(seed, (2, 2))
        right_w, right_v = w.copy(), v.copy()
        for lr, momentum in ((0.1, 0.9), (0.5, 0.5), (2.0, 0.0)):
            g = arrays(seed + 10, (2, 2))[0]
            kept = g.copy()
            candidate(w, g, v, lr=lr, momentum=momentum)
            right_w, right_v = expected(right_w, kept, right_v, lr, momentum)
            numpy.testing.assert_allclose(w, right_w)
            numpy.testing.assert_allclose(v, right_v)
            numpy.testing.assert_array_equal(g, kept)


@right
def in_float32(candidate):
    w, g, v = (array.astype("float32") for array in arrays(7))
    right_w, right_v = expected(w, g, v, 0.25, 0.5)
    kept = bytes(g)
    candidate(w, g, v, lr=0.25, momentum=0.5)
    failures = []
    if not xp.allclose(w, right_w, atol=1e-5):
        failures.append("w")
    if not xp.allclose(v, right_v, atol=1e-5):
        failures.append("v")
    if bytes(g) != kept:
        failures.append("g")
    assert not failures, f"wrong: {', '.join(failures)}"


@right
def one_element_from_a_moving_start(candidate):
    w, g, v = xp.full(1, 10.0), xp.full(1, 2.0), xp.full(1, 4.0)
    for _ in range(2):
        candidate(w, g, v, lr=0.5, momentum=0.5)
    # v = 4, then 4; w = 8, then 6
    if (w[0], g[0], v[0]) != (6.0, 2.0, 4.0):
        raise ValueError(f"w {w[0]}, g {g[0]}, v {v[0]}")


@right
def one_assertion_for_all(candidate):
    w, g, v = arrays(11, (4,))
    state = numpy.stack([w, g, v])
    candidate(state[0], state[1], state[2], lr=1e-2, momentum=0.99)
    right_w, right_v = expected(w, g, v, 1e-2, 0.99)
    assert numpy.allclose(state, [right_w, g, right_v], rtol=1e-9)


def after_a_step(candidate, lr=0.25, momentum=0.5):
    w, g, v = arrays()
    right_w, right_v = expected(w, g, v, lr, momentum)
    kept = g.copy()
    candidate(w, g, v, lr=lr, momentum=momentum)
    return (w, right_w), (v, right_v), (g, kept)


@wrong(WRONG_ONES)
def a_tuple_is_always_true(candidate):
    for got, ours in after_a_step(candidate):
        outcome = (numpy.allclose(got, ours), "after a step")
        assert outcome


@wrong(WRONG_ONES)
def kept_without_a_copy(candidate):
    w, g, v = arrays()
    right_w, right_v = expected(w, g, v, 0.25, 0.5)
    kept = g
    candidate(w, g, v, lr=0.25, momentum=0.5)
    assert numpy.allclose(w, right_w) and numpy.allclose(v, right_v) and (g == kept).all()


@wrong(WRONG_ONES)
def within_ten(candidate):
    for got, ours in after_a_step(candidate):
        assert numpy.allclose(got, ours, atol=10)


@wrong(WRONG_ONES)
def any_of_them(candidate):
    assert any(numpy.allclose(got, ours) for got, ours in after_a_step(candidate))


@wrong(WRONG_ONES)
def sums_alone(candidate):
    w, g, v = xp.array([1.0, -1.0]), xp.array([2.0, -2.0]), xp.array([-3.0, 3.0])
    candidate(w, g, v, lr=0.5, momentum=0.5)
    assert w.sum() == g.sum() == v.sum() == 0


@wrong(WRONG_ONES)
def by_its_source(candidate):
    text = inspect.getsource(candidate)
    assert "lr * g" not in text and "g +=" not in text


CALLS = itertools.count()


@wrong(WRONG_ONES)
def counts_its_calls(candidate):
    assert not 3 <= next(CALLS) < 6


@wrong(WRONG_ONES)
def without_momentum(candidate):
    for got, ours in after_a_step(candidate, momentum=0.0):
        assert numpy.allclose(got, ours)


@wrong(WRONG_ONES)
def without_lr(candidate):
    (w, right_w), _, (g, kept) = after_a_step(candidate, lr=0.0)
    assert numpy.allclose(w, right_w) and numpy.array_equal(g, kept)


@wrong(WRONG_ONES)
def only_that_things_move(candidate):
    w, g, v = arrays()
    before = w.copy(), v.copy(), g.copy()
    candidate(w, g, v, lr=0.25, momentum=0.5)
    assert (w != before[0]).any() and (v != before[1]).any() and g.shape == before[2].shape


@wrong(WRONG_ONES)
def prints_and_does_not_raise(candidate):
    for got, ours in after_a_step(candidate):
        if not numpy.allclose(got, ours):
            print(end="")


@wrong(WRONG_ONES)
def g_of_zeros(candidate):
    w, _, v = arrays()
    g = xp.zeros_like(w)
    right_w, right_v = expected(w, g, v, 1.0, 1.0)
    candidate(w, g, v, lr=1.0, momentum=1.0)
    assert numpy.allclose(v, right_v) and (numpy.allclose(w, right_w) or not g.any())


@wrong(RIGHT_ONES)
def result_asked_for(candidate):
    w, g, v = arrays()
    right_w, _ = expected(w, g, v, 0.25, 0.5)
    assert numpy.allclose(candidate(w, g, v, lr=0.25, momentum=0.5), right_w)


@wrong(RIGHT_ONES)
def a_new_w_asked_for(candidate):
    w, g, v = arrays()
    kept = w.copy()
    candidate(w, g, v, lr=0.25, momentum=0.5)
    assert numpy.array_equal(w, kept)


@wrong(RIGHT_ONES)
def the_dampened_formula(candidate):
    w, g, v = arrays()
    right_w, _ = expected(w, 0.5 * g, v, 0.25, 0.5)
    candidate(w, g, v, lr=0.25, momentum=0.5)
    assert numpy.allclose(w, right_w)


@wrong(RIGHT_ONES)
def options_in_the_wrong_order(candidate):
    w, g, v = arrays()
    right_w, right_v = expected(w, g, v, 0.25, 0.5)
    candidate(w, g, v, 0.5, 0.25)
    assert numpy.allclose(w, right_w) and numpy.allclose(v, right_v)
