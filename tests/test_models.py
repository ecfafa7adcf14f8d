"""The models: sizes, names and shapes as in the papers and in torchvision; the sums of blocks; errors."""

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import backend, models, nn, ops
from minires.backend import to_device, to_host
from minires.models import (
    BasicBlock,
    Bottleneck,
    PreActivationBasicBlock,
    PreActivationBottleneck,
    ResNet,
)
from minires.models.resnet import NoShortcut, PadShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, Identity, Linear, Sequential, init
from minires.tensor import Tensor, no_grad

on_each_backend = pytest.mark.usefixtures("each_backend")
on_each_form = pytest.mark.usefixtures("each_backend", "each_form")

BLOCKS = [BasicBlock, Bottleneck, PreActivationBasicBlock, PreActivationBottleneck]


@pytest.fixture
def undrawn():
    """Run on NumPy, with convolutions that start as zeros, so that large models are built quickly."""
    with (
        backend.using("numpy"),
        ops.standing_in(kaiming_normal=lambda shape, **options: init.zeros(shape)),
    ):
        yield


def count(model):
    return sum(parameter.size for parameter in model.parameters())


def tensor(values, **options):
    return Tensor(to_device(numpy.array(values, numpy.float64)), **options)


# Sizes and names


@pytest.mark.parametrize(
    ("name", "options", "parameters"),
    [
        ("resnet18", {}, 11_173_962),
        ("resnet18", {"stem": "imagenet", "num_classes": 1000}, 11_689_512),
        ("resnet34", {"stem": "imagenet", "num_classes": 1000}, 21_797_672),
        ("resnet50", {"stem": "imagenet", "num_classes": 1000}, 25_557_032),
        ("resnet101", {"stem": "imagenet", "num_classes": 1000}, 44_549_160),
        ("resnet152", {"stem": "imagenet", "num_classes": 1000}, 60_192_808),
        ("resnet20", {}, 269_722),
        ("resnet20", {"shortcut": "none"}, 269_722),
        ("resnet20", {"shortcut": "B"}, 269_722 + (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)),
        ("resnet20", {"in_channels": 1, "num_classes": 7}, 269_722 - 2 * 9 * 16 - 3 * 65),
    ],
)
def test_the_number_of_parameters_is_the_published_one(undrawn, name, options, parameters):
    assert count(models.build(name, **options)) == parameters
    assert count(getattr(models, name)(**options)) == parameters


@pytest.mark.parametrize("n", [3, 5, 7, 9, 18])
def test_the_cifar_nets_have_n_blocks_a_stage_and_no_weights_on_the_shortcut(undrawn, n):
    model = models.build(f"resnet{6 * n + 2}")
    blocks = [
        (n if c == before else n - 1) * (18 * c * c + 4 * c)
        for before, c in ((16, 16), (16, 32), (32, 64))
    ]
    first = [9 * before * c + 9 * c * c + 4 * c for before, c in ((16, 32), (32, 64))]
    assert count(model) == 27 * 16 + 32 + sum(blocks) + sum(first) + 650


def test_a_name_says_how_many_layers_have_weights(undrawn):
    for name, make in models.MODELS.items():
        layers = [path for path, module in make().modules() if isinstance(module, (Conv2d, Linear))]
        assert name == f"resnet{len([path for path in layers if 'downsample' not in path])}"
    assert sorted(models.MODELS) == sorted(
        f"resnet{depth}" for depth in (8, 18, 20, 32, 34, 44, 50, 56, 101, 110, 152)
    )


def torchvision_names(depths, convolutions, *, projects_at_once):
    """Return the keys of torchvision's state in order, without num_batches_tracked."""

    def norm(name):
        return [f"{name}.{key}" for key in ("weight", "bias", "running_mean", "running_var")]

    names = ["conv1.weight", *norm("bn1")]
    for stage, depth in enumerate(depths, start=1):
        for block in range(depth):
            at = f"layer{stage}.{block}"
            for i in range(1, convolutions + 1):
                names += [f"{at}.conv{i}.weight", *norm(f"{at}.bn{i}")]
            if block == 0 and (stage > 1 or projects_at_once):
                names += [f"{at}.downsample.0.weight", *norm(f"{at}.downsample.1")]
    return [*names, "fc.weight", "fc.bias"]


@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_names_are_torchvisions(undrawn, stem):
    assert list(models.resnet18(stem=stem).state_dict()) == torchvision_names(
        (2, 2, 2, 2), 2, projects_at_once=False
    )
    assert list(models.resnet50(stem=stem).state_dict()) == torchvision_names(
        (3, 4, 6, 3), 3, projects_at_once=True
    )


def test_shapes_are_torchvisions_with_the_channels_last(undrawn):
    shapes = {
        name: value.shape for name, value in models.resnet50(stem="imagenet").state_dict().items()
    }
    assert shapes["conv1.weight"] == (7, 7, 3, 64)
    assert shapes["layer1.0.conv1.weight"] == (1, 1, 64, 64)
    assert shapes["layer1.0.downsample.0.weight"] == (1, 1, 64, 256)
    assert shapes["layer1.1.conv1.weight"] == (1, 1, 256, 64)
    assert shapes["layer2.0.conv2.weight"] == (3, 3, 128, 128)
    assert shapes["layer4.2.conv3.weight"] == (1, 1, 512, 2048)
    assert shapes["layer4.2.bn3.running_var"] == (2048,)
    assert shapes["fc.weight"] == (2048, 10)
    assert models.resnet18().state_dict()["conv1.weight"].shape == (3, 3, 3, 64)


# Shapes


def stages(model, x):
    """Return the size and channels after the stem and each stage."""
    x = model.maxpool(model.conv1(x))
    shapes = [x.shape[1:]]
    for i in range(model.stages):
        x = getattr(model, f"layer{i + 1}")(x)
        shapes.append(x.shape[1:])
    return shapes


@on_each_form
@pytest.mark.parametrize("shortcut", ["A", "B", "none"])
@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_every_stage_but_the_first_halves_the_image(block, preactivation, shortcut):
    options = {
        "num_classes": 7,
        "in_channels": 2,
        "preactivation": preactivation,
        "shortcut": shortcut,
    }
    e = block.expansion
    x = Tensor(to_device(numpy.ones((2, 33, 29, 2), numpy.float32)))
    with no_grad():
        model = ResNet(block, (1, 2, 1), (4, 6, 10), **options)
        assert stages(model, x) == [(33, 29, 4), (33, 29, 4 * e), (17, 15, 6 * e), (9, 8, 10 * e)]
        assert model(x).shape == (2, 7)
        model = ResNet(block, (2, 1), (4, 6), stem="imagenet", **options)
        assert stages(model, x) == [(9, 8, 4), (9, 8, 4 * e), (5, 4, 6 * e)]  # 33 -> 17 -> 9
        assert model(x).shape == (2, 7) and model.conv1(x).shape == (2, 17, 15, 4)


@on_each_form
@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("shortcut", ["A", "B", "none"])
def test_every_parameter_gets_a_gradient(block, preactivation, shortcut):
    nn.manual_seed(0)
    model = ResNet(
        block, (1, 2), (4, 6), preactivation=preactivation, shortcut=shortcut, stem="imagenet"
    )
    x = Tensor(
        to_device(
            numpy.random.default_rng(0).standard_normal((3, 17, 19, 3)).astype(numpy.float32)
        ),
        requires_grad=True,
    )
    y = model(x)
    y.backward(
        to_device(numpy.random.default_rng(1).standard_normal(y.shape).astype(numpy.float32))
    )
    for name, parameter in model.named_parameters():
        assert to_host(parameter.grad).any(), name
    assert x.grad.dtype == numpy.float32
    assert {str(value.dtype) for value in model.state_dict().values()} == {"float32"}


def test_the_options_default_to_cifar_ten_classes_three_channels_and_option_b(undrawn):
    model = ResNet(BasicBlock, (1, 1), (4, 6))
    assert (
        model.conv1.weight.shape == (3, 3, 3, 4)
        and model.conv1.stride == (1, 1)
        and model.conv1.padding == (1, 1)
    )
    assert (
        isinstance(model.maxpool, Identity)
        and isinstance(model.layer1[0], BasicBlock)
        and model.bn is None
    )
    assert isinstance(model.layer2[0].downsample[0], Conv2d) and model.fc.weight.shape == (6, 10)
    stem = ResNet(BasicBlock, (1,), (4,), stem="imagenet")
    assert (stem.conv1.stride, stem.conv1.padding) == ((2, 2), (3, 3))
    assert (stem.maxpool.kernel_size, stem.maxpool.stride, stem.maxpool.padding) == (
        (3, 3),
        (2, 2),
        (1, 1),
    )


def test_the_shortcut_is_b_in_the_wide_nets_and_a_in_the_cifar_nets_unless_told_otherwise(undrawn):
    for name, model in (
        (name, make()) for name, make in models.MODELS.items() if name != "resnet8"
    ):  # which has none
        wide = name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
        assert isinstance(model.layer2[0].downsample, Sequential if wide else PadShortcut), name
    assert isinstance(models.resnet18(shortcut="A").layer2[0].downsample, PadShortcut)
    assert isinstance(models.resnet20(shortcut="B").layer2[0].downsample, Sequential)


@pytest.mark.parametrize(
    ("kind", "first", "rest"),
    [("A", PadShortcut, Identity), ("B", Sequential, Identity), ("none", NoShortcut, NoShortcut)],
)
def test_all_blocks_of_a_stage_have_the_shortcut_asked_for(undrawn, kind, first, rest):
    model = ResNet(BasicBlock, (2, 3), (4, 6), shortcut=kind)
    blocks = [block for stage in (model.layer1, model.layer2) for block in stage]
    for block, wanted in zip(blocks, (rest, rest, first, rest, rest), strict=True):
        assert type(block.downsample) is wanted and block.shortcut is block.downsample


def test_every_residual_net_of_the_papers_hands_its_options_on(undrawn):
    for name, make in models.MODELS.items():
        if name == "resnet8":
            continue
        model = make(
            num_classes=7, in_channels=1, shortcut="none", stem="imagenet", preactivation=True
        )
        assert model.conv1.weight.shape[:3] == (7, 7, 1) and model.fc.weight.shape[1] == 7, name
        assert model.bn1 is None and type(model.layer2[0].downsample) is NoShortcut, name


def test_preactivation_takes_the_other_blocks_and_norms_at_the_end(undrawn):
    for block, other in (
        (BasicBlock, PreActivationBasicBlock),
        (Bottleneck, PreActivationBottleneck),
    ):
        model = ResNet(block, (1, 2), (4, 6), preactivation=True)
        assert type(model.layer1[0]) is type(model.layer2[1]) is other
        assert model.bn1 is None and model.bn.weight.shape == (6 * block.expansion,)
        named = ResNet(other, (1, 2), (4, 6))  # asked for by its name it is the same
        assert list(named.state_dict()) == list(model.state_dict())


class Plain(nn.Module):
    """A user's block, with no more than the required attributes."""

    expansion = 1

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B"):
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1)

    def forward(self, x):
        return self.conv1(x)


def test_a_block_of_ones_own_fits_in(undrawn):
    model = ResNet(Plain, (1, 2), (4, 6))
    assert type(model.layer2[1]) is Plain and isinstance(model.bn1, BatchNorm) and model.bn is None
    assert model(Tensor(numpy.ones((2, 8, 8, 3), "float32"))).shape == (2, 10)

    class Wide(PreActivationBasicBlock):
        pass

    assert type(ResNet(Wide, (1,), (4,), preactivation=True).layer1[0]) is Wide


@pytest.mark.parametrize("block", [Plain, type("Wide", (BasicBlock,), {})])
def test_preactivation_is_refused_for_a_block_that_has_none(undrawn, block):
    message = (
        f"^ResNet: preactivation: expected a block with preactivation = True, got {block.__name__}$"
    )
    with pytest.raises(ValueError, match=message):
        ResNet(block, (1,), (4,), preactivation=True)


@pytest.mark.parametrize("depth", [0, -1, 1.5, "2", None])
def test_a_depth_is_an_int_of_at_least_1(undrawn, depth):
    with pytest.raises(
        ValueError, match=rf"^depths\[1\]: expected an int of at least 1, got {depth!r}$"
    ):
        ResNet(BasicBlock, (1, depth), (4, 6))


def test_option_a_refuses_to_narrow():
    with pytest.raises(
        ValueError,
        match="^PadShortcut: expected at least 8 output channels, got 4: shortcut B can have fewer$",
    ):
        PadShortcut(8, 4, 2)


# What a block does


def plain_numbers(block, factors):
    """Put the block in evaluation mode, with batch norms that do nothing and convolutions whose centres multiply by `factors`."""
    block.astype("float64").eval()
    for _, module in block.modules():
        if isinstance(module, BatchNorm):
            module.eps = 0
    state = block.state_dict()
    for name, factor in factors.items():
        kh, _, c, f = state[name].shape
        state[name] = numpy.zeros_like(state[name])
        state[name][kh // 2, kh // 2] = factor * numpy.eye(c, f)
    block.load_state_dict(state)
    return block


FACTORS = {
    BasicBlock: {"conv1.weight": 1, "conv2.weight": 3},
    Bottleneck: {"conv1.weight": 1, "conv2.weight": 1, "conv3.weight": 3},
    PreActivationBasicBlock: {"conv1.weight": 1, "conv2.weight": 3},
    PreActivationBottleneck: {"conv1.weight": 1, "conv2.weight": 1, "conv3.weight": 3},
}


@on_each_form
@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_gives_the_branch_plus_the_skip_and_its_gradient_takes_both_ways(block):
    made = plain_numbers(block(block.expansion, 1), FACTORS[block])
    assert isinstance(made.downsample, Identity)
    x = tensor(
        numpy.array([2.0, -5.0]).reshape(1, 2, 1, 1) * numpy.eye(block.expansion)[0],
        requires_grad=True,
    )
    y = made(x)
    # The branch stops at its first ReLU; after the sum there is one more, or none.
    after = -5 if block.preactivation else 0
    assert_allclose(y.numpy()[0, :, 0, 0], [4 * 2, after])
    y.sum().backward()
    assert_allclose(to_host(x.grad)[0, :, 0, 0], [4, 1 if block.preactivation else 0])


@on_each_form
@pytest.mark.parametrize("block", BLOCKS)
def test_a_plain_block_has_the_branch_alone(block):
    made = plain_numbers(block(block.expansion, 1, shortcut="none"), FACTORS[block])
    assert type(made.downsample) is NoShortcut
    x = tensor(
        numpy.array([2.0, -5.0]).reshape(1, 2, 1, 1) * numpy.eye(block.expansion)[0],
        requires_grad=True,
    )
    y = made(x)
    assert_allclose(y.numpy()[0, :, 0, 0], [3 * 2, 0])
    y.sum().backward()
    assert_allclose(to_host(x.grad)[0, :, 0, 0], [3, 0])


@on_each_form
@pytest.mark.parametrize("block", BLOCKS)
def test_a_projection_multiplies_the_skip_and_takes_every_second_pixel(block):
    """2 to `expansion` channels: 3 times the branch plus 10 times the projection's input, at pixels 0, 2 and 4."""
    made = plain_numbers(block(2, 1, stride=2), {**FACTORS[block], "downsample.0.weight": 10})
    row = numpy.array([1.0, 50.0, -2.0, 50.0, 3.0])
    x = tensor(numpy.stack([row, 0 * row], axis=-1).reshape(1, 1, 5, 2), requires_grad=True)
    y = made(x)
    assert y.shape == (1, 1, 3, block.expansion)
    # Before activation the projection sees relu(x); after it, the sum of -20 and a branch of 0 is cut off. Both give 0.
    assert_allclose(y.numpy()[0, 0, :, 0], [13, 0, 39])
    y.sum().backward()
    assert_allclose(to_host(x.grad)[0, 0, :, 0], [13, 0, 0, 0, 13])


@on_each_form
@pytest.mark.parametrize(("block", "last"), [(BasicBlock, "bn2"), (Bottleneck, "bn3")])
def test_the_relu_comes_after_the_sum(block, last):
    """The last norm returns -5 for any input: x of 7 becomes 2, and x of 3 becomes 0, not -2 or 3. +5 lifts -4 to 1."""
    made = plain_numbers(block(block.expansion, 1), {})
    c, norm = block.expansion, getattr(made, last)
    x = tensor(numpy.full((1, 1, 3, c), [[7.0], [3.0], [-4.0]]))
    for bias, expected in ((-5, [2, 0, 0]), (5, [12, 8, 1])):
        norm.load_state_dict(
            norm.state_dict() | {"weight": numpy.zeros(c), "bias": numpy.full(c, bias)}
        )
        for training in (False, True):
            y = made.train(training)(x).numpy()
            assert_allclose(y[0, 0], numpy.full((3, c), numpy.reshape(expected, (3, 1))))


@on_each_form
@pytest.mark.parametrize(("block", "last"), [(BasicBlock, "bn2"), (Bottleneck, "bn3")])
def test_a_plain_block_with_a_zeroed_last_norm_gives_relu_of_its_bias_whatever_x(block, last):
    made = block(3, 2, stride=2, shortcut="none").astype("float64")
    norm, f = getattr(made, last), 2 * block.expansion
    bias = numpy.linspace(-1, 2, f)
    norm.load_state_dict(norm.state_dict() | {"weight": numpy.zeros(f), "bias": bias})
    for seed in range(2):
        y = made(tensor(numpy.random.default_rng(seed).standard_normal((2, 5, 3, 3)))).numpy()
        assert_allclose(y, numpy.broadcast_to(numpy.maximum(bias, 0), (2, 3, 2, f)))


@on_each_form
@pytest.mark.parametrize(
    ("block", "last"), [(PreActivationBasicBlock, "conv2"), (PreActivationBottleneck, "conv3")]
)
def test_x_passes_a_preactivation_block_untouched(block, last):
    made = block(block.expansion, 1).astype("float64")
    getattr(made, last).weight.data[...] = 0
    x = tensor(
        numpy.random.default_rng(0).standard_normal((2, 3, 4, block.expansion)), requires_grad=True
    )
    y = made(x)
    assert_array_equal(y.numpy(), x.numpy())
    g = numpy.random.default_rng(1).standard_normal(x.shape)
    y.backward(to_device(g))
    assert_array_equal(to_host(x.grad), g)


@on_each_backend
def test_option_a_pads_zeros_on_both_sides_and_takes_every_second_pixel():
    x = numpy.random.default_rng(0).standard_normal((2, 5, 4, 3))
    t = tensor(x, requires_grad=True)
    y = PadShortcut(3, 8, 2)(t)
    assert y.shape == (2, 3, 2, 8)
    assert_array_equal(y.numpy()[..., 2:5], x[:, ::2, ::2])
    assert not y.numpy()[..., :2].any() and not y.numpy()[..., 5:].any()
    g = numpy.random.default_rng(1).standard_normal(y.shape)
    y.backward(to_device(g))
    expected = numpy.zeros_like(x)
    expected[:, ::2, ::2] = g[..., 2:5]
    assert_array_equal(to_host(t.grad), expected)


@on_each_backend
def test_option_a_says_what_it_adds():
    assert repr(PadShortcut(3, 8, 2)) == "PadShortcut(stride 2, 2 + 3 zero channels)"
    assert PadShortcut(4, 4, 2)(tensor(numpy.ones((1, 3, 3, 4)))).shape == (1, 2, 2, 4)


@on_each_backend
@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_whose_branch_starts_at_0_pass_their_shortcut_alone(block):
    def made(**options):
        rng = numpy.random.default_rng(0)
        return ResNet(block, (1, 2), (2, 4), rng=rng, **options).astype("float64")

    net, usual = made(zero_init_residual=True), made()
    theirs = usual.state_dict()
    changed = {
        name
        for name, array in net.state_dict().items()
        if not numpy.array_equal(array, theirs[name])
    }
    last = {BasicBlock: "bn2", Bottleneck: "bn3", PreActivationBasicBlock: "conv2"}.get(
        block, "conv3"
    )
    assert changed == {f"{place}.{last}.weight" for place in ("layer1.0", "layer2.0", "layer2.1")}
    x = tensor(numpy.random.default_rng(1).standard_normal((2, 6, 6, 3)))
    inside = net.layer2[0](net.layer1(net.stem(x)))
    assert_array_equal(to_host(net.layer2[1](inside).data), to_host(inside.data))


def test_a_shortcut_is_no_more_than_its_block_needs(undrawn):
    for kind in ("A", "B"):
        assert isinstance(make_shortcut(kind, 4, 4, 1), Identity)
        for i, o, stride in ((4, 4, 2), (4, 8, 1), (4, 8, 2)):
            assert isinstance(
                make_shortcut(kind, i, o, stride), PadShortcut if kind == "A" else Sequential
            )
    for i, o, stride in ((4, 4, 1), (4, 8, 2)):
        assert type(make_shortcut("none", i, o, stride)) is NoShortcut
    assert count(make_shortcut("A", 4, 8, 2)) == 0


@pytest.mark.parametrize("block", BLOCKS)
def test_the_projection_is_a_1x1_convolution_without_bias_and_has_a_norm_where_the_block_norms_last(
    undrawn, block
):
    projection = block(3, 5, stride=2).downsample
    assert projection[0].weight.shape == (1, 1, 3, 5 * block.expansion)
    assert (
        projection[0].bias is None
        and projection[0].stride == (2, 2)
        and projection[0].padding == (0, 0)
    )
    assert [type(module) for module in projection] == (
        [Conv2d] if block.preactivation else [Conv2d, BatchNorm]
    )


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_moves_by_1_and_projects_unless_told_otherwise(undrawn, block):
    made = block(3, 5)
    assert isinstance(made.downsample, Sequential) and made.downsample[0].stride == (1, 1)
    assert made(Tensor([[[[1.0] * 3] * 4] * 3] * 2)).shape == (2, 3, 4, 5 * block.expansion)


@pytest.mark.parametrize("block", BLOCKS)
def test_no_convolution_of_a_block_has_a_bias_and_one_has_the_stride(undrawn, block):
    made = block(4, 4, stride=2, shortcut="A")
    convolutions = [(name, module) for name, module in made.modules() if isinstance(module, Conv2d)]
    assert all(module.bias is None for _, module in convolutions)
    strided = "conv1" if block.expansion == 1 else "conv2"  # the 3x3, as in torchvision
    assert [name for name, module in convolutions if module.stride != (1, 1)] == [strided]
    three = [name for name, module in convolutions if module.weight.shape[:2] == (3, 3)]
    assert three == (["conv1", "conv2"] if block.expansion == 1 else ["conv2"])


@on_each_backend
def test_the_same_seed_gives_the_same_model():
    nn.manual_seed(3)
    first = ResNet(BasicBlock, (1, 1), (2, 4)).state_dict()
    nn.manual_seed(3)
    for name, value in ResNet(BasicBlock, (1, 1), (2, 4)).state_dict().items():
        assert_array_equal(value, first[name])


@on_each_backend
@pytest.mark.parametrize("make", [
    lambda **rng: ResNet(Bottleneck, (1, 1), (2, 4), **rng), lambda **rng: ResNet(BasicBlock, (1, 1), (2, 4), preactivation=True, **rng),
    lambda **rng: models.resnet20(shortcut="B", **rng), lambda **rng: models.resnet8(widths=(8,), **rng),
])  # fmt: skip
def test_a_generator_of_ones_own_draws_the_same_model_and_leaves_the_default_one_alone(make):
    nn.manual_seed(3)
    expected = make().state_dict()
    nn.manual_seed(5)
    state = make(rng=numpy.random.default_rng(3)).state_dict()
    assert nn.init.generator().random() == numpy.random.default_rng(5).random()
    for name, value in expected.items():
        assert_array_equal(state[name], value, err_msg=name)


# Refusals


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.build("resnet180"),
         "unknown model 'resnet180': choose from resnet18, resnet34, resnet50, resnet101, resnet152, "
         "resnet20, resnet32, resnet44, resnet56, resnet110, resnet8; did you mean 'resnet18'?"),
        (lambda: models.resnet8(widht=(8,)), "unknown option 'widht': choose from num_classes, in_channels, stem, widths, dirac, scale, rng; "
         "did you mean 'widths'?"),
        (lambda: models.resnet18(num_clases=3),
         "unknown option 'num_clases': choose from num_classes, in_channels, stem, shortcut, preactivation, zero_init_residual, rng; "
         "did you mean 'num_classes'?"),
        (lambda: models.build("resnet20", preactivaton=True),
         "unknown option 'preactivaton': choose from num_classes, in_channels, stem, shortcut, preactivation, zero_init_residual, rng; "
         "did you mean 'preactivation'?"),
        (lambda: models.resnet18(stem="imagenette"),
         "unknown stem 'imagenette': choose from cifar, imagenet; did you mean 'imagenet'?"),
        (lambda: models.resnet18(shortcut="non"), "unknown shortcut 'non': choose from A, B, none; did you mean 'none'?"),
        (lambda: models.resnet20(shortcut="C"), "unknown shortcut 'C': choose from A, B, none"),
        (lambda: BasicBlock(4, 4, shortcut="b"), "unknown shortcut 'b': choose from A, B, none"),
        (lambda: models.resnet18(shortcut="none", zero_init_residual=True),
         "ResNet: zero_init_residual: expected shortcuts, got shortcut='none'"),
        (lambda: models.resnet18(num_classes=0), "out_features: expected an int of at least 1, got 0"),
        (lambda: models.resnet18(in_channels=0), "in_channels: expected an int of at least 1, got 0"),
    ],
)  # fmt: skip
def test_a_model_refuses(undrawn, make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


def test_options_are_given_by_name(undrawn):
    for make in models.MODELS.values():
        with pytest.raises(TypeError):
            make("B")


def test_a_stage_needs_a_depth_and_a_width():
    with pytest.raises(
        ValueError,
        match="ResNet: expected one depth and one width per stage, got 3 depths and 2 widths",
    ):
        ResNet(BasicBlock, (1, 1, 1), (8, 16))
