"""Exercise 04c: what goes wrong with linear."""

from minires.backend import xp


def _op(x, weight, bias, g_x=None, g_weight=None, g_bias=None):
    """Return linear's result and backward, with the gradients that are given replaced: functions of the rows of x and of g."""
    rows = x.reshape(-1, weight.shape[0])
    y = x @ weight if bias is None else x @ weight + bias

    def backward(g):
        g_rows = g.reshape(-1, weight.shape[1])
        gradients = [
            g_x(rows, g_rows).reshape(x.shape) if g_x else (g_rows @ weight.T).reshape(x.shape),
            g_weight(rows, g_rows) if g_weight else rows.T @ g_rows,
            None if bias is None else g_bias(rows, g_rows) if g_bias else g_rows.sum(axis=0),
        ]
        return tuple(gradients)

    return y, backward


def bias_left_out(x, weight, bias=None):
    """bias is not added"""
    return x @ weight, _op(x, weight, bias)[1]


def weight_averaged(x, weight, bias=None):
    """the gradient of weight is averaged over the examples: 1/N belongs to the loss, and g already contains it"""
    return _op(x, weight, bias, g_weight=lambda rows, g: rows.T @ g / len(g))


def bias_averaged(x, weight, bias=None):
    """the gradient of bias is averaged over the examples: 1/N belongs to the loss, and g already contains it"""
    return _op(x, weight, bias, g_bias=lambda rows, g: g.mean(axis=0))


def bias_over_everything(x, weight, bias=None):
    """the gradient of bias is summed over all axes: each of its O elements needs its own"""
    return _op(x, weight, bias, g_bias=lambda rows, g: g.sum())


def bias_as_it_is(x, weight, bias=None):
    """the gradient of bias is not summed: bias was added to each example, so it gets the sum of their gradients"""
    y, backward = _op(x, weight, bias)
    return y, lambda g: (*backward(g)[:2], None if bias is None else g)


def bias_over_the_first_axis(x, weight, bias=None):
    """the gradient of bias is summed over the first axis only: all axes except the last belong to the examples"""
    y, backward = _op(x, weight, bias)
    return y, lambda g: (*backward(g)[:2], None if bias is None else g.sum(axis=0))


def weight_for_each_matrix(x, weight, bias=None):
    """with more leading axes there is one gradient of weight per matrix: it should be the sum of all"""
    y, backward = _op(x, weight, bias)

    def with_axes(g):
        g_x, g_weight, g_bias = backward(g)
        return g_x, x.swapaxes(-1, -2) @ g if x.ndim > 1 else g_weight, g_bias

    return y, with_axes


def weight_transposed(x, weight, bias=None):
    """the gradient of weight is g.T @ x, of shape (O, I): it must be (I, O), like weight"""
    return _op(x, weight, bias, g_weight=lambda rows, g: g.T @ rows)


def not_transposed(x, weight, bias=None):
    """for the gradient of x, g is multiplied by weight instead of its transpose: weight maps I to O, and the gradient goes from O to I"""
    return _op(x, weight, bias, g_x=lambda rows, g: g @ weight)


def upstream_left_out(x, weight, bias=None):
    """g is left out: the derivatives of y are right, but g is treated as 1"""
    y, backward = _op(x, weight, bias)
    return y, lambda g: backward(xp.ones_like(g))


def order_of_the_gradients(x, weight, bias=None):
    """the gradients are not in the order x, weight, bias"""
    y, backward = _op(x, weight, bias)

    def turned(g):
        g_x, g_weight, *rest = backward(g)
        return g_weight, g_x, *rest

    return y, turned
