"""Solutions of 15f: training runs whose gradients reach the trunk, and others."""

from minires import functional as F
from minires.backend import xp
from minires.nn import Module
from minires.optim import SGD
from minires.tensor import Tensor
from minires.train import train_epoch
from tests.course.kinds import right, wrong
from tests.course.loops import OF_THE_MEANS, OF_THE_STEPS, cut, fit, twisted

LOSS, HEAD, TRUNK = "test_the_loss_of_a_step", "test_the_head_after_a_step", "test_the_trunk_after_a_step"  # fmt: skip
ALONG, STEPS, LAST = "test_the_gradient_has_nothing_along_f", "test_steps_and_epochs", "test_a_small_last_batch"  # fmt: skip
MODE = "test_both_train_in_training_mode"


def lengths(features):
    """Return the length of each row."""
    return F.sqrt(F.sum(features**2, axis=1, keepdims=True))


def unit(features, scale):
    """Return the rows at their new length."""
    return scale * features / lengths(features)


class Both(Module):
    """Trunk, what is between, and head."""

    def __init__(self, trunk, head, between):
        self.trunk, self.head, self.between = trunk, head, between

    def forward(self, x):
        return self.head(self.between(self.trunk(x)))


def full(trunk, head, x, labels, *, epochs, batch, lr, scale, between=unit, **options):
    """A training run with between(features, scale) between trunk and head."""
    model = Both(trunk, head, lambda features: between(features, scale))
    batches = [cut(x, labels, batch)] * epochs
    return [loss for loss, _ in fit(model, batches, lr, **options)]


globals().update(
    twisted(full, {**OF_THE_STEPS, **OF_THE_MEANS}, one=TRUNK, steps=STEPS, last=LAST, mode=MODE, **{"mode of epochs": "test_batch_norm_in_the_trunk"})
)  # fmt: skip
for name in ("sum_of_losses",):
    globals()[name] = wrong(LOSS)(globals()[name])
for name in ("loss_after_the_step",):
    globals()[name] = wrong(HEAD)(globals()[name])


@right
def one_module(trunk, head, x, labels, *, epochs, batch, lr, scale):
    return full(trunk, head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale)


@right
def without_data(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """The original, on tensors."""
    optimizer = SGD([*trunk.parameters(), *head.parameters()], lr=lr, momentum=0.9)
    losses = []
    trunk.train()
    head.train()
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), batch):
            some = labels[start : start + batch]
            features = trunk(Tensor(x[start : start + batch]))
            squares = F.sum(features * features, axis=1, keepdims=True)
            loss = F.cross_entropy(head(features * scale / squares**0.5), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(some)
        losses.append(total / len(x))
    return losses


@right
def by_train_epoch(trunk, head, x, labels, *, epochs, batch, lr, scale):
    model = Both(trunk, head, lambda features: unit(features, scale))
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    return [train_epoch(model, cut(x, labels, batch), optimizer).loss for _ in range(epochs)]


@right
def scaled_lengths(trunk, head, x, labels, *, epochs, batch, lr, scale):
    def between(features, scale):
        return features / (lengths(features) / scale)

    return full(trunk, head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale, between=between)  # fmt: skip


@right
def by_a_product_of_matrices(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """The squares are added up by a product with ones."""

    def between(features, scale):
        ones = Tensor(xp.ones((features.shape[1], 1), features.dtype))
        return scale * features * ((features * features) @ ones) ** -0.5

    return full(trunk, head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale, between=between)  # fmt: skip


@right
def by_the_mean_of_squares(trunk, head, x, labels, *, epochs, batch, lr, scale):
    def between(features, scale):
        d = features.shape[1]
        return features * (scale / d**0.5) / F.sqrt(F.mean(features**2, axis=1, keepdims=True))

    return full(trunk, head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale, between=between)  # fmt: skip


@right
def logarithms(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """1 / |f| is exp(-log(f . f) / 2)."""

    def between(features, scale):
        squares = F.sum(features**2, axis=1)
        factors = F.reshape(F.exp(F.log(squares) * -0.5), (len(features), 1))
        return features * factors * scale

    return full(trunk, head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale, between=between)  # fmt: skip


@right
def backward_by_hand(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """The gradient of the normalisation is derived, and passed on to the trunk."""
    optimizer = SGD(trunk.parameters() + head.parameters(), lr=lr, momentum=0.9)
    means = []
    for net in (trunk, head):
        net.train()
    for _ in range(epochs):
        total = 0.0
        for images, some in cut(x, labels, batch):
            features = trunk(Tensor(images))
            f = features.data
            length = xp.sqrt((f**2).sum(axis=1, keepdims=True))
            given = Tensor(scale * f / length, requires_grad=True)
            loss = F.cross_entropy(head(given), some)
            optimizer.zero_grad()
            loss.backward()
            g, u = given.grad, f / length
            g_f = scale / length * (g - u * (g * u).sum(axis=1, keepdims=True))
            features.backward(g_f)
            optimizer.step()
            total += float(loss) * len(some)
        means.append(total / len(x))
    return means


def with_between(between):
    """Return a training run with this between trunk and head."""

    def solution(trunk, head, x, labels, *, epochs, batch, lr, scale):
        options = dict(epochs=epochs, batch=batch, lr=lr, scale=scale)
        return full(trunk, head, x, labels, **options, between=between)

    return solution


@wrong(TRUNK, mistake="lengths_as_constants")
def data_in_the_lengths(trunk, head, x, labels, *, epochs, batch, lr, scale):
    def between(features, scale):
        return features * (scale / xp.sqrt((features.data**2).sum(axis=1, keepdims=True)))

    return full(trunk, head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale, between=between)  # fmt: skip


@wrong(TRUNK, mistake="through_the_lengths_alone")
def data_above_the_lengths(trunk, head, x, labels, *, epochs, batch, lr, scale):
    def between(features, scale):
        return (lengths(features) ** -1) * (scale * features.data)

    return full(trunk, head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale, between=between)  # fmt: skip


@wrong(LOSS, mistake="any_length")
def no_lengths(trunk, head, x, labels, *, epochs, batch, lr, scale):
    optimizer = SGD([*trunk.parameters(), *head.parameters()], lr=lr, momentum=0.9)
    losses = []
    trunk.train()
    head.train()
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), batch):
            some = labels[start : start + batch]
            features = trunk(Tensor(x[start : start + batch]))
            loss = F.cross_entropy(head(features * scale), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(some)
        losses.append(total / len(x))
    return losses


length_forgotten = wrong(LOSS, mistake="length_one")(
    with_between(lambda features, scale: unit(features, 1.0))
)
length_of_everything = wrong(LOSS, mistake="one_length_for_the_batch")(
    with_between(lambda features, scale: features * (scale * F.sum(features * features) ** -0.5))
)
mean_of_the_squares = wrong(LOSS, mistake="root_mean_square")(
    with_between(lambda features, scale: unit(features, scale * features.shape[1] ** 0.5))
)


@wrong(LAST, mistake="mean_of_batches")
def mean_of_means(trunk, head, x, labels, *, epochs, batch, lr, scale):
    return full(trunk, head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale, mean="batches")  # fmt: skip


cut_before = wrong(TRUNK)(with_between(lambda features, scale: unit(Tensor(features.data), scale)))
cut_after = wrong(TRUNK)(with_between(lambda features, scale: unit(features, scale).detach()))
