"""Exercise 15a: five findings about a model and its first batch, and what goes wrong with them."""

import copy
import math

from minires import functional as F
from minires.tensor import Tensor


def first_checks(model, x, labels):
    """Examine a model that is about to be trained: a dict of five findings.

    model  a Module; model(Tensor(x)) returns logits (N, K)    x  a batch of its inputs, an array (N, ...) of floats
    labels  ints (N,), from 0 to K - 1
    """
    twin = copy.deepcopy(model).train()
    learned = [(name, one) for name, one in twin.named_parameters() if one.requires_grad]
    for _, one in learned:
        one.grad = None
    logits = twin(Tensor(x))
    loss = F.cross_entropy(logits, labels)
    if loss.requires_grad:
        loss.backward()
    before = float(loss.data)
    silent = [name for name, one in learned if one.grad is None or not one.grad.any()]
    moved = [one for _, one in learned if one.grad is not None]
    squares = sum(float((one.grad * one.grad).sum()) for one in moved)
    fall = 0.0
    if squares:
        for one in moved:
            one.data -= 0.01 * before / squares * one.grad
        after = float(F.cross_entropy(twin(Tensor(x)), labels).data)
        fall = (before - after) / (0.01 * before)
    return {
        "inputs": (float(x.mean()), float(x.std())),
        "loss": before,
        "chance": math.log(logits.shape[1]),
        "silent": silent,
        "fall": fall,
    }


class _As:
    """Context manager: afterwards the model is as it was, except for what `but` names."""

    def __init__(self, model, but=()):
        self.model, self.but = model, but

    def __enter__(self):
        self.modes = [(module, module.training) for _, module in self.model.modules()]
        self.grads = [(one, None if one.grad is None else one.grad.copy()) for one in self.model.parameters()]  # fmt: skip
        self.weights = [(one.data, one.data.copy()) for one in self.model.parameters()]
        self.buffers = [(array, array.copy()) for _, array in self.model.named_buffers()]

    def __exit__(self, *error):
        for module, mode in self.modes if "modes" not in self.but else ():
            module.training = mode
        for one, grad in self.grads if "gradients" not in self.but else ():
            one.grad = grad
        kept = [*self.weights] * ("weights" not in self.but) + [*self.buffers] * ("buffers" not in self.but)  # fmt: skip
        for array, before in kept:
            array[...] = before


def _found(model, x, labels, *, mode="training", second="training", emptied=True, silent=None, chance=None, rate=None,
           result=None, but=(), every=False):  # fmt: skip
    """Return the findings, with one thing changed."""
    silent = silent or (lambda grad: grad is None or not grad.any())
    with _As(model, but):
        _to(model, mode)
        learned = [pair for pair in model.named_parameters() if every or pair[1].requires_grad]
        for _, one in learned if emptied else ():
            one.grad = None
        logits = model(Tensor(x))
        loss = F.cross_entropy(logits, labels)
        if loss.requires_grad:
            loss.backward()
        before = float(loss.data)
        names = [name for name, one in learned if silent(one.grad)]
        moved = [one for _, one in learned if one.grad is not None]
        squares, fall = sum(float((one.grad * one.grad).sum()) for one in moved), 0.0
        if squares:
            by = 0.01 * before / squares if rate is None else rate
            for one in moved:
                one.data -= by * one.grad
            _to(model, second)
            after = float(F.cross_entropy(model(Tensor(x)), labels).data)
            fall = result(before, after) if result else (before - after) / (by * squares)
        chance = math.log(logits.shape[1]) if chance is None else chance(logits.shape[1])
        inputs = float(x.mean()), float(x.std())
    return {"inputs": inputs, "loss": before, "chance": chance, "silent": names, "fall": fall}


def _to(model, mode):
    if mode != "as it comes":
        model.train(mode == "training")


def loss_in_evaluation_mode(model, x, labels):
    """everything is measured in evaluation mode, where batch norm uses its running statistics"""
    return _found(model, x, labels, mode="evaluation", second="evaluation")


def mode_as_it_comes(model, x, labels):
    """the model runs in the mode in which it comes, which may be evaluation mode: switch to training mode first"""
    return _found(model, x, labels, mode="as it comes", second="as it comes")


def second_loss_in_evaluation_mode(model, x, labels):
    """the loss after the step is measured in evaluation mode: the two losses then differ by more than the step"""
    return _found(model, x, labels, second="evaluation")


def none_left_out(model, x, labels):
    """only gradients of 0 count as missing: a parameter that the loss doesn't depend on has None"""
    return _found(model, x, labels, silent=lambda grad: grad is not None and not grad.any())


def only_none_counts(model, x, labels):
    """only None counts as missing: a gradient may also be there and be 0 everywhere"""
    return _found(model, x, labels, silent=lambda grad: grad is None)


def one_zero_is_enough(model, x, labels):
    """a parameter is listed as soon as one number of its gradient is 0: only a gradient of nothing but zeros is missing"""
    return _found(model, x, labels, silent=lambda grad: grad is None or not grad.all())


def frozen_ones_listed(model, x, labels):
    """parameters that don't require a gradient are listed as well: they aren't meant to have one"""
    return _found(model, x, labels, every=True)


def added_to_earlier_gradients(model, x, labels):
    """backward() adds to the gradients that the parameters have from before: set those aside first"""
    return _found(model, x, labels, emptied=False)


def chance_of_the_batch(model, x, labels):
    """chance is the logarithm of the number of images: what counts is the number of classes"""
    return _found(model, x, labels, chance=lambda k: math.log(len(labels)))


def chance_of_the_labels(model, x, labels):
    """the classes are counted in the labels of the batch: some classes may be missing there, so count the logits"""
    return _found(model, x, labels, chance=lambda k: math.log(int(labels.max()) + 1))


def fall_of_the_loss(model, x, labels):
    """fall is the difference of the two losses: divide it by what the gradient predicts"""
    return _found(model, x, labels, result=lambda before, after: before - after)


def sign_of_the_fall(model, x, labels):
    """fall is negative when the loss falls: subtract the loss after the step from that before it"""
    return _found(model, x, labels, result=lambda before, after: (after - before) / (0.01 * before))


def fixed_rate(model, x, labels):
    """the rate is 0.01 for every model: the fall is then as large as the gradients happen to be"""
    return _found(model, x, labels, rate=0.01)


def statistics_moved(model, x, labels):
    """the running statistics of batch norm have moved: each forward pass in training mode moves them"""
    return _found(model, x, labels, but=("buffers",))


def weights_moved(model, x, labels):
    """the step stays in the weights: the model isn't as it was"""
    return _found(model, x, labels, but=("weights",))


def gradients_left(model, x, labels):
    """the gradients of the check are left in the parameters"""
    return _found(model, x, labels, but=("gradients",))


def mode_left(model, x, labels):
    """the model stays in training mode: each module needs the mode that it had before"""
    return _found(model, x, labels, but=("modes",))
