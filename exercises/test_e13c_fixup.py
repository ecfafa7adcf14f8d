"""Claims about fixup: branches and classifier start at 0, and a step moves the sum of all branches equally, however many they are."""

import math

import numpy
from e13c_fixup import fixup

from minires.course import Check

check = Check("13c")
check_float32 = Check("13c", tolerance=1e-6)


def arrays(blocks, m, dtype="float64", shape=(2, 3)):
    """Return the weights of a net: the first layer, m for each block, and the classifier."""
    rng = numpy.random.default_rng(100 * blocks + m)
    return [rng.standard_normal(shape).astype(dtype) + 2 for _ in range(blocks * m + 2)]


def told(blocks, m):
    """Return the call as it appears in a message."""
    return f"fixup(weights, {blocks}), {m} weights in each branch"


def part(blocks, m, which, **options):
    """Experiment: some of the weights, by the indices that which(indices, i) selects among those of the branches."""

    def run(function):
        made = list(function(arrays(blocks, m, **options), blocks))
        chosen = {"how many arrays": len(made)}
        for i in range(blocks * m):
            if which(i % m, m):
                chosen[f"weight {i % m + 1} of branch {i // m + 1}"] = made[1 + i]
        return chosen

    return run


def test_the_first_layer_keeps_its_weights():
    for blocks, m in ((4, 2), (2, 3), (1, 2)):
        check.experiment(
            lambda f, blocks=blocks, m=m: next(iter(f(arrays(blocks, m), blocks))),
            fixup,
            f"{told(blocks, m)}: the first layer",
        )


def test_the_classifier_starts_at_0():
    for blocks, m in ((4, 2), (2, 3), (1, 2)):
        check.experiment(
            lambda f, blocks=blocks, m=m: list(f(arrays(blocks, m), blocks))[-1],
            fixup,
            f"{told(blocks, m)}: the classifier",
        )


def test_the_last_weight_of_each_branch_starts_at_0():
    for blocks, m in ((4, 2), (3, 3), (2, 4), (2, 2), (1, 3)):
        run = part(blocks, m, lambda i, m: i == m - 1)
        check.experiment(run, fixup, f"{told(blocks, m)}: the last of each branch")


def test_in_branches_of_two_the_first_weight_is_scaled():
    for blocks in (4, 9, 2, 3):
        check.experiment(
            part(blocks, 2, lambda i, m: i == 0), fixup, f"{told(blocks, 2)}: the first of each"
        )


def test_in_longer_branches_all_weights_except_the_last_are_scaled():
    for blocks, m in ((16, 3), (5, 3), (4, 4), (2, 7), (3, 5)):
        run = part(blocks, m, lambda i, m: i < m - 1)
        check.experiment(run, fixup, f"{told(blocks, m)}: all except the last of each branch")


def test_the_weights_of_a_single_block_are_not_scaled():
    for m in (2, 3, 4):
        run = part(1, m, lambda i, m: True)
        check.experiment(run, fixup, f"{told(1, m)}: those of the branch")


def test_a_step_moves_the_sum_of_the_branches_equally_for_all_depths():
    def run(function):
        moved = {}
        for m in (2, 3, 5):
            for blocks in (1, 10, 100):
                made = list(function([numpy.ones((1, 1)) for _ in range(blocks * m + 2)], blocks))
                inside = [float(w[0, 0]) for w in made[1:-1]]
                branches = [math.prod(inside[i : i + m - 1]) for i in range(0, blocks * m, m)]
                moved[f"{blocks} blocks, m = {m}"] = sum(gain * gain for gain in branches)
        return moved

    check.experiment(
        run,
        fixup,
        "nets of scalars, all 1: the change of the sum by one step of rate 1, for g = -1",
    )


def test_shapes_may_differ_or_be_equal():
    def run(function):
        rng = numpy.random.default_rng(5)
        shapes = [
            (3, 3, 1, 4),
            *[(3, 3, 4, 4)] * 3,
            (1, 1, 4, 6),
            (3, 3, 6, 6),
            (1, 1, 6, 2),
            (6, 6),
        ]
        return list(function([rng.standard_normal(shape) for shape in shapes], 2))

    def biases(function):
        return list(function([numpy.arange(1.0, 4.0) for _ in range(6)], 2))

    check.experiment(run, fixup, "fixup of convolutions of six shapes, 2 blocks")
    check.experiment(biases, fixup, "fixup of six arrays [1, 2, 3], 2 blocks")


def test_float32_stays_float32():
    def run(function):
        made = list(function(arrays(3, 3, "float32"), 3))
        return {"the types": [str(w.dtype) for w in made], "the weights": made}

    check_float32.experiment(run, fixup, f"{told(3, 3)}, in float32")


def test_each_array_keeps_its_own_dtype():
    def run(function):
        mixed = [w.astype(("float32", "float64")[i % 2]) for i, w in enumerate(arrays(3, 3))]
        return [str(w.dtype) for w in function(mixed, 3)]

    check.experiment(run, fixup, f"{told(3, 3)}, float32 and float64 in turn: the types")


def test_the_given_list_and_its_arrays_stay_unchanged():
    def run(function):
        given = arrays(3, 2)
        kept, before = list(given), [w.copy() for w in given]
        function(given, 3)
        return {
            "the list has changed": len(given) != 8 or any(a is not b for a, b in zip(given, kept)),
            "an array has changed": any((a != b).any() for a, b in zip(kept, before)),
        }

    check.experiment(run, fixup, f"{told(3, 2)}: the weights afterwards")


def test_the_arrays_are_new_ones():
    def run(function, blocks=2):
        given = arrays(blocks, 2)
        made = list(function(given, blocks))
        again = list(function(given, blocks))
        shared = [
            f"{name} {i} of the result shares memory with array {k} of the {other}"
            for i, w in enumerate(made)
            for name, other, others in (
                ("array", "given ones", given),
                ("array", "result", made[:i]),
                ("array", "result of a second call", again),
            )
            for k, one in enumerate(others)
            if numpy.may_share_memory(w, one)
        ]
        return {
            "memory that two arrays share": ", ".join(shared[:2]) or "none",
            "writeable": all(w.flags.writeable for w in made),
            "a list, or at least a tuple": isinstance(function(given, blocks), (list, tuple)),
        }

    check.experiment(run, fixup, f"{told(2, 2)}: memory")
    check.experiment(lambda function: run(function, 1), fixup, f"{told(1, 2)}: memory")


def test_arrays_may_be_transposed_or_parts_of_larger_ones():
    def run(function):
        large = numpy.random.default_rng(8).standard_normal((6, 3, 8))
        parts = [large[0, :, ::2], large[1].T, large[2, ::-1], large[3, :2, 1:4],
                 large[4, :, ::-2], large[5].T]  # fmt: skip
        before = large.copy()
        made = [numpy.array(w) for w in function(parts, 2)]
        return {"the weights": made, "the large array has changed": bool((large != before).any())}

    check.experiment(run, fixup, "fixup of slices of one array, 2 blocks")
