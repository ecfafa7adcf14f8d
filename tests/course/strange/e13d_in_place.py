"""Strange solutions of 13d."""

import numpy

from minires.backend import xp
from minires.course.answers.e13d_in_place import residual_blocks as model
from tests.course.kinds import right, wrong

POSITIVE = "test_one_block_on_positive_x_stays_right"
X_PASSES = "test_with_second_of_0_x_passes_unchanged"
G_PASSES = "test_with_second_of_0_g_passes_unchanged"
RESULT, SEVERAL = "test_the_result_of_one_block", "test_the_result_of_several_blocks"
GRADIENTS = "test_the_gradients_of_one_block"
ALL = "test_the_gradients_of_several_blocks"
SIZES = "test_sizes_may_be_equal_or_1"
ALPHA = "test_alpha_may_be_0_negative_or_larger_than_1"
ZEROS = "test_zeros_in_x_have_a_gradient_of_the_shortcut"
MANY = "test_many_blocks"


@right
def by_recursion(x, first, second, *, alpha=1.0):
    if not len(first):
        return x.copy(), lambda g: (g.copy(), xp.zeros_like(first), xp.zeros_like(second))
    y, before = by_recursion(x, first[:-1], second[:-1], alpha=alpha)
    active = xp.maximum(y, 0)
    inner = xp.maximum(active @ first[-1], 0)

    def backward(g):
        g_inner = (alpha * g @ second[-1].T) * (inner > 0)
        g_y = g + (g_inner @ first[-1].T) * (y > 0)
        g_x, g_first, g_second = before(g_y)
        own = (active.T @ g_inner)[None], (alpha * inner.T @ g)[None]
        return (
            g_x,
            xp.concatenate([g_first, own[0]]),
            xp.concatenate([g_second, own[1]]),
        )

    return y + alpha * (inner @ second[-1]), backward


@right
def by_einsum(x, first, second, *, alpha=1.0):
    y, saved = xp.array(x), []
    for w1, w2 in zip(first, second):
        active = y.clip(0, None)
        inner = xp.einsum("nc,cd->nd", active, w1).clip(0, None)
        saved.append((active, inner))
        y = y + xp.einsum("nd,dc->nc", inner, w2) * alpha

    def backward(g):
        firsts, seconds = [], []
        for (active, inner), w1, w2 in zip(saved[::-1], first[::-1], second[::-1]):
            g_inner = xp.einsum("nc,dc->nd", g, w2) * (inner > 0) * alpha
            seconds.insert(0, xp.einsum("nd,nc->dc", inner, g) * alpha)
            firsts.insert(0, xp.einsum("nc,nd->cd", active, g_inner))
            g = g + xp.einsum("nd,cd->nc", g_inner, w1) * (active > 0)
        return g, xp.stack(firsts), xp.stack(seconds)

    return y, backward


@right
def alpha_in_the_weights(x, first, second, *, alpha=1.0):
    y, backward = model(x, first, second * alpha)

    def scaled(g):
        g_x, g_first, g_second = backward(g)
        return g_x, g_first, g_second * alpha

    return y, scaled


@right
def recomputed(x, first, second, *, alpha=1.0):
    """It saves its inputs only, and runs forward again."""
    y, _ = model(x, first, second, alpha=alpha)
    own = [array.copy() for array in (x, first, second)]
    return y, lambda g: model(*own, alpha=alpha)[1](g)


@right
def in_float64(x, first, second, *, alpha=1.0):
    y, backward = model(*(a.astype("float64") for a in (x, first, second)), alpha=alpha)
    return y.astype(x.dtype), lambda g: tuple(
        part.astype(g.dtype) for part in backward(g.astype("float64"))
    )


@right
def in_place_behind_a_context(x, first, second, *, alpha=1.0):
    """The functions take what they write to."""

    def relu(z, out=None):
        return xp.maximum(z, 0, out=out)

    y, saved = x.copy(), []
    for w1, w2 in zip(first, second):
        active = relu(y)
        inner = active @ w1
        relu(inner, out=inner)
        y = xp.add(y, xp.multiply(inner @ w2, alpha))
        saved.append((active, inner, w1, w2))

    def backward(g):
        parts = [g]
        for active, inner, w1, w2 in reversed(saved):
            upper = xp.multiply(parts[0], alpha)
            g_inner = xp.where(inner > 0, upper @ w2.T, 0)
            lower = xp.add(parts[0], xp.where(active > 0, g_inner @ w1.T, 0))
            parts = [lower, active.T @ g_inner, inner.T @ upper, *parts[1:]]
        return parts[0], xp.stack(parts[1::2]), xp.stack(parts[2::2])

    return y, backward


SAVED = []


@wrong(POSITIVE)
def saved_where_all_calls_share(x, first, second, *, alpha=1.0, saved=SAVED):
    y, backward = model(x, first, second, alpha=alpha)
    saved[:] = [backward]
    return y, lambda g: saved[-1](g)


@wrong(POSITIVE)
def buffers_kept(x, first, second, *, alpha=1.0):
    """The gradients of the weights are written to the same arrays in each call of backward."""
    y, backward = model(x, first, second, alpha=alpha)
    kept = [xp.zeros_like(first), xp.zeros_like(second)]

    def into(g):
        g_x, *weights = backward(g)
        for buffer, new in zip(kept, weights):
            buffer[...] = new
        return g_x, *kept

    return y, into


@wrong(POSITIVE)
def gradients_added_up(x, first, second, *, alpha=1.0):
    """A second call of backward adds to the first."""
    y, backward = model(x, first, second, alpha=alpha)
    sums = [0, 0]

    def added(g):
        g_x, *weights = backward(g)
        sums[:] = [total + new for total, new in zip(sums, weights)]
        return g_x, *sums

    return y, added


@wrong(POSITIVE)
def used_up(x, first, second, *, alpha=1.0):
    """What is saved is masked in place by backward."""
    y = x.copy()
    saved = []
    for w1, w2 in zip(first, second):
        active = xp.maximum(y, 0)
        inner = xp.maximum(active @ w1, 0)
        saved.append((active, inner))
        y = y + alpha * (inner @ w2)

    def backward(g):
        g_first, g_second = xp.zeros_like(first), xp.zeros_like(second)
        for b in reversed(range(len(first))):
            active, inner = saved.pop()
            g_second[b] = inner.T @ (alpha * g)
            g_inner = (alpha * g @ second[b].T) * (inner > 0)
            g_first[b] = active.T @ g_inner
            g = g + (g_inner @ first[b].T) * (active > 0)
            saved.insert(0, (active * 0, inner))
        return g, g_first, g_second

    return y, backward


@wrong(SIZES)
def square_weights_turned(x, first, second, *, alpha=1.0):
    if first.shape[1] == first.shape[2]:
        first = first.transpose(0, 2, 1)
    return model(x, first, second, alpha=alpha)


@wrong(ALPHA)
def alpha_0_is_none(x, first, second, *, alpha=1.0):
    return model(x, first, second, alpha=alpha or 1.0)


@wrong(ALPHA)
def alpha_clipped(x, first, second, *, alpha=1.0):
    return model(x, first, second, alpha=min(max(alpha, -2.5), 1.0))


@wrong(ALPHA)
def divided_by_alpha(x, first, second, *, alpha=1.0):
    """In place, and undone afterwards."""
    y, backward = model(x, first, second, alpha=alpha)

    def undone(g):
        g_x, g_first, g_second = backward(g)
        with numpy.errstate(all="ignore"):
            return g_x * alpha / numpy.float64(alpha), g_first, g_second

    return y, undone


@wrong(ZEROS)
def zeros_open(x, first, second, *, alpha=1.0):
    """The slope of ReLU at 0 is 1."""
    y, saved = x.copy(), []
    for w1, w2 in zip(first, second):
        before = y
        active = xp.maximum(y, 0)
        inner = xp.maximum(active @ w1, 0)
        y = y + alpha * (inner @ w2)
        saved.append((before, active, inner))

    def backward(g):
        g_first, g_second = xp.zeros_like(first), xp.zeros_like(second)
        for b in reversed(range(len(first))):
            before, active, inner = saved[b]
            g_second[b] = alpha * inner.T @ g
            g_inner = (alpha * g @ second[b].T) * (inner > 0)
            g_first[b] = active.T @ g_inner
            g = g + (g_inner @ first[b].T) * (before >= 0)
        return g, g_first, g_second

    return y, backward


@wrong(POSITIVE)
def numpy_alpha(x, first, second, *, alpha=1.0):
    """A numpy.float64 makes float64 of float32."""
    return model(x, first, second, alpha=numpy.float64(alpha))


@wrong(X_PASSES)
def restored_by_adding(x, first, second, *, alpha=1.0):
    """The negative numbers of x are added at the end, once."""
    y, backward = model(xp.maximum(x, 0), first, second, alpha=alpha)
    return y + xp.minimum(x, 0) * (len(first) == 1), backward


@wrong(MANY)
def twenty_at_most(x, first, second, *, alpha=1.0):
    y, backward = model(x, first[:20], second[:20], alpha=alpha)

    def padded(g):
        g_x, *weights = backward(g)
        more = [xp.zeros_like(w)[20:] for w in (first, second)]
        return g_x, *(xp.concatenate(pair) for pair in zip(weights, more))

    return y, padded


@wrong("test_the_result_is_in_memory_of_its_own")
def x_where_nothing_is_added(x, first, second, *, alpha=1.0):
    y, backward = model(x, first, second, alpha=alpha)
    return (y if second.any() else x), backward


@wrong(ALL)
def blocks_in_reverse(x, first, second, *, alpha=1.0):
    y, backward = model(x, first, second, alpha=alpha)

    def reverse(g):
        g_x, g_first, g_second = backward(g)
        return g_x, g_first[::-1].copy(), g_second[::-1].copy()

    return y, reverse


@wrong(SEVERAL)
def shortcut_from_the_first_x(x, first, second, *, alpha=1.0):
    """Every block adds the net's input."""
    _, backward = model(x, first, second, alpha=alpha)
    z = x
    for w1, w2 in zip(first, second):
        z = x + alpha * (xp.maximum(xp.maximum(z, 0) @ w1, 0) @ w2)
    return z, backward


@wrong(ALL)
def in_place_where_x_is_positive(x, first, second, *, alpha=1.0):
    """That is safe in the first block: a later one reads a y with negative numbers."""
    y, backward = model(x, first, second, alpha=alpha)
    z = x
    for w1, w2 in zip(first, second):
        z = xp.maximum(z, 0) + alpha * (xp.maximum(xp.maximum(z, 0) @ w1, 0) @ w2)
    return (z if (x > 0).all() else y), backward
