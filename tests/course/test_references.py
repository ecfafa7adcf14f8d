"""Where an exercise asks for a plainer function than the library's, what it is held against gives what the library gives."""

import numpy
import pytest
from numpy.testing import assert_allclose

from minires import ops
from minires.course.answers import e05b_conv2d_by_loops, e05e_conv2d, e05f_conv2d_by_places, e06e_max_pool_by_address

rng = numpy.random.default_rng(21)
ARRAYS = [rng.standard_normal(shape) for shape in ((2, 7, 6, 3), (3, 2, 3, 4), (4,))]


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"stride": (3, 2), "padding": (0, 1)}])
@pytest.mark.parametrize(
    ("plain", "arrays"), [(e05e_conv2d.conv2d, ARRAYS), (e05f_conv2d_by_places.conv2d_by_places, ARRAYS[:2])]
)
def test_convolution(plain, arrays, options):
    (result, backward), (wanted, back) = plain(*arrays, **options), ops.conv2d(*arrays, **options)
    assert_allclose(result, wanted, atol=1e-12)
    g = rng.standard_normal(wanted.shape)
    for mine, theirs in zip(backward(g), back(g)[: len(arrays)], strict=True):
        assert_allclose(mine, theirs, atol=1e-12)
    if len(arrays) == 2:
        assert_allclose(e05b_conv2d_by_loops.conv2d_by_loops(*arrays, **options), wanted, atol=1e-12)


@pytest.mark.parametrize("options", [{"kernel": 2}, {"kernel": 3, "stride": 2, "padding": 1}, {"kernel": (2, 3), "stride": 1}])
def test_pooling(options):
    x = numpy.round(2 * ARRAYS[0])
    result, backward = e06e_max_pool_by_address.max_pool_by_address(x, **options)
    wanted, back = ops.max_pool2d(x, **options)
    assert_allclose(result, wanted)
    g = rng.standard_normal(wanted.shape)
    assert_allclose(backward(g)[0], back(g)[0], atol=1e-12)
