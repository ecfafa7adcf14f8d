"""Reading PyTorch's files of weights (.pth, .pt, .th) without PyTorch, and without running what else they may hold.

Such a file contains storages, and a pickle that says where in them the tensors are. Only tensors and plain values are read from the
pickle. Whatever else a trainer keeps there (arguments, NumPy numbers, objects of its own) becomes an inert stand-in. A file that asks
for a function that runs code is rejected. Tensors have to fit in their storages, and storages in the file. Nothing is written to disk.
"""

from minires.pth.archive import TorchFileError
from minires.pth.names import behind, is_average, net_within, renamed
from minires.pth.tensors import from_bfloat16
from minires.pth.weights import NoSuchSet, is_one, loads

__all__ = [
    "NoSuchSet",
    "TorchFileError",
    "behind",
    "from_bfloat16",
    "is_average",
    "is_one",
    "loads",
    "net_within",
    "renamed",
]
