"""Kernels in CUDA C for operations that would take NumPy's routines many passes on a GPU, and the functions that launch them.

On a GPU, each function here replaces a plain one or a part of a faster form; it declines if it has no kernel for a dtype.
The sources are the .cu files in this folder; they also compile as C++ for the CPU, where the tests run them.
"""
