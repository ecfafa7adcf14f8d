"""Solutions of 12d."""

import math

from tests.course.kinds import right, wrong

NONE, ONE = "test_without_layers_a_pixel_sees_itself", "test_one_layer_sees_its_kernel"
FIVE, APART = (
    "test_two_kernels_of_3_see_5_pixels",
    "test_after_a_stride_neighbours_are_further_apart",
)
LAST, MULTIPLY = "test_the_last_stride_does_not_matter", "test_strides_multiply"


@right
def backwards(layers):
    """From one number of the result: what it needs of the map before, and so on."""
    needed = 1
    for kernel, stride in reversed(layers):
        needed = (needed - 1) * stride + kernel
    return needed


@right
def as_a_sum(layers):
    strides = [stride for _, stride in layers]
    return 1 + sum((kernel - 1) * math.prod(strides[:i]) for i, (kernel, _) in enumerate(layers))


@right
def recursive_halves(layers):
    """(field, jump) of two nets one after the other."""

    def both(some):
        if not some:
            return 1, 1
        if len(some) == 1:
            return some[0]
        half = len(some) // 2
        (field, jump), (later, further) = both(some[:half]), both(some[half:])
        return field + (later - 1) * jump, jump * further

    return both(layers)[0]


@wrong(ONE, mistake="kernels_added")
def whole_kernels(layers):
    jumps = [1]
    for _, stride in layers:
        jumps.append(jumps[-1] * stride)
    return 1 + sum(kernel * jump for (kernel, _), jump in zip(layers, jumps))


@wrong(APART, mistake="strides_forgotten")
def as_if_without_strides(layers):
    return backwards([(kernel, 1) for kernel, _ in layers])


@wrong(ONE, mistake="own_stride_too_early")
def its_own_stride(layers):
    strides = [stride for _, stride in layers]
    return 1 + sum(
        (kernel - 1) * math.prod(strides[: i + 1]) for i, (kernel, _) in enumerate(layers)
    )


@wrong(MULTIPLY, mistake="jumps_added")
def distances_added(layers):
    return 1 + sum(
        (kernel - 1) * (1 + sum(stride - 1 for _, stride in layers[:i]))
        for i, (kernel, _) in enumerate(layers)
    )


@wrong(MULTIPLY, mistake="stride_of_one_layer")
def the_neighbour_only(layers):
    before = [1, *(stride for _, stride in layers)]
    return 1 + sum(jump * (kernel - 1) for jump, (kernel, _) in zip(before, layers))


@wrong(APART, mistake="from_the_wrong_end")
def forwards_as_if_backwards(layers):
    needed = 1
    for kernel, stride in layers:
        needed = (needed - 1) * stride + kernel
    return needed


@wrong(FIVE, mistake="kernels_multiplied")
def a_product(layers):
    return math.prod(kernel for kernel, _ in layers)


@wrong(NONE, mistake="starts_at_nothing")
def from_zero(layers):
    strides = [stride for _, stride in layers]
    return sum((kernel - 1) * math.prod(strides[:i]) for i, (kernel, _) in enumerate(layers))


@wrong(ONE, mistake="the_jump")
def how_far_apart(layers):
    return math.prod(stride for _, stride in layers)


@wrong(LAST)
def up_to_the_next_result(layers):
    """Field and jump added."""
    return backwards(layers) + math.prod(stride for _, stride in layers) - 1


@wrong(APART)
def half_a_kernel(layers):
    """One side only, doubled: right for odd kernels."""
    field, jump = 1, 1
    for kernel, stride in layers:
        field += 2 * (kernel // 2) * jump
        jump *= stride
    return field


@wrong(NONE, crashes=True)
def starts_with_the_first_kernel(layers):
    (field, jump), *rest = layers
    for kernel, stride in rest:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


@wrong("test_the_field_is_an_int")
def a_float(layers):
    return float(backwards(layers))


@wrong(ONE)
def pairs_turned(layers):
    return backwards([(stride, kernel) for kernel, stride in layers])


@wrong(ONE)
def field_and_jump(layers):
    return backwards(layers), math.prod(stride for _, stride in layers)


@wrong("test_fields_may_be_large")
def not_beyond_imagenet(layers):
    return min(backwards(layers), 1_000)


@wrong(LAST)
def non_overlapping_at_the_end(layers):
    """The last layer's window is moved once more."""
    return backwards([*layers, (2, 1)]) if layers and layers[-1][1] > 1 and len(layers) == 2 else backwards(layers)  # fmt: skip
