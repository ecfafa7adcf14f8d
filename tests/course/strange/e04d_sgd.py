"""Strange solutions of 04d."""

from minires.backend import xp
from tests.course.kinds import right, wrong

HAND, VELOCITY = (
    "test_a_step_without_momentum_is_lr_times_g",
    "test_momentum_keeps_a_part_of_the_velocity",
)
ZERO_LR = "test_a_learning_rate_of_0_moves_the_velocity_and_not_the_weights"
ZERO_G, TURNS = (
    "test_a_gradient_of_0_does_not_stop_the_weights",
    "test_two_parameters_of_one_shape_take_turns",
)
PARTS, SINGLE = "test_arrays_may_be_parts_of_larger_ones", "test_float32_arrays_change_in_place"
DECAY = "test_weight_decay_goes_through_the_velocity"


def step(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """A right step."""
    g = g + weight_decay * w
    if v is not None:
        v *= momentum
        v += g
        g = g + momentum * v if nesterov else v
    w -= lr * g


@right
def row_by_row_in_views(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    if w.ndim > 1:
        for i in range(len(w)):
            inner = None if v is None else v[i]
            row_by_row_in_views(w[i], g[i], inner, lr, momentum, weight_decay, nesterov)
    else:
        step(w, g, v, lr, momentum, weight_decay, nesterov)


@right
def in_float64_and_copied_back(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    wide = w.astype("float64")
    slope = g.astype("float64") + weight_decay * wide
    if v is None:
        xp.copyto(w, wide - lr * slope, casting="same_kind")
        return
    speed = momentum * v.astype("float64") + slope
    xp.copyto(v, speed, casting="same_kind")
    xp.copyto(w, wide - lr * (slope + momentum * speed if nesterov else speed), casting="same_kind")


@right
def with_ufuncs_alone(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    slope = xp.multiply(w, weight_decay)
    xp.add(slope, g, out=slope)
    if v is not None:
        xp.multiply(v, momentum, out=v)
        xp.add(v, slope, out=v)
        slope = xp.add(slope, xp.multiply(v, momentum)) if nesterov else v.copy()
    xp.multiply(slope, lr, out=slope)
    xp.subtract(w, slope, out=w)


@right
def through_items(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    for place, weight in [(place, float(weight)) for place, weight in xp.ndenumerate(w)]:
        slope = float(g[place]) + weight_decay * weight
        moved = slope if v is None else momentum * float(v[place]) + slope
        if v is not None:
            v[place] = moved
        w[place] = weight - lr * (slope + momentum * moved if nesterov else moved)


class Step:
    """A step as an object."""

    def __init__(self, lr, momentum, weight_decay, nesterov):
        self.lr, self.momentum, self.weight_decay, self.nesterov = (
            lr,
            momentum,
            weight_decay,
            nesterov,
        )

    def slope(self, w, g):
        return xp.where(True, g + self.weight_decay * w, 0)

    def direction(self, slope, v):
        if v is None:
            return slope
        v[...] = slope + self.momentum * v
        return slope + self.momentum * v if self.nesterov else v


@right
def by_an_object(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    if lr < 0 or w.shape != g.shape:
        raise ValueError("expected lr >= 0 and a g of w's shape")
    one = Step(lr, momentum, weight_decay, nesterov)
    w[...] = w - one.lr * one.direction(one.slope(w, g), v)
    return w, v


@wrong(ZERO_LR)
def nothing_to_do_without_lr(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    if lr:
        step(w, g, v, lr, momentum, weight_decay, nesterov)


@wrong(ZERO_G)
def nothing_to_do_without_g(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    if g.any():
        step(w, g, v, lr, momentum, weight_decay, nesterov)


@wrong(ZERO_G)
def only_where_g_is_not_0(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    before, at_0 = w.copy(), g == 0
    step(w, g, v, lr, momentum, weight_decay, nesterov)
    w[at_0] = before[at_0]


VELOCITIES, MOMENTUM = {}, {}


@wrong(TURNS)
def velocity_kept_by_shape(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    own = None if v is None else VELOCITIES.setdefault((w.shape, w.dtype), v.copy())
    step(w, g, own, lr, momentum, weight_decay, nesterov)
    if v is not None:
        v[...] = own


@wrong(TURNS)
def momentum_of_the_first_call(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    momentum = MOMENTUM.setdefault((w.shape, v is None), momentum)
    step(w, g, v, lr, momentum, weight_decay, nesterov)


@wrong(PARTS)
def flattened_by_ravel(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    flat = None if v is None else v.ravel()
    step(w.ravel(), g.ravel(), flat, lr, momentum, weight_decay, nesterov)


@wrong(PARTS)
def as_it_is_in_memory(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g.ravel(order="K").reshape(g.shape), v, lr, momentum, weight_decay, nesterov)


@wrong(SINGLE)
def float32_goes_to_a_copy(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w.astype("float64", copy=False), g, v, lr, momentum, weight_decay, nesterov)


@wrong(HAND)
def gradient_clipped(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, xp.clip(g, -1, 1), v, lr, momentum, weight_decay, nesterov)


@wrong(HAND)
def gradient_of_length_1(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g / ((g * g).sum() ** 0.5 + 1e-12), v, lr, momentum, weight_decay, nesterov)


@wrong(HAND)
def mean_over_the_elements(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g / g.size, v, lr, momentum, weight_decay, nesterov)


@wrong(VELOCITY)
def options_in_another_order(w, g, v, lr, weight_decay=0.0, momentum=0.0, nesterov=False):
    step(w, g, v, lr, momentum, weight_decay, nesterov)


@wrong("test_nesterov_looks_ahead")
def ahead_of_the_old_velocity(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    old = None if v is None else v.copy()
    before = w.copy()
    step(w, g, v, lr, momentum, weight_decay, nesterov)
    if nesterov:
        w[...] = before - lr * (g + weight_decay * before + momentum * old)


@wrong("test_nesterov_looks_ahead")
def velocity_is_the_step_ahead(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    slope = g + weight_decay * w
    step(w, g, v, lr, momentum, weight_decay, nesterov)
    if nesterov:
        v[...] = slope + momentum * v


@wrong(DECAY)
def lr_twice_in_the_decay(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g, v, lr, momentum, lr * weight_decay, nesterov)


@wrong(DECAY)
def decay_of_the_velocity(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    if v is not None:
        v *= 1 - weight_decay
    step(w, g, v, lr, momentum, 0.0 if v is not None else weight_decay, nesterov)


@wrong(DECAY)
def decay_halved(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g, v, lr, momentum, weight_decay / 2, nesterov)


@wrong("test_steps_add_up_while_lr_changes")
def velocity_scaled_with_lr(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    if v is not None:
        v *= 1 if lr > 0.05 else 0.1  # as if the velocity contained lr
    step(w, g, v, lr, momentum, weight_decay, nesterov)


OF_W = {}


@wrong("test_the_velocity_is_the_array_that_is_passed")
def velocity_that_came_first_with_this_w(
    w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False
):
    own = None if v is None else OF_W.setdefault(id(w), (w, v))[1]
    step(w, g, own, lr, momentum, weight_decay, nesterov)


SIZES = "test_gradients_may_have_any_size"


@wrong(SIZES)
def clipped_at_ten(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, xp.clip(g, -10, 10), v, lr, momentum, weight_decay, nesterov)


@wrong(SIZES)
def tiny_gradients_dropped(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g * (abs(g) > 1e-6), v, lr, momentum, weight_decay, nesterov)


def plain(w, g, v, lr, momentum, weight_decay, nesterov):
    g = g + weight_decay * w
    if v is None:
        w -= lr * g
        return
    v *= momentum
    v += g
    w -= lr * (g + momentum * v if nesterov else v)


@wrong("test_nan_is_not_hidden")
def nan_is_no_step(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    plain(w, xp.nan_to_num(g), v, lr, momentum, weight_decay, nesterov)


@wrong("test_momentum_may_be_1")
def momentum_below_1(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    plain(w, g, v, lr, min(momentum, 0.999), weight_decay, nesterov)


ZERO_MOMENTUM = "test_a_momentum_of_0_changes_the_velocity_too"


@wrong(ZERO_MOMENTUM)
def no_velocity_if_momentum_is_0(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g, v if momentum else None, lr, momentum, weight_decay, nesterov)


@wrong("test_nesterov_without_a_velocity_is_a_plain_step", crashes=True)
def nesterov_asks_for_a_velocity(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * w
    if v is not None:
        v[...] = momentum * v + g
    w -= lr * (g + momentum * v if nesterov else g if v is None else v)


@wrong("test_nan_is_not_hidden_without_momentum")
def nan_is_no_step_without_momentum(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g if v is not None else xp.nan_to_num(g), v, lr, momentum, weight_decay, nesterov)


@wrong("test_a_learning_rate_may_be_larger_than_1")
def lr_of_1_at_most(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    step(w, g, v, min(lr, 1), momentum, weight_decay, nesterov)
