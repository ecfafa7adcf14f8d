"""Training loops that go wrong in many ways, for the solutions of the hunts in whole training runs (15c to 15f)."""

import copy

import numpy

from minires import functional as F
from minires.optim import SGD, Adam
from minires.tensor import Tensor
from tests.course.kinds import wrong


def fit(model, epochs, lr, *, forward=None, optimizer=None, mode="train", zero="before", fresh=False, smoothing=0.0,
        mean="images", rate=None, whole=False, drop=None, clip=None, after=False, back=False, **options):  # fmt: skip
    """Train on lists of batches (x, labels), and return [(mean loss, accuracy)]. With the defaults it does what 15c to 15f ask for.

    forward  maps an array to logits (default: the model)    optimizer  called with the parameters    options  of SGD
    mode  train, eval, as it comes, or first: training mode for the first epoch alone
    zero  the gradients become None before, between backward and step, epoch (at its start) or never
    fresh  a new optimizer per epoch    rate  maps the epoch to a factor    whole  one step per epoch    drop  a batch that is smaller
    mean  how the losses are averaged    after  the loss is measured after the step    back  the old weights are put back
    """
    forward = forward or (lambda x: model(Tensor(x)))
    optimizer = optimizer or (lambda them: SGD(them, lr=lr, **{"momentum": 0.9, **options}))
    stepper, before, history = optimizer(model.parameters()), model.state_dict(), []
    for number, epoch in enumerate(epochs):
        if mode != "as it comes":
            model.train(mode == "train" or (mode == "first" and number == 0))
        if fresh:
            stepper = optimizer(model.parameters())
        if rate:
            stepper.lr = lr * rate(number)
        if zero == "epoch" or whole:
            stepper.zero_grad()
        rows = []
        for x, labels in epoch:
            if drop and len(labels) < drop:
                continue
            logits = forward(x)
            loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
            if zero == "before" and not whole:
                stepper.zero_grad()
            loss.backward()
            if zero == "between":
                stepper.zero_grad()
            if clip:
                clipped(model, clip)
            if not whole:
                stepper.step()
            if after:
                logits = forward(x)
                loss = F.cross_entropy(logits, labels)
            hits = float((logits.data.argmax(axis=1) == labels).mean())
            rows.append((float(loss), hits, len(labels)))
        if whole:
            stepper.step()
        history.append(tuple(averaged([(row[i], row[2]) for row in rows], mean) for i in (0, 1)))
    if back:
        model.load_state_dict(before)
    return history


def clipped(model, most):
    """Scale the gradients so that their norm is `most`, if it is larger."""
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    norm = sum(float((g**2).sum()) for g in gradients) ** 0.5
    for parameter in model.parameters():
        if parameter.grad is not None and norm > most:
            parameter.grad = parameter.grad * (most / norm)


def averaged(rows, mean):
    """Return the mean of (value, images), or what stands in for it."""
    values, counts = [value for value, _ in rows], [count for _, count in rows]
    return {
        "images": lambda: sum(value * count for value, count in rows) / sum(counts),
        "batches": lambda: sum(values) / len(values),
        "sum": lambda: sum(value * count for value, count in rows),
        "first": lambda: values[0],
        "last": lambda: values[-1],
        "least": lambda: min(values),
        "median": lambda: float(numpy.median(values)),
        "full": lambda: sum(value * count for value, count in rows) / (len(rows) * max(counts)),
    }[mean]()


def cut(x, labels, batch):
    """Return the batches of an epoch."""
    return [(x[i : i + batch], labels[i : i + batch]) for i in range(0, len(x), batch)]


# name -> (the kind of claim that must reject it, options of fit)
OF_THE_STEPS = {
    "momentum_forgotten": ("steps", {"momentum": 0.0}),
    "momentum_of_a_half": ("steps", {"momentum": 0.5}),
    "nesterov": ("one", {"nesterov": True}),
    "decay_added": ("one", {"weight_decay": 0.01}),
    "adam": ("one", {"optimizer": lambda them: Adam(them, lr=0.01)}),
    "gradients_never_emptied": ("steps", {"zero": "never"}),
    "gradients_emptied_by_epoch": ("steps", {"zero": "epoch"}),
    "gradients_emptied_before_the_step": ("one", {"zero": "between"}),
    "a_new_optimizer_per_epoch": ("steps", {"fresh": True}),
    "smoothed_labels": ("one", {"smoothing": 0.1}),
    "half_the_rate": ("one", {"rate": lambda epoch: 0.5}),
    "ten_times_the_rate": ("one", {"rate": lambda epoch: 10.0}),
    "rate_halved_per_epoch": ("steps", {"rate": lambda epoch: 0.5**epoch}),
    "one_step_per_epoch": ("steps", {"whole": True}),
    "trained_in_evaluation_mode": ("mode", {"mode": "eval"}),
    "trained_in_the_mode_that_comes": ("mode", {"mode": "as it comes"}),
    "training_mode_for_one_epoch": ("mode of epochs", {"mode": "first"}),
    "clipped_gradients": ("one", {"clip": 0.01}),
    "the_old_weights_put_back": ("one", {"back": True}),
}
OF_THE_MEANS = {
    "sum_of_losses": ("one", {"mean": "sum"}),
    "loss_of_the_first_batch": ("steps", {"mean": "first"}),
    "loss_of_the_last_batch": ("steps", {"mean": "last"}),
    "smallest_loss": ("steps", {"mean": "least"}),
    "median_of_the_batches": ("steps", {"mean": "median"}),
    "all_batches_taken_for_full": ("last", {"mean": "full"}),
    "loss_after_the_step": ("one", {"after": True}),
}


def twisted(full, twists, **claims):
    """Return {name: a wrong solution} for each twist. full  a solution that passes options on to fit    claims  kind -> claim"""
    found = {}
    for name, (kind, options) in twists.items():

        def solution(*inputs, _options=options, **given):
            return full(*inputs, **given, **_options)

        solution.__name__ = solution.__qualname__ = name
        solution.__module__ = full.__module__
        if kind in claims:
            found[name] = wrong(claims[kind])(solution)
    return found


def elsewhere(full, *which):
    """Return a solution that trains copies of its first inputs. which  the places of the modules"""

    def solution(*inputs, **given):
        copies = [copy.deepcopy(one) if i in which else one for i, one in enumerate(inputs)]
        return full(*copies, **given)

    return solution
