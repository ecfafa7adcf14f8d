"""Solutions of 15a: five findings about a model before its first step."""

import copy
import math

import numpy

from minires import functional as F
from minires import optim
from minires.backend import to_host, xp
from minires.tensor import Tensor
from minires.train import evaluate
from tests.course.kinds import right, wrong

INPUTS, CHANCE = "test_inputs_are_mean_and_standard_deviation", "test_chance_counts_the_classes"
LOSS, SILENT = "test_the_loss_is_that_of_training_mode", "test_silent_parameters_have_none_or_zeros"
FALL, NOTHING = (
    "test_fall_compares_the_step_with_its_prediction",
    "test_fall_is_0_without_a_gradient",
)
TYPES, AFTER = "test_the_dict_has_five_keys_and_python_floats", "test_the_model_is_as_it_was"


def on_a_copy(model, x, labels, **changes):
    """The findings, on a copy of the model; changes  functions of what is known by then, by key"""
    twin = copy.deepcopy(model)
    twin.train()
    for one in twin.parameters():
        one.grad = None
    loss = F.cross_entropy(twin(Tensor(x)), labels)
    value = loss.item()
    if loss.requires_grad:
        loss.backward()
    classes = twin(Tensor(x)).shape[-1]
    silent, squares, moved = [], 0.0, []
    for name, one in twin.named_parameters():
        if not one.requires_grad:
            continue
        size = 0.0 if one.grad is None else float((one.grad.astype("float64") ** 2).sum())
        if size == 0:
            silent.append(name)
        else:
            moved.append(one)
            squares += size
    known = {"value": value, "classes": classes, "silent": silent, "squares": squares, "x": x, "twin": twin, "labels": labels}  # fmt: skip
    fall = 0.0
    if moved:
        rate = changes.get("rate", lambda k: 0.01 * k["value"] / k["squares"])(known)
        for one in moved:
            one.data[...] = one.data - one.grad * rate
        known["later"] = F.cross_entropy(twin(Tensor(x)), labels).item()
        fall = changes.get("fall", lambda k: (k["value"] - k["later"]) / (0.01 * k["value"]))(known)
    found = {
        "fall": fall,
        "silent": changes.get("silent", lambda k: k["silent"])(known),
        "chance": changes.get("chance", lambda k: math.log(k["classes"]))(known),
        "loss": changes.get("loss", lambda k: k["value"])(known),
        "inputs": changes.get("inputs", lambda k: (float(k["x"].mean()), float(k["x"].std())))(known),
    }  # fmt: skip
    return found


def restored(model, x, labels, *, skip=(), silent=None):
    """The findings, with the model put back piece by piece."""
    modules = [(m, m.training) for _, m in model.modules()]
    state = model.state_dict()
    grads = {id(one): one.grad for one in model.parameters()}
    for one in model.parameters():
        one.grad = None
    model.train()
    try:
        logits = model(Tensor(x))
        loss = F.cross_entropy(logits, labels)
        before = float(loss.data)
        loss.backward() if loss.requires_grad else None
        quiet = [n for n, one in model.named_parameters() if one.requires_grad and (one.grad is None or (one.grad == 0).all())]  # fmt: skip
        total = math.fsum(float(xp.vdot(one.grad, one.grad)) for one in model.parameters() if one.grad is not None)  # fmt: skip
        fall = 0.0
        if total > 0:
            optim.SGD(model.parameters(), lr=0.01 * before / total).step()
            fall = (before - float(F.cross_entropy(model(Tensor(x)), labels).data)) / before * 100
    finally:
        if "state" not in skip:
            model.load_state_dict(state)
        for module, mode in modules if "modes" not in skip else ():
            module.training = mode
        for one in model.parameters() if "grads" not in skip else ():
            one.grad = grads[id(one)]
    host = to_host(x)
    return dict(inputs=(float(numpy.mean(host)), float(numpy.std(host))), loss=before, chance=float(numpy.log(logits.shape[1])),
                silent=quiet if silent is None else silent, fall=fall)  # fmt: skip


@right
def with_a_twin(model, x, labels):
    return on_a_copy(model, x, labels)


@right
def put_back(model, x, labels):
    return restored(model, x, labels)


@right
def weights_replaced(model, x, labels):
    """New arrays for the step; the old ones come back. Gradients are kept as numbers."""
    modes = {module: module.training for _, module in model.modules()}
    arrays = [(one, one.data, None if one.grad is None else one.grad.copy()) for one in model.parameters()]  # fmt: skip
    buffers = [(array, array.copy()) for _, array in model.named_buffers()]
    model.train()
    for one, _, _ in arrays:
        one.grad = None
    out = model(Tensor(x))
    loss = F.cross_entropy(out, labels)
    start = loss.item()
    if loss.requires_grad:
        loss.backward()
    silent = [name for name, one in model.named_parameters() if one.requires_grad and (one.grad is None or not xp.any(one.grad != 0))]  # fmt: skip
    squares = sum(float(xp.sum(xp.square(one.grad))) for one, _, _ in arrays if one.grad is not None)  # fmt: skip
    for one, data, _ in arrays:
        if one.grad is not None and squares:
            one.data = data - (start / squares / 100) * one.grad
    end = F.cross_entropy(model(Tensor(x)), labels).item()
    for one, data, grad in arrays:
        one.data, one.grad = data, grad
    for array, was in buffers:
        array[:] = was
    for module, mode in modes.items():
        module.training = mode
    k = out.shape[1]
    mean = float(x.sum() / x.size)
    return {"inputs": (mean, math.sqrt(float(((x - mean) ** 2).mean()))), "loss": start, "chance": -math.log(1 / k),
            "silent": silent, "fall": (start - end) / (0.01 * start) if squares else 0.0}  # fmt: skip


@right
def two_copies(model, x, labels):
    """One copy for the gradients, another one for the step."""
    first, second = copy.deepcopy(model).train(), copy.deepcopy(model).train()
    for one in first.parameters():
        one.grad = None
    loss = F.cross_entropy(first(Tensor(x)), labels)
    if loss.requires_grad:
        loss.backward()
    start, squares, silent = float(loss.data), 0, []
    for name, one in first.named_parameters():
        g = one.grad
        if one.requires_grad and (g is None or float(abs(g).max()) == 0):
            silent += [name]
        squares += 0 if g is None else float((g**2).sum())
    fall = 0.0
    if squares > 0:
        for one, other in zip(first.parameters(), second.parameters()):
            if one.grad is not None:
                other.data -= one.grad * (0.01 * start / squares)
        fall = (start - float(F.cross_entropy(second(Tensor(x)), labels).data)) / (0.01 * start)
    uniform = F.cross_entropy(Tensor(xp.zeros_like(first(Tensor(x)).data)), labels)
    return {"inputs": (float(x.mean()), float(x.std())), "loss": start, "chance": float(uniform.data), "silent": silent, "fall": fall}  # fmt: skip


@wrong(LOSS, mistake="loss_in_evaluation_mode")
def evaluated(model, x, labels):
    twin = copy.deepcopy(model).eval()
    for _, module in twin.modules():
        module.frozen = True  # so that train() leaves it there
    return on_a_copy(twin, x, labels)


@wrong(LOSS, mistake="mode_as_it_comes")
def never_switched(model, x, labels):
    twin = copy.deepcopy(model)
    for _, module in twin.modules():
        module.frozen = not module.training
    return on_a_copy(twin, x, labels)


@wrong(FALL, mistake="second_loss_in_evaluation_mode")
def the_second_by_evaluate(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {**found, "fall": _once(model, x, labels)} if found["fall"] else found


def _once(model, x, labels):
    twin = copy.deepcopy(model).train()
    for one in twin.parameters():
        one.grad = None
    loss = F.cross_entropy(twin(Tensor(x)), labels)
    loss.backward()
    start = float(loss.data)
    squares = sum(float((one.grad**2).sum()) for one in twin.parameters() if one.grad is not None)
    for one in twin.parameters():
        if one.grad is not None:
            one.data -= 0.01 * start / squares * one.grad
    return (start - evaluate(twin, [(x, labels)]).loss) / (0.01 * start)


@wrong(SILENT, mistake="none_left_out")
def zeros_only(model, x, labels):
    return on_a_copy(model, x, labels, silent=lambda k: [n for n, one in k["twin"].named_parameters()
                                                         if one.grad is not None and float(abs(one.grad).sum()) == 0])  # fmt: skip


@wrong(SILENT, mistake="only_none_counts")
def is_none(model, x, labels):
    return on_a_copy(model, x, labels, silent=lambda k: [n for n, one in k["twin"].named_parameters() if one.requires_grad and one.grad is None])  # fmt: skip


@wrong(SILENT, mistake="one_zero_is_enough")
def any_zero(model, x, labels):
    return on_a_copy(model, x, labels, silent=lambda k: [n for n, one in k["twin"].named_parameters()
                                                         if one.requires_grad and (one.grad is None or (one.grad == 0).any())])  # fmt: skip


@wrong(SILENT, mistake="frozen_ones_listed")
def all_parameters(model, x, labels):
    return on_a_copy(model, x, labels, silent=lambda k: [n for n, one in k["twin"].named_parameters()
                                                         if one.grad is None or not one.grad.any()])  # fmt: skip


@wrong(SILENT, mistake="added_to_earlier_gradients")
def earlier_ones_count(model, x, labels):
    twin = copy.deepcopy(model).train()
    loss = F.cross_entropy(twin(Tensor(x)), labels)
    if loss.requires_grad:
        loss.backward()
    found = on_a_copy(model, x, labels)
    pairs = [(n, one) for n, one in twin.named_parameters() if one.requires_grad]
    found["silent"] = [n for n, one in pairs if one.grad is None or not one.grad.any()]
    squares = sum(float((one.grad**2).sum()) for _, one in pairs if one.grad is not None)
    found["fall"] = 0.0
    if squares:
        start = float(loss.data)
        for _, one in pairs:
            if one.grad is not None:
                one.data -= 0.01 * start / squares * one.grad
        found["fall"] = (start - float(F.cross_entropy(twin(Tensor(x)), labels).data)) / (
            0.01 * start
        )
    return found


@wrong(CHANCE, mistake="chance_of_the_batch")
def log_n(model, x, labels):
    return on_a_copy(model, x, labels, chance=lambda k: float(numpy.log(len(x))))


@wrong(CHANCE, mistake="chance_of_the_labels")
def log_of_the_largest_label(model, x, labels):
    return on_a_copy(model, x, labels, chance=lambda k: math.log(1 + max(to_host(labels).tolist())))


@wrong(FALL, mistake="fall_of_the_loss")
def nats(model, x, labels):
    return on_a_copy(model, x, labels, fall=lambda k: k["value"] - k["later"])


@wrong(FALL, mistake="sign_of_the_fall")
def after_minus_before(model, x, labels):
    return on_a_copy(
        model, x, labels, fall=lambda k: (k["later"] - k["value"]) / (0.01 * k["value"])
    )


@wrong(FALL, mistake="fixed_rate")
def a_hundredth(model, x, labels):
    return on_a_copy(model, x, labels, rate=lambda k: 0.01,
                     fall=lambda k: (k["value"] - k["later"]) / (0.01 * k["squares"]))  # fmt: skip


@wrong(AFTER, mistake="statistics_moved")
def only_parameters_saved(model, x, labels):
    weights = [(one, one.data.copy()) for one in model.parameters()]
    found = restored(model, x, labels, skip=("state",))
    for one, was in weights:
        one.data[...] = was
    return found


@wrong(AFTER, mistake="gradients_left")
def grads_stay(model, x, labels):
    return restored(model, x, labels, skip=("grads",))


@wrong(AFTER, mistake="mode_left")
def training_afterwards(model, x, labels):
    return restored(model, x, labels, skip=("modes",))


@wrong(LOSS, mistake="weights_moved")
def step_stays(model, x, labels):
    buffers = [(array, array.copy()) for _, array in model.named_buffers()]
    found = restored(model, x, labels, skip=("state",))
    for array, was in buffers:
        array[...] = was
    return found


@wrong(CHANCE)
def base_2(model, x, labels):
    return on_a_copy(model, x, labels, chance=lambda k: math.log2(k["classes"]))


@wrong(CHANCE)
def one_over_k(model, x, labels):
    return on_a_copy(model, x, labels, chance=lambda k: 1 / k["classes"])


@wrong(INPUTS)
def sample_deviation(model, x, labels):
    return on_a_copy(model, x, labels, inputs=lambda k: (float(x.mean()), float(x.std(ddof=1))))


@wrong(INPUTS)
def variance(model, x, labels):
    return on_a_copy(model, x, labels, inputs=lambda k: (float(x.mean()), float(x.var())))


@wrong(INPUTS)
def of_the_first_channel(model, x, labels):
    return on_a_copy(
        model, x, labels, inputs=lambda k: (float(x[..., 0].mean()), float(x[..., 0].std()))
    )


@wrong(LOSS)
def summed_over_the_batch(model, x, labels):
    return on_a_copy(model, x, labels, loss=lambda k: k["value"] * len(labels))


@wrong(FALL)
def by_the_norm(model, x, labels):
    """The rate is divided by the norm of the gradient, not by its square."""
    return on_a_copy(
        model, x, labels, rate=lambda k: 0.01 * k["value"] / math.sqrt(k["squares"])
    )  # fmt: skip


@wrong(FALL)
def a_tenth_of_it(model, x, labels):
    return on_a_copy(model, x, labels, rate=lambda k: 0.001 * k["value"] / k["squares"],
                     fall=lambda k: (k["value"] - k["later"]) / (0.001 * k["value"]))  # fmt: skip


@wrong(FALL)
def without_the_loss(model, x, labels):
    return on_a_copy(model, x, labels, rate=lambda k: 0.01 / k["squares"],
                     fall=lambda k: (k["value"] - k["later"]) / 0.01)  # fmt: skip


@wrong(TYPES)
def numpy_numbers(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {**found, "loss": numpy.float64(found["loss"])}


@wrong(TYPES)
def a_list_of_inputs(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {**found, "inputs": list(found["inputs"])}


@wrong(TYPES)
def a_sixth_key(model, x, labels):
    return {**on_a_copy(model, x, labels), "classes": 10.0}


@wrong(NOTHING)
def nan_without_a_gradient(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {**found, "fall": found["fall"] or math.nan}
