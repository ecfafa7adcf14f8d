"""A known mistake is named only where it alone fits: it passes what the learner's function passes, and fails in the same way."""

import numpy
import pytest

from minires.course import manifest, runner
from tests.course.test_state_between_calls import right
from tests.course.trials import tried


def named(id, function):
    result = tried(manifest.exercise(id), function)
    assert result.state == runner.WRONG
    assert ("This is what comes out when" in result.message) == (result.mistake is not None)
    return result.mistake


def drawn(shape, generator, variance):
    return (generator.standard_normal(shape) * variance**0.5).astype("float32")


def glorot(shape, generator):
    kh, kw, c, f = shape
    return drawn(shape, generator, 2 / (kh * kw * (c + f)))


def glorot_uniform(shape, generator):
    kh, kw, c, f = shape
    bound = (6 / (kh * kw * (c + f))) ** 0.5
    return generator.uniform(-bound, bound, shape).astype("float32")


def cut_at_two(shape, generator):
    kh, kw, _, f = shape
    return numpy.clip(drawn(shape, generator, 1), -2, 2) * numpy.float32((2 / (kh * kw * f)) ** 0.5)


def test_a_loose_claim_gives_no_name_to_what_is_near_a_known_mistake():
    assert named("04f", glorot) == "both_fans"
    assert named("04f", glorot_uniform) is None
    assert named("04f", cut_at_two) is None


def largest_of_the_column(x, *, axis=-1):
    powers = numpy.exp(x - x.max(axis=0, keepdims=True))
    y = powers / powers.sum(axis=axis, keepdims=True)
    return y, lambda g: (y * (g - (g * y).sum(axis=axis, keepdims=True)),)


def never_unbiased_for_two(running_mean, running_var, mean, var, momentum, count):
    var = var * count / (count - 1) if count > 2 else var
    for running, batch in ((running_mean, mean), (running_var, var)):
        running *= 1 - momentum
        running += momentum * batch


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("id", "function"), [("04h", largest_of_the_column), ("07c", never_unbiased_for_two)]
)
def test_a_mistake_that_fails_other_claims_is_not_named(id, function):
    assert named(id, function) is None


def swapped(a, b):
    unbroadcast = right("02b")
    return a * b, lambda g: tuple(unbroadcast(g * x, numpy.shape(x)) for x in (a, b))


def swapped_and_doubled_for_numbers(a, b):
    y, backward = swapped(a, b)
    factor = 2 if isinstance(a, float) or isinstance(b, float) else 1
    return y, lambda g: tuple(factor * gradient for gradient in backward(g))


def test_a_second_mistake_that_shows_takes_the_name_away():
    assert named("02a", swapped) == "swapped"
    assert named("02a", swapped_and_doubled_for_numbers) is None


def test_a_plain_float_from_an_op_is_told():
    def with_a_float(logits, labels, *, label_smoothing=0.0):
        loss, backward = right("04b")(logits, labels, label_smoothing=label_smoothing)
        return float(loss), backward

    result = tried(manifest.exercise("04b"), with_a_float)
    assert result.mistake is None and "the result is a plain float" in result.message
