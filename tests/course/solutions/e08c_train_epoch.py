"""Solutions of 08c."""

from minires import functional as F
from minires.functional import cross_entropy
from minires.tensor import Tensor
from minires.train import Meter, Score
from tests.course.kinds import right, wrong


def one_step(model, x, labels, optimizer, label_smoothing, *, empty=True, go=True):
    """A step; gives its loss and its logits, as tensors."""
    if empty:
        optimizer.zero_grad()
    logits = model(Tensor(x))
    loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
    loss.backward()
    if go:
        optimizer.step()
    return loss, logits


def looped(model, batches, optimizer, label_smoothing, meter=None, **how):
    """The meter after all batches."""
    meter = meter or Meter()
    model.train()
    for x, labels in batches:
        meter.update(*one_step(model, x, labels, optimizer, label_smoothing, **how), labels)
    return meter


@right
def step_by_step(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    return looped(model, batches, optimizer, label_smoothing, meter).score()


@right
def emptied_at_the_end(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    if meter is None:
        meter = Meter()
    model.train(True)
    optimizer.zero_grad()
    for x, labels in batches:
        logits = model(Tensor(x))
        loss = F.cross_entropy(logits, labels, label_smoothing)
        meter.update(loss, logits, labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return meter.score()


@right
def noted_in_the_end(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    seen = []
    for x, labels in batches:
        model.train()
        seen.append((*one_step(model, x, labels, optimizer, label_smoothing), labels))
    meter = meter or Meter()
    for batch in seen:
        meter.update(*batch)
    return meter.score()


EACH, SCORE = "test_each_batch_is_a_step_of_its_own", "test_the_score_is_that_of_the_images"
OLD, RATE = "test_old_gradients_are_zeroed_first", "test_the_learning_rate_is_left_to_the_optimizer"
GIVEN = "test_a_meter_that_is_given_keeps_counting"


@wrong(OLD, mistake="gradients_not_zeroed")
def added_up(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    return looped(model, batches, optimizer, label_smoothing, meter, empty=False).score()


@wrong(EACH, mistake="zeroed_before_the_step")
def emptied_before_the_step(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    model.train()
    for x, labels in batches:
        meter.update(*one_step(model, x, labels, optimizer, label_smoothing, go=False), labels)
        for parameter in model.parameters():
            parameter.grad = None
        optimizer.step()
    return meter.score()


@wrong(EACH, mistake="step_before_backward", crashes=True)  # the engine says so first
def by_older_gradients(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    model.train()
    for x, labels in batches:
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()
        meter.update(loss, logits, labels)
    return meter.score()


@wrong(EACH, mistake="no_step")
def gradients_only(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    return looped(model, batches, optimizer, label_smoothing, meter, go=False).score()


@wrong(SCORE, mistake="losses_unweighted")
def means_added_up(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    losses = correct = images = 0
    for x, labels in batches:
        score = looped(model, [(x, labels)], optimizer, label_smoothing).score()
        losses, correct, images = losses + score.loss, correct + score.correct, images + score.count
    return Score(losses, correct, images)


@wrong(SCORE, mistake="means_returned")
def divided(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    losses, correct, images = looped(model, batches, optimizer, label_smoothing, meter).score()
    return losses / images, correct / images


@wrong(SCORE, mistake="last_batch_only")
def a_meter_for_each(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    model.train()
    for x, labels in batches:
        meter = Meter()
        meter.update(*one_step(model, x, labels, optimizer, label_smoothing), labels)
    return meter.score()


@wrong(GIVEN, mistake="meter_ignored")
def always_a_new_one(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    return looped(model, batches, optimizer, label_smoothing).score()


@wrong(SCORE, mistake="looked_at_after_the_step")
def run_again(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    for x, labels in batches:
        looped(model, [(x, labels)], optimizer, label_smoothing)
        logits = model(Tensor(x))
        meter.update(
            F.cross_entropy(logits, labels, label_smoothing=label_smoothing), logits, labels
        )
    return meter.score()


@wrong("test_the_model_is_in_training_mode", mistake="mode_left")
def as_it_was(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    for x, labels in batches:
        meter.update(*one_step(model, x, labels, optimizer, label_smoothing), labels)
    return meter.score()


@wrong("test_label_smoothing_reaches_the_loss", mistake="smoothing_ignored")
def plain_loss(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    return looped(model, batches, optimizer, 0, meter).score()


@wrong(RATE)
def a_rate_of_its_own(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    optimizer.lr = 0.1
    return step_by_step(model, batches, optimizer, label_smoothing=label_smoothing, meter=meter)


@wrong(RATE)
def halved_after_each_step(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    for x, labels in batches:
        meter = looped(model, [(x, labels)], optimizer, label_smoothing, meter)
        optimizer.lr = optimizer.lr / 2
    return meter.score()


@wrong(EACH)
def one_step_an_epoch(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    optimizer.zero_grad()
    meter = looped(model, batches, optimizer, label_smoothing, meter, empty=False, go=False)
    optimizer.step()
    return meter.score()


@wrong(SCORE)
def a_meter(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    return looped(model, batches, optimizer, label_smoothing, meter)


@wrong(SCORE)
def nothing(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    looped(model, batches, optimizer, label_smoothing, meter).score()


@wrong(SCORE)
def in_percent(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    losses, correct, images = step_by_step(
        model, batches, optimizer, label_smoothing=label_smoothing, meter=meter
    )
    return Score(losses, 100 * correct, images)


@wrong(SCORE)
def turned(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    losses, correct, images = step_by_step(
        model, batches, optimizer, label_smoothing=label_smoothing, meter=meter
    )
    return Score(correct, losses, images)


@wrong(SCORE)
def batches_counted(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    losses, correct, _ = step_by_step(
        model, batches, optimizer, label_smoothing=label_smoothing, meter=meter
    )
    return Score(losses, correct, len(batches))


@wrong(GIVEN)
def a_meter_that_begins_again(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    meter.unread.clear()
    return looped(model, batches, optimizer, label_smoothing, meter).score()


@wrong(GIVEN)
def noted_in_both(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    own = looped(model, batches, optimizer, label_smoothing)
    if meter is not None:
        meter.unread.extend(own.unread)
    return own.score()


@wrong(EACH)
def the_last_batch_left_out(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    return looped(model, list(batches)[:2], optimizer, label_smoothing, meter).score()


@wrong("test_batches_may_come_from_a_generator", crashes=True)
def length_asked(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    score = looped(model, batches, optimizer, label_smoothing, meter).score()
    return score if len(batches) else None


@wrong("test_batches_may_come_from_a_generator")
def gone_over_twice(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    images = sum(len(labels) for _, labels in batches)
    meter = looped(model, batches, optimizer, label_smoothing, meter)
    return meter.score() if meter.unread else Score(0.0, 0, images)


@wrong(EACH)
def twice_for_each(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    looped(model, batches[:1], optimizer, label_smoothing)
    return looped(model, batches, optimizer, label_smoothing, meter).score()


@wrong(EACH)
def softmax_twice(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    model.train()
    for x, labels in batches:
        optimizer.zero_grad()
        shares = F.softmax(model(Tensor(x)))
        loss = cross_entropy(shares, labels, label_smoothing=label_smoothing)
        loss.backward()
        optimizer.step()
        meter.update(loss, shares, labels)
    return meter.score()


@wrong(EACH)
def weights_bound_anew(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = looped(model, batches, optimizer, label_smoothing, meter, go=False)
    for parameter in model.parameters():
        parameter = parameter.data - optimizer.lr * parameter.grad
    return meter.score()


@wrong("test_the_model_is_in_training_mode")
def evaluation_mode_at_the_end(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = looped(model, batches, optimizer, label_smoothing, meter)
    model.eval()
    return meter.score()
