"""What Hypothesis draws for the ops: shapes that tell mistakes apart. A new op finds its inputs here."""

import numpy
from hypothesis import strategies as st

from minires.backend import to_device, to_host
from minires.graph import saved

SIZES = st.integers(1, 4)
SHAPES = st.lists(SIZES, min_size=1, max_size=4).map(tuple)
SEEDS = st.integers(0, 2**32 - 1)


def numbers(seed, shape, *, away_from_zero=0.0, positive=False):
    """Normal numbers on the host, in float64, in memory that is not contiguous where there are two axes or more."""
    rng = numpy.random.default_rng(seed)
    array = (
        numpy.moveaxis(rng.standard_normal((*shape[1:], *shape[:1])), -1, 0)
        if len(shape) > 1
        else rng.standard_normal(shape)
    )
    array = numpy.abs(array) if positive else array
    return array + away_from_zero * numpy.sign(array)


def distinct(seed, shape):
    """Numbers of which no two are closer than 0.1: no ties, and none within a step of one."""
    rng = numpy.random.default_rng(seed)
    size = int(numpy.prod(shape))
    return (rng.permutation(size) * 0.1 - size * 0.05 + 0.03).reshape(shape)


@st.composite
def broadcastable(draw):
    """Two shapes that broadcast against each other, in either direction and in both."""
    result = draw(SHAPES)
    shapes = []
    for _ in range(2):
        kept = draw(st.integers(0, len(result)))
        shapes.append(tuple(1 if draw(st.integers(0, 3)) == 0 else size for size in result[kept:]))
    return tuple(shapes)


@st.composite
def reductions(draw):
    """(shape, axis, keepdims): axis None, an int or a tuple, negative too."""
    shape = draw(SHAPES)
    axes = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    signed = tuple(axis - len(shape) if draw(st.booleans()) else axis for axis in sorted(axes))
    axis = draw(st.sampled_from([None, signed[0], signed]))
    return shape, axis, draw(st.booleans())


@st.composite
def windows(draw, *, pool=False):
    """(shape (N, H, W, C), {"kernel", "stride", "padding"}): H and W, KH and KW, and both strides differ as they like."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    most = [k // 2 if pool else 2 for k in kernel]
    padding = tuple(draw(st.integers(0, m)) for m in most)
    h, w = (draw(st.integers(max(1, k - 2 * p), 7)) for k, p in zip(kernel, padding))
    shape = draw(st.integers(1, 3)), h, w, draw(st.integers(1, 3))
    return shape, {"kernel": kernel, "stride": stride, "padding": padding}


@st.composite
def threes(draw):
    """(shape (N, H, W, C), F, padding) for windows of 3x3: images smaller than a tile, and of several that do not
    fit; no images too.
    """
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    h, w = (draw(st.integers(max(1, 3 - 2 * p), 11)) for p in padding)
    c, f = draw(st.sampled_from([1, 2, 3, 8])), draw(st.sampled_from([1, 2, 5, 9]))
    return (draw(st.integers(0, 3)), h, w, c), f, padding


def run(op, *arrays, **options):
    """(result, backward) of an op, with NumPy arrays on the outside and the backend in use within."""
    result, backward = op(*(a if a is None else to_device(a) for a in arrays), **options)

    def on_host(g):
        return tuple(
            None if gradient is None else to_host(gradient)
            for gradient in backward(to_device(numpy.asarray(g)))
        )

    return to_host(result), on_host


def types(op, *arrays, dtype, **options):
    """The types of the result and of the gradients, as names, where the floats among the arrays are of type `dtype`."""
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    result, backward = op(*map(to_device, arrays), **options)
    gradients = backward(to_device(numpy.ones(result.shape, dtype)))
    return {str(array.dtype) for array in (result, *gradients) if array is not None}


def saved_by(op, *arrays, **options):
    """Name -> NumPy array: what backward saves."""
    _, backward = op(*map(to_device, arrays), **options)
    return {name: to_host(array) for name, array in saved(backward).items()}
