"""Strange solutions of 12d."""

import functools
import itertools
import sys

import numpy

from tests.course.kinds import right, wrong

LARGE, SHORT = "test_fields_may_be_large", "test_every_short_net"
STAY = "test_the_list_stays_as_it_was_and_no_call_depends_on_another"
SMALLER, INT = "test_a_kernel_may_be_smaller_than_its_stride", "test_the_field_is_an_int"
EQUAL = "test_equal_layers_all_count"


def field(layers):
    """A right one."""
    return functools.reduce(
        lambda needed, layer: (needed - 1) * layer[1] + layer[0], reversed(layers), 1
    )


@right
def reduced(layers):
    """Jump and field in one pair."""
    return functools.reduce(
        lambda at, layer: (at[0] + (layer[0] - 1) * at[1], at[1] * layer[1]), layers, (1, 1)
    )[0]


@right
def first_and_last_pixel(layers):
    """The indices of the first and the last pixel under the number at position 0."""
    first, last = 0, 0
    for kernel, stride in reversed(list(layers)):
        first, last = first * stride, last * stride + kernel - 1
    return last - first + 1


@right
def accumulated(layers):
    jumps = itertools.accumulate((stride for _, stride in layers), lambda a, b: a * b, initial=1)
    return sum((kernel - 1) * jump for jump, (kernel, _) in zip(jumps, layers)) + 1


class Seen:
    def __init__(self, size=1, apart=1):
        self.size, self.apart = size, apart

    def __rshift__(self, layer):
        return Seen(self.size + (layer[0] - 1) * self.apart, self.apart * layer[1])


@right
def by_an_operator(layers):
    seen = Seen()
    for layer in layers:
        seen >>= layer
    return seen.size


@right
def by_intervals(layers):
    """range() objects, which may be as long as they like."""
    window = range(0, 1)
    for kernel, stride in layers[::-1]:
        window = range(window.start * stride, (window.stop - 1) * stride + kernel)
    return window.stop - window.start


@wrong(SMALLER)
def pixels_really_used(layers):
    """The set of pixels, without those between that no window looks at: smaller where a stride exceeds its kernel."""
    if field(layers) > 10_000:
        return field(layers)
    seen = {0}
    for kernel, stride in reversed(layers):
        seen = {at * stride + k for at in seen for k in range(kernel)}
    return len(seen)


@wrong(LARGE, crashes=True)
def in_float32(layers):
    total, jump = numpy.float32(1), numpy.float32(1)
    for kernel, stride in layers:
        total, jump = total + (kernel - 1) * jump, jump * numpy.float32(stride)
    return int(total)


@wrong(LARGE)
def in_int32(layers):
    total = numpy.array([1, 1], "int32")
    with numpy.errstate(all="ignore"):
        for kernel, stride in layers:
            total[0] += numpy.int32(kernel - 1) * total[1]
            total[1] *= stride
    return int(total[0])


@wrong(LARGE, crashes=True)
def one_call_per_layer(layers):
    if not layers:
        return 1
    (kernel, stride), *rest = layers
    return (
        kernel + (one_call_per_layer(rest) - 1) * stride
        if len(layers) < sys.getrecursionlimit()
        else None
    )


@wrong(EQUAL)
def a_dict_of_layers(layers):
    """Equal layers are one."""
    return field([*dict.fromkeys(layers)])


@wrong(EQUAL, crashes=True)
def list_methods(layers):
    """Lists only."""
    return field(layers.copy())


@wrong(STAY, crashes=True)
def popped(layers):
    needed = 1
    while layers:
        kernel, stride = layers.pop() if isinstance(layers, list) else layers[-1]
        layers = layers if isinstance(layers, list) else layers[:-1]
        needed = (needed - 1) * stride + kernel
    return needed


KEPT = {}


@wrong(STAY)
def remembered_by_kernels(layers):
    key = tuple(kernel for kernel, _ in layers)
    return KEPT.setdefault(key, field(layers)) if key == (3, 5, 3) else field(layers)


AT = [1, 1]


@wrong("test_two_kernels_of_3_see_5_pixels")
def grows_from_call_to_call(layers):
    for kernel, stride in layers:
        AT[0] += (kernel - 1) * AT[1]
        AT[1] *= stride
    return AT[0]


@wrong(SHORT)
def windows_that_do_not_overlap_as_tiles(layers):
    """Where stride and kernel are equal, the field is taken to be multiplied by the kernel, whatever comes after."""
    total, jump = 1, 1
    for kernel, stride in layers:
        total = total * kernel if stride == kernel > 2 else total + (kernel - 1) * jump
        jump *= stride
    return total


@wrong("test_the_order_matters")
def sorted_layers(layers):
    return field(sorted(layers)) if len(layers) == 4 else field(layers)


@wrong(SMALLER)
def at_most_the_kernel_apart(layers):
    """Windows are taken to touch at least."""
    return field([(kernel, min(kernel, stride)) for kernel, stride in layers])


@wrong(INT)
def a_numpy_float(layers):
    return numpy.float64(field(layers))


@wrong("test_two_kernels_of_3_see_5_pixels")
def centred(layers):
    """Only half of the last window on either side, rounded down twice."""
    return 2 * (field(layers) // 2) + 1


@wrong(LARGE)
def in_int64(layers):
    kernels, strides = numpy.array([(1, 1), *layers], dtype="int64").T
    return 1 + int((kernels[1:] - 1) @ numpy.cumprod(strides)[:-1])


@wrong(LARGE)
def at_most_63_bits(layers):
    return min(field(layers), 2**63 - 1)


@wrong(SMALLER)
def pixels_that_are_really_read(layers):
    """Those that a small kernel skips are not counted."""
    seen = {0}
    for kernel, stride in reversed(layers[-9:] if len(layers) > 20 else layers):
        seen = {place * stride + i for place in seen for i in range(kernel)}
    return len(seen)
