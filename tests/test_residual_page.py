"""docs/residual.md: its verdicts follow from the evidence, and its sentences from the tables."""

import math

import numpy
import pytest

from benchmarks.beliefs import verdicts
from benchmarks.beliefs.__main__ import FOLDER
from minires import course

PAGE = FOLDER.parents[2] / "docs" / "residual.md"


@pytest.mark.parametrize(
    ("differences", "expected", "verdict", "text"),
    [
        ([1, 2, 1, 2, 1], "higher", "true", "x: higher in 5 of 5 seeds, by 1.40 ± 0.55: decided"),
        ([1, 2, 1, 2, 1], "lower", "false", "x: higher in 5 of 5 seeds, by 1.40 ± 0.55: decided"),
        ([-1, 2, 1, 2, 1], "higher", "undecided", "x: higher in 4 of 5 seeds, by 1.0 ± 1.2: undecided"),
    ],
)  # fmt: skip
def test_a_verdict_follows_from_the_evidence(differences, expected, verdict, text):
    claim = verdicts.Claim("C.").values("x", [value + 3 for value in differences], 3, expected)
    assert claim.verdict == verdict
    assert verdicts.lines([claim])[2:] == [f"| C. | {text} | *{verdict}* |"]
    claim.exact("y", True)
    assert claim.verdict == verdict
    assert verdicts.lines([claim])[2] == f"| C. | {text}; y | *{verdict}* |"
    claim.exact("z", False)
    assert claim.verdict == "false"


def test_no_evidence_decides_nothing_and_rows_are_those_of_a_table():
    assert verdicts.Claim("C.").verdict == "undecided"
    claim = verdicts.Claim("C.").rows("x", "blocks", "plain", "original", "loss, epoch 2", "higher")
    assert claim.verdict == "true"
    with pytest.raises(ValueError, match="unknown row"):
        verdicts.Claim("C.").rows("x", "blocks", "flat", "original", "loss, epoch 2", "higher")


def test_the_page_has_each_claim_once_with_a_verdict_of_its_own_evidence():
    """Verdicts of all three kinds; at least a third isn't false, so that a trial can acquit."""
    page = PAGE.read_text(encoding="utf-8")
    found = list(verdicts.claims())
    for claim in found:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| {claim.text} |")]
        assert line.endswith(f"| *{claim.verdict}* |")
        words = [text.rpartition(": ")[2] for text, _ in claim.evidence]
        if claim.verdict == "true":
            assert "undecided" not in words
    kinds = [claim.verdict for claim in found]
    assert set(kinds) == {"true", "false", "undecided"} and kinds.count("false") <= 2 / 3 * len(kinds)  # fmt: skip


def test_what_the_page_says_of_the_tables():
    gradients, depth = course.measured("gradients_by_depth"), course.measured("depth")
    for layers in (32, 200):
        assert gradients.cell(f"{layers} layers, plain + BN", "per layer").startswith("1.21") or \
            gradients.cell(f"{layers} layers, plain + BN", "per layer").startswith("1.22")  # fmt: skip
        assert 0.3 < sum(gradients.values(f"{layers} layers, sigmoid", "per layer")) / 5 < 0.35
    assert math.sqrt(math.pi / (math.pi - 1)) == pytest.approx(1.211, abs=1e-3)
    growth = gradients.values("32 layers, skip", "variance, last map : first, log10")
    assert sum(growth) / 5 / 32 == pytest.approx(math.log10(2), rel=0.1)
    for rate in (0.1, 0.05, 0.01):
        assert all(math.isnan(value) for value in depth.values("32 layers, skip", f"loss, rate {rate}"))  # fmt: skip
    published = course.measured("lesions_cifar10")
    cells = {row: published.values(row, "correct of 1,017")[0] for row in published.rows}
    whole = cells.pop("the whole network")
    assert whole == 932 > max(cells.values())
    assert "without 3.0" in sorted(cells, key=cells.get)[:2]
    shapes, of_digits = course.measured("lesions_shapes"), course.measured("lesions_digits")
    means = {row: sum(shapes.values(row, "correct, %")) / 5 for row in shapes.rows}
    assert "without 3.0" in sorted(means, key=means.get)[:2]
    for row in shapes.rows:
        if row.startswith("without"):
            cost = shapes.compare(row, "the whole network", "correct, %")
            assert max(cost.differences) < 0
            assert (cost.verdict == "undecided") == (row == "without 2.2")
            assert of_digits.compare(row, "the whole network", "plain: correct, %").mean < -70
            assert of_digits.compare(row, "the whole network", "residual: correct, %").mean > -12 or row == "without 1.0"  # fmt: skip
            assert 0.7 < sum(shapes.values(row, "rms F : rms shortcut")) / 5 < 1.7


def test_what_the_page_says_of_the_blocks():
    blocks, warmup, order = (course.measured(name) for name in ("blocks", "warmup", "order"))
    for variant in ("ReLU before the add", "BN after the add", "all times 0.5", "1x1 on each shortcut", "dropout on the shortcut"):  # fmt: skip
        assert blocks.compare(variant, "original", "validation, %").verdict == "lower"
        assert blocks.compare(variant, "original", "loss, epoch 2").mean > 1
    assert blocks.compare("second conv reads x", "original", "loss, epoch 2").verdict == "undecided"
    assert all(max(order.values(row, "loss, epoch 6")) < 0.05 for row in order.rows)
    for when in ("with warm-up", "no warm-up"):
        rows = [f"{variant}, {rate}, {when}" for variant in ("original", "pre-activation", "gamma 0") for rate in (0.1, 0.4)]  # fmt: skip
        slow, fast, pre_slow, pre_fast, zero_slow, zero_fast = rows
        for a, b in ((slow, pre_slow), (pre_fast, pre_slow), (zero_fast, zero_slow)):
            assert warmup.compare(a, b, "loss, epoch 2").verdict == "lower"
        assert numpy.std(warmup.values(fast, "loss, epoch 2")) > 5 * numpy.std(warmup.values(slow, "loss, epoch 2"))  # fmt: skip


def test_what_the_page_says_of_shattering():
    found = course.measured("shattering")
    for row in ("24 layers, plain + BN", "50 layers, plain + BN", "50 layers, plain, centred but not scaled"):  # fmt: skip
        assert abs(sum(found.values(row, "lag 1")) / 5) < 0.1
    assert min(found.values("50 layers, skip + BN", "lag 1")) > 0.5
    assert min(found.values("50 layers, plain, weights and biases from N(0, 1/200)", "lag 1")) > 0.9


def test_what_the_page_says_of_the_paths():
    found = course.measured("paths")
    counts = [math.comb(9, k) for k in range(10)]
    assert sum(counts) == 512 and sum(counts[:5]) == 256
    rows = [row for row in found.rows if "branch" in row]
    measured, computed = (
        numpy.array([found.values(row, column) for row in rows])
        for column in ("measured, %", "computed from one gain, %")
    )
    numpy.testing.assert_allclose(measured.sum(axis=0), 100, atol=1e-3)
    assert measured[0].max() < 0.25 and measured[:5].sum(axis=0).max() < 50
    assert abs(measured - computed).max() < 3
    for seed, gain in enumerate(found.values("all lengths", "gain")):
        powers = numpy.array([count * gain**k for k, count in enumerate(counts)])
        numpy.testing.assert_allclose(computed[:, seed], 100 * powers / powers.sum(), rtol=1e-3)
