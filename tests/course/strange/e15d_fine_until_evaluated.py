"""Strange solutions of 15d."""

import bisect

import numpy

from minires.tensor import Tensor, no_grad
from tests.course.kinds import right, wrong
from tests.course.loops import cut, elsewhere, fit
from tests.course.solutions.e15d_fine_until_evaluated import (
    ALL,
    EVALUATION,
    FIRST,
    LAST,
    MODE,
    ONE,
    SOME,
    STATISTICS,
    WEIGHTS,
    full,
    places,
    share,
    standard,
    with_parts,
)

RETURNS, STAY, TURNS = "test_what_it_returns", "test_images_and_codes_stay", "test_two_models_take_turns"  # fmt: skip
SHAPES = "test_images_of_other_shapes"

by_bisection = right(
    with_parts(
        labels=lambda codes, by: numpy.array(
            [bisect.bisect_left(sorted(set(by.tolist())), code) for code in codes.tolist()]
        )
    )
)
in_float32 = right(with_parts(standard=lambda images, by: standard(images, by).astype("float32")))
by_sums = right(
    with_parts(
        standard=lambda images, by: (
            (images - by.reshape(-1, by.shape[-1]).mean(axis=0))
            / numpy.sqrt(by.reshape(-1, by.shape[-1]).astype(float).var(axis=0))
        )
    )
)


@right
def left_in_training_mode(*inputs, **options):
    """Any mode will do afterwards."""
    found = full(*inputs, **options)
    inputs[0].train()
    return found


def over(images, by, axis, ddof=0):
    """Return images standardised over other axes."""
    mean, std = by.mean(axis=axis, keepdims=True), by.std(axis=axis, keepdims=True, ddof=ddof)
    return (images - mean) / numpy.where(std, std, 1)


def own(codes, by):
    """Return the place of each code among its own."""
    return numpy.unique(codes, return_inverse=True)[1]


def nearest(codes, by):
    """Return places, scaled by the number of codes."""
    classes = numpy.unique(by)
    return (codes - classes[0]) * (len(classes) - 1) // max(classes[-1] - classes[0], 1)


PARTS = {
    "modulo_the_classes": (WEIGHTS, {"labels": lambda codes, by: codes % len(numpy.unique(by))}),
    "by_their_size": (FIRST, {"labels": nearest}),
    "the_test_labels_by_their_size": (SOME, {"test_labels": nearest}),
    "aligned_at_the_end": (SOME, {"test_labels": lambda codes, by: own(codes, by) + len(numpy.unique(by)) - len(numpy.unique(codes))}),
    "one_more": (SOME, {"test_labels": lambda codes, by: numpy.minimum(places(codes, by) + 1, len(numpy.unique(by)) - 1)}),
    "from_the_right": (SOME, {"test_labels": lambda codes, by: numpy.searchsorted(numpy.unique(by), codes, side="right") % len(numpy.unique(by))}),
    "not_sorted": (FIRST, {"labels": lambda codes, by: numpy.array([list(dict.fromkeys(by.tolist())).index(code) for code in codes.tolist()])}),
    "first_seen_in_the_test": (SOME, {"test_labels": lambda codes, by: numpy.array([list(dict.fromkeys(codes.tolist())).index(code) for code in codes.tolist()])}),
    "sorted_as_text": (FIRST, {"labels": lambda codes, by: numpy.searchsorted(numpy.unique(by.astype(str)), codes.astype(str))}),
    "by_the_distance_from_0": (FIRST, {"labels": lambda codes, by: numpy.searchsorted(numpy.unique(abs(by)), abs(codes))}),
    "places_in_the_list": (SOME, {"test_labels": lambda codes, by: numpy.array([by.tolist().index(code) for code in codes.tolist()]) % len(numpy.unique(by))}),
    "labels_of_the_training_images": (SOME, {"test_labels": lambda codes, by: places(numpy.resize(by, len(codes)), by)}),
    "means_alone": (WEIGHTS, {"standard": lambda images, by: images - by.mean(axis=(0, 1, 2))}),
    "deviations_alone": (WEIGHTS, {"standard": lambda images, by: images / by.std(axis=(0, 1, 2))}),
    "not_standardised": (WEIGHTS, {"standard": lambda images, by: images / 255}),
    "by_the_variance": (WEIGHTS, {"standard": lambda images, by: (images - by.mean(axis=(0, 1, 2))) / by.var(axis=(0, 1, 2))}),
    "pixel_by_pixel": (WEIGHTS, {"standard": lambda images, by: over(images, by, 0)}),
    "row_by_row": (WEIGHTS, {"standard": lambda images, by: over(images, by, (0, 2))}),
    "image_by_image": (WEIGHTS, {"standard": lambda images, by: over(images, images, (1, 2, 3))}),
    "the_unbiased_deviation": (WEIGHTS, {"standard": lambda images, by: over(images, by, (0, 1, 2), ddof=1)}),
    "deviation_of_all_channels": (WEIGHTS, {"standard": lambda images, by: (images - by.mean(axis=(0, 1, 2))) / by.std()}),
    "mean_in_bytes": (WEIGHTS, {"standard": lambda images, by: (images - by.mean(axis=(0, 1, 2)).astype("uint8")) / by.std(axis=(0, 1, 2))}),
    "errors_counted": (ALL, {"share": lambda *inputs: 1 - share(*inputs)}),
    "without_the_last_image": (ONE, {"share": lambda model, x, labels: share(model, x[:-1], labels[:-1]) if len(x) > 1 else 0.0}),
    "rounded_accuracies": (ALL, {"share": lambda *inputs: round(share(*inputs), 2)}),
    "two_best_guesses": (ALL, {"share": lambda model, x, labels: float((numpy.argsort(model(Tensor(x)).data, axis=1)[:, -2:] == labels[:, None]).any(axis=1).mean())}),
    "smallest_logits": (ALL, {"share": lambda model, x, labels: float((model(Tensor(x)).data.argmin(axis=1) == labels).mean())}),
    "counts": (ALL, {"share": lambda model, x, labels: share(model, x, labels) * len(x)}),
    "last_batch_dropped": (LAST, {"drop": 16}),
}  # fmt: skip
for name, (claim, parts) in PARTS.items():
    globals()[name] = wrong(claim)(with_parts(**parts))


@wrong(STATISTICS)
def statistics_of_both(model, images, codes, test_images, test_codes, **options):
    both = numpy.concatenate([images, test_images])
    given = images, codes, test_images, test_codes
    return full(model, *given, **options, standard=lambda images, by: standard(images, both))


@wrong(WEIGHTS)
def statistics_of_the_test_set(model, images, codes, test_images, test_codes, **options):
    given = images, codes, test_images, test_codes
    return full(model, *given, **options, standard=lambda images, by: over(images, test_images, (0, 1, 2)))  # fmt: skip


@wrong(SOME)
def best_of_all_orders(model, images, codes, test_images, test_codes, **options):
    """The labels of the test set are moved until the accuracy is best."""
    given, k = (images, codes, test_images, test_codes), len(numpy.unique(codes))
    found = full(model, *given, **options)
    x, its = standard(test_images, images), own(test_codes, codes)
    return {**found, "test": max(share(model, x, its + move) for move in range(k))}


@wrong(ALL)
def guesses_numbered_too(model, images, codes, test_images, test_codes, **options):
    """On the test set, the guesses get numbers of their own, as its labels do."""
    found = full(model, images, codes, test_images, test_codes, **options)
    with no_grad():
        guesses = model(Tensor(standard(test_images, images))).data.argmax(axis=1)
    return {**found, "test": float((own(guesses, None) == own(test_codes, None)).mean())}


@wrong(SOME)
def training_set_evaluated_twice(model, images, codes, test_images, test_codes, **options):
    found = full(model, images, codes, test_images, test_codes, **options)
    return {**found, "test": found["train"]}


@wrong(WEIGHTS)
def trained_on_both(model, images, codes, test_images, test_codes, **options):
    more = numpy.concatenate([images, test_images]), numpy.concatenate([codes, test_codes])
    full(model, *more, test_images, test_codes, **options)
    x, test_x = standard(images, images), standard(test_images, images)
    return {"train": share(model, x, places(codes, codes)), "test": share(model, test_x, places(test_codes, codes))}  # fmt: skip


@wrong(SOME)
def statistics_moved_to_the_test_set(model, images, codes, test_images, test_codes, **options):
    """The running statistics are updated on the test images before they are evaluated."""
    found = full(model, images, codes, test_images, test_codes, **options)
    x = standard(test_images, images)
    with no_grad():
        model.train()(Tensor(x))
    return {**found, "test": share(model.eval(), x, places(test_codes, codes))}


@wrong(EVALUATION)
def test_set_in_training_mode(model, images, codes, test_images, test_codes, **options):
    found = full(model, images, codes, test_images, test_codes, **options)
    model.train()
    return {**found, "test": share(model, standard(test_images, images), places(test_codes, codes))}  # fmt: skip


@wrong(WEIGHTS)
def a_pass_in_training_mode(model, images, codes, test_images, test_codes, **options):
    """Before the evaluation, the training images run once more in training mode."""
    given = images, codes, test_images, test_codes
    found = full(model, *given, **options)
    with no_grad():
        model.train()(Tensor(standard(images, images)))
    model.eval()
    return found


@wrong(ALL)
def names_exchanged(*inputs, **options):
    found = full(*inputs, **options)
    return {"train": found["test"], "test": found["train"]}


@wrong(ALL)
def evaluated_before_training(model, images, codes, test_images, test_codes, **options):
    x, test_x = standard(images, images), standard(test_images, images)
    model.eval()
    found = {"train": share(model, x, places(codes, codes)), "test": share(model, test_x, places(test_codes, codes))}  # fmt: skip
    full(model, images, codes, test_images, test_codes, **options)
    return found


@wrong(ALL)
def accuracy_while_training(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    x, its = standard(images, images), places(codes, codes)
    history = fit(model, [cut(x, its, batch)] * epochs, lr)
    test = share(model.eval(), standard(test_images, images), places(test_codes, codes))
    return {"train": history[-1][1], "test": test}


@wrong(RETURNS)
def a_pair(*inputs, **options):
    return dict(sorted(full(*inputs, **options).items()), weights=0.0)


@wrong(RETURNS)
def arrays(*inputs, **options):
    return {name: numpy.array(value) for name, value in full(*inputs, **options).items()}


@wrong(STAY)
def images_written_to(model, images, codes, *others, **options):
    found = full(model, images, codes, *others, **options)
    images //= 2
    return found


@wrong(STAY)
def codes_become_labels(model, images, codes, test_images, test_codes, **options):
    found = full(model, images, codes, test_images, test_codes, **options)
    test_codes[...] = places(test_codes, codes)
    return found


KEPT = []


@wrong(TURNS)
def classes_of_the_first_run(model, images, codes, test_images, test_codes, **options):
    """The codes of the first training set are kept for all runs after it."""
    if not KEPT or len(KEPT[0]) != len(numpy.unique(codes)):
        KEPT[:] = [numpy.unique(codes)]
    given = images, codes, test_images, test_codes
    return full(model, *given, **options, labels=lambda codes, by: numpy.searchsorted(KEPT[0], codes) % len(KEPT[0]))  # fmt: skip


@wrong(MODE)
def first_epoch_as_it_comes(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    batches = cut(standard(images, images), places(codes, codes), batch)
    fit(model, [batches], lr, mode="as it comes")
    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs - 1, batch=batch, lr=lr)


@wrong(WEIGHTS)
def one_epoch_more(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    given = images, codes, test_images, test_codes
    return full(model, *given, epochs=epochs + 1, batch=batch, lr=lr)


@wrong(WEIGHTS)
def images_backwards(model, images, codes, *others, **options):
    return full(model, images[::-1], codes[::-1], *others, **options)


copies_trained = wrong(WEIGHTS)(elsewhere(full, 0))
