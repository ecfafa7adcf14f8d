"""Exercise 13c: weights for a deep residual network without batch norm, and what goes wrong with them."""

import numpy


def fixup(weights, blocks):
    """Return the initial weights of a residual network without batch norm, made from those that suit a plain one.

    weights  a list of arrays: the first layer's, then those of the branches, block after block, and the classifier's
    blocks  the number of blocks, each with one branch
    Source  Zhang et al. 2019, "Fixup Initialization".
    """
    m = (len(weights) - 2) // blocks
    a = blocks ** (-1 / (2 * m - 2))
    first, *inside, classifier = weights
    made = [
        numpy.zeros_like(w) if i % m == m - 1 else w * a  # the last of a branch, or another
        for i, w in enumerate(inside)
    ]
    return [first.copy(), *made, numpy.zeros_like(classifier)]


def _exponent(m):
    return -1 / (2 * m - 2)


def _zero(w, a):
    return numpy.zeros_like(w)


def _scaled(w, a):
    return w * a


def _kept(w, a):
    return w.copy()


def _made(weights, blocks, *, exponent=_exponent, count=None, m=None, first=_kept, head=_scaled,
          inner=_scaled, last=_zero, classifier=_zero):  # fmt: skip
    """Return right ones, except for these parts. count  what is raised to the power"""
    m = (len(weights) - 2) // blocks if m is None else m
    a = float(blocks if count is None else count(blocks, m)) ** exponent(m)
    made = [first(weights[0], a)]
    for i, w in enumerate(weights[1:-1]):
        place = last if i % m == m - 1 else head if i % m == 0 else inner
        made.append(place(w, a))
    return [*made, classifier(weights[-1], a)]


def all_layers_counted(weights, blocks):
    """the exponent is -1 / (2m): the last weight is 0 and isn't scaled, so m - 1 of them are"""
    return _made(weights, blocks, exponent=lambda m: -1 / (2 * m))


def always_one_over_the_root(weights, blocks):
    """the factor is 1 / sqrt(blocks) for every m: that is right for branches of two weights only"""
    return _made(weights, blocks, exponent=lambda m: -1 / 2)


def forward_pass_only(weights, blocks):
    """the exponent is -1 / (m - 1): the gradient of the last weight has as many factors a as the forward pass"""
    return _made(weights, blocks, exponent=lambda m: -1 / (m - 1))


def split_over_the_branch(weights, blocks):
    """the exponent is -1 / m: that would make the product of m scaled weights 1 / blocks"""
    return _made(weights, blocks, exponent=lambda m: -1 / m)


def sign_of_the_exponent(weights, blocks):
    """the exponent has the wrong sign: the deeper the net, the larger its weights"""
    return _made(weights, blocks, exponent=lambda m: 1 / (2 * m - 2))


def one_over_blocks(weights, blocks):
    """the factor is 1 / blocks, which is smaller than necessary"""
    return _made(weights, blocks, exponent=lambda m: -1)


def last_weight_scaled(weights, blocks):
    """the last weight of each branch is scaled like the others: it starts at 0"""
    return _made(weights, blocks, last=_scaled)


def last_weight_kept(weights, blocks):
    """the last weight of each branch is unchanged: it starts at 0"""
    return _made(weights, blocks, last=_kept)


def classifier_kept(weights, blocks):
    """the classifier is unchanged: it starts at 0"""
    return _made(weights, blocks, classifier=_kept)


def classifier_scaled(weights, blocks):
    """the classifier is scaled: it starts at 0"""
    return _made(weights, blocks, classifier=_scaled)


def first_layer_scaled(weights, blocks):
    """the first layer is scaled too: it isn't in a branch"""
    return _made(weights, blocks, first=_scaled)


def zero_at_the_head(weights, blocks):
    """the first weight of each branch is 0, and the last one is scaled: it's the other way round"""
    return _made(weights, blocks, head=_zero, last=_scaled)


def branches_all_0(weights, blocks):
    """all weights of a branch are 0: then all of their gradients are 0, and they stay so"""
    return _made(weights, blocks, head=_zero, inner=_zero)


def only_the_head_scaled(weights, blocks):
    """only the first weight of each branch is scaled: all except the last one are"""
    return _made(weights, blocks, inner=_kept)


def layers_for_blocks(weights, blocks):
    """the factor is computed from the number of weights in the branches instead of the number of blocks"""
    return _made(weights, blocks, count=lambda blocks, m: blocks * m)


def both_ends_counted(weights, blocks):
    """m is len(weights) // blocks, but two of the weights are in no branch"""
    return _made(weights, blocks, m=len(weights) // blocks)


def written_in_place(weights, blocks):
    """the caller's arrays are changed: make new ones"""
    for w, new in zip(weights, _made(weights, blocks)):
        w[...] = new
    return list(weights)
