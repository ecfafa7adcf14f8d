"""Strange solutions of 09e."""

import numpy

from tests.course.kinds import right, wrong

DEGRADATION = "test_a_higher_training_loss_is_degradation"
OVERFITTING = "test_a_higher_test_loss_alone_is_overfitting"
EARLY, DISAGREE = "test_a_gap_that_closes_is_too_early", "test_seeds_that_disagree_decide_nothing"
LONE, FEW = "test_one_seed_far_from_the_others_decides_nothing", "test_fewer_than_five_seeds_decide_nothing"  # fmt: skip
MORE, SHORT = "test_more_seeds_decide_too", "test_training_runs_may_be_short_or_long"
KINDS = "test_losses_may_be_small_or_float32_or_part_of_larger_arrays"
STAY, SOME = "test_the_losses_stay_as_they_were", "test_a_gap_that_closes_in_some_seeds_only_is_degradation"  # fmt: skip

WORDS = {(1, -1): "too early", (1, 0): "degradation", (1, 1): "degradation"}
ENDS = {1: "overfitting", -1: "deeper is better", 0: "undecided"}


def sign(d, least=5, most=None, tiny=0.0, times=2):
    """-1, 0 or 1 for paired differences."""
    d = numpy.asarray(d, dtype="float64")
    if len(d) < least or (most and len(d) > most):
        return 0
    squares = ((d - d.mean()) ** 2).sum() / (len(d) - 1)
    near = d.mean() ** 2 < times**2 * squares or abs(d.mean()) <= tiny
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


def closing_by(shallow, deep, closes):
    """The verdict, with closes(gaps at the end, gaps in the middle) for "too early"."""
    gap = deep["train"] - shallow["train"]
    if sign(gap[:, -1]) == 1:
        return "too early" if closes(gap[:, -1], gap[:, gap.shape[1] // 2]) else "degradation"
    return ENDS[sign((deep["test"] - shallow["test"])[:, -1])]


@right
def closing_where_both_are_decided(shallow, deep):
    """A gap that is decided at the end and closes was decided in the middle too."""
    return closing_by(shallow, deep, lambda last, half: sign(half) == 1 and sign(half - last) == 1)


@right
def by_a_quotient(shallow, deep):
    """A deviation of 0 makes it infinite, which is more than 2."""

    def rule(d):
        if len(d) < 5 or d.min() <= 0 <= d.max():
            return 0
        with numpy.errstate(all="ignore"):
            times = d.mean() / d.std(ddof=1)
        return int(times >= 2) - int(times <= -2)

    return judged(shallow, deep, rule)


@wrong(LONE)
def more_than_twice(shallow, deep):
    def rule(d):
        return sign(d) if numpy.ptp(d) == 0 or abs(d.mean()) > 2 * d.std(ddof=1) else 0

    return judged(shallow, deep, rule)


@wrong(LONE)
def the_median_against_the_deviation(shallow, deep):
    def rule(d):
        agree = len(d) > 4 and abs(numpy.sign(d).sum()) == len(d)
        return int(numpy.sign(d[0])) * bool(agree and abs(numpy.median(d)) >= 2 * d.std(ddof=1))

    return judged(shallow, deep, rule)


@wrong(DISAGREE)
def a_zero_has_either_sign(shallow, deep):
    def rule(d):
        alike = len(d) > 4 and ((d >= 0).all() or (d <= 0).all()) and d.any()
        return int(numpy.sign(d.mean())) * bool(alike and abs(d.mean()) >= 2 * d.std(ddof=1))

    return judged(shallow, deep, rule)


@wrong(DISAGREE)
def the_last_five_seeds(shallow, deep):
    return judged(shallow, deep, lambda d: sign(d[-5:]))


@wrong(DEGRADATION)
def relative_gaps(shallow, deep):
    def relative(part):
        return deep[part] / shallow[part] - 1

    zeros = {part: 0 * shallow[part] for part in ("train", "test")}
    return judged(zeros, {part: relative(part) for part in zeros})


@wrong(SHORT)
def ten_epochs_at_most(shallow, deep):
    return judged(*({part: net[part][:, :10] for part in net} for net in (shallow, deep)))


@wrong(SOME)
def closing_in_each_seed_is_enough(shallow, deep):
    return closing_by(shallow, deep, lambda last, half: (last < half).all() and len(last) > 4)


@wrong(DEGRADATION)
def closing_of_absolute_gaps(shallow, deep):
    return closing_by(shallow, deep, lambda last, half: sign(abs(last) - abs(half)) == -1)


@wrong(EARLY)
def closing_by_a_tenth_at_least(shallow, deep):
    return closing_by(shallow, deep, lambda last, half: sign(last - 0.9 * half) == -1)


@wrong(KINDS)
def training_losses_come_first(shallow, deep):
    return judged(*(dict(zip(("train", "test"), net.values())) for net in (shallow, deep)))


ANSWERS = {}


@wrong(STAY)
def known_by_identity(shallow, deep):
    """The arrays are kept, so that no other ones get their addresses."""
    key = id(deep["train"])
    ANSWERS.setdefault(key, (deep["train"], judged(shallow, deep)))
    return ANSWERS[key][1]


@wrong(LONE)
def times_1_96(shallow, deep):
    """The quantile of the normal distribution."""
    return judged(shallow, deep, lambda d: sign(d, times=1.96))


@wrong(EARLY)
def closing_by_a_factor(shallow, deep):
    """It pairs quotients of the gaps, and not their differences."""
    word, gap = judged(shallow, deep), deep["train"] - shallow["train"]
    last, half = gap[:, -1], gap[:, gap.shape[1] // 2]
    if word != "too early" or (half <= 0).any():
        return word
    return "too early" if sign(numpy.log(last / half)) < 0 else "degradation"


@wrong(OVERFITTING)
def closing_is_enough(shallow, deep):
    gap = deep["train"] - shallow["train"]
    closing = sign(gap[:, -1] - gap[:, gap.shape[1] // 2]) < 0 < gap[:, -1].mean()
    return "too early" if closing else judged(shallow, deep)


@wrong("test_a_gap_that_closes_steadily_is_too_early")
def too_early_for_overfitting(shallow, deep):
    word, gap = judged(shallow, deep), deep["test"] - shallow["test"]
    closing = sign(gap[:, -1] - gap[:, gap.shape[1] // 2]) < 0
    return "too early" if word == "overfitting" and closing else word


@wrong(DISAGREE)
def lower_in_training_is_better(shallow, deep):
    word = judged(shallow, deep)
    lower = sign((deep["train"] - shallow["train"])[:, -1]) < 0
    return "deeper is better" if word == "undecided" and lower else word


@wrong(STAY)
def subtracted_and_added_again(shallow, deep):
    deep["train"] -= shallow["train"]
    deep["train"] += shallow["train"]
    return judged(shallow, deep)


@wrong(KINDS)
def close_ones_are_equal(shallow, deep):
    equal = {part: numpy.isclose(shallow[part], deep[part], atol=0) for part in deep}
    return judged(shallow, {part: numpy.where(equal[part], shallow[part], deep[part]) for part in deep})  # fmt: skip
