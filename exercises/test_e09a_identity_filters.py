"""Claims about identity_filters: a convolution with them returns its input, whatever its kernel and channels are."""

import numpy
from e09a_identity_filters import identity_filters

from minires.backend import to_device, to_host
from minires.course import Check
from minires.ops import conv2d

check = Check("09a")


def convolved(channels, kernel):
    """Experiment: the result of a convolution with these filters, on an image that is random."""

    def run(identity_filters):
        image = numpy.random.default_rng(9).standard_normal((2, 7, 9, channels)).astype("float32")
        weight = identity_filters(channels, kernel)
        padding = kernel[0] // 2, kernel[1] // 2
        return {
            "what the convolution returns": conv2d(to_device(image), weight, padding=padding)[0]
        }

    return run


def test_a_convolution_returns_its_input():
    for channels, kernel in ((3, (3, 3)), (2, (5, 5)), (4, (1, 1))):
        about = f"a convolution with identity_filters({channels}, {kernel}) of an image (2, 7, 9, {channels})"
        check.experiment(convolved(channels, kernel), identity_filters, about)


def test_the_weight_has_its_shape_and_is_float32():
    def run(identity_filters):
        weight = identity_filters(4, (3, 3))
        return {"the shape": weight.shape, "the dtype": str(weight.dtype)}

    check.experiment(run, identity_filters, "identity_filters(4, (3, 3))")


def test_the_sides_may_differ():
    for kernel in ((3, 5), (5, 1), (1, 7)):
        check.same(identity_filters, 3, kernel)


def test_there_may_be_one_channel_or_as_many_as_the_kernel_has_sides():
    for channels, kernel in ((1, (3, 3)), (1, (1, 1)), (3, (3, 3)), (5, (5, 5)), (16, (3, 3))):
        check.same(identity_filters, channels, kernel)


def test_an_even_side_is_refused():
    for kernel in ((4, 3), (3, 2), (2, 2)):
        try:
            check.call(identity_filters, 3, kernel)
            outcome = "returned a result"
        except ValueError:
            continue
        except TypeError:
            outcome = "raised a TypeError"
        check.true(
            False,
            f"identity_filters(3, {kernel}) {outcome}: an even side has no centre, so expected a ValueError",
        )


def test_each_call_makes_a_new_array():
    def run(identity_filters):
        first, second = identity_filters(2, (3, 3)), identity_filters(2, (3, 3))
        first[...] = 7  # as training does
        third = identity_filters(2, (3, 3))
        second[0, 0] = 5
        return {"the sum of the first": to_host(first).sum().item(), "of the second": to_host(second).sum().item(),
                "of the third": to_host(third).sum().item()}  # fmt: skip

    check.experiment(run, identity_filters, "three identity_filters(2, (3, 3)), written to in turn")
