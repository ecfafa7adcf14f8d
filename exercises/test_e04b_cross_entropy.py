"""Claims about cross_entropy: the mean over the batch of -log softmax at the label, or at a smoothed target, and its gradient."""

import numpy
from e04b_cross_entropy import cross_entropy

from minires.course import Check

check = Check("04b")
rng = numpy.random.default_rng(42)
logits = 2 * rng.standard_normal((3, 5)) + 1
labels = numpy.array([4, 0, 2])
odds = numpy.log([[2.0, 1.0, 1.0], [1.0, 2.0, 7.0]])  # softmax: 1/2 1/4 1/4, and 0.1 0.2 0.7


def test_two_examples_by_hand():
    check.same(cross_entropy, odds, numpy.array([0, 1]))  # -(log 0.5 + log 0.2) / 2


def test_the_gradient_is_softmax_minus_target_over_n():
    check.gradients(cross_entropy, odds, numpy.array([0, 1]))
    check.backward(cross_entropy, logits, labels)


def test_one_label_may_come_twice_and_one_example_is_a_batch():
    check.backward(cross_entropy, logits, numpy.array([3, 3, 1]))
    check.backward(cross_entropy, logits[:1], labels[:1])


def test_label_smoothing_spreads_its_part_over_all_classes():
    check.same(
        cross_entropy, odds, numpy.array([0, 2]), label_smoothing=0.3
    )  # targets 0.8 0.1 0.1, and 0.1 0.1 0.8
    check.backward(cross_entropy, logits, labels, label_smoothing=0.1)
    check.backward(cross_entropy, logits, labels, label_smoothing=0.75)


def test_a_thousand_does_not_overflow():
    check.gradients(
        cross_entropy,
        numpy.array([[1000.0, -1000.0, 998.0], [-1000.0, 0.0, -999.0]]),
        numpy.array([2, 0]),
    )


def test_labels_are_ints_of_any_size():
    many = rng.integers(0, 5, 70)
    for dtype in ("uint8", "int8", "int32"):
        check.gradients(
            cross_entropy, numpy.linspace(-3, 4, 350).reshape(70, 5) ** 2, many.astype(dtype)
        )
