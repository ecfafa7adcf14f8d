"""Exercise 11b: the size of a branch relative to its shortcut, and what goes wrong with it."""

from minires import functional as F
from minires.backend import xp


def relative_size(block, x):
    """Return rms(F) / rms(shortcut(x)) of a residual block: a float.

    block  a BasicBlock    x  (N, H, W, C), a Tensor
    """
    branch = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))).data
    around = block.shortcut(x).data
    return float(xp.sqrt((branch * branch).mean() / (around * around).mean()))


def _branch(block, x):
    return block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))).data


def _rms(array):
    return float(xp.sqrt((array * array).mean()))


def difference_of_the_result(block, x):
    """F is taken from the block's result minus the shortcut: the last ReLU has cut off what was negative in the sum"""
    around = block.shortcut(x).data
    return _rms(block(x).data - around) / _rms(around)


def difference_of_sizes(block, x):
    """the sizes of the block's result and of the shortcut are subtracted: the size of a difference is something else"""
    around = _rms(block.shortcut(x).data)
    return abs(_rms(block(x).data) - around) / around


def result_measured(block, x):
    """the block's result is measured, and not F"""
    return _rms(block(x).data) / _rms(block.shortcut(x).data)


def relu_on_the_branch(block, x):
    """F has passed a ReLU: in this block the second ReLU comes after the sum"""
    return _rms(F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))).data) / _rms(
        block.shortcut(x).data
    )


def x_for_the_shortcut(block, x):
    """F is compared with x, even where the shortcut is not x itself"""
    return _rms(_branch(block, x)) / _rms(x.data)


def mean_of_the_images(block, x):
    """each image has its own ratio, and the ratios are averaged"""
    branch, around = _branch(block, x), block.shortcut(x).data
    return sum(_rms(one) / _rms(other) for one, other in zip(branch, around)) / len(branch)


def mean_magnitudes(block, x):
    """the sizes are means of absolute values, not root mean squares"""
    return float(abs(_branch(block, x)).mean() / abs(block.shortcut(x).data).mean())


def no_root(block, x):
    """the square root is missing: this is the ratio of the mean squares"""
    return (_rms(_branch(block, x)) / _rms(block.shortcut(x).data)) ** 2


def means_subtracted(block, x):
    """the sizes are standard deviations: the mean is subtracted first"""
    return float(_branch(block, x).std() / block.shortcut(x).data.std())
