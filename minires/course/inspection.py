"""Eight checks of a training run, from the cheapest to the most expensive, and a ninth that needs a second run which is right.

    for check, (number, fine) in inspection.checked(lambda: FAULTS["rate x100"](seed=0)): ...

Each check makes a run of its own, measures one number, and says whether it is within the limits of LIMITS. The limits were
chosen by looking at right runs only, and are wide: no right run of ten seeds is outside any of them, and no two of the ten
differ by more than 5 points in their accuracy.
"""

import copy
import math

import numpy

from minires import data, watch
from minires.course.faults import Right
from minires.train import evaluate

# check -> (least, most) of the number that is measured
LIMITS = {
    "inputs": (0.8, 1.25),
    "first loss": (-0.5, 0.5),
    "gradients": (0, 0),
    "small step": (0.7, 1.1),
    "ten images": (0, 0.1),
    "depth": (0, 0),
    "updates": (0.005, 0.08),
    "modes": (-3, 3),
    "reference": (-5, math.inf),
}


def inputs(make):
    """Return the standard deviation of the pixels of a batch, as the model gets them."""
    x, _ = _batch(make())
    return float(x.std())


def first_loss(make):
    """Return the loss before the first step, minus that of guessing, log K."""
    run = make()
    return _loss(run, *_batch(run)) - math.log(len(run.training.classes))


def gradients(make):
    """Return the number of parameters without a gradient after one backward pass, or with nothing but zeros."""
    run = make()
    _backward(run, *_batch(run))
    return sum(one.grad is None or not one.grad.any() for one in run.model.parameters())


def small_step(make, share=0.01):
    """Return by how much a small step against the gradient lowers the loss of its batch, as a multiple of what the gradient says.

    share  the fall that the gradient predicts, as a fraction of the loss
    """
    run = make()
    x, labels = _batch(run)
    before = _backward(run, x, labels)
    moved = [one for one in run.model.parameters() if one.grad is not None]
    squares = sum(float((one.grad.astype("float64") ** 2).sum()) for one in moved)
    for one in moved:
        one.data -= share * before / squares * one.grad
    return (before - _loss(run, x, labels)) / (share * before)


def ten_images(make, steps=40):
    """Return the loss after `steps` of the run's own steps on ten images, always the same."""
    run = make()
    x, labels = _batch(run)
    for _ in range(steps):
        run.step(x[:10], labels[:10])
        if not math.isfinite(run.losses[-1]):
            return math.inf
    return run.losses[-1]


def depth(make):
    """Return the number of findings about activations and gradients by depth, in the first step."""
    run = make()
    with watch.layers(run.model) as watched:
        _backward(run, *_batch(run))
    return len(watch.findings(watched.rows))


def updates(make, at=10):
    """Return the size of step number `at` relative to the weights: the median over the arrays with more than one axis."""
    run = make()
    for number, (x, labels) in enumerate(run.batches(0), 1):
        weights = [one for one in run.model.parameters() if one.ndim > 1]
        before = [one.data.copy() for one in weights]
        run.step(x, labels)
        if number == at:
            break
    pairs = [(was, one.data - was) for was, one in zip(before, weights)]
    return float(numpy.median([_norm(step) / _norm(was) for was, step in pairs]))


def modes(make):
    """Return by how many points the trained model is better on its training images in training mode than in evaluation mode."""
    run = make().train()
    if not math.isfinite(run.losses[-1]):
        return math.inf
    batches = list(data.batches(run.training, 256))
    evaluated = evaluate(run.model, batches).accuracy
    model, right = copy.deepcopy(run.model).train(), 0
    for x, labels in batches:
        right += int((model(x).data.argmax(axis=1) == labels).sum())
    return 100 * (right / len(run.training) - evaluated)


def reference(make):
    """Return by how many points the run's validation accuracy is above that of the right run with the same seed."""
    run = make().train()
    return 100 * (run.accuracy() - Right(run.seed).train().accuracy())


CHECKS = {
    "inputs": inputs,
    "first loss": first_loss,
    "gradients": gradients,
    "small step": small_step,
    "ten images": ten_images,
    "depth": depth,
    "updates": updates,
    "modes": modes,
    "reference": reference,
}


def checked(make, names=tuple(CHECKS)):
    """Yield (name of the check, (number, True if it is within the limits)), in order.

    make  returns a run that hasn't started; each check makes its own
    """
    with numpy.errstate(all="ignore"):
        for name in names:
            number = CHECKS[name](make)
            least, most = LIMITS[name]
            yield name, (number, least <= number <= most)


def first(make):
    """Return the name of the first check that objects; None if none does."""
    return next((name for name, (_, fine) in checked(make) if not fine), None)


def _batch(run):
    """Return the first batch of a run."""
    return next(iter(run.batches(0)))


def _loss(run, x, labels):
    run.mode()
    return float(run.loss(x, labels).data)


def _backward(run, x, labels):
    """Run forward and backward, and return the loss."""
    run.mode()
    loss = run.loss(x, labels)
    loss.backward()
    return float(loss.data)


def _norm(array):
    return math.sqrt(float((array.astype("float64") ** 2).sum()))
