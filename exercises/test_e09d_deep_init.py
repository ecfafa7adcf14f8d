"""Claims about the study: He's weights keep the signal, whatever the channels, and the gradients are in order."""

import numpy
from e09d_deep_init import signal_and_gradient

from minires.course import Check

check = Check("09d")


def study(shape, widths, *, seed=8, **options):
    """Experiment: both lists of the study, for an x of this shape."""

    def run(signal_and_gradient):
        generator = numpy.random.default_rng(seed)
        x = generator.standard_normal(shape)
        signal, gradient = signal_and_gradient(x, widths, generator, **options)
        return {"the signal": list(signal), "the gradient": list(gradient)}

    return run


def part(which, *inputs, **options):
    """Experiment: one of the two lists."""

    def run(signal_and_gradient):
        return study(*inputs, **options)(signal_and_gradient)[which]

    return run


def test_the_signal_stays_through_layers_of_equal_width():
    about = "the signal of x (4, 8, 8, 8) through ten layers of 8 channels"
    check.experiment(part("the signal", (4, 8, 8, 8), [8] * 10), signal_and_gradient, about)
    about = "the signal of x (2, 6, 5, 3) through six layers of 3 channels"
    check.experiment(part("the signal", (2, 6, 5, 3), [3] * 6), signal_and_gradient, about)


def test_the_signal_stays_where_the_width_changes():
    about = "the signal of x (2, 7, 6, 3) through layers of 16, 4, 16, 5 channels"
    check.experiment(part("the signal", (2, 7, 6, 3), [16, 4, 16, 5]), signal_and_gradient, about)


def test_the_gradient_of_the_first_layer_comes_first():
    about = "the gradient in layers of 4, 12, 2, 6 channels"
    check.experiment(part("the gradient", (2, 7, 6, 3), [4, 12, 2, 6]), signal_and_gradient, about)
    about = "the gradient in eight layers of 8 channels"
    check.experiment(part("the gradient", (4, 8, 8, 8), [8] * 8), signal_and_gradient, about)


def test_a_kernel_may_be_of_any_size():
    for kernel in ((1, 1), (5, 3), (1, 5)):
        about = f"layers of 6, 4, 4 channels with kernels of {kernel}"
        check.experiment(study((2, 7, 6, 3), [6, 4, 4], kernel=kernel), signal_and_gradient, about)


def test_there_may_be_one_layer_one_channel_or_one_image():
    for shape, widths in (
        ((1, 5, 5, 1), [1]),
        ((1, 5, 4, 2), (1, 1, 1)),
        ((3, 3, 3, 3), [3, 3, 3]),
    ):
        check.experiment(
            study(shape, widths), signal_and_gradient, f"x {shape} through layers of {widths}"
        )


def test_the_forty_layers_of_the_study():
    check.experiment(
        study((2, 8, 8, 8), [8] * 40, seed=3), signal_and_gradient, "forty layers of 8 channels"
    )


def test_x_and_widths_stay_as_they_were():
    def run(signal_and_gradient):
        x, widths = numpy.random.default_rng(1).standard_normal((2, 4, 5, 3)), [4, 2]
        before = x.copy()
        signal_and_gradient(x, widths, numpy.random.default_rng(2))
        return {"x has changed": bool((x != before).any()), "the widths": list(widths)}

    check.experiment(run, signal_and_gradient, "x and widths, before and after")


def test_the_results_can_be_read_twice():
    def run(signal_and_gradient):
        x = numpy.random.default_rng(1).standard_normal((2, 4, 5, 3))
        signal, gradient = signal_and_gradient(x, [4, 2], numpy.random.default_rng(2))
        return {"the signal": [[*signal], [*signal]], "the gradient": [[*gradient], [*gradient]]}

    check.experiment(run, signal_and_gradient, "each result, read twice")


def test_the_weights_come_from_the_generator():
    def run(signal_and_gradient):
        generator = numpy.random.default_rng(5)
        x = numpy.random.default_rng(6).standard_normal((2, 4, 5, 3))
        first, second = signal_and_gradient(x, [4, 2], generator), signal_and_gradient(x, [4, 2], generator)  # fmt: skip
        again = signal_and_gradient(x, [4, 2], numpy.random.default_rng(5))
        return {
            "the first": [list(part) for part in first],
            "the second, from the same generator": [list(part) for part in second],
            "from a new one of the same seed": [list(part) for part in again],
            "the generator's next number": generator.random(),
        }

    check.experiment(
        run, signal_and_gradient, "two studies from one generator, and one from a new one"
    )
