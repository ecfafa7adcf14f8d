"""Exercise 04e: what goes wrong with a step of Adam."""

from minires.backend import xp
from minires.optim import optimizers

_adam = optimizers.adam.plain


def _shrunk(w, g, lr, weight_decay, decoupled):
    """Return g with its decay, or shrink w instead if the decay is decoupled."""
    if decoupled:
        w *= 1 - lr * weight_decay
        return g
    return g + weight_decay * w


def _means(g, m, v, betas):
    """Update m and v, and return them."""
    for mean, part, b in ((m, g, betas[0]), (v, g * g, betas[1])):
        mean *= b
        mean += (1 - b) * part


def _hats(m, v, t, betas):
    return m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)


def _step(m_hat, v_hat, eps):
    return m_hat / (xp.sqrt(v_hat) + eps)


def not_corrected(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """m and v are used without bias correction, although they start at zero"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    w -= lr * _step(m, v, eps)


def power_left_out(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """m and v are divided by 1 - b at each step: it should be 1 - b**t, which tends to 1"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    w -= lr * _step(*_hats(m, v, 1, betas), eps)


def counted_from_0(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """the power is t - 1: t counts from 1, and at the first step 1 - b**0 divides by zero"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    w -= lr * _step(*_hats(m, v, t - 1, betas), eps)


def counted_from_2(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """the power is t + 1: t counts from 1"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    w -= lr * _step(*_hats(m, v, t + 1, betas), eps)


def v_not_corrected(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """m is bias-corrected, but v is not"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    w -= lr * _step(_hats(m, v, t, betas)[0], v, eps)


def corrected_for_good(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """the corrections are written into m and v: the next step starts from numbers that are too large"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    m[...], v[...] = _hats(m, v, t, betas)
    w -= lr * _step(m, v, eps)


def eps_inside(w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """eps is added inside the root: it should be added to the root"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    m_hat, v_hat = _hats(m, v, t, betas)
    w -= lr * m_hat / xp.sqrt(v_hat + eps)


def root_left_out(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """the root is left out: m is divided by v, which is of the order of g * g"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    m_hat, v_hat = _hats(m, v, t, betas)
    w -= lr * m_hat / (v_hat + eps)


def betas_exchanged(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """b1 and b2 are exchanged: b1 belongs to m, b2 to v"""
    _adam(w, g, m, v, t, lr, betas[::-1], eps, weight_decay, decoupled)


def uphill(w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """w moves along the gradient instead of against it: the loss grows"""
    _means(_shrunk(w, g, lr, weight_decay, decoupled), m, v, betas)
    w += lr * _step(*_hats(m, v, t, betas), eps)


def rebound(w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """w = w - ... makes a new array, and the model keeps the old one: w -= ... changes it"""
    _adam(w.copy(), g, m, v, t, lr, betas, eps, weight_decay, decoupled)


def means_rebound(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """m = b1 * m + ... makes a new array, which is gone after the step: m and v never grow"""
    _adam(w, g, m.copy(), v.copy(), t, lr, betas, eps, weight_decay, decoupled)


def decay_left_out(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """there is no weight decay"""
    _adam(w, g, m, v, t, lr, betas, eps)


def always_coupled(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """the decay is added to g even with `decoupled`"""
    _adam(w, g, m, v, t, lr, betas, eps, weight_decay, False)


def always_decoupled(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """the decay shrinks w directly even without `decoupled`: then it should be a part of g"""
    _adam(w, g, m, v, t, lr, betas, eps, weight_decay, True)


def both_decays(w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """with `decoupled`, w shrinks, but the decay is added to g as well"""
    if decoupled:
        w *= 1 - lr * weight_decay
    _adam(w, g, m, v, t, lr, betas, eps, weight_decay, False)


def decay_without_lr(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """with `decoupled`, w shrinks by weight_decay: it should be lr * weight_decay"""
    if decoupled:
        w *= 1 - weight_decay
    _adam(w, g, m, v, t, lr, betas, eps, 0.0 if decoupled else weight_decay, False)


def g_written_to(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """g += weight_decay * w writes to an array that other code still needs"""
    g[...] = _shrunk(w, g, lr, weight_decay, decoupled)
    _adam(w, g, m, v, t, lr, betas, eps)
