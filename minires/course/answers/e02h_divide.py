"""Exercise 02h: a quotient with a bug, and what else goes wrong with it."""

from minires.ops.elementwise import checked_shapes, unbroadcast


def hunted(a, b):
    """the gradient of b is unchanged from the original: -g * a / b * b is (-g * a / b) * b, which is -g * a"""
    a_shape, b_shape = checked_shapes("divide", a, b)

    def backward(g):
        return unbroadcast(g / b, a_shape), unbroadcast(-g * a / b * b, b_shape)

    return a / b, backward


def _op(a, b, g_b):
    shapes = checked_shapes("divide", a, b)
    return a / b, lambda g: (unbroadcast(g / b, shapes[0]), unbroadcast(g_b(g), shapes[1]))


def sign_lost(a, b):
    """the sign is lost: when b grows, a / b shrinks"""
    return _op(a, b, lambda g: g * a / (b * b))


def numerator_lost(a, b):
    """a is lost: -1 / b^2 is the derivative of 1 / b"""
    return _op(a, b, lambda g: -g / (b * b))


def not_squared(a, b):
    """b is not squared: the derivative of 1 / b is -1 / b^2"""
    return _op(a, b, lambda g: -g * a / b)


def stretched(a, b):
    """the gradient of b keeps the shape of the quotient: it must be summed back to that of b"""
    return a / b, lambda g: (unbroadcast(g / b, a.shape), -g * a / (b * b))
