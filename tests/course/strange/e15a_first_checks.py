"""Strange solutions of 15a."""

import copy
import math
import types

from minires import functional as F
from minires.backend import xp
from minires.tensor import Tensor
from tests.course.kinds import right, wrong
from tests.course.solutions.e15a_first_checks import on_a_copy, restored

TYPES, AFTER = "test_the_dict_has_five_keys_and_python_floats", "test_the_model_is_as_it_was"
CALLS, SILENT = (
    "test_calls_do_not_depend_on_each_other",
    "test_silent_parameters_have_none_or_zeros",
)
NOTHING, FALL = (
    "test_fall_is_0_without_a_gradient",
    "test_fall_compares_the_step_with_its_prediction",
)
CHANCE, LOSS = "test_chance_counts_the_classes", "test_the_loss_is_that_of_training_mode"


@right
def step_by_step(model, x, labels):
    """With small functions, and the keys in an order of their own."""
    saved = [(module, dict(vars(module))) for _, module in model.modules()]
    arrays = {id(a): (a, a.copy()) for _, a in model.named_buffers()}
    parameters = list(model.named_parameters())
    kept = [(one, one.data.copy(), one.grad) for _, one in parameters]

    def loss():
        return F.cross_entropy(model(Tensor(x)), labels)

    def back():
        for module, attributes in saved:
            vars(module).clear()
            vars(module).update(attributes)
        for array, was in arrays.values():
            array[...] = was
        for one, data, grad in kept:
            one.data[...] = data
            one.grad = grad

    model.train()
    for _, one in parameters:
        one.grad = None
    classes = model(Tensor(x)).shape[1]
    first = loss()
    if first.requires_grad:
        first.backward()
    value = first.item()
    trainable = [(n, one) for n, one in parameters if one.requires_grad]
    alive = [(n, one) for n, one in trainable if one.grad is not None and bool(one.grad.any())]
    names = {n for n, _ in alive}
    found = {"silent": [n for n, _ in trainable if n not in names], "chance": math.log(classes)}
    total = sum(float((one.grad.astype(xp.float64) ** 2).sum()) for _, one in alive)
    for _, one in alive:
        one.data -= value / (100 * total) * one.grad
    found["fall"] = (value - loss().item()) / (value / 100) if alive else 0.0
    back()
    found["loss"] = value
    found["inputs"] = tuple(float(one) for one in (x.mean(), x.std()))
    return found


@right
def with_a_deep_copy_of_the_state(model, x, labels):
    twin = copy.deepcopy(model)
    found = restored(twin, x, labels)
    return found


@right
def logits_recomputed_from_the_gradient(model, x, labels):
    """The gradients by hand: backward from the logits, with softmax minus one-hot over N."""
    twin = copy.deepcopy(model).train()
    for one in twin.parameters():
        one.grad = None
    logits = twin(Tensor(x))
    z = logits.data - logits.data.max(axis=1, keepdims=True)
    p = xp.exp(z) / xp.exp(z).sum(axis=1, keepdims=True)
    rows = xp.arange(len(labels))
    start = float(-xp.log(p[rows, labels]).mean())
    g = p.copy()
    g[rows, labels] -= 1
    if logits.requires_grad:
        logits.backward(g / len(labels))
    own = [(n, one) for n, one in twin.named_parameters() if one.requires_grad]
    squares = sum(float((one.grad**2).sum()) for _, one in own if one.grad is not None)
    for _, one in own:
        if one.grad is not None and squares:
            one.data -= 0.01 * start / squares * one.grad
    end = float(F.cross_entropy(twin(Tensor(x)), labels).data)
    return {
        "inputs": (float(x.mean()), float(x.std())),
        "loss": start,
        "chance": math.log(p.shape[1]),
        "silent": [n for n, one in own if one.grad is None or not one.grad.any()],
        "fall": (start - end) / (0.01 * start) if squares else 0.0,
    }


@right
def an_ordered_dict(model, x, labels):
    from collections import OrderedDict

    return OrderedDict(sorted(on_a_copy(model, x, labels).items()))


@wrong(TYPES)
def a_namespace(model, x, labels):
    return types.SimpleNamespace(**on_a_copy(model, x, labels))


@wrong(TYPES)
def names_in_a_tuple(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {**found, "silent": tuple(found["silent"])}


@wrong(TYPES)
def a_key_spelled_differently(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {key.replace("silent", "without gradient"): value for key, value in found.items()}


@wrong(SILENT)
def a_set_of_names(model, x, labels):
    """Sorted, and not in the order of the parameters."""
    found = on_a_copy(model, x, labels)
    return {**found, "silent": sorted(found["silent"], reverse=True)}


@wrong(SILENT)
def parameters_themselves(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {**found, "silent": [name.rpartition(".")[2] for name in found["silent"]]}


@wrong(SILENT)
def small_ones_too(model, x, labels):
    twin = copy.deepcopy(model).train()
    for one in twin.parameters():
        one.grad = None
    loss = F.cross_entropy(twin(Tensor(x)), labels)
    if loss.requires_grad:
        loss.backward()
    found = on_a_copy(model, x, labels)
    quiet = [n for n, one in twin.named_parameters() if one.requires_grad and (one.grad is None or float(abs(one.grad).max()) < 0.05)]  # fmt: skip
    return {**found, "silent": quiet}


@wrong(NOTHING, crashes=True)
def divided_by_0(model, x, labels):
    found = on_a_copy(model, x, labels)
    if not found["fall"]:
        raise ZeroDivisionError("float division by zero")
    return found


@wrong(NOTHING)
def one_if_nothing_moves(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {**found, "fall": found["fall"] or 1.0}


@wrong(FALL)
def rounded(model, x, labels):
    found = on_a_copy(model, x, labels)
    return {**found, "fall": round(found["fall"], 2)}


@wrong(FALL)
def always_one(model, x, labels):
    """What theory says."""
    found = on_a_copy(model, x, labels)
    return {**found, "fall": 1.0 if found["fall"] else 0.0}


@wrong(FALL)
def of_a_fresh_loss(model, x, labels):
    """The step on one copy, the second loss on the model, which hasn't moved."""
    found = on_a_copy(model, x, labels)
    return {**found, "fall": 0.0}


@wrong(AFTER)
def added_and_taken_away(model, x, labels):
    """w - step + step isn't always w."""
    found = on_a_copy(model, x, labels)
    for one in model.parameters():
        one.data -= 0.1 * one.data.mean() + 0.123456789
        one.data += 0.1 * one.data.mean() + 0.123456789
    return found


@wrong(AFTER)
def all_modules_in_the_mode_of_the_model(model, x, labels):
    found = on_a_copy(model, x, labels)
    model.train(model.training)
    return found


@wrong(AFTER)
def gradients_zeroed(model, x, labels):
    found = on_a_copy(model, x, labels)
    for one in model.parameters():
        one.grad = None
    return found


@wrong(AFTER)
def zeros_for_none(model, x, labels):
    found = on_a_copy(model, x, labels)
    for one in model.parameters():
        one.grad = one.data * 0 if one.grad is None else one.grad
    return found


@wrong(AFTER)
def inputs_normalised_in_place(model, x, labels):
    found = on_a_copy(model, x, labels)
    x -= x.mean()
    return found


@wrong(AFTER)
def everything_learns(model, x, labels):
    found = on_a_copy(model, x, labels)
    for one in model.parameters():
        one.requires_grad = True
    return found


SEEN = {}


@wrong(CHANCE)
def remembered(model, x, labels):
    key = model.children()[0][1].weight.size if model.children() else 0
    if key not in SEEN:
        SEEN[key] = on_a_copy(model, x, labels)
    return SEEN[key]


LATEST = []


@wrong(CALLS)
def one_list_for_all_calls(model, x, labels):
    """The names of the latest call are added to a list that all results share."""
    found = on_a_copy(model, x, labels)
    LATEST[:] = found["silent"]
    found["silent"] = LATEST
    return found


@wrong(CHANCE)
def ten_classes(model, x, labels):
    return on_a_copy(model, x, labels, chance=lambda known: math.log(10))


@wrong(CHANCE)
def distinct_labels(model, x, labels):
    return on_a_copy(model, x, labels, chance=lambda known: math.log(len(set(labels.tolist()))))


@wrong(LOSS)
def the_first_image(model, x, labels):
    found = on_a_copy(model, x, labels)
    twin = copy.deepcopy(model).train()
    logits = twin(Tensor(x)).data
    loss = float(F.cross_entropy(Tensor(logits[:1]), labels[:1]).data)
    return {**found, "loss": loss}


@wrong(LOSS)
def frozen_modules_train_too(model, x, labels):
    """Sets the mode by hand, also where model.train() doesn't."""
    net = copy.deepcopy(model)
    for _, module in net.modules():
        module.frozen = False
    return on_a_copy(net, x, labels)


@wrong(FALL)
def frozen_parameters_step_too(model, x, labels):
    """Steps wherever there is a gradient, even one from before."""
    net = copy.deepcopy(model)
    for one in net.parameters():
        one.requires_grad = one.requires_grad or one.grad is not None
    return {**on_a_copy(model, x, labels), "fall": on_a_copy(net, x, labels)["fall"]}
