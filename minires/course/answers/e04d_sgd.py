"""Exercise 04d: what goes wrong with a step of SGD."""

from minires.backend import xp


def _moved(v, momentum, g):
    """Update v, and return it."""
    v *= momentum
    v += g
    return v


def _step(g, v, momentum, nesterov):
    """Update v, and return the step before it is multiplied by lr. g includes the decay."""
    if v is None:
        return g
    v = _moved(v, momentum, g)
    return g + momentum * v if nesterov else v


def rebound(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """w = w - ... makes a new array, and the model keeps the old one: w -= ... changes it"""
    w = w - lr * _step(g + weight_decay * w, v, momentum, nesterov)


def velocity_rebound(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """v = momentum * v + ... makes a new array, which is gone after the step: the velocity never grows"""
    w -= lr * _step(g + weight_decay * w, None if v is None else v.copy(), momentum, nesterov)


def uphill(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """w moves along the gradient instead of against it: the loss grows"""
    w += lr * _step(g + weight_decay * w, v, momentum, nesterov)


def lr_in_the_velocity(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """the velocity includes lr: a smaller lr later does not make the steps smaller at once"""
    w -= _step(lr * (g + weight_decay * w), v, momentum, nesterov)


def dampened(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """v is a running mean, momentum * v + (1 - momentum) * g: it should be momentum * v + g"""
    g = g + weight_decay * w
    if v is not None:
        v[...] = momentum * v + (1 - momentum) * g
        g = g + momentum * v if nesterov else v
    w -= lr * g


def velocity_unused(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """v is updated, but w still moves by g"""
    g = g + weight_decay * w
    _step(g, v, momentum, nesterov)
    w -= lr * g


def old_velocity(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """w moves by the velocity from before this step"""
    g = g + weight_decay * w
    before = None if v is None else v.copy()
    step = _step(g, v, momentum, nesterov)
    w -= lr * (step if v is None or nesterov else before)


def decay_with_momentum_only(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """weight decay is left out when there is no momentum"""
    w -= lr * _step(g if v is None else g + weight_decay * w, v, momentum, nesterov)


def decay_left_out(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """there is no weight decay"""
    w -= lr * _step(g, v, momentum, nesterov)


def decay_beside_the_velocity(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """the decay is added to the step: it should go through the velocity, as a part of g"""
    w -= lr * (_step(g, v, momentum, nesterov) + weight_decay * w)


def decay_makes_larger(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """the decay has the wrong sign: it makes weights grow"""
    w -= lr * _step(g - weight_decay * w, v, momentum, nesterov)


def nesterov_left_out(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Nesterov's step is the same as the ordinary one"""
    w -= lr * _step(g + weight_decay * w, v, momentum, False)


def nesterov_without_g(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Nesterov's step is momentum * v: it should be g + momentum * v"""
    step = _step(g + weight_decay * w, v, momentum, False)
    w -= lr * (momentum * step if nesterov else step)


def nesterov_without_decay(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Nesterov's step uses g without the weight decay"""
    step = _step(g + weight_decay * w, v, momentum, False)
    w -= lr * (g + momentum * step if nesterov else step)


def g_written_to(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """g += weight_decay * w writes to an array that other code still needs"""
    g += xp.multiply(w, weight_decay)
    w -= lr * _step(g, v, momentum, nesterov)


def velocity_given_away(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """v is overwritten with the step: it must still be the velocity afterwards"""
    if v is not None:
        step = _step(g + weight_decay * w, v, momentum, nesterov)
        v[...] = lr * step
        w -= v
    else:
        w -= lr * (g + weight_decay * w)
