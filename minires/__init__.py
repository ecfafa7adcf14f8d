"""minires: residual networks from scratch, on NumPy and CuPy.

A map; each package uses those before it:
backend  the array library        ops  the maths, forward and backward      graph, tensor  the computational graph
functional  ops on tensors        nn  layers                                models  residual networks
optim  optimizers, schedules      data  images to batches                   checkpoint  weights in files
train  the loop                   parallel  several processes               shards  a batch cut up for them
gradcheck  checks of backward passes                                        show, watch  figures
fast  faster forms of the above   runs  the folder of a run                 cli  the command line
course  the learner's exercises
"""

from minires import backend, data, fast, functional, gradcheck, models, nn, ops, optim, train
from minires.nn import manual_seed
from minires.tensor import Tensor, no_grad

__version__ = "0.1.0"

__all__ = [
    "Tensor",
    "backend",
    "data",
    "fast",
    "functional",
    "gradcheck",
    "manual_seed",
    "models",
    "nn",
    "no_grad",
    "ops",
    "optim",
    "train",
]
