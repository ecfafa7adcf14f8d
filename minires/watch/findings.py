"""Sentences on what stands out in the rows of a model."""

import math

# Thresholds for a finding. Measured in residual networks of 18 to 110 layers with batch norm (ResNet-18, 34 and 50 on noise of
# 32 and 64 pixels, the CIFAR networks on digits), at the start and after ten steps with a learning rate of 0.01: at most 59 %
# of a layer's outputs were zero, activations stayed within a factor of 30, and the first layer's gradient was at least 1/40 of
# the largest and at most 570 times the smallest. (ResNet-101 starts with 5,600 times, which is reported.) At a learning rate
# of 0.1 without a warm-up, the deepest networks had layers with 92 to 99 % zeros after ten steps.
DEAD = 0.99  # fraction of zeros
VANISHED = 1e-4  # times the standard deviation elsewhere
EXPLODED = (
    3e3  # times the standard deviation elsewhere; a plain 56-layer network starts with 10,000
)


def findings(rows):
    """Return sentences on what stands out. They are signs, not proofs; the list is empty if nothing does.

    rows  of any number of steps, such as Watch.rows

    If numbers are no longer finite: where, at the first such step. Otherwise, for the last step: layers whose outputs are
    all zero, and standard deviations that vanish or explode between the ends of the network.
    """
    steps = {}
    for row in rows:
        steps.setdefault(row.step, []).append(row)
    for step in sorted(steps):
        if broken := _not_finite(steps[step]):
            return broken
    if not steps:
        return []
    last = steps[max(steps)]
    return (
        _dead(last)
        + _forward(last)
        + _backward([row for row in last if row.gradient_std is not None])
    )


def _not_finite(rows):
    """Name the first layer of the forward pass whose activation is not finite, or of the backward pass whose gradient is not."""
    for row in rows:
        if not math.isfinite(row.activation_std):
            return [
                f"{row.layer}: its outputs are not finite at step {row.step}; those of the layers before it are"
            ]
    for row in reversed(rows):
        if row.gradient_std is not None and not math.isfinite(row.gradient_std):
            which = f"{row.layer}: the gradient that reaches it"
            return [f"{which} is not finite at step {row.step}; those of the layers after it are"]
    return []


def _dead(rows):
    dead = [row for row in rows if row.activation_zeros >= DEAD]
    if not dead:
        return []
    first, others = dead[0], ", ".join(row.layer for row in dead[1:4]) + ", ..." * (len(dead) > 4)
    more = f", also in {others}" if others else ""
    percent = 100 * first.activation_zeros
    return [
        f"{first.layer}: {percent:.4g} % of its outputs are zero at step {first.step}: dead units{more}"
    ]


def _forward(rows):
    found, first = [], rows[0]
    nonzero = [row for row in rows if row.activation_std > 0]
    for end in (min, max):
        other = end(nonzero, key=lambda row: row.activation_std, default=first)
        fate = _fate(other.activation_std, first.activation_std)
        if fate:
            found.append(
                f"the activation's standard deviation goes from {first.activation_std:.2g} in {first.layer} to "
                f"{other.activation_std:.2g} in {other.layer} at step {first.step}: it {fate}"
            )
    return found


def _backward(rows):
    if not rows:
        return []
    found, first = [], rows[0]
    if first.gradient_zeros == 1:
        return [f"no gradient reaches {first.layer} at step {first.step}: it is zero there"]
    nonzero = [row for row in rows if row.gradient_std > 0]
    for end in (min, max):
        other = end(nonzero, key=lambda row: row.gradient_std, default=first)
        fate = _fate(first.gradient_std, other.gradient_std)
        if fate:
            found.append(
                f"the gradient's standard deviation goes from {other.gradient_std:.2g} in {other.layer} to {first.gradient_std:.2g} "
                f"in {first.layer} at step {first.step}: it {fate}"
            )
    return found


def _fate(here, elsewhere):
    """Return "vanishes" or "explodes" if a standard deviation is `here` after it was `elsewhere`; otherwise None."""
    if not here or not elsewhere:
        return None
    return (
        "vanishes"
        if here <= VANISHED * elsewhere
        else "explodes"
        if here >= EXPLODED * elsewhere
        else None
    )
