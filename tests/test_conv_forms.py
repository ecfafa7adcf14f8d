"""The choice of the form of conv2d, which changes neither the dtype nor, for any number of threads, the result."""

from functools import wraps

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import backend, ops
from minires.backend import on_a_gpu, to_device
from minires.fast import winograd
from minires.ops.forms import FUNCTIONS
from tests.chunks import in_chunks_of
from tests.strategies import numbers, run, types

pytestmark = pytest.mark.usefixtures("each_backend")


@pytest.fixture
def taken(monkeypatch):
    """A log of the faster forms that ran, in order; Winograd's with the size of its tile."""
    names, forms = [], FUNCTIONS["conv2d"]

    def watched(form):
        @wraps(form.run)
        def run(*operands, **options):
            made = form.run(*operands, **options)
            if made is not NotImplemented and form.run.__name__ in (
                "pointwise",
                "columns_in_chunks",
                "columns_at_once",
            ):
                names.append(form.run.__name__)
            return made

        return form._replace(run=run)

    def by_tiles(*operands, tile, **options):
        names.append(f"winograd {tile.m}")
        return made_by_tiles(*operands, tile=tile, **options)

    made_by_tiles = winograd.by_tiles
    monkeypatch.setattr(forms, "faster", tuple(map(watched, forms.faster)))
    monkeypatch.setattr(winograd, "by_tiles", by_tiles)
    return names


def convolve(shape=(2, 9, 7, 3), kernel=(3, 3), f=5, dtype="float64", **options):
    """(y, g_x, g_weight, g_bias) of conv2d, for the same numbers at each call."""
    x, weight, bias = numbers(0, shape), numbers(1, (*kernel, shape[3], f)), numbers(2, (f,))
    y, backward = run(ops.conv2d, *(array.astype(dtype) for array in (x, weight, bias)), **options)
    return (y, *backward(numbers(3, y.shape).astype(y.dtype)))


MANY, FEW = {"shape": (2, 9, 7, 8), "f": 16}, {"shape": (2, 9, 7, 3), "f": 16}
COLUMNS = "columns_in_chunks"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (MANY, "winograd 4"),
        (FEW, COLUMNS),
        # a tile, and 36 products by a large matrix.
        ({"shape": (1, 4, 4, 512), "f": 8, "padding": 1}, COLUMNS),
        ({"shape": (0, 9, 7, 8), "f": 8}, COLUMNS),
        (MANY | {"stride": 2}, COLUMNS),
        ({"shape": (32, 9, 9, 8), "f": 8, "stride": 2}, "winograd 4"),
        (MANY | {"stride": 3}, COLUMNS),
        (MANY | {"stride": (1, 2)}, COLUMNS),
        (MANY | {"kernel": (5, 5)}, COLUMNS),
        (MANY | {"kernel": (3, 1)}, COLUMNS),
        (MANY | {"dtype": "float16"}, COLUMNS),
        (MANY | {"dtype": "int64"}, COLUMNS),
        (MANY | {"kernel": (1, 1)}, "pointwise"),
        (MANY | {"kernel": (1, 1), "stride": 2}, "pointwise"),
        (MANY | {"kernel": (1, 1), "padding": (0, 1)}, COLUMNS),
    ],
)
def test_conv2d_takes_this_form(taken, options, expected):
    if on_a_gpu():
        pytest.skip("a GPU takes others: tests/test_kernels.py")
    convolve(**options)
    with ops.without("winograd"):
        convolve(**options)
        with ops.without("pointwise"):
            convolve(**options)
    convolve(**options)
    with ops.plain():
        convolve(**options)
    assert taken == [expected, COLUMNS if "winograd" in expected else expected, COLUMNS, expected]


@pytest.mark.parametrize(
    "options",
    [
        {"stride": 3},
        {"stride": (2, 1)},
        {"kernel": (5, 5), "padding": 2},
        {"kernel": (3, 2)},
        {"kernel": (1, 1), "padding": 1},
    ],
)
def test_where_winograd_does_not_apply_it_is_columns_to_the_bit(options):
    with ops.without("winograd", "pointwise"):
        columns = convolve(**MANY | options)
    for a, b in zip(convolve(**MANY | options), columns, strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("stride", [1, 2, (1, 2), (3, 1)])
@pytest.mark.parametrize("shape", [(2, 9, 7, 3), (1, 4, 6, 8), (3, 1, 1, 1), (0, 5, 3, 2)])
def test_a_1x1_convolution_without_columns_is_that_with_columns(taken, stride, shape):
    pointwise = convolve(shape, (1, 1), stride=stride)
    with ops.without("pointwise"):
        columns = convolve(shape, (1, 1), stride=stride)
    assert taken == ["pointwise", COLUMNS]
    for a, b in zip(pointwise, columns, strict=True):
        assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("forms", [(), ("winograd", "pointwise"), None])
def test_float32_images_and_float64_weights_give_float64(forms):
    with ops.plain() if forms is None else ops.without(*forms):
        for kernel in ((1, 1), (3, 3)):
            for narrow in (0, 1):
                operands = [numbers(0, (2, 9, 7, 8)), numbers(1, (*kernel, 8, 9))]
                operands[narrow] = operands[narrow].astype("float32")
                y, backward = run(ops.conv2d, *operands)
                assert y.dtype == "float64" and backward(y)[0].dtype == "float64"
            assert types(ops.conv2d, *operands, dtype="float32") == {"float32"}


@pytest.mark.parametrize(("kernel", "forms"), [((3, 3), ("winograd",)), ((3, 3), ()), ((1, 1), ())])
def test_the_same_bits_come_out_twice_and_on_any_number_of_threads(kernel, forms):
    options = {"shape": (7, 13, 14, 16), "kernel": kernel, "f": 24, "dtype": "float32"}
    with in_chunks_of(100_000), ops.without(*forms):
        first = convolve(**options)
        for threads in (1, 2, 3, 3):
            with backend.using_threads(threads):
                for a, b in zip(convolve(**options), first, strict=True):
                    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("dtype", ["int64", "float32"])
@pytest.mark.parametrize("forms", [(), ("winograd", "pointwise"), None])
def test_the_type_of_the_result_is_common_to_weight_and_bias(kernel, dtype, forms):
    """The result keeps a bias of 0.5, so it cannot have the dtype of x alone."""
    x, weight = numpy.ones((2, 4, 4, 4), dtype), numpy.ones((kernel, kernel, 4, 1), dtype)
    with ops.plain() if forms is None else ops.without(*forms):
        y, _ = run(ops.conv2d, x, weight, numpy.array([0.5]))
    assert y.dtype == "float64"
    assert_allclose(y, numpy.full(y.shape, 4 * kernel**2 + 0.5), rtol=1e-12)


@pytest.mark.parametrize(("n", "size", "c", "f", "stride", "expected"), [
    (128, 32, 64, 64, 1, "winograd"),
    (128, 4, 512, 512, 1, "winograd"),  # one tile per image, but of stride 1, which saves 4 times the products
    (1, 4, 512, 512, 1, "columns"),
    (128, 32, 3, 64, 1, "columns"),
    (128, 32, 64, 128, 2, "winograd"),
    (128, 16, 128, 256, 2, "columns"),  # 81 numbers per filter and channel to be made and read for 512 tiles
    (128, 8, 256, 512, 2, "columns"),
])  # fmt: skip
def test_winograd_is_taken_where_it_was_faster_when_it_was_measured(
    monkeypatch, n, size, c, f, stride, expected
):
    if on_a_gpu():
        pytest.skip("measured on processors")
    monkeypatch.setattr(winograd, "by_tiles", lambda *operands, **options: "by tiles")
    x, weight = (
        to_device(numpy.zeros(shape, "float32")) for shape in ((n, size, size, c), (3, 3, c, f))
    )
    made = winograd.winograd(x, weight, stride=stride, padding=1)
    assert made == "by tiles" if expected == "winograd" else made is NotImplemented
