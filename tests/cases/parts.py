"""Cases of the functions that are no ops: updates, products, chunks, batches, and the parts of faster forms."""

import numpy

from minires import nn, optim
from minires.backend import to_device, xp
from minires.data.batches import sample_augmentation
from minires.fast.tiles import F2, F4, F4_STRIDE2, Maps
from tests.cases.calls import (
    Case,
    assert_same,
    cast,
    changes,
    floats,
    gapped,
    on_device,
    on_host,
    returns,
)
from tests.cases.ops import norms
from tests.strategies import numbers

SHAPES = (7,), (3, 4), (50, 60)


def sgd():
    for shape in SHAPES:
        w, g, v = (floats(seed, *shape) for seed in range(3))
        for options in ((), (0.9,), (0.9, 0.1), (0.9, 0.1, True)):
            yield changes(f"sgd of {shape}, {options}", w, g, v, 0.05, *options, places=(0, 2))
        yield changes(f"sgd of {shape}, no momentum", w, g, None, 0.05, 0.0, 0.2, places=(0,))


def adam():
    for shape in SHAPES:
        w = floats(0, *shape)
        g = floats(1, *shape)
        m = floats(2, *shape)
        v = floats(3, *shape, positive=True)
        for options in (
            (),
            ((0.5, 0.7), 0.1),
            ((0.9, 0.99), 1e-8, 0.1),
            ((0.9, 0.99), 1e-8, 0.1, True),
        ):
            yield changes(
                f"adam of {shape}, {options}", w, g, m, v, 3, 0.05, *options, places=(0, 2, 3)
            )


def update_running():
    for c in (1, 3, 64):
        yield changes(
            f"update_running of {c}", *(floats(seed, c) for seed in range(4)), 0.3, 5, places=(0, 1)
        )


def moving_stats():
    for shape in ((2, 1), (5, 3), (3, 4, 5, 8), (40, 13, 2, 20), (2, 3, 1, 600)):
        yield Case(f"moving_stats of {shape}", stats_and_running_ones(floats(0, *shape) + 10))
        yield Case(f"moving_stats of {shape}, gaps", stats_and_running_ones(gapped(0, *shape)))


def stats_and_running_ones(x):
    """The statistics of a batch, and the running ones after it. All else must stay."""
    vectors = [floats(seed, x.shape[-1]) for seed in range(1, 5)]

    def run(function, dtype):
        kept = cast((x, *vectors[:2]), dtype)
        given, running = on_device(kept), [to_device(v.astype(dtype)) for v in vectors[2:]]
        made = function(*given, *running, 0.3)
        if made is NotImplemented:
            return made
        assert_same(list(kept), on_host(given), "an argument is written to")
        return on_host([*made, *running])

    return run


def update_groups():
    for label, make in (
        ("SGD", lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01)),
        ("SGD without momentum", lambda p: optim.SGD(p, 0.1)),
        ("Adam", lambda p: optim.Adam(p, 0.1, weight_decay=0.1)),
        ("AdamW", lambda p: optim.AdamW(p, 0.1)),
        (
            "groups",
            lambda p: optim.SGD(
                [{"params": p[:2]}, {"params": p[2:], "lr": 0.3}], 0.1, momentum=0.5
            ),
        ),
    ):
        yield Case(label, six_steps(make))


def six_steps(make):
    """Six steps, of which the fifth leaves a parameter out; after the third another optimizer goes on."""

    def run(function, dtype):
        parameters = [
            nn.Parameter(to_device(floats(i, *shape).astype(dtype)))
            for i, shape in enumerate(((3, 4), (5,), (2, 2, 2)))
        ]
        optimizer = make(parameters)
        for step in range(6):
            if step == 3:
                state = optimizer.state_dict()
                optimizer = make(parameters)
                optimizer.load_state_dict(state)
            for i, parameter in enumerate(parameters):
                left_out = step == 4 and i == 1
                parameter.grad = (
                    None
                    if left_out
                    else to_device(floats(10 * step + i, *parameter.shape).astype(dtype))
                )
            if function(optimizer) is NotImplemented:
                return NotImplemented
        state = optimizer.state_dict()
        return [
            *(on_host(parameter.data) for parameter in parameters),
            *(numpy.asarray(state[name]) for name in sorted(state)),
        ]

    return run


def accumulate():
    for label, update in (("before a step", False), ("after a step", True)):
        yield Case(f"accumulate, {label}", first_gradients(update))


def first_gradients(update):
    """The first gradients of two parameters, after a step of their optimizer or before; what is accumulated stays."""

    def run(function, dtype):
        shapes = (3, 4), (5,)
        parameters = [
            nn.Parameter(to_device(floats(i, *shape).astype(dtype)))
            for i, shape in enumerate(shapes)
        ]
        optimizer = optim.SGD(parameters, 0.1)
        if update:
            for parameter in parameters:
                parameter.grad = parameter.data * 2
            optimizer.step()
            optimizer.zero_grad()
        given = [floats(10 + i, *shape).astype(dtype) for i, shape in enumerate(shapes)]
        for parameter, g in zip(parameters, given):
            array = on_device(g)
            if function(parameter, array) is NotImplemented:
                return NotImplemented
            assert_same([g], [on_host(array)], "the gradient is written to")
        return [on_host(parameter.grad) for parameter in parameters]

    return run


def norm_forward():
    for label, (x, gamma, beta), (mean, var), add, relu, _ in norm_passes():
        yield returns(label, x, gamma, beta, add, mean, var, 1e-3, relu)


def norm_backward():
    for label, (x, gamma, _), (mean, var), add, relu, frozen in norm_passes():
        g, y = gapped(7, *x.shape), floats(8, *x.shape) if relu else None
        yield returns(label, g, y, x, gamma, mean, var, 1e-3, not frozen, add is not None)


def norm_passes():
    for frozen in (False, True):
        for shape, operands, stats in norms(frozen=frozen):
            for adds in (False, True):
                for relu in (False, True):
                    label = f"{shape}{', frozen' * frozen}{', add' * adds}{', relu' * relu}"
                    yield label, operands, stats, gapped(9, *shape) if adds else None, relu, frozen


def product():
    for stack in ((), (3,)):
        for m, k, n in (
            (3, 4, 5),
            (1, 7, 1),
            (1001, 30, 40),
            (30, 1203, 40),
            (0, 3, 2),
            (2, 0, 3),
            (64, 64, 64),
        ):
            a, b = (*stack, m, k), (*stack, k, n)
            yield returns(f"{a} @ {b}", floats(0, *a), gapped(1, *b))
            yield into(
                f"{a} @ {b} into an array",
                numpy.ascontiguousarray(floats(0, *a)),
                floats(1, *b),
                (*stack, m, n),
            )


def into(label, a, b, shape):
    """product(a, b, out)."""

    def run(function, dtype):
        given = cast((a, b), dtype)
        factors, out = on_device(given), xp.zeros(shape, dtype=dtype)
        made = function(*factors, out)
        if made is NotImplemented:
            return made
        assert made is out
        assert_same(list(given), on_host(factors), "a factor is written to")
        return [on_host(out)]

    return Case(label, run)


def sum_over_chunks():
    def case(n, bytes_each, bytes_shared=0):
        def run(function, dtype):
            values = to_device(numbers(0, (n, 3)).astype(dtype))
            seen = xp.zeros((n,), dtype="int64")

            def work(chunk):
                seen[chunk] += 1
                return values[chunk].sum(axis=0), (values[chunk] ** 2).sum(axis=0)

            return on_host([*function(work, n, bytes_each, bytes_shared), seen])

        return Case(f"{n} examples of {bytes_each} bytes", run)

    return [
        case(7, 1),
        case(5, 3 << 20),
        case(3, 1 << 33),
        case(1, 1 << 30),
        case(0, 8),
        case(6, 1 << 20, 5 << 20),
    ]


def scratch():
    def run(function, dtype):
        made = function("a test's", (2, 3), numpy.dtype(dtype))
        made[...] = 1  # there may have been anything in it
        return [on_host(made)]

    return [Case("an array with anything in it", run, ("float32", "float64", "int64"))]


def empty():
    def run(function, dtype):
        for shape in ((0, 3), (2, 3), (40, 50)):
            made = function(shape, numpy.dtype(dtype))
            made[...] = 1  # there may have been anything in it
        return [on_host(made)]

    return [Case("an array with anything in it", run, ("float32", "float64", "int64"))]


def sum_of_products():
    return [
        returns(f"{shape}", numpy.ascontiguousarray(floats(0, *shape)))
        for shape in ((7, 3), (1, 4), (900, 27))
    ]


def gather():
    rng = numpy.random.default_rng(0)
    for h, w, c in ((5, 4, 3), (6, 6, 1)):
        for kind in ("uint8", "float32", "float64"):
            images, chosen = rng.integers(0, 256, (7, h, w, c)).astype(kind), rng.integers(0, 7, 4)
            factor, offset = (rng.standard_normal(c).astype("float32") for _ in range(2))
            for cutout in (0, 3):
                moves = sample_augmentation(
                    rng, 4, (h, w), crop=2, mirrored=rng.random(4) < 0.5, cutout=cutout
                )
                label = f"{kind} of {(h, w, c)}, cutout {cutout}"
                yield returns(
                    label, images, chosen, moves, cutout, factor, offset, dtypes=("float32",)
                )
            yield returns(
                f"{kind} of {(h, w, c)}, as they are",
                images,
                chosen,
                None,
                0,
                factor,
                offset,
                dtypes=("float32",),
            )
            yield returns(
                f"no image of {kind}",
                images,
                chosen[:0],
                None,
                0,
                factor,
                offset,
                dtypes=("float32",),
            )


def maps(name):
    """Cases of a method of Maps."""
    for tile in (F2, F4, F4_STRIDE2):
        for (n, h, w, c), f, padding in (
            ((2, 9, 7, 3), 4, (1, 1)),
            ((1, 5, 5, 5), 5, (0, 2)),
            ((3, 4, 11, 8), 2, (2, 0)),
        ):

            def made(dtype, sizes=(n, h, w, c, f), padding=padding, tile=tile):
                n, h, w, c, f = sizes
                return Maps(
                    xp.zeros((n, h, w, c)),
                    xp.zeros((3, 3, c, f)),
                    padding,
                    tile,
                    numpy.dtype(dtype),
                )

            like = made("float64")
            tiled = (like.k, like.k, *like.tiles, n)
            label = f"tiles of {tile.m}, stride {tile.stride}, of {(n, h, w, c)}"
            if name == "untile":
                yield changes(
                    label,
                    floats(0, *tiled, f),
                    numpy.zeros((n, *like.output, f)),
                    places=(1,),
                    first=made,
                )
            elif name == "untile_gradient":
                yield changes(
                    label, floats(0, *tiled, c), numpy.zeros((n, h, w, c)), places=(1,), first=made
                )
            else:
                shapes = {"tile_images": (n, h, w, c), "tile_gradient": (n, *like.output, f), "tile_filters": (3, 3, c, f),
                          "untile_filters": (like.k**2, c, f)}  # fmt: skip
                yield of_maps(label, made, floats(0, *shapes[name]))


def of_maps(label, made, values):
    """Of a method that returns an array, which may be memory that the next call takes."""

    def run(function, dtype):
        result = function(made(dtype), to_device(numpy.array(values, dtype, order="C")))
        return result if result is NotImplemented else [on_host(result)]

    return Case(label, run)


def overlapping():
    for shape, axis, length, step in (
        ((14, 5), 0, 6, 4),
        ((2, 3, 10, 7), 2, 4, 2),
        ((9,), 0, 9, 3),
    ):
        yield returns(f"overlapping of {shape}", floats(0, *shape), axis, length, step)


MAPS = (
    "tile_images",
    "untile_gradient",
    "untile",
    "tile_gradient",
    "tile_filters",
    "untile_filters",
)
PARTS = {
    "sgd": sgd, "adam": adam, "update_running": update_running, "moving_stats": moving_stats,
    "Optimizer.update_groups": update_groups, "accumulate": accumulate, "gather": gather, "norm_forward": norm_forward, "norm_backward": norm_backward,
    "product": product, "sum_of_products": sum_of_products, "sum_over_chunks": sum_over_chunks, "scratch": scratch, "empty": empty, "overlapping": overlapping,
    **{f"Maps.{name}": lambda name=name: maps(name) for name in MAPS},
}  # fmt: skip
