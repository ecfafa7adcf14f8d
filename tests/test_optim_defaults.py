"""Defaults of optimizers, schedules and updates, and what they load from a state."""

import numpy
import pytest

from minires import nn, optim
from minires.backend import to_device, to_host
from minires.optim.optimizers import adam, sgd
from minires.optim.wrapper import Wrapper

pytestmark = pytest.mark.usefixtures("each_backend")


def array(*numbers):
    return to_device(numpy.array(numbers))


@pytest.mark.parametrize("update", [sgd, sgd.plain])
def test_sgd_alone_is_a_step_along_the_gradient(update):
    w = array(1.0, 2.0)
    update(w, array(10.0, -10.0), None, 0.1)
    numpy.testing.assert_allclose(to_host(w), [0, 3])
    w, v = array(1.0, 2.0), array(5.0, 5.0)
    update(w, array(10.0, -10.0), v, 0.1)
    numpy.testing.assert_allclose(to_host(w), [0, 3])  # a momentum of 0 forgets the velocity
    numpy.testing.assert_allclose(to_host(v), [10, -10])
    w, v = array(1.0, 2.0), array(5.0, 5.0)
    update(w, array(10.0, -10.0), v, 0.1, 0.5)
    numpy.testing.assert_allclose(to_host(w), [1 - 1.25, 2 + 0.75])  # and does not look ahead


@pytest.mark.parametrize("update", [adam, adam.plain])
def test_adam_alone_decays_nothing(update):
    w, m, v = array(1.0, 1e-9), array(0.0, 0.0), array(0.0, 0.0)
    g = numpy.array([10.0, 1e-8])
    update(w, to_device(g), m, v, 1, 0.1)
    numpy.testing.assert_allclose(to_host(m), 0.1 * g)
    numpy.testing.assert_allclose(to_host(v), 0.001 * g * g)
    numpy.testing.assert_allclose(to_host(w), [1 - 0.1, 1e-9 - 0.1 / 2], rtol=1e-6)
    w, m, v = array(2.0), array(0.0), array(0.0)
    update(w, array(-1.0), m, v, 1, 0.1, weight_decay=0.25)
    numpy.testing.assert_allclose(
        to_host(m), 0.1 * (-1 + 0.25 * 2)
    )  # the decay is a part of the gradient


def test_numbers_of_numpy_become_pythons():
    betas = numpy.float64(0.5), numpy.float64(0.25)
    optimizer = optim.Adam(nn.Linear(2, 2).parameters(), lr=numpy.float64(0.1), betas=betas)
    (group,) = optimizer.groups
    assert group["betas"] == (0.5, 0.25) and {type(beta) for beta in group["betas"]} == {float}
    assert type(group["lr"]) is type(group["eps"]) is float
    sgd = optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1, momentum=numpy.float32(0.5))
    assert type(sgd.groups[0]["momentum"]) is float and sgd.groups[0]["nesterov"] is False


def test_a_schedule_knows_the_rate_it_was_made_for():
    schedules = (
        optim.constant(0.3),
        optim.step(0.3, milestones=[2]),
        optim.cosine(0.3, steps=5, warmup=2),
        optim.triangle(0.3, steps=5),
    )
    assert [schedule.lr for schedule in schedules] == [0.3] * 4


def test_a_state_without_a_count_of_steps_leaves_the_count():
    optimizer = optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    optimizer.steps = 5
    optimizer.load_state_dict({"lr": 0.2})
    assert (optimizer.lr, optimizer.steps) == (0.2, 5)
    optimizer.load_state_dict({"lr": 0.2, "steps": 7})
    assert optimizer.steps == 7


class Adds(optim.Optimizer):
    """A step adds 1 to each weight."""

    def __init__(self, parameters):
        super().__init__(parameters, lr=1.0)

    def step(self):
        for parameter in self._parameters():
            parameter.data[...] += 1


def test_lookahead_by_hand():
    """Weights 0, averages after steps 2, 4 and 6 of 6, with d = 0.5^2 (step / 6)^3; the last keeps the slow ones."""
    model = nn.Linear(1, 1)
    for parameter in model.parameters():
        parameter.data[...] = 0
    optimizer = optim.Lookahead(Adds(model.parameters()), model, steps=6, every=2, decay=0.5)
    seen = []
    for _ in range(6):
        optimizer.step()
        seen.append(float(to_host(model.weight.data)[0, 0]))
    second = (1 - 0.25 * (2 / 6) ** 3) * 2
    d = 0.25 * (4 / 6) ** 3
    fourth = d * second + (1 - d) * (second + 2)
    expected = [1, second, second + 1, fourth, fourth + 1, fourth]
    assert seen == pytest.approx(expected, rel=1e-6)


def test_what_is_said_nowhere():
    layer = nn.Linear(1, 1)
    inner = optim.SGD(layer.parameters(), lr=0.1)
    assert optim.Lookahead(inner, layer, steps=9).every == 5
    assert {optim.Lookahead(inner, layer, steps=9, decay=d).decay for d in (0, 1)} == {0, 1}
    assert optim.GradScaler(inner).growth_interval == 2000
    assert optim.GradScaler(inner, growth_interval=1).growth_interval == 1


def test_a_lookahead_says_that_it_refuses():
    def lookahead(layer):
        return optim.Lookahead(optim.SGD(layer.parameters(), lr=0.1), layer, steps=1)

    state = lookahead(nn.Linear(1, 1)).state_dict()
    with pytest.raises(ValueError, match=r"^Lookahead: the state belongs to a different model$"):
        lookahead(nn.Linear(2, 2)).load_state_dict(state)


@pytest.mark.parametrize(
    ("schedule", "ratio"),
    [
        (lambda step: 0.4 / (step + 1), 0.1 / 0.4),  # to the rate of the first step
        (lambda step: 0.2 * step, 0.1 / 1.0),  # which is 0: to 1
        (optim.cosine(0.8, steps=4, warmup=2), 0.1 / 0.8),  # to the rate that it was made for
    ],
)
def test_a_groups_own_rate_keeps_its_ratio(schedule, ratio):
    parameters = nn.Linear(1, 1).parameters()
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.1}]
    optimizer = optim.SGD(groups, lr=schedule)
    assert optimizer.lr == schedule(0)
    for step in range(3):
        optimizer.step()
        assert [group["lr"] for group in optimizer.groups] == pytest.approx(
            [schedule(step), ratio * schedule(step)]
        )
    assert optimizer.steps == 3


def test_a_wrapper_hands_its_state_on():
    inner = optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    wrapper = Wrapper(inner)
    wrapper.load_state_dict({"lr": 0.7, "steps": 3})
    assert (inner.lr, inner.steps) == (wrapper.lr, wrapper.steps) == (0.7, 3)
    assert wrapper.state_dict() == inner.state_dict()
