"""Exercise 16d, chapter 16, 30 minutes: a test for experiments. Check: pytest exercises/test_e16d_check_experiment.py"""

import numpy


def check(candidate):
    """Raise AssertionError unless a candidate is an experiment that is honest about its test set.

    candidate  candidate(training, read_test) returns (predict, accuracy)

    An experiment trains classifiers on a training set, perhaps chooses among them, and reports the accuracy of one of
    them on a test set. training is (x, labels): floats (N, D) and ints (N,) from 0 to K - 1, each of them present, with N
    >= 50. read_test is a function without arguments that you write; it returns the test set, (x, labels), with the same D
    and labels of the same range. predict is a function from floats (M, D) to ints (M,), and accuracy a float from 0 to 1.
    A right one calls read_test once, whenever it likes; predict doesn't depend on what is in the test set; and accuracy
    is that of predict on the test set. Five of the candidates are right. Six are wrong: one chooses by the test set,
    which it has read once; a second one reads it in each epoch; one reports the accuracy of the best epoch with the
    predict of the last; one normalises by the statistics of both sets together; one normalises the test images by their
    own statistics, but only for the accuracy; one reports the accuracy of its validation set. Make data on which each of
    these shows. Whatever is random in a candidate comes from fixed seeds: with the same data, it does the same. Accept
    right ones however they do it. Leave the arrays that you hand out as they are until the candidate has been judged.
    Your check runs about thirty times: keep the sets small. Chapter 16.
    """
    raise NotImplementedError("exercise 16d: write check")
