"""Claims about smoothed_cross_entropy: the mean of -sum(target * log softmax), and its gradient."""

import numpy
from e14c_smoothed_cross_entropy import smoothed_cross_entropy

from minires.course import Check

check = Check("14c", tolerance=1e-12)
rng = numpy.random.default_rng(14)
logits = 2 * rng.standard_normal((3, 5)) + 1
labels = numpy.array([4, 0, 2])
odds = numpy.log([[2.0, 1.0, 1.0], [1.0, 2.0, 7.0]])  # softmax: 1/2 1/4 1/4, and 0.1 0.2 0.7


def test_without_smoothing_it_is_cross_entropy():
    check.same(smoothed_cross_entropy, odds, numpy.array([0, 1]), e=0.0)  # -(log 0.5 + log 0.2) / 2
    check.gradients(smoothed_cross_entropy, logits, labels, e=0.0)


def test_the_loss_of_two_examples_is_right():
    check.same(
        smoothed_cross_entropy, odds, numpy.array([0, 2]), e=0.3
    )  # targets 0.8 0.1 0.1, and 0.1 0.1 0.8
    check.same(smoothed_cross_entropy, odds, numpy.array([2, 0]), e=0.6)


def test_the_gradient_is_that_of_the_loss():
    check.backward(smoothed_cross_entropy, odds, numpy.array([0, 2]), e=0.3)
    check.backward(smoothed_cross_entropy, logits, labels, e=0.1)
    check.backward(smoothed_cross_entropy, logits, labels, e=0.75)


def test_the_gradient_has_the_smoothed_target():
    def run(smoothed_cross_entropy):
        _, backward = smoothed_cross_entropy(odds.copy(), numpy.array([0, 2]), 0.3)
        return {"the gradient": backward(numpy.array(2.0))[0]}

    check.experiment(
        run, smoothed_cross_entropy, "logits log [[2, 1, 1], [1, 2, 7]], labels 0 and 2, e = 0.3"
    )


def test_e_may_be_1():
    check.backward(smoothed_cross_entropy, logits, labels, e=1.0)
    check.gradients(smoothed_cross_entropy, odds, numpy.array([0, 1]), e=1.0)


def test_the_loss_has_the_dtype_of_the_logits():
    def run(smoothed_cross_entropy):
        found = {}
        for dtype in ("float32", "float64"):
            loss, backward = smoothed_cross_entropy(odds.astype(dtype), numpy.array([0, 1]), 0.1)
            g_logits = backward(numpy.array(1.0, dtype))[0]
            found[f"the loss of {dtype} logits"] = str(getattr(loss, "dtype", type(loss).__name__))
            found[f"the gradient of {dtype} logits"] = str(g_logits.dtype)
        return found

    check.experiment(run, smoothed_cross_entropy, "dtypes; a Python number has none")


def test_there_may_be_one_example_or_two_classes():
    check.backward(smoothed_cross_entropy, logits[:1], labels[:1], e=0.3)
    check.backward(smoothed_cross_entropy, logits[:, :2], numpy.array([1, 0, 1]), e=0.3)
    check.gradients(smoothed_cross_entropy, logits[:1, :2], numpy.array([1]), e=0.2)


def test_there_may_be_as_many_examples_as_classes():
    square = rng.standard_normal((4, 4))
    check.backward(smoothed_cross_entropy, square, numpy.array([3, 0, 0, 2]), e=0.2)
    check.gradients(smoothed_cross_entropy, square[:2, :2], numpy.array([1, 1]), e=0.2)


def test_a_thousand_does_not_overflow():
    large = numpy.array([[1000.0, -1000.0, 998.0], [-1000.0, 0.0, -999.0]])
    for e in (0.0, 0.2, 1.0):
        check.gradients(smoothed_cross_entropy, large, numpy.array([2, 0]), e=e)
    check.gradients(smoothed_cross_entropy, large[:1] - 3000, numpy.array([1]), e=0.1)


def test_labels_are_ints_of_any_dtype():
    wide, classes = rng.standard_normal((4, 300)), numpy.array([299, 0, 130, 256])
    for dtype in ("uint16", "int16", "int32", "uint64"):
        check.gradients(smoothed_cross_entropy, wide, classes.astype(dtype), e=0.1)
    long = rng.standard_normal((300, 3))
    for dtype in ("uint8", "int8"):
        check.gradients(smoothed_cross_entropy, long, rng.integers(0, 3, 300).astype(dtype), e=0.1)


def test_a_label_may_come_several_times_or_never():
    check.backward(smoothed_cross_entropy, logits, numpy.array([3, 3, 1]), e=0.2)
    check.gradients(smoothed_cross_entropy, logits, numpy.array([0, 0, 0]), e=0.2)


def test_memory_may_be_in_pieces():
    def run(smoothed_cross_entropy):
        every_second = numpy.array([2, 9, 0, 9, 1, 9, 1, 9, 0, 9])[::2]
        loss, backward = smoothed_cross_entropy(logits.T, every_second, 0.1)
        return {"the loss": loss, "the gradient": backward(numpy.array(2.0))[0]}

    about = "logits that are a transposed array, and every second label of an array"
    check.experiment(run, smoothed_cross_entropy, about)
