"""Strange solutions of 09e."""

import numpy

from tests.course.kinds import right, wrong

DEGRADATION = "test_a_higher_training_loss_is_degradation"
OVERFITTING = "test_a_higher_test_loss_alone_is_overfitting"
EARLY, DISAGREE = "test_a_gap_that_closes_is_too_early", "test_seeds_that_disagree_decide_nothing"
LONE, FEW = "test_one_seed_far_from_the_others_decides_nothing", "test_fewer_than_five_seeds_decide_nothing"  # fmt: skip
MORE, SHORT = "test_more_seeds_decide_too", "test_training_runs_may_be_short"
KINDS = "test_losses_may_be_small_or_float32_or_part_of_larger_arrays"
STAY = "test_the_losses_stay_as_they_were"

WORDS = {(1, -1): "too early", (1, 0): "degradation", (1, 1): "degradation"}
ENDS = {1: "overfitting", -1: "deeper is better", 0: "undecided"}


def sign(d, least=5, most=None, tiny=0.0):
    """-1, 0 or 1 for paired differences."""
    d = numpy.asarray(d, dtype="float64")
    if len(d) < least or (most and len(d) > most):
        return 0
    squares = ((d - d.mean()) ** 2).sum() / (len(d) - 1)
    near = d.mean() ** 2 < 4 * squares or abs(d.mean()) <= tiny
    return 0 if near or not (abs(numpy.sign(d).sum()) == len(d)) else int(numpy.sign(d.mean()))


def judged(shallow, deep, sign=sign, middle=lambda epochs: epochs // 2):
    train = deep["train"] - shallow["train"]
    half = middle(train.shape[1])
    pair = sign(train[:, -1]), sign(train[:, -1] - train[:, half])
    return WORDS.get(pair) or ENDS[sign(deep["test"][:, -1] - shallow["test"][:, -1])]


@right
def by_a_table_of_signs(shallow, deep):
    return judged(shallow, deep)


@right
def on_lists(shallow, deep):
    """Python's numbers throughout."""
    s, d = ({part: net[part].tolist() for part in net} for net in (shallow, deep))
    pairs = {part: list(zip(d[part], s[part])) for part in d}
    last = {part: [a[-1] - b[-1] for a, b in pairs[part]] for part in pairs}
    half = [a[len(a) // 2] - b[len(b) // 2] for a, b in pairs["train"]]
    train, closing = sign(last["train"]), sign([x - y for x, y in zip(last["train"], half)])
    return WORDS.get((train, closing)) or ENDS[sign(last["test"])]


@right
def by_match(shallow, deep):
    gap = deep["train"] - shallow["train"]
    match sign(gap[:, -1]), sign(gap[:, gap.shape[1] // 2] - gap[:, -1]), sign((deep["test"] - shallow["test"])[:, -1]):  # fmt: skip
        case 1, 1, _:
            return "too early"
        case 1, _, _:
            return "degradation"
        case _, _, 1:
            return "overfitting"
        case _, _, -1:
            return "deeper is better"
    return "undecided"


@right
def a_numpy_string(shallow, deep):
    return numpy.str_(judged(shallow, deep))


SAID = []


@wrong(STAY)
def the_first_verdict_for_ever(shallow, deep):
    SAID.append(judged(shallow, deep))
    return SAID[-1] if len(SAID) % 2 else SAID[-2]


@wrong(STAY)
def differences_in_place(shallow, deep):
    word = judged(shallow, deep)
    deep["test"] -= shallow["test"]
    return word


@wrong(STAY)
def keys_added(shallow, deep):
    deep["gap"] = deep["train"] - shallow["train"]
    return judged(shallow, deep)


@wrong(MORE)
def five_seeds_exactly(shallow, deep):
    return judged(shallow, deep, lambda d: sign(d, most=5))


@wrong(MORE)
def a_deviation_of_0_decides_nothing(shallow, deep):
    return judged(shallow, deep, lambda d: sign(d) if numpy.ptp(d) > 1e-9 else 0)


@wrong(KINDS)
def differences_of_a_thousandth_at_least(shallow, deep):
    return judged(shallow, deep, lambda d: sign(d, tiny=1e-6))


@wrong(FEW)
def three_seeds_will_do(shallow, deep):
    return judged(shallow, deep, lambda d: sign(d, least=3))


@wrong(SHORT)
def the_middle_rounded_up(shallow, deep):
    return judged(shallow, deep, middle=lambda epochs: (epochs - 1) // 2)


@wrong(DISAGREE)
def zeros_count_as_agreeing(shallow, deep):
    def rule(d):
        return 0 if not d.any() else sign(numpy.where(d == 0, d.mean(), d))

    return judged(shallow, deep, rule)


@wrong(LONE)
def median_for_mean(shallow, deep):
    def rule(d):
        if len(d) < 5 or abs(numpy.sign(d).sum()) != len(d):
            return 0
        middle = numpy.median(d)
        return int(numpy.sign(middle)) * bool(abs(middle) >= 2 * numpy.median(abs(d - middle)))

    return judged(shallow, deep, rule)


@wrong(EARLY)
def too_early_after_the_test_loss(shallow, deep):
    word = judged(shallow, deep)
    return ENDS[sign((deep["test"] - shallow["test"])[:, -1])] if word == "too early" else word


@wrong(DEGRADATION)
def a_dict_of_words(shallow, deep):
    return {"verdict": judged(shallow, deep)}


@wrong(OVERFITTING)
def shallow_and_deep_swapped(shallow, deep):
    return judged(deep, shallow)
