"""Exercise 07c, chapter 07, 10 minutes: running statistics. Check: pytest exercises/test_e07c_update_running.py"""


def update_running(running_mean, running_var, mean, var, momentum, count):
    """Move the running statistics towards those of a batch with `count` values per channel, in place.

    running_mean, running_var, mean, var  (C,)    momentum  the batch's weight: with 0.1, running values keep 0.9
    var is the biased variance (divided by `count`, at least 2); running_var takes the unbiased one (divided by count - 1).
    The module and the saved network hold the running arrays: change them in place. Leave those of the batch unchanged.
    The arrays may be parts of larger ones. Return nothing.
    To derive: what do you have to multiply the biased variance by to get the unbiased one? Chapter 07.
    """
    raise NotImplementedError("exercise 07c: write update_running")
