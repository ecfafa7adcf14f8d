"""Strange solutions of 08c."""

import functools

from minires import functional as F
from minires import optim
from minires.backend import xp
from minires.functional import cross_entropy
from minires.tensor import Tensor, no_grad
from minires.train import Meter, Score
from tests.course.kinds import right, wrong

EACH, SCORE = "test_each_batch_is_a_step_of_its_own", "test_the_score_is_that_of_the_images"
ZERO = "test_a_learning_rate_of_0_is_a_step_too"
EPOCHS = "test_the_momentum_continues_from_epoch_to_epoch"
FROZEN = "test_parts_that_are_frozen_stay_frozen"
SINGLE = "test_single_images_make_a_batch_too"
PARTS = "test_batches_may_be_parts_of_larger_arrays"
ONCE = "test_each_batch_is_seen_once_and_in_order"
GIVEN = "test_a_meter_that_is_given_keeps_counting"
OLD = "test_old_gradients_are_zeroed_first"
SMOOTH = "test_label_smoothing_reaches_the_loss"


def loop(model, batches, optimizer, smoothing, meter):
    """A right one. Yields after each step."""
    model.train()
    for x, labels in batches:
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        meter.update(loss, logits, labels)
        yield loss, logits, labels


def epoch(model, batches, optimizer, smoothing=0.0, meter=None):
    meter = Meter() if meter is None else meter
    for _ in loop(model, batches, optimizer, smoothing, meter):
        pass
    return meter.score()


@right
def by_hand_without_a_meter(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """The sums are its own; a meter that is given is updated as well."""
    own = [0.0, 0, 0] if meter is None else None
    for loss, logits, labels in loop(model, batches, optimizer, label_smoothing, meter or Meter()):
        if own:
            hits = sum(int(row.argmax() == label) for row, label in zip(logits.data, labels))
            own[0] += loss.item() * len(labels)
            own[1] += hits
            own[2] += len(labels)
    return Score(*own) if own else meter.score()


@right
def by_next(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter if meter is not None else Meter()
    coming = iter(batches)
    while (batch := next(coming, None)) is not None:
        x, labels = batch
        model.train(mode=True)
        optimizer.zero_grad()
        logits = model(Tensor(x))
        loss = F.cross_entropy(logits, labels, label_smoothing=label_smoothing)
        loss.backward()
        meter.update(loss, logits, labels)
        optimizer.step()
    return meter.score()


@right
def gradients_zeroed_by_hand(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    for x, labels in batches:
        model.train()
        for parameter in model.parameters():
            parameter.grad = None
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        loss.backward()
        optimizer.step()
        meter.update(loss, logits, labels)
    return meter.score()


@right
def by_map(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    loss_of = functools.partial(F.cross_entropy, label_smoothing=label_smoothing)

    def step(batch):
        x, labels = batch
        logits = model.train()(Tensor(x))
        loss = loss_of(logits, labels)
        optimizer.zero_grad()
        loss.backward(None)
        optimizer.step()
        return loss, logits, labels

    meter = Meter() if meter is None else meter
    for seen in map(step, batches):
        meter.update(*seen)
    return meter.score()


@right
def copies_and_checks(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    if not 0 <= label_smoothing < 1:
        raise ValueError(label_smoothing)
    with_copies = ((xp.ascontiguousarray(x), labels.copy()) for x, labels in batches)
    return epoch(model, with_copies, optimizer, smoothing=label_smoothing, meter=meter)


@wrong(ZERO)
def rate_of_0_skipped(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    step = optimizer.step

    class Skipping:
        zero_grad = optimizer.zero_grad

        @staticmethod
        def step():
            if optimizer.lr:
                step()

    return epoch(model, batches, Skipping, label_smoothing, meter)


@wrong(ZERO)
def nothing_to_do_at_rate_0(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    if optimizer.lr == 0:
        with no_grad():
            model.eval()
            meter = meter or Meter()
            for x, labels in batches:
                logits = model(Tensor(x))
                loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
                meter.update(loss, logits, labels)
            return meter.score()
    return epoch(model, batches, optimizer, label_smoothing, meter)


@wrong(EPOCHS)
def new_momentum_each_epoch(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    own = optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    plain = len(model.parameters()) == 6 and optimizer.lr == 0.3
    return epoch(model, batches, own if plain else optimizer, label_smoothing, meter)


METERS = {}


@wrong(SCORE)
def meter_that_all_calls_share(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    own = METERS.setdefault("meter", Meter()) if meter is None else meter
    return epoch(model, batches, optimizer, label_smoothing, own)


@wrong(EPOCHS)
def velocity_reset(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    optimizer.state.clear()
    return epoch(model, batches, optimizer, label_smoothing, meter)


@wrong(FROZEN)
def every_module_in_training_mode(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    for _, module in model.modules():
        module.training = True
    model.train = lambda mode=True: model
    try:
        return epoch(model, batches, optimizer, label_smoothing, meter)
    finally:
        del model.train


@wrong(FROZEN)
def thawed(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    model.freeze(False)
    return epoch(model, batches, optimizer, label_smoothing, meter)


@wrong(SINGLE)
def single_images_left_out(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """As for a batch norm, which refuses them."""
    kept = ((x, labels) for x, labels in batches if len(labels) > 1)
    return epoch(model, kept, optimizer, label_smoothing, meter)


@wrong(SINGLE)
def classes_by_the_largest_number(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    correct = losses = images = 0
    for loss, logits, labels in loop(model, batches, optimizer, label_smoothing, meter or Meter()):
        guesses = logits.data.squeeze().argmax(axis=-1)
        correct += int((guesses[: len(labels)] == labels).sum()) if guesses.ndim else 0
        losses, images = losses + loss.item() * len(labels), images + len(labels)
    return Score(losses, correct, images) if meter is None else meter.score()


@wrong(PARTS)
def flat_and_back(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    straight = ((x.ravel(order="K").reshape(x.shape), labels) for x, labels in batches)
    return epoch(model, straight, optimizer, label_smoothing, meter)


@wrong(PARTS)
def centred_in_place(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """The first layer's batch norm does not notice: but the caller does."""

    def centred():
        for x, labels in batches:
            yield x, labels
            x -= x.mean(axis=0)

    return epoch(model, centred(), optimizer, label_smoothing, meter)


@wrong(ONCE)
def run_twice_for_the_accuracy(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    for x, labels in batches:
        model.eval()
        with no_grad():
            model(Tensor(x))
        epoch(model, [(x, labels)], optimizer, label_smoothing, meter)
    return meter.score()


@wrong(ONCE)
def largest_batch_first(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    batches = sorted(batches, key=lambda batch: len(batch[1]))
    return epoch(model, batches, optimizer, label_smoothing, meter)


@wrong(EACH)
def gradients_of_the_sum(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    model.train()
    for x, labels in batches:
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        optimizer.zero_grad()
        (loss * len(labels)).backward()
        optimizer.step()
        meter.update(loss, logits, labels)
    return meter.score()


@wrong(EACH)
def gradients_clipped(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    model.train()
    for x, labels in batches:
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad = parameter.grad.clip(-0.05, 0.05)
        optimizer.step()
        meter.update(loss, logits, labels)
    return meter.score()


@wrong(OLD)
def zeroed_after_the_first_batch(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    meter = meter or Meter()
    model.train()
    for x, labels in batches:
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        meter.update(loss, logits, labels)
    return meter.score()


@wrong(SMOOTH)
def smoothing_of_the_gradient_only(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    own = Meter() if meter is None else meter
    for _, logits, labels in loop(model, batches, optimizer, label_smoothing, Meter()):
        own.update(cross_entropy(logits, labels), logits, labels)
    return own.score()


@wrong(GIVEN)
def score_of_this_epoch_alone(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    seen = loop(model, batches, optimizer, label_smoothing, meter or Meter())
    own = Meter()
    for batch in seen:
        own.update(*batch)
    return own.score()
