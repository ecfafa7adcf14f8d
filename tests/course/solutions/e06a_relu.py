"""Solutions of 06a."""

from minires.backend import xp
from tests.course.kinds import right, wrong

STAYS, CUT, PASSES = ("test_x_stays_unchanged", "test_positive_numbers_stay_and_negative_ones_become_0",
                      "test_the_gradient_passes_where_x_is_positive")  # fmt: skip
AT_0, KEPT = "test_the_slope_at_0_is_0", "test_one_bool_per_element_is_saved"


@right
def by_where(x):
    positive = x > 0
    return xp.where(positive, x, 0), lambda g: (xp.where(positive, g, 0),)


@right
def by_product(x):
    negative = x <= 0

    def backward(g):
        g_x = g.copy()
        g_x[negative] = 0
        return (g_x,)

    return x * ~negative, backward


@right
def on_a_copy(x):
    y = x.copy()
    y[y < 0] = 0
    alive = y != 0
    return y, lambda g: (alive * g,)


@right
def in_float64(x):
    wide = x.astype("float64")
    positive = xp.greater(wide, 0)
    return ((wide + abs(wide)) / 2).astype(x.dtype), lambda g: (
        (g.astype("float64") * positive).astype(g.dtype),
    )


@wrong(STAYS, mistake="in_place")
def into_x(x):
    xp.maximum(x, 0, out=x)
    positive = x != 0
    return x, lambda g: (xp.where(positive, g, 0),)


@wrong(PASSES, mistake="unmasked")
def straight_through(x):
    return xp.where(x > 0, x, 0), lambda g: (g.copy(),)


@wrong(AT_0, mistake="slope_of_one_at_0")
def negative_ones_cut(x):
    negative = x < 0
    return xp.where(negative, 0, x), lambda g: (xp.where(negative, 0, g),)


@wrong(AT_0, mistake="half_at_0")
def by_the_sign(x):
    sign = xp.sign(x).astype("int8")
    return x * (sign > 0), lambda g: (g * ((sign + 1) / 2).astype(g.dtype),)


@wrong(PASSES, mistake="upstream_ignored")
def the_mask(x):
    positive = xp.greater(x, 0)
    return xp.where(positive, x, 0), lambda g: (xp.where(positive, xp.ones_like(g), 0),)


@wrong(PASSES, mistake="rectified_gradient")
def both_cut(x):
    positive = x > 0
    return x * positive, lambda g: (xp.where(positive & (g > 0), g, 0),)


@wrong(PASSES, mistake="times_the_result")
def as_a_square(x):
    return xp.maximum(x, 0), lambda g: (xp.where(x > 0, x, 0) * g,)


@wrong(CUT, mistake="absolute")
def folded(x):
    positive = x > 0
    return xp.where(positive, x, -x), lambda g: (xp.where(positive, g, -g),)


@wrong(KEPT, mistake="x_kept")
def slope_in_the_type_of_x(x):
    slope = (x > 0).astype(x.dtype)
    return x * slope, lambda g: (g * slope,)


@wrong(KEPT)
def indices_kept(x):
    where = xp.nonzero(x > 0)

    def backward(g):
        g_x = xp.zeros_like(g)
        g_x[where] = g[where]
        return (g_x,)

    return xp.maximum(x, 0), backward


@wrong(KEPT)
def mask_and_x_kept(x):
    positive = x > 0
    return xp.where(positive, x, 0), lambda g: (xp.where(positive & (x != 0), g, 0),)


@wrong(CUT)
def leaky(x):
    positive = x > 0
    return xp.where(positive, x, 0.01 * x), lambda g: (
        g * xp.where(positive, 1, 0.01).astype(g.dtype),
    )


@wrong(CUT)
def cut_at_1(x):
    between = (x > 0) & (x < 1)
    return xp.clip(x, 0, 1), lambda g: (g * between,)


@wrong(CUT)
def cut_from_above(x):
    negative = x < 0
    return xp.minimum(x, 0), lambda g: (g * negative,)


@wrong(PASSES)
def writes_to_g(x):
    zero = x <= 0

    def backward(g):
        g[zero] = 0
        return (g,)

    return xp.maximum(x, 0), backward


@wrong(PASSES)
def only_the_positive_part_comes_back(x):
    positive = x > 0
    return xp.maximum(x, 0), lambda g: (xp.resize(g[positive], g.shape),)


@wrong(PASSES)
def float64_gradient(x):
    positive = (x > 0).astype("float64")
    return xp.maximum(x, 0), lambda g: (g * positive,)


@wrong(AT_0)
def nearly_0_is_0(x):
    positive = x > 1e-6
    return xp.maximum(x, 0), lambda g: (g * positive,)


@wrong(PASSES)
def no_tuple(x):
    positive = x > 0
    return xp.maximum(x, 0), lambda g: g * positive
