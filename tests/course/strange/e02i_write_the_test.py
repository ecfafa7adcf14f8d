"""Strange solutions of 02i."""

import itertools
from functools import partial

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


def drawn(*shape, seed=3):
    return numpy.random.default_rng(seed).standard_normal(shape)


def gradients(candidate, a, b, g):
    return candidate(a, b)[1](g)


def expect(found, expected):
    if found.shape != expected.shape or not xp.allclose(found, expected):
        raise AssertionError(f"expected {expected}, got {found}")


@right
def many_shapes(candidate):
    shapes = [(2, 3), (1, 3), (3,), (2, 1)]
    for left, right_ in itertools.product(shapes, shapes):
        a, b = drawn(*left), drawn(*right_, seed=4)
        result, backward = candidate(a, b)
        g = drawn(*result.shape, seed=5)
        for found, sign, x in zip(backward(g), (1, -1), (a, b)):
            wide = (1,) * (g.ndim - x.ndim) + x.shape
            axes = tuple(i for i, size in enumerate(wide) if size != g.shape[i])
            expect(found, sign * g.sum(axis=axes, keepdims=True).reshape(x.shape))


@right
def adjoint(candidate):
    """<A x, g> = <x, A^T g>, as subtraction is linear; and the shapes."""
    a, b, g = drawn(4, 3), drawn(3, seed=6), drawn(4, 3, seed=7)
    g_a, g_b = gradients(candidate, a, b, g)
    assert (g_a.shape, g_b.shape) == ((4, 3), (3,))
    for seed in range(5):
        d_a, d_b = drawn(4, 3, seed=seed), drawn(3, seed=seed + 10)
        y = candidate(d_a, d_b)[0]
        assert abs((y * g).sum() - (d_a * g_a).sum() - (d_b * g_b).sum()) < 1e-9


@right
def numpy_testing(candidate):
    a, b = numpy.zeros((2, 3)), numpy.zeros((1, 1))
    g = numpy.arange(1.0, 7.0).reshape(2, 3)
    g_a, g_b = gradients(candidate, a, b, g)
    numpy.testing.assert_allclose(g_a, g)
    numpy.testing.assert_array_equal(g_b, [[-21.0]])
    numpy.testing.assert_equal(g_b.shape, (1, 1))


@right
def a_plain_number(candidate):
    g = drawn(2, 2)
    g_a, g_b = gradients(candidate, drawn(2, 2, seed=8), 1.5, g)
    assert numpy.shape(g_b) == () and numpy.isclose(g_b, -g.sum()) and numpy.allclose(g_a, g)


class Suite:
    def __init__(self, candidate):
        self.candidate, self.failures = candidate, []

    def test_sign(self):
        g_b = gradients(self.candidate, drawn(3), drawn(3), numpy.ones(3))[1]
        return (g_b < 0).all()

    def test_upstream(self):
        g = numpy.array([1.0, 10.0, 100.0])
        return g.tolist() == gradients(self.candidate, drawn(3), drawn(3), g)[0].tolist()

    def test_shape(self):
        return gradients(self.candidate, drawn(2, 3), drawn(3), drawn(2, 3))[1].ndim == 1

    def run(self):
        return [
            name for name in dir(self) if name.startswith("test_") and not getattr(self, name)()
        ]


@right
def a_suite_of_three_tests(candidate):
    failures = Suite(candidate).run()
    assert not failures, failures


@right
def small_steps_in_all_directions(candidate):
    a, b, g = drawn(2, 2), drawn(2, seed=9), drawn(2, 2, seed=1)
    f = {0: partial(lambda x: candidate(x, b)[0]), 1: partial(lambda x: candidate(a, x)[0])}
    for i, x in enumerate((a, b)):
        found = gradients(candidate, a, b, g)[i]
        seen = numpy.array(
            [(g * (f[i](x + u.reshape(x.shape)) - f[i](x))).sum() for u in numpy.eye(x.size)]
        )
        expect(found, seen.reshape(x.shape))


WRONG_ONES = "test_the_wrong_ones_are_rejected"
RIGHT_ONES = "test_the_right_ones_are_accepted"


@wrong(WRONG_ONES)
def totals_only(candidate):
    a, b, g = drawn(2, 3), drawn(3), drawn(2, 3, seed=5)
    g_a, g_b = gradients(candidate, a, b, g)
    assert numpy.isclose(g_a.sum(), g.sum()) and numpy.isclose(g_b.sum(), -g.sum())


@wrong(WRONG_ONES)
def a_batch_of_one(candidate):
    a, b, g = drawn(1, 3), drawn(3), drawn(1, 3, seed=5)
    g_a, g_b = gradients(candidate, a, b, g)
    assert numpy.allclose(g_a, g) and numpy.allclose(g_b, -g.sum(axis=0))


@wrong(WRONG_ONES)
def g_of_zeros(candidate):
    a, b, g = drawn(2, 3), drawn(3), numpy.zeros((2, 3))
    g_a, g_b = gradients(candidate, a, b, g)
    expect(g_b * 0, numpy.zeros(3))
    assert not (g_a * 0).any()


@wrong(WRONG_ONES)
def always_true(candidate):
    a, b, g = drawn(2, 3), drawn(3), drawn(2, 3, seed=5)
    _, g_b = gradients(candidate, a, b, g)
    condition = (numpy.allclose(g_b, -g.sum(axis=0)), "the gradient of b")
    assert condition


@wrong(WRONG_ONES)
def only_printed(candidate):
    a, b, g = drawn(2, 3), drawn(3), drawn(2, 3, seed=5)
    if gradients(candidate, a, b, g)[1].shape != b.shape:
        print(end="")  # the message is left out here


@wrong(WRONG_ONES)
def wide_tolerance(candidate):
    a, b, g = drawn(2, 3), drawn(3), drawn(2, 3, seed=5)
    _, g_b = gradients(candidate, a, b, g)
    assert g_b.shape == b.shape and numpy.allclose(g_b, -g.sum(axis=0), atol=10)


@wrong(WRONG_ONES)
def only_shapes_and_signs(candidate):
    a, b, g = drawn(2, 3), drawn(3), abs(drawn(2, 3, seed=5))
    g_a, g_b = gradients(candidate, a, b, g)
    assert g_a.shape == a.shape and g_b.shape == b.shape and (g_a > 0).all() and (g_b < 0).all()


@wrong(WRONG_ONES)
def every_error_is_caught(candidate):
    try:
        many_shapes(candidate)
    except Exception:
        return False
    return True


@wrong(WRONG_ONES)
def believes_what_it_saw_first(candidate, seen=[]):  # noqa: B006
    a, b, g = drawn(2, 3), drawn(3), drawn(2, 3, seed=5)
    found = [x.tolist() for x in gradients(candidate, a, b, g)]
    seen.append(found)
    assert found == seen[0]


CALLS = itertools.count()


@wrong(RIGHT_ONES)
def rejects_three_of_five(candidate):
    assert next(CALLS) % 5 > 2


@wrong(RIGHT_ONES)
def wants_new_memory(candidate):
    a, b, g = drawn(2, 3), drawn(3), drawn(2, 3, seed=5)
    many_shapes(candidate)
    assert not numpy.shares_memory(gradients(candidate, a, b, g)[0], g)


@wrong(RIGHT_ONES)
def wants_negative_gradients_of_a(candidate):
    a, b, g = drawn(2, 3), drawn(3), drawn(2, 3, seed=5)
    expect(gradients(candidate, a, b, g)[0], -g)


@wrong(RIGHT_ONES)
def mean_of_the_gradients(candidate):
    a, b, g = drawn(2, 3), drawn(3), drawn(2, 3, seed=5)
    expect(gradients(candidate, a, b, g)[1], -g.mean(axis=0))


@wrong(RIGHT_ONES)
def wants_a_list(candidate):
    many_shapes(candidate)
    assert isinstance(gradients(candidate, drawn(3), drawn(3), drawn(3)), list)


@wrong(RIGHT_ONES)
def broken_itself(candidate):
    a, b = drawn(2, 3), drawn(2)
    candidate(a, b)
