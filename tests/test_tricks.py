"""The tricks for short training runs: a whitening layer, identity initialisation, faster shifts, weight averaging, flips in the test."""

import numpy
import pytest

from minires import Tensor, models, nn, optim
from minires.backend import to_device, to_host, xp
from minires.cli import settings
from minires.cli.options import Options
from minires.nn import init
from minires.train import evaluate

each_backend = pytest.mark.usefixtures("each_backend")


def correlated(n=60):
    """Draw images whose pixels and channels are correlated, with a mean far from 0."""
    rng = numpy.random.default_rng(0)
    smooth = rng.standard_normal((n, 9, 11, 3)).cumsum(axis=1).cumsum(axis=2)
    return (smooth @ rng.standard_normal((3, 3)) + 40).astype("f4")


@pytest.mark.parametrize(("kernel", "filters"), [((3, 3), 54), ((2, 2), 24), ((2, 3), 10)])
def test_a_whitening_layer_gives_uncorrelated_outputs_of_variance_1_each_both_ways(kernel, filters):
    images = correlated()
    weight = init.whitening(images, kernel, filters, eps=0.0)
    half = filters // 2
    numpy.testing.assert_array_equal(weight[..., half:], -weight[..., :half])
    windows = numpy.lib.stride_tricks.sliding_window_view(images.astype("f8"), kernel, axis=(1, 2))
    outputs = numpy.einsum("nijcuv,uvcf->nijf", windows, weight[..., :half]).reshape(-1, half)
    numpy.testing.assert_allclose(numpy.cov(outputs.T), numpy.eye(half), atol=5e-3)


def test_whitening_takes_the_directions_in_which_patches_vary_most():
    images = correlated()
    every, some = init.whitening(images, (2, 2), 24), init.whitening(images, (2, 2), 6)
    size = [numpy.linalg.norm(weight.reshape(12, -1), axis=0) for weight in (every, some)]
    # 1 / deviation: the smallest.
    numpy.testing.assert_allclose(size[1][:3], numpy.sort(size[0][:12])[:3], rtol=1e-5)
    # a direction with nothing in it.
    assert numpy.isfinite(init.whitening(images[..., :1].repeat(3, 3), (2, 2), 24)).all()


@pytest.mark.parametrize("filters", [5, 26])
def test_whitening_refuses_filters_that_there_are_not(filters):
    with pytest.raises(ValueError, match="expected an even number of filters up to 24"):
        init.whitening(correlated(), (2, 2), filters)


def test_whitening_adds_a_little_to_each_variance():
    """There are two directions, of variance 1 and 0: the weights of the second are bounded by 1 / sqrt(eps)."""
    images = numpy.random.default_rng(0).standard_normal((2000, 1, 1, 2)) * [1, 0]
    weight = init.whitening(images.astype("f4"), (1, 1), 4)
    numpy.testing.assert_array_equal(
        weight, init.whitening(images.astype("f4"), (1, 1), 4, eps=5e-4)
    )
    assert abs(weight).max() == pytest.approx(5e-4**-0.5, rel=1e-3)


@each_backend
@pytest.mark.parametrize(("c", "f"), [(3, 5), (4, 4), (5, 3)])
def test_a_dirac_weight_passes_channels_on(c, f):
    layer = nn.Conv2d(c, f, 3, padding=1, bias=False)
    before = to_host(layer.weight.data).copy()
    init.dirac(layer.weight.data)
    x = to_device(numpy.random.default_rng(0).standard_normal((2, 5, 4, c)).astype("f4"))
    y = to_host(layer(Tensor(x)).data)
    same = min(c, f)
    numpy.testing.assert_allclose(y[..., :same], to_host(x)[..., :same], rtol=1e-6)
    numpy.testing.assert_array_equal(to_host(layer.weight.data)[..., same:], before[..., same:])


@each_backend
def test_a_dirac_weight_of_a_large_kernel_has_its_one_in_the_middle():
    weight = to_device(numpy.zeros((7, 5, 2, 2), numpy.float32))
    init.dirac(weight)
    assert numpy.argwhere(to_host(weight)).tolist() == [[3, 2, 0, 0], [3, 2, 1, 1]]


@each_backend
def test_resnet8_whitens_its_first_convolution_which_then_stays():
    model = models.resnet8(widths=(8, 8), stem=8)
    images = correlated(20)
    model.whiten(images)
    numpy.testing.assert_array_equal(
        to_host(model.conv1.weight.data), init.whitening(images, (3, 3), 8)
    )
    assert not model.conv1.weight.requires_grad and model.conv1.bias.requires_grad
    logits = model(Tensor(to_device(images[:, :8, :8])))
    assert logits.shape == (20, 10)
    logits.sum().backward()
    assert model.conv1.weight.grad is None and model.conv1.bias.grad is not None


def moved(model, value):
    for parameter in model.parameters():
        parameter.data[...] = value


class Given(optim.Optimizer):
    """An optimizer whose step adds given numbers to the weights."""

    add = 1.0

    def __init__(self, parameters):
        super().__init__(parameters, lr=1.0)

    def step(self):
        for parameter in self._parameters():
            parameter.data[...] += self.add
        self.steps += 1


@each_backend
def test_lookahead_goes_a_part_of_the_way_and_the_fast_weights_begin_from_there():
    model = nn.Linear(1, 1)
    moved(model, 0.0)
    optimizer = optim.Lookahead(Given(model.parameters()), model, steps=4, every=2, decay=0.5)
    seen = []
    for _ in range(4):
        optimizer.step()
        seen.append(float(to_host(model.weight.data)[0, 0]))
    kept = 0.5**2 * (2 / 4) ** 3
    slow = (1 - kept) * 2
    # The last step: the slow weights are what stays.
    assert seen == pytest.approx([1, slow, slow + 1, slow])
    assert optimizer.steps == optimizer.optimizer.steps == 4


@each_backend
def test_an_average_after_a_step_left_out_is_noticed_by_backward():
    model = nn.Linear(2, 1, bias=False)
    inner = optim.GradScaler(optim.SGD(model.parameters(), lr=0.1))
    optimizer = optim.Lookahead(inner, model, steps=10, every=1)
    moved(model, 5.0)  # away from the slow weights
    late = (model(Tensor(to_device(numpy.ones((1, 2), numpy.float32)))) ** 2).sum()
    before = to_host(model.weight.data).copy()
    model.weight.grad = model.weight.data * float("inf")
    assert not optimizer.step() and (to_host(model.weight.data) != before).all()
    with pytest.raises(RuntimeError, match=r"changed by Lookahead.step\(\) after the forward pass"):
        late.backward()


@each_backend
def test_lookahead_averages_running_statistics_and_leaves_what_is_frozen():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm(2))
    frozen = model.parameters()[0]
    frozen.requires_grad = False
    optimizer = optim.Lookahead(optim.SGD(model.parameters(), lr=0.1), model, steps=10, every=1)
    assert not any("0.weight" in name for name in optimizer.slow) and any(
        "running_mean" in name for name in optimizer.slow
    )


@each_backend
def test_lookahead_goes_on_where_another_was():
    def trained(stop):
        model = nn.Linear(1, 1)
        moved(model, 0.0)
        optimizer = optim.Lookahead(Given(model.parameters()), model, steps=6, every=2)
        for step in range(6):
            if step == stop:
                state = optimizer.state_dict()
                optimizer = optim.Lookahead(Given(model.parameters()), model, steps=6, every=2)
                optimizer.load_state_dict(state)
            optimizer.optimizer.add = float(step)
            optimizer.step()
        return to_host(model.weight.data).copy()

    numpy.testing.assert_array_equal(trained(3), trained(None))


def lookahead(layer, **options):
    return optim.Lookahead(optim.SGD(layer.parameters(), lr=0.1), layer, **options)


def test_lookahead_refuses_a_state_that_belongs_to_a_different_model():
    with pytest.raises(ValueError, match="belongs to a different model"):
        lookahead(nn.Linear(2, 2), steps=1).load_state_dict(
            lookahead(nn.Linear(1, 1), steps=1).state_dict()
        )


def test_lookahead_around_a_scaler_around_an_optimizer_saves_what_each_has():
    layer = nn.Linear(1, 1)
    optimizer = optim.Lookahead(
        optim.GradScaler(optim.SGD(layer.parameters(), lr=0.1)), layer, steps=5
    )
    state = optimizer.state_dict()
    assert {"lr", "steps", "scaler.scale", "average.count", "average.slow.weight"} <= set(state)
    optimizer.load_state_dict(state)
    optimizer.lr = 0.5
    assert optimizer.optimizer.optimizer.lr == 0.5


@pytest.mark.parametrize(
    "options", [{"steps": 0}, {"steps": 5, "every": 0}, {"steps": 5, "decay": 1.5}]
)
def test_what_is_no_lookahead_is_refused(options):
    with pytest.raises(
        ValueError, match="Lookahead: expected steps and every >= 1 and 0 <= decay <= 1, got"
    ):
        lookahead(nn.Linear(1, 1), **options)


@each_backend
def test_a_test_with_flips_takes_the_mean_of_both_logits():
    class Left(nn.Module):
        """A model that scores class 0 by the left half of an image, and class 1 by the right half."""

        def __init__(self):
            self.unused = nn.Linear(1, 1)

        def forward(self, x):
            return Tensor(
                xp.concatenate([x.data[:, :1, 0, :], x.data[:, :1, 1, :]], axis=1).reshape(
                    len(x), 2
                )
                * xp.asarray([1.0, 1.5])
            )

    images = to_device(numpy.array([[[[3.0], [1.0]]], [[[1.0], [3.0]]]], "f4"))  # (2, 1, 2, 1)
    labels = to_device(numpy.array([0, 1]))
    plain, both = (evaluate(Left(), [(images, labels)], flips=flips) for flips in (False, True))
    # Both images look the same with their mirror images: class 1.
    assert plain.correct == 2 and both.correct == 1


def test_shifts_learn_faster_and_scales_stay():
    nn.manual_seed(0)
    model = models.resnet8(widths=(8, 8), stem=8, in_channels=1)
    options = Options(weight_decay=0.02, bias_lr=4, freeze_scales=True)
    optimizer = settings.optimizer(options, model, 0.1)
    rest, shifts = optimizer.groups
    assert len(shifts["params"]) == 4 and (shifts["lr"], shifts["weight_decay"]) == (
        pytest.approx(0.4),
        0.005,
    )
    assert rest["lr"] == 0.1 and len(rest["params"]) + 4 == len(model.parameters())
    norms = [module for _, module in model.modules() if isinstance(module, nn.BatchNorm)]
    assert not any(norm.weight.requires_grad for norm in norms) and all(
        norm.bias.requires_grad for norm in norms
    )
