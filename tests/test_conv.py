"""im2col, col2im and conv2d, against loops; and which algorithm conv2d takes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import backend, ops
from minires.backend import to_device, to_host, xp
from minires.gradcheck import check_backward
from minires.ops import conv
from tests.strategies import SEEDS, numbers, run, types, windows

pytestmark = pytest.mark.usefixtures("each_backend")


def padded(x, padding):
    return numpy.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)))


def conv2d_by_loops(x, weight, bias, stride, padding):
    """The sum as it is written in conv2d's first line."""
    kh, kw, c, f = weight.shape
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
    x, weight, bias = numbers(seed, shape), numbers(seed + 1, (*window["kernel"], shape[3], f)), numbers(seed + 2, (f,))
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
    assert_array_equal(y[0, :, :, 0], [[4310, 5421], [7643, 8754]])  # not flipped: 0 + 10*1 + 100*3 + 1000*4
    g_x, g_weight, g_bias = backward(numpy.ones((1, 2, 2, 1)))
    assert_array_equal(g_x[0, :, :, 0], [[1, 11, 10], [101, 1111, 1010], [100, 1100, 1000]])
    assert_array_equal(g_weight[:, :, 0, 0], [[0 + 1 + 3 + 4, 1 + 2 + 4 + 5], [3 + 4 + 6 + 7, 4 + 5 + 7 + 8]])
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
    assert_array_equal(run(ops.im2col, x, kernel=2)[0], run(ops.im2col, x, kernel=(2, 2), stride=(1, 1), padding=(0, 0))[0])
    assert run(ops.im2col, x, kernel=2)[0].shape == (2 * 3 * 4, 12)
    assert run(ops.conv2d, x, numbers(1, (2, 2, 3, 6)))[0].shape == (2, 3, 4, 6)
    assert run(ops.col2im, numbers(1, (24, 12)), shape=(2, 4, 5, 3), kernel=2)[0].shape == (2, 4, 5, 3)


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
    y, backward = run(ops.conv2d, numpy.zeros((0, 5, 4, 2)), numpy.ones((3, 3, 2, 6)), numpy.ones(6))
    assert y.shape == (0, 3, 2, 6)
    g_x, g_weight, g_bias = backward(y)
    assert g_x.shape == (0, 5, 4, 2) and not g_weight.any() and not g_bias.any()


X, WEIGHT = numpy.zeros((2, 5, 4, 3), numpy.float32), numpy.zeros((3, 3, 3, 6), numpy.float32)


@pytest.mark.parametrize("algorithm", ["auto", "im2col", "winograd"])
@pytest.mark.parametrize(
    ("arrays", "options", "error", "message"),
    [
        ([X, numpy.zeros((3, 3, 4, 6))], {}, ValueError, "^conv2d: weight has 4 input channels, x has 3$"),
        ([X[0], WEIGHT], {}, ValueError, r"^conv2d: x has shape \(5, 4, 3\), wanted images \(N, H, W, C\)$"),
        ([X, WEIGHT[0]], {}, ValueError, r"weight has shape \(3, 3, 6\), wanted"),
        ([X, numpy.zeros((1, 1, 4, 6))], {}, ValueError, "^conv2d: weight has 4 input channels, x has 3$"),
        ([X, numpy.zeros((1, 1, 3, 6)), numpy.zeros((1, 6))], {}, ValueError, r"bias has shape \(1, 6\), wanted \(6,\)"),
        ([X[:, :2], WEIGHT], {}, ValueError, r"window of \(3, 3\) is larger than the image, \(2, 4\)"),
        ([X, WEIGHT, numpy.zeros(3)], {}, ValueError, r"bias has shape \(3,\), wanted \(6,\)"),
        ([X, numpy.zeros((6, 3, 3, 6))], {}, ValueError, r"window of \(6, 3\) is larger than the image, \(5, 4\)"),
        (
            [X, numpy.zeros((3, 7, 3, 6))],
            {"padding": 1},
            ValueError,
            r"larger than the image, \(7, 6\) with its padding of \(1, 1\)",
        ),
        ([X, WEIGHT], {"stride": 0}, ValueError, "stride is 0: it must be at least 1"),
        ([X, WEIGHT], {"stride": (1, -1)}, ValueError, r"stride is \(1, -1\): it must be at least 1"),
        ([X, WEIGHT], {"padding": -1}, ValueError, "padding is -1: it must be at least 0"),
        ([X, WEIGHT], {"stride": 1.5}, TypeError, "stride is 1.5: wanted an int or a pair of ints"),
        ([X, WEIGHT], {"padding": "same"}, TypeError, "padding is 'same': wanted an int or a pair"),
        ([X, WEIGHT], {"stride": (1, 2, 3)}, TypeError, r"stride is \(1, 2, 3\): wanted"),
    ],
)
def test_conv2d_refuses(arrays, options, error, message, algorithm):
    with pytest.raises(error, match=message):
        run(ops.conv2d, *arrays, **options, algorithm=algorithm)


def test_im2col_and_col2im_refuse():
    with pytest.raises(ValueError, match="kernel is 0: it must be at least 1"):
        run(ops.im2col, X, kernel=0)
    with pytest.raises(ValueError, match=r"im2col: x has shape \(5, 4, 3\)"):
        run(ops.im2col, X[0], kernel=2)
    with pytest.raises(ValueError, match=r"columns have shape \(24, 27\), wanted \(12, 27\)"):
        run(ops.col2im, numpy.zeros((24, 27)), shape=X.shape, kernel=3)


@pytest.mark.parametrize(("part", "lengths"), [(None, [5]), (1, [1] * 5), (800, [2, 1, 1, 1])])
def test_the_cut_into_parts_changes_nothing_but_rounding(monkeypatch, part, lengths):
    """Five images at once, one by one, and in parts of two at most, of which there is an even number: the columns of one take 384 bytes."""
    rng = numpy.random.default_rng(5)
    x, weight, bias = (rng.normal(size=shape) for shape in ((5, 4, 3, 2), (3, 2, 2, 3), (3,)))
    g = rng.normal(size=(5, 2, 2, 3))

    def results():
        y, backward = ops.conv2d(*map(to_device, (x, weight, bias)), stride=(2, 1), padding=(1, 0))
        return [to_host(array) for array in (y, *backward(to_device(g)))]

    def run(work, parts):
        cuts.append([part.stop - part.start for part in parts])
        return backend_run(work, parts)

    whole = results()
    cuts, backend_run = [], backend._current.run
    monkeypatch.setattr(backend, "_current", backend._current._replace(part=part, run=run))
    for a, b in zip(results(), whole, strict=True):
        assert_allclose(a, b, rtol=1e-12)
    assert cuts == [lengths] * 2  # there and back


def test_lists_of_options_may_change_before_the_way_back():
    x, weight = to_device(numpy.ones((1, 5, 5, 1))), to_device(numpy.ones((3, 3, 1, 1)))
    for op, operands in ((ops.im2col, (x,)), (ops.conv2d, (x, weight))):
        options = {"stride": [2, 2], "padding": [1, 1], **({"kernel": [3, 3]} if op is ops.im2col else {})}
        result, backward = op(*operands, **options)
        for option in options.values():
            option[0] = 9
        assert_array_equal(to_host(backward(xp.ones(result.shape))[0])[0, :, 2, 0], [1, 2, 1, 2, 1])


# Which algorithm.


@pytest.fixture
def taken(monkeypatch):
    """The algorithms that were taken, one after the other: with Winograd the size of its tile."""
    names = []

    def watch(name, tell):
        function = getattr(conv, name)

        def watched(*operands, **options):
            names.append(tell(options))
            return function(*operands, **options)

        monkeypatch.setattr(conv, name, watched)

    watch("conv2d_im2col", lambda options: "im2col")
    watch("conv2d_pointwise", lambda options: "pointwise")
    watch("conv2d_winograd", lambda options: f"winograd {options['tile'].m}")
    return names


def convolve(shape=(2, 9, 7, 3), kernel=(3, 3), f=5, dtype="float64", **options):
    """(y, g_x, g_weight, g_bias) of conv2d, for the same numbers at each call."""
    x, weight, bias = numbers(0, shape), numbers(1, (*kernel, shape[3], f)), numbers(2, (f,))
    y, backward = run(ops.conv2d, *(array.astype(dtype) for array in (x, weight, bias)), **options)
    return (y, *backward(numbers(3, y.shape).astype(y.dtype)))


MANY, FEW = {"shape": (2, 9, 7, 8), "f": 16}, {"shape": (2, 9, 7, 3), "f": 16}


@pytest.mark.parametrize(
    ("options", "algorithm", "expected"),
    [
        (MANY, "auto", "winograd 4"),
        (FEW, "auto", "im2col"),
        ({"shape": (1, 4, 4, 512), "f": 8, "padding": 1}, "auto", "im2col"),  # a tile, and 36 products by a large matrix
        ({"shape": (0, 9, 7, 8), "f": 8}, "auto", "im2col"),
        (MANY, "winograd", "winograd 4"),
        (FEW, "winograd", "winograd 2"),
        ({"shape": (0, 9, 7, 8), "f": 8}, "winograd", "winograd 2"),
        (MANY, "im2col", "im2col"),
        (MANY | {"stride": 2}, "winograd", "winograd 4"),
        (MANY | {"stride": 3}, "winograd", "im2col"),
        (MANY | {"stride": (1, 2)}, "winograd", "im2col"),
        (MANY | {"kernel": (5, 5)}, "winograd", "im2col"),
        (MANY | {"kernel": (3, 1)}, "winograd", "im2col"),
        (MANY | {"dtype": "float16"}, "winograd", "im2col"),
        (MANY | {"kernel": (1, 1)}, "auto", "pointwise"),
        (MANY | {"kernel": (1, 1), "stride": 2}, "winograd", "pointwise"),
        (MANY | {"kernel": (1, 1), "padding": (0, 1)}, "auto", "im2col"),
        (MANY | {"kernel": (1, 1)}, "im2col", "im2col"),
    ],
)
def test_conv2d_takes_this_algorithm(taken, options, algorithm, expected):
    if backend.has_kernels():
        pytest.skip("a GPU takes im2col: tests/test_kernels.py")
    convolve(**options, algorithm=algorithm)
    with ops.algorithm(algorithm):
        convolve(**options)
    assert taken == [expected] * 2


def test_an_algorithm_is_for_a_while_and_one_that_is_named_at_the_call_comes_first(taken):
    with ops.algorithm("winograd"):
        convolve(**FEW)
        with ops.algorithm("im2col"):
            convolve(**MANY)
            convolve(**FEW, algorithm="winograd")
        convolve(**FEW)
        with pytest.raises(ZeroDivisionError), ops.algorithm("im2col"):
            raise ZeroDivisionError
        convolve(**FEW)
        convolve(**FEW, algorithm="auto")
    assert taken == ["winograd 2", "im2col", "winograd 2", "winograd 2", "winograd 2", "im2col"]


def test_an_unknown_algorithm_is_refused_with_the_nearest_name():
    message = "^unknown algorithm 'winorgad': there are auto, im2col, winograd; did you mean 'winograd'"
    with pytest.raises(ValueError, match=message):
        convolve(algorithm="winorgad")
    with pytest.raises(ValueError, match=message), ops.algorithm("winorgad"):
        pass
    assert_array_equal(convolve()[0], convolve(algorithm=conv._forced)[0])


def test_the_environment_sets_the_algorithm():
    program = """if True:
        import numpy
        from minires.ops import conv
        conv.conv2d_winograd = conv.conv2d_im2col = lambda *arrays, **options: print("tile" in options)
        conv.conv2d(numpy.ones((1, 5, 5, 3)), numpy.ones((3, 3, 3, 2)))"""
    here = {"PYTHONPATH": str(Path(conv.__file__).parents[2]), "PATH": os.environ["PATH"]}

    def start(value):
        environment = {**here, "MINIRES_ALGORITHM": value}
        return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)

    assert [start(value).stdout for value in ("winograd", "im2col", "")] == ["True\n", "False\n", "False\n"]
    assert "ValueError: unknown algorithm 'im2cool': there are auto, im2col, winograd; did you mean" in start("im2cool").stderr


@pytest.mark.parametrize(
    "options",
    [{"stride": 3}, {"stride": (2, 1)}, {"kernel": (5, 5), "padding": 2}, {"kernel": (3, 2)}, {"kernel": (1, 1), "padding": 1}],
)
def test_where_winograd_does_not_apply_it_is_im2col_to_the_bit(options):
    for a, b in zip(convolve(**options, algorithm="winograd"), convolve(**options, algorithm="im2col"), strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("stride", [1, 2, (1, 2), (3, 1)])
@pytest.mark.parametrize("shape", [(2, 9, 7, 3), (1, 4, 6, 8), (3, 1, 1, 1), (0, 5, 3, 2)])
def test_a_1x1_convolution_without_columns_is_im2col(taken, stride, shape):
    pointwise = convolve(shape, (1, 1), stride=stride, algorithm="auto")
    columns = convolve(shape, (1, 1), stride=stride, algorithm="im2col")
    assert taken == ["pointwise", "im2col"]
    for a, b in zip(pointwise, columns, strict=True):
        assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3)])
@pytest.mark.parametrize("stride", [1, (2, 1)])
def test_images_that_lie_askew_in_memory_and_stretched_gradients_are_taken_as_they_are(kernel, stride):
    x, weight = numbers(0, (2, 9, 14, 16))[:, :, ::2, ::2], numbers(1, (8, 9, *kernel)).transpose(2, 3, 0, 1)
    for algorithm in ("im2col", "winograd"):
        results = []
        for copy in (numpy.asarray, numpy.ascontiguousarray):
            y, backward = ops.conv2d(*(to_device(copy(a)) for a in (x, weight)), stride=stride, algorithm=algorithm)
            g = xp.broadcast_to(to_device(numbers(2, (9,))), y.shape)
            results.append([to_host(a) for a in (y, *backward(g if copy is numpy.asarray else g.copy())[:2])])
        for a, b in zip(*results, strict=True):
            assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize(
    "options", [MANY, FEW, MANY | {"kernel": (1, 1)}, MANY | {"shape": (0, 9, 7, 8)}, MANY | {"padding": (0, 2)}]
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_every_algorithm_gives_the_same_shapes_types_and_numbers(options, dtype):
    plain = convolve(**options, dtype=dtype, algorithm="im2col")
    for algorithm in ("auto", "winograd"):
        for a, b in zip(convolve(**options, dtype=dtype, algorithm=algorithm), plain, strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            assert_allclose(a, b, atol={"float16": 0.3, "float32": 1e-3}.get(dtype, 1e-10))


@pytest.mark.parametrize("algorithm", ["im2col", "winograd"])
def test_float32_images_and_float64_weights_give_float64(algorithm):
    for kernel in ((1, 1), (3, 3)):
        for narrow in (0, 1):
            operands = [numbers(0, (2, 9, 7, 8)), numbers(1, (*kernel, 8, 9))]
            operands[narrow] = operands[narrow].astype("float32")
            y, backward = run(ops.conv2d, *operands, algorithm=algorithm)
            assert y.dtype == "float64" and backward(y)[0].dtype == "float64"
        assert types(ops.conv2d, *operands, dtype="float32", algorithm=algorithm) == {"float32"}


@pytest.mark.parametrize(("kernel", "algorithm"), [((3, 3), "im2col"), ((3, 3), "winograd"), ((1, 1), "auto")])
def test_the_same_bits_come_out_twice_and_on_any_number_of_threads(monkeypatch, kernel, algorithm):
    monkeypatch.setattr(backend, "_current", backend._current._replace(part=100_000))
    options = {"shape": (7, 13, 14, 16), "kernel": kernel, "f": 24, "dtype": "float32", "algorithm": algorithm}
    first = convolve(**options)
    for threads in (1, 2, 3, 3):
        with backend.using_threads(threads):
            for a, b in zip(convolve(**options), first, strict=True):
                assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_the_type_of_the_result_is_common_to_weight_and_bias(kernel, dtype):
    """4.5 of each pixel, wherever there is no edge."""
    x, weight = numpy.ones((2, 4, 4, 4), dtype), numpy.ones((kernel, kernel, 4, 1), dtype)
    for algorithm in conv.ALGORITHMS:
        y, _ = run(ops.conv2d, x, weight, numpy.array([0.5]), algorithm=algorithm)
        assert y.dtype == "float64"
        assert_allclose(y, numpy.full(y.shape, 4 * kernel**2 + 0.5), rtol=1e-12)


@pytest.mark.parametrize(("n", "size", "c", "f", "stride", "expected"), [
    (128, 32, 64, 64, 1, "winograd"),
    (128, 4, 512, 512, 1, "winograd"),  # one tile an image, but of stride 1, which saves 4 times the products
    (1, 4, 512, 512, 1, "im2col"),
    (128, 32, 3, 64, 1, "im2col"),
    (128, 32, 64, 128, 2, "winograd"),
    (128, 16, 128, 256, 2, "im2col"),  # 81 numbers a filter and channel to be made and read for 512 tiles
    (128, 8, 256, 512, 2, "im2col"),
])  # fmt: skip
def test_auto_takes_what_was_faster_when_it_was_measured(monkeypatch, n, size, c, f, stride, expected):
    if backend.has_kernels():
        pytest.skip("measured on processors")
    taken = []
    for name in ("im2col", "winograd"):
        monkeypatch.setattr(conv, f"conv2d_{name}", lambda *arrays, name=name, **options: taken.append(name))
    x, weight = (to_device(numpy.zeros(shape, "float32")) for shape in ((n, size, size, c), (3, 3, c, f)))
    ops.conv2d(x, weight, stride=stride, padding=1, algorithm="auto")
    assert taken == [expected]
