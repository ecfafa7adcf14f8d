"""summary: rows and sums compared with numbers computed by hand; the model does not change."""

from contextlib import nullcontext

import numpy
import pytest
from numpy.testing import assert_array_equal

from minires import functional as F
from minires import models, nn, ops
from minires.models import BasicBlock, ResNet, summary
from minires.models.summary import Row, Summary
from minires.nn import (
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    Identity,
    Linear,
    MaxPool2d,
    Module,
    Parameter,
    ReLU,
    Sequential,
)
from minires.tensor import apply

pytestmark = pytest.mark.usefixtures("each_backend")


def rows(model, shape):
    return {row.name: row for row in summary(model, shape).rows}


@pytest.fixture(scope="module")
def resnet18(each_backend):
    return summary(models.resnet18(), (32, 32, 3))


def test_resnet18_takes_555_million_multiply_adds_for_a_cifar_image(resnet18):
    assert resnet18.multiply_adds == 555_422_720 and resnet18.parameters == 11_173_962


def test_rows_of_resnet18_by_hand(resnet18):
    by_name = {row.name: row for row in resnet18.rows}
    expected = {
        "conv1": ("Conv2d", (32, 32, 64), 27 * 64, 32 * 32 * 27 * 64),
        "layer1.0.conv1": ("Conv2d", (32, 32, 64), 9 * 64 * 64, 32 * 32 * 9 * 64 * 64),
        "layer2.0.conv1": ("Conv2d", (16, 16, 128), 9 * 64 * 128, 16 * 16 * 9 * 64 * 128),
        "layer2.0.downsample.0": ("Conv2d", (16, 16, 128), 64 * 128, 16 * 16 * 64 * 128),
        "layer4.1.conv2": ("Conv2d", (4, 4, 512), 9 * 512 * 512, 4 * 4 * 9 * 512 * 512),
        "layer4.1.bn2": ("BatchNorm", (4, 4, 512), 1024, 0),
        "layer4": ("Sequential", (4, 4, 512), 0, 0),
        "layer4.0": ("BasicBlock", (4, 4, 512), 0, 0),
        "avgpool": ("GlobalAvgPool", (512,), 0, 0),
        "fc": ("Linear", (10,), 5130, 5120),
        "": ("ResNet", (10,), 0, 0),
    }
    for name, (kind, output, parameters, multiply_adds) in expected.items():
        row = by_name[name]
        assert (row.kind, row.output, row.parameters, row.multiply_adds) == (
            kind,
            output,
            parameters,
            multiply_adds,
        ), name


def test_rows_come_in_the_order_of_the_tree_without_those_that_do_nothing(resnet18):
    model = models.resnet18()
    assert [row.name for row in resnet18.rows] == [
        name for name, module in model.modules() if not isinstance(module, Identity)
    ]
    assert not [row for row in resnet18.rows if row.kind == "Identity"]
    plain = ResNet(BasicBlock, (1, 1), (4, 6), shortcut="none")
    assert not [name for name in rows(plain, (6, 5, 3)) if "downsample" in name]


def test_rows_of_a_small_net_by_hand_on_an_image_that_is_no_square():
    table = summary(ResNet(BasicBlock, (1, 1), (4, 6), num_classes=7), (6, 9, 3))
    rest = [
        row[:5]
        for row in table.rows
        if row.name in ("", "conv1", "bn1") or row.name.startswith(("layer2", "fc"))
    ]
    assert rest == [
        ("", "ResNet", (7,), 0, 0),
        ("conv1", "Conv2d", (6, 9, 4), 27 * 4, 6 * 9 * 27 * 4),
        ("bn1", "BatchNorm", (6, 9, 4), 8, 0),
        ("layer2", "Sequential", (3, 5, 6), 0, 0),
        ("layer2.0", "BasicBlock", (3, 5, 6), 0, 0),
        ("layer2.0.conv1", "Conv2d", (3, 5, 6), 9 * 4 * 6, 3 * 5 * 9 * 4 * 6),
        ("layer2.0.bn1", "BatchNorm", (3, 5, 6), 12, 0),
        ("layer2.0.conv2", "Conv2d", (3, 5, 6), 9 * 6 * 6, 3 * 5 * 9 * 6 * 6),
        ("layer2.0.bn2", "BatchNorm", (3, 5, 6), 12, 0),
        ("layer2.0.downsample", "Sequential", (3, 5, 6), 0, 0),
        ("layer2.0.downsample.0", "Conv2d", (3, 5, 6), 4 * 6, 3 * 5 * 4 * 6),
        ("layer2.0.downsample.1", "BatchNorm", (3, 5, 6), 12, 0),
        ("fc", "Linear", (7,), 6 * 7 + 7, 6 * 7),
    ]
    # Such as the pooling of this stem.
    assert not [row.name for row in table.rows if row.kind == "Identity"]
    assert all(type(number) is int for row in table.rows for number in row[3:])


def test_the_sums_are_those_of_the_rows(resnet18):
    for i, key in ((3, "parameters"), (4, "multiply_adds"), (5, "saved")):
        assert getattr(resnet18, key) == sum(row[i] for row in resnet18.rows)


def test_what_a_module_does_beside_its_parts_counts_for_it():
    class Gated(Module):
        def __init__(self):
            self.a, self.b = Linear(3, 5), Linear(5, 5)

        def forward(self, x):
            h = self.a(x)
            return F.relu(h) * self.b(h)

    saved = {row.name: row.saved for row in summary(Gated(), (3,)).rows}
    # The ReLU's bools, and both sides of the product.
    assert saved == {"": 5 + 2 * 5 * 4, "a": 3 * 4, "b": 5 * 4}


def test_a_graph_of_many_paths_is_walked_once():
    class Doubling(Module):
        def __init__(self):
            self.fc = Linear(1, 1)

        def forward(self, x):
            x = self.fc(x)
            for _ in range(40):
                x = x + x
            return x

    assert summary(Doubling(), (1,)).saved == 4


def test_the_saved_bytes_of_a_tiny_net_by_hand():
    net = Sequential(
        Conv2d(3, 4, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Dropout(), Linear(24, 5)
    )
    saved = {row.name: row.saved for row in summary(net, (6, 5, 3)).rows}
    assert saved == {
        "": 0,
        "0": 6 * 5 * 3 * 4,  # the image, in float32
        "1": 6 * 5 * 4,  # a bool each
        "2": 3 * 2 * 4,  # a byte each
        "3": 0,  # a shape
        "4": 24,  # a bool each
        "5": 24 * 4,  # its input
    }
    assert summary(net, (6, 5, 3)).saved == 360 + 120 + 24 + 24 + 96


def test_batch_norm_saves_as_much_as_its_input_and_a_number_a_channel_that_the_batch_shares_does_not_count():
    for h, c in ((6, 4), (3, 2)):
        assert rows(BatchNorm(c), (h, 5, c))[""].saved == h * 5 * c * 4


def test_a_parameter_that_two_modules_share_counts_for_the_first():
    net = Sequential(Linear(3, 3), ReLU(), Linear(3, 3), Linear(3, 3))
    net[2].weight = net[0].weight
    net[3].weight = net[3].also = net[0].weight
    table = summary(net, (3,))
    assert {row.name: row.parameters for row in table.rows} == {
        "": 0,
        "0": 12,
        "1": 0,
        "2": 3,
        "3": 3,
    }
    assert table.parameters == sum(parameter.size for parameter in net.parameters()) == 18
    assert table.multiply_adds == 3 * 9


def test_a_module_may_take_several_inputs_and_none():
    class Both(Module):
        def forward(self, a, b, scale=None):
            return a * b if scale is None else a

    class Net(Module):
        def __init__(self):
            self.a, self.b, self.both = Linear(3, 5), Linear(3, 5), Both()

        def forward(self, x):
            return self.both(self.both(F.relu(self.a(x)), F.sigmoid(self.b(x)), None), x[:, :1], 2)

    saved = {row.name: row.saved for row in summary(Net(), (3,)).rows}
    # Bools, the sigmoid; the image; the other factor.
    assert saved == {"": 5 + 5 * 4, "a": 3 * 4, "b": 0, "both": 5 * 4}


def test_arrays_in_a_tuple_that_backward_reads_count():
    def pair(x):
        both = (x * 1, x * 2)

        def backward(g):
            return (g * both[0] + g * both[1],)

        return both[0] + both[1], backward

    class Pair(Module):
        def __init__(self):
            self.scale = Parameter([1.0])

        def forward(self, x):
            return apply(pair, x + self.scale)

    assert summary(Pair(), (5,)).saved == 2 * 5 * 4


@pytest.mark.parametrize("forms", [nullcontext, ops.plain])
def test_what_two_layers_save_counts_once_and_what_a_block_does_itself_counts_for_it(forms):
    """Blocks run op by op: a convolution saves its input, batch norm as much, a ReLU a bool each, a sum shapes."""
    # Numbers of a channel; of four; of six after a stride of 2.
    image, small, smaller = (6 * 5, 6 * 5 * 4, 3 * 3 * 6)
    with forms():
        saved = {
            name: row.saved
            for name, row in rows(ResNet(BasicBlock, (1, 1), (4, 6)), (6, 5, 3)).items()
            if row.saved
        }
    assert saved == {
        "conv1": image * 3 * 4,
        "bn1": small * 4,
        "": small,  # the stem's ReLU
        "layer1.0.conv1": small * 4,
        "layer1.0.bn1": small * 4,
        "layer1.0.conv2": small * 4,
        "layer1.0.bn2": small * 4,
        "layer1.0": 2 * small,
        "layer2.0.conv1": small * 4,  # which the shortcut's convolution saves, too
        "layer2.0.bn1": smaller * 4,
        "layer2.0.conv2": smaller * 4,
        "layer2.0.bn2": smaller * 4,
        "layer2.0.downsample.1": smaller * 4,
        "layer2.0": 2 * smaller,
        "fc": 6 * 4,
    }


def test_a_linear_layer_multiplies_at_each_place():
    assert summary(Linear(3, 4), (3,)).multiply_adds == 12
    assert summary(Linear(3, 4), (7, 3)).multiply_adds == 7 * 12
    assert summary(Linear(3, 4, bias=False), (3,)).parameters == 12


def test_a_layer_that_runs_twice_multiplies_twice():
    net = Sequential(Linear(3, 3), ReLU())
    setattr(net, "2", net[0])
    assert summary(net, (3,)).multiply_adds == 2 * 9


def test_parameters_of_a_module_itself_count_and_those_below_it_do_not():
    class Scaled(Module):
        def __init__(self):
            self.scale, self.list, self.fc = Parameter([1.0]), [Parameter([1.0, 2.0])], Linear(3, 4)

        def forward(self, x):
            return self.fc(x) * self.scale

    assert [(row.name, row.parameters) for row in summary(Scaled(), (3,)).rows] == [
        ("", 3),
        ("fc", 16),
    ]


def test_frozen_layers_save_nothing():
    net = Sequential(Conv2d(3, 4, 1), ReLU())
    for parameter in net.parameters():
        parameter.requires_grad = False
    assert summary(net, (4, 4, 3)).saved == 0 and summary(net, (4, 4, 3)).parameters == 16


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(training):
    net = Sequential(
        Conv2d(3, 4, 3, padding=1), BatchNorm(4), ReLU(), Flatten(), Linear(24, 5)
    ).train(training)
    net[1].eval()
    before, attributes = net.state_dict(), [dict(vars(module)) for _, module in net.modules()]
    first = summary(net, (3, 2, 3))
    for name, value in net.state_dict().items():
        assert_array_equal(value, before[name], err_msg=name)
    assert [dict(vars(module)) for _, module in net.modules()] == attributes
    assert net.training is training and net[1].training is False
    assert [parameter.grad for parameter in net.parameters()] == [None] * 6
    assert summary(net, (3, 2, 3)) == first


def test_the_generator_is_left_as_it_was():
    """summary() does not change the numbers of later training."""
    net = Sequential(Linear(3, 4), Dropout(), Linear(4, 2))
    nn.manual_seed(5)
    summary(net, (3,))
    assert nn.init.generator().random() == numpy.random.default_rng(5).random()


def test_an_input_that_does_not_fit_raises_what_the_model_raises():
    with pytest.raises(ValueError, match="conv2d: expected 3 channels in x, as in weight, got 2"):
        summary(models.ResNet(BasicBlock, (1,), (4,)), (8, 8, 2))


def test_the_text_is_a_table_with_the_sums_below():
    entries = [
        Row("", "Net", (10,), 0, 0, 0, 0),
        Row("fc", "Linear", (4, 10), 12345, 6789012, 1024000, 12345),
    ]
    table = Summary(entries, 12345, 6789012, 1024000, 12345)
    assert (
        str(table)
        == repr(table)
        == "\n".join(
            [
                "layer     kind    output  parameters  multiply-adds  saved, KiB",
                "---------------------------------------------------------------",
                "(itself)  Net     10                                           ",
                "fc        Linear  4 x 10      12,345      6,789,012     1,000.0",
                "---------------------------------------------------------------",
                "sum                           12,345      6,789,012     1,000.0",
            ]
        )
    )


def test_the_text_of_resnet18_shows_its_sums(resnet18):
    lines = str(resnet18).splitlines()
    assert lines[-1].split()[:3] == ["sum", "11,173,962", "555,422,720"]
    assert len(lines) == len(resnet18.rows) + 4
