"""Kernels in CUDA C for what NumPy's routines would do on a GPU in many passes, and what starts them.

Each function here stands, on a GPU, for a plain one or for a part of a faster form; it declines where it has no kernel for a
dtype. The sources are the .cu files beside this; they also compile as C++ for the processor, where the tests run them.
"""

from minires.fast.cuda import augment, columns, device, loss, norm, pool, update, winograd
