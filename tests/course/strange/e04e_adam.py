"""Strange solutions of 04e."""

from minires.backend import xp
from tests.course.kinds import right, wrong

BETAS = (0.9, 0.999)
FIRST, SEVENTH = "test_the_first_step_goes_as_far_as_lr", "test_the_seventh_step_is_corrected_less"
ZEROS, TURNS = "test_elements_of_g_may_be_0", "test_two_parameters_of_one_shape_take_turns"
COUPLED = "test_weight_decay_is_a_part_of_g"
DECOUPLED = "test_decoupled_weight_decay_shrinks_w_before_the_step"


def step(
    w,
    g,
    m,
    v,
    t,
    lr,
    betas=BETAS,
    eps=1e-8,
    weight_decay=0.0,
    decoupled=False,
    *,
    of_v=None,
    by=None,
    t_of_m=None,
):
    """A right step. of_v  what is squared for v    by(m, v, b1t, b2t, g)  the direction, if it is a different one"""  # fmt: skip
    b1, b2 = betas
    if decoupled:
        w *= 1 - lr * weight_decay
    else:
        g = g + weight_decay * w
    m[...] = b1 * m + (1 - b1) * g
    v[...] = b2 * v + (1 - b2) * (of_v(g, m) if of_v else g) ** 2
    b1t, b2t = b1 ** (t_of_m or t), b2**t
    if by:
        w -= lr * by(m, v, b1t, b2t, g)
    else:
        w -= lr * (m / (1 - b1t)) / ((v / (1 - b2t)) ** 0.5 + eps)


@right
def as_lerp(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = g + (0 if decoupled else weight_decay) * w
    m += (g - m) * (1 - betas[0])
    v += (g * g - v) * (1 - betas[1])
    corrections = [1 - beta**t for beta in betas]
    size = lr / corrections[0]
    root = xp.sqrt(v) / corrections[1] ** 0.5 + eps
    w *= 1 - (lr * weight_decay if decoupled else 0)
    w -= size * m / root


@right
def row_by_row(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    if w.ndim > 1:
        for rows in zip(w, g, m, v):
            row_by_row(*rows, t, lr, betas, eps, weight_decay, decoupled)
    else:
        step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled)


@right
def in_float64_and_copied_back(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    wide = [array.astype("float64") for array in (w, g, m, v)]
    step(*wide, t, lr, betas, eps, weight_decay, decoupled)
    for array, new in ((w, wide[0]), (m, wide[2]), (v, wide[3])):
        xp.copyto(array, new, casting="same_kind")


@right
def with_ufuncs_alone(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    slope = xp.array(g)
    if decoupled:
        xp.multiply(w, 1 - lr * weight_decay, out=w)
    else:
        xp.add(slope, xp.multiply(weight_decay, w), out=slope)
    for mean, part, beta in ((m, slope, betas[0]), (v, xp.square(slope), betas[1])):
        xp.multiply(mean, beta, out=mean)
        xp.add(mean, xp.multiply(part, 1 - beta), out=mean)
    root = xp.sqrt(xp.divide(v, 1 - betas[1] ** t))
    xp.add(root, eps, out=root)
    xp.subtract(w, xp.divide(xp.multiply(m, lr / (1 - betas[0] ** t)), root), out=w)


@right
def through_items(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    if t < 1:
        raise ValueError(f"expected t from 1 on, got {t}")
    for place in xp.ndindex(*w.shape):
        numbers = [array[place : place + 1] if w.ndim == 1 and isinstance(place, int) else array[place][None]
                   for array in (w, g, m, v)]  # fmt: skip
        own = [number.copy() for number in numbers]
        step(*own, t, lr, betas, eps, weight_decay, decoupled)
        w[place], m[place], v[place] = own[0][0], own[2][0], own[3][0]


@wrong(ZEROS)
def eps_left_out(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    with xp.errstate(all="ignore"):
        step(w, g, m, v, t, lr, betas, eps if eps > 1e-3 else 0.0, weight_decay, decoupled)


@wrong(ZEROS)
def lazy_where_g_is_0(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    before = w.copy(), m.copy(), v.copy()
    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled)
    for array, old in zip((w, m, v), before):
        array[g == 0] = old[g == 0]


@wrong("test_a_learning_rate_of_0_moves_m_and_v_and_not_the_weights")
def nothing_to_do_without_lr(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    if lr:
        step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled)


@wrong("test_float32_arrays_change_in_place")
def float32_goes_to_a_copy(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    step(w.astype("float64", copy=False), g, m, v, t, lr, betas, eps, weight_decay, decoupled)


@wrong("test_arrays_may_be_parts_of_larger_ones")
def flattened_by_reshape(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    flat = [array.reshape(-1) for array in (w, g, m, v)]
    step(*flat, t, lr, betas, eps, weight_decay, decoupled)


COUNT = {}


@wrong(TURNS)
def counts_the_calls_of_this_shape(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    COUNT[w.shape] = COUNT.get(w.shape, 0) + 1
    step(w, g, m, v, COUNT[w.shape], lr, betas, eps, weight_decay, decoupled)


@wrong(SEVENTH)
def corrected_only_at_first(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    step(w, g, m, v, t if t < 100 else 10**9, lr, betas, eps, weight_decay, decoupled)


@wrong(FIRST)
def v_of_the_distance_from_m(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled, of_v=lambda g, m: g - m)


@wrong(FIRST)
def v_of_m(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled, of_v=lambda g, m: m)


@wrong(FIRST)
def root_before_the_correction(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    def by(m, v, b1t, b2t, g):
        return m / (1 - b1t) / (xp.sqrt(v) / (1 - b2t) + eps)

    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled, by=by)


@wrong(SEVENTH)
def nadam(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    def by(m, v, b1t, b2t, g):
        ahead = (betas[0] * m + (1 - betas[0]) * g) / (1 - b1t)
        return ahead / (xp.sqrt(v / (1 - b2t)) + eps)

    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled, by=by)


@wrong(SEVENTH)
def step_never_longer_than_lr(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    def by(m, v, b1t, b2t, g):
        return xp.clip(m / (1 - b1t) / (xp.sqrt(v / (1 - b2t)) + eps), -0.3, 0.3) / 0.3

    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled, by=by)


@wrong("test_eps_is_added_to_the_root")
def the_larger_of_eps_and_the_root(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    def by(m, v, b1t, b2t, g):
        return m / (1 - b1t) / xp.maximum(xp.sqrt(v / (1 - b2t)), eps)

    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled, by=by)


@wrong(COUPLED)
def v_without_the_decay(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled, of_v=lambda *_: g)


@wrong(COUPLED)
def lr_in_the_coupled_decay(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    decay = weight_decay if decoupled else lr * weight_decay
    step(w, g, m, v, t, lr, betas, eps, decay, decoupled)


@wrong(DECOUPLED)
def decay_through_the_root(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    before = w.copy()
    step(w, g, m, v, t, lr, betas, eps, 0.0 if decoupled else weight_decay, decoupled)
    if decoupled:
        w -= lr * weight_decay * before / (xp.sqrt(v) + eps)


@wrong("test_betas_of_0_keep_nothing")
def betas_of_0_are_the_default(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    step(w, g, m, v, t, lr, (betas[0] or 0.9, betas[1] or 0.999), eps, weight_decay, decoupled)


OF_W = {}


@wrong("test_m_and_v_are_the_arrays_that_are_passed")
def means_that_came_first_with_this_w(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    _, m, v = OF_W.setdefault(id(w), (w, m, v))
    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled)


@wrong("test_gradients_may_have_any_size")
def clipped_at_ten(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    step(w, xp.clip(g, -10, 10), m, v, t, lr, betas, eps, weight_decay, decoupled)


@wrong("test_gradients_may_have_any_size")
def eps_at_least_1e_8(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    step(w, g, m, v, t, lr, betas, max(eps, 1e-8), weight_decay, decoupled)


@wrong("test_gradients_may_have_any_size")
def eps_of_1e_12_at_least(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    step(w, g, m, v, t, lr, betas, max(eps, 1e-12), weight_decay, decoupled)


@wrong("test_a_step_may_be_much_longer_than_lr")
def ten_times_lr_at_most(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    before = w.copy()
    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled)
    w[...] = xp.clip(w, before - 10 * lr, before + 10 * lr)


@wrong("test_eps_is_added_to_the_root")
def eps_of_0_is_the_default(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    step(w, g, m, v, t, lr, betas, eps or 1e-8, weight_decay, decoupled)


@wrong("test_nan_is_not_hidden")
def nan_is_0(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    step(w, xp.nan_to_num(g), m, v, t, lr, betas, eps, weight_decay, decoupled)


@wrong(SEVENTH)
def corrected_in_the_first_99_steps(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    step(w, g, m, v, t, lr, betas, eps, weight_decay, decoupled, t_of_m=t if t < 100 else 10**9)
