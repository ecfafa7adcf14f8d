"""Solutions of 16d: checks that tell honest experiments from others, and checks that do not."""

import numpy

from tests.course.kinds import right, wrong

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def training(seed=1, n=60, d=2, classes=2):
    rng = numpy.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    labels = (abs(x).sum(axis=1) * 3).astype(int) % classes
    labels[:classes] = numpy.arange(classes)
    return x, labels


def test_set(seed, n=40, d=2, classes=2, *, shift=0.5, scale=1.5):
    rng = numpy.random.default_rng([seed, 7])
    return shift * seed + scale * rng.standard_normal((n, d)), rng.integers(0, classes, n)


def points(n=80, d=2):
    return 2 * numpy.random.default_rng(55).standard_normal((n, d))


def ran(candidate, own, test):
    """Return (predict, accuracy, the number of reads)."""
    reads = []

    def read_test():
        reads.append(1)
        return test

    predict, accuracy = candidate(own, read_test)
    return predict, accuracy, len(reads)


def judged(candidate, tests, own=None, *, reads=True, accuracy=True, answers=True, at=None):
    own, found = own or training(), []
    at = points(d=own[0].shape[1]) if at is None else at
    for x, labels in tests:
        predict, told, count = ran(candidate, own, (x, labels))
        assert not reads or count == 1
        assert not accuracy or numpy.isclose(told, numpy.mean(predict(x) == labels), atol=1e-9)
        found.append(predict(at))
    for other in found[1:]:
        assert not answers or numpy.array_equal(other, found[0])


TESTS = [test_set(seed) for seed in (1, 2, 3)]


@right
def three_test_sets(candidate):
    judged(candidate, TESTS)


@right
def three_classes_and_five_numbers(candidate):
    tests = [test_set(seed, d=5, classes=3) for seed in range(1, 7)]
    judged(candidate, tests, training(d=5, classes=3, n=100))


@right
def two_very_different_ones(candidate):
    (x, labels), (other, _) = test_set(1, 100), test_set(2, 100)
    judged(candidate, [(x, labels), (x, 1 - labels), (other, labels), (5 * x - 3, labels)])


@right
def a_counter_in_a_list(candidate):
    own, answers = training(seed=3), []
    for seed in range(1, 6):
        test, count = test_set(seed), [0]

        def read_test():
            count[0] += 1
            if count[0] > 1:
                raise AssertionError("read twice")
            return test

        predict, accuracy = candidate(own, read_test)
        assert count == [1]
        hits = sum(int(a) == int(b) for a, b in zip(predict(test[0]), test[1]))
        assert round(accuracy * len(test[1]), 6) == hits
        answers.append(tuple(predict(points())))
    assert len(set(answers)) == 1


@right
def on_the_training_images(candidate):
    judged(candidate, TESTS, at=training()[0])


@right
def a_new_copy_each_time(candidate):
    """The candidates get copies, so that nothing can be known by its identity."""
    own, found = training(seed=5), []
    for seed in (2, 4, 5, 6):
        x, labels = test_set(seed)
        predict, told, count = ran(
            candidate, (own[0].copy(), own[1].copy()), (x.copy(), labels.copy())
        )
        if count != 1 or abs(told - float((predict(x) == labels).sum()) / 40) > 1e-6:
            raise AssertionError
        found.append(predict(points(150)))
    assert (numpy.stack(found) == found[0]).all()


@right
def part_by_part(candidate):
    """A function per property."""
    for once in (only_once, accuracy_of_predict, independent):
        assert once(candidate), once.__name__


def only_once(candidate):
    return all(ran(candidate, training(seed=6), test)[2] == 1 for test in TESTS)


def accuracy_of_predict(candidate):
    for x, labels in [test_set(seed, shift=1.0, scale=2.0) for seed in range(1, 5)]:
        predict, told, _ = ran(candidate, training(seed=6), (x, labels))
        if abs(told - (predict(x) == labels).mean()) > 0.001:
            return False
    return True


def independent(candidate):
    found = [ran(candidate, training(seed=6), test)[0](points()).tobytes() for test in TESTS]
    return found[0] == found[1] == found[2]


@right
def labels_that_say_nothing(candidate):
    """Also in training."""
    rng = numpy.random.default_rng(8)
    own = rng.random((70, 4)), rng.integers(0, 2, 70)
    tests = [(rng.random((50, 4)) * scale - 0.3, rng.integers(0, 2, 50)) for scale in (1, 2, 3, 4)]
    judged(candidate, tests, own)


@wrong(WRONG_ONES, mistake="never_rejects")
def types_looked_at(candidate):
    predict, accuracy, _ = ran(candidate, training(), TESTS[0])
    assert callable(predict) and 0 <= accuracy <= 1


@wrong(WRONG_ONES, mistake="reads_only")
def counted_only(candidate):
    judged(candidate, TESTS, accuracy=False, answers=False)


@wrong(WRONG_ONES, mistake="reads_not_counted")
def not_counted(candidate):
    judged(candidate, TESTS, reads=False)


@wrong(WRONG_ONES, mistake="accuracy_not_compared")
def accuracy_believed(candidate):
    judged(candidate, TESTS, accuracy=False)


@wrong(WRONG_ONES, mistake="answers_not_compared")
def answers_not_looked_at(candidate):
    judged(candidate, TESTS, answers=False)


@wrong(WRONG_ONES, mistake="answers_not_compared")
def twice_the_same(candidate):
    judged(candidate, [TESTS[1], TESTS[1]])


@wrong(WRONG_ONES, mistake="same_images")
def other_labels_only(candidate):
    x, _ = TESTS[2]
    judged(candidate, [(x, test_set(seed)[1]) for seed in range(8)])


@wrong(WRONG_ONES, mistake="same_statistics")
def drawn_and_normed_as_in_training(candidate):
    x, _ = own = training()
    tests = []
    for seed in range(1, 6):
        drawn, labels = test_set(seed)
        drawn = (drawn - drawn.mean(axis=0)) / drawn.std(axis=0)
        tests.append((drawn * x.std(axis=0) + x.mean(axis=0), labels))
    judged(candidate, tests, own)


@wrong(RIGHT_ONES, mistake="never_content")
def read_last(candidate):
    """As if the number of reads had to be 0."""
    judged(candidate, TESTS)
    assert ran(candidate, training(), TESTS[0])[2] == 0


@wrong(WRONG_ONES)
def at_most_two_reads(candidate):
    own, found = training(), []
    for test in TESTS:
        predict, told, count = ran(candidate, own, test)
        assert count <= 2 and abs(told - (predict(test[0]) == test[1]).mean()) < 1e-9
        found.append(predict(points()).tolist())
    assert found[0] == found[1] == found[2]


@wrong(WRONG_ONES)
def accuracy_is_near(candidate):
    own, found = training(), []
    for test in TESTS:
        predict, told, count = ran(candidate, own, test)
        assert count == 1 and abs(told - (predict(test[0]) == test[1]).mean()) < 0.3
        found.append(predict(points()).tolist())
    assert found[0] == found[1] == found[2]


@wrong(RIGHT_ONES)
def better_than_chance(candidate):
    judged(candidate, TESTS)
    assert ran(candidate, training(), TESTS[0])[1] > 0.6


@wrong(RIGHT_ONES)
def trained_on_everything(candidate):
    """As if all training images had to be right."""
    judged(candidate, TESTS)
    x, labels = training()
    assert (ran(candidate, (x, labels), TESTS[0])[0](x) == labels).all()


@wrong(WRONG_ONES)
def a_bool(candidate):
    predict, told, count = ran(candidate, training(), TESTS[0])
    return count == 1 and told == (predict(TESTS[0][0]) == TESTS[0][1]).mean()


@wrong(WRONG_ONES)
def one_point(candidate):
    """Whether predict depends on the test set rarely shows at a single point far away."""
    judged(candidate, TESTS, at=numpy.full((1, 2), 0.0))


@wrong(WRONG_ONES)
def accuracies_compared_with_each_other(candidate):
    own = training()
    told = [ran(candidate, own, TESTS[0])[1] for _ in range(2)]
    assert told[0] == told[1] and ran(candidate, own, TESTS[0])[2] == 1


@wrong(RIGHT_ONES)
def accuracy_the_same_on_all(candidate):
    judged(candidate, TESTS)
    assert len({ran(candidate, training(), test)[1] for test in TESTS}) == 1


@wrong(WRONG_ONES)
def the_last_run_only(candidate):
    for test in TESTS:
        predict, told, count = ran(candidate, training(), test)
    assert count == 1 and abs(told - (predict(test[0]) == test[1]).mean()) < 1e-9


@wrong(RIGHT_ONES)
def the_test_set_must_be_read_after_training(candidate):
    """Read before, it is empty."""
    order = []

    class Watched(numpy.ndarray):
        def __getitem__(self, key):
            order.append("training")
            return super().__getitem__(key)

    x, labels = training()

    def read_test():
        order.append("test")
        return TESTS[0]

    judged(candidate, TESTS)
    candidate((x.view(Watched), labels.view(Watched)), read_test)
    assert order[0] == "training"
