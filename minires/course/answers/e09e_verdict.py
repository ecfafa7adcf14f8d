"""Exercise 09e: a verdict on two nets from the losses of several seeds, and what goes wrong with it."""

import numpy


def verdict(shallow, deep):
    """Say in one word or three what the losses of a shallow and a deep net show.

    shallow, deep  {"train": array, "test": array} of losses (S, E): S seeds, the same ones for both nets, and E epochs
    result  "too early", "degradation", "overfitting", "deeper is better" or "undecided"
    """
    gap = {part: deep[part] - shallow[part] for part in ("train", "test")}
    last = {part: _decided(gap[part][:, -1]) for part in gap}
    epochs = gap["train"].shape[1]
    closing = _decided(gap["train"][:, -1] - gap["train"][:, epochs // 2])
    if last["train"] == 1:
        return "too early" if closing == -1 else "degradation"
    return {1: "overfitting", -1: "deeper is better", 0: "undecided"}[last["test"]]


def _decided(differences):
    """Return 1 or -1 if paired differences are decided, and 0 if they are not."""
    mean = differences.mean()
    signs = {*numpy.sign(differences).tolist()}
    if len(differences) < 5 or signs not in ({1.0}, {-1.0}):
        return 0
    return int(numpy.sign(mean)) if abs(mean) >= 2 * differences.std(ddof=1) else 0


def _rule(differences, *, seeds=5, times=2, ddof=1, same_sign=True, standard_error=False):
    """Return 1, -1 or 0, by the rule with other numbers."""
    n, mean = len(differences), differences.mean()
    deviation = differences.std(ddof=ddof) if n > ddof else 0.0
    deviation = deviation / n**0.5 if standard_error else deviation
    agree = (differences > 0).all() or (differences < 0).all()
    if n < seeds or (same_sign and not agree) or mean == 0:
        return 0
    return int(numpy.sign(mean)) if abs(mean) >= times * deviation else 0


def _said(shallow, deep, *, rule=_rule, main="train", at=-1, early=True, order=("degradation", "overfitting"), middle=None):  # fmt: skip
    """Return the verdict with mistakes as options."""
    train, test = (deep[part] - shallow[part] for part in (main, "test"))
    half = train.shape[1] // 2 if middle is None else middle
    higher, other = rule(train[:, at]), rule(test[:, at])
    closing = rule(train[:, at] - train[:, half])
    for word in order:
        if word == "degradation" and higher == 1:
            return "too early" if early and closing == -1 else word
        if word == "overfitting" and other == 1:
            return word
    return "deeper is better" if other == -1 else "undecided"


def by_the_test_loss(shallow, deep):
    """the test loss is looked at where the training loss is meant: what is overfitting then comes out as degradation"""
    return _said(shallow, deep, main="test")


def overfitting_first(shallow, deep):
    """the test loss is looked at first: a deep net that is worse in training as well comes out as overfitting"""
    return _said(shallow, deep, order=("overfitting", "degradation"))


def best_epoch(shallow, deep):
    """the best epoch of each seed is compared instead of the last one"""
    best = {
        name: {
            part: numpy.concatenate(
                [losses[part][:, :-1], losses[part].min(axis=1, keepdims=True)], axis=1
            )
            for part in losses
        }
        for name, losses in (("shallow", shallow), ("deep", deep))
    }
    return _said(best["shallow"], best["deep"])


def mean_over_the_seeds(shallow, deep):
    """only the means over the seeds are compared: a difference counts, however much the seeds disagree"""
    return _said(shallow, deep, rule=lambda d: _rule(d, times=0, same_sign=False, seeds=1))


def first_seed_only(shallow, deep):
    """only the first seed is looked at"""
    return _said(shallow, deep, rule=lambda d: int(numpy.sign(d[0])))


def signs_only(shallow, deep):
    """equal signs are enough: the mean must also be at least twice the standard deviation"""
    return _said(shallow, deep, rule=lambda d: _rule(d, times=0))


def deviation_only(shallow, deep):
    """twice the standard deviation is enough: all differences must also have the same sign"""
    return _said(shallow, deep, rule=lambda d: _rule(d, same_sign=False))


def few_seeds_will_do(shallow, deep):
    """fewer than five seeds decide"""
    return _said(shallow, deep, rule=lambda d: _rule(d, seeds=1))


def standard_error(shallow, deep):
    """the standard error is used, which is smaller than the standard deviation by sqrt(S)"""
    return _said(shallow, deep, rule=lambda d: _rule(d, standard_error=True))


def divided_by_all_seeds(shallow, deep):
    """the standard deviation divides by S: it should divide by S - 1"""
    return _said(shallow, deep, rule=lambda d: _rule(d, ddof=0))


def never_too_early(shallow, deep):
    """it is not asked whether the gap is closing: a deep net that is catching up comes out as degradation"""
    return _said(shallow, deep, early=False)


def gap_since_the_first_epoch(shallow, deep):
    """the gap is compared with that of the first epoch instead of the middle one"""
    return _said(shallow, deep, middle=0)
