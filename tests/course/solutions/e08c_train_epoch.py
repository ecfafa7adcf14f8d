"""Solutions of 08c."""

from minires import functional as F
from minires.functional import cross_entropy
from minires.tensor import Tensor
from tests.course.kinds import right, wrong


def one_step(model, x, labels, optimizer, label_smoothing, *, empty=True, go=True):
    """A step; gives (loss, hits, images)."""
    if empty:
        optimizer.zero_grad()
    logits = model(Tensor(x))
    loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
    loss.backward()
    if go:
        optimizer.step()
    return loss.item(), int((logits.data.argmax(axis=-1) == labels).sum()), len(labels)


def total(facts):
    """(loss, accuracy) of all images."""
    images = sum(n for _, _, n in facts)
    return sum(loss * n for loss, _, n in facts) / images, sum(hits for _, hits, _ in facts) / images


def looped(model, batches, optimizer, schedule, step, label_smoothing, **how):
    model.train()
    facts = []
    for i, (x, labels) in enumerate(batches):
        if schedule:
            optimizer.lr = schedule(step + i)
        facts.append(one_step(model, x, labels, optimizer, label_smoothing, **how))
    return facts


@right
def step_by_step(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return total(looped(model, batches, optimizer, schedule, step, label_smoothing))


@right
def emptied_at_the_end(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    model.train(True)
    optimizer.zero_grad()
    images = loss_sum = hits = 0
    rate = schedule or (lambda step: optimizer.lr)
    for x, labels in batches:
        optimizer.lr = rate(step)
        logits = model(Tensor(x))
        loss = F.cross_entropy(logits, labels, label_smoothing=label_smoothing)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        n, step = len(x), step + 1
        right = sum(int(row.argmax()) == int(label) for row, label in zip(logits.data, labels))
        images, loss_sum, hits = images + n, loss_sum + n * float(loss), hits + right
    return loss_sum / images, hits / images


@right
def running_mean(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    loss = accuracy = images = 0.0
    for x, labels in batches:
        model.train()
        if schedule is not None:
            optimizer.lr = schedule(step)
        now, hits, n = one_step(model, x, labels, optimizer, label_smoothing)
        images += n
        loss += (now - loss) * n / images
        accuracy += (hits / n - accuracy) * n / images
        step += 1
    return loss, accuracy


EACH, MEAN = "test_each_batch_is_a_step_of_its_own", "test_the_loss_is_the_mean_over_images"
OLD, SCHEDULE = "test_old_gradients_are_emptied_first", "test_the_schedule_goes_by_steps"


@wrong(OLD, mistake="not_emptied")
def added_up(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return total(looped(model, batches, optimizer, schedule, step, label_smoothing, empty=False))


@wrong(EACH, mistake="no_step")
def emptied_before_the_step(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    model.train()
    facts = []
    for x, labels in batches:
        if schedule:
            optimizer.lr = schedule(step)
        facts.append(one_step(model, x, labels, optimizer, label_smoothing, go=False))
        for parameter in model.parameters():
            parameter.grad = None
        optimizer.step()
        step += 1
    return total(facts)


@wrong(EACH, mistake="step_before_backward")
def by_older_gradients(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    model.train()
    facts = []
    for x, labels in batches:
        if schedule:
            optimizer.lr = schedule(step)
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()
        facts.append((loss.item(), int((logits.data.argmax(axis=1) == labels).sum()), len(x)))
        step += 1
    return total(facts)


@wrong(EACH, mistake="no_step")
def gradients_only(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return total(looped(model, batches, optimizer, schedule, step, label_smoothing, go=False))


@wrong(MEAN, mistake="mean_of_batches")
def averages_averaged(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    facts = looped(model, batches, optimizer, schedule, step, label_smoothing)
    return sum(loss for loss, _, _ in facts) / len(facts), sum(hits / n for _, hits, n in facts) / len(facts)


@wrong(MEAN, mistake="sums_returned")
def undivided(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    facts = looped(model, batches, optimizer, schedule, step, label_smoothing)
    return sum(loss * n for loss, _, n in facts), sum(hits for _, hits, _ in facts)


@wrong(MEAN, mistake="last_batch_only")
def the_latest(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return total(looped(model, batches, optimizer, schedule, step, label_smoothing)[-1:])


@wrong(MEAN, mistake="looked_at_after_the_step")
def run_again(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    facts = []
    for i, (x, labels) in enumerate(batches):
        looped(model, [(x, labels)], optimizer, schedule, step + i, label_smoothing)
        logits = model(Tensor(x))
        loss = F.cross_entropy(logits, labels, label_smoothing=label_smoothing)
        facts.append((float(loss), int((logits.data.argmax(axis=1) == labels).sum()), len(labels)))
    return total(facts)


@wrong("test_the_model_is_in_training_mode", mistake="mode_left")
def as_it_was(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    facts = []
    for x, labels in batches:
        if schedule:
            optimizer.lr = schedule(step)
        facts.append(one_step(model, x, labels, optimizer, label_smoothing))
        step += 1
    return total(facts)


@wrong(SCHEDULE, mistake="schedule_once")
def one_rate_an_epoch(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    if schedule:
        optimizer.lr = schedule(step)
    return total(looped(model, batches, optimizer, None, step, label_smoothing))


@wrong(SCHEDULE, mistake="schedule_ahead")
def counted_first(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return total(looped(model, batches, optimizer, schedule, step + 1, label_smoothing))


@wrong(SCHEDULE, mistake="schedule_from_0")
def counted_anew(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return total(looped(model, batches, optimizer, schedule, 0, label_smoothing))


@wrong("test_label_smoothing_reaches_the_loss", mistake="smoothing_ignored")
def plain_loss(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return total(looped(model, batches, optimizer, schedule, step, 0))


@wrong(SCHEDULE)
def rate_set_after_the_step(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    facts = []
    for x, labels in batches:
        facts += looped(model, [(x, labels)], optimizer, None, step, label_smoothing)
        if schedule:
            optimizer.lr = schedule(step)
        step += 1
    return total(facts)


@wrong("test_without_a_schedule_the_rate_stays")
def a_rate_of_its_own(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return step_by_step(
        model, batches, optimizer, schedule=schedule or (lambda step: 0.1), step=step, label_smoothing=label_smoothing
    )


@wrong(EACH)
def one_step_an_epoch(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    optimizer.zero_grad()
    facts = looped(model, batches, optimizer, schedule, step, label_smoothing, empty=False, go=False)
    optimizer.step()
    return total(facts)


@wrong(MEAN)
def a_tensor(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    loss, accuracy = step_by_step(model, batches, optimizer, schedule=schedule, step=step, label_smoothing=label_smoothing)
    return Tensor(loss), accuracy


@wrong(MEAN)
def in_percent(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    loss, accuracy = step_by_step(model, batches, optimizer, schedule=schedule, step=step, label_smoothing=label_smoothing)
    return loss, 100 * accuracy


@wrong(MEAN)
def turned(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return step_by_step(model, batches, optimizer, schedule=schedule, step=step, label_smoothing=label_smoothing)[::-1]


@wrong(EACH)
def the_last_batch_left_out(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    return total(looped(model, list(batches)[:2], optimizer, schedule, step, label_smoothing))


@wrong("test_batches_may_come_from_a_generator", crashes=True)
def length_asked(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    facts = looped(model, batches, optimizer, schedule, step, label_smoothing)
    return total(facts[: len(batches)])


@wrong("test_batches_may_come_from_a_generator")
def gone_over_twice(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    images = sum(len(labels) for _, labels in batches)
    facts = looped(model, batches, optimizer, schedule, step, label_smoothing)
    return (total(facts) if facts else (0.0, 0.0)) if images else (0.0, 0.0)


@wrong(EACH)
def twice_for_each(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    looped(model, batches[:1], optimizer, schedule, step, label_smoothing)
    return total(looped(model, batches, optimizer, schedule, step, label_smoothing))


@wrong(EACH)
def softmax_twice(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    model.train()
    facts = []
    for i, (x, labels) in enumerate(batches):
        if schedule:
            optimizer.lr = schedule(step + i)
        optimizer.zero_grad()
        shares = F.softmax(model(Tensor(x)))
        loss = cross_entropy(shares, labels, label_smoothing=label_smoothing)
        loss.backward()
        optimizer.step()
        facts.append((loss.item(), int((shares.data.argmax(axis=1) == labels).sum()), len(labels)))
    return total(facts)


@wrong(EACH)
def weights_bound_anew(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    facts = looped(model, batches, optimizer, schedule, step, label_smoothing, go=False)
    for parameter in model.parameters():
        parameter = parameter.data - optimizer.lr * parameter.grad
    return total(facts)
