"""Solutions of 04d."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def decayed(w, g, weight_decay):
    return xp.add(g, xp.multiply(weight_decay, w))


def ahead(g, v, momentum, nesterov):
    """v, moved, and what w moves by."""
    if v is None:
        return g
    xp.add(momentum * v, g, out=v)
    return v * momentum + g if nesterov else v


@right
def in_one_formula_each(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * w
    if v is None:
        w[...] = w - lr * g
    else:
        v[...] = momentum * v + g
        w[...] = w - lr * (g + momentum * v) if nesterov else w - lr * v


@right
def number_by_number(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    for index in xp.ndindex(w.shape):
        slope = g[index] + weight_decay * w[index]
        step = slope
        if v is not None:
            v[index] = step = momentum * v[index] + slope
        w[index] -= lr * (slope + momentum * step if nesterov else step)


@right
def into_arrays_that_are_there(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step = ahead(decayed(w, g, weight_decay), v, momentum, False)
    if nesterov and v is not None:
        step = decayed(w, g, weight_decay) + momentum * v
    xp.subtract(w, lr * step, out=w)


@wrong("test_arrays_may_be_parts_of_larger_ones")
def in_flat_views(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    flat = w.reshape(-1)
    g = (g.reshape(-1) + weight_decay * flat).astype("float64")
    if v is not None:
        v = v.reshape(-1)
        v *= momentum
        v += g
    flat -= lr * (g if v is None else g + momentum * v if nesterov else v)


@wrong("test_a_step_without_momentum_is_lr_times_g", mistake="rebound")
def a_new_array(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    w = xp.subtract(w, lr * ahead(decayed(w, g, weight_decay), v, momentum, nesterov))
    return w


@wrong("test_momentum_keeps_a_part_of_the_velocity", mistake="velocity_rebound")
def velocity_forgotten(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    g = decayed(w, g, weight_decay)
    if v is not None:
        v = momentum * v + g
        g = g + momentum * v if nesterov else v
    w -= lr * g


@wrong("test_a_step_without_momentum_is_lr_times_g", mistake="uphill")
def plus(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    w -= -lr * ahead(decayed(w, g, weight_decay), v, momentum, nesterov)


@wrong("test_momentum_keeps_a_part_of_the_velocity", mistake="lr_in_the_velocity")
def as_in_the_paper(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    g = decayed(w, g, weight_decay) * lr
    if v is not None:
        v[...] = momentum * v + g
        g = g + momentum * v if nesterov else v
    w -= g


@wrong("test_momentum_keeps_a_part_of_the_velocity", mistake="dampened")
def running_mean(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    g = decayed(w, g, weight_decay)
    if v is not None:
        v += (1 - momentum) * (g - v)
        g = g + momentum * v if nesterov else v
    w -= lr * g


@wrong("test_momentum_keeps_a_part_of_the_velocity", mistake="velocity_unused")
def by_g_all_the_same(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    g = decayed(w, g, weight_decay)
    ahead(g, v, momentum, nesterov)
    w[...] -= lr * g


@wrong("test_momentum_keeps_a_part_of_the_velocity", mistake="old_velocity")
def moved_too_late(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    g = decayed(w, g, weight_decay)
    if v is None:
        w -= lr * g
    elif nesterov:
        w -= lr * ahead(g, v, momentum, True)
    else:
        w -= lr * v
        ahead(g, v, momentum, False)


@wrong("test_weight_decay_goes_through_the_velocity", mistake="decay_left_out")
def no_decay(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    in_one_formula_each(w, g, v, lr, momentum, 0.0, nesterov)


@wrong("test_weight_decay_acts_without_momentum", mistake="decay_with_momentum_only")
def decay_below_the_if(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    if v is not None:
        g = decayed(w, g, weight_decay)
        v *= momentum
        v += g
        g = g + momentum * v if nesterov else v
    w -= lr * g


@wrong("test_weight_decay_goes_through_the_velocity", mistake="decay_beside_the_velocity")
def decoupled(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    w *= 1 - lr * weight_decay
    w -= lr * ahead(g, v, momentum, nesterov)


@wrong("test_weight_decay_acts_without_momentum", mistake="decay_makes_larger")
def decay_of_the_wrong_sign(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    in_one_formula_each(w, g, v, lr, momentum, -weight_decay, nesterov)


@wrong("test_nesterov_looks_ahead", mistake="nesterov_left_out")
def no_nesterov(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    in_one_formula_each(w, g, v, lr, momentum, weight_decay)


@wrong("test_nesterov_looks_ahead", mistake="nesterov_without_g")
def momentum_twice(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step = ahead(decayed(w, g, weight_decay), v, momentum, False)
    w -= lr * (momentum if nesterov else 1) * step


@wrong("test_nesterov_includes_the_weight_decay", mistake="nesterov_without_decay")
def g_as_it_came(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    v = ahead(decayed(w, g, weight_decay), v, momentum, False)
    w -= lr * g + lr * momentum * v if nesterov else lr * v


@wrong("test_weight_decay_acts_without_momentum", mistake="g_written_to")
def decay_in_place(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    g[...] = g + weight_decay * w
    w -= lr * ahead(g, v, momentum, nesterov)


@wrong("test_momentum_keeps_a_part_of_the_velocity", mistake="velocity_given_away")
def scaled_in_place(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step = ahead(decayed(w, g, weight_decay), v, momentum, nesterov)
    w -= lr * step
    if v is not None:
        v[...] = step
        v *= lr


@wrong("test_a_step_without_momentum_is_lr_times_g")
def lr_forgotten(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    w -= ahead(decayed(w, g, weight_decay), v, momentum, nesterov)


@wrong("test_momentum_keeps_a_part_of_the_velocity")
def momentum_turned(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    in_one_formula_each(w, g, v, lr, 1 - momentum, weight_decay, nesterov)


@wrong("test_weight_decay_goes_through_the_velocity")
def decay_after_the_step(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    if v is None:
        in_one_formula_each(w, g, v, lr, momentum, weight_decay, nesterov)
    else:
        in_one_formula_each(w, g, v, lr, momentum, 0.0, nesterov)
        w *= 1 - lr * weight_decay


@wrong("test_weight_decay_acts_without_momentum")
def decay_without_lr(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    w *= 1 - weight_decay
    in_one_formula_each(w, g, v, lr, momentum, 0.0, nesterov)


@wrong("test_nesterov_looks_ahead")
def two_steps_ahead(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step = ahead(decayed(w, g, weight_decay), v, momentum, False)
    w -= lr * (g + momentum * (g + momentum * v) if nesterov else step)


@wrong("test_weight_decay_acts_without_momentum")
def decay_of_the_sign(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    in_one_formula_each(w, g + weight_decay * xp.sign(w), v, lr, momentum, 0.0, nesterov)


VELOCITY = {}


@wrong("test_momentum_keeps_a_part_of_the_velocity")
def a_velocity_of_its_own(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    own = None if v is None else VELOCITY.setdefault(w.shape, xp.zeros_like(w))
    in_one_formula_each(w, g, own, lr, momentum, weight_decay, nesterov)
