"""What a convolution on a GPU keeps for its backward pass, and how it lays it out: on the shim."""

import numpy as np
import pytest

from minires import backend, ops
from minires.fast.cuda import device
from minires.graph import saved
from minires.ops.forms import FUNCTIONS
from tests import shim
from tests.halves import TYPES, each_half

pytestmark = pytest.mark.skipif(
    shim.COMPILER is None, reason="there is no g++ to run kernels on the processor"
)
ROOM, NONE, LITTLE = (8 << 30, 8 << 30), (8 << 30, 0), (0, 0)  # memory: (all, free)
# x, weight, options and the name of what is kept: by columns, and by Winograd's tiles.
SHAPES = {
    "columns": ((2, 7, 5, 3), (3, 2, 3, 4), {"stride": (2, 1), "padding": 1}),
    "tiles": ((9, 8, 7, 8), (3, 3, 8, 9), {"padding": (1, 2)}),
}


@pytest.fixture(autouse=True)
def on_the_shim():
    with backend.using(shim.library()):
        yield


def convolution(shape, kernel, options, dtype="f4", memory=ROOM):
    """Return (y, g_x, g_weight, g_bias), what backward saves, and the functions launched forward and back."""
    rng, launches, launch = np.random.default_rng(0), ([], []), FUNCTIONS["launch"].default
    x, weight, bias = (
        rng.standard_normal(size).astype(dtype) for size in (shape, kernel, kernel[-1:])
    )

    def noted(source, function, *arguments):
        launches[now].append(function.partition("<")[0])
        launch(source, function, *arguments)

    with ops.standing_in(memory=lambda: memory, launch=noted):
        now = 0
        y, backward = ops.conv2d(x, weight, bias, **options)
        now = 1
        g = rng.standard_normal(y.shape).astype(dtype)
        return (y, *backward(g)), {id(a): a for a in saved(backward).values()}, launches


def sizes(kept):
    return {array.shape for array in kept.values()}


def test_columns_are_kept_and_not_made_again_where_memory_is_free():
    shape, kernel, options = SHAPES["columns"]
    results, kept, (forward, back) = convolution(shape, kernel, options)
    again, kept_then, (_, back_then) = convolution(shape, kernel, options, memory=NONE)
    assert sizes(kept) == {(2 * 4 * 6, 20), kernel}  # 18 numbers a row and two zeros
    assert sizes(kept_then) == {shape, kernel}
    assert forward == ["im2col"] and back == ["col2im"] and back_then == ["im2col", "col2im"]
    for a, b in zip(results, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_tiles_are_kept_and_not_made_again_where_memory_is_free():
    shape, kernel, options = SHAPES["tiles"]
    results, kept, (_, back) = convolution(shape, kernel, options)
    again, kept_then, (_, back_then) = convolution(shape, kernel, options, memory=NONE)
    assert sizes(kept) == {(6, 6, 2, 3, 9, 8), kernel} and sizes(kept_then) == {shape, kernel}
    assert back.count("tile_images") == 1 and back_then.count("tile_images") == 2  # one is of g
    for a, b in zip(results, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("memory", [ROOM, NONE, LITTLE])
def test_both_ways_give_the_plain_forms_gradients(name, memory):
    results, *_ = convolution(*SHAPES[name], memory=memory, dtype="f8")
    with ops.plain():
        wanted, *_ = convolution(*SHAPES[name], dtype="f8")
    for a, b in zip(results, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_columns_that_do_not_fit_an_eighth_of_the_memory_are_made_in_chunks(monkeypatch):
    monkeypatch.setattr(device, "LARGE", 1 << 10)
    shape, kernel, options = (64, 9, 9, 12), (3, 3, 12, 2), {"padding": 1}  # 2.1 MiB of columns
    whole, _, (once, _) = convolution(shape, kernel, options)
    parts, kept, (forward, _) = convolution(shape, kernel, options, memory=(9 << 20, 9 << 20))
    assert once == ["im2col"] and len(forward) > 1 and sizes(kept) == {shape, kernel}
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)


@each_half
def test_rows_of_columns_are_filled_up_to_16_bytes_with_zeros_which_change_nothing(half):
    """The stem of ResNets sees three channels: a row of its columns has 27 numbers."""
    shape, kernel, options = (2, 5, 6, 3), (3, 3, 3, 4), {"padding": 1}
    results, kept, _ = convolution(shape, kernel, options, TYPES[half])
    (columns,) = (array for array in kept.values() if array.ndim == 2)
    assert columns.shape == (60, 32) and not columns[:, 27:].astype("f4").any()
    assert columns[:, :27].astype("f4").any()
    with ops.plain():
        wanted, *_ = convolution(shape, kernel, options, TYPES[half])
    for a, b in zip(results, wanted, strict=True):
        assert a.shape == b.shape
        close = {"float16": 2e-3, "bfloat16": 2e-2}[half] * np.abs(b.astype("f4")).max()
        np.testing.assert_allclose(a.astype("f4"), b.astype("f4"), rtol=0, atol=close)


def test_the_products_of_a_stem_start_their_rows_on_16_bytes():
    apart, stand_in = [], shim.matmul

    def noted(a, b, out=None):
        apart.append([max(x.strides) for x in (a, b)])
        return stand_in(a, b, out)

    with ops.standing_in(product=noted), backend.autocast("float16"):
        convolution((2, 5, 6, 3), (3, 3, 3, 8), {"padding": 1})
    assert apart and all(stride % 16 == 0 for pair in apart[:2] for stride in pair)


def test_without_the_form_nothing_is_kept():
    with ops.without("columns_at_once"):
        _, kept, _ = convolution(*SHAPES["columns"])
    assert sizes(kept) == {SHAPES["columns"][0], SHAPES["columns"][1]}


def test_padding_beyond_two_and_strides_are_left_to_columns():
    for options in ({"padding": 3}, {"padding": 1, "stride": 2}):
        _, _, (forward, _) = convolution((9, 8, 8, 8), (3, 3, 8, 8), options)
        assert forward == ["im2col"]
