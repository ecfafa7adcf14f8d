"""Kernels in CUDA C for what NumPy's routines would do on a GPU in many passes; and what starts them.

Each function here stands, on a GPU, for the plain one of its name and arguments that the ops define and NumPy runs (see
backend.has_kernel). It gives NotImplemented where it has no kernel for a type of numbers: then the plain one is run.
The sources are the .cu files beside this; they also compile as C++ for the processor, where the tests run them.
"""

from minires.backend.kernels.augment import pick
from minires.backend.kernels.columns import add_columns, make_columns
from minires.backend.kernels.loss import softmax_losses
from minires.backend.kernels.norm import moments, move_running, norm_backward, norm_forward
from minires.backend.kernels.pool import largest, to_largest
from minires.backend.kernels.update import move_adam, move_sgd
from minires.backend.kernels.winograd import tile_filters, tile_gradient, tile_images, untile, untile_filters, untile_gradient

__all__ = ["add_columns", "largest", "make_columns", "moments", "move_adam", "move_running", "move_sgd", "norm_backward", "norm_forward",
           "pick", "softmax_losses", "tile_filters", "tile_gradient", "tile_images", "to_largest", "untile", "untile_filters",
           "untile_gradient"]  # fmt: skip
