"""Solutions of 12f."""

from minires import functional as F
from minires.nn import BatchNorm, Conv2d, Linear, Module, Sequential
from tests.course.kinds import right, wrong

SHAPES, PARAMETERS = (
    "test_the_maps_have_the_shapes_that_are_stated",
    "test_the_parameters_are_as_many_as_stated",
)
WORK, NAMES = (
    "test_the_multiply_adds_are_as_many_as_stated",
    "test_the_arrays_have_their_names_and_shapes",
)
EACH, BLOCK = "test_each_block_is_another_one", "test_one_block_computes_what_the_paper_says"


def net(*, strides=lambda stage, i: 2 if stage and not i else 1, bias=(False, False), body=None, shared=False,
        stem=True, head=None, project=lambda c, f, stride: stride != 1 or c != f):  # fmt: skip
    """The function, with parts replaced."""

    def tutorial_net(depths, widths, *, in_channels=3, num_classes=10, rng=None):
        class Block(Module):
            def __init__(self, c, f, stride):
                options = {"padding": 1, "rng": rng}
                self.conv1 = Conv2d(c, f, 3, stride=stride, bias=bias[0], **options)
                self.bn1, self.bn2 = BatchNorm(f), BatchNorm(f)
                self.conv2 = Conv2d(f, f, 3, bias=bias[1], **options)
                self.downsample = None
                if project(c, f, stride):
                    conv = Conv2d(c, f, 1, stride=stride, bias=False, rng=rng)
                    self.downsample = Sequential(conv, BatchNorm(f))

            def forward(self, x):
                return (body or usual)(self, x, self.downsample(x) if self.downsample else x)

        class Net(Module):
            def __init__(self):
                self.conv1 = Conv2d(in_channels, widths[0], 3, padding=1, bias=False, rng=rng)
                self.bn1, self.stages, channels = BatchNorm(widths[0]), [], widths[0]
                for stage, depth in enumerate(depths):
                    blocks = []
                    for i in range(depth):
                        new = shared and len(blocks) >= 2
                        blocks.append(
                            blocks[-1] if new else Block(channels, widths[stage], strides(stage, i))
                        )
                        channels = widths[stage]
                    self.stages.append(Sequential(*blocks))
                self.fc = Linear(channels, num_classes, rng=rng)

            def maps(self, x):
                x = self.bn1(self.conv1(x))
                found = [F.relu(x) if stem else x]
                for stage in self.stages:
                    found.append(stage(found[-1]))
                return found

            def forward(self, x):
                y = self.maps(x)[-1]
                return self.fc(F.global_avg_pool(y) if head is None else head(y))

        return Net()

    return tutorial_net


def usual(block, x, skip):
    y = F.relu(block.bn1(block.conv1(x)))
    return F.relu(block.bn2(block.conv2(y)) + skip)


plain = right(net())
tuples = right(net(strides=lambda stage, i: (2, 2) if stage > 0 and i == 0 else 1))
by_maximum = right(
    net(
        body=lambda block, x, skip: F.maximum(
            skip + block.bn2(block.conv2(F.maximum(block.bn1(block.conv1(x)), 0.0))), 0.0
        )
    )
)
means_by_hand = right(net(head=lambda y: y.mean(axis=(1, 2))))

only_the_first = wrong(SHAPES, mistake="first_stage_halves")(
    net(strides=lambda stage, i: 2 if stage == i == 0 else 1)
)
whatever_the_stage = wrong(SHAPES, mistake="every_stage_halves")(
    net(strides=lambda stage, i: 2 - min(i, 1))
)
no_stride = wrong(SHAPES, mistake="no_stage_halves")(net(strides=lambda stage, i: 1))
whatever_the_block = wrong(SHAPES, mistake="every_block_halves")(
    net(strides=lambda stage, i: 1 + bool(stage))
)
the_third_is_the_second = wrong(EACH, mistake="blocks_still_shared")(net(shared=True))
both_biases = wrong(PARAMETERS, mistake="biases_left")(net(bias=(True, True)))
the_other_bias = wrong(PARAMETERS, mistake="second_bias_left")(net(bias=(False, True)))


def normed_last(block, x, skip):
    y = block.bn1(F.relu(block.conv1(x)))
    return F.relu(skip + block.bn2(block.conv2(y)))


def open_end(block, x, skip):
    return skip + block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))


def added_last(block, x, skip):
    return skip + F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))))


as_in_the_tutorial = wrong(BLOCK, mistake="relu_before_the_norm")(net(body=normed_last))
nothing_after_the_sum = wrong("test_no_map_has_numbers_below_0", mistake="last_relu_missing")(
    net(body=open_end)
)
sum_at_the_end = wrong(BLOCK, mistake="relu_before_the_sum")(net(body=added_last))

the_first_bias = wrong(PARAMETERS)(net(bias=(True, False)))
stride_at_the_end_of_a_stage = wrong(WORK)(
    net(strides=lambda stage, i: 2 if (stage, i) in ((1, 2), (2, 2)) else 1)
)
one_stage_too_late = wrong(SHAPES)(net(strides=lambda stage, i: 2 if stage > 1 and i == 0 else 1))
projects_always = wrong(PARAMETERS)(net(project=lambda c, f, stride: True))
projects_for_channels_only = wrong(NAMES)(net(project=lambda c, f, stride: c != f))
no_relu_in_the_stem = wrong(BLOCK)(net(stem=False))
largest_pixel = wrong(BLOCK)(net(head=lambda y: y.max(axis=(1, 2))))
sum_of_pixels = wrong(BLOCK)(net(head=lambda y: y.sum(axis=(1, 2))))


@wrong(BLOCK)
@lambda body: net(body=body)
def no_skip(block, x, skip):
    return F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))))


@wrong(BLOCK)
@lambda body: net(body=body)
def both_orders(block, x, skip):
    """Fixed behind the first convolution, and broken behind the second."""
    y = F.relu(block.bn1(block.conv1(x)))
    return F.relu(block.bn2(F.relu(block.conv2(y))) + skip)


@wrong(BLOCK)
@lambda body: net(body=body)
def normed_after_the_sum(block, x, skip):
    y = F.relu(block.bn1(block.conv1(x)))
    return F.relu(block.bn2(block.conv2(y) + skip))


@wrong(BLOCK)
@lambda body: net(body=body)
def three_relus(block, x, skip):
    y = F.relu(block.bn1(F.relu(block.conv1(x))))
    return F.relu(block.bn2(block.conv2(y)) + skip)


for name, solution in list(
    globals().items()
):  # those made by a function get the name they have here
    if hasattr(solution, "kind"):
        solution.__name__ = name
del name, solution


@wrong(EACH, mistake="blocks_copied")
def numbers_handed_on(depths, widths, **options):
    """Weights of their own, with the numbers of the second block."""
    made = net()(depths, widths, **options)
    for stage in made.stages:
        blocks = list(stage)[1:]
        for block in blocks:
            block.load_state_dict(blocks[0].state_dict())
    return made
