"""Exercise 13c, chapter 13, 20 minutes: first weights without batch norm. Check: pytest exercises/test_e13c_fixup.py"""

import numpy


def fixup(weights, blocks):
    """Return the initial weights of a residual network without batch norm, made from those that suit a plain one.

    weights  a list of arrays: the first layer's, then those of the branches, block after block, and the classifier's
    blocks  the number of blocks, each with one branch
    Source  Zhang et al. 2019, "Fixup Initialization".

    Every branch has the same number m of weights, at least 2, in the order in which they are applied; there is at least
    one block. Work out m yourself. Return a list of new arrays with the shapes and dtypes of the old ones, float32 or
    float64, and leave the list that you're given, and its arrays, unchanged.
    Every branch must start at 0, and so must the classifier. The first layer keeps its weights, and the other
    weights inside the branches are multiplied by one common factor a.
    To derive: a. One step of SGD moves the last weight of a branch away from 0. Which power of a does the branch have after
    that step, if m - 1 of its weights were multiplied by a? All branches add up, and the sum shouldn't depend on how many
    blocks there are. Chapter 13.
    """
    raise NotImplementedError("exercise 13c: write fixup")
