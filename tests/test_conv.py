"""im2col, col2im and conv2d, against loops."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import ops
from minires.backend import to_device, to_host, xp
from minires.gradcheck import check_backward
from tests.chunks import in_chunks_of
from tests.strategies import SEEDS, numbers, run, windows

pytestmark = pytest.mark.usefixtures("each_backend", "each_form")


def padded(x, padding):
    return numpy.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)))


def conv2d_by_loops(x, weight, bias, stride, padding):
    """Convolution by the sum in the first line of conv2d's docstring."""
    kh, kw, _, f = weight.shape
    x = padded(x, padding)
    n, h, w, _ = x.shape
    rows, columns = range(0, h - kh + 1, stride[0]), range(0, w - kw + 1, stride[1])
    y = numpy.zeros((n, len(rows), len(columns), f))
    for image in range(n):
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                for filter in range(f):
                    patch = x[image, top : top + kh, left : left + kw]
                    y[image, i, j, filter] = (patch * weight[..., filter]).sum() + bias[filter]
    return y


@given(windows(), st.integers(1, 3), SEEDS)
def test_conv2d_is_the_sum_over_the_window_and_the_channels(drawn, f, seed):
    shape, window = drawn
    x = numbers(seed, shape)
    weight = numbers(seed + 1, (*window["kernel"], shape[3], f))
    bias = numbers(seed + 2, (f,))
    expected = conv2d_by_loops(x, weight, bias, window["stride"], window["padding"])
    y, _ = run(ops.conv2d, x, weight, bias, stride=window["stride"], padding=window["padding"])
    assert_allclose(y, expected, atol=1e-12)


@given(windows(), st.integers(1, 3), st.booleans(), SEEDS)
def test_conv2d_backward(drawn, f, with_bias, seed):
    shape, window = drawn
    arrays = [numbers(seed, shape), numbers(seed + 1, (*window["kernel"], shape[3], f))]
    arrays += [numbers(seed + 2, (f,))] * with_bias
    check_backward(ops.conv2d, *arrays, stride=window["stride"], padding=window["padding"])


def test_conv2d_by_hand():
    x = numpy.arange(9.0).reshape(1, 3, 3, 1)
    weight = numpy.array([[1.0, 10.0], [100.0, 1000.0]]).reshape(2, 2, 1, 1)
    y, backward = run(ops.conv2d, x, weight)
    # Not flipped: 0 + 10*1 + 100*3 + 1000*4.
    assert_array_equal(y[0, :, :, 0], [[4310, 5421], [7643, 8754]])
    g_x, g_weight, g_bias = backward(numpy.ones((1, 2, 2, 1)))
    assert_array_equal(g_x[0, :, :, 0], [[1, 11, 10], [101, 1111, 1010], [100, 1100, 1000]])
    assert_array_equal(
        g_weight[:, :, 0, 0], [[0 + 1 + 3 + 4, 1 + 2 + 4 + 5], [3 + 4 + 6 + 7, 4 + 5 + 7 + 8]]
    )
    assert g_bias is None


@given(windows(), SEEDS)
def test_im2col_gives_each_patch_as_a_row(drawn, seed):
    shape, window = drawn
    x = numbers(seed, shape)
    columns, _ = run(ops.im2col, x, **window)
    (kh, kw), (sh, sw), frame = window["kernel"], window["stride"], padded(x, window["padding"])
    rows = [
        image[top : top + kh, left : left + kw].ravel()
        for image in frame
        for top in range(0, frame.shape[1] - kh + 1, sh)
        for left in range(0, frame.shape[2] - kw + 1, sw)
    ]
    assert_array_equal(columns, rows)


@given(windows(), SEEDS)
def test_col2im_is_the_adjoint_of_im2col(drawn, seed):
    shape, window = drawn
    x = numbers(seed, shape)
    columns, _ = run(ops.im2col, x, **window)
    c = numbers(seed + 1, columns.shape)
    image, _ = run(ops.col2im, c, shape=shape, **window)
    assert image.shape == shape
    assert_allclose((columns * c).sum(), (x * image).sum(), atol=1e-10)


@given(windows(), SEEDS)
def test_im2col_and_col2im_backward(drawn, seed):
    shape, window = drawn
    x = numbers(seed, shape)
    check_backward(ops.im2col, x, **window)
    columns, _ = run(ops.im2col, x, **window)
    check_backward(ops.col2im, columns, shape=shape, **window)


def test_col2im_adds_where_windows_overlap():
    image, _ = run(ops.col2im, numpy.ones((4, 4)), shape=(1, 3, 3, 1), kernel=2)
    assert_array_equal(image[0, :, :, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def test_a_window_moves_by_1_over_the_bare_image_unless_told_otherwise():
    x = numbers(0, (2, 4, 5, 3))
    assert_array_equal(
        run(ops.im2col, x, kernel=2)[0],
        run(ops.im2col, x, kernel=(2, 2), stride=(1, 1), padding=(0, 0))[0],
    )
    assert run(ops.im2col, x, kernel=2)[0].shape == (2 * 3 * 4, 12)
    assert run(ops.conv2d, x, numbers(1, (2, 2, 3, 6)))[0].shape == (2, 3, 4, 6)
    assert run(ops.col2im, numbers(1, (24, 12)), shape=(2, 4, 5, 3), kernel=2)[0].shape == (
        2,
        4,
        5,
        3,
    )


@given(SEEDS, st.integers(1, 3))
def test_a_1x1_convolution_is_a_product_of_matrices(seed, stride):
    x, weight = numbers(seed, (2, 5, 4, 3)), numbers(seed + 1, (1, 1, 3, 6))
    y, _ = run(ops.conv2d, x, weight, stride=stride)
    assert_allclose(y, x[:, ::stride, ::stride] @ weight[0, 0], atol=1e-12)


def test_a_permuted_batch_permutes_the_result():
    x, weight, order = numbers(0, (4, 5, 6, 2)), numbers(1, (3, 2, 2, 3)), [2, 0, 3, 1]
    y, _ = run(ops.conv2d, x, weight, padding=1)
    permuted, _ = run(ops.conv2d, x[order], weight, padding=1)
    assert_allclose(permuted, y[order], atol=1e-12)


def test_the_columns_are_a_copy():
    x = to_device(numpy.ones((1, 1, 1, 2)))
    columns, _ = ops.im2col(x, kernel=1)
    columns += 1
    assert float(x.sum()) == 2


def test_an_empty_batch_gives_an_empty_result():
    y, backward = run(
        ops.conv2d, numpy.zeros((0, 5, 4, 2)), numpy.ones((3, 3, 2, 6)), numpy.ones(6)
    )
    assert y.shape == (0, 3, 2, 6)
    g_x, g_weight, g_bias = backward(y)
    assert g_x.shape == (0, 5, 4, 2) and not g_weight.any() and not g_bias.any()


X, WEIGHT = numpy.zeros((2, 5, 4, 3), numpy.float32), numpy.zeros((3, 3, 3, 6), numpy.float32)


@pytest.mark.parametrize("forms", [(), ("winograd", "pointwise")])
@pytest.mark.parametrize(
    ("arrays", "options", "error", "message"),
    [
        (
            [X, numpy.zeros((3, 3, 4, 6))],
            {},
            ValueError,
            "^conv2d: expected 4 channels in x, as in weight, got 3$",
        ),
        (
            [X[0], WEIGHT],
            {},
            ValueError,
            r"^conv2d: expected images of shape \(N, H, W, C\), got \(5, 4, 3\)$",
        ),
        (
            [X, WEIGHT[0]],
            {},
            ValueError,
            r"expected a weight of shape \(KH, KW, C, F\), got \(3, 3, 6\)",
        ),
        (
            [X, numpy.zeros((1, 1, 4, 6))],
            {},
            ValueError,
            "^conv2d: expected 4 channels in x, as in weight, got 3$",
        ),
        (
            [X, numpy.zeros((1, 1, 3, 6)), numpy.zeros((1, 6))],
            {},
            ValueError,
            r"expected a bias of shape \(6,\), got \(1, 6\)",
        ),
        (
            [X[:, :2], WEIGHT],
            {},
            ValueError,
            r"kernel: expected at most \(2, 4\), the size of the image with padding \(0, 0\), got \(3, 3\)",
        ),
        (
            [X, WEIGHT, numpy.zeros(3)],
            {},
            ValueError,
            r"expected a bias of shape \(6,\), got \(3,\)",
        ),
        (
            [X, numpy.zeros((6, 3, 3, 6))],
            {},
            ValueError,
            r"kernel: expected at most \(5, 4\), the size of the image with padding \(0, 0\), got \(6, 3\)",
        ),
        (
            [X, numpy.zeros((3, 7, 3, 6))],
            {"padding": 1},
            ValueError,
            r"kernel: expected at most \(7, 6\), the size of the image with padding \(1, 1\), got \(3, 7\)",
        ),
        ([X, WEIGHT], {"stride": 0}, ValueError, "stride: expected at least 1, got 0"),
        (
            [X, WEIGHT],
            {"stride": (1, -1)},
            ValueError,
            r"stride: expected at least 1, got \(1, -1\)",
        ),
        ([X, WEIGHT], {"padding": -1}, ValueError, "padding: expected at least 0, got -1"),
        (
            [X, WEIGHT],
            {"stride": 1.5},
            TypeError,
            "stride: expected an int or a pair of ints, got 1.5",
        ),
        (
            [X, WEIGHT],
            {"padding": "same"},
            TypeError,
            "padding: expected an int or a pair of ints, got 'same'",
        ),
        (
            [X, WEIGHT],
            {"stride": (1, 2, 3)},
            TypeError,
            r"stride: expected an int or a pair of ints, got \(1, 2, 3\)",
        ),
    ],
)
def test_conv2d_refuses(arrays, options, error, message, forms):
    with pytest.raises(error, match=message), ops.without(*forms):
        run(ops.conv2d, *arrays, **options)


def test_im2col_and_col2im_refuse():
    with pytest.raises(ValueError, match="kernel: expected at least 1, got 0"):
        run(ops.im2col, X, kernel=0)
    with pytest.raises(
        ValueError, match=r"im2col: expected images of shape \(N, H, W, C\), got \(5, 4, 3\)"
    ):
        run(ops.im2col, X[0], kernel=2)
    with pytest.raises(ValueError, match=r"expected columns of shape \(12, 27\), got \(24, 27\)"):
        run(ops.col2im, numpy.zeros((24, 27)), shape=X.shape, kernel=3)


@pytest.mark.parametrize(("size", "lengths"), [(1 << 30, [5]), (1, [1] * 5), (800, [2, 1, 1, 1])])
def test_the_cut_into_chunks_changes_nothing_but_rounding(each_form, size, lengths):
    """Five images at once, one by one, and in chunks of two at most, of which there is an even number: the columns of one take
    384 bytes."""
    rng = numpy.random.default_rng(5)
    x, weight, bias = (rng.normal(size=shape) for shape in ((5, 4, 3, 2), (3, 2, 2, 3), (3,)))
    g = rng.normal(size=(5, 2, 2, 3))

    def results():
        y, backward = ops.conv2d(*map(to_device, (x, weight, bias)), stride=(2, 1), padding=(1, 0))
        return [to_host(array) for array in (y, *backward(to_device(g)))]

    whole = results()
    # A GPU makes the columns of the whole batch, where they fit.
    with in_chunks_of(size) as cuts, ops.without("columns_at_once"):
        for a, b in zip(results(), whole, strict=True):
            assert_allclose(a, b, rtol=1e-12)
    assert cuts == ([lengths] * 2 if each_form == "default" else [])  # forward and backward


def test_lists_of_options_may_change_before_the_backward_pass():
    x, weight = to_device(numpy.ones((1, 5, 5, 1))), to_device(numpy.ones((3, 3, 1, 1)))
    for op, operands in ((ops.im2col, (x,)), (ops.conv2d, (x, weight))):
        options = {
            "stride": [2, 2],
            "padding": [1, 1],
            **({"kernel": [3, 3]} if op is ops.im2col else {}),
        }
        result, backward = op(*operands, **options)
        for option in options.values():
            option[0] = 9
        assert_array_equal(to_host(backward(xp.ones(result.shape))[0])[0, :, 2, 0], [1, 2, 1, 2, 1])
