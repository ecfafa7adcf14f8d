"""Exercise 12d: the receptive field, and what goes wrong when it is counted."""


def receptive_field(layers):
    """Return the number of pixels from the first to the last, along one axis, that one number of the result depends on.

    layers  [(kernel, stride), ...] of convolutions and pools, one after the other
    """
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field


def kernels_added(layers):
    """a layer adds its whole kernel: one of its pixels was there before"""
    field, jump = 1, 1
    for kernel, stride in layers:
        field += kernel * jump
        jump *= stride
    return field


def strides_forgotten(layers):
    """strides are left out: behind a layer with stride 2, neighbours are twice as far apart"""
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def own_stride_too_early(layers):
    """a layer's own stride counts for its own kernel: its window still covers neighbours of the map before"""
    field, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        field += (kernel - 1) * jump
    return field


def jumps_added(layers):
    """strides are added up: two layers with stride 2 put neighbours 4 pixels apart, and three of them 8"""
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump += stride - 1
    return field


def stride_of_one_layer(layers):
    """only the stride of the layer before counts: all the strides before it multiply"""
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump = stride
    return field


def from_the_wrong_end(layers):
    """the layers are taken from the result to the image: the strides *before* a layer are those between it and the image"""
    return receptive_field(list(layers)[::-1])


def kernels_multiplied(layers):
    """kernels are multiplied: windows of neighbours overlap, so that two 3x3 see 5x5 pixels, not 9x9"""
    field = 1
    for kernel, _ in layers:
        field *= kernel
    return field


def starts_at_nothing(layers):
    """the field starts at 0: without any layer, a number has seen one pixel, itself"""
    return receptive_field(layers) - 1


def the_jump(layers):
    """the product of the strides is returned: that is how far neighbours of the result are apart"""
    jump = 1
    for _, stride in layers:
        jump *= stride
    return jump
