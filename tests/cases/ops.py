"""Cases of the ops: odd sizes, strides and padding, one image and none, sizes that are equal and such that are not, arrays with
gaps in memory, gradients that are broadcast.
"""

import numpy

from tests.cases.calls import floats, gapped, op

WINDOWS = (  # shape, kernel, stride, padding
    ((2, 7, 5, 3), (3, 2), (2, 1), (1, 1)),
    ((3, 4, 9, 2), (2, 4), (1, 3), (0, 2)),
    ((1, 5, 5, 5), (3, 3), (1, 1), (1, 1)),
    ((2, 6, 6, 4), (2, 2), (2, 2), (0, 0)),
    ((1, 3, 3, 1), (3, 3), (2, 2), (0, 0)),
    ((2, 3, 4, 8), (1, 1), (2, 1), (0, 0)),
    ((0, 6, 4, 3), (3, 3), (2, 2), (1, 1)),
)


def windows(name):
    """(label, shape, options) for each window."""
    for shape, kernel, stride, padding in WINDOWS:
        label = f"{name} of {shape} by {kernel}, stride {stride}, padding {padding}"
        yield label, shape, {"kernel": kernel, "stride": stride, "padding": padding}


def ints(*shape):
    return numpy.arange(numpy.prod(shape)).reshape(shape)


def conv2d():
    for label, shape, options in windows("conv2d"):
        weight = floats(1, *options["kernel"], shape[3], 5)
        yield op(
            label,
            floats(0, *shape),
            weight,
            floats(2, 5),
            stride=options["stride"],
            padding=options["padding"],
        )
    for label, shape, f, options in (
        ("with tiles", (2, 9, 7, 8), 16, {"padding": 1}),
        ("with tiles of stride 2", (32, 9, 10, 8), 8, {"padding": 1, "stride": 2}),
        ("with fewer tiles than channels", (1, 8, 8, 16), 16, {"padding": 1}),
        ("with tiles, of equal sizes", (8, 8, 8, 8), 8, {"padding": (2, 0)}),
    ):
        yield op(
            f"conv2d {label}",
            floats(0, *shape),
            floats(1, 3, 3, shape[3], f),
            floats(2, f),
            **options,
        )
        weight = gapped(1, 3, 3, shape[3], f)
        yield op(
            f"conv2d {label}, gaps, no bias", gapped(0, *shape), weight, g="stretched", **options
        )
    yield op("conv2d, gaps, no bias", gapped(0, 3, 6, 5, 4), gapped(1, 2, 3, 4, 6), g="stretched")
    yield op(
        "conv2d by one pixel",
        gapped(0, 3, 6, 5, 4),
        gapped(1, 1, 1, 4, 6),
        gapped(2, 6),
        g="stretched",
        stride=(1, 2),
    )
    yield op(
        "conv2d by one pixel, of equal sizes", floats(0, 4, 4, 4, 4), floats(1, 1, 1, 4, 4), None
    )
    yield op(
        "conv2d by one pixel, no image", floats(0, 0, 4, 3, 2), floats(1, 1, 1, 2, 5), floats(2, 5)
    )
    yield op(
        "conv2d by one pixel, padding", floats(0, 2, 3, 5, 4), floats(1, 1, 1, 4, 2), padding=(1, 0)
    )
    for kernel in (3, 1):
        yield op(
            f"conv2d of ints by {kernel}",
            ints(2, 6, 4, 9),
            ints(kernel, kernel, 9, 8),
            padding=kernel // 2,
            dtypes=("float64",),
        )
        real = floats(1, kernel, kernel, 9, 8)
        yield op(
            f"conv2d of ints by real weights of {kernel}",
            ints(2, 6, 4, 9),
            real,
            floats(2, 8),
            padding=kernel // 2,
            halves=False,
        )


def linear():
    for leading, i, o in (
        ((4,), 3, 5),
        ((), 3, 2),
        ((2, 3), 4, 4),
        ((1,), 1, 1),
        ((0,), 3, 5),
        ((4,), 0, 5),
        ((2, 3), 3, 0),
        ((900,), 6, 7),
    ):
        shape = (*leading, i)
        yield op(f"linear of {shape} to {o}", floats(0, *shape), floats(1, i, o), floats(2, o))
        yield op(
            f"linear of {shape} to {o}, gaps, no bias",
            gapped(0, *shape),
            gapped(1, i, o),
            g="stretched",
        )
    yield op("linear of ints", ints(2, 3), ints(3, 4), dtypes=("float64",))
    yield op(
        "linear of ints by real weights", ints(2, 3), floats(0, 3, 4), floats(1, 4), halves=False
    )


def im2col():
    for label, shape, options in windows("im2col"):
        yield op(label, floats(0, *shape), **options)
        yield op(f"{label}, gaps", gapped(0, *shape), g="stretched", **options)
    yield op("im2col of ints", ints(1, 4, 3, 3), kernel=2, dtypes=("float64",))


def col2im():
    for label, (n, h, w, c), options in windows("col2im"):
        (kh, kw), (sh, sw), (ph, pw) = options.values()
        rows = n * ((h + 2 * ph - kh) // sh + 1) * ((w + 2 * pw - kw) // sw + 1)
        yield op(label, floats(0, rows, kh * kw * c), shape=(n, h, w, c), **options)
        yield op(
            f"{label}, gaps",
            gapped(0, rows, kh * kw * c),
            shape=(n, h, w, c),
            g="stretched",
            **options,
        )


def pools(name):
    for label, shape, options in windows(name):
        options["padding"] = tuple(
            min(p, k // 2) for p, k in zip(options["padding"], options["kernel"])
        )
        yield op(label, floats(0, *shape), **options)
        yield op(f"{label}, ties, gaps", numpy.round(gapped(0, *shape)), g="stretched", **options)
    yield op(f"{name}, side by side", floats(0, 2, 4, 7, 3), kernel=(2, 3))
    if name == "max_pool2d":
        nan, infinity = numpy.nan, numpy.inf
        holes = numpy.array([[1, nan, 2], [nan, 5, -infinity], [-infinity] * 3]).reshape(1, 3, 3, 1)
        yield op("max_pool2d of NaN and infinity", holes, kernel=2, stride=1)
        yield op("max_pool2d of NaN and infinity, padding", holes, kernel=3, stride=1, padding=1)
        yield op("max_pool2d of more than 256 positions", floats(0, 1, 17, 18, 2), kernel=(16, 17))


def norms(*, frozen):
    """(shape, (x, gamma, beta), (mean, var)) for batch norms. Frozen ones take one value per channel, and none."""
    shapes = [
        (6, 3),
        (2, 5, 4, 3),
        (1, 3, 3, 5),
        (2, 1, 1, 2),
        (3, 8, 8, 64),
        (7, 700),
        *[(1, 4), (0, 5, 4, 3)] * frozen,
    ]
    for seed, shape in enumerate(shapes):
        c = shape[-1]
        vectors = floats(seed + 1, c, away_from_zero=0.5), gapped(seed + 2, c)
        stats = floats(seed + 3, c), floats(seed + 4, c, positive=True, away_from_zero=0.1)
        x = floats(seed, *shape) if seed % 2 else gapped(seed, *shape)
        yield shape, (x + 2.0 if seed == 1 else x, *vectors), stats


def channel_stats():
    for shape in ((6, 3), (1, 3), (2, 5, 4, 3), (1, 3, 3, 5), (7, 700), (40, 9, 7, 20), (3000, 2)):
        yield op(f"channel_stats of {shape}", floats(0, *shape) + 10)
        yield op(f"channel_stats of {shape}, gaps", gapped(0, *shape))


def batch_norm():
    for shape, operands, stats in norms(frozen=False):
        yield op(f"batch_norm of {shape}", *operands, eps=0.1)
        yield op(f"batch_norm of {shape}, statistics given", *operands, stats=stats, g="stretched")


def sync_batch_norm():
    """As of two processes with the same numbers."""
    for shape, operands, (mean, var) in norms(frozen=False):
        options = {"count": 2 * operands[0].size // shape[-1], "add_up": lambda sums: 2 * sums}
        yield op(f"sync_batch_norm of {shape}", *operands, mean=mean, var=var, **options)


def batch_norm_frozen():
    for shape, operands, (mean, var) in norms(frozen=True):
        yield op(f"batch_norm_frozen of {shape}", *operands, mean=mean, var=var)
        yield op(
            f"batch_norm_frozen of {shape}, eps",
            *operands,
            mean=mean,
            var=var,
            eps=0.3,
            g="stretched",
        )


def norm_add_relu():
    for frozen in (False, True):
        for shape, operands, stats in norms(frozen=frozen):
            for adds in (False, True):
                for relu in (False, True):
                    label = f"norm_add_relu of {shape}{', frozen' * frozen}{', add' * adds}{', relu' * relu}"
                    options = {
                        "training": not frozen,
                        "relu": relu,
                        "g": "stretched" if relu else "normal",
                    }
                    yield op(
                        label,
                        *operands,
                        *[gapped(9, *shape)] * adds,
                        stats=stats if frozen else None,
                        **options,
                    )


def add_relu():
    for shape in ((6, 3), (2, 5, 4, 3), (0, 3)):
        for relu in (True, False):
            yield op(
                f"add_relu of {shape}{', relu' * relu}",
                gapped(0, *shape),
                gapped(1, *shape),
                relu=relu,
                g="stretched",
            )
            yield op(f"add_relu of {shape} alone{', relu' * relu}", floats(0, *shape), relu=relu)
    yield op("add_relu, broadcast", floats(0, 2, 3, 4), floats(1, 2, 1, 4), relu=True)
    yield op("add_relu of a number", floats(0, 2, 3, 4), 0.5, relu=False)


def cross_entropy():
    for n, k, smoothing, kind in (
        (4, 3, 0.0, "int64"),
        (1, 5, 0.1, "int32"),
        (7, 7, 1.0, "uint8"),
        (300, 2, 0.3, "int64"),
    ):
        labels = numpy.random.default_rng(n).integers(0, k, 2 * n).astype(kind)
        yield op(
            f"cross_entropy of {n} by {k}, {kind}",
            10 * floats(n, n, k),
            labels[:n],
            label_smoothing=smoothing,
        )
        yield op(
            f"cross_entropy of {n} by {k}, {kind}, gaps",
            gapped(n, n, k),
            labels[::2],
            label_smoothing=smoothing,
        )
    impossible = numpy.array([[1.0, -numpy.inf, 2.0], [0.0, 1.0, -numpy.inf]])
    yield op("cross_entropy, an impossible class", impossible, numpy.array([0, 1]))


X = floats(0, 2, 3, 4)
Y = floats(1, 3, 4)
POSITIVE = floats(2, 2, 3, 4, positive=True, away_from_zero=0.1)
NONE = numpy.zeros((0, 3))


def of_one(x):
    return lambda: [
        op("three axes", x),
        op("gaps", _gaps(x)),
        op("none", NONE),
        op("a number", numpy.asarray(x.flat[0])),
    ]


def of_two(a, b):
    return lambda: [
        op("broadcast", a, b),
        op("a number on the right", a, 2.0),
        op("none", NONE, NONE[:, :1]),
    ]


def reduction():
    return [op("all", X), op("axes", X, axis=(0, 2)), op("keepdims", X, axis=1, keepdims=True)]


def _gaps(x):
    return x[:, ::2]


OPS = {
    "conv2d": conv2d, "linear": linear, "im2col": im2col, "col2im": col2im, "channel_stats": channel_stats,
    "batch_norm": batch_norm, "batch_norm_frozen": batch_norm_frozen, "sync_batch_norm": sync_batch_norm, "norm_add_relu": norm_add_relu, "add_relu": add_relu,
    "max_pool2d": lambda: pools("max_pool2d"), "avg_pool2d": lambda: pools("avg_pool2d"), "cross_entropy": cross_entropy,
    "global_avg_pool": lambda: [op("images", gapped(0, 2, 5, 4, 3)), op("no image", numpy.zeros((0, 2, 3, 4)))],
    **dict.fromkeys(("log", "sqrt"), of_one(POSITIVE)),
    **dict.fromkeys(("exp", "tanh", "sigmoid", "relu", "negative"), of_one(X)),
    **dict.fromkeys(("add", "subtract", "multiply", "maximum"), of_two(X, Y)),
    "divide": of_two(X, POSITIVE[0]), "power": of_two(POSITIVE, Y),
    "where": lambda: [op("broadcast", X > 0, X, Y)],
    "scaled_add": lambda: [op("a number", X, POSITIVE, 0.3), op("an array", X, POSITIVE, numpy.array(-0.8))],
    "pad_shortcut": lambda: [op("stride 2", gapped(0, 2, 5, 4, 3), channels=8, stride=2), op("stride 1", floats(0, 2, 3, 3, 3), channels=3),
                             op("no image", numpy.zeros((0, 3, 4, 2)), channels=4, stride=2)],
    "scale_gradient": lambda: [op("half", X, factor=0.5)],
    "matmul": lambda: [op("matrices", floats(0, 3, 4), gapped(1, 4, 5)), op("stacks", floats(0, 2, 3, 4), floats(1, 4, 5)),
                       op("vectors", floats(0, 4), floats(1, 4))],
    **dict.fromkeys(("softmax", "log_softmax"), lambda: [op("last axis", X), op("first axis", X, axis=0)]),
    "mse_loss": lambda: [op("two arrays", X, POSITIVE)],
    "dropout": lambda: [op("half", X, X > 0, p=0.5)],
    **dict.fromkeys(("sum", "mean", "max", "var"), reduction),
    "reshape": lambda: [op("rows", X, shape=(6, 4))],
    "transpose": lambda: [op("turned", X, axes=(2, 0, 1))],
    "getitem": lambda: [op("slice", X, index=(slice(None), 1)), op("twice", X, index=([0, 0, 1],))],
    "concatenate": lambda: [op("two", X, POSITIVE, axis=1)],
    "pad": lambda: [op("around", X, widths=((0, 1), (2, 0), (0, 0)))],
    "broadcast_to": lambda: [op("three", Y, shape=(3, 3, 4))],
}  # fmt: skip
