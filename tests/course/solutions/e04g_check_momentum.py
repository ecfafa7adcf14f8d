"""Solutions of 04g: checks that tell the wrong steps from the right ones, and checks that do not."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def inputs(seed=0):
    rng = xp.random.default_rng(seed)
    return rng.standard_normal((2, 3)), rng.standard_normal((2, 3)), rng.standard_normal((2, 3))


@right
def by_formula(candidate):
    w, g, v = inputs()
    moved_v = 0.9 * v + g
    moved_w = w - 0.1 * moved_v
    kept = g.copy()
    candidate(w, g, v, lr=0.1, momentum=0.9)
    assert xp.allclose(w, moved_w) and xp.allclose(v, moved_v)
    assert xp.array_equal(g, kept)


@right
def two_steps_from_rest_with_another_lr(candidate):
    w, v, g, more = xp.zeros(1), xp.zeros(1), xp.ones(1), xp.ones(1)
    candidate(w, g, v, lr=1.0, momentum=0.5)  # v = 1, w = -1
    candidate(w, more, v, lr=2.0, momentum=0.5)  # v = 1.5, w = -4
    if w[0] != -4 or g[0] != 1 or more[0] != 1:
        raise AssertionError(f"w {w}, g {g} and {more}")


@right
def with_g_locked(candidate):
    w, g, v = inputs(3)
    g.flags.writeable = False
    wanted = w - 0.5 * (0.25 * v + g)
    try:
        candidate(w, g, v, lr=0.5, momentum=0.25)
    except ValueError:
        raise AssertionError("it writes to g") from None
    assert abs(w - wanted).max() < 1e-9


WRONG_ONES = "test_the_wrong_ones_are_rejected"


@wrong(WRONG_ONES, mistake="content_with_all")
def one_step_of_w(candidate):
    w, g, _ = inputs()
    wanted = w - 0.1 * g
    candidate(w, g, xp.zeros_like(w), lr=0.1, momentum=0.9)
    assert xp.allclose(w, wanted)


@wrong(WRONG_ONES, mistake="from_rest")
def all_of_one_step(candidate):
    w, g, _ = inputs()
    v, kept, wanted = xp.zeros_like(w), g.copy(), w - 0.1 * g
    candidate(w, g, v, lr=0.1, momentum=0.9)
    assert xp.allclose(w, wanted) and xp.allclose(g, kept) and xp.allclose(v, kept)


@wrong(WRONG_ONES, mistake="weights_alone")
def where_w_ends(candidate):
    w, v = xp.zeros(1), xp.zeros(1)
    for _ in range(3):
        candidate(w, xp.ones(1), v, lr=0.5, momentum=0.5)  # v = 1, 1.5, 1.75
    assert xp.isclose(w[0], -2.125), w


@wrong(WRONG_ONES, mistake="g_not_looked_at")
def w_and_v(candidate):
    w, g, v = inputs(2)
    moved = 0.9 * v + g
    wanted = w - 0.1 * moved
    candidate(w, g, v, lr=0.1, momentum=0.9)
    assert xp.allclose(w, wanted) and xp.allclose(v, moved)


@wrong(WRONG_ONES, mistake="weights_not_looked_at")
def v_and_g(candidate):
    w, g, v = inputs(2)
    moved, kept = 0.9 * v + g, g.copy()
    candidate(w, g, v, lr=0.1, momentum=0.9)
    assert xp.allclose(g, kept) and xp.allclose(v, moved)


@wrong(WRONG_ONES, mistake="place_of_lr_not_seen")
def w_and_g_with_one_lr(candidate):
    w, v, g = xp.zeros(1), xp.zeros(1), xp.ones(1)
    candidate(w, g, v, lr=0.5, momentum=0.5)
    candidate(w, g, v, lr=0.5, momentum=0.5)
    assert w[0] == -1.25 and g[0] == 1


@wrong("test_the_right_ones_are_accepted", mistake="never_content")
def raises_always(candidate):
    w, g, v = inputs()
    assert candidate(w, g, v, lr=0.1, momentum=0.9) is not None


@wrong(WRONG_ONES, mistake="content_with_all")
def caught(candidate):
    try:
        by_formula(candidate)
    except AssertionError:
        pass


@wrong(WRONG_ONES)
def gives_a_bool(candidate):
    w, g, v = inputs()
    moved = 0.9 * v + g
    candidate(w, g, v, lr=0.1, momentum=0.9)
    return xp.allclose(v, moved)


@wrong(WRONG_ONES)
def only_that_w_falls(candidate):
    w, v = xp.array([10.0]), xp.array([1.0])
    candidate(w, xp.array([2.0]), v, lr=0.1, momentum=0.9)
    assert w[0] < 10 and v[0] > 0


@wrong(WRONG_ONES)
def compared_with_itself(candidate):
    w, g, v = inputs()
    candidate(w, g, v, lr=0.1, momentum=0.9)
    moved = v
    assert xp.allclose(v, moved) and w.shape == g.shape


@wrong("test_the_right_ones_are_accepted")
def wrong_itself(candidate):
    w, g, v = inputs()
    moved = 0.9 * v + 0.1 * g
    candidate(w, g, v, lr=0.1, momentum=0.9)
    assert xp.allclose(v, moved)


@wrong("test_the_right_ones_are_accepted")
def of_ints(candidate):
    w, g, v = xp.array([1, 2]), xp.array([3, 4]), xp.array([5, 6])
    candidate(w, g, v, lr=1, momentum=0.5)
    assert w.tolist() == [-4, -5]


@wrong("test_the_right_ones_are_accepted")
def to_the_last_bit(candidate):
    w, g, v = inputs()
    wanted = w - (0.1 * 0.9 * v + 0.1 * g)
    candidate(w, g, v, lr=0.1, momentum=0.9)
    assert xp.array_equal(w, wanted)
