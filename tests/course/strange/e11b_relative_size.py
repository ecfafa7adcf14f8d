"""Strange solutions of 11b."""

import copy
import math

import numpy

from minires import functional as F
from minires.nn import Sequential
from minires.nn.layers import ReLU
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

SAME, TWICE = "test_the_shortcut_may_be_x_itself", "test_twice_the_branch_is_twice_the_size"
KEPT, SIZES = "test_block_and_maps_stay_unchanged", "test_sizes_may_be_1_or_equal"
RELU, LARGE = "test_maps_after_a_relu", "test_large_and_small_maps"
LAID, ZERO = "test_maps_in_float32_or_laid_out_differently", "test_a_branch_of_0_has_size_0"


def branch(block, x):
    return block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))


def rms(values):
    return math.sqrt(float((numpy.asarray(values, dtype="float64") ** 2).mean()))


def right_one(block, x):
    return rms(branch(block, x).data) / rms(block.shortcut(x).data)


@right
def a_sequential(block, x):
    f = Sequential(block.conv1, block.bn1, ReLU(), block.conv2, block.bn2)
    return rms(f(x).data) / rms(block.shortcut(x).data)


@right
def bound_to_its_parts(block, x):
    """A copy whose shortcut is 0, and whose last ReLU is undone by two halves: F = relu(F) - relu(-F)."""
    other = copy.deepcopy(block)
    other.downsample = lambda x: 0.0
    up = other(x).data
    other.bn2.weight.data *= -1
    other.bn2.bias.data *= -1
    return rms(up - other(x).data) / rms(block.shortcut(x).data)


@right
def by_logarithms(block, x):
    sizes = [math.log(value) if (value := float((part.data.astype(float) ** 2).sum())) else -math.inf
             for part in (branch(block, x), block.shortcut(x))]  # fmt: skip
    return math.exp((sizes[0] - sizes[1]) / 2)


@right
def image_by_image_added_up(block, x):
    above = below = 0.0
    for n in range(len(x.data)):
        one = Tensor(x.data[n : n + 1])
        above += float((branch(block, one).data ** 2).sum())
        below += float((block.shortcut(one).data ** 2).sum())
    return (above / below) ** 0.5


@right
def hypot(block, x):
    return math.hypot(*branch(block, x).data.ravel()) / math.hypot(*block.shortcut(x).data.ravel())


LAST = {}


@wrong(TWICE)
def kept_by_shape(block, x):
    return LAST.setdefault((x.shape, block.conv1.weight.data.tobytes()), right_one(block, x))


@wrong(TWICE)
def weights_of_the_first_call(block, x):
    if "block" not in LAST:
        LAST["block"] = copy.deepcopy(block)
    fits = LAST["block"].conv1.weight.shape == block.conv1.weight.shape
    return right_one(LAST["block"] if fits else block, x)


@wrong(KEPT)
def trained_first(block, x):
    """Running statistics move."""
    size = right_one(block, x)
    block.train()
    block(x)
    block.eval()
    return size


@wrong(KEPT)
def left_in_training(block, x):
    size = right_one(block, x)
    block.train()
    return size


@wrong(KEPT)
def noted_on_the_block(block, x):
    block.relative_size = right_one(block, x)
    return block.relative_size


@wrong(KEPT)
def squared_in_place(block, x):
    around = block.shortcut(x).data
    size = rms(branch(block, x).data)
    x.data *= x.data
    return size / rms(around)


@wrong(RELU)
def elements_of_0_left_out(block, x):
    around = block.shortcut(x).data
    return rms(branch(block, x).data) / rms(around[around != 0])


@wrong(LARGE)
def never_divided_by_0(block, x):
    return rms(branch(block, x).data) / (rms(block.shortcut(x).data) + 1e-2)


@wrong(ZERO)
def never_0(block, x):
    return max(right_one(block, x), 1e-3)


@wrong(SAME)
def at_most_1(block, x):
    return min(right_one(block, x), 1.0)


@wrong(SAME)
def two_digits(block, x):
    return round(right_one(block, x), 2)


@wrong(LAID)
def as_it_is_in_memory(block, x):
    return right_one(block, Tensor(x.data.ravel(order="K").reshape(x.shape)))


@wrong(SIZES)
def a_degree_of_freedom_less(block, x):
    """n - 1 of the images."""
    n = len(x.data)
    return right_one(block, x) * ((n - 1) / n if n == 1 else 1.0)


@wrong(SAME)
def medians(block, x):
    return float(numpy.median(abs(branch(block, x).data)) / numpy.median(abs(block.shortcut(x).data)))  # fmt: skip


@right
def of_numpy(block, x):
    """numpy.float64 is a float."""
    return numpy.float64(right_one(block, x))


@wrong("test_it_is_a_float")
def in_the_dtype_of_the_block(block, x):
    result = right_one(block, x)
    return result if x.dtype == "float64" else x.dtype.type(result)


@wrong(KEPT)
def gradients_left_behind(block, x):
    f = branch(block, x)
    f.sum().backward()
    return rms(f.data) / rms(block.shortcut(x).data)


@wrong(SAME)
def element_by_element(block, x):
    around = block.shortcut(x).data
    return rms(branch(block, x).data / numpy.where(around == 0, 1, around))
