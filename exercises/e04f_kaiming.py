"""Exercise 04f, chapter 04, 15 minutes: He initialisation. Check: pytest exercises/test_e04f_kaiming.py"""


def kaiming_normal(shape, generator):
    """The weights of a convolution to begin with: normal, mean 0, deviation sqrt(2 / fan-out), float32.

    shape  (KH, KW, C, F)    generator  a numpy.random.Generator, from which all numbers are drawn
    A ReLU net keeps the size of its gradient so, from layer to layer.
    Source  He et al. 2015, equation 14.

    To derive: in a convolution with stride 1 a number of x is used in how many numbers of y? So many gradients are summed up in
    its own, each times a weight, and ReLU lets half of them through. Which variance of the weights keeps the gradient's size?
    generator.normal(0, deviation, shape) draws from a normal distribution, in float64. Chapter 04.
    """
    raise NotImplementedError("exercise 04f: write kaiming_normal")
