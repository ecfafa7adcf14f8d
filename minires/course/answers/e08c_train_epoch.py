"""Exercise 08c: what goes wrong with the training loop."""

from minires.functional import cross_entropy
from minires.tensor import Tensor
from minires.train import Meter, Score


def _loop(
    model,
    batches,
    optimizer,
    label_smoothing,
    meter,
    *,
    mode=True,
    order=("zero_grad", "backward", "step"),
    late=False,
):
    """Run the library's loop, with parts that can be wrong. Returns its meter, and (loss, correct predictions, images) of each batch."""
    meter, seen = Meter() if meter is None else meter, []
    model.train(mode)
    for x, labels in batches:
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        actions = {
            "zero_grad": optimizer.zero_grad,
            "backward": loss.backward,
            "step": optimizer.step,
        }
        for action in order:
            actions[action]()
        if late:
            logits = model(Tensor(x))
            loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        meter.update(loss, logits, labels)
        seen.append((loss.item(), int((logits.data.argmax(axis=1) == labels).sum()), len(labels)))
    return meter, seen


def gradients_not_zeroed(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """zero_grad() is missing: the gradients of all batches so far add up"""
    return _loop(model, batches, optimizer, label_smoothing, meter, order=("backward", "step"))[
        0
    ].score()


def step_before_backward(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """the optimizer steps before backward(), with the gradients of the previous batch"""
    order = ("step", "zero_grad", "backward")
    return _loop(model, batches, optimizer, label_smoothing, meter, order=order)[0].score()


def zeroed_before_the_step(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """zero_grad() comes between backward() and step(): the optimizer has no gradients to use"""
    order = ("backward", "zero_grad", "step")
    return _loop(model, batches, optimizer, label_smoothing, meter, order=order)[0].score()


def no_step(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """step() is missing: the gradients are computed, but nothing uses them"""
    return _loop(
        model, batches, optimizer, label_smoothing, meter, order=("zero_grad", "backward")
    )[0].score()


def losses_unweighted(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """the losses of the batches, which are means, are added up without weights: a Score has sums over images"""
    losses, correct, images = map(
        sum, zip(*_loop(model, batches, optimizer, label_smoothing, None)[1])
    )
    return Score(losses, correct, images)


def means_returned(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """the mean loss and the accuracy are returned: it should be a Score, which has the sums behind them"""
    score = _loop(model, batches, optimizer, label_smoothing, meter)[0].score()
    return score.loss, score.accuracy


def last_batch_only(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """a new Meter is made for each batch, so that the Score is that of the last one"""
    loss, correct, images = _loop(model, batches, optimizer, label_smoothing, None)[1][-1]
    return Score(loss * images, correct, images)


def meter_ignored(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """a new Meter is made although one was given, so that the caller's stays empty"""
    return _loop(model, batches, optimizer, label_smoothing, None)[0].score()


def looked_at_after_the_step(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """the model runs again after the step: that costs time, and measures weights that have already seen the batch"""
    return _loop(model, batches, optimizer, label_smoothing, meter, late=True)[0].score()


def mode_left(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """the model's mode is not set: after an evaluation, batch norm would keep using its running statistics"""
    return _loop(model, batches, optimizer, label_smoothing, meter, mode=model.training)[0].score()


def smoothing_ignored(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """label_smoothing is not passed on to the loss"""
    return _loop(model, batches, optimizer, 0.0, meter)[0].score()
