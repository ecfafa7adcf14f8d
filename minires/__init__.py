"""minires: a residual network from scratch, on NumPy and CuPy.

A map, each room using those before it:
backend  which array library      ops  the maths, forward and backward      tensor  the graph
functional  ops on tensors        nn  layers                                models  residual networks
optim  optimizers, schedules      data  images to batches                   checkpoint  weights in files
train  the loop                   gradcheck  is a backward right?           show, watch  pictures of all this
runs  a run's folder              cli  the command line                     course  the learner's exercises
names and files serve them all: the nearest name to a wrong one; what is written is whole.
"""

from minires import backend, data, functional, gradcheck, models, nn, ops, optim, train
from minires.nn import manual_seed
from minires.tensor import Tensor, no_grad

__version__ = "0.1.0"
