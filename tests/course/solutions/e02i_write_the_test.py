"""Solutions of 02i: checks that tell the wrong subtractions from the right ones, and checks that do not."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def inputs(seed=0):
    rng = xp.random.default_rng(seed)
    return rng.standard_normal((2, 3)), rng.standard_normal(3), rng.standard_normal((2, 3))


@right
def by_formula(candidate):
    a, b, g = inputs()
    result, backward = candidate(a, b)
    g_a, g_b = backward(g)
    assert xp.allclose(result, a - b)
    assert g_a.shape == a.shape and xp.allclose(g_a, g)
    assert g_b.shape == b.shape and xp.allclose(g_b, -g.sum(axis=0))


@right
def by_small_steps(candidate):
    a, b, g = inputs(1)
    for gradient, x, loss in zip(
        candidate(a, b)[1](g), (a, b), (lambda x: candidate(x, b), lambda x: candidate(a, x))
    ):
        if gradient.shape != x.shape:
            raise AssertionError("shape")
        for index in xp.ndindex(x.shape):
            unit = xp.zeros_like(x)
            unit[index] = 1e-4
            slope = (g * (loss(x + unit)[0] - loss(x - unit)[0])).sum() / 2e-4
            if abs(slope - gradient[index]) > 1e-6:
                raise AssertionError(f"{index}")


@right
def one_image_and_one_number(candidate):
    a, b = xp.ones((2, 2)), xp.ones((1, 2))
    _, backward = candidate(a, b)
    g_a, g_b = backward(a * 3)
    assert g_a.tolist() == [[3, 3], [3, 3]], g_a
    assert g_b.tolist() == [[-6, -6]], g_b


WRONG_ONES = "test_the_wrong_ones_are_rejected"


@wrong(WRONG_ONES, mistake="forward_only")
def result_looked_at(candidate):
    a, b, _ = inputs()
    result, backward = candidate(a, b)
    if not xp.array_equal(result, xp.subtract(a, b)) or not callable(backward):
        raise AssertionError("the result")


@wrong(WRONG_ONES, mistake="shapes_only")
def shapes_looked_at(candidate):
    a, b, g = inputs()
    shapes = [gradient.shape for gradient in candidate(a, b)[1](g)]
    if shapes != [(2, 3), (3,)]:
        raise AssertionError(shapes)


@wrong(WRONG_ONES, mistake="through_a_sum")
def ones_come_in(candidate):
    a, b, _ = inputs()
    g_a, g_b = candidate(a, b)[1](xp.ones((2, 3)))
    assert g_b.shape == (3,) and xp.allclose(g_a, 1) and xp.allclose(g_b, -2)


@wrong(WRONG_ONES, mistake="one_shape")
def nothing_broadcast(candidate):
    a, _, g = inputs()
    g_a, g_b = candidate(a, a + 1)[1](g)
    assert xp.allclose(g_a + g_b, 0) and xp.allclose(g_a, g)


@wrong("test_the_right_ones_are_accepted", mistake="never_content")
def raises_always(candidate):
    a, b, g = inputs()
    assert candidate(a, b)[1](g) == 0


@wrong(WRONG_ONES, mistake="forward_only")
def caught(candidate):
    try:
        by_formula(candidate)
    except AssertionError:
        pass


@wrong(WRONG_ONES)
def gives_a_bool(candidate):
    a, b, g = inputs()
    g_a, g_b = candidate(a, b)[1](g)
    return g_b.shape == b.shape and xp.allclose(g_b, -g.sum(axis=0))


@wrong(WRONG_ONES)
def only_a(candidate):
    a, b, g = inputs()
    assert xp.allclose(candidate(a, b)[1](g)[0], g)


@wrong(WRONG_ONES)
def signs_forgotten(candidate):
    a, b, g = inputs()
    g_b = candidate(a, b)[1](g)[1]
    assert xp.allclose(abs(g_b), abs(g.sum(axis=0)))


@wrong("test_the_right_ones_are_accepted")
def too_strict(candidate):
    a, b, g = inputs()
    by_formula(candidate)
    assert candidate(a, a)[1](g)[0] is g


@wrong("test_the_right_ones_are_accepted")
def wrong_itself(candidate):
    a, b, g = inputs()
    assert xp.allclose(candidate(a, b)[1](g)[1], g.sum(axis=0))
