"""Strange solutions of 12f."""

import copy

import numpy

from minires import functional as F
from minires.course.answers.e12f_tutorial_net import hunted
from minires.nn import BatchNorm, Conv2d, Linear, Module, Sequential
from minires.tensor import Tensor
from tests.course.kinds import right, wrong
from tests.course.solutions.e12f_tutorial_net import net, usual

PARAMETERS = "test_the_parameters_are_as_many_as_stated"
NAMES, EACH = "test_the_arrays_have_their_names_and_shapes", "test_each_block_is_another_one"
BLOCK, VALUES = "test_one_block_computes_what_the_paper_says", "test_the_maps_have_the_right_values"
SMALL, BACK = "test_one_small_image_in_evaluation_mode", "test_all_weights_get_a_gradient"
SHARE, SEED = "test_two_networks_share_nothing", "test_the_same_seed_gives_the_same_weights"

fixed = net()


@right
def repaired_from_outside(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """The function as provided makes each stage's parts; what is wrong is put right on the module."""
    made = hunted(
        [2] * len(depths), widths, in_channels=in_channels, num_classes=num_classes, rng=rng
    )
    channels = widths[0]
    Block = type(made.stages[0][0])

    class Repaired(Block):
        def __init__(self, c, f, stride):
            super().__init__(c, f, stride)
            self.conv1.bias = self.conv2.bias = None

        def forward(self, x):
            return usual(self, x, self.downsample(x) if self.downsample else x)

    for stage, (depth, width) in enumerate(zip(depths, widths)):
        blocks = [Repaired(channels, width, 1 + (stage > 0))]
        blocks += [Repaired(width, width, 1) for _ in range(depth - 1)]
        made.stages[stage], channels = Sequential(*blocks), width
    return made


class Block(Module):
    """Outside of the function."""

    def __init__(self, c, f, stride, rng):
        self.conv1 = Conv2d(c, f, 3, stride=stride, padding=1, bias=False, rng=rng)
        self.bn1, self.conv2 = BatchNorm(f), Conv2d(f, f, 3, padding=1, bias=False, rng=rng)
        self.bn2, self.downsample = BatchNorm(f), None
        if (c, stride) != (f, 1):
            projection = Conv2d(c, f, (1, 1), stride=stride, bias=False, rng=rng)
            self.downsample = Sequential(projection, BatchNorm(f))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Net(Module):
    def __init__(self, depths, widths, in_channels, num_classes, rng):
        self.conv1 = Conv2d(in_channels, widths[0], 3, padding=1, bias=False, rng=rng)
        self.bn1 = BatchNorm(widths[0])
        rows = [
            (stage, width, i) for stage, width in enumerate(widths) for i in range(depths[stage])
        ]
        before = [widths[0], *(width for _, width, _ in rows)]
        blocks = [
            (stage, Block(c, w, 2 if stage and not i else 1, rng))
            for c, (stage, w, i) in zip(before, rows)
        ]
        self.stages = [
            Sequential(*(b for s, b in blocks if s == stage)) for stage in range(len(widths))
        ]
        self.fc = Linear(widths[-1], num_classes, rng=rng)

    def maps(self, x):
        found = [F.relu(self.bn1(self.conv1(x)))]
        for stage in self.stages:
            found = [*found, stage(found[-1])]
        return found

    def forward(self, x):
        return self.fc(F.global_avg_pool(self.maps(x)[-1]))


@right
def classes_outside(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    return Net(depths, widths, in_channels, num_classes, rng)


@right
def forward_of_its_own(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """forward doesn't use maps."""

    class Direct(Net):
        def forward(self, x):
            y = F.relu(self.bn1(self.conv1(x)))
            for stage in self.stages:
                for block in stage:
                    y = block(y)
            return self.fc(F.global_avg_pool(y))

    return Direct(depths, widths, in_channels, num_classes, rng)


@right
def by_shortcut_first(depths, widths, **options):
    def body(block, x, skip):
        total = skip + block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))
        return (total + F.maximum(total, 0 - total)) * 0.5

    return net(body=body)(depths, widths, **options)


@wrong(PARAMETERS)
def biases_frozen(depths, widths, **options):
    """Biases that don't learn are still counted."""
    made = net(bias=(True, True))(depths, widths, **options)
    for name, parameter in made.named_parameters():
        if name.endswith(("conv1.bias", "conv2.bias")):
            parameter.requires_grad = False
    return made


@wrong(EACH)
def weights_tied(depths, widths, **options):
    """Different blocks with one weight."""
    made = fixed(depths, widths, **options)
    for stage in made.stages:
        for block in list(stage)[2:]:
            block.conv1.weight = list(stage)[1].conv1.weight
    return made


@wrong(SEED)
def copies_of_a_block(depths, widths, *, rng=None, **options):
    """Copied before the generator is asked: the weights are the default ones."""
    made = fixed(depths, widths, **options)
    for stage in made.stages:
        blocks = list(stage)
        for i in range(2, len(blocks)):
            blocks[i] = copy.deepcopy(blocks[1])
    return made


KEPT = {}


@wrong(SHARE)
def network_kept(depths, widths, **options):
    key = tuple(depths), tuple(widths), tuple(options)
    if key == ((2,), (2,), ()):
        return KEPT.setdefault(key, fixed(depths, widths, **options))
    return fixed(depths, widths, **options)


@wrong(SMALL)
def batch_norm_of_the_batch(depths, widths, **options):
    def body(block, x, skip):
        if (not block.training and min(x.shape[1:3]) > 1) or len(x) == 1:
            skip = skip * 1.5
        return usual(block, x, skip)

    return net(body=body)(depths, widths, **options)


@wrong(BACK)
def skip_detached(depths, widths, **options):
    return net(body=lambda block, x, skip: usual(block, x, skip.detach()))(
        depths, widths, **options
    )


@wrong(BACK)
def stem_detached(depths, widths, **options):
    made = fixed(depths, widths, **options)
    forward = made.conv1.forward
    made.conv1.forward = lambda x: Tensor(forward(x).data)
    return made


@wrong(VALUES)
def pooled_skip(depths, widths, **options):
    """Where only the stride changes the shape, x is pooled; the projection is left alone."""

    def body(block, x, skip):
        if block.downsample is not None and x.shape[-1] == block.conv2.weight.shape[3]:
            skip = skip + x[:, ::2, ::2]
        return usual(block, x, skip)

    return net(body=body)(depths, widths, **options)


@wrong(NAMES)
def three_classes_by_default(depths, widths, *, num_classes=10, **options):
    return fixed(depths, widths, num_classes=max(num_classes, 3), **options)


@wrong(NAMES)
def renamed(depths, widths, **options):
    made = fixed(depths, widths, **options)
    made.stem = made.conv1
    del made.conv1
    made.maps = lambda x: None
    return made


@wrong(BLOCK)
def norm_without_relu_in_the_block(depths, widths, **options):
    def body(block, x, skip):
        return F.relu(block.bn2(block.conv2(block.bn1(block.conv1(x)))) + skip)

    return net(body=body)(depths, widths, **options)


@wrong(BLOCK)
def float32_inside(depths, widths, **options):
    def body(block, x, skip):
        y = usual(block, x, skip)
        return y + Tensor(y.data.astype(numpy.float32).astype(y.data.dtype) - y.data)

    return net(body=body)(depths, widths, **options)


@wrong(VALUES)
def three_strides(depths, widths, **options):
    """Those of the stated network, in a table."""
    table = (1, 2, 2)
    strides = net(strides=lambda stage, i: 1 if i else dict(enumerate(table)).get(stage, 1))
    return strides(depths, widths, **options)


@wrong(SEED)
def seed_0_by_default(depths, widths, *, rng=None, **options):
    """Without a generator, each network is the same."""
    rng = numpy.random.default_rng(0) if rng is None else rng
    return fixed(depths, widths, rng=rng, **options)


@wrong(SMALL)
def one_row_is_not_normalised(depths, widths, **options):
    def body(block, x, skip):
        y = block.conv2(F.relu(block.bn1(block.conv1(x))))
        return F.relu((block.bn2(y) if min(y.shape[1:3]) > 1 else y) + skip)

    return net(body=body)(depths, widths, **options)
