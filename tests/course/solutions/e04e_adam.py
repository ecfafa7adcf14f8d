"""Solutions of 04e."""

from minires.backend import xp
from tests.course.kinds import right, wrong

BETAS = (0.9, 0.999)


def settled(w, g, m, v, t, lr, betas, eps, *, hats=None, root=None):
    """A step without decay. hats(m, v, b1t, b2t), root(v_hat, eps)  what is done in another way."""
    m[...] = betas[0] * m + (1 - betas[0]) * g
    v[...] = betas[1] * v + (1 - betas[1]) * g**2
    b1t, b2t = betas[0] ** t, betas[1] ** t
    m_hat, v_hat = hats(m, v, b1t, b2t) if hats else (m / (1 - b1t), v / (1 - b2t))
    w -= lr * m_hat / (root(v_hat, eps) if root else v_hat**0.5 + eps)


def coupled(w, g, lr, weight_decay, decoupled):
    if decoupled:
        xp.multiply(w, 1 - lr * weight_decay, out=w)
        return g
    return g + w * weight_decay


@right
def decay_in_the_step(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    shrink = lr * weight_decay * w if decoupled else 0
    settled(w, g if decoupled else g + weight_decay * w, m, v, t, lr, betas, eps)
    w -= shrink


@right
def number_by_number(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    b1, b2 = betas
    for index in xp.ndindex(w.shape):
        slope = float(g[index])
        if decoupled:
            w[index] -= lr * weight_decay * w[index]
        else:
            slope += weight_decay * w[index]
        m[index] += (1 - b1) * (slope - m[index])
        v[index] += (1 - b2) * (slope * slope - v[index])
        w[index] -= lr * m[index] / (1 - b1**t) / ((v[index] / (1 - b2**t)) ** 0.5 + eps)


@right
def corrected_step(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    b1, b2 = betas
    g = coupled(w, g, lr, weight_decay, decoupled)
    m *= b1
    m += g * (1 - b1)
    v *= b2
    v += xp.square(g) * (1 - b2)
    late = (1 - b2**t) ** 0.5
    w -= lr * late / (1 - b1**t) * m / (xp.sqrt(v) + eps * late)


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="not_corrected")
def raw_means(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, t, lr, betas, eps, hats=lambda m, v, b1t, b2t: (m, v))


@wrong("test_the_seventh_step_is_corrected_less", mistake="power_left_out")
def no_power(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(
        w,
        g,
        m,
        v,
        t,
        lr,
        betas,
        eps,
        hats=lambda m, v, *_: (m / (1 - betas[0]), v / (1 - betas[1])),
    )


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="counted_from_0")
def counted_after_use(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    with xp.errstate(all="ignore"):
        hats = lambda m, v, b1t, b2t: (
            m / xp.float64(1 - betas[0] ** (t - 1)),
            v / xp.float64(1 - betas[1] ** (t - 1)),
        )
        settled(w, g, m, v, t, lr, betas, eps, hats=hats)


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="counted_from_2")
def counted_before_use(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    t += 1
    settled(w, g, m, v, t, lr, betas, eps)


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="v_not_corrected")
def only_m(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, t, lr, betas, eps, hats=lambda m, v, b1t, b2t: (m / (1 - b1t), v))


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="corrected_for_good")
def hats_in_place(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)

    def hats(m, v, b1t, b2t):
        m /= 1 - b1t
        v /= 1 - b2t
        return m, v

    settled(w, g, m, v, t, lr, betas, eps, hats=hats)


@wrong("test_eps_is_added_to_the_root", mistake="eps_inside")
def under_the_root(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, t, lr, betas, eps, root=lambda v, eps: (v + eps) ** 0.5)


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="root_left_out")
def no_root(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, t, lr, betas, eps, root=lambda v, eps: v + eps)


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="betas_exchanged")
def m_slow_v_fast(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, t, lr, (betas[1], betas[0]), eps)


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="uphill")
def plus(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    before = w.copy()
    shrink = lr * weight_decay * w if decoupled else 0
    settled(w, g if decoupled else g + weight_decay * w, m, v, t, lr, betas, eps)
    w[...] = 2 * before - w - shrink


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="rebound")
def a_new_w(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    w = w * (1 - lr * weight_decay) if decoupled else 1 * w
    decay_in_the_step(w, g, m, v, t, lr, betas, eps, 0.0 if decoupled else weight_decay)


@wrong("test_the_first_step_goes_as_far_as_lr", mistake="means_rebound")
def new_means(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g * g
    w -= lr * (m / (1 - betas[0] ** t)) / (xp.sqrt(v / (1 - betas[1] ** t)) + eps)


@wrong("test_weight_decay_is_a_part_of_g", mistake="decay_left_out")
def no_decay(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    settled(w, g, m, v, t, lr, betas, eps)


@wrong("test_decoupled_weight_decay_shrinks_w_before_the_step", mistake="always_coupled")
def flag_ignored(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    settled(w, g + weight_decay * w, m, v, t, lr, betas, eps)


@wrong("test_weight_decay_is_a_part_of_g", mistake="always_decoupled")
def always_adamw(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    w -= lr * weight_decay * w
    settled(w, g, m, v, t, lr, betas, eps)


@wrong("test_decoupled_weight_decay_shrinks_w_before_the_step", mistake="both_decays")
def twice_decayed(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    w -= lr * weight_decay * w * decoupled
    settled(w, g + weight_decay * w, m, v, t, lr, betas, eps)


@wrong("test_decoupled_weight_decay_shrinks_w_before_the_step", mistake="decay_without_lr")
def whole_decay(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, 1, weight_decay, decoupled)
    settled(w, g, m, v, t, lr, betas, eps)


@wrong("test_weight_decay_is_a_part_of_g", mistake="g_written_to")
def decay_in_place(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    if decoupled:
        w *= 1 - lr * weight_decay
    else:
        g += weight_decay * w
    settled(w, g, m, v, t, lr, betas, eps)


@wrong("test_decoupled_weight_decay_shrinks_w_before_the_step")
def shrunk_after_the_step(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    settled(w, g if decoupled else g + weight_decay * w, m, v, t, lr, betas, eps)
    w *= 1 - lr * weight_decay * decoupled


@wrong("test_eps_is_added_to_the_root")
def eps_before_the_correction(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(
        w,
        g,
        m,
        v,
        t,
        lr,
        betas,
        eps,
        root=lambda v_hat, eps: v_hat**0.5 + eps / (1 - betas[1] ** t) ** 0.5,
    )


@wrong("test_the_seventh_step_is_corrected_less")
def only_the_newest_g(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, t, lr, betas, eps, hats=lambda m, v, b1t, b2t: (g, v / (1 - b2t)))


STEPS = [0]


@wrong("test_the_seventh_step_is_corrected_less")
def its_own_count(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    STEPS[0] = 1 if t == 1 else STEPS[0] + 1
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, STEPS[0], lr, betas, eps)


@wrong("test_the_first_step_goes_as_far_as_lr")
def absolute_g(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    m[...] = betas[0] * m + (1 - betas[0]) * g
    v[...] = betas[1] * v + (1 - betas[1]) * abs(g)
    w -= lr * m / (1 - betas[0] ** t) / ((v / (1 - betas[1] ** t)) ** 0.5 + eps)


@wrong("test_steps_add_up")
def the_largest_v(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    before = v.copy()
    settled(w, g, m, v, t, lr, betas, eps)
    xp.maximum(v, before, out=v)


@wrong("test_weight_decay_is_a_part_of_g")
def decay_past_the_means(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    w *= 1 - lr * weight_decay if decoupled else 1 - weight_decay * lr**2
    settled(w, g, m, v, t, lr, betas, eps)


@wrong("test_steps_add_up")
def betas_built_in(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, t, lr, BETAS, eps)


@wrong("test_elements_of_g_may_be_0")
def no_decay_where_g_is_0(
    w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False
):
    decayed = w * (g != 0)
    sum_of_both = coupled(decayed, g, lr, weight_decay, decoupled)
    xp.copyto(w, decayed, where=g != 0)
    settled(w, sum_of_both, m, v, t, lr, betas, eps)


@wrong("test_steps_add_up")
def lr_of_1_at_most(w, g, m, v, t, lr, betas=BETAS, eps=1e-8, weight_decay=0.0, decoupled=False):
    g = coupled(w, g, lr, weight_decay, decoupled)
    settled(w, g, m, v, t, min(lr, 1), betas, eps)
