"""1,797 handwritten digits of 8 x 8 pixels, in the package itself: something real to train on within a minute.

Source  E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, licence CC BY 4.0. Its test part, as scikit-learn distributes it (`digits.csv.gz`),
with the pixels (0 to 16) as uint8 and otherwise unchanged: digits.npz.
"""

from importlib.resources import files

import numpy

from minires.data.dataset import Dataset

TRAIN, VALIDATION = 1257, 180  # and the last 360 are for the test


def digits():
    """(train, validation, test): 1,257, 180 and 360 images."""
    with files("minires.data").joinpath("digits.npz").open("rb") as file:
        arrays = numpy.load(file)
        images, labels = arrays["images"], arrays["labels"]
    classes = [str(digit) for digit in range(10)]
    train = Dataset(images[:TRAIN], labels[:TRAIN], classes, white=16)
    options = {"white": 16, "mean": train.mean, "std": train.std}
    validation = slice(TRAIN, TRAIN + VALIDATION)
    return train, Dataset(images[validation], labels[validation], classes, **options), Dataset(images[TRAIN + VALIDATION :], labels[TRAIN + VALIDATION :], classes, **options)
