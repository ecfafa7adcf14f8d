"""reshape, transpose, getitem, concatenate, pad, pad_shortcut and broadcast_to, compared with loops over positions and arrays by hand."""

import copy
import re

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from minires import ops
from minires.backend import to_device
from minires.gradcheck import check_backward
from tests.strategies import SEEDS, SHAPES, numbers, run, saved_by, types

pytestmark = pytest.mark.usefixtures("each_backend")


# reshape


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ((2, 3, 4), (6, 4), (6, 4)),
        ((2, 3, 4), (4, 3, 2), (4, 3, 2)),
        ((2, 3, 4), (2, -1), (2, 12)),
        ((2, 3, 4), -1, (24,)),
        ((2, 3, 4), 24, (24,)),
        ((1, 1), (), ()),
        ((), (1, 1), (1, 1)),
        ((0, 3), (3, 0, 2), (3, 0, 2)),
    ],
)
def test_reshape_keeps_the_elements_in_row_order(old, new, result):
    x = numbers(0, old)  # not contiguous in memory
    y, backward = run(ops.reshape, x, shape=new)
    assert y.shape == result
    assert_array_equal(y.ravel(), [x[index] for index in numpy.ndindex(old)])
    g = numpy.arange(float(y.size)).reshape(result)
    (g_x,) = backward(g)
    assert_array_equal(g_x, numpy.arange(float(y.size)).reshape(old))
    check_backward(ops.reshape, x, shape=new)


def test_reshape_refuses_another_number_of_elements():
    with pytest.raises(ValueError, match="reshape"):
        run(ops.reshape, numpy.ones((2, 3)), shape=(4, 2))


# transpose


@given(SHAPES, st.data(), SEEDS)
def test_transpose_gives_the_axes_in_another_order(shape, data, seed):
    x, axes = numbers(seed, shape), data.draw(st.permutations(range(len(shape))))
    given = tuple(axis - data.draw(st.sampled_from([0, len(shape)])) for axis in axes)
    y, _ = run(ops.transpose, x, axes=given)
    assert y.shape == tuple(shape[axis] for axis in axes)
    for index in numpy.ndindex(y.shape):
        assert y[index] == x[tuple(index[axes.index(axis)] for axis in range(len(shape)))]
    check_backward(ops.transpose, x, axes=given)


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 0, 1), (-2, -1, 0), [1, 2, 0], (-1, 0, -2)])
def test_transpose_by_hand(axes):
    """Orders that are not their own inverse."""
    order = [axis % 3 for axis in axes]
    y, backward = run(ops.transpose, numpy.arange(24.0).reshape(2, 3, 4), axes=axes)
    assert y.shape == tuple((2, 3, 4)[axis] for axis in order)
    assert y[tuple((1, 0, 2)[axis] for axis in order)] == 14  # x[1, 0, 2]
    (g_x,) = backward(y)
    assert_array_equal(g_x, numpy.arange(24.0).reshape(2, 3, 4))


def test_transpose_without_axes_reverses_them():
    x = numpy.arange(24.0).reshape(2, 3, 4)
    y, backward = run(ops.transpose, x)
    assert y.shape == (4, 3, 2)
    assert y[3, 1, 0] == x[0, 1, 3] and y[2, 0, 1] == x[1, 0, 2]
    (g_x,) = backward(numpy.arange(24.0).reshape(4, 3, 2))
    assert g_x.shape == (2, 3, 4) and g_x[0, 1, 3] == 3 * 6 + 1 * 2 and g_x[1, 2, 0] == 5
    check_backward(ops.transpose, x)
    check_backward(ops.transpose, numpy.array(2.0))


# getitem

X = numpy.arange(60.0).reshape(4, 3, 5)
ROWS, FEW = numpy.array([True, False, True, False]), numpy.array([False, True, True])

INDICES = {
    "int": 2,
    "negative int": -1,
    "slice": slice(1, 3),
    "step": slice(None, None, 2),
    "backwards": slice(None, None, -1),
    "empty slice": slice(2, 2),
    "ints": (3, 0, 4),
    "int and slice": (slice(None), 1),
    "steps on two axes": (slice(1, None, 2), slice(None), slice(0, 5, 3)),
    "ellipsis": ...,
    "ellipsis and int": (..., 0),
    "new axis": (None, 1),
    "new axis, ellipsis, slice": (slice(1, None), None, ..., slice(None, 4)),
    "none at all": (),
    "list": [2, 0, 3],
    "list with repeats": [2, 0, 2, -2],
    "list on another axis": (slice(None), [2, 2, 0]),
    "list of bools": [True, False, True, True],
    "array with repeats": numpy.array([1, 1, 1]),
    "array of two axes": numpy.array([[0, 1], [3, 1]]),
    "array without axes": numpy.array(2),
    "unsigned array": numpy.array([3, 3, 0], "uint8"),
    "pairs": (numpy.array([0, 1, 1, 1]), numpy.array([2, 0, 0, 1])),
    "lists of pairs": ([0, 0, 3], [1, 1, 2]),
    "array and new axis": (numpy.array([1, 1]), None, slice(1, 3)),
    "arrays apart": (numpy.array([0, 0]), slice(None), numpy.array([1, 1])),
    "int, slice, list": (1, slice(None), [0, 0, 4]),
    "arrays that broadcast": (numpy.array([[0], [3]]), numpy.array([1, 1, 2])),
    "bools for rows": ROWS,
    "bools for a later axis": (slice(None), FEW),
    "bools for two axes": X[:, :, 0] % 2 == 0,
    "bools for all": X > 17,
    "bools that choose nothing": X < 0,
    "bools and ints": (ROWS, numpy.array([1, 1])),
    "bools and a list": (ROWS, [0, 2]),
    "bools, slice, ints": (slice(1, 3), FEW, numpy.array([4, 4])),
}


def on_device(index):
    """Replace NumPy arrays by arrays of the backend in use."""
    if isinstance(index, tuple):
        return tuple(map(on_device, index))
    return to_device(index) if isinstance(index, numpy.ndarray) else index


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_each_element_that_was_taken_gets_the_gradients_of_all_its_places(index):
    places = X[index].astype(int)  # an element of X tells its place
    y, backward = run(ops.getitem, X, index=on_device(index))
    assert_array_equal(y, places)
    g = numbers(0, y.shape)
    expected = numpy.zeros(60)
    for place, gradient in zip(places.ravel(), g.ravel()):
        expected[place] += gradient
    (g_x,) = backward(g)
    assert_array_equal(g_x, expected.reshape(4, 3, 5))
    check_backward(ops.getitem, numbers(1, X.shape), index=on_device(index))
    for dtype in ("float32", "float64"):
        assert types(ops.getitem, X, dtype=dtype, index=on_device(index)) == {dtype}


def test_getitem_by_hand():
    x = numpy.array([5.0, 6.0, 7.0])
    for index, result, gradient in [
        ([2, 0, 2], [7, 5, 7], [10, 0, 101]),
        (slice(None, None, -1), [7, 6, 5], [100, 10, 1]),
        (on_device(numpy.array([False, True, True])), [6, 7], [0, 1, 10]),
    ]:
        y, backward = run(ops.getitem, x, index=index)
        assert_array_equal(y, result)
        assert_array_equal(backward([1.0, 10.0, 100.0][: len(result)])[0], gradient)


def test_getitem_of_an_empty_batch():
    for index in (slice(None, 2), (slice(None), 1), [], numpy.zeros(0, bool)):
        y, backward = run(ops.getitem, numpy.ones((0, 3)), index=on_device(index))
        assert y.size == 0
        assert backward(y)[0].shape == (0, 3)


def test_getitem_refuses_a_place_that_does_not_exist():
    for index in (4, -5, (0, 3)):
        with pytest.raises(IndexError):
            run(ops.getitem, X, index=index)


# concatenate


def test_concatenate_by_hand():
    a = numpy.array([[1.0], [2.0]])
    b = numpy.array([[3.0, 4.0], [5.0, 6.0]])
    c = numpy.zeros((2, 0))
    for axis in (1, -1):
        y, backward = run(ops.concatenate, a, b, c, a, axis=axis)
        assert_array_equal(y, [[1, 3, 4, 1], [2, 5, 6, 2]])
        gradients = backward(numpy.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]))
        for gradient, expected in zip(
            gradients, ([[1], [5]], [[2, 3], [6, 7]], [[], []], [[4], [8]]), strict=True
        ):
            assert_array_equal(gradient, expected)


def test_concatenate_runs_along_the_first_axis_by_default():
    y, backward = run(ops.concatenate, numpy.ones((1, 2)), numpy.zeros((2, 2)))
    assert_array_equal(y, [[1, 1], [0, 0], [0, 0]])
    g_a, g_b = backward(numpy.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert_array_equal(g_a, [[1, 2]])
    assert_array_equal(g_b, [[3, 4], [5, 6]])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_concatenate_backward(axis):
    shapes = [[2, 3, 4] for _ in range(3)]
    for size, shape in zip((2, 1, 3), shapes):
        shape[axis] = size
    arrays = [numbers(seed, tuple(shape)) for seed, shape in enumerate(shapes)]
    y, _ = run(ops.concatenate, *arrays, axis=axis)
    assert y.shape[axis] == 6
    assert_array_equal(
        numpy.moveaxis(y, axis, 0),
        [row for array in arrays for row in numpy.moveaxis(array, axis, 0)],
    )
    check_backward(ops.concatenate, *arrays, axis=axis)
    check_backward(ops.concatenate, arrays[0], axis=axis)


def test_concatenate_of_empty_batches():
    y, backward = run(ops.concatenate, numpy.ones((0, 1)), numpy.ones((0, 2)), axis=1)
    assert y.shape == (0, 3)
    assert [gradient.shape for gradient in backward(y)] == [(0, 1), (0, 2)]


# pad


def test_pad_by_hand():
    y, backward = run(ops.pad, numpy.array([[1.0, 2.0]]), widths=((1, 0), (2, 1)))
    assert_array_equal(y, [[0, 0, 0, 0, 0], [0, 0, 1, 2, 0]])
    assert_array_equal(backward(numpy.arange(10.0).reshape(2, 5))[0], [[7, 8]])


@pytest.mark.parametrize(
    ("shape", "widths"),
    [
        ((3,), ((1, 2),)),
        ((2, 3), ((0, 3), (2, 1))),
        ((2, 3), [[0, 0], [0, 0]]),
        ((2, 3, 4), ((1, 2), (3, 0), (0, 1))),
        ((0, 3), ((0, 0), (2, 1))),
    ],
)
def test_pad_puts_zeros_around(shape, widths):
    x = numbers(0, shape)
    y, _ = run(ops.pad, x, widths=widths)
    assert y.shape == tuple(before + size + after for size, (before, after) in zip(shape, widths))
    for index in numpy.ndindex(y.shape):
        source = tuple(at - before for at, (before, _) in zip(index, widths))
        assert y[index] == (
            x[source] if all(0 <= at < size for at, size in zip(source, shape)) else 0
        )
    check_backward(ops.pad, x, widths=widths)


@pytest.mark.parametrize(
    "widths",
    [
        ((1, 1),),
        ((1, 1), (1, 1), (1, 1)),
        ((1, -1), (0, 0)),
        ((0, 0), (-1, 1)),
        ((1,), (1, 1)),
        ((1, 1), (1, 1, 1)),
    ],
)
def test_pad_refuses(widths):
    message = (
        f"pad: expected a pair of widths >= 0 for each of the 2 axes of shape (2, 3), got {widths}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(ops.pad, numpy.ones((2, 3)), widths=widths)


# broadcast_to


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((3,), (2, 3)),
        ((2, 1), (2, 3)),
        ((1,), (4, 2, 3)),
        ((), (2, 3)),
        ((2, 1, 3), (5, 2, 4, 3)),
        ((2, 3), (2, 3)),
        ((1, 3), (0, 3)),
    ],
)
def test_broadcast_to_repeats(old, new):
    x = numbers(0, old)
    y, _ = run(ops.broadcast_to, x, shape=new)
    assert y.shape == new
    for index in numpy.ndindex(new):
        inner = index[len(new) - len(old) :]
        assert y[index] == x[tuple(0 if size == 1 else at for at, size in zip(inner, old))]
    check_backward(ops.broadcast_to, x, shape=new)


def test_broadcast_to_by_hand():
    y, backward = run(ops.broadcast_to, numpy.array([[1.0], [2.0]]), shape=(2, 3))
    assert_array_equal(y, [[1, 1, 1], [2, 2, 2]])
    assert_array_equal(backward(numpy.arange(6.0).reshape(2, 3))[0], [[3], [12]])


def test_broadcast_to_refuses_a_shape_that_does_not_fit():
    with pytest.raises(ValueError):
        run(ops.broadcast_to, numpy.ones((2, 3)), shape=(2, 4))


# pad_shortcut


@given(SEEDS, st.integers(1, 3), st.sampled_from([(1, 3), (3, 3), (3, 4), (2, 7)]))
def test_option_a_places_every_stride_th_pixel_between_zero_channels(seed, stride, sizes):
    c, channels = sizes
    x = numbers(seed, (2, 5, 4, c))
    y, backward = run(ops.pad_shortcut, x, channels=channels, stride=stride)
    expected = numpy.zeros((2, -(-5 // stride), -(-4 // stride), channels))
    g = numbers(seed + 1, expected.shape)
    g_x = numpy.zeros(x.shape)
    for n, i, j, k in numpy.ndindex(*expected.shape[:3], c):
        expected[n, i, j, k + (channels - c) // 2] = x[n, i * stride, j * stride, k]
        g_x[n, i * stride, j * stride, k] = g[n, i, j, k + (channels - c) // 2]
    assert_array_equal(y, expected)
    assert_array_equal(backward(g)[0], g_x)
    check_backward(ops.pad_shortcut, x, channels=channels, stride=stride)


@pytest.mark.parametrize(("channels", "stride"), [(2, 1), (3, 0), (4, -1)])
def test_option_a_refuses_fewer_channels_and_a_stride_below_1(channels, stride):
    told = f"expected at least 3 channels and a stride of at least 1, got {channels} and {stride}"
    with pytest.raises(ValueError, match=f"^pad_shortcut: {told}$"):
        run(ops.pad_shortcut, numpy.ones((1, 2, 2, 3)), channels=channels, stride=stride)


# All of them.

OPTIONS = {
    "reshape": {"shape": (3, 2)},
    "transpose": {"axes": (1, 0)},
    "getitem": {"index": (slice(None), slice(1, 3))},
    "concatenate": {"axis": 1},
    "pad": {"widths": ((1, 2), (0, 3))},
    "broadcast_to": {"shape": (4, 2, 3)},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_no_array_is_saved_and_the_type_stays(name):
    op, x = getattr(ops, name), numpy.ones((2, 3))
    arrays = [x, x] if name == "concatenate" else [x]
    assert saved_by(op, *arrays, **OPTIONS[name]) == {}
    for dtype in ("float32", "float64"):
        assert types(op, *arrays, dtype=dtype, **OPTIONS[name]) == {dtype}


@pytest.mark.parametrize("index", [[0, 2], ([0, 2],), ([[0, 2]], slice(None))])
def test_a_list_that_changes_after_it_was_an_index_changes_nothing(index):
    index = copy.deepcopy(index)
    y, backward = run(ops.getitem, numpy.ones((3, 2)), index=index)
    inner = index[0] if isinstance(index, tuple) else index
    while isinstance(inner[0], list):
        inner = inner[0]
    inner[1] = 1
    assert_array_equal(backward(numpy.ones(y.shape))[0], [[1, 1], [0, 0], [1, 1]])


def test_getitem_saves_the_index():
    index = numpy.array([2, 0, 2])
    (array,) = saved_by(ops.getitem, numpy.ones((3, 2)), index=to_device(index)).values()
    assert_array_equal(array, index)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("transpose", {}),
        ("reshape", {"shape": (0, 6)}),
        ("pad", {"widths": ((0, 0), (1, 1), (0, 0))}),
    ],
)
def test_an_empty_batch_gives_an_empty_result(name, options):
    y, backward = run(getattr(ops, name), numpy.ones((0, 2, 3)), **options)
    assert y.size == 0
    assert backward(y)[0].shape == (0, 2, 3)
