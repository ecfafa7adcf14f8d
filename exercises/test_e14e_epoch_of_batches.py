"""Claims about epoch_of_batches: every epoch starts from the images as they are given, and batches don't change afterwards."""

import numpy
from e14e_epoch_of_batches import epoch_of_batches

from minires.course import Check

check = Check("14e")
SHAPE, CROP = (5, 7, 2), 2


def data(n=11, shape=SHAPE):
    """Return images whose pixels differ, and their labels."""
    rng = numpy.random.default_rng(n)
    return rng.integers(1, 256, (n, *shape)).astype("uint8"), rng.permutation(n) + 40


def windows(images, crop):
    """Return the bytes of each shifted image -> (its number, down, across)."""
    h, w = images.shape[1:3]
    framed = numpy.pad(images, ((0, 0), (crop, crop), (crop, crop), (0, 0)))
    shifts = range(2 * crop + 1)
    return {
        framed[n, i : i + h, j : j + w].tobytes(): (n, i - crop, j - crop)
        for n in range(len(images))
        for i in shifts
        for j in shifts
    }


def recognised(batches, images, labels, crop):
    """Return [(number, down, across)] in the order in which the images come, and what is wrong, in words."""
    known, found, wrong = windows(images, crop), [], set()
    for x, y in batches:
        x = numpy.asarray(x)
        if x.dtype != "float32":
            wrong.add(f"x is {x.dtype}")
        if len(x) != len(y):
            wrong.add("more or fewer labels than images")
        if not x.size:
            wrong.add("images without pixels")
            found += [None] * len(x)
            continue
        pixels = (x.astype("float64") * 255).round()
        if pixels.max() > 255:
            wrong.add("values above 1")
        if abs(pixels - x.astype("float64") * 255).max() > 1e-2:
            wrong.add("values that aren't whole numbers divided by 255")
        for image, label in zip(pixels.clip(0, 255).astype("uint8"), y):
            which = known.get(image.tobytes())
            if which is None:
                wrong.add("images that aren't given ones, shifted once")
            elif labels[which[0]] != label:
                wrong.add("images with a wrong label")
            found.append(which)
    return found, ", ".join(sorted(wrong)) or "nothing"


def epochs(count, *, kept=False, n=11, batch_size=4, crop=CROP, shape=SHAPE):
    """Experiment: what comes in some epochs, in words. kept  all batches of an epoch are made first, and looked at then"""

    def run(epoch_of_batches):
        (images, labels), rng, told = data(n, shape), numpy.random.default_rng(9), {}
        given = images.copy(), labels.copy()
        for epoch in range(count):
            batches = epoch_of_batches(images, labels, batch_size, crop=crop, rng=rng)
            found, wrong = recognised([*batches] if kept else batches, *given, crop)
            numbers = sorted(which[0] for which in found if which)
            told[f"wrong in epoch {epoch + 1}"] = wrong
            told[f"images in epoch {epoch + 1}"] = (
                "each once" if numbers == [*range(n)] else f"{len(found)}, not each once"
            )
        told["images afterwards"] = "as given" if (images == given[0]).all() else "changed"
        told["labels afterwards"] = "as given" if (labels == given[1]).all() else "changed"
        return told

    how = "batches that are kept" if kept else "batches that are used at once"
    check.experiment(run, epoch_of_batches, f"{count} epochs of {n} images, {how}, crop {crop}")


def test_the_first_epoch_is_right_if_each_batch_is_used_at_once():
    def run(epoch_of_batches):
        (images, labels), rng = data(), numpy.random.default_rng(9)
        given = images.copy(), labels.copy()
        found, wrong = recognised(
            epoch_of_batches(images, labels, 4, crop=CROP, rng=rng), *given, CROP
        )
        return {"wrong": wrong, "images": str(sorted(which[0] for which in found if which))}

    # Once only: a second epoch is a different claim.
    expected = {"wrong": "nothing", "images": str([*range(11)])}
    found = check.call(run, epoch_of_batches)
    check.true(found == expected, f"11 images, batches of 4: expected {expected}, got {found}")


def test_the_images_and_labels_stay_as_they_are_given():
    epochs(1)

    def run(epoch_of_batches):
        images, labels = data()
        given, told = (images.copy(), labels.copy()), []
        for _ in epoch_of_batches(images, labels, 4, crop=CROP, rng=numpy.random.default_rng(9)):
            same = (images == given[0]).all() and (labels == given[1]).all()
            told.append("as given" if same else "changed")
        return {"images and labels after each batch": ", ".join(told)}

    check.experiment(run, epoch_of_batches, "11 images, batches of 4")


def test_every_epoch_starts_from_the_images_as_they_are_given():
    epochs(4)


def test_batches_stay_as_they_are():
    epochs(1, kept=True)
    epochs(3, kept=True, batch_size=3)


def test_without_a_crop_the_images_come_unshifted():
    epochs(2, crop=0)
    epochs(2, crop=0, kept=True)


def test_batches_may_be_full_or_of_one_image_or_of_all():
    for batch_size in (1, 3, 5, 6, 20):
        epochs(2, n=6, batch_size=batch_size)
        epochs(2, n=6, batch_size=batch_size, kept=True)


def test_the_sizes_of_the_batches():
    def run(epoch_of_batches):
        found = {}
        for batch_size in (1, 4, 11, 30):
            batches = [
                *epoch_of_batches(*data(), batch_size, crop=1, rng=numpy.random.default_rng(1))
            ]
            found[f"shapes in batches of {batch_size}"] = str(
                [(*numpy.shape(x), len(y)) for x, y in batches]
            )
        return found

    check.experiment(run, epoch_of_batches, "11 images")


def drawn(epoch_of_batches, n=400, crop=1, batch_size=50, seeds=(3,)):
    """Return the (number, down, across) of an epoch for each seed; copies of the images are given."""
    images, labels = data(n, (3, 4, 2))
    found = []
    for seed in seeds:
        batches = epoch_of_batches(
            images.copy(), labels.copy(), batch_size, crop=crop, rng=numpy.random.default_rng(seed)
        )
        batches = [(numpy.array(x), numpy.array(y)) for x, y in batches]
        found.append(recognised(batches, images, labels, crop)[0])
    return found


def test_each_image_is_shifted_by_its_own_numbers():
    def run(epoch_of_batches):
        (found,) = drawn(epoch_of_batches)
        shifts = [which[1:] for which in found if which]
        counts = {
            (i, j): shifts.count((i, j)) for i in (-1, 0, 1) for j in (-1, 0, 1)
        }  # 44 of each, about
        batches = [len(set(shifts[first : first + 50])) for first in range(0, len(shifts), 50)]
        return {
            "shifts that come too rarely": str([shift for shift, n in counts.items() if n < 8]),
            "shifts in a batch": "several" if min(batches, default=1) > 3 else "one, or few",
        }

    check.experiment(run, epoch_of_batches, "400 images, batches of 50, crop 1")


def test_what_moves_in_is_0():
    def run(epoch_of_batches):
        images = numpy.full((60, 4, 5, 1), 90, "uint8")
        images[:, 0], images[:, -1] = 30, 60
        batches = epoch_of_batches(
            images, numpy.arange(60), 2, crop=1, rng=numpy.random.default_rng(0)
        )
        last = numpy.concatenate([numpy.array(x)[:, -1] for x, _ in batches])
        pixels = sorted({int(pixel) for pixel in (last.astype("float64") * 255).round().ravel()})
        return {"pixels in the last rows": ", ".join(map(str, pixels))}

    about = "60 images, crop 1; their first rows are 30, their last rows 60, and all others 90"
    check.experiment(run, epoch_of_batches, about)


def test_the_order_is_drawn_from_rng():
    def run(epoch_of_batches):
        orders = [
            [which and which[0] for which in found]
            for found in drawn(epoch_of_batches, 60, batch_size=10, seeds=(3, 3, 4))
        ]
        pairs = list(zip(orders[0], orders[0][1:]))  # one of 59 goes on as given, about
        following = sum(None not in pair and pair[1] == pair[0] + 1 for pair in pairs)
        early = sum(number is not None and number < 30 for number in orders[0][:30])  # 15, about
        return {
            "the order": "as given"
            if orders[0] == sorted(orders[0], key=str) or orders[0] == [*range(60)]
            else "drawn",
            "images that follow one another as given": "few" if following < 20 else "many",
            "the two halves": "mixed" if 3 < early < 27 else "stay apart",
            "with an equal seed": "the same" if orders[0] == orders[1] else "different",
            "with a different seed": "the same" if orders[0] == orders[2] else "different",
        }

    check.experiment(run, epoch_of_batches, "60 images")


def test_the_shifts_are_drawn_from_rng():
    def run(epoch_of_batches):
        found = [
            [which or (-1, 0, 0) for which in epoch]
            for epoch in drawn(epoch_of_batches, 60, seeds=(3, 3, 4))
        ]
        told = {}
        for name, put in (("as they come", list), ("by the number of the image", sorted)):
            same, equal, different = ([which[1:] for which in put(epoch)] for epoch in found)
            told[f"{name}, with an equal seed"] = "the same" if same == equal else "different"
            told[f"{name}, with a different seed"] = (
                "the same" if same == different else "different"
            )
        return told

    check.experiment(run, epoch_of_batches, "the shifts of 60 images, crop 1")


def test_a_batch_has_memory_of_its_own():
    def run(epoch_of_batches):
        images, labels = data()
        batches = [*epoch_of_batches(images, labels, 4, crop=1, rng=numpy.random.default_rng(0))]
        pairs = [
            f"{i + 1} and {j + 1}"
            for j in range(len(batches))
            for i in range(j)
            if numpy.shares_memory(batches[i][0], batches[j][0])
        ]
        for x, _ in batches[:1]:
            x[...] = 0  # what the caller does with a batch must not reach the others
        return {
            "batches in one array": ", ".join(pairs) or "none",
            "the other batches": "unchanged"
            if all((x > 0).any() for x, _ in batches[1:])
            else "changed",
            "images": "unchanged" if images.all() else "changed",
        }

    check.experiment(run, epoch_of_batches, "11 images, and the first batch is overwritten")
