"""Functions that keep state between calls, or write to what is not theirs, are rejected and told so, in every exercise."""

import numpy
import pytest

from minires.course import manifest, runner
from tests.course.trials import built, source, tried

OPS = ("02a", "02d", "02e", "04c", "05e", "06a", "06b", "07b", "07d")
PLAIN = ("02g", "05b", "07a", "08d")
TOLD = (
    "state is kept between calls",
    "a second call on the same inputs",
    "a later call changes the result",
    "does a call leave something behind",
    "a second call of backward",
    "changes the gradients of an earlier one",
    "two calls, and the gradient of the first after both",
)


def right(id):
    """The function of an exercise, right and not the library's."""
    exercise = manifest.exercise(id)
    return built(exercise, source(exercise))


def key(inputs, options):
    return str([numpy.shape(value) for value in inputs]) + str(options)


def last_call_counts(function):
    """backward is that of the last call, whichever it is asked for."""

    def kept(*inputs, **options):
        result, kept.backward = function(*inputs, **options)
        return result, lambda g: kept.backward(g)

    return kept


def first_call_counts(function):
    """A default argument keeps the first backward of each shape."""

    def kept(*inputs, first={}, **options):  # noqa: B006
        result, backward = function(*inputs, **options)
        first.setdefault(key(inputs, options), backward)
        return result, lambda g: first[key(inputs, options)](g)

    return kept


def one_result_for_each_shape(function):
    """Results are remembered by the shapes of the inputs."""
    known = {}

    def kept(*inputs, **options):
        return known.setdefault(key(inputs, options), function(*inputs, **options))

    return kept


def one_buffer_for_each_shape(function):
    """The result is written into memory that all calls share."""
    buffers = {}

    def kept(*inputs, **options):
        made = function(*inputs, **options)
        result = made[0] if isinstance(made, tuple) else made
        where = key(inputs, options) + str(result.dtype)
        buffer = buffers.setdefault(where, numpy.empty_like(result))
        buffer[...] = result
        return (buffer, *made[1:]) if isinstance(made, tuple) else buffer

    return kept


def one_result_for_each_object(function):
    """Results are remembered by the id of the first input, which stays alive."""
    known = {}

    def kept(*inputs, **options):
        objects = [value for value in inputs if isinstance(value, numpy.ndarray)]
        where = str([id(value) for value in objects]) + key(inputs, options)
        return known.setdefault(where, (objects, function(*inputs, **options)))[1]

    return kept


def gradients_added_up(function):
    """backward adds to what it has returned before."""

    def kept(*inputs, **options):
        result, backward = function(*inputs, **options)
        sums = []

        def adding(g):
            new = [numpy.array(gradient) for gradient in backward(g)]
            sums[:] = [a + b for a, b in zip(sums, new)] or new
            return tuple(sums)

        return result, adding

    return kept


def one_buffer_for_gradients(function):
    """backward writes its gradients into memory that the calls of a shape share."""
    buffers = {}

    def kept(*inputs, **options):
        result, backward = function(*inputs, **options)

        def into(g):
            gradients = backward(g)
            where = key(inputs, options) + str([getattr(part, "dtype", None) for part in gradients])
            own = buffers.setdefault(where, [numpy.array(part) for part in gradients])
            for buffer, gradient in zip(own, gradients):
                buffer[...] = gradient
            return tuple(own)

        return result, into

    return kept


def first_gradients_remembered(function):
    """backward returns what its first call returned, whatever the upstream gradient."""

    def kept(*inputs, **options):
        result, backward = function(*inputs, **options)
        known = []
        return result, lambda g: known[0] if known else known.append(backward(g)) or known[0]

    return kept


def zeros_taken_as_ones(function):
    """Where the upstream gradient is 0, backward takes 1."""

    def kept(*inputs, **options):
        result, backward = function(*inputs, **options)
        return result, lambda g: backward(numpy.where(g == 0, 1, g).astype(g.dtype))

    return kept


OF_OPS = (last_call_counts, first_call_counts, one_result_for_each_shape, one_buffer_for_each_shape,
          one_result_for_each_object, gradients_added_up, one_buffer_for_gradients, first_gradients_remembered, zeros_taken_as_ones)  # fmt: skip
OF_PLAIN = (one_result_for_each_shape, one_result_for_each_object)


def test_what_these_are_made_of_is_right():
    for id in (*OPS, *PLAIN):
        assert tried(manifest.exercise(id), right(id)).state == runner.SOLVED


# These three return results that may be NumPy scalars, or backward reads them; a buffer makes them wrong in other ways.
NO_BUFFER = ("02e", "07b", "07d")
# The gradient of 02e depends on the shape alone; earlier claims of 05e and 06b have calls of the same shapes, with wrong numbers at once.
NOT_FIRST = ("02e", "05e", "06b")
CASES = [
    (id, fault)
    for id in OPS
    for fault in OF_OPS
    if not (fault is one_buffer_for_each_shape and id in NO_BUFFER)
    and not (fault is first_call_counts and id in NOT_FIRST)
]


@pytest.mark.parametrize(
    ("id", "fault"), CASES, ids=[f"{id}-{fault.__name__}" for id, fault in CASES]
)
def test_an_op_that_keeps_state_is_rejected(id, fault):
    result = tried(manifest.exercise(id), fault(right(id)))
    assert result.state == runner.WRONG and result.mistake is None
    assert any(words in result.message for words in TOLD), result.message


@pytest.mark.parametrize("id", PLAIN)
@pytest.mark.parametrize("fault", OF_PLAIN, ids=lambda fault: fault.__name__)
def test_a_function_that_keeps_state_is_rejected(id, fault):
    result = tried(manifest.exercise(id), fault(right(id)))
    assert result.state == runner.WRONG and result.mistake is None
    assert any(words in result.message for words in TOLD), result.message


def once_for_each_object(function):
    """An object that has been seen is passed over."""
    seen = []

    def kept(one, *more, **options):
        if not any(one is other for other in seen):
            seen.append(one)
            return function(one, *more, **options)
        return None

    return kept


def every_second_call(function):
    """Only the first, the third, ... call does anything."""
    calls = []

    def kept(*inputs, **options):
        calls.append(1)
        return function(*inputs, **options) if len(calls) % 2 else None

    return kept


def marked(function):
    """What it has been called on is kept in the function, by its id."""

    def kept(one, *more, **options):
        known = vars(kept).setdefault("known", {})
        if id(one) in known:
            return None
        known[id(one)] = one
        return function(one, *more, **options)

    return kept


@pytest.mark.parametrize("id", ("03a", "03b", "04d", "04e", "07c", "08b", "08c"))
@pytest.mark.parametrize("fault", (once_for_each_object, every_second_call, marked), ids=lambda fault: fault.__name__)  # fmt: skip
def test_a_second_call_on_the_same_objects_counts(id, fault):
    result = tried(manifest.exercise(id), fault(right(id)))
    assert result.state == runner.WRONG and result.mistake is None


def parameters_once(module, seen=set()):  # noqa: B006
    """The parameters, with a default argument that remembers those of all calls."""
    new = [one for one in right("08b")(module) if one not in seen]
    seen.update(new)
    return new


def test_a_mutable_default_is_told():
    result = tried(manifest.exercise("08b"), parameters_once)
    assert "a second call on the same inputs differs from ours" in result.message
    assert "what does the first one leave behind?" in result.message


def over_x(function):
    """The gradient of x is written over x, if it has the same shape."""

    def careless(x, *inputs, **options):
        result, backward = function(x, *inputs, **options)

        def writing(g):
            gradients = backward(g)
            x[...] = gradients[0]
            return (x, *gradients[1:])

        return result, writing

    return careless


@pytest.mark.parametrize("id", ("02d", "04c", "05e", "06a", "07b"))
def test_manners_come_before_numbers(id):
    result = tried(manifest.exercise(id), over_x(right(id)))
    assert "backward of yours writes to " in result.message, result.message
    assert "which belongs to the caller: work on a copy" in result.message
