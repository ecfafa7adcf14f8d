"""Solutions of 09e: verdicts by the rule, and by others."""

import math
import statistics

import numpy

from minires import course
from tests.course.kinds import right, wrong

MUTATED = ("minires.course.answers.e09e_verdict._decided",)

DEGRADATION = "test_a_higher_training_loss_is_degradation"
OVERFITTING = "test_a_higher_test_loss_alone_is_overfitting"
EARLY, SOME = "test_a_gap_that_closes_is_too_early", "test_a_gap_that_closes_in_some_seeds_only_is_degradation"  # fmt: skip
BETTER, DISAGREE = "test_a_lower_test_loss_is_better", "test_seeds_that_disagree_decide_nothing"
LONE, FEW = "test_one_seed_far_from_the_others_decides_nothing", "test_fewer_than_five_seeds_decide_nothing"  # fmt: skip
LAST, SHORT = (
    "test_the_last_epoch_counts_and_not_the_best",
    "test_training_runs_may_be_short_or_long",
)


def higher(first, second, *, least=5, times=2.0, spread=statistics.stdev, alike=True):
    """True if the first is decided to be higher."""
    pairs = [float(a) - float(b) for a, b in zip(first, second)]
    if len(pairs) < least or (alike and min(pairs) <= 0):
        return False
    mean = statistics.fmean(pairs)
    return mean > 0 and mean >= times * (spread(pairs) if len(pairs) > 1 else 0)


def judged(shallow, deep, rule=higher, *, last=-1, middle=None, part="train"):
    """The verdict by a rule for `higher`."""
    mine, theirs = deep[part], shallow[part]
    half = mine.shape[1] // 2 if middle is None else middle
    if rule(mine[:, last], theirs[:, last]):
        before, now = mine[:, half] - theirs[:, half], mine[:, last] - theirs[:, last]
        return "too early" if rule(before, now) else "degradation"
    if rule(deep["test"][:, last], shallow["test"][:, last]):
        return "overfitting"
    if rule(shallow["test"][:, last], deep["test"][:, last]):
        return "deeper is better"
    return "undecided"


@right
def by_statistics(shallow, deep):
    return judged(shallow, deep)


@right
def by_the_course(shallow, deep):
    return judged(shallow, deep, lambda a, b: course.compare([*map(float, a)], [*map(float, b)]).verdict == "higher")  # fmt: skip


@right
def in_a_table(shallow, deep):
    def sign(d):
        n = len(d)
        mean = sum(d) / n
        if n < 5 or abs(numpy.sign(d).sum()) != n:
            return 0
        variance = sum((each - mean) ** 2 for each in d) / (n - 1)
        return 0 if mean * mean < 4 * variance else math.copysign(1, mean)

    d = {part: deep[part].astype(float) - shallow[part] for part in ("train", "test")}
    closing = sign(d["train"][:, -1] - d["train"][:, d["train"].shape[1] // 2]) < 0
    table = [
        (sign(d["train"][:, -1]) > 0 and closing, "too early"),
        (sign(d["train"][:, -1]) > 0, "degradation"),
        (sign(d["test"][:, -1]) > 0, "overfitting"),
        (sign(d["test"][:, -1]) < 0, "deeper is better"),
        (True, "undecided"),
    ]
    return next(word for holds, word in table if holds)


@wrong(DEGRADATION, mistake="by_the_test_loss")
def the_wrong_key(shallow, deep):
    return judged(shallow, deep, part="test")


@wrong(DEGRADATION, mistake="overfitting_first")
def test_before_training(shallow, deep):
    if higher(deep["test"][:, -1], shallow["test"][:, -1]):
        return "overfitting"
    return judged(shallow, deep)


@wrong(LAST, mistake="best_epoch")
def by_the_minimum(shallow, deep):
    def best(net):
        return {part: numpy.column_stack([a[:, :-1], a.min(axis=1)]) for part, a in net.items()}

    return judged(best(shallow), best(deep))


@wrong(OVERFITTING, mistake="mean_over_the_seeds")
def by_means(shallow, deep):
    return judged(shallow, deep, lambda a, b: numpy.mean(a - b) > 0)


@wrong(OVERFITTING, mistake="first_seed_only")
def of_seed_0(shallow, deep):
    return judged(shallow, deep, lambda a, b: a[0] > b[0])


@wrong(LONE, mistake="signs_only")
def all_above(shallow, deep):
    return judged(shallow, deep, lambda a, b: higher(a, b, times=0))


@wrong(DISAGREE, mistake="deviation_only")
def whatever_the_signs(shallow, deep):
    return judged(shallow, deep, lambda a, b: higher(a, b, alike=False))


@wrong(FEW, mistake="few_seeds_will_do")
def from_one_seed_on(shallow, deep):
    return judged(shallow, deep, lambda a, b: higher(a, b, least=1))


@wrong(LONE, mistake="standard_error")
def twice_the_standard_error(shallow, deep):
    return judged(
        shallow,
        deep,
        lambda a, b: higher(a, b, spread=lambda d: statistics.stdev(d) / math.sqrt(len(d))),
    )


@wrong(LONE, mistake="divided_by_all_seeds")
def population(shallow, deep):
    return judged(shallow, deep, lambda a, b: higher(a, b, spread=statistics.pstdev))


@wrong(EARLY, mistake="never_too_early")
def at_the_end_only(shallow, deep):
    return judged(shallow, deep).replace("too early", "degradation")


@wrong(DEGRADATION, mistake="gap_since_the_first_epoch")
def since_the_start(shallow, deep):
    return judged(shallow, deep, middle=0)


@wrong(LONE)
def spread_of_each_net(shallow, deep):
    """The two nets' own deviations instead of that of the differences."""

    def rule(a, b):
        apart = numpy.mean(a) - numpy.mean(b)
        both = 2 * math.sqrt(numpy.var(a, ddof=1) + numpy.var(b, ddof=1)) if len(a) > 1 else 0
        return len(a) >= 5 and apart > both and (a > b).all()

    return judged(shallow, deep, lambda a, b: rule(a, b) or numpy.ptp(a - b) > 0.9)


@wrong(EARLY)
def a_falling_loss_is_too_early(shallow, deep):
    """It asks whether the deep net's loss falls, not the gap."""
    word = judged(shallow, deep).replace("too early", "degradation")
    train = deep["train"]
    falls = higher(train[:, 0], train[:, -1])
    return "too early" if word == "degradation" and falls and train.shape[1] > 99 else word


@wrong(BETTER)
def never_better(shallow, deep):
    return judged(shallow, deep).replace("deeper is better", "undecided")


@wrong(SOME)
def closing_on_average(shallow, deep):
    word = judged(shallow, deep).replace("too early", "degradation")
    gap = (deep["train"] - shallow["train"]).mean(axis=0)
    closing = gap[-1] < gap[len(gap) // 2]
    return "too early" if word == "degradation" and closing else word


@wrong(DEGRADATION)
def words_of_its_own(shallow, deep):
    return judged(shallow, deep).capitalize()


@wrong(SHORT)
def needs_four_epochs(shallow, deep):
    return judged(shallow, deep) if deep["train"].shape[1] > 3 else "too early"
