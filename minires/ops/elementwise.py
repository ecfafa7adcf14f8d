"""Elementwise ops: functions of one operand, then of two, with broadcasting; either of the two may be a plain number."""

from minires.backend import xp
from minires.ops.forms import has_forms, op
from minires.ops.reduce import total


@op
def exp(x):
    """e ** x.

    Saves  the result, which is its own derivative.
    """
    y = xp.exp(x)

    def backward(g):
        return (g * y,)

    return y, backward


@op
def log(x):
    """The natural logarithm.

    Saves  x.
    """

    def backward(g):
        return (g / x,)

    return xp.log(x), backward


@op
def sqrt(x):
    """The square root. The slope at 0 is infinite.

    Saves  the result.
    """
    y = xp.sqrt(x)

    def backward(g):
        return (g / (2 * y),)

    return y, backward


@op
def tanh(x):
    """(e**x - e**-x) / (e**x + e**-x).

    Saves  the result.
    """
    y = xp.tanh(x)

    def backward(g):
        return (g * (1 - y * y),)

    return y, backward


@op
def sigmoid(x):
    """1 / (1 + e**-x), with no overflow on either side.

    Saves  the result.
    """
    small = xp.exp(-abs(x))  # at most 1
    y = xp.where(x >= 0, 1, small) / (1 + small)

    def backward(g):
        return (g * (y * (1 - y)),)

    return y, backward


@op
def relu(x):
    """max(x, 0). The slope at 0 is 0.

    Saves  one bool per element.
    """
    positive = x > 0

    def backward(g):
        return (g * positive,)

    return xp.maximum(x, 0), backward


@op
def scale_gradient(x, *, factor):
    """Return x unchanged; the backward pass multiplies its gradient by `factor`. For loss scaling.

    Saves  nothing.
    """

    def backward(g):
        return (g * factor,)

    return x, backward


def checked_shapes(op, a, b):
    """Return the shapes of `a` and `b`, if they broadcast. A plain number has shape ().

    Raises  ValueError: they do not broadcast.
    """
    a_shape, b_shape = getattr(a, "shape", ()), getattr(b, "shape", ())
    for i, j in zip(reversed(a_shape), reversed(b_shape)):
        if i != j and i != 1 and j != 1:
            raise ValueError(
                f"{op}: expected shapes that broadcast (from the right, sizes equal or 1), got {a_shape} and {b_shape}"
            )
    return a_shape, b_shape


@has_forms
def unbroadcast(g, shape):
    """Sum `g` over the axes along which an array of `shape` was broadcast: the adjoint of broadcasting."""
    if g.shape == shape:
        return g
    new = g.ndim - len(shape)
    stretched = tuple(
        axis for axis in range(g.ndim) if axis < new or shape[axis - new] != g.shape[axis]
    )
    return total(g, stretched).reshape(shape)


@op
def add(a, b):
    """a + b: the add that joins a residual block and its skip connection.

    Saves  two shapes.
    """
    a_shape, b_shape = checked_shapes("add", a, b)

    def backward(g):
        return unbroadcast(g, a_shape), unbroadcast(g, b_shape)

    return a + b, backward


@op
def scaled_add(x, branch, alpha):
    """x + alpha * branch: a residual add whose branch has a factor, which may be learned.

    x, branch  arrays of one shape    alpha  a number, or an array of shape ()
    Saves  the branch and alpha.
    Raises  ValueError: other shapes.
    Source  De and Smith 2020, "Batch Normalization Biases Residual Blocks Towards the Identity Function": SkipInit.
    """
    if x.shape != branch.shape or getattr(alpha, "shape", ()) != ():
        raise ValueError(
            f"scaled_add: expected a branch of shape {x.shape} and one alpha, got {branch.shape} and {getattr(alpha, 'shape', ())}"
        )

    def backward(g):
        return g, alpha * g, total(g * branch).reshape(())

    return x + alpha * branch, backward


@op
def subtract(a, b):
    """a - b.

    Saves  two shapes.
    """
    a_shape, b_shape = checked_shapes("subtract", a, b)

    def backward(g):
        return unbroadcast(g, a_shape), unbroadcast(-g, b_shape)

    return a - b, backward


@op
def multiply(a, b):
    """a * b.

    Saves  a and b.
    """
    a_shape, b_shape = checked_shapes("multiply", a, b)

    def backward(g):
        return unbroadcast(g * b, a_shape), unbroadcast(g * a, b_shape)

    return a * b, backward


@op
def divide(a, b):
    """a / b.

    Saves  a and b.
    """
    a_shape, b_shape = checked_shapes("divide", a, b)

    def backward(g):
        return unbroadcast(g / b, a_shape), unbroadcast(-g * a / (b * b), b_shape)

    return a / b, backward


@op
def negative(x):
    """-x.

    Saves  nothing.
    """

    def backward(g):
        return (-g,)

    return -x, backward


@op
def power(a, b):
    """a ** b. Where b is 0, the derivative for a is 0, even at a = 0; where a is 0 and b >= 0, the derivative for b is 0.

    Saves  a and b. A plain number b gets no gradient: it would need log a, and a may be negative.
    """
    a_shape, b_shape = checked_shapes("power", a, b)

    def backward(g):
        if not hasattr(b, "shape"):
            return (g * (b * a ** (b - 1)) if b != 0 else xp.zeros_like(g)), None
        base = a if hasattr(a, "shape") else xp.asarray(a, dtype=b.dtype)
        flat = (base == 0) & (b >= 0)
        g_a = g * xp.where(b == 0, 0, b * base ** xp.where(b == 0, 1, b - 1))
        g_b = g * xp.where(flat, 0, base**b * xp.log(xp.where(flat, 1, base)))
        return unbroadcast(g_a, a_shape), unbroadcast(g_b, b_shape)

    return a**b, backward


@op
def maximum(a, b):
    """The larger of a and b. On a tie each operand gets half of the gradient.

    Saves  a and b.
    """
    a_shape, b_shape = checked_shapes("maximum", a, b)

    def backward(g):
        tie = xp.where(a == b, g / 2, 0)
        return unbroadcast(xp.where(a > b, g, tie), a_shape), unbroadcast(
            xp.where(b > a, g, tie), b_shape
        )

    return xp.maximum(a, b), backward


@op
def where(condition, a, b):
    """a where `condition` (an array of bools) is true, b elsewhere.

    Saves  condition.
    """
    if getattr(condition, "dtype", None) != "bool":
        raise TypeError(
            f"where: expected an array of bools as condition, got {getattr(condition, 'dtype', type(condition).__name__)}"
        )
    checked_shapes("where", condition, a)
    checked_shapes("where", condition, b)
    a_shape, b_shape = checked_shapes("where", a, b)

    def backward(g):
        return (
            None,
            unbroadcast(xp.where(condition, g, 0), a_shape),
            unbroadcast(xp.where(condition, 0, g), b_shape),
        )

    return xp.where(condition, a, b), backward
