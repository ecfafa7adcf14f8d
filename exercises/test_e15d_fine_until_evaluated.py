"""Claims about train: what it learns is right, and so are its accuracies, whichever articles the test set contains."""

import numpy
from e15d_fine_until_evaluated import train

from minires.course import Check
from minires.nn import BatchNorm, Conv2d, GlobalAvgPool, Linear, ReLU, Sequential, init

check = Check("15d", tolerance=1e-5)
CODES = numpy.array([4011, 4046, 4065, 4131, 4225])


def net(channels=3, classes=5, seed=0, dtype="float64"):
    """Return a small net with batch norm."""
    with init.kept_generator():
        init.manual_seed(seed)
        layers = (
            Conv2d(channels, 8, 3, padding=1, bias=False),
            BatchNorm(8),
            ReLU(),
            GlobalAvgPool(),
        )
        return Sequential(*layers, Linear(8, classes)).astype(dtype)


def photos(classes, seed=1, *, noise=55, h=2, w=3, channels=3):
    """Return images of these classes: a colour for each, and noise."""
    colours = numpy.random.default_rng(0).uniform(40, 200, (12, channels))
    rng, classes = numpy.random.default_rng(seed), numpy.asarray(classes)
    shape = len(classes), h, w, channels
    light = colours[classes][:, None, None] + noise * rng.standard_normal((len(classes), 1, 1, channels))  # fmt: skip
    light = (light + 8 * rng.standard_normal(shape)) * numpy.linspace(0.4, 1.2, channels)
    return light.clip(0, 255).astype("uint8")


def drawn(n, among, seed):
    """Return n classes, each of `among` at least once if there are enough."""
    return numpy.random.default_rng(seed).permutation(numpy.resize(among, n))


def found(test, *, codes=CODES, n=40, m=35, batch=20, epochs=2, lr=0.2, ready=None, dtype="float64", whole=False, bright=0, **shape):  # fmt: skip
    """Experiment: both accuracies. test  the classes in the test set    whole  with the net after the training"""

    def run(train):
        its, tests = drawn(n, range(len(codes)), 2), drawn(m, test, 3)
        model = net(shape.get("channels", 3), len(codes), dtype=dtype)
        if ready:
            ready(model)
        test_images = photos(tests, 4, **shape)
        test_images = numpy.minimum(test_images, 255 - bright) + numpy.uint8(bright)
        parts = photos(its, **shape), codes[its], test_images, codes[tests]
        accuracies = train(model, *parts, epochs=epochs, batch=batch, lr=lr)
        return {**accuracies, **(model.state_dict() if whole else {})}

    return run


def test_a_test_set_with_all_articles():
    check.experiment(found(range(5)), train, "five articles, and all of them in the test set")
    check.experiment(found(range(2), codes=CODES[:2]), train, "two articles, and both of them in the test set")  # fmt: skip


def test_a_test_set_without_some_of_the_articles():
    check.experiment(found([1, 2, 3, 4]), train, "five articles, and all but the smallest code in the test set")  # fmt: skip
    check.experiment(found([0, 1, 3, 4]), train, "five articles, and all but the middle code in the test set")  # fmt: skip
    check.experiment(found([0, 1, 2, 3]), train, "five articles, and all but the largest code in the test set")  # fmt: skip
    check.experiment(found([3, 1], m=20), train, "five articles, and two of them in the test set")


def test_a_test_set_with_one_article():
    check.experiment(found([4], m=12), train, "five articles, and the largest code alone in the test set")  # fmt: skip
    check.experiment(found([2], m=1), train, "five articles, and a test set of one image")


def test_the_weights_after_training():
    check.experiment(found([1, 2, 4], epochs=1, n=10, whole=True), train, "one epoch of one step: the net afterwards")  # fmt: skip
    check.experiment(found([1, 2, 4], whole=True), train, "two epochs of two steps: the net afterwards")  # fmt: skip


def test_the_smallest_code_has_the_first_logit():
    shuffled = numpy.array([70, 3, 900, 41, 5])
    check.experiment(found(range(5), codes=shuffled, whole=True), train, "the codes 3, 5, 41, 70, 900: the net afterwards")  # fmt: skip
    check.experiment(found([0, 2, 3], codes=shuffled), train, "the codes 3, 5, 41, 70, 900, and 41, 70, 900 in the test set")  # fmt: skip
    check.experiment(found([1, 2], codes=numpy.array([-7, 2**40, 0])), train, "the codes -7, 0 and 2**40, and all but -7 in the test set")  # fmt: skip


def test_evaluation_mode():
    check.experiment(found(range(5), m=8, bright=30, noise=30), train, "a test set of eight images, all of them brighter")  # fmt: skip
    check.experiment(found([0, 1, 4], m=5, bright=60), train, "a test set of five images, much brighter")  # fmt: skip


def test_the_statistics_are_those_of_the_training_set():
    check.experiment(found(range(5), bright=45, noise=20), train, "a test set with all articles, brighter than the training set")  # fmt: skip


def test_the_model_trains_in_training_mode():
    check.experiment(found(range(5), ready=lambda model: model.eval(), whole=True), train, "a model that comes in evaluation mode: the net afterwards")  # fmt: skip


def test_a_small_last_batch():
    check.experiment(found([0, 3], batch=16, n=37, whole=True), train, "batches of 16, 16 and 5 images: the net afterwards")  # fmt: skip
    check.experiment(found([0, 3], batch=100, epochs=3), train, "a batch size above the number of images")  # fmt: skip


def test_images_of_other_shapes():
    check.experiment(found([1, 2], codes=CODES[:3], h=4, w=1, channels=2), train, "4x1 images with two channels")  # fmt: skip
    check.experiment(found([1], codes=CODES[:2], h=3, w=3, channels=1), train, "3x3 images with one channel")  # fmt: skip


def test_a_float32_model():
    Check("15d", tolerance=1e-3).experiment(found([1, 3, 4], dtype="float32", whole=True, epochs=2), train, "a model in float32: the net afterwards")  # fmt: skip


def test_what_it_returns():
    def run(train):
        given = photos([0, 1, 2, 0]), CODES[[0, 1, 2, 0]], photos([1, 2]), CODES[[1, 2]]
        found = train(net(classes=3), *given, epochs=1, batch=2, lr=0.1)
        kinds = {"float" if isinstance(value, float) else type(value).__name__ for value in found.values()}  # fmt: skip
        return {"its type": type(found).__name__, "its keys": sorted(found), "of": sorted(kinds)}

    check.experiment(run, train, "what is returned")


def test_images_and_codes_stay():
    def run(train):
        its = drawn(12, range(5), 1)
        given = photos(its), CODES[::-1][its], photos([3, 2, 3]), CODES[[1, 2, 1]]
        train(net(), *given, epochs=2, batch=5, lr=0.1)
        return dict(zip(("images", "codes", "test_images", "test_codes"), given))

    check.experiment(run, train, "what was given, afterwards")


def test_codes_of_two_bytes_and_gaps_in_memory():
    def run(train):
        its, tests = drawn(20, range(5), 5), drawn(9, [1, 3], 6)
        wide, model = numpy.repeat(photos(its), 2, axis=1)[:, ::2], net()
        given = wide, CODES.astype("int16")[its], photos(tests)[::-1], CODES[tests][::-1]
        return {**train(model, *given, epochs=3, batch=6, lr=0.2), **model.state_dict()}

    check.experiment(run, train, "codes in int16, images with gaps in memory")


def test_two_models_take_turns():
    def run(train):
        found, models = {}, [net(), net(seed=4)]
        for turn, model in enumerate((*models, models[0])):
            its, tests = drawn(20, range(5), turn), drawn(15, [turn, 4], turn + 9)
            codes = CODES + turn
            given = photos(its, turn), codes[its], photos(tests, turn + 20), codes[tests]
            for name, value in train(model, *given, epochs=2, batch=6, lr=0.2).items():
                found[f"{name}, training run {turn}"] = value
        return {**found, **models[0].state_dict()}

    check.experiment(run, train, "two models, one of which is trained twice")
