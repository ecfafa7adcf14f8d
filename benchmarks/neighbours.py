"""python -m benchmarks.neighbours --weights resnet20.cifar10: which images a network finds similar.

For each test image, the training images are sorted by the angle between their features, the mean over the last feature map. That is a
search engine for images, without any training of its own. It prints how many of the ten nearest are of the same class, by the depth at
which the features are taken, and draws images with their nearest.
"""

import numpy

from benchmarks import trained
from minires import show

NEAREST = 10  # how many are counted
SHOWN = 7  # how many are drawn


def nearest(queries, candidates, k):
    """Return (N, k): for each query the rows of `candidates` at the smallest angle to it, the nearest first."""
    queries, candidates = (
        rows / numpy.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, candidates)
    )
    found = []
    for part in numpy.array_split(queries, max(len(queries) // 500, 1)):
        alike = part @ candidates.T
        best = numpy.argpartition(-alike, k, axis=1)[:, :k]
        order = numpy.argsort(-numpy.take_along_axis(alike, best, axis=1), axis=1)
        found.append(numpy.take_along_axis(best, order, axis=1))
    return numpy.concatenate(found)


def drawn(train, test, found):
    """Return a figure: for each class a test image, and next to it what was found; a wrong class is marked."""
    queries = [int(numpy.flatnonzero(test.labels == k)[0]) for k in range(len(test.classes))]
    pictures, titles = [], []
    for i in queries:
        mine = test.classes[test.labels[i]]
        pictures += [test.images[i], *train.images[found[i, :SHOWN]]]
        others = [train.classes[k] for k in train.labels[found[i, :SHOWN]]]
        titles += [f"{mine}?", *(other if other == mine else f"✗ {other}" for other in others)]
    return show.images(pictures, titles=titles, columns=SHOWN + 1)


def main(arguments=None):
    """Print the table and draw the figure."""
    options, _, model, train, test = trained.net_and_images("neighbours", __doc__, arguments)
    print(
        f"{len(test):,} images of {test.name}, their {NEAREST} nearest among {len(train):,}: how many are of the same class"
    )
    candidates, queries = trained.pooled(model, train), trained.pooled(model, test)
    for place, rows in queries.items():
        found = nearest(rows, candidates[place], NEAREST)
        same = (train.labels[found] == test.labels[:, None]).mean()
        print(f"  {place:8} {rows.shape[1]:5} numbers  {100 * same:5.1f} %")
    drawn(train, test, found).save(options.picture)
    print(f"picture in {options.picture}")


if __name__ == "__main__":
    main()
