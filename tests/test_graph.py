"""The graph's errors about memory, with the op, the shapes of its arrays, and advice."""

import numpy
import pytest

from minires.backend import to_device
from minires.graph import OutOfMemory, out_of_memory
from minires.tensor import Tensor, apply

pytestmark = pytest.mark.usefixtures("each_backend")


def array(*shape):
    return to_device(numpy.zeros(shape))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (((512, 3), (3,)), "matmul of (512, 3), (3,): full. Try a smaller batch (it has 512 examples), or "
         "free other memory"),
        (((),), "matmul of (): full. Try a smaller batch, or free other memory"),
        ((), "matmul of : full. Try a smaller batch, or free other memory"),
    ],
)  # fmt: skip
def test_it_names_the_action_and_the_shapes(arrays, message):
    error = out_of_memory("matmul", [array(*shape) for shape in arrays], MemoryError("full"))
    assert type(error) is OutOfMemory and str(error) == message


def test_numbers_among_the_operands_have_no_shape():
    error = out_of_memory("add", [2.0, array(4)], MemoryError("full"))
    assert str(error).startswith("add of (4,): full. Try a smaller batch (it has 4 examples)")


def test_one_that_says_it_already_is_passed_on():
    error = OutOfMemory("said")
    assert out_of_memory("add", [array(4)], error) is error


def test_a_backward_without_memory_says_so():
    def greedy(x):
        def backward(g):
            raise MemoryError("full")

        return x, backward

    y = apply(greedy, Tensor(array(2, 3), requires_grad=True))
    message = r"^backward of greedy of \(2, 3\): full. Try a smaller batch \(it has 2 examples\)"
    with pytest.raises(OutOfMemory, match=message):
        y.backward(array(2, 3))
