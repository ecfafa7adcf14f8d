"""minires: a residual network from scratch, on NumPy and CuPy.

A map, each room using those before it:
backend  which array library      ops  the maths, forward and backward      tensor  the graph
functional  ops on tensors        nn  layers                                models  residual networks
optim  optimizers, schedules      data  images to batches                   train  the loop
gradcheck  is a backward right?   show  pictures of all this                cli  the command line
"""

from minires import backend, data, functional, gradcheck, models, nn, ops, optim, train
from minires.nn import manual_seed
from minires.tensor import Tensor, no_grad

__version__ = "0.1.0"
