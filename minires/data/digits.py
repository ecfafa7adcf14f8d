"""1,797 handwritten digits of 8 x 8 pixels, in the package itself: real data to train on within a minute.

Source  E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, licence CC BY 4.0. Its test set, as scikit-learn distributes it (`digits.csv.gz`),
with the pixels (0 to 16) as uint8 and otherwise unchanged: digits.npz.
"""

from importlib.resources import files

import numpy

from minires.data.dataset import Dataset

SOURCE = "UCI Machine Learning Repository (CC BY 4.0), in the package"


def digits() -> tuple[Dataset, Dataset, Dataset]:
    """(train, validation, test): 1,257, 185 and 355 images (N, 8, 8, 1), as Datasets. The digits are white on black.

    Every fifth image of each digit is in the test set and every tenth in the validation set. mean and std are those of the
    training set. The thirteen people who wrote the digits are in all three sets: expect a lower accuracy on digits
    written by others.
    """
    with files("minires.data").joinpath("digits.npz").open("rb") as file:
        arrays = numpy.load(file)
        images, labels = arrays["images"], arrays["labels"]
    rank = numpy.zeros(len(labels), int)  # the position of each image among those of its digit
    for digit in range(10):
        rank[labels == digit] = numpy.arange((labels == digit).sum())
    test, validation = rank % 5 == 4, rank % 10 == 0
    training = ~test & ~validation
    everything = Dataset(
        images,
        labels,
        [str(digit) for digit in range(10)],
        max_value=16,
        name="handwritten digits",
        source=SOURCE,
    )
    train = everything.part(training, mean=None, std=None)
    known = {"mean": train.mean, "std": train.std}
    return train, everything.part(validation, **known), everything.part(test, **known)
