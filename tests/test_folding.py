"""In evaluation without a graph, batch norm is folded into the convolution before it, and the model's results stay the same."""

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import Tensor, models, nn, no_grad, ops, train
from minires.backend import to_device, to_host
from minires.fast.onepass import norm_add_relu

pytestmark = pytest.mark.usefixtures("each_backend")


def images(*shape, seed=0):
    return to_device(numpy.random.default_rng(seed).normal(size=shape))


def trained(make, **options):
    """Return a model in float64 whose running statistics, weights and biases all differ from their initial values."""
    nn.manual_seed(3)
    model = make(**options).astype("float64")
    rng = numpy.random.default_rng(4)
    state = model.state_dict()
    for array in state.values():
        if array.ndim == 1:
            array[:] = rng.uniform(0.5, 2, size=array.shape)
    model.load_state_dict(state)
    return model


def result(model, x):
    with no_grad():
        return to_host(model(Tensor(x)).data)


class counting:
    """Context manager: count the batch norms in one pass, and change nothing else."""

    def __enter__(self):
        self.count, self.context = 0, ops.standing_in(norm_add_relu=self.count_one)
        self.context.__enter__()
        return self

    def __exit__(self, *error):
        self.context.__exit__(*error)

    def count_one(self, *operands, **options):
        self.count += 1
        return norm_add_relu.default(*operands, **options)


def bottlenecks(**options):
    return models.ResNet(models.Bottleneck, (1, 1, 2), (4, 8, 12), **options)


NETS = {
    "resnet20": (models.resnet20, {"shortcut": "B"}, 19 + 2, 0),
    "plain net": (models.resnet20, {"shortcut": "none"}, 19, 0),
    "stem of ImageNet": (
        lambda **o: models.ResNet(models.BasicBlock, (2, 2), (8, 12), **o),
        {"stem": "imagenet"},
        10,
        0,
    ),
    "bottlenecks": (bottlenecks, {}, 1 + 12 + 3, 0),
    # Those that take a sum, not a convolution's result.
    "preactivation": (models.resnet20, {"preactivation": True}, 19, 10),
    "bottlenecks, preactivation": (bottlenecks, {"preactivation": True}, 12 + 1, 5),
    # The other two take what a pooling gives.
    "resnet8": (models.resnet8, {"widths": (8, 16)}, 4, 2),
}


@pytest.mark.parametrize("net", NETS)
def test_a_model_gives_the_same_with_its_batch_norms_folded_and_has_so_many_left(net):
    make, options, norms, left = NETS[net]
    model, x = trained(make, **options).eval(), images(2, 9, 8, 3)
    before = model.state_dict()
    with counting() as counted:
        folded = result(model, x)
    assert counted.count == left
    with ops.plain():
        assert_allclose(folded, result(model, x), rtol=1e-9)
    with counting() as counted, ops.without("folded"):
        assert_allclose(folded, result(model, x), rtol=1e-9)
    assert counted.count == norms
    for name, array in model.state_dict().items():
        assert_array_equal(array, before[name])


def test_by_hand():
    """2 * (3 x + 1 - 4) / sqrt(4) + 7 = 3 x + 4."""
    model, seen = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm(1, eps=0)).eval(), []
    conv, norm = model
    for array, value in ((conv.weight.data, 3), (conv.bias.data, 1), (norm.weight.data, 2), (norm.bias.data, 7),
                         (norm.running_mean, 4), (norm.running_var, 4)):  # fmt: skip
        array[...] = value

    def conv2d(x, weight, bias, **options):
        seen.append((to_host(weight).item(), to_host(bias).item()))
        return ops.conv2d.default(x, weight, bias, **options)

    with ops.standing_in(conv2d=conv2d):
        y = result(model, to_device(numpy.full((1, 2, 2, 1), 10, "float32")))
    assert seen == [(3, 4)] and (y == 34).all()


class Times(nn.BatchNorm):
    """A user's batch norm."""

    def forward(self, x):
        return super().forward(x) * 2


def net(norm=nn.BatchNorm, **replaced):
    """Return a convolution and a batch norm, one of which may have its forward replaced."""
    model = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), norm(2))
    for place, function in replaced.items():
        model[int(place[-1])].forward = function
    return model.astype("float64").eval()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: net(Times), lambda conv, norm, x: norm(conv(x))),
        (lambda: net(layer_1=lambda x: x + 1), lambda conv, norm, x: conv(x) + 1),
        (lambda: net(layer_0=lambda x: x), lambda conv, norm, x: norm(x)),
    ],
    ids=["a class of one's own", "a batch norm's forward", "a convolution's forward"],
)
def test_a_layer_whose_forward_is_not_the_library_s_own_is_run(make, expected):
    model, x = make(), images(2, 5, 5, 2)
    with no_grad():
        wanted = to_host(expected(*model, Tensor(x)).data)
    assert_allclose(result(model, x), wanted, rtol=1e-12)


def test_with_a_graph_or_in_training_nothing_is_folded():
    model, x = net(), images(2, 5, 5, 2)
    with counting() as counted:
        assert model(Tensor(x)).requires_grad and counted.count == 1
        result(model, x)
        assert counted.count == 1
        result(model.train(), x)
        assert counted.count == 2


def test_who_stands_in_for_a_batch_norm_sees_it_run():
    model, x, seen = trained(models.resnet20).eval(), images(2, 8, 8, 3), []

    def batch_norm_frozen(*operands, **options):
        seen.append(operands[0].shape)
        return ops.batch_norm_frozen.default(*operands, **options)

    with ops.standing_in(batch_norm_frozen=batch_norm_frozen):
        watched = result(model, x)
    assert len(seen) == 19
    assert_allclose(result(model, x), watched, rtol=1e-9)


def test_evaluate_gives_the_score_of_the_model_as_it_is_and_leaves_it():
    model, x = trained(models.resnet20), images(7, 16, 16, 3)
    labels = to_device(numpy.arange(7))
    before, modes = model.state_dict(), [module.training for _, module in model.modules()]
    with counting() as counted:
        score = train.evaluate(model, [(x[:4], labels[:4]), (x[4:], labels[4:])])
    assert counted.count == 0
    assert modes == [module.training for _, module in model.modules()]
    for name, array in model.state_dict().items():
        assert_array_equal(array, before[name])
    with ops.plain():
        logits = result(model.eval(), x)
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = numpy.log(numpy.exp(shifted).sum(axis=1)) - shifted[numpy.arange(7), numpy.arange(7)]
    assert score.loss == pytest.approx(losses.mean(), rel=1e-6)
    assert score.correct == (logits.argmax(axis=1) == numpy.arange(7)).sum()
