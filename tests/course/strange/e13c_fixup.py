"""Strange solutions of 13c."""

import copy
import functools
import itertools

import numpy

from minires.course.answers.e13c_fixup import fixup as model
from tests.course.kinds import right, wrong

TYPES = "test_each_array_keeps_its_own_dtype"
NEW = "test_the_arrays_are_new_ones"
GIVEN = "test_the_given_list_and_its_arrays_stay_unchanged"
PARTS = "test_arrays_may_be_transposed_or_parts_of_larger_ones"
SHAPES = "test_shapes_may_differ_or_be_equal"
LONGER = "test_in_longer_branches_all_weights_except_the_last_are_scaled"
STEP = "test_a_step_moves_the_sum_of_the_branches_equally_for_all_depths"


@right
def by_an_iterator(weights, blocks):
    stream = iter(weights)
    m = (len(weights) - 2) // blocks
    yielded = [next(stream).copy()]
    for _ in range(blocks):
        yielded.extend(w * blocks ** (-1 / (2 * m - 2)) for w in itertools.islice(stream, m - 1))
        yielded.append(0 * next(stream))
    return [*yielded, 0 * next(stream)]


@right
def by_recursion(weights, blocks):
    m = (len(weights) - 2) // blocks

    def branch(ws):
        if len(ws) == 1:
            return [numpy.zeros_like(ws[0])]
        return [ws[0] * blocks ** (-1 / (2 * m - 2)), *branch(ws[1:])]

    parts = (branch(weights[i : i + m]) for i in range(1, 1 + blocks * m, m))
    return [
        numpy.copy(weights[0]),
        *itertools.chain.from_iterable(parts),
        numpy.zeros_like(weights[-1]),
    ]


@right
def by_object_arrays(weights, blocks):
    grid = numpy.empty(len(weights) - 2, dtype=object)
    grid[:] = [numpy.array(w) for w in weights[1:-1]]
    grid = grid.reshape(blocks, -1)
    a = float(blocks) ** (-1 / (2 * (grid.shape[1] - 1)))
    for row in grid:
        for j, w in enumerate(row):
            w *= a if j < len(row) - 1 else 0.0
    return [numpy.array(weights[0]), *grid.ravel(), numpy.array(weights[-1]) * 0]


@right
def repeated_roots(weights, blocks):
    """a by bisection: blocks * a ** (2 (m - 1)) = 1."""
    m = (len(weights) - 2) // blocks
    low, high = 0.0, 1.0
    for _ in range(80):
        a = (low + high) / 2
        low, high = (a, high) if blocks * a ** (2 * (m - 1)) < 1 else (low, a)
    made = model(weights, blocks)
    for i in range(1, len(weights) - 1):
        if i % m:
            made[i] = weights[i] * high
    return made


@right
def in_float64_and_back(weights, blocks):
    wide = model([w.astype("float64") for w in weights], blocks)
    return [new.astype(w.dtype) for new, w in zip(wide, weights)]


@wrong(TYPES)
def the_type_of_the_first(weights, blocks):
    return [w.astype(weights[0].dtype) for w in model(weights, blocks)]


@wrong("test_float32_stays_float32")
def zeros_of_float64(weights, blocks):
    made = model(weights, blocks)
    return [numpy.zeros(w.shape) if not w.any() else w for w in made]


@wrong(NEW)
def one_zero_for_all(weights, blocks):
    """Zeros of one shape are one array."""
    zeros = {}
    return [
        w if w.any() else zeros.setdefault((w.shape, w.dtype), w) for w in model(weights, blocks)
    ]


@functools.cache
def _zeros(shape, dtype):
    return numpy.zeros(shape, dtype)


@wrong(NEW)
def zeros_kept_between_calls(weights, blocks):
    made = model(weights, blocks)
    return [*made[:-1], _zeros(made[-1].shape, str(made[-1].dtype))]


@wrong(NEW)
def zeros_by_broadcasting(weights, blocks):
    """Zeros that nobody can write to."""
    made = model(weights, blocks)
    return [*made[:-1], numpy.broadcast_to(made[-1].dtype.type(0), made[-1].shape)]


@wrong(GIVEN)
def ends_taken_out(weights, blocks):
    """The list is used up."""
    made = model(weights, blocks)
    weights.pop()
    weights.pop(0)
    return made


@wrong(GIVEN)
def list_sorted_out(weights, blocks):
    made = model(weights, blocks)
    weights[:] = made
    return weights


@wrong(PARTS)
def by_memory(weights, blocks):
    """Rebuilt from the order in memory."""
    return [w.ravel(order="K").reshape(w.shape) for w in model(weights, blocks)]


@wrong(SHAPES)
def by_shape(weights, blocks):
    """It looks for the ends of branches where the shape changes."""
    made = model(weights, blocks)
    for i in range(1, len(weights) - 2):
        if weights[i].shape != weights[i + 1].shape:
            made[i] = numpy.zeros_like(made[i])
    return made


@wrong(SHAPES, crashes=True)
def stacked(weights, blocks):
    """All weights in one array."""
    grid = numpy.stack(weights[1:-1])
    m = len(grid) // blocks
    grid = grid * blocks ** (-1 / (2 * m - 2))
    grid[m - 1 :: m] = 0
    return [weights[0].copy(), *(row.copy() for row in grid), numpy.zeros_like(weights[-1])]


@wrong(LONGER)
def up_to_three_only(weights, blocks):
    m = (len(weights) - 2) // blocks
    a = {2: blocks**-0.5, 3: blocks**-0.25}.get(m, blocks**-0.25)
    made = model(weights, blocks)
    return [weights[i] * a if 0 < i < len(weights) - 1 and i % m else w for i, w in enumerate(made)]


@wrong(LONGER)
def alternating(weights, blocks):
    """The last of every two weights is 0."""
    made = model(weights, blocks)
    m = (len(weights) - 2) // blocks
    for i in range(m):
        if i % 2 and m > 3:
            made[1 + i] = made[1 + i] * 0
    return made


@wrong(STEP)
def at_least_a_hundredth(weights, blocks):
    m = (len(weights) - 2) // blocks
    a = max(blocks ** (-1 / (2 * m - 2)), 0.2)
    made = model(weights, blocks)
    return [weights[i] * a if 0 < i < len(weights) - 1 and i % m else w for i, w in enumerate(made)]


@wrong("test_the_first_layer_keeps_its_weights")
def normalised_first(weights, blocks):
    made = model(weights, blocks)
    return [made[0] / made[0].std(), *made[1:]]


@right
def from_the_end_by_recursion(weights, blocks):
    """One call per weight."""
    m = (len(weights) - 2) // blocks

    def inside(ws, i):
        if not ws:
            return []
        factor = 0 if i % m == 0 else blocks ** (-0.5 / (m - 1))
        return [*inside(ws[:-1], i - 1), ws[-1] * factor]

    return [weights[0].copy(), *inside(weights[1:-1], m * blocks), weights[-1] * 0]


@wrong(NEW)
def an_iterator(weights, blocks):
    return iter(model(weights, blocks))


@wrong(LONGER)
def the_first_of_each_branch_only(weights, blocks):
    """The branch as a whole gets the factor of m = 2, and all of it at its head."""
    m = (len(weights) - 2) // blocks
    factors = [blocks**-0.5, *[1] * (m - 2), 0] * blocks
    inside = [w * factor for w, factor in zip(weights[1:-1], factors)]
    return [weights[0].copy(), *inside, weights[-1] * 0]


@right
def copied_and_changed_in_place(weights, blocks):
    made = copy.deepcopy(weights)
    m = (len(made) - 2) // blocks
    for i, w in enumerate(made[1:-1], 1):
        w *= blocks ** (-1 / (2 * m - 2)) if i % m else 0
    made[-1].fill(0)
    return made


@right
def by_steps(weights, blocks):
    """Slices with the step m: the ends of all branches, and then each other position."""
    made = [numpy.array(w) for w in weights]
    m = (len(made) - 2) // blocks
    for w in [*made[m:-1:m], made[-1]]:
        w[...] = 0
    for start in range(1, m):
        for w in made[start:-1:m]:
            w /= blocks ** (0.5 / (m - 1))
    return made


@wrong(NEW)
def one_block_needs_nothing(weights, blocks):
    """a is 1, so the first layer and the inner weights are passed on."""
    made = model(weights, blocks)
    return [old if blocks == 1 and new.any() else new for old, new in zip(weights, made)]


@wrong(LONGER)
def halved_for_each_weight_more(weights, blocks):
    """The exponents 1/2, 1/4, 1/8: right for m = 2 and m = 3."""
    made, m = model(weights, blocks), (len(weights) - 2) // blocks
    for i in range(1, len(weights) - 1):
        made[i] = weights[i] * blocks ** -(0.5 ** (m - 1)) if i % m else made[i]
    return made
