"""Exercise 04f, chapter 04, 15 minutes: He initialisation. Check: pytest exercises/test_e04f_kaiming.py"""


def kaiming_normal(shape, generator):
    """The initial weights of a convolution: float32, normal, with mean 0.

    Their standard deviation preserves the size of the gradient from layer to layer of a ReLU network.

    shape  (KH, KW, C, F)    generator  a numpy.random.Generator, from which all numbers are drawn
    Source  He et al. 2015, equation 14.

    To derive: in a convolution with stride 1, how many elements of y does one element of x contribute to? (That is
    the fan-out; forget the border.) Its gradient is a sum of that many gradients, each times a weight, and ReLU
    lets half of them through. Which variance of the weights preserves the size of the gradient? The standard
    deviation is its root. generator.normal(0, std, shape) draws independent numbers from a normal distribution,
    in float64. Chapter 04.
    """
    raise NotImplementedError("exercise 04f: write kaiming_normal")
