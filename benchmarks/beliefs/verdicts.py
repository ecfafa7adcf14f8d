"""Claims about depth and residual networks, each with what was measured, and the verdict that follows: true, false or undecided."""

import math
import statistics

from minires import models
from minires.course import compare, measured

GRADIENT, LOSS = "gradient, first map : last, log10", "loss, epoch 2"


class Claim:
    """A claim, as it is commonly put. Each piece of evidence has a text, and speaks "for" it, "against" it, or is "undecided"."""

    def __init__(self, text):
        self.text, self.evidence = text, []

    @property
    def verdict(self):
        """ "false" if something speaks against it, "true" if everything speaks for it, otherwise "undecided"."""
        sides = {side for _, side in self.evidence}
        if "against" in sides:
            return "false"
        return "true" if sides == {"for"} else "undecided"

    def rows(self, what, table, a, b, column, expected):
        """Add a comparison of two rows of a table. expected  "higher" or "lower": the first row's, if the claim is true"""
        return self._add(what, measured(table).compare(a, b, column), expected)

    def values(self, what, a, b, expected):
        """Add a comparison of values, one of each per seed; b may be a number."""
        return self._add(what, compare(a, [b] * len(a) if isinstance(b, (int, float)) else b), expected)  # fmt: skip

    def exact(self, what, holds):
        """Add a count, which speaks for the claim if it holds, and against it otherwise."""
        self.evidence.append((what, "for" if holds else "against"))
        return self

    def _add(self, what, found, expected):
        sides = {"undecided": "undecided", expected: "for"}
        self.evidence.append((f"{what}: {found}", sides.get(found.verdict, "against")))
        return self


def lines(chosen=None):
    """Return the lines of a Markdown table of claims, by default all."""
    found = ["| claim | measured | verdict |", "| --- | --- | --- |"]
    for claim in claims() if chosen is None else chosen:
        evidence = "; ".join(text for text, _ in claim.evidence)
        found.append(f"| {claim.text} | {evidence} | *{claim.verdict}* |")
    return found


def claims():
    """Return all claims with their evidence, in the order of the chapters."""
    return [*_of_depth(), *_of_the_block(), *_of_the_inside(), *_of_the_family(), *_of_clean_paths()]  # fmt: skip


def _of_depth():
    """Chapter 09."""
    depth, gradients = measured("depth"), measured("gradients_by_depth")
    rates = [float(name.split()[-1]) for name in depth.columns if name.startswith("loss")]

    def at_start(text, kind, layers=32):
        values = gradients.values(f"{layers} layers, {kind}", GRADIENT)
        return Claim(text).values(f"{layers} layers, log10 of the first map's gradient over the last's, next to 0", values, 0, "lower")  # fmt: skip

    def by_rate(text, a, b, expected, column="loss"):
        claim = Claim(text)
        for rate in rates:
            claim.rows(f"{column} at rate {rate}", "depth", a, b, f"{column}, rate {rate}", expected)  # fmt: skip
        return claim

    yield at_start("With sigmoids, gradients vanish in a deep plain network.", "sigmoid")
    yield at_start(
        "With ReLUs and Kaiming's weights, gradients vanish in a deep plain network.", "plain"
    )
    yield at_start("With batch norm, gradients vanish in a deep plain network, so shortcuts are needed.", "plain + BN")  # fmt: skip
    yield by_rate("The deeper a plain network, the better it fits its training images (32 layers, 4).",
                  "32 layers, plain + BN", "4 layers, plain + BN", "lower")  # fmt: skip
    yield by_rate("A deep plain network fails because it overfits: its training loss is low (32 layers, 4).",
                  "32 layers, plain", "4 layers, plain", "lower")  # fmt: skip
    yield by_rate("A shortcut always helps, in a network of 4 layers too.",
                  "4 layers, skip + BN", "4 layers, plain + BN", "lower")  # fmt: skip
    alone = Claim("A shortcut is enough: 32 layers train without batch norm.")
    for rate in rates:
        values = depth.values("32 layers, skip", f"loss, rate {rate}")
        lost = sum(math.isnan(value) for value in values)
        alone.exact(f"rate {rate}: diverged in {lost} of {len(values)} seeds", not lost)
    yield alone
    yield by_rate("Without batch norm, a deep residual network learns less (32 layers, branch divided by √32, or batch norm).",
                  "32 layers, skip/√L", "32 layers, skip + BN", "higher")  # fmt: skip
    yield Claim("Without batch norm, 200 layers learn nothing (branch divided by √200; validation, chance is 10 %).").values(
        "next to 50 %", depth.values("200 layers, skip/√L", "validation, %, rate 0.05"), 50, "lower")  # fmt: skip


def _of_the_block():
    """Chapter 10."""

    def against_original(text, variant, expected):
        return Claim(text).rows("loss of epoch 2, next to the original", "blocks", variant, "original", LOSS, expected)  # fmt: skip

    def to_the_end(text, variant, expected):
        return against_original(text, variant, expected).rows("of epoch 6", "order", variant, "original", "loss, epoch 6", expected)  # fmt: skip

    yield against_original("Shortcuts make 32 layers learn faster.", "plain", "higher")
    yield against_original("Each convolution is followed by batch norm and ReLU: a ReLU before the add does no harm.", "ReLU before the add", "lower")  # fmt: skip
    yield to_the_end("Convolution, ReLU, batch norm, and nothing after the add: with that order, 32 layers learn more slowly.", "conv ReLU BN", "higher")  # fmt: skip
    yield to_the_end("With a second convolution that reads x instead of the first result, 32 layers learn more slowly.", "second conv reads x", "higher")  # fmt: skip
    yield against_original("Batch norm after the add makes 32 layers learn more slowly.", "BN after the add", "higher")  # fmt: skip


def _of_the_inside():
    """Chapter 11."""
    minimised, shapes = measured("minimised"), measured("lesions_shapes")
    of_digits, (residual, plain) = measured("lesions_digits"), (f"{kind}: correct, %" for kind in ("residual", "plain"))  # fmt: skip
    first, last = (minimised.values("cross entropy", f"sum of mean F², {when}") for when in ("first step", "last epoch"))  # fmt: skip
    yield Claim("Training makes the residuals small: it minimises the sum of mean F².").values("last epoch, next to the first step", last, first, "lower")  # fmt: skip
    yield Claim("A penalty on F² raises the accuracy.").rows(
        "validation, %", "minimised", "cross entropy + 0.1 sum of mean F²", "cross entropy", "validation, %", "higher")  # fmt: skip
    names = [row for row in shapes.rows if row.startswith("without")]

    def by_seed(table, column, chosen):
        """Return for each seed the smallest, or the median, or the mean over the blocks."""
        return [chosen(values) for values in zip(*(table.values(name, column) for name in names))]

    yield Claim("F is small next to x: blocks are nearly the identity.").values(
        "rms F : rms shortcut on shapes, the median of the blocks next to 0.5", by_seed(shapes, "rms F : rms shortcut", statistics.median), 0.5, "lower")  # fmt: skip
    worst = Claim("A residual network is an ensemble, from which any one block may be left out.")
    for name, table, column in (("shapes", shapes, "correct, %"), ("digits", of_digits, residual)):
        worst.values(f"{name}, correct, % without the block that costs most, next to the whole network",
                     by_seed(table, column, min), table.values("the whole network", column), "higher")  # fmt: skip
    yield worst
    yield Claim("A residual network stands the loss of a block better than a plain one does.").values(
        "digits, correct, %, the mean over the blocks, residual next to plain",
        by_seed(of_digits, residual, statistics.fmean), by_seed(of_digits, plain, statistics.fmean), "higher")  # fmt: skip
    lag, shattering = "lag 1", measured("shattering")
    yield Claim("Gradients of deep plain networks are like noise.").values(
        "autocorrelation of dy/dx at lag 1, 50 layers, next to 0.5", shattering.values("50 layers, plain", lag), 0.5, "lower")  # fmt: skip
    yield Claim("Batch norm makes gradients of deep plain networks like noise, and its centring alone would do.").rows(
        "autocorrelation at lag 1, with batch norm", "shattering", "50 layers, plain + BN", "50 layers, plain", lag, "lower").rows(
        "centred only", "shattering", "50 layers, plain, centred but not scaled", "50 layers, plain", lag, "lower")  # fmt: skip
    yield Claim("With shortcuts, the gradients of neighbours are related again, with batch norm too.").rows(
        "autocorrelation at lag 1, skip next to plain, both with batch norm", "shattering", "50 layers, skip + BN", "50 layers, plain + BN", lag, "higher")  # fmt: skip
    paths = measured("paths")
    by_length, computed = (
        list(zip(*(paths.values(row, column) for row in paths.rows if "branch" in row)))
        for column in ("measured, %", "computed from one gain, %")
    )
    yield Claim("The gradient flows along the shortcuts: most of it comes through the path that takes no branch.").values(
        "9 blocks on shapes, % through no branch, next to 50", [each[0] for each in by_length], 50, "higher")  # fmt: skip
    yield Claim("Most of the gradient comes through the short half of the paths.").values(
        "9 blocks on shapes, % through at most 4 branches, next to 50", [sum(each[:5]) for each in by_length], 50, "higher")  # fmt: skip
    yield Claim("One number, the gain of a branch, says how much of the gradient comes through paths of each length.").values(
        "9 blocks on shapes, the largest error in percentage points, next to 5",
        [max(abs(a - b) for a, b in zip(*both)) for both in zip(by_length, computed)], 5, "lower")  # fmt: skip


def _of_the_family():
    """Chapter 12."""
    counts = {
        kind: sum(parameter.size for parameter in models.resnet20(shortcut=kind).parameters())
        for kind in ("A", "B", "none")
    }
    yield Claim("Shortcuts reduce the number of parameters.").exact(
        f"ResNet-20 has {counts['A']:,} with option A, {counts['B']:,} with B, and {counts['none']:,} without shortcuts",
        max(counts["A"], counts["B"]) < counts["none"])  # fmt: skip


def _of_clean_paths():
    """Chapter 13."""
    loss = "loss, epoch 2"
    original = "next to the original"
    yield Claim("A 1x1 convolution on each shortcut is more general than the identity, so it is better.").rows(
        f"{loss}, {original}", "blocks", "1x1 on each shortcut", "original", LOSS, "lower")  # fmt: skip
    yield Claim("A factor of 0.5 on shortcut and branch makes 32 layers learn more slowly.").rows(
        f"{loss}, {original}", "blocks", "all times 0.5", "original", LOSS, "higher")  # fmt: skip
    yield Claim("Pre-activated blocks learn faster than the original ones, at the same rate.").rows(
        f"{loss}, 32 layers, rate 0.1", "blocks", "pre-activation", "original", LOSS, "lower")  # fmt: skip
    yield Claim("Pre-activated blocks stand a higher rate better: from 0.1 to 0.4, their loss falls and the original's rises.").rows(
        f"{loss}, pre-activated, 0.4 next to 0.1", "warmup", "pre-activation, 0.4, no warm-up", "pre-activation, 0.1, no warm-up", LOSS, "lower").rows(
        "original", "warmup", "original, 0.4, no warm-up", "original, 0.1, no warm-up", LOSS, "higher")  # fmt: skip
    yield Claim("With gamma = 0 at the start, a network learns faster.").rows(
        f"{loss}, 32 layers, rate 0.1", "blocks", "gamma 0", "original", LOSS, "lower")  # fmt: skip
    yield Claim("At a rate of 0.4, the original needs warm-up.").rows(
        f"{loss}, without next to with", "warmup", "original, 0.4, no warm-up", "original, 0.4, with warm-up", LOSS, "higher")  # fmt: skip
