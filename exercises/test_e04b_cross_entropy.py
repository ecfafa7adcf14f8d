"""Claims about cross_entropy: the mean over the batch of -log softmax at the label, or at a smoothed target, and its gradient."""

import numpy
from e04b_cross_entropy import cross_entropy

from minires.course import Check

check = Check("04b", tolerance=1e-12)
rng = numpy.random.default_rng(42)
logits = 2 * rng.standard_normal((3, 5)) + 1
labels = numpy.array([4, 0, 2])
odds = numpy.log([[2.0, 1.0, 1.0], [1.0, 2.0, 7.0]])  # softmax: 1/2 1/4 1/4, and 0.1 0.2 0.7


def test_the_loss_of_two_examples_is_right():
    check.same(cross_entropy, odds, numpy.array([0, 1]))  # -(log 0.5 + log 0.2) / 2


def test_the_loss_has_the_dtype_of_the_logits():
    def run(cross_entropy):
        dtypes = {}
        for dtype in ("float32", "float64"):
            loss, _ = cross_entropy(odds.astype(dtype), numpy.array([0, 1]), label_smoothing=0.1)
            dtypes[f"the loss of {dtype} logits"] = str(getattr(loss, "dtype", type(loss).__name__))
        return dtypes

    check.experiment(run, cross_entropy, "the dtype of the loss; a Python number has none")


def test_the_gradient_is_softmax_minus_target_over_n():
    check.gradients(cross_entropy, odds, numpy.array([0, 1]))
    check.backward(cross_entropy, logits, labels)


def test_a_label_may_come_twice_and_one_example_is_a_batch():
    check.backward(cross_entropy, logits, numpy.array([3, 3, 1]))
    check.backward(cross_entropy, logits[:1], labels[:1])


def test_label_smoothing_is_spread_over_all_classes():
    check.same(
        cross_entropy, odds, numpy.array([0, 2]), label_smoothing=0.3
    )  # targets 0.8 0.1 0.1, and 0.1 0.1 0.8
    check.backward(cross_entropy, logits, labels, label_smoothing=0.1)
    check.backward(cross_entropy, logits, labels, label_smoothing=0.75)
    check.gradients(cross_entropy, logits, labels, label_smoothing=1.0)
    check.gradients(cross_entropy, logits[:1], labels[:1], label_smoothing=0.3)
    check.gradients(cross_entropy, logits[:, :2], numpy.array([1, 0, 1]), label_smoothing=0.3)
    # Classes that are no example's label count, too.
    check.gradients(cross_entropy, logits, numpy.array([0, 1, 1]), label_smoothing=0.3)


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


def test_there_may_be_as_many_examples_as_classes():
    square = rng.standard_normal((4, 4))
    check.backward(cross_entropy, square, numpy.array([3, 0, 0, 2]), label_smoothing=0.2)
    check.gradients(cross_entropy, square[:2, :2], numpy.array([1, 1]))


def test_there_may_be_hundreds_of_classes_or_examples():
    wide, long = rng.standard_normal((4, 300)), rng.standard_normal((300, 3))
    for dtype in ("uint16", "int16", "int64"):
        check.gradients(cross_entropy, wide, numpy.array([299, 0, 130, 256]).astype(dtype))
    check.gradients(cross_entropy, long, rng.integers(0, 3, 300).astype("uint8"))
    check.gradients(cross_entropy, wide, numpy.array([299, 0, 130, 256]).astype("uint64"))


def test_a_single_class_costs_nothing():
    def run(cross_entropy):
        loss, backward = cross_entropy(logits[:, :1], numpy.array([0, 0, 0]))
        g_logits, _ = backward(numpy.array(2.0))
        return {"the loss, to 6 digits": float(loss.round(6)) + 0.0,
                "the gradient, to 6 digits": g_logits.round(6) + 0.0}  # fmt: skip

    check.experiment(run, cross_entropy, "logits of shape (3, 1), labels [0, 0, 0]")


def test_memory_may_be_in_pieces():
    def run(cross_entropy):
        every_second = numpy.array([2, 9, 0, 9, 1, 9, 1, 9, 0, 9])[::2]
        loss, backward = cross_entropy(logits.T, every_second)
        return {"the loss": loss, "the gradient": backward(numpy.array(2.0))[0]}

    check.experiment(
        run, cross_entropy, "logits that are a transposed array, and every second label of an array"
    )


def test_nan_is_not_hidden():
    spoilt = logits.copy()
    spoilt[1, 3] = numpy.nan
    check.gradients(cross_entropy, spoilt, labels)
