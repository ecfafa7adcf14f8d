"""Claims about verdict: what decides is the last epoch of all seeds, training first."""

import numpy
from e09e_verdict import verdict

from minires.course import Check

check = Check("09e")

CLEAR = (0.20, 0.25, 0.22, 0.18, 0.24)  # decided
WIDER = (0.10, 0.12, 0.15, 0.11, 0.12)  # decided, and CLEAR - WIDER is too
NOISE = (0.20, -0.10, 0.15, -0.05, 0.10)
LONE = (0.02, 0.03, 1.00, 0.04, 0.05)  # one sign, but one seed is far from the others


def curves(last, *, first=None, middle=None, test=None, epochs=8, seed=1, dtype="float64"):
    """Return (shallow, deep): their training losses differ by `middle` at epoch E // 2 and by `last` at the end, the test losses by `test`."""
    rng = numpy.random.default_rng(seed)
    last = numpy.array(last)
    seeds = len(last)
    falling = 2.0 * 0.8 ** numpy.arange(epochs) + 0.3

    def one():
        return falling + 0.05 * rng.standard_normal((seeds, epochs))

    shallow = {"train": one(), "test": one() + 0.2}
    gaps = {part: 0.5 * rng.standard_normal((seeds, epochs)) for part in shallow}
    if first is not None:
        gaps["train"][:, 0] = first
    gaps["train"][:, epochs // 2] = last if middle is None else middle
    gaps["train"][:, -1] = last
    gaps["test"][:, -1] = 0.0 if test is None else test
    deep = {part: shallow[part] + gaps[part] for part in shallow}
    both = shallow, deep
    return tuple({part: array.astype(dtype) for part, array in net.items()} for net in both)


def said(*gaps, **options):
    """Experiment: the verdict."""

    def run(verdict):
        return {"the verdict": verdict(*curves(*gaps, **options))}

    return run


def exact(last, shallow=1.0):
    """Experiment: the verdict on losses of three epochs whose differences at the end, and in training only, are exactly `last`."""

    def run(verdict):
        before = numpy.multiply(shallow, numpy.ones((3, len(last)))).T
        after = before + numpy.multiply([[0], [1], [1]], last).T
        return {"the verdict": verdict({"train": before, "test": before}, {"train": after, "test": before.copy()})}  # fmt: skip

    return run


def minus(gaps):
    return tuple(-gap for gap in gaps)


def test_a_higher_training_loss_is_degradation():
    check.experiment(
        said(CLEAR), verdict, "five seeds, in which the deep net's training loss ends higher"
    )
    check.experiment(said(CLEAR, test=CLEAR), verdict, "training and test losses that end higher")
    check.experiment(
        said(CLEAR, test=minus(CLEAR)), verdict, "a higher training loss with a lower test loss"
    )
    check.experiment(
        said(CLEAR, middle=WIDER), verdict, "a higher training loss, whose gap has widened"
    )
    far = tuple(3 * gap for gap in CLEAR)
    check.experiment(
        said(CLEAR, first=far, middle=WIDER),
        verdict,
        "a higher training loss, whose gap closed at first and has widened since epoch E // 2",
    )
    check.experiment(
        said(CLEAR, middle=minus(far)),
        verdict,
        "losses of which the deep net's was much lower at epoch E // 2, and ends higher",
    )
    check.experiment(
        exact((0.25,) * 5, shallow=(1, 2, 4, 0.0625, 8)),
        verdict,
        "five equal differences, of losses from 0.06 to 8",
    )


def test_a_higher_test_loss_alone_is_overfitting():
    check.experiment(
        said(minus(CLEAR), test=CLEAR), verdict, "a lower training loss and a higher test loss"
    )
    check.experiment(
        said(NOISE, test=CLEAR),
        verdict,
        "training losses that differ either way, and a higher test loss",
    )
    closed = tuple(map(sum, zip(NOISE, CLEAR)))
    about = (
        "training losses that differ either way now, and whose gap has closed; a higher test loss"
    )
    check.experiment(said(NOISE, middle=closed, test=CLEAR), verdict, about)


def test_a_gap_that_closes_is_too_early():
    more = tuple(2 * gap + 0.1 for gap in CLEAR)
    check.experiment(
        said(CLEAR, middle=more),
        verdict,
        "a higher training loss, whose gap was twice as large at epoch E // 2",
    )
    check.experiment(
        said(CLEAR, middle=more, test=CLEAR), verdict, "the same, with a higher test loss"
    )
    check.experiment(
        said(CLEAR, middle=more, test=minus(CLEAR)), verdict, "the same, with a lower test loss"
    )
    less = tuple(1.04 * gap for gap in CLEAR)
    check.experiment(
        said(CLEAR, middle=less), verdict, "a higher training loss, whose gap has closed by 4 %"
    )
    check.experiment(said(minus(CLEAR), middle=CLEAR, test=CLEAR), verdict, "training losses that were higher and are lower now, and a higher test loss")  # fmt: skip
    last, middle = (0.1, 0.5, 0.5, 0.5, 0.5), (1.1, 1.0, 1.0, 1.0, 1.0)
    about = "a gap that falls from 1.1 to 0.1 in the first seed, and from 1 to 0.5 in the others"
    check.experiment(said(last, middle=middle), verdict, about)


def test_a_gap_that_closes_steadily_is_too_early():
    def run(verdict):
        shallow = numpy.ones((5, 8))
        deep = shallow + numpy.outer(CLEAR, numpy.linspace(4, 1, 8))
        return {
            "the verdict": verdict({"train": shallow, "test": shallow}, {"train": deep, "test": deep.copy()}),
            "with equal training losses": verdict({"train": shallow, "test": shallow}, {"train": shallow.copy(), "test": deep}),
        }  # fmt: skip

    check.experiment(run, verdict, "training and test losses whose gaps close from epoch to epoch")


def test_a_gap_that_closes_in_some_seeds_only_is_degradation():
    mixed = tuple(gap + change for gap, change in zip(CLEAR, (0.5, -0.1, 0.3, 0.1, -0.2)))
    check.experiment(
        said(CLEAR, middle=mixed),
        verdict,
        "a higher training loss, whose gap closed in three seeds of five",
    )
    lone = tuple(gap + change for gap, change in zip(CLEAR, LONE))
    check.experiment(
        said(CLEAR, middle=lone),
        verdict,
        "a higher training loss, whose gap closed in each seed, by 0.02, 0.03, 1.00, 0.04, 0.05",
    )


def test_a_lower_test_loss_is_better():
    check.experiment(
        said(minus(CLEAR), test=minus(CLEAR)), verdict, "lower training and test losses"
    )
    check.experiment(
        said(NOISE, test=minus(WIDER)),
        verdict,
        "training losses that differ either way, and a lower test loss",
    )


def test_seeds_that_disagree_decide_nothing():
    check.experiment(said(NOISE, test=NOISE), verdict, "differences of both signs")
    about = "a lower training loss, with test losses that differ either way"
    check.experiment(said(minus(CLEAR), test=NOISE), verdict, about)
    ten = (*([1.0] * 9), -0.01)
    six = (1.0, 1.0, -0.005, 1.0, 1.0, 1.0)
    about = "six seeds, of which the third has the other sign"
    check.experiment(said(six, test=(0.0,) * 6), verdict, about)
    check.experiment(
        said(ten[::-1], test=(0.0,) * 10),
        verdict,
        "ten seeds, of which the first has the other sign",
    )
    check.experiment(
        said(ten, test=(0.0,) * 10), verdict, "ten seeds, of which the last has the other sign"
    )
    check.experiment(
        exact((0.0, *([0.25] * 9))), verdict, "ten seeds, one of which shows no difference"
    )
    check.experiment(said((0.0,) * 5, test=(0.0,) * 5), verdict, "two nets with the same losses")
    check.experiment(said((0.2, 0.2, 0.2, 0.2, 0.0), test=(0.0, -0.1, -0.1, -0.1, -0.1)), verdict, "differences of which one is 0")  # fmt: skip


def test_one_seed_far_from_the_others_decides_nothing():
    check.experiment(said(LONE, test=LONE), verdict, "differences 0.02, 0.03, 1.00, 0.04, 0.05")
    loose = (0.08, 0.12, 0.2, 0.3, 0.9)
    check.experiment(said(loose), verdict, "differences whose mean is 0.96 standard deviations")
    wide = (0.05, 0.26, 0.34, 0.12, 0.55)
    check.experiment(said(wide), verdict, "differences whose mean is 1.3 standard deviations")
    # A mean of 1.9 standard deviations with S - 1, which are 2.1 with S.
    near = (0.1, 0.26, 0.34, 0.18, 0.48)
    check.experiment(
        said(near, test=minus(near)),
        verdict,
        "differences whose mean is nearly twice their standard deviation",
    )
    skew = (0.3, 0.3, 0.3, 0.02, 0.32)
    check.experiment(said(skew), verdict, "differences whose mean is 1.94 standard deviations")
    close = (0.1, 0.26, 0.34, 0.2, 0.46)
    check.experiment(said(close), verdict, "differences whose mean is 1.99 standard deviations")
    beyond = (0.12, 0.26, 0.34, 0.2, 0.44)
    check.experiment(said(beyond), verdict, "differences whose mean is a little more than that")
    twice = (0.25, 0.25, 0.5, 0.75, 0.75)
    check.experiment(
        exact(twice), verdict, "differences whose mean is twice their standard deviation"
    )


def test_fewer_than_five_seeds_decide_nothing():
    check.experiment(said(CLEAR[:4], test=CLEAR[:4]), verdict, "four seeds, all of which agree")
    check.experiment(said((0.5,), test=(0.5,)), verdict, "a single seed")
    check.experiment(said((0.5, 0.5), test=(-0.5, -0.5)), verdict, "two seeds, which agree")


def test_more_seeds_decide_too():
    check.experiment(said((*CLEAR, *WIDER)), verdict, "ten seeds that agree")
    check.experiment(said((0.25,) * 6), verdict, "six seeds with the same difference")


def test_the_last_epoch_counts_and_not_the_best():
    def run(verdict):
        shallow, deep = curves(CLEAR, test=minus(CLEAR))
        deep["train"][:, 2] = 0.01  # once, in between
        shallow["test"][:, 3] = 0.001
        return {"the verdict": verdict(shallow, deep)}

    check.experiment(
        run, verdict, "training losses that were very low in the third epoch, and end higher"
    )


def test_training_runs_may_be_short_or_long():
    for epochs in (1, 2, 3, 5, 12):
        check.experiment(
            said(CLEAR, middle=CLEAR, epochs=epochs), verdict, f"losses of {epochs} epochs"
        )
    more = tuple(2 * gap + 0.1 for gap in CLEAR)
    for epochs in (3, 4, 5):
        check.experiment(
            said(CLEAR, middle=more, epochs=epochs),
            verdict,
            f"losses of {epochs} epochs, whose gap closes",
        )


def test_losses_may_be_small_or_float32_or_part_of_larger_arrays():
    def tiny(verdict):
        nets = curves(CLEAR, test=CLEAR)
        return {"the verdict": verdict(*({part: 1e-9 * array for part, array in net.items()} for net in nets))}  # fmt: skip

    def apart(verdict):
        nets = curves(CLEAR, test=CLEAR)
        spread = [{part: numpy.repeat(array.T, 2, axis=0)[::2].T for part, array in net.items()} for net in nets]  # fmt: skip
        return {"the verdict": verdict(*spread)}

    def turned(verdict):
        nets = curves(CLEAR, test=minus(CLEAR))
        return {"the verdict": verdict(*({part: net[part] for part in ("test", "train")} for net in nets))}  # fmt: skip

    small = tuple(1e-9 * gap for gap in CLEAR)
    check.experiment(tiny, verdict, "losses of about 1e-9")
    check.experiment(exact(small), verdict, "losses of about 1, with differences of about 1e-10")
    check.experiment(said(CLEAR, dtype="float32"), verdict, "losses in float32")
    check.experiment(apart, verdict, "losses that are transposed in memory")
    check.experiment(turned, verdict, "dicts in which the test losses come first")


def test_the_losses_stay_as_they_were():
    def run(verdict):
        nets = curves(CLEAR, test=CLEAR)
        for net in nets:  # what rounding changes if it is subtracted from 1 and added again
            net["train"][:, 2] = net["test"][:, 2] = 1e-9 * net["train"][:, 0]
        nets[0]["train"][:, 2] = nets[1]["test"][:, 2] = 1
        before = [{part: array.copy() for part, array in net.items()} for net in nets]
        first = verdict(*nets)
        other = verdict(*curves(minus(CLEAR), test=minus(CLEAR)))
        again = verdict(*nets)
        changed = any(
            (net[part] != was[part]).any() for net, was in zip(nets, before) for part in was
        )
        nets[1]["train"] -= 2
        nets[1]["test"] -= 2
        return {
            "the first verdict": first,
            "another one": other,
            "the first one again": again,
            "after other losses were written to the same arrays": verdict(*nets),
            "the losses have changed": changed,
            "their keys": ", ".join(sorted({*nets[0], *nets[1]})),
        }

    check.experiment(run, verdict, "three verdicts, and the losses before and after")
