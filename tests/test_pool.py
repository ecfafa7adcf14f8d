"""max_pool2d, avg_pool2d and global_avg_pool, against loops over the windows."""

import re

import numpy
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

from minires import ops
from minires.backend import on_a_gpu, to_device, to_host
from minires.gradcheck import check_backward
from minires.ops.windows import overlap_add, pad_images
from tests.chunks import in_chunks_of
from tests.strategies import SEEDS, distinct, numbers, run, saved_by, types, windows

pytestmark = pytest.mark.usefixtures("each_backend", "each_form")


def by_loops(x, g, reduce, kernel, stride, padding, outside):
    """Return (result, g_x). `reduce` takes the numbers in a window, and returns its result and the fraction of g for each."""
    n, h, w, c = x.shape
    tops = range(-padding[0], h + padding[0] - kernel[0] + 1, stride[0])
    lefts = range(-padding[1], w + padding[1] - kernel[1] + 1, stride[1])
    y, g_x = numpy.zeros((n, len(tops), len(lefts), c)), numpy.zeros(x.shape)
    for image, i, j, channel in numpy.ndindex(y.shape):
        places = [(tops[i] + u, lefts[j] + v) for u in range(kernel[0]) for v in range(kernel[1])]
        inside = [0 <= a < h and 0 <= b < w for a, b in places]
        y[image, i, j, channel], shares = reduce(
            [
                x[image, *place, channel] if there else outside
                for place, there in zip(places, inside)
            ]
        )
        for place, there, share in zip(places, inside, shares):
            if there:
                g_x[image, *place, channel] += share * (0 if g is None else g[image, i, j, channel])
    return y, g_x


def first_maximum(window):
    winner = window.index(max(window))
    return window[winner], [int(k == winner) for k in range(len(window))]


def mean(window):
    return sum(window) / len(window), [1 / len(window)] * len(window)


POOLS = {"max_pool2d": (first_maximum, -numpy.inf), "avg_pool2d": (mean, 0)}
each_pool = pytest.mark.parametrize("name", POOLS)


@each_pool
@given(windows(pool=True), SEEDS)
def test_each_window_gives_one_number(name, drawn, seed):
    shape, window = drawn
    x, (reduce, outside) = distinct(seed, shape), POOLS[name]
    expected, _ = by_loops(x, None, reduce, **window, outside=outside)
    y, backward = run(getattr(ops, name), x, **window)
    assert y.shape == expected.shape
    assert_allclose(y, expected, atol=1e-12)
    g = numbers(seed + 1, y.shape)
    assert_allclose(
        backward(g)[0], by_loops(x, g, reduce, **window, outside=outside)[1], atol=1e-12
    )
    check_backward(getattr(ops, name), x, **window)


@given(windows(pool=True), SEEDS)
def test_on_ties_the_first_maximum_row_by_row_gets_the_gradient(drawn, seed):
    shape, window = drawn
    x = numpy.random.default_rng(seed).integers(0, 2, shape).astype(float)
    y, backward = run(ops.max_pool2d, x, **window)
    g = numbers(seed + 1, y.shape)
    expected, g_x = by_loops(x, g, first_maximum, **window, outside=-numpy.inf)
    assert_array_equal(y, expected)
    assert_allclose(backward(g)[0], g_x, atol=1e-12)


def test_the_first_of_equal_numbers_wins_by_hand():
    x = numpy.array([[3.0, 3.0, 0.0, 5.0], [3.0, 3.0, 5.0, 0.0]]).reshape(1, 2, 4, 1)
    y, backward = run(ops.max_pool2d, x, kernel=2)
    assert y.ravel().tolist() == [3, 5]
    (g_x,) = backward(numpy.array([1.0, 10.0]).reshape(1, 1, 2, 1))
    assert_array_equal(g_x[0, :, :, 0], [[1, 0, 0, 10], [0, 0, 0, 0]])


def test_a_maximum_that_overlapping_windows_share_gets_all_their_gradients():
    x = numpy.zeros((1, 5, 5, 1))
    x[0, 2, 2, 0] = 1
    y, backward = run(ops.max_pool2d, x, kernel=3, stride=2)
    assert_array_equal(y[0, :, :, 0], [[1, 1], [1, 1]])
    (g_x,) = backward(numpy.array([1.0, 10.0, 100.0, 1000.0]).reshape(1, 2, 2, 1))
    assert_array_equal(g_x, x * 1111)


@each_pool
def test_windows_lie_side_by_side_unless_a_stride_is_given(name):
    x, op = distinct(0, (2, 5, 7, 3)), getattr(ops, name)
    y, backward = run(op, x, kernel=(2, 3))
    assert y.shape == (2, 2, 2, 3)
    reduce, outside = POOLS[name]
    g = numbers(1, y.shape)
    expected, g_x = by_loops(
        x, g, reduce, kernel=(2, 3), stride=(2, 3), padding=(0, 0), outside=outside
    )
    assert_allclose(y, expected, atol=1e-12)
    assert_allclose(backward(g)[0], g_x, atol=1e-12)
    assert run(op, x, kernel=2)[0].shape == (2, 2, 3, 3)
    assert run(op, x, kernel=2, stride=1)[0].shape == (2, 4, 6, 3)


@each_pool
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "output"),
    [
        ((5, 7), (3, 2), (2, 3), (1, 1), (3, 3)),
        ((6, 5), 3, 2, 1, (3, 3)),
        ((6, 5), 3, 2, 0, (2, 2)),
        ((7, 4), [4, 2], [3, 1], [0, 1], (2, 5)),
        ((4, 9), (2, 3), None, 0, (2, 3)),
        ((5, 10), (2, 3), None, 0, (2, 3)),
        ((3, 3), 3, 5, 0, (1, 1)),
    ],
)
def test_the_output_size_is_rounded_down(name, size, kernel, stride, padding, output):
    y, _ = run(
        getattr(ops, name),
        numpy.zeros((2, *size, 3)),
        kernel=kernel,
        stride=stride,
        padding=padding,
    )
    assert y.shape == (2, *output, 3)


def test_the_padding_of_a_max_pool_never_wins():
    x = -1 - distinct(0, (1, 4, 4, 1)) ** 2
    y, backward = run(ops.max_pool2d, x, kernel=3, stride=1, padding=1)
    assert (y < 0).all()
    assert y[0, 0, 0, 0] == x[0, :2, :2, 0].max()
    assert backward(numpy.ones((1, 4, 4, 1)))[0].sum() == 16


def test_the_padding_of_an_average_pool_counts_as_zeros():
    y, backward = run(ops.avg_pool2d, numpy.ones((1, 2, 2, 1)), kernel=2, stride=1, padding=1)
    assert_array_equal(y[0, :, :, 0], [[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]])
    (g_x,) = backward(numpy.arange(9.0).reshape(1, 3, 3, 1))
    assert_array_equal(g_x[0, :, :, 0], [[2, 3], [5, 6]])


def test_padding_goes_around_each_image_and_off_again():
    x = numpy.arange(12.0).reshape(2, 3, 2, 1)
    padded = pad_images(to_device(x), (1, 2), 7)
    assert padded.shape == (2, 5, 6, 1)
    assert_array_equal(
        to_host(padded)[1, :, :, 0],
        [[7] * 6, *([7, 7, a, a + 1, 7, 7] for a in (6, 8, 10)), [7] * 6],
    )
    inner = overlap_add(
        [to_device(numpy.ones((2, 5, 6, 1)))], x.shape, (1, 1), (1, 1), (1, 2), "float64"
    )
    assert_array_equal(to_host(inner), numpy.ones(x.shape))
    assert_array_equal(to_host(pad_images(to_device(x), (0, 1)))[0, 0, :, 0], [0, 0, 1, 0])
    assert_array_equal(to_host(pad_images(to_device(x), (1, 0)))[0, :, 0, 0], [0, 0, 2, 4, 0])


@pytest.mark.parametrize("kernel", [(16, 16), (1, 256), (16, 17), (1, 257), (257, 1)])
@pytest.mark.parametrize("winner", ["first", "middle", "last"])
def test_windows_of_many_positions(kernel, winner):
    """The position of the maximum is a byte for up to 256 positions; in a byte, the 257th would look like the first."""
    size = kernel[0] * kernel[1]
    place = {"first": 0, "middle": size // 2, "last": size - 1}[winner]
    x = numpy.zeros((1, *kernel, 1), "float32")
    x.reshape(-1)[place] = 1
    y, backward = run(ops.max_pool2d, x, kernel=kernel)
    assert y.item() == 1
    (g_x,) = backward(numpy.full((1, 1, 1, 1), 7.0))
    assert_array_equal(g_x, x * 7)


def test_a_max_pool_saves_the_position_of_each_maximum():
    for kernel, one_byte in [((2, 3), True), ((16, 16), True), ((1, 257), False)]:
        x = distinct(0, (2, kernel[0], 2 * kernel[1], 3))
        (place,) = saved_by(ops.max_pool2d, x, kernel=kernel).values()
        assert place.shape == (2, 1, 2, 3) and place.dtype.kind in "iu"
        assert (place.itemsize == 1) == one_byte
        window = x[1, :, kernel[1] :, 2].ravel().tolist()
        assert place[1, 0, 1, 2] == window.index(max(window))


def test_the_averages_save_no_array():
    x = numpy.ones((2, 4, 6, 3))
    assert (
        saved_by(ops.avg_pool2d, x, kernel=3, stride=2, padding=1)
        == saved_by(ops.global_avg_pool, x)
        == {}
    )


@given(windows(), SEEDS)
def test_global_avg_pool_is_the_mean_of_each_channel(drawn, seed):
    x = numbers(seed, drawn[0])
    y, _ = run(ops.global_avg_pool, x)
    n, h, w, c = x.shape
    assert y.shape == (n, c)
    for image, channel in numpy.ndindex(y.shape):
        total = sum(x[image, i, j, channel] for i in range(h) for j in range(w))
        assert_allclose(y[image, channel], total / (h * w), atol=1e-12)
    check_backward(ops.global_avg_pool, x)


def test_global_avg_pool_by_hand():
    y, backward = run(ops.global_avg_pool, numpy.arange(12.0).reshape(1, 2, 3, 2))
    assert_array_equal(y, [[5, 6]])
    (g_x,) = backward(numpy.array([[6.0, 12.0]]))
    assert_array_equal(g_x, numpy.broadcast_to([1.0, 2.0], (1, 2, 3, 2)))


OPTIONS = {
    "max_pool2d": {"kernel": 2},
    "avg_pool2d": {"kernel": 3, "padding": 1},
    "global_avg_pool": {},
}
each_op = pytest.mark.parametrize("name", OPTIONS)


@each_op
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_elements_stays(name, dtype):
    assert types(getattr(ops, name), numpy.ones((2, 5, 4, 3)), dtype=dtype, **OPTIONS[name]) == {
        dtype
    }
    if name != "global_avg_pool":
        assert types(
            getattr(ops, name), numpy.ones((2, 5, 4, 3)), dtype=dtype, kernel=2, padding=1
        ) == {dtype}


@each_op
def test_an_empty_batch_gives_an_empty_result(name):
    y, backward = run(getattr(ops, name), numpy.ones((0, 5, 4, 3)), **OPTIONS[name])
    assert y.shape[0] == 0 and y.shape[-1] == 3
    assert backward(y)[0].shape == (0, 5, 4, 3)


def test_a_permuted_batch_permutes_the_result():
    x, order = distinct(0, (4, 5, 6, 2)), [2, 0, 3, 1]
    for name, options in OPTIONS.items():
        y, permuted = (run(getattr(ops, name), images, **options)[0] for images in (x, x[order]))
        assert_array_equal(permuted, y[order])


@each_pool
@pytest.mark.parametrize("kernel", [(2, 4), (4, 2)])
def test_half_the_kernel_is_not_too_much_padding(name, kernel):
    padding = kernel[0] // 2, kernel[1] // 2
    y, _ = run(
        getattr(ops, name), numpy.ones((1, 4, 4, 1)), kernel=kernel, stride=1, padding=padding
    )
    assert y.shape == (1, 5, 5, 1)


X = numpy.zeros((2, 5, 4, 3))
LARGER = "kernel: expected at most {1}, the size of the image with padding {2}, got {0}"
TOO_MUCH = "{op}: expected a padding of at most half the kernel (3, 3), got ?: a window could see padding alone"


@each_pool
@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (X[0], {"kernel": 2}, ValueError, "{op}: expected images of shape (N, H, W, C), got (5, 4, 3)"),
        (X, {"kernel": (6, 3)}, ValueError, LARGER.format("(6, 3)", "(5, 4)", "(0, 0)")),
        (X, {"kernel": (3, 5)}, ValueError, LARGER.format("(3, 5)", "(5, 4)", "(0, 0)")),
        (X, {"kernel": (2, 7), "padding": 1}, ValueError, LARGER.format("(2, 7)", "(7, 6)", "(1, 1)")),
        (X, {"kernel": 3, "padding": 2}, ValueError, TOO_MUCH.replace("?", "(2, 2)")),
        (X, {"kernel": 3, "padding": (2, 1)}, ValueError, TOO_MUCH.replace("?", "(2, 1)")),
        (X, {"kernel": 3, "padding": (1, 2)}, ValueError, TOO_MUCH.replace("?", "(1, 2)")),
        (X, {"kernel": 0}, ValueError, "kernel: expected at least 1, got 0"),
        (X, {"kernel": (2, 0)}, ValueError, "kernel: expected at least 1, got (2, 0)"),
        (X, {"kernel": 2, "stride": 0}, ValueError, "stride: expected at least 1, got 0"),
        (X, {"kernel": 2, "padding": -1}, ValueError, "padding: expected at least 0, got -1"),
        (X, {"kernel": 2.5}, TypeError, "kernel: expected an int or a pair of ints, got 2.5"),
        (X, {"kernel": 2, "stride": (1, 2, 3)}, TypeError, "stride: expected an int or a pair of ints, got (1, 2, 3)"),
        (X, {"kernel": 2, "padding": "same"}, TypeError, "padding: expected an int or a pair of ints, got 'same'"),
    ],
)  # fmt: skip
def test_pooling_refuses(name, x, options, error, message):
    with pytest.raises(error, match=f"^{re.escape(message.format(op=name))}$"):
        run(getattr(ops, name), x, **options)


def test_global_avg_pool_refuses_what_is_no_batch_of_images():
    with pytest.raises(
        ValueError,
        match=r"^global_avg_pool: expected images of shape \(N, H, W, C\), got \(5, 4, 3\)$",
    ):
        run(ops.global_avg_pool, X[0])


@each_pool
@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_numbers_that_are_no_floats_are_refused(name, dtype):
    """Four times 100 overflows a uint8, and ints have no -inf."""
    with pytest.raises(TypeError, match=f"^{name}: expected an x of floats, got {dtype}$"):
        run(getattr(ops, name), numpy.full((1, 2, 2, 1), 100).astype(dtype), kernel=2)


def test_a_window_of_minus_infinities_gives_its_gradient_to_a_pixel_and_not_to_the_frame():
    """The gradient goes to the first pixel of each window that is not padding, as in PyTorch."""
    x = numpy.full((1, 3, 3, 1), -numpy.inf)
    y, backward = run(ops.max_pool2d, x, kernel=3, stride=1, padding=1)
    assert_array_equal(y, x)
    (g_x,) = backward(numpy.ones(y.shape))
    assert_array_equal(g_x[0, :, :, 0], [[4, 2, 0], [2, 1, 0], [0, 0, 0]])
    y, backward = run(ops.max_pool2d, x[:, :, :2], kernel=(3, 2), stride=(2, 1), padding=(1, 1))
    (g_x,) = backward(numpy.array([1.0, 10.0, 100.0, 1e3, 1e4, 1e5]).reshape(1, 2, 3, 1))
    assert_array_equal(g_x[0, :, :, 0], [[11, 100], [11e3, 1e5], [0, 0]])


def test_a_nan_is_the_maximum_and_of_several_the_last_gets_the_gradient():
    nan = numpy.nan
    x = numpy.array([[5.0, nan, 1.0, nan, 9.0], [nan, 1.0, 2.0, 3.0, 4.0]]).reshape(2, 1, 5, 1)
    y, backward = run(ops.max_pool2d, x, kernel=(1, 5))
    assert_array_equal(y.ravel(), [nan, nan])
    (g_x,) = backward(numpy.array([7.0, 8.0]).reshape(2, 1, 1, 1))
    assert_array_equal(g_x[:, 0, :, 0], [[0, 0, 0, 7, 0], [8, 0, 0, 0, 0]])


def test_a_batch_in_chunks_gives_what_its_images_give_alone(each_form):
    x = to_device(numpy.random.default_rng(0).integers(0, 4, (8, 5, 6, 3)).astype(float))
    g = to_device(numpy.random.default_rng(1).standard_normal((8, 3, 3, 3)))
    with in_chunks_of(3 * 2 * 5 * 6 * 3 * 8) as cuts:  # three images
        y, backward = ops.max_pool2d(x, kernel=3, stride=2, padding=1)
        (g_x,) = backward(g)
    if each_form == "default" and not on_a_gpu():
        assert cuts[0] == [2, 2, 2, 2]
    for i in range(8):
        one, back = ops.max_pool2d(x[i : i + 1], kernel=3, stride=2, padding=1)
        assert_array_equal(to_host(y[i]), to_host(one[0]))
        assert_array_equal(to_host(g_x[i]), to_host(back(g[i : i + 1])[0][0]))
