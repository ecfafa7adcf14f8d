"""Exercise 04g: steps with momentum to tell apart, a check that does it, and checks that do not."""

from minires.backend import xp


def check(candidate):
    """Raise AssertionError unless candidate is a right step with momentum.

    candidate  candidate(w, g, v, lr=..., momentum=...) changes w and v in place, leaves g unchanged, and returns nothing
    """
    w, g, v = xp.array([1.0, 2.0, -3.0]), xp.array([0.5, -1.0, 2.0]), xp.array([4.0, 0.0, -8.0])
    candidate(w, g, v, lr=0.25, momentum=0.5)
    assert xp.allclose(v, [2.5, -1.0, -2.0]), "the velocity is momentum * v + g"
    assert xp.allclose(w, [0.375, 2.25, -2.5]), "the weights are w - lr * v, with the new v"
    assert xp.allclose(g, [0.5, -1.0, 2.0]), "g is the caller's"


def _right(w, g, v, lr, momentum):
    v *= momentum
    v += g
    w -= lr * v


def _right_too(w, g, v, lr, momentum):
    v[...] = g + momentum * v
    w[...] = w - lr * v


def _by_g_alone(w, g, v, lr, momentum):
    v *= momentum
    v += g
    w -= lr * g


def _lr_in_the_velocity(w, g, v, lr, momentum):
    v *= momentum
    v += lr * g
    w -= v


def _g_written_to(w, g, v, lr, momentum):
    g += momentum * v
    v[...] = g
    w -= lr * g


def _right_in_terms(w, g, v, lr, momentum):
    w -= lr * momentum * v + lr * g
    xp.add(momentum * v, g, out=v)


RIGHT = {
    "a right one": _right,
    "a right one, written differently": _right_too,
    "a right one that moves w before v": _right_in_terms,
}
WRONG = {
    "the one that moves w by g alone": _by_g_alone,
    "the one that has lr in its velocity": _lr_in_the_velocity,
    "the one that writes to g": _g_written_to,
}


def _seen(candidate, v, lrs, momentum=0.5):
    """Return [(w, v, g, all three as they should be)] after each step."""
    w, v = xp.array([1.0, -2.0]), xp.array(v)
    right_w, right_v, seen = w.copy(), v.copy(), []
    for i, lr in enumerate(lrs):
        g = xp.array([0.5, i - 2.0])
        right_g = g.copy()
        candidate(w, g, v, lr=lr, momentum=momentum)
        right_v = momentum * right_v + right_g
        right_w = right_w - lr * right_v
        seen.append([(w.copy(), right_w), (v.copy(), right_v), (g, right_g)])
    return seen


def _hold(seen, *places):
    for step in seen:
        for place in places:
            assert xp.allclose(*step[place])


def content_with_all(candidate):
    """the check accepts every step: it looks where nothing goes wrong, or does not raise AssertionError"""
    _hold(_seen(candidate, [0.0, 0.0], [0.25]), 0)


def from_rest(candidate):
    """momentum * v is 0 in the check, because v or momentum is 0: then nobody sees what happens to it"""
    _hold(_seen(candidate, [0.0, 0.0], [0.25]), 0, 1, 2)


def weights_alone(candidate):
    """the check looks only at w, and lr stays the same: it should also look at v and g"""
    _hold(_seen(candidate, [0.0, 0.0], [0.25] * 3), 0)


def g_not_looked_at(candidate):
    """the check does not see that g changes: it never compares g, or compares g with itself instead of a copy"""
    _hold(_seen(candidate, [4.0, -2.0], [0.25]), 0, 1)


def weights_not_looked_at(candidate):
    """the check does not see a wrong w: it compares only v and g, or lr is 0"""
    _hold(_seen(candidate, [4.0, -2.0], [0.25]), 1, 2)


def place_of_lr_not_seen(candidate):
    """the check cannot see where lr is used: lr is 1, or it stays the same and v is not checked"""
    _hold(_seen(candidate, [4.0, -2.0], [1.0, 1.0]), 0, 1, 2)


def never_content(candidate):
    """the check rejects everything, including the right ones"""
    raise AssertionError
