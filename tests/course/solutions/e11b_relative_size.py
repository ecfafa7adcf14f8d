"""Solutions of 11b: sizes of branches, of sums, and of other things."""

import numpy

from minires import functional as F
from minires.backend import xp
from minires.tensor import no_grad
from tests.course.kinds import right, wrong

SAME, PROJECTED = "test_the_shortcut_may_be_x_itself", "test_the_shortcut_may_be_a_projection"


def added(block, x):
    """What the branch adds."""
    y = block.conv1(x)
    y = F.relu(block.bn1(y))
    return block.bn2(block.conv2(y)).data


def norm(array):
    return float((array.astype("float64") ** 2).sum()) ** 0.5


@right
def norms(block, x):
    return norm(added(block, x)) / norm(block.downsample(x).data)


@right
def without_a_graph(block, x):
    with no_grad():
        sizes = [xp.mean(xp.square(part)) for part in (added(block, x), block.shortcut(x).data)]
    return float((sizes[0] / sizes[1]) ** 0.5)


@right
def on_tensors(block, x):
    branch = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))
    around = block.shortcut(x)
    return (F.mean(branch * branch) / F.mean(around * around)).item() ** 0.5


@right
def by_vectors(block, x):
    branch, around = added(block, x).ravel(), block.shortcut(x).data.ravel()
    return float(numpy.linalg.norm(branch) / numpy.linalg.norm(around))


@wrong(SAME, mistake="difference_of_the_result")
def result_less_shortcut(block, x):
    moved = (block(x) - block.shortcut(x)).data
    return norm(moved) / norm(block.shortcut(x).data)


@wrong(SAME, mistake="difference_of_sizes")
def growth(block, x):
    return abs(norm(block(x).data) / norm(block.shortcut(x).data) - 1)


@wrong(SAME, mistake="result_measured")
def the_whole_block(block, x):
    return norm(F.relu(block.shortcut(x) + block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))).data) / norm(block.downsample(x).data)  # fmt: skip


@wrong(SAME, mistake="relu_on_the_branch")
def positive_part(block, x):
    return norm(xp.maximum(added(block, x), 0)) / norm(block.shortcut(x).data)


@wrong(PROJECTED, mistake="x_for_the_shortcut")
def by_the_input(block, x):
    mean_square = (x.data**2).mean()
    return float(((added(block, x) ** 2).mean() / mean_square) ** 0.5)


@wrong(SAME, mistake="mean_of_the_images")
def image_by_image(block, x):
    branch, around = ((part**2).sum(axis=(1, 2, 3)) for part in (added(block, x), block.shortcut(x).data))  # fmt: skip
    return float(xp.sqrt(branch / around).mean())


@wrong(SAME, mistake="mean_magnitudes")
def sums_of_magnitudes(block, x):
    return float(xp.abs(added(block, x)).sum() / xp.abs(block.shortcut(x).data).sum())


@wrong(SAME, mistake="no_root")
def squares(block, x):
    return float((added(block, x) ** 2).sum() / (block.shortcut(x).data ** 2).sum())


@wrong(SAME, mistake="means_subtracted")
def deviations(block, x):
    return float((added(block, x).var() / block.shortcut(x).data.var()) ** 0.5)


@wrong(SAME)
def turned_over(block, x):
    return norm(block.shortcut(x).data) / norm(added(block, x))


@wrong(SAME)
def share_of_the_sum(block, x):
    branch, around = norm(added(block, x)), norm(block.shortcut(x).data)
    return branch / (branch + around)


@wrong(SAME)
def before_bn2(block, x):
    return norm(block.conv2(F.relu(block.bn1(block.conv1(x)))).data) / norm(block.shortcut(x).data)


@wrong(SAME)
def largest_elements(block, x):
    return float(abs(added(block, x)).max() / abs(block.shortcut(x).data).max())


@wrong("test_it_is_a_float")
def an_array(block, x):
    return numpy.array(norms(block, x))


@wrong(SAME)
def first_relu_missing(block, x):
    return norm(block.bn2(block.conv2(block.bn1(block.conv1(x)))).data) / norm(block.shortcut(x).data)  # fmt: skip


@wrong(SAME)
def pixel_by_pixel(block, x):
    branch, around = ((part**2).sum(axis=3) for part in (added(block, x), block.shortcut(x).data))
    return float(xp.sqrt(branch / around).mean())


@wrong(PROJECTED)
def the_convolution_of_the_shortcut(block, x):
    """Without its batch norm."""
    around = block.downsample[0](x).data if block.downsample.children() else block.shortcut(x).data
    return norm(added(block, x)) / norm(around)


@wrong("test_the_shortcut_may_have_zero_channels")
def zero_channels_not_counted(block, x):
    around = block.shortcut(x).data
    filled = (around != 0).any(axis=(0, 1, 2))
    mean_square = (around[..., filled] ** 2).mean()
    return float(((added(block, x) ** 2).mean() / mean_square) ** 0.5)
