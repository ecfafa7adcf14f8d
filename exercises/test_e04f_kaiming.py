"""Claims about kaiming_normal: float32 numbers with the right standard deviation, drawn from the given generator."""

import numpy
from e04f_kaiming import kaiming_normal

from minires.course import Check

check = Check(
    "04f", tolerance=0.03
)  # on a standard deviation: a different right method draws different numbers
SHAPE = (3, 5, 16, 64)


def drawn(shape, seed=46):
    """Experiment: properties of the weights of a shape."""

    def run(kaiming_normal):
        weight = kaiming_normal(shape, numpy.random.default_rng(seed))
        return {
            "the type": str(weight.dtype),
            "the shape": weight.shape,
            "the standard deviation": float(numpy.std(weight)),
        }

    return run


def test_the_weights_have_their_shape_and_are_float32():
    def run(kaiming_normal):
        weight = kaiming_normal((2, 3, 4, 5), numpy.random.default_rng(0))
        return {"the type": str(weight.dtype), "the shape": weight.shape}

    check.experiment(run, kaiming_normal, "kaiming_normal((2, 3, 4, 5), generator)")


def test_the_deviation_is_that_of_the_fan_out():
    check.experiment(drawn(SHAPE), kaiming_normal, f"kaiming_normal({SHAPE}, generator)")
    check.experiment(
        drawn((5, 3, 64, 16)), kaiming_normal, "kaiming_normal((5, 3, 64, 16), generator)"
    )
    check.experiment(
        drawn((1, 1, 256, 64)), kaiming_normal, "kaiming_normal((1, 1, 256, 64), generator)"
    )


def test_the_numbers_are_normal_around_0():
    def run(kaiming_normal):
        weight = kaiming_normal(SHAPE, numpy.random.default_rng(47)).astype(float)
        size = abs(weight) / (2 / (3 * 5 * 64)) ** 0.5
        return {"the fraction above 0": float((weight > 0).mean()), "the fraction within one std": float((size < 1).mean()),
                "the fraction within two": float((size < 2).mean()), "some are beyond three": bool(size.max() > 3)}  # fmt: skip

    check.experiment(run, kaiming_normal, f"kaiming_normal({SHAPE}, generator)")


def test_each_weight_is_drawn_by_itself():
    def run(kaiming_normal):
        weight = kaiming_normal(SHAPE, numpy.random.default_rng(48)).astype(float)
        likeness = {}
        for axis, name in enumerate(("KH", "KW", "C", "F")):
            first, second = weight.take(0, axis).ravel(), weight.take(1, axis).ravel()
            likeness[f"two along {name} are alike"] = bool(
                abs(numpy.corrcoef(first, second)[0, 1]) > 0.2
            )
        return likeness

    check.experiment(run, kaiming_normal, f"kaiming_normal({SHAPE}, generator)")


def test_they_come_from_the_generator():
    def run(kaiming_normal):
        draw, generator = kaiming_normal, numpy.random.default_rng(1)
        first, second = draw(SHAPE, generator), draw(SHAPE, generator)
        again, other = (
            draw(SHAPE, numpy.random.default_rng(1)),
            draw(SHAPE, numpy.random.default_rng(2)),
        )
        return {
            "the same seed gives the same weights": bool((first == again).all()),
            "a different seed gives different weights": bool((first != other).any()),
            "a second draw gives different weights": bool((first != second).any()),
        }

    check.experiment(
        run,
        kaiming_normal,
        "two draws from a generator of seed 1, one of seed 1 again, one of seed 2",
    )
