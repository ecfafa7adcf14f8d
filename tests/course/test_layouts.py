"""Functions that take only contiguous arrays are rejected and told so; one that copies them first is accepted."""

import numpy
import pytest

from minires.course import layouts, manifest, runner
from tests.course.test_state_between_calls import right
from tests.course.trials import tried

X = numpy.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("layout", layouts.OTHERS, ids=lambda layout: type(layout).__name__)
def test_a_layout_keeps_the_numbers(layout):
    for array in (X, X[0], X[0, 0], X[0, 0, 0:1], X[:0], numpy.array(3.0), X.astype(numpy.uint8)):
        laid = layout.of_input(array)
        assert numpy.array_equal(laid, array) and laid.dtype == array.dtype
        assert not numpy.shares_memory(laid, array)
    assert not layout.of_input(X).flags.c_contiguous
    assert layout.differs([X]) and not layout.differs([numpy.array(3.0), 2])


def test_a_broadcast_gradient_cannot_be_written_to():
    g = layouts.OTHERS[1].of_gradient(X)
    assert g.shape == X.shape and g.strides[:2] == (0, 0) and not g.flags.writeable


def as_in_memory(array):
    """The numbers in the order in which they are in memory, as code does that takes that for their order."""
    return (
        array.ravel(order="K").reshape(array.shape) if isinstance(array, numpy.ndarray) else array
    )


def by_bytes(array):
    """The same, read from its bytes."""
    if not isinstance(array, numpy.ndarray):
        return array
    return numpy.frombuffer(array.tobytes(order="A"), array.dtype).reshape(array.shape)


def through_a_flat_view(array):
    """Copied into a new array of the same layout, through a flat view, which then is a copy."""
    if not isinstance(array, numpy.ndarray) or not array.ndim:
        return array
    new = numpy.zeros_like(array)
    new.reshape(-1)[:] = array.reshape(-1)
    return new


FAULTS = (as_in_memory, by_bytes, through_a_flat_view)


def with_inputs(function, read):
    def careless(*inputs, **options):
        return function(*map(read, inputs), **options)

    return careless


def with_gradient(function, read):
    def careless(*inputs, **options):
        result, backward = function(*inputs, **options)
        return result, lambda g: backward(read(g))

    return careless


@pytest.mark.parametrize("id", ("01b", "02a", "02e", "04a", "04c", "05b", "05c", "05e", "06b", "06c", "07a", "07b", "08d"))  # fmt: skip
@pytest.mark.parametrize("read", FAULTS, ids=lambda read: read.__name__)
def test_inputs_may_have_any_layout(id, read):
    result = tried(manifest.exercise(id), with_inputs(right(id), read))
    assert result.state == runner.WRONG and result.mistake is None
    assert "with its arrays transposed in memory (as x.T is)" in result.message, result.message
    assert "In contiguous arrays the same numbers come out right." in result.message


@pytest.mark.parametrize("id", ("02a", "02d", "04a", "05e", "06a", "06c", "07b"))
@pytest.mark.parametrize("read", FAULTS, ids=lambda read: read.__name__)
def test_an_upstream_gradient_may_have_any_layout(id, read):
    result = tried(manifest.exercise(id), with_gradient(right(id), read))
    assert result.state == runner.WRONG and result.mistake is None
    assert "in memory (as x.T is): the gradient of" in result.message, result.message


def by_memory_of_the_first(a, b):
    """a * b in the order in which each is in memory, in the layout of the first, as elementwise kernels are written."""
    if numpy.shape(a) != numpy.shape(b) or numpy.ndim(a) < 2:
        return right("02a")(a, b)
    order = "C" if a.flags.c_contiguous else "F"
    in_memory = (a.ravel(order="K") * b.ravel(order="K")).reshape(a.shape, order=order)
    return (in_memory if a.flags.forc and b.flags.forc else a * b), right("02a")(a, b)[1]


def test_only_some_of_the_arrays_may_be_transposed():
    result = tried(manifest.exercise("02a"), by_memory_of_the_first)
    assert result.state == runner.WRONG and result.mistake is None
    assert "only some of its arrays transposed in memory" in result.message, result.message


def needs_steps_of_one(array):
    """Take only what has neither gaps nor steps backwards."""
    if isinstance(array, numpy.ndarray) and min(array.strides, default=1) < 0:
        return array[..., ::-1]
    return array


@pytest.mark.parametrize("id", ("02b", "02g", "05b", "06c", "07a"))
def test_gaps_and_steps_backwards_are_tried(id):
    result = tried(manifest.exercise(id), with_inputs(right(id), needs_steps_of_one))
    assert result.state == runner.WRONG
    assert "with arrays that are not contiguous in memory (as x[::2] is)" in result.message


@pytest.mark.parametrize("id", ("02a", "02d", "02g", "04c", "05b", "05e", "06a", "06c", "07a", "07b", "08d"))  # fmt: skip
def test_a_copy_is_right(id):
    function = with_inputs(right(id), lambda x: x.copy() if isinstance(x, numpy.ndarray) else x)
    assert tried(manifest.exercise(id), function).state == runner.SOLVED
