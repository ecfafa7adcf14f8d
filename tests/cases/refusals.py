"""What ops with faster forms refuse: sizes that do not fit, too few values, numbers of the wrong kind, options out of range."""

import numpy

from tests.cases.calls import floats, op

X, IMAGES = floats(0, 4, 3), floats(0, 2, 5, 4, 3)
C3, C2 = floats(1, 3), floats(2, 2)
COLUMNS, WINDOW = floats(0, 24, 18), {"shape": (2, 5, 4, 3), "kernel": (2, 3)}


def conv2d():
    for kernel in (3, 1):
        yield op("channels", IMAGES, floats(1, kernel, kernel, 4, 6))
        yield op("no images", IMAGES[0], floats(1, kernel, kernel, 3, 6))
        yield op("three axes of weight", IMAGES, floats(1, kernel, kernel, 3))
        yield op("bias", IMAGES, floats(1, kernel, kernel, 3, 6), C3)
        yield op("bias of two axes", IMAGES, floats(1, kernel, kernel, 3, 6), floats(2, 1, 6))
        yield op("stride 0", IMAGES, floats(1, kernel, kernel, 3, 6), stride=0)
        yield op("stride 1.5", IMAGES, floats(1, kernel, kernel, 3, 6), stride=1.5)
        yield op("padding -1", IMAGES, floats(1, kernel, kernel, 3, 6), padding=-1)
        yield op("padding 'same'", IMAGES, floats(1, kernel, kernel, 3, 6), padding="same")
    yield op("a kernel larger than the image", IMAGES, floats(1, 6, 3, 3, 6))
    yield op("a kernel larger than the padded image", IMAGES, floats(1, 3, 7, 3, 6), padding=1)
    many = floats(0, 8, 8, 8, 8)
    yield op("channels, with tiles", many, floats(1, 3, 3, 9, 8))
    yield op("bias, with tiles", many, floats(1, 3, 3, 8, 8), floats(2, 9))
    yield op("an image smaller than the kernel, with tiles", many[:, :2], floats(1, 3, 3, 8, 8))


def linear():
    for x, weight, *bias in (
        (X, floats(1, 4, 5)),
        (floats(0), floats(1, 3, 5)),
        (X, C3),
        (X, floats(1, 3, 5, 2)),
        (X, floats(1, 3, 5), C3),
        (X, floats(1, 3, 5), floats(2, 1, 5)),
        (X, floats(1, 3, 5), floats(2)),
    ):
        yield op(f"{x.shape}, {weight.shape}, {[b.shape for b in bias]}", x, weight, *bias)


def im2col():
    yield op("no images", IMAGES[0], kernel=2)
    yield op("kernel 0", IMAGES, kernel=0)
    yield op("a kernel larger than the image", IMAGES, kernel=(6, 1))
    yield op("stride -1", IMAGES, kernel=2, stride=(1, -1))
    yield op("padding of three", IMAGES, kernel=2, padding=(1, 1, 1))


def col2im():
    yield op("rows", COLUMNS[1:], **WINDOW)
    yield op("columns", COLUMNS[:, 1:], **WINDOW)
    yield op("kernel 0", COLUMNS, **WINDOW | {"kernel": 0})
    yield op("a kernel larger than the image", COLUMNS, **WINDOW | {"kernel": (6, 1)})


def pool():
    yield op("no images", IMAGES[0], kernel=2)
    yield op("a kernel larger than the image", IMAGES, kernel=(3, 5))
    yield op("padding of more than half", IMAGES, kernel=3, padding=2)
    yield op("padding of more than half across", IMAGES, kernel=3, padding=(1, 2))
    yield op("kernel 2.5", IMAGES, kernel=2.5)
    yield op("stride 0", IMAGES, kernel=2, stride=0)
    yield op("ints", numpy.ones((1, 4, 4, 1), "int64"), kernel=2)
    yield op("bools", numpy.ones((1, 4, 4, 1), bool), kernel=2)


def channel_stats():
    yield op("one axis", C3)
    yield op("no axis", floats(0))
    yield op("no value", floats(0, 0, 3))
    yield op("no pixel", floats(0, 2, 0, 4, 3))
    yield op("ints", numpy.ones((4, 3), "int64"))


def norm_operands():
    yield "gamma", X, C2, C3
    yield "gamma of one", X, floats(1, 1), C3
    yield "gamma of two axes", X, floats(1, 1, 3), C3
    yield "beta", X, C3, C2
    yield "beta without axes", X, C3, floats(0)
    yield "one axis", C3, C3, C3
    yield "no axis", floats(0), floats(0, 1), floats(0, 1)
    yield "ints", numpy.ones((4, 3), "int64"), C3, C3


def batch_norm():
    for label, *operands in norm_operands():
        yield op(label, *operands)
    yield op("one value", X[:1], C3, C3)
    yield op("one pixel", IMAGES[:1, :1, :1], C3, C3)
    yield op("no value", X[:0], C3, C3)
    yield op("mean", X, C3, C3, stats=(C2, abs(C3)))
    yield op("var of one", X, C3, C3, stats=(C3, abs(C3[:1])))


def batch_norm_frozen():
    for label, *operands in norm_operands():
        yield op(label, *operands, mean=C3, var=abs(C3))
    yield op("mean", X, C3, C3, mean=C2, var=abs(C3))
    yield op("var of one", X, C3, C3, mean=C3, var=abs(C3[:1]))


def norm_add_relu():
    for label, *operands in norm_operands():
        yield op(label, *operands)
        yield op(f"{label}, frozen", *operands, stats=(C3, abs(C3)), training=False)
    yield op("one value", X[:1], C3, C3)
    yield op("mean", X, C3, C3, stats=(C2, abs(C3)))
    yield op("mean, frozen", X, C3, C3, stats=(C2, abs(C3)), training=False)
    yield op("add", X, C3, C3, X[:, :1])
    yield op("add of fewer axes", X, C3, C3, C3)


def add_relu():
    yield op("add", X, floats(1, 4, 2))


def cross_entropy():
    labels = numpy.array([0, 2, 1, 1])
    yield op("labels of floats", X, floats(0, 4))
    yield op("labels of bools", X, labels > 0)
    yield op("too few labels", X, labels[:3])
    yield op("labels of two axes", X, labels[:, None])
    yield op("logits of one axis", C3, labels[:1])
    yield op("a list", X, [0, 2, 1, 1])
    yield op("smoothing below 0", X, labels, label_smoothing=-0.1)
    yield op("smoothing above 1", X, labels, label_smoothing=1.1)


REFUSED = {
    "conv2d": conv2d, "linear": linear, "im2col": im2col, "col2im": col2im, "max_pool2d": pool, "channel_stats": channel_stats,
    "batch_norm": batch_norm, "batch_norm_frozen": batch_norm_frozen, "norm_add_relu": norm_add_relu, "add_relu": add_relu,
    "cross_entropy": cross_entropy,
}  # fmt: skip
