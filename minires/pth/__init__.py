"""Reading PyTorch's files of weights (.pth, .pt, .th) without PyTorch, and without running what else they may hold.

Such a file is a pickle that says where tensors are in storages, and the storages. Of the pickle, only tensors and plain data are read.
Whatever else a trainer keeps there (its arguments, the optimizer, numbers of NumPy) becomes an inert stand-in; a file that asks
for a function that runs code is rejected. A tensor has to fit into its storage, and the storages into the file. Nothing is unpacked.
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
