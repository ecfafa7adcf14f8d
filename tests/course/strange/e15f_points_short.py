"""Strange solutions of 15f."""

import numpy

from minires import functional as F
from minires.backend import xp
from minires.nn import Module
from minires.optim import SGD
from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong
from tests.course.loops import cut, elsewhere, fit
from tests.course.solutions.e15f_points_short import (
    ALONG,
    HEAD,
    LAST,
    LOSS,
    MODE,
    STEPS,
    TRUNK,
    Both,
    full,
    lengths,
    unit,
    with_between,
)

SHORT = "test_short_features"
RETURNS, STAY, NORM = "test_what_it_returns", "test_x_and_labels_stay", "test_batch_norm_in_the_trunk"  # fmt: skip

of_rows = right(
    with_between(
        lambda features, scale: F.concatenate(
            [unit(features[i : i + 1], scale) for i in range(len(features))]
        )
    )
)
by_columns = right(
    with_between(lambda features, scale: F.transpose(
        scale * F.transpose(features, (1, 0)) / F.sqrt(F.sum(F.transpose(features, (1, 0)) ** 2, axis=0)), (1, 0)
    ))
)  # fmt: skip
twice = right(with_between(lambda features, scale: unit(unit(features, 1.0), scale)))
scaled_before = right(with_between(lambda features, scale: scale * unit(3.0 * features, 1.0)))


@right
def two_optimizers(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """One for each net."""
    steppers = [SGD(net.parameters(), lr=lr, momentum=0.9) for net in (trunk.train(), head.train())]
    means = []
    for _ in range(epochs):
        total = 0.0
        for images, some in cut(x, labels, batch):
            loss = F.cross_entropy(head(unit(trunk(Tensor(images)), scale)), some)
            for stepper in steppers:
                stepper.zero_grad()
            loss.backward()
            for stepper in steppers:
                stepper.step()
            total += float(loss) * len(some)
        means.append(total / len(x))
    return means


BETWEEN = {
    "scale_in_the_lengths": (LOSS, lambda f, scale: f / (scale * lengths(f))),
    "scale_squared": (LOSS, lambda f, scale: unit(f, scale**2)),
    "root_of_the_scale": (LOSS, lambda f, scale: unit(f, scale**0.5)),
    "times_the_lengths": (LOSS, lambda f, scale: scale * f * lengths(f)),
    "squares_for_lengths": (LOSS, lambda f, scale: scale * f / F.sum(f**2, axis=1, keepdims=True)),
    "sums_for_lengths": (LOSS, lambda f, scale: scale * f / F.sum(F.sqrt(f**2), axis=1, keepdims=True)),
    "largest_for_lengths": (LOSS, lambda f, scale: scale * f / F.max(F.sqrt(f**2), axis=1, keepdims=True)),
    "lengths_of_columns": (LOSS, lambda f, scale: scale * f / F.sqrt(F.sum(f**2, axis=0, keepdims=True))),
    "about_the_mean": (LOSS, lambda f, scale: unit(f - F.mean(f, axis=1, keepdims=True), scale)),
    "about_the_batch": (LOSS, lambda f, scale: unit(f - F.mean(f, axis=0), scale)),
    "one_more_in_the_root": (LOSS, lambda f, scale: scale * f / F.sqrt(F.sum(f**2, axis=1, keepdims=True) + 1.0)),
    "at_least_one": (LOSS, lambda f, scale: scale * f / F.maximum(lengths(f), 1.0)),
    "positive_alone": (LOSS, lambda f, scale: unit(F.relu(f) + 1e-3, scale)),
    "length_of_the_first_row": (LOSS, lambda f, scale: scale * f / lengths(f[:1])),
    "mean_length": (LOSS, lambda f, scale: scale * f / F.mean(lengths(f))),
    "softmax_of_the_features": (LOSS, lambda f, scale: scale * F.softmax(f)),
    "negative_features": (LOSS, lambda f, scale: unit(-f, scale)),
    "lengths_detached": (TRUNK, lambda f, scale: scale * f / lengths(f).detach()),
    "features_detached": (TRUNK, lambda f, scale: scale * f.detach() / lengths(f)),
    "lengths_of_what_is_detached": (ALONG, lambda f, scale: scale * f / lengths(f.detach())),
    "cut_by_a_copy": (TRUNK, lambda f, scale: unit(Tensor(f.data.copy()), scale)),
    "straight_through": (TRUNK, lambda f, scale: f + Tensor((unit(f, scale) - f).data)),
    "half_of_the_gradient": (TRUNK, lambda f, scale: 0.5 * unit(f, scale) + Tensor(0.5 * unit(f, scale).data)),
    "half_of_the_square": (TRUNK, lambda f, scale: scale * f / F.sqrt(F.sum(f * f.detach(), axis=1, keepdims=True))),
    "at_least_a_tenth": (SHORT, lambda f, scale: scale * f / F.maximum(lengths(f), 0.1)),
    "whole_scales": (LOSS, lambda f, scale: unit(f, int(scale))),
    "scales_from_one": (LOSS, lambda f, scale: unit(f, max(scale, 1.0))),
    "a_little_in_the_lengths": (LOSS, lambda f, scale: scale * f / (lengths(f) + 1e-5)),
    "gradient_scaled": (TRUNK, lambda f, scale: F.scale_gradient(unit(f, scale), factor=0.5)),
    "first_feature_alone_has_a_gradient": (TRUNK, lambda f, scale: unit(
        F.concatenate([f[:, :1], Tensor(f.data[:, 1:])], axis=1) if f.shape[1] > 1 else f, scale
    )),
    "first_image_alone_has_a_gradient": (TRUNK, lambda f, scale: unit(
        F.concatenate([f[:1], Tensor(f.data[1:])]) if len(f) > 1 else f, scale
    )),
}  # fmt: skip
for name, (claim, between) in BETWEEN.items():
    globals()[name] = wrong(claim)(with_between(between))


@wrong(TRUNK)
def head_alone_in_the_optimizer(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """The gradients arrive, and nobody uses those of the trunk."""
    options = dict(epochs=epochs, batch=batch, lr=lr, scale=scale)
    return full(trunk, head, x, labels, **options, optimizer=lambda _: SGD(head.parameters(), lr=lr, momentum=0.9))  # fmt: skip


@wrong(HEAD)
def trunk_alone_in_the_optimizer(trunk, head, x, labels, *, epochs, batch, lr, scale):
    options = dict(epochs=epochs, batch=batch, lr=lr, scale=scale)
    them = trunk.parameters() or head.parameters()[:1]
    return full(trunk, head, x, labels, **options, optimizer=lambda _: SGD(them, lr=lr, momentum=0.9))  # fmt: skip


@wrong(TRUNK)
def without_a_graph(trunk, head, x, labels, *, epochs, batch, lr, scale):
    class Blind(Module):
        def __init__(self):
            self.trunk = trunk

        def forward(self, x):
            with no_grad():
                return self.trunk(x)

    return full(Blind(), head, x, labels, epochs=epochs, batch=batch, lr=lr, scale=scale)


@wrong(STEPS)
def trunk_in_the_first_epoch_alone(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """From the second epoch on, the trunk no longer learns."""
    seen = []

    def between(features, scale):
        seen.append(1)
        late = len(seen) > -(-len(x) // batch)
        return unit(Tensor(features.data) if late else features, scale)

    options = dict(epochs=epochs, batch=batch, lr=lr, scale=scale)
    return full(trunk, head, x, labels, **options, between=between)


@wrong(LOSS)
def logits_of_one_length(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """The length of the logits is set, not that of the features."""
    batches = [cut(x, labels, batch)] * epochs
    model = Both(trunk, head, lambda features: features)
    return [
        loss for loss, _ in fit(model, batches, lr, forward=lambda x: unit(model(Tensor(x)), scale))
    ]


@wrong(MODE)
def head_alone_in_training_mode(trunk, head, x, labels, *, epochs, batch, lr, scale):
    head.train()
    options = dict(epochs=epochs, batch=batch, lr=lr, scale=scale)
    return full(trunk, head, x, labels, **options, mode="as it comes")


@wrong("test_a_head_of_several_layers")
def trunk_alone_in_training_mode(trunk, head, x, labels, *, epochs, batch, lr, scale):
    trunk.train()
    options = dict(epochs=epochs, batch=batch, lr=lr, scale=scale)
    return full(trunk, head, x, labels, **options, mode="as it comes")


@wrong(NORM)
def trunk_runs_twice(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """The lengths come from a second run of the trunk, which updates its statistics again."""
    batches = [cut(x, labels, batch)] * epochs
    model = Both(trunk, head, None)

    def forward(x):
        return head(scale * trunk(Tensor(x)) / lengths(trunk(Tensor(x))))

    return [loss for loss, _ in fit(model, batches, lr, forward=forward)]


copies_trained = wrong(TRUNK)(elsewhere(full, 0, 1))
copy_of_the_trunk_trained = wrong(TRUNK)(elsewhere(full, 0))
copy_of_the_head_trained = wrong(HEAD)(elsewhere(full, 1))


@wrong(LAST)
def last_batch_dropped(trunk, head, x, labels, *, epochs, batch, lr, scale):
    options = dict(epochs=epochs, batch=batch, lr=lr, scale=scale)
    return full(trunk, head, x, labels, **options, drop=min(batch, len(x)))


@wrong(RETURNS)
def a_tuple(*inputs, **options):
    return tuple(full(*inputs, **options))


@wrong(RETURNS)
def an_array(*inputs, **options):
    return xp.array(full(*inputs, **options))


@wrong(RETURNS)
def tensors(*inputs, **options):
    return [Tensor(numpy.array(loss)) for loss in full(*inputs, **options)]


@wrong(STAY)
def x_scaled_in_place(trunk, head, x, labels, **options):
    found = full(trunk, head, x, labels, **options)
    x /= 2
    return found


@wrong(STAY)
def labels_written_to(trunk, head, x, labels, **options):
    found = full(trunk, head, x, labels, **options)
    labels[...] = labels[::-1].copy()
    return found


@wrong(STEPS)
def images_backwards(trunk, head, x, labels, **options):
    return full(trunk, head, x[::-1], labels[::-1], **options)


@wrong(STEPS)
def one_epoch_more(trunk, head, x, labels, *, epochs, **options):
    return full(trunk, head, x, labels, epochs=epochs + 1, **options)[:epochs]
