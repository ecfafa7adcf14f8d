"""Exercise 07c, chapter 07, 10 minutes: running statistics. Check: pytest exercises/test_e07c_update_running.py"""


def update_running(running_mean, running_var, mean, var, momentum, count):
    """Move the running statistics towards those of a batch with `count` values per channel, in place.

    running = (1 - momentum) running + momentum batch; var divides by count, running_var takes the unbiased one.

    running_mean, running_var, mean, var  (C,)    momentum  the share of the batch: of 0.1, nine tenths of the running ones stay
    var is the biased variance, divided by `count`; running_var takes the unbiased one, which is divided by count - 1.
    The running arrays are changed in place, those of the batch stay as they are; nothing is returned.
    To derive: by what has the biased variance to be multiplied to become the unbiased one? Chapter 07.
    """
    raise NotImplementedError("exercise 07c: write update_running")
