"""From files to batches of arrays on the device."""

from minires.data.batches import batches
from minires.data.cifar import CIFAR10, CIFAR100, cifar10, cifar100
from minires.data.dataset import Dataset, held_out
from minires.data.digits import digits
from minires.data.drawing import drawing
from minires.data.folder import folder
from minires.data.image import load_image
from minires.data.imagenet import CLASSES as IMAGENET
from minires.data.shapes import SHAPES, drawn_shapes, shapes

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "CLASSES",
    "IMAGENET",
    "SHAPES",
    "Dataset",
    "batches",
    "cifar10",
    "cifar100",
    "digits",
    "drawing",
    "drawn_shapes",
    "folder",
    "held_out",
    "load_image",
    "shapes",
]

CLASSES = {
    "digits": tuple("0123456789"),
    "shapes": tuple(SHAPES),
    "cifar10": CIFAR10.classes,
    "cifar100": CIFAR100.classes,
    "imagenet": IMAGENET,
}
