"""Optimizers: groups, states and errors; and schedules compared with lists by hand."""

import math

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import optim
from minires.backend import to_device, to_host
from minires.nn import Linear, Parameter, Sequential
from minires.optim import SGD, Adam, AdamW
from tests.test_updates import (
    GRADIENTS,
    OPTIMIZERS,
    adam_by_hand,
    give,
    parameter,
    sgd_by_hand,
    values,
)

on_each_backend = pytest.mark.usefixtures("each_backend")


@on_each_backend
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_parameter_without_gradient_stays_and_its_state_waits(make):
    p, other = parameter(), parameter([3.0])
    optimizer = make([p, other])
    give(p, GRADIENTS[0])
    optimizer.step()
    assert values(other) == [3] and values(p) != [1, -2, 0.5] and other not in optimizer.state
    twin = parameter([3.0])
    alone = make([twin])
    for g in (0.5, -2.0):  # its first step is the first one that it takes
        give(other, [g]), give(twin, [g])
        optimizer.step(), alone.step()
    assert values(other) == values(twin)


@on_each_backend
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_each_parameter_has_a_state_of_its_own(make):
    p, q, alone = parameter(), parameter([2.0, 2.0, 2.0]), parameter()
    together, single = make([p, q]), make([alone])
    for i, g in enumerate(GRADIENTS[:5]):
        give(p, g), give(q, GRADIENTS[i + 5]), give(alone, g)
        together.step(), single.step()
    assert values(p) == values(alone)


@on_each_backend
def test_zero_grad_forgets_the_gradients_of_all_groups():
    p, q = parameter(), parameter([1.0])
    give(p, [1, 1, 1]), give(q, [1])
    optimizer = SGD([{"params": [p]}, {"params": [q]}], 0.1)
    optimizer.zero_grad()
    assert p.grad is None and q.grad is None
    optimizer.step()
    assert values(p) == [1, -2, 0.5]


@on_each_backend
def test_parameters_may_come_from_a_generator_and_a_frozen_one_stays():
    layer = Linear(2, 3)
    layer.bias.requires_grad = False
    before = layer.state_dict()
    optimizer = SGD((p for p in layer.parameters()), 0.5)
    layer(to_device(numpy.ones((1, 2), numpy.float32))).sum().backward()
    optimizer.step()
    assert_allclose(layer.weight.numpy(), before["weight"] - 0.5, rtol=1e-6)
    assert_array_equal(layer.bias.numpy(), before["bias"])
    assert len(optimizer.groups) == 1 and len(optimizer.groups[0]["params"]) == 2


@on_each_backend
def test_a_tied_weight_moves_once():
    a, b = Linear(2, 2, bias=False), Linear(2, 2, bias=False)
    b.weight = a.weight
    net = Sequential(a, b)
    before = a.weight.numpy().copy()
    give(a.weight, numpy.ones((2, 2)))
    SGD(net.parameters(), 0.5).step()
    assert_allclose(a.weight.numpy(), before - 0.5)


# Groups


@on_each_backend
def test_groups_have_their_own_options():
    p, q, r = parameter(), parameter(), parameter()
    optimizer = SGD(
        [{"params": [p]}, {"params": [q], "weight_decay": 0, "lr": 0.2}, {"params": [r], "momentum": 0.5, "nesterov": False}],
        0.05, momentum=0.9, nesterov=True, weight_decay=0.1,
    )  # fmt: skip
    options = [
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"lr": 0.2, "momentum": 0.9, "nesterov": True},
        {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1},
    ]
    paths = [
        [sgd_by_hand(w, g, **own)[-1] for w, g in zip(values(p), zip(*GRADIENTS))]
        for own in options
    ]
    for g in GRADIENTS:
        for each in (p, q, r):
            give(each, g)
        optimizer.step()
    for each, expected in zip((p, q, r), paths):
        assert_allclose(values(each), expected, rtol=1e-12)


@on_each_backend
@pytest.mark.parametrize("optimizer", [Adam, AdamW])
def test_groups_of_adam_have_their_own_options(optimizer):
    p, q, kind = parameter(), parameter(), "decoupled" if optimizer is AdamW else "coupled"
    groups = [
        {"params": [p], "betas": (0.5, 0.6), "eps": 0.1},
        {"params": [q], "weight_decay": 0.4},
    ]
    made = optimizer(groups, 0.1, weight_decay=0.2)
    first = {"lr": 0.1, "betas": (0.5, 0.6), "eps": 0.1, kind: 0.2}
    second = {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, kind: 0.4}
    paths = [
        [adam_by_hand(w, g, **own)[-1] for w, g in zip(values(p), zip(*GRADIENTS))]
        for own in (first, second)
    ]
    for g in GRADIENTS:
        give(p, g), give(q, g)
        made.step()
    assert_allclose(values(p), paths[0], rtol=1e-12)
    assert_allclose(values(q), paths[1], rtol=1e-12)


def test_the_groups_given_are_left_as_they_are():
    p = parameter()
    given = [{"params": [p], "lr": 0.2}]
    optimizer = SGD(given, 0.1)
    optimizer.lr = 1.0
    assert (
        given == [{"params": [p], "lr": 0.2}]
        and optimizer.groups[0]["params"] is not given[0]["params"]
    )


def test_setting_lr_moves_all_groups_in_proportion_also_after_it_was_0():
    p, q, r = parameter(), parameter(), parameter()
    optimizer = SGD([{"params": [p]}, {"params": [q], "lr": 0.3}, {"params": [r], "lr": 0.05}], 0.1)
    assert optimizer.lr == 0.1 and [group["lr"] for group in optimizer.groups] == [0.1, 0.3, 0.05]
    for lr in (0.2, 0, 0.4):
        optimizer.lr = lr
        assert optimizer.lr == lr and type(optimizer.lr) is float
        assert_allclose(
            [group["lr"] for group in optimizer.groups], [lr, 3 * lr, lr / 2], rtol=1e-12
        )


@on_each_backend
def test_lr_may_be_a_number_of_numpys():
    """NumPy floats, as numpy.interp returns them for your own schedule."""
    p = parameter([1.0], numpy.float32)
    optimizer = SGD([p], 1.0, momentum=0.9)
    optimizer.lr = numpy.float64(0.5)
    give(p, [1.0])
    optimizer.step()
    assert values(p) == [0.5] and p.dtype == numpy.float32


@on_each_backend
@pytest.mark.parametrize(
    "make",
    [lambda p: SGD([p], 1.0, momentum=0.9), lambda p: Adam([p], 1.0), lambda p: AdamW([p], 1.0)],
)
def test_a_step_takes_the_lr_that_is_set_and_velocities_stay(make):
    p, q = parameter([1.0]), parameter([1.0])
    slow, fast = make(p), make(q)
    for lr in (1.0, 0.0, 0.1):
        slow.lr = lr
        before = values(p)
        give(p, [2.0]), give(q, [2.0])
        slow.step(), fast.step()
        assert (values(p) == before) is (lr == 0)
    state, other = slow.state[p], fast.state[q]
    for key in set(state) - {"t"}:
        # Lr scales the step, not the velocity.
        assert_array_equal(to_host(state[key]), to_host(other[key]))


MAKERS = [
    lambda ps: SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    lambda ps: Adam(ps, 0.1),
    lambda ps: AdamW(ps, 0.1),
]


@on_each_backend
@pytest.mark.parametrize("make", MAKERS)
def test_an_optimizer_restored_half_way_goes_on_to_the_same_bits(make):
    def run(stop):
        """The weights after 20 steps, with a new optimizer, restored, after `stop` of them. The second waits for its turn."""
        ps = [parameter(), parameter((3.0, 1.0, 2.0))]
        optimizer = make(ps)
        for i, gradient in enumerate(GRADIENTS):
            if i == stop:
                state = optimizer.state_dict()
                optimizer = make(ps)
                optimizer.load_state_dict(state)
            give(ps[0], gradient)
            ps[1].grad = None
            if i > 10:
                give(ps[1], gradient)
            optimizer.lr = 0.1 / (i + 1)
            optimizer.step()
        return [values(p) for p in ps]

    assert run(None) == run(0) == run(7) == run(15)


@on_each_backend
def test_a_state_is_a_copy_and_is_copied():
    p = parameter()
    optimizer = SGD([p], lr=0.5, momentum=0.9)
    give(p, [1.0, 2.0, 3.0])
    optimizer.step()
    state = optimizer.state_dict()
    assert (
        set(state) == {"lr", "steps", "0.velocity"} and state["lr"] == 0.5 and state["steps"] == 1
    )
    optimizer.step()
    assert_array_equal(state["0.velocity"], [1, 2, 3])
    optimizer.load_state_dict(state)
    optimizer.step()
    assert_array_equal(state["0.velocity"], [1, 2, 3])


@on_each_backend
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"0.m": numpy.zeros(3)},
            "load_state_dict: expected the state of SGD of 1 parameters, got an entry 0.m",
        ),
        ({"1.velocity": numpy.zeros(3)}, "got an entry 1.velocity"),
        ({"x.velocity": numpy.zeros(3)}, "got an entry x.velocity"),
        ({"0.velocity": numpy.zeros(4)}, r"expected 0.velocity of shape \(3,\), got \(4,\)"),
        ({"lr": None}, "the state lacks lr"),
    ],
)
def test_a_state_of_something_else_is_refused_and_nothing_taken_over(changes, message):
    p = parameter()
    optimizer = SGD([p], lr=0.5, momentum=0.9)
    state = {"lr": 0.1, "0.velocity": numpy.ones(3), **changes}
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    assert optimizer.lr == 0.5 and not optimizer.state


def test_half_a_state_of_adam_is_refused():
    p = parameter()
    with pytest.raises(ValueError, match="the state lacks m, v"):
        Adam([p]).load_state_dict({"lr": 0.1, "0.t": 3})


def test_the_base_has_no_step_of_its_own():
    p = parameter()
    give(p, [1, 1, 1])
    with pytest.raises(NotImplementedError):
        optim.Optimizer([p], lr=0.1).step()


P, Q = parameter(), parameter()
SGD_OPTIONS = "choose from params, lr, momentum, nesterov, weight_decay"
TWICE = "optimizer: expected each parameter once, got one twice: each step would update it twice"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD([], 0.1), "optimizer: expected at least one parameter, got none"),
        (lambda: Adam(iter(())), "optimizer: expected at least one parameter, got none"),
        (lambda: SGD([P], 0), "lr: expected more than 0, got 0"),
        (lambda: SGD([P], -0.1), "lr: expected more than 0, got -0.1"),
        (lambda: SGD([P], math.nan), "lr: expected more than 0, got nan"),
        (lambda: Adam([P], 0.0), "lr: expected more than 0, got 0.0"),
        (lambda: AdamW([P], -1), "lr: expected more than 0, got -1"),
        (lambda: SGD([P], 0.1, momentum=-0.9), "momentum: expected 0 or more, got -0.9"),
        (lambda: SGD([P], 0.1, weight_decay=-1e-9), "weight_decay: expected 0 or more, got -1e-09"),
        (lambda: Adam([P], weight_decay=-0.5), "weight_decay: expected 0 or more, got -0.5"),
        (lambda: AdamW([P], weight_decay=-0.5), "weight_decay: expected 0 or more, got -0.5"),
        (lambda: Adam([P], eps=0), "eps: expected more than 0, got 0"),
        (lambda: AdamW([P], eps=-1e-8), "eps: expected more than 0, got -1e-08"),
        (lambda: Adam([P], betas=(0.9, 1)), "betas: expected two numbers with 0 <= beta < 1, got (0.9, 1)"),
        (lambda: Adam([P], betas=(1.0, 0.9)), "betas: expected two numbers with 0 <= beta < 1, got (1.0, 0.9)"),
        (lambda: AdamW([P], betas=(-0.1, 0.9)), "betas: expected two numbers with 0 <= beta < 1, got (-0.1, 0.9)"),
        (lambda: SGD([P], 0.1, nesterov=True), "nesterov: expected a momentum above 0, got 0"),
        (lambda: SGD([P, Q, P], 0.1), TWICE),
        (lambda: SGD([{"params": [P]}, {"params": [Q, P]}], 0.1), TWICE),
        (lambda: SGD([{"params": [P], "weight_decy": 0}], 0.1),
         f"unknown option of a group 'weight_decy': {SGD_OPTIONS}; did you mean 'weight_decay'?"),
        (lambda: SGD([{"params": [P]}, {"params": [Q], "betas": (0, 0)}], 0.1),
         f"unknown option of a group 'betas': {SGD_OPTIONS}"),
        (lambda: SGD([{"params": [P]}, {"params": [Q], "lr": 0}], 0.1), "lr: expected more than 0, got 0"),
        (lambda: SGD([{"params": [P], "momentum": 0}], 0.1, momentum=0.9, nesterov=True), "nesterov: expected a momentum above 0, got 0"),
        (lambda: SGD([{"params": [P], "momentum": -1}], 0.1), "momentum: expected 0 or more, got -1"),
        (lambda: Adam([{"params": [P], "eps": 0}]), "eps: expected more than 0, got 0"),
        (lambda: Adam([{"params": [P]}, {"params": [Q], "betas": (0, 2)}]), "betas: expected two numbers with 0 <= beta < 1, got (0, 2)"),
    ],
)  # fmt: skip
def test_an_optimizer_refuses(make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("lr", "message"),
    [(-0.5, "lr: expected 0 or more, got -0.5"), (math.nan, "lr: expected 0 or more, got nan")],
)
def test_setting_an_lr_refuses_and_leaves_the_old_one(lr, message):
    optimizer = SGD([parameter()], 0.1)
    with pytest.raises(ValueError, match=f"^{message}$"):
        optimizer.lr = lr
    assert optimizer.lr == 0.1 and optimizer.groups[0]["lr"] == 0.1


def test_momentum_0_betas_0_and_decay_0_are_in_range():
    assert SGD([parameter()], 1e-9, momentum=0, weight_decay=0).lr == 1e-9
    assert Adam([parameter()], betas=(0, 0), weight_decay=0).groups[0]["betas"] == (0, 0)


def test_options_after_lr_are_given_by_name():
    for optimizer in (SGD, Adam, AdamW):
        with pytest.raises(TypeError):
            optimizer([parameter()], 0.1, 0.9)


# Schedules


def rates(schedule, steps=12):
    return [schedule(step) for step in range(steps)]


SQRT = math.sqrt(0.5)

SCHEDULES = {
    "constant": (lambda: optim.constant(0.3), [0.3] * 12),
    "constant, warmup 4": (lambda: optim.constant(0.4, warmup=4), [0.1, 0.2, 0.3] + [0.4] * 9),
    "constant, warmup 1": (lambda: optim.constant(0.4, warmup=1), [0.4] * 12),
    "step": (lambda: optim.step(2.0, milestones=(3, 7)), [2] * 3 + [0.2] * 4 + [0.02] * 5),
    "step, none": (lambda: optim.step(2.0, milestones=()), [2] * 12),
    "step, one milestone twice": (lambda: optim.step(2.0, milestones=[1, 1]), [2] + [0.02] * 11),
    "step, half": (lambda: optim.step(2.0, milestones=(0, 9, 4), factor=0.5), [1] * 4 + [0.5] * 5 + [0.25] * 3),
    "step, warmup 5": (
        lambda: optim.step(1.0, milestones=(3,), factor=0.5, warmup=5), [0.2, 0.4, 0.6, 0.5 * 0.8] + [0.5] * 8),
    "cosine": (
        lambda: optim.cosine(2.0, steps=8),
        [2, 1 + math.cos(math.pi / 8), 1 + SQRT, 1 + math.cos(3 * math.pi / 8), 1, 1 - math.cos(3 * math.pi / 8), 1 - SQRT,
         1 - math.cos(math.pi / 8), 0, 0, 0, 0]),
    "cosine, warmup 2": (
        lambda: optim.cosine(2.0, steps=4, warmup=2), [1, 1 + SQRT, 1, 1 - SQRT] + [0] * 8),
    "cosine, 1 step": (lambda: optim.cosine(3.0, steps=1), [3] + [0] * 11),
    "triangle": (
        lambda: optim.triangle(6.0, steps=8), [0, 3, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0]),
    "triangle, peak at 4 of 10": (
        lambda: optim.triangle(6.0, steps=10, peak=0.4), [0, 1.5, 3, 4.5, 6, 5, 4, 3, 2, 1, 0, 0]),
    "triangle, start": (
        lambda: optim.triangle(6.0, steps=8, start=0.5), [3, 4.5, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0]),
    "triangle, peak between two steps": (
        lambda: optim.triangle(1.0, steps=5, peak=0.5, start=0.2), [0.2, 0.52, 0.84, 0.8, 0.4, 0] + [0] * 6),
    "triangle, warmup 4": (
        lambda: optim.triangle(6.0, steps=8, start=0.5, warmup=4), [0.75, 2.25, 4.5, 5, 4, 3, 2, 1, 0, 0, 0, 0]),
    "triangle, 1 step": (lambda: optim.triangle(6.0, steps=1, start=0.5), [3] + [0] * 11),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_gives_these_rates(name):
    make, expected = SCHEDULES[name]
    assert_allclose(rates(make()), expected, rtol=1e-12, atol=1e-15)


def test_a_schedule_is_a_function_of_the_step_alone():
    for name, (make, expected) in SCHEDULES.items():
        schedule = make()
        wanted = [expected[7], expected[2], expected[7], expected[-1]]
        assert_allclose(
            [schedule(step) for step in (7, 2, 7, 100)],
            wanted,
            rtol=1e-12,
            atol=1e-15,
            err_msg=name,
        )


def test_rates_past_the_end_are_0_and_not_below():
    assert rates(optim.cosine(1.0, steps=3))[3:] == [0] * 9
    assert rates(optim.triangle(1.0, steps=3))[3:] == [0] * 9


@on_each_backend
def test_a_schedule_drives_an_optimizer():
    for by_hand in (True, False):
        p, schedule = parameter([0.0]), optim.constant(0.4, warmup=4)
        optimizer = SGD([p], 0.4 if by_hand else schedule)
        for step in range(6):
            assert optimizer.steps == step
            if by_hand:
                optimizer.lr = schedule(step)
            give(p, [1.0])
            optimizer.step()
            assert optimizer.lr == pytest.approx(schedule(step))
        assert_allclose(values(p), [-(0.1 + 0.2 + 0.3 + 3 * 0.4)], rtol=1e-12)


def test_a_group_keeps_its_ratio_to_a_schedule_whatever_its_first_rate_is():
    groups = [{"params": [parameter()]}, {"params": [parameter()], "lr": 0.2}]
    for schedule in (
        optim.constant(0.4, warmup=4),
        optim.triangle(0.4, steps=8),
        optim.cosine(0.4, steps=8),
    ):
        optimizer = SGD(groups, schedule)
        for step in range(8):
            optimizer.step()
            assert [group["lr"] for group in optimizer.groups] == pytest.approx(
                [schedule(step), schedule(step) / 2]
            )


def test_a_schedule_may_be_any_function_of_the_step():
    p = parameter([0.0])
    optimizer, rates = SGD([p], lambda step: 1 / (step + 1)), []
    for _ in range(3):
        give(p, [1.0])
        optimizer.step()
        rates.append(optimizer.lr)
    assert rates == pytest.approx([1, 1 / 2, 1 / 3]) and values(p) == pytest.approx([-11 / 6])


@on_each_backend
def test_an_optimizer_restored_half_way_goes_on_at_its_place_in_the_schedule():
    def run(stop):
        p, schedule = parameter(), optim.cosine(0.3, steps=20, warmup=3)
        optimizer = SGD([p], schedule, momentum=0.9)
        for i, gradient in enumerate(GRADIENTS):
            if i == stop:
                state = optimizer.state_dict()
                optimizer = SGD([p], schedule, momentum=0.9)
                optimizer.load_state_dict(state)
            give(p, gradient)
            optimizer.step()
        return values(p), optimizer.steps

    assert run(None) == run(0) == run(2) == run(13)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optim.cosine(0.1, steps=0), "steps: expected at least 1, got 0"),
        (lambda: optim.cosine(0.1, steps=-3), "steps: expected at least 1, got -3"),
        (lambda: optim.triangle(0.1, steps=0), "steps: expected at least 1, got 0"),
        (
            lambda: optim.triangle(0.1, steps=9, peak=0),
            "peak: expected a fraction of the steps, 0 < peak < 1, got 0",
        ),
        (
            lambda: optim.triangle(0.1, steps=9, peak=1),
            "peak: expected a fraction of the steps, 0 < peak < 1, got 1",
        ),
        (
            lambda: optim.triangle(0.1, steps=9, peak=-0.1),
            "peak: expected a fraction of the steps, 0 < peak < 1, got -0.1",
        ),
        (
            lambda: optim.triangle(0.1, steps=9, peak=3),
            "peak: expected a fraction of the steps, 0 < peak < 1, got 3",
        ),
    ],
)
def test_a_schedule_refuses(make, message):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


def test_a_single_tensor_or_a_group_without_parameters_is_refused():
    with pytest.raises(
        TypeError, match="^optimizer: expected a list of parameters, got a single tensor$"
    ):
        SGD(Parameter([1.0]), 0.1)
    with pytest.raises(
        ValueError, match="^optimizer: expected a group with params, got one with lr, momentum$"
    ):
        SGD([{"lr": 0.1, "momentum": 0.9}], 0.1)
    with pytest.raises(
        ValueError, match="^optimizer: expected a group with params, got one with nothing$"
    ):
        SGD([{}], 0.1)
    with pytest.raises(ValueError, match="weight_decay: expected 0 or more, got nan"):
        SGD([Parameter([1.0])], 0.1, weight_decay=float("nan"))


@pytest.mark.parametrize(
    ("make", "options"),
    [(optim.constant, {}), (optim.cosine, {"steps": 5}), (optim.triangle, {"steps": 5})],
)
def test_a_negative_warmup_is_refused(make, options):
    with pytest.raises(ValueError, match="^warmup: expected 0 steps or more, got -1$"):
        make(0.1, warmup=-1, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"lr": "0.1"},
        {"lr": None},
        {"lr": 0.1, "momentum": "0.9"},
        {"lr": 0.1, "weight_decay": None},
    ],
)
def test_an_option_that_is_no_number_is_refused(options):
    name = list(options)[-1]
    with pytest.raises(TypeError, match=f"^{name}: expected a number, got {options[name]!r}$"):
        SGD([Parameter([1.0])], **options)


def test_what_is_no_parameter_is_refused():
    with pytest.raises(TypeError, match="^optimizer: expected parameters, got a str$"):
        SGD(["weight"], 0.1)


def test_an_eps_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="^eps: expected a number, got '1e-8'$"):
        Adam([Parameter([1.0])], eps="1e-8")


def test_a_group_of_a_single_tensor_is_refused():
    with pytest.raises(
        TypeError, match="^params: expected a list of parameters, got a single tensor"
    ):
        SGD([{"params": Parameter([1.0])}], 0.1)


@on_each_backend
def test_options_may_be_numbers_of_numpys_and_leave_the_type_of_the_weights():
    number = numpy.float64(0.5)
    for make in (
        lambda p: SGD([p], number, momentum=number, weight_decay=number),
        lambda p: Adam([p], number, betas=[number, number], eps=number),
    ):
        p = parameter(dtype=numpy.float32)
        optimizer = make(p)
        give(p, [1.0, 2.0, 3.0])
        optimizer.step()
        assert p.dtype == numpy.float32


@pytest.mark.parametrize("betas", [0.9, (0.9,), (0.9, 0.99, 0.999), "ab"])
def test_betas_are_two_numbers(betas):
    with pytest.raises((ValueError, TypeError)):
        Adam([parameter()], betas=betas)


def test_milestones_are_a_list():
    with pytest.raises(TypeError, match="milestones: expected a list of steps, got 5"):
        optim.step(0.1, milestones=5)
