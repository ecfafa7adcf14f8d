"""Exercise 16d: experiments that should be told apart, a check that does it, and checks that do not."""

import numpy


def check(candidate):
    """Raise AssertionError unless a candidate is an experiment that is honest about its test set.

    candidate  candidate(training, read_test) returns (predict, accuracy)
    """
    training, tests, points = _training(), _tests(), _points()
    answers = []
    for test in tests:
        read_test, reads = _counted(test)
        predict, accuracy = candidate(training, read_test)
        assert len(reads) == 1, f"the test set was read {len(reads)} times"
        x, labels = test
        assert abs(accuracy - (predict(x) == labels).mean()) < 1e-9, (
            "the accuracy is a different one"
        )
        answers.append(predict(points).tolist())
    assert all(answer == answers[0] for answer in answers), "predict depends on the test set"


def _counted(test):
    """Return a function that returns the test set, and the list of its calls."""
    reads = []

    def read_test():
        reads.append(1)
        return test

    return read_test, reads


def _training(seed=0, n=60):
    rng = numpy.random.default_rng(seed)
    x = rng.standard_normal((n, 2))
    return x, ((x[:, 0] * x[:, 1] > 0) + (rng.random(n) < 0.2)).astype(int)


def _tests(count=6, n=40):
    """Return test sets with labels of no meaning, whose images have a different mean and standard deviation than those for training."""
    found = []
    for seed in range(1, count + 1):
        rng = numpy.random.default_rng(seed)
        x = 0.3 * seed + (1 + 0.2 * seed) * rng.standard_normal((n, 2))
        found.append((x, rng.integers(0, 2, n)))
    return found


def _points(n=200):
    return 2 * numpy.random.default_rng(99).standard_normal((n, 2))


# The candidates.

# Widths of a hidden layer that stays as it is drawn. The nets are rough, so that whatever changes in training shows in their answers.
OPTIONS, EPOCHS = (8, 12, 16, 24, 32), 12


def _statistics(x):
    return x.mean(axis=0), x.std(axis=0) + 1e-9


def _train(training, width, statistics, epochs=EPOCHS, rate=4.0):
    """Train a net with a hidden layer of `width`. Returns a list of functions from x to labels: one per epoch."""
    x, labels = training
    mean, std = statistics
    classes = int(labels.max()) + 1
    rng = numpy.random.default_rng(width)
    first, bias = rng.standard_normal((x.shape[1], width)), rng.standard_normal(width)

    def hidden(x, mean=mean, std=std):
        found = numpy.sin(6 * ((x - mean) / std @ first) + bias)
        return numpy.concatenate([found, numpy.ones((len(x), 1))], axis=1)

    maps, weight, found = hidden(x), numpy.zeros((width + 1, classes)), []
    for _ in range(epochs):
        logits = maps @ weight
        p = numpy.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        weight = weight - rate / len(x) * maps.T @ (p - numpy.eye(classes)[labels])
        found.append(lambda x, weight=weight, **own: (hidden(x, **own) @ weight).argmax(axis=1))
    return found


def _accuracy(predict, part):
    x, labels = part
    return float((predict(x) == labels).mean())


def _split(training, fold=4, of=5):
    """Return (for training, for validation): every fifth image is for validation."""
    x, labels = training
    held = numpy.arange(len(x)) % of == fold
    return (x[~held], labels[~held]), (x[held], labels[held])


def _chosen(training):
    """Return the option that is best on the validation set."""
    part, validation = _split(training)
    scores = [_accuracy(_train(part, width, _statistics(part[0]))[-1], validation) for width in OPTIONS]  # fmt: skip
    return OPTIONS[numpy.argmax(scores)]


def _right(training, read_test):
    """Choose by a validation set, train again on everything, and read the test set once at the end."""
    predict = _train(training, _chosen(training), _statistics(training[0]))[-1]
    return predict, _accuracy(predict, read_test())


def _nothing_chosen(training, read_test):
    predict = _train(training, OPTIONS[2], _statistics(training[0]))[-1]
    return predict, _accuracy(predict, read_test())


def _read_first(training, read_test):
    """Read the test set first, and leave it alone until the end."""
    test = read_test()
    predict = _train(training, _chosen(training), _statistics(training[0]))[-1]
    return predict, _accuracy(predict, test)


def _cross_validated(training, read_test):
    scores = []
    for width in OPTIONS:
        parts = [_split(training, fold) for fold in range(5)]
        scores.append(sum(_accuracy(_train(part, width, _statistics(part[0]))[-1], held) for part, held in parts))  # fmt: skip
    predict = _train(training, OPTIONS[numpy.argmax(scores)], _statistics(training[0]))[-1]
    return predict, _accuracy(predict, read_test())


def _best_epoch_of_the_validation(training, read_test):
    """Choose the epoch by the validation set, which is what it is for."""
    part, validation = _split(training)
    predicts = _train(part, OPTIONS[3], _statistics(part[0]))
    predict = predicts[numpy.argmax([_accuracy(one, validation) for one in predicts])]
    x, labels = read_test()
    return predict, sum(int(a == b) for a, b in zip(predict(x), labels)) / len(labels)


def _chosen_by_the_test(training, read_test):
    test = read_test()
    statistics = _statistics(training[0])
    predicts = [one for width in OPTIONS for one in _train(training, width, statistics)]
    scores = [_accuracy(predict, test) for predict in predicts]
    return predicts[numpy.argmax(scores)], max(scores)


def _read_each_epoch(training, read_test):
    """Train for two epochs, so that two reads are too many."""
    predicts = _train(training, _chosen(training), _statistics(training[0]), epochs=2)
    curve = [_accuracy(predict, read_test()) for predict in predicts]
    return predicts[-1], curve[-1]


def _best_epoch(training, read_test):
    test = read_test()
    predicts = _train(training, _chosen(training), _statistics(training[0]), epochs=60, rate=20.0)
    return predicts[-1], max(_accuracy(predict, test) for predict in predicts)


def _statistics_of_both(training, read_test):
    test = read_test()
    statistics = _statistics(numpy.concatenate([training[0], test[0]]))
    predict = _train(training, OPTIONS[2], statistics)[-1]
    return predict, _accuracy(predict, test)


def _own_statistics(training, read_test):
    predict = _train(training, _chosen(training), _statistics(training[0]))[-1]
    x, labels = read_test()
    mean, std = _statistics(x)
    return predict, float((predict(x, mean=mean, std=std) == labels).mean())


def _of_the_validation(training, read_test):
    part, validation = _split(training)
    predict = _train(part, _chosen(training), _statistics(part[0]))[-1]
    read_test()
    return predict, _accuracy(predict, validation)


RIGHT = {"the right one that chooses by a validation set": _right, "the right one that chooses nothing": _nothing_chosen,
         "the right one that reads the test set first and uses it last": _read_first, "the right one that cross-validates": _cross_validated,
         "the right one that chooses the epoch by a validation set": _best_epoch_of_the_validation}  # fmt: skip
WRONG = {"the one that chooses by the test set": _chosen_by_the_test, "the one that reads the test set in each epoch": _read_each_epoch,
         "the one that reports the best epoch": _best_epoch, "the one that normalises by the statistics of both sets": _statistics_of_both,
         "the one that normalises the test images by their own statistics": _own_statistics,
         "the one that reports the accuracy of the validation set": _of_the_validation}  # fmt: skip


# Checks that do not tell them apart.


def _weaker(candidate, *, tests=None, reads=True, accuracy=True, answers=True):
    """Check a part only."""
    training, found = _training(), []
    for test in tests or _tests():
        read_test, calls = _counted(test)
        predict, told = candidate(training, read_test)
        assert not reads or len(calls) == 1
        assert not accuracy or abs(told - _accuracy(predict, test)) < 1e-9
        found.append(predict(_points()).tolist())
    assert not answers or all(answer == found[0] for answer in found)


def never_rejects(candidate):
    """the check accepts every experiment, honest or not"""
    _weaker(candidate, reads=False, accuracy=False, answers=False)


def reads_only(candidate):
    """the check only counts the reads: what has been read once can be used many times"""
    _weaker(candidate, accuracy=False, answers=False)


def reads_not_counted(candidate):
    """the check doesn't count the reads: anyone who looks at the test set in each epoch ends up choosing by it"""
    _weaker(candidate, reads=False)


def accuracy_not_compared(candidate):
    """the check doesn't compare the accuracy with that of predict on the test set"""
    _weaker(candidate, accuracy=False)


def answers_not_compared(candidate):
    """the check doesn't find out whether predict depends on the test set: run the experiment on test sets that differ, and compare the answers of predict"""
    _weaker(candidate, answers=False)


def same_images(candidate):
    """the check changes only the labels of the test set: that its images are in the statistics doesn't show"""
    x = _tests()[0][0]
    _weaker(candidate, tests=[(x, labels) for _, labels in _tests()])


def same_statistics(candidate):
    """the check has test images with the statistics of the training images: normalising them by their own changes nothing"""
    mean, std = _statistics(_training()[0])
    normed = [((x - x.mean(axis=0)) / x.std(axis=0) * std + mean, labels) for x, labels in _tests()]
    _weaker(candidate, tests=normed)


def never_content(candidate):
    """the check rejects every experiment, honest or not"""
    raise AssertionError
