"""Claims about kaiming_normal: float32 numbers with the right standard deviation, drawn from the given generator."""

import numpy
from e04f_kaiming import kaiming_normal

from minires.course import Check

# A different right method draws different numbers. A quarter of a million have a standard deviation that is right to 0.14 %,
# so a tolerance of 1 % tells apart all that differs by 2 %; and a fraction that is right to 0.2 %.
check, check_fractions = Check("04f", tolerance=0.01), Check("04f", tolerance=0.015)
SHAPE = (5, 3, 64, 256)


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


def told(shape):
    """Return the call as it appears in a message."""
    return f"kaiming_normal({shape}, generator)"


def test_the_weights_have_their_shape_and_are_float32():
    def run(kaiming_normal):
        weight = kaiming_normal((2, 3, 4, 5), numpy.random.default_rng(0))
        return {"the type": str(weight.dtype), "the shape": weight.shape}

    check.experiment(run, kaiming_normal, told((2, 3, 4, 5)))


def test_the_standard_deviation_is_that_of_the_fan_out():
    for shape in (SHAPE, (3, 5, 256, 64), (1, 1, 1024, 256)):
        check.experiment(drawn(shape), kaiming_normal, told(shape))


def test_there_may_be_a_single_filter_or_channel():
    # Among them a fan-out that is odd, and one of 1.
    for shape in ((3, 2, 40000, 1), (2, 3, 1, 40000), (3, 1, 80000, 1), (1, 1, 250000, 1)):
        check.experiment(drawn(shape), kaiming_normal, told(shape))


def test_the_numbers_are_normal_around_0():
    def run(kaiming_normal):
        weight = kaiming_normal(SHAPE, numpy.random.default_rng(47)).astype(float)
        size = abs(weight) / (2 / (3 * 5 * 256)) ** 0.5
        return {"the fraction above 0": float((weight > 0).mean()), "the fraction within one std": float((size < 1).mean()),
                "the fraction within two": float((size < 2).mean()), "at least 0.235 % are beyond three": bool((size > 3).mean() > 0.00235),
                "some are beyond four": bool(size.max() > 4), "most are different": len(numpy.unique(weight)) > 200_000}  # fmt: skip

    check_fractions.experiment(run, kaiming_normal, told(SHAPE))


def test_small_weights_are_as_random_as_large_ones():
    def run(kaiming_normal):
        generator = numpy.random.default_rng(50)
        draws = [kaiming_normal((1, 2, 3, 2), generator).astype(float) for _ in range(500)]
        means, deviations = [weight.mean() for weight in draws], [weight.std() for weight in draws]
        return {
            "the mean of 12 weights differs from draw to draw": bool(numpy.std(means) > 0.1),
            "the standard deviation of 12 weights differs from draw to draw": bool(
                numpy.std(deviations) > 0.07
            ),
            "no draw comes twice": len({weight.tobytes() for weight in draws}) == len(draws),
        }

    def of_288(kaiming_normal):
        generator = numpy.random.default_rng(51)
        draws = [kaiming_normal((3, 3, 4, 8), generator).astype(float) for _ in range(200)]
        return {
            "the mean of 288 weights differs from draw to draw": bool(
                numpy.std([weight.mean() for weight in draws]) > 0.006
            ),
            "the standard deviation of 288 weights differs from draw to draw": bool(
                numpy.std([weight.std() for weight in draws]) > 0.004
            ),
        }

    check.experiment(run, kaiming_normal, "500 draws of kaiming_normal((1, 2, 3, 2), generator)")
    check.experiment(of_288, kaiming_normal, "200 draws of kaiming_normal((3, 3, 4, 8), generator)")


def test_each_weight_is_drawn_independently():
    def run(kaiming_normal):
        weight = kaiming_normal(SHAPE, numpy.random.default_rng(48)).astype(float)
        alike = {}
        for axis, name in enumerate(("KH", "KW", "C", "F")):
            rows = numpy.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
            with numpy.errstate(invalid="ignore"):
                likeness = abs(numpy.corrcoef(rows))
            numpy.fill_diagonal(likeness, 0)
            alike[f"two slices along {name} are correlated"] = not likeness.max() < 0.2
        return alike

    check.experiment(run, kaiming_normal, told(SHAPE))


def test_the_numbers_come_from_the_generator():
    def run(kaiming_normal):
        shape = (2, 3, 5, 7)
        draw, generator = kaiming_normal, numpy.random.default_rng(1)
        before = generator.bit_generator.state
        first, second = draw(shape, generator), draw(shape, generator)
        again, other = (
            draw(shape, numpy.random.default_rng(1)),
            draw(shape, numpy.random.default_rng(2)),
        )
        return {
            "the same seed gives the same weights": bool((first == again).all()),
            "a different seed gives different weights": bool((first != other).any()),
            "a second draw gives different weights": bool((first != second).any()),
            "the generator has moved on": generator.bit_generator.state != before,
        }

    check.experiment(
        run,
        kaiming_normal,
        "two draws from a generator of seed 1, one of seed 1 again, one of seed 2",
    )


def test_numpys_global_generator_stays_where_it_was():
    def run(kaiming_normal):
        before = numpy.random.get_state()
        try:
            kaiming_normal((3, 3, 2, 2), numpy.random.default_rng(3))
            after = numpy.random.get_state()
        finally:
            numpy.random.set_state(before)
        return {"its state has changed": not all(map(numpy.array_equal, before, after))}

    check.experiment(run, kaiming_normal, "numpy.random.get_state() before and after")
