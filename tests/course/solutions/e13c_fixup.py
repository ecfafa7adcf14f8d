"""Solutions of 13c."""

import math

import numpy

from tests.course.kinds import right, wrong


@right
def by_slices(weights, blocks):
    m = (len(weights) - 2) // blocks
    factor = blocks ** (-0.5 / (m - 1))
    made = [weights[0].copy()]
    for start in range(1, len(weights) - 1, m):
        made += [w * factor for w in weights[start : start + m - 1]]
        made.append(numpy.zeros_like(weights[start + m - 1]))
    made.append(numpy.zeros_like(weights[-1]))
    return made


@right
def copies_first(weights, blocks):
    made = [numpy.array(w) for w in weights]
    m = (len(made) - 2) // blocks
    for b in range(blocks):
        branch = made[1 + b * m : 1 + (b + 1) * m]
        for w in branch[:-1]:
            w /= blocks ** (1 / (2 * m - 2))
        branch[-1][...] = 0
    made[-1][...] = 0
    return made


@right
def by_logarithms(weights, blocks):
    m = (len(weights) - 2) // blocks
    factor = math.exp(-math.log(blocks) / (2 * (m - 1)))
    factors = [1.0, *([factor] * (m - 1) + [0.0]) * blocks, 0.0]
    return [(w * f).astype(w.dtype) for w, f in zip(weights, factors)]


@right
def one_by_one(weights, blocks):
    inside = len(weights) - 2
    m = inside // blocks

    def start(i, w):
        if i == 0:
            return w + 0
        if i == inside + 1 or i % m == 0:
            return numpy.zeros(w.shape, w.dtype)
        return w * float(blocks) ** (1 / (2 - 2 * m))

    return tuple(start(i, w) for i, w in enumerate(weights))


FIRST = "test_the_first_layer_keeps_its_weights"
END = "test_the_classifier_starts_at_0"
LAST = "test_the_last_weight_of_each_branch_starts_at_0"
TWO = "test_in_branches_of_two_the_first_weight_is_scaled"
LONGER = "test_in_longer_branches_all_weights_except_the_last_are_scaled"
SINGLE = "test_the_weights_of_a_single_block_are_not_scaled"
STEP = "test_a_step_moves_the_sum_of_the_branches_equally_for_all_depths"


def branches(weights, blocks):
    """Return the number of weights of a branch, and lists of them."""
    m = (len(weights) - 2) // blocks
    return m, [weights[1 + b * m : 1 + b * m + m] for b in range(blocks)]


def assembled(weights, blocks, factor, *, zero=True):
    """Return right ones, with factor(m) inside the branches."""
    m, inside = branches(weights, blocks)
    made = [weights[0].copy()]
    for branch in inside:
        made += [w * factor(m) for w in branch[:-1]]
        made.append(numpy.zeros_like(branch[-1]) if zero else branch[-1] * factor(m))
    return [*made, numpy.zeros_like(weights[-1])]


@wrong(TWO, mistake="all_layers_counted")
def two_m(weights, blocks):
    return assembled(weights, blocks, lambda m: math.exp(-math.log(blocks) / 2 / m))


@wrong(LONGER, mistake="always_one_over_the_root")
def root_of_the_depth(weights, blocks):
    return assembled(weights, blocks, lambda m: 1 / math.sqrt(blocks))


@wrong(TWO, mistake="forward_pass_only")
def product_of_the_branch(weights, blocks):
    return assembled(weights, blocks, lambda m: (1 / blocks) ** (1 / (m - 1)))


@wrong(LONGER, mistake="split_over_the_branch")
def mth_root(weights, blocks):
    return assembled(weights, blocks, lambda m: (1 / blocks) ** (1 / m))


@wrong(TWO, mistake="sign_of_the_exponent")
def divided(weights, blocks):
    return assembled(weights, blocks, lambda m: 1 / blocks ** (-1 / (2 * m - 2)))


@wrong(TWO, mistake="one_over_blocks")
def shared_out(weights, blocks):
    return assembled(weights, blocks, lambda m: 1 / blocks)


@wrong(LAST, mistake="last_weight_scaled")
def no_zeros_inside(weights, blocks):
    return assembled(weights, blocks, lambda m: blocks ** (-0.5 / (m - 1)), zero=False)


@wrong(LAST, mistake="last_weight_kept")
def he_at_the_end(weights, blocks):
    made = by_slices(weights, blocks)
    m = (len(weights) - 2) // blocks
    made[m:-1:m] = [w.copy() for w in weights[m:-1:m]]
    return made


@wrong(END, mistake="classifier_kept")
def he_for_the_classifier(weights, blocks):
    return [*by_slices(weights, blocks)[:-1], weights[-1].copy()]


@wrong(END, mistake="classifier_scaled")
def small_classifier(weights, blocks):
    m = (len(weights) - 2) // blocks
    return [*by_slices(weights, blocks)[:-1], weights[-1] * blocks ** (-0.5 / (m - 1))]


@wrong(FIRST, mistake="first_layer_scaled")
def all_but_zeros(weights, blocks):
    m = (len(weights) - 2) // blocks
    return [weights[0] * blocks ** (-0.5 / (m - 1)), *by_slices(weights, blocks)[1:]]


@wrong(LAST, mistake="zero_at_the_head")
def reversed_branches(weights, blocks):
    m, inside = branches(weights, blocks)
    turned = [w for branch in inside for w in branch[::-1]]
    made = by_slices([weights[0], *turned, weights[-1]], blocks)
    return [
        made[0],
        *(w for b in range(blocks) for w in made[1 + b * m : 1 + b * m + m][::-1]),
        made[-1],
    ]


@wrong(TWO, mistake="branches_all_0")
def silent_branches(weights, blocks):
    return [weights[0].copy(), *map(numpy.zeros_like, weights[1:])]


@wrong(LONGER, mistake="only_the_head_scaled")
def first_of_each(weights, blocks):
    m, inside = branches(weights, blocks)
    made = [weights[0].copy()]
    for head, *others, last in inside:
        made += [
            head * blocks ** (-0.5 / (m - 1)),
            *(w.copy() for w in others),
            numpy.zeros_like(last),
        ]
    return [*made, numpy.zeros_like(weights[-1])]


@wrong(TWO, mistake="layers_for_blocks")
def depth_in_layers(weights, blocks):
    depth = len(weights) - 2
    return assembled(weights, blocks, lambda m: depth ** (-0.5 / (m - 1)))


@wrong(LAST, mistake="both_ends_counted")
def m_of_all(weights, blocks):
    m = len(weights) // blocks
    made = [weights[0].copy()]
    for i, w in enumerate(weights[1:-1], 1):
        made.append(numpy.zeros_like(w) if i % m == 0 else w * blocks ** (-1 / (2 * m - 2)))
    return [*made, numpy.zeros_like(weights[-1])]


@wrong("test_the_given_list_and_its_arrays_stay_unchanged", mistake="written_in_place")
def scaled_where_they_are(weights, blocks):
    m = (len(weights) - 2) // blocks
    for i, w in enumerate(weights[1:], 1):
        w *= 0 if i % m == 0 or i == len(weights) - 1 else blocks ** (-1 / (2 * m - 2))
    return weights


@wrong(TWO)
def by_the_number_of_the_block(weights, blocks):
    m, inside = branches(weights, blocks)
    made = [weights[0].copy()]
    for place, branch in enumerate(inside, 1):
        made += [w * place ** (-0.5 / (m - 1)) for w in branch[:-1]] + [
            numpy.zeros_like(branch[-1])
        ]
    return [*made, numpy.zeros_like(weights[-1])]


@wrong(SINGLE)
def one_block_more(weights, blocks):
    return assembled(weights, blocks, lambda m: (blocks + 1) ** (-0.5 / (m - 1)))


@wrong(LAST)
def only_the_last_block_at_0(weights, blocks):
    m = (len(weights) - 2) // blocks
    made = [w * blocks ** (-0.5 / (m - 1)) for w in weights]
    return [weights[0].copy(), *made[1:-2], numpy.zeros_like(made[-2]), numpy.zeros_like(made[-1])]


@wrong("test_float32_stays_float32")
def float64_factor(weights, blocks):
    return assembled(
        weights, blocks, lambda m: numpy.float64(blocks) ** numpy.float64(-0.5 / (m - 1))
    )


@wrong("test_the_arrays_are_new_ones")
def first_layer_passed_on(weights, blocks):
    return [weights[0], *by_slices(weights, blocks)[1:]]


@wrong(LAST)
def nearly_0(weights, blocks):
    m = (len(weights) - 2) // blocks
    made = by_slices(weights, blocks)
    made[m:-1:m] = [w * 1e-3 for w in weights[m:-1:m]]
    return made
