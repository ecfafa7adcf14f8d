"""Solutions of 10f: checks that tell wrong residual blocks from right ones, and checks that do not."""

from minires.backend import to_device, xp
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def image(*shape, seed=50):
    drawn = xp.random.default_rng(seed).standard_normal(shape)
    return to_device(drawn.astype("float32"))


def silent(made):
    for parameter in made.parameters():
        parameter.data[:] = 0.0
    return made


def used(block, c=6):
    made, x = block(c, c), Tensor(image(3, 4, 7, c))
    y = made(x)
    y.backward(image(*y.shape, seed=51))
    return all(parameter.grad is not None for parameter in made.parameters())


@right
def by_gradients(block):
    """With F = 0, the gradient at x tells the whole shortcut."""
    assert used(block)
    made, x = silent(block(3, 3)), Tensor(image(2, 6, 5, 3), requires_grad=True)
    y, g = made(x), image(2, 6, 5, 3, seed=52)
    y.backward(g)
    assert abs(y.data - x.data * (x.data > 0)).max() < 1e-5
    assert abs(x.grad - g * (x.data > 0)).max() < 1e-5
    for size in (5, 6, 9):
        assert block(3, 3, stride=2)(Tensor(image(2, size, size, 3))).shape[1] == (size + 1) // 2


@right
def each_parameter_moved(block):
    """A parameter that has an effect changes the result."""
    made, x = block(4, 4), Tensor(image(4, 5, 5, 4))
    before = made(x).data.copy()
    for parameter in made.parameters():
        kept = parameter.data.copy()
        parameter.data += image(*kept.shape, seed=53)
        if xp.array_equal(made(x).data, before):
            raise AssertionError("a parameter without an effect")
        parameter.data[...] = kept
    silent(made)
    if not xp.allclose(made(x).data, x.data.clip(0)):
        raise AssertionError("not relu(x)")
    y = block(4, 8, stride=2)(x)
    if y.shape != (4, 3, 3, 8):
        raise AssertionError(f"shape {y.shape}")


@right
def several_strides(block):
    for stride in (1, 2, 3):
        for c, d in ((2, 2), (2, 4), (3, 5)):
            y = block(c, d, stride=stride)(Tensor(image(2, 9, 7, c)))
            assert y.shape == (2, -(-9 // stride), -(-7 // stride), d)
            assert y.data.min() >= 0
    assert used(block)
    x = 3 * image(2, 4, 4, 4)
    assert xp.array_equal(silent(block(4, 4))(Tensor(x)).data, xp.where(x > 0, x, 0))


@wrong(WRONG_ONES, mistake="never_rejects")
def only_runs(block):
    for stride in (1, 2):
        silent(block(4, 4, stride=stride))(Tensor(image(2, 8, 8, 4)))


@wrong(WRONG_ONES, mistake="never_rejects")
def swallowed(block):
    try:
        by_gradients(block)
    except AssertionError:
        return None


@wrong(WRONG_ONES, mistake="shapes_only")
def sizes(block):
    for size in (7, 8):
        y = block(2, 6, stride=2)(Tensor(image(2, size, size, 2)))
        if y.shape != (2, 4, 4, 6):
            raise AssertionError


@wrong(WRONG_ONES, mistake="signs_only")
def no_negative_numbers(block):
    y = block(8, 8)(Tensor(image(4, 6, 6, 8) - 1))
    assert float(y.data.min()) >= 0


@wrong(WRONG_ONES, mistake="gradients_only")
def all_have_gradients(block):
    assert used(block)


@wrong(WRONG_ONES, mistake="silence_only")
def zero_branch(block):
    x = image(1, 4, 5, 2)
    y = silent(block(2, 2))(Tensor(x))
    assert abs(y.data - x.clip(0)).max() < 1e-6


@wrong(WRONG_ONES, mistake="silence_and_shapes")
def zero_branch_and_sizes(block):
    sizes(block)
    zero_branch(block)


@wrong(WRONG_ONES, mistake="silence_and_gradients")
def zero_branch_and_gradients(block):
    zero_branch(block)
    all_have_gradients(block)


@wrong(WRONG_ONES, mistake="nothing_negative")
def an_image_of_positive_numbers(block):
    x = abs(image(2, 5, 4, 3)) + 0.5
    assert xp.allclose(silent(block(3, 3))(Tensor(x)).data, x)
    assert used(block)
    sizes(block)


@wrong(RIGHT_ONES)
def no_sums_allowed(block):
    """As if x itself came out, with no ReLU after the sum."""
    x = image(2, 5, 4, 3)
    assert xp.allclose(silent(block(3, 3))(Tensor(x)).data, x)


@wrong(RIGHT_ONES, mistake="never_content")
def the_shape_stays_always(block):
    x = image(2, 6, 6, 4)
    assert block(4, 4, stride=2)(Tensor(x)).shape == x.shape


@wrong(WRONG_ONES)
def one_pixel_per_image(block):
    """The mean over an image of one pixel is that pixel."""
    x = image(16, 1, 1, 4)
    assert xp.allclose(silent(block(4, 4))(Tensor(x)).data, xp.maximum(x, 0))
    assert used(block)
    sizes(block)


@wrong(WRONG_ONES)
def a_constant_image(block):
    x = xp.broadcast_to(image(3, 1, 1, 4), (3, 5, 5, 4))
    assert xp.allclose(silent(block(4, 4))(Tensor(x)).data, xp.maximum(x, 0))
    assert used(block)
    sizes(block)


@wrong(WRONG_ONES)
def where_the_result_is_0_only(block):
    """Twice the shortcut has the same zeros."""
    x = image(2, 5, 5, 4)
    y = silent(block(4, 4))(Tensor(x)).data
    assert ((y > 0) == (x > 0)).all() and y.min() == 0
    assert used(block)
    sizes(block)


@wrong(WRONG_ONES)
def returns_a_bool(block):
    x = image(2, 5, 5, 4)
    return bool(used(block) and xp.allclose(silent(block(4, 4))(Tensor(x)).data, x.clip(0)))


@wrong(RIGHT_ONES)
def option_a_asked_for(block):
    """Where the shape changes, relu of padded x is expected of each."""
    by_gradients(block)
    x = image(2, 6, 6, 4)
    y = silent(block(4, 8, stride=2))(Tensor(x)).data
    assert xp.allclose(y[..., 2:6], x[:, ::2, ::2].clip(0))


@wrong(RIGHT_ONES)
def names_asked_for(block):
    by_gradients(block)
    made = block(4, 4)
    assert hasattr(made, "conv1") and hasattr(made, "bn2")
