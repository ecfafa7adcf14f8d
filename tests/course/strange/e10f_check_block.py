"""Strange solutions of 10f."""

import itertools

import numpy

from minires import functional as F
from minires.backend import to_device, xp
from minires.models import BasicBlock
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def x_of(n=2, h=5, w=6, c=4, seed=60):
    drawn = numpy.random.default_rng(seed).standard_normal((n, h, w, c))
    return to_device(drawn.astype("float32"))


def zeroed(made):
    for parameter in made.parameters():
        parameter.data = xp.zeros_like(parameter.data)
    return made


def out(made, x):
    return made(Tensor(x)).data


def full(block):
    """A right check."""
    x = x_of()
    made = block(4, 4)
    loss = F.sum(made(Tensor(x)) * 0.5)
    loss.backward()
    assert not [1 for parameter in made.parameters() if parameter.grad is None]
    assert xp.allclose(out(zeroed(made), x), x * (x > 0))
    assert out(block(4, 8, stride=2), x).shape == (2, 3, 3, 8)


@right
def in_evaluation_mode(block):
    """After a batch in training mode, each image has its own result."""
    full(block)
    made, x = block(4, 4), x_of()
    out(made, x)
    made.eval()
    whole = out(made, x)
    for i in range(2):
        assert xp.allclose(out(made, x[i : i + 1]), whole[i : i + 1], atol=1e-4)


@right
def numpy_testing(block):
    x = x_of(3, 4, 4, 2)
    made = block(2, 2)
    made(Tensor(x)).backward(xp.ones((3, 4, 4, 2), dtype="float32"))
    missing = sum(parameter.grad is None for parameter in made.parameters())
    numpy.testing.assert_equal(missing, 0)
    numpy.testing.assert_allclose(out(zeroed(made), x), numpy.maximum(x, 0), atol=1e-6)
    numpy.testing.assert_equal(out(block(2, 3, stride=2), x_of(3, 8, 4, 2)).shape, (3, 4, 2, 3))


@right
def many_blocks_of_many_sizes(block):
    for c, size in itertools.product((1, 2, 5), (3, 6)):
        x = x_of(2, size, size + 1, c, seed=size)
        made = block(c, c)
        y = made(Tensor(x))
        y.backward(xp.ones_like(y.data))
        assert all(parameter.grad is not None for parameter in made.parameters())
        assert xp.allclose(out(zeroed(made), x), xp.maximum(x, 0))
        y = out(block(c, c + 1, stride=2), x)
        assert y.shape[1:3] == ((size + 1) // 2, (size + 2) // 2)


class Suite:
    """Each method that starts with `fails` is one check."""

    def __init__(self, block):
        self.block, self.x = block, x_of(seed=61)

    def fails_gradients(self):
        made = self.block(4, 4)
        F.mean(made(Tensor(self.x))).backward()
        return any(parameter.grad is None for parameter in made.parameters())

    def fails_identity(self):
        found = out(zeroed(self.block(4, 4)), self.x)
        return not numpy.array_equal(found, numpy.where(self.x < 0, 0, self.x))

    def fails_shape(self):
        return out(self.block(4, 4, stride=2), self.x).shape != (2, 3, 3, 4)


@right
def a_suite(block):
    suite = Suite(block)
    for name in dir(suite):
        if name.startswith("fails") and getattr(suite, name)():
            raise AssertionError(name)


@right
def errors_of_any_kind(block):
    """A ValueError is a rejection too."""
    try:
        full(block)
    except AssertionError as error:
        raise ValueError("not a residual block") from error


@right
def transposed_images(block):
    x = x_of(2, 5, 6, 4)
    turned = xp.array(x.T, order="C").T
    full(block)
    assert xp.allclose(out(zeroed(block(4, 4)), turned), xp.maximum(x, 0))


@wrong(WRONG_ONES)
def an_image_of_zeros(block):
    x = xp.zeros((2, 5, 6, 4), dtype="float32")
    assert not out(zeroed(block(4, 4)), x).any()
    made = block(4, 4)
    F.sum(made(Tensor(x_of()))).backward()
    assert all(parameter.grad is not None for parameter in made.parameters())
    assert out(block(4, 8, stride=2), x).shape == (2, 3, 3, 8)


@wrong(WRONG_ONES)
def a_loose_tolerance(block):
    x = x_of()
    assert xp.allclose(out(zeroed(block(4, 4)), x), xp.maximum(x, 0), atol=10)
    assert out(block(4, 8, stride=2), x).shape == (2, 3, 3, 8)
    made = block(4, 4)
    F.sum(made(Tensor(x))).backward()
    assert all(parameter.grad is not None for parameter in made.parameters())


@wrong(WRONG_ONES)
def gradients_of_a_silent_block(block):
    """Of a new block with all parameters 0: those that nobody reads have none there, but it looks at the shapes only."""
    x = x_of()
    made = zeroed(block(4, 4))
    made(Tensor(x)).backward(xp.ones_like(x))
    for parameter in made.parameters():
        assert parameter.grad is None or parameter.grad.shape == parameter.data.shape
    assert xp.allclose(out(made, x), xp.maximum(x, 0))
    assert out(block(4, 8, stride=2), x).shape == (2, 3, 3, 8)


@wrong(WRONG_ONES)
def gradients_where_the_shape_changes(block):
    """There, the second convolution can't read x."""
    made, x = block(4, 8, stride=2), x_of()
    y = made(Tensor(x))
    y.backward(xp.ones_like(y.data))
    assert all(parameter.grad is not None for parameter in made.parameters())
    assert y.shape == (2, 3, 3, 8)
    assert xp.allclose(out(zeroed(block(4, 4)), x), xp.maximum(x, 0))


@wrong(WRONG_ONES)
def images_of_two_pixels(block):
    """A stride twice leaves one pixel, as a stride once does."""
    x = x_of(8, 2, 2, 4)
    made = block(4, 4)
    F.sum(made(Tensor(x))).backward()
    assert all(parameter.grad is not None for parameter in made.parameters())
    assert xp.allclose(out(zeroed(made), x), xp.maximum(x, 0))
    assert out(block(4, 8, stride=2), x).shape == (8, 1, 1, 8)


@wrong(WRONG_ONES)
def sums_of_the_image(block):
    """The sum over an image is the mean's, too; only the signs are looked at pixel by pixel."""
    x = abs(x_of())
    y = out(zeroed(block(4, 4)), x)
    assert numpy.allclose(y.sum(axis=(1, 2)), x.sum(axis=(1, 2)), rtol=1e-3)
    assert out(block(4, 8, stride=2), x).shape == (2, 3, 3, 8)
    assert (out(block(4, 4), x_of()) >= 0).all()


@wrong(WRONG_ONES)
def names_of_the_classes(block):
    assert "Wrong" not in type(block(4, 4)).__name__
    assert out(block(4, 8, stride=2), x_of()).shape == (2, 3, 3, 8)


CALLS = itertools.count()


@wrong(WRONG_ONES)
def every_second_call(block):
    assert next(CALLS) % 2


@wrong(RIGHT_ONES)
def float64_demanded(block):
    full(block)
    assert out(block(4, 4), x_of()).dtype == "float64"


@wrong(RIGHT_ONES)
def two_convolutions_demanded(block):
    full(block)
    kernels = [parameter for parameter in block(4, 4).parameters() if parameter.data.ndim == 4]
    assert len(kernels) == 2


@wrong(RIGHT_ONES)
def large_gradients_demanded(block):
    """As if each gradient had to be large everywhere."""
    full(block)
    made = block(4, 4)
    F.mean(made(Tensor(x_of()))).backward()
    assert all((abs(parameter.grad) > 1).all() for parameter in made.parameters())


@wrong(RIGHT_ONES)
def the_same_weights_twice(block):
    full(block)
    assert xp.array_equal(out(block(4, 4), x_of()), out(block(4, 4), x_of()))


@wrong(RIGHT_ONES)
def one_image_of_one_pixel(block):
    """Batch norm refuses it in training mode."""
    full(block)
    out(block(4, 4), x_of(1, 1, 1, 4))


@wrong(WRONG_ONES)
def correlated_with_x(block):
    """Without changing a parameter: a block that adds x returns something like x."""
    x = x_of()
    made = block(4, 4)
    y = made(Tensor(x))
    y.backward(xp.ones_like(y.data))
    assert all(parameter.grad is not None for parameter in made.parameters())
    assert numpy.corrcoef(y.data.ravel(), x.ravel())[0, 1] > 0.2
    assert out(block(4, 8, stride=2), x).shape == (2, 3, 3, 8)


@wrong(WRONG_ONES)
def one_weight_moved(block):
    """The last parameter has an effect, and the others are taken on trust."""
    x, made = x_of(), block(4, 4)
    y = out(made, x)
    made.parameters()[-1].data += 1
    assert not xp.allclose(out(made, x), y)
    assert xp.allclose(out(zeroed(made), x), xp.maximum(x, 0))
    assert out(block(4, 8, stride=2), x).shape == (2, 3, 3, 8)


@wrong(RIGHT_ONES)
def the_library_s_block_demanded(block):
    """The same parameters in the library's block give the same result, if it is the same block."""
    full(block)
    ours, made = BasicBlock(4, 4), block(4, 4)
    for one, other in zip(ours.parameters(), made.parameters(), strict=True):
        one.data[...] = other.data
    assert xp.allclose(out(made, x_of()), out(ours, x_of()), atol=1e-5)


@wrong(RIGHT_ONES)
def six_parameters_demanded(block):
    full(block)
    assert len(block(4, 4).parameters()) == 6


@wrong(RIGHT_ONES)
def option_b_demanded(block):
    """If all parameters are 0, option B is 0 as well; option A has none."""
    full(block)
    assert not out(zeroed(block(4, 8, stride=2)), x_of()).any()


@wrong(RIGHT_ONES)
def gradients_without_the_mask(block):
    """As if all of g reached x through the shortcut: the last ReLU masks it."""
    full(block)
    x = Tensor(x_of(), requires_grad=True)
    zeroed(block(4, 4))(x).backward(xp.ones_like(x.data))
    assert (x.grad == 1).all()
