"""Claims about drop_pixels: the same on every backend, without a detour through the host."""

import numpy
from e01c_drop_pixels import drop_pixels

from minires.backend import is_array, to_device, to_host
from minires.course import Check
from minires.course.device import device

check = Check("01c")
images = numpy.random.default_rng(9).standard_normal((3, 4, 5, 2))


def on_the_device(array, p):
    """Experiment: a run on "strict", with the number of copies to the host."""

    def run(function):
        with device() as its:
            result = function(to_device(array), numpy.random.default_rng(5), p=p)
            nothing, there = not its.fetched, is_array(result)
            return {
                "it returns an array on the device": there,
                "it copies nothing to the host": nothing,
                "the values": to_host(result) if there else result,
            }

    return run


def on_the_host(array, p):
    return lambda function: function(array.copy(), numpy.random.default_rng(5), p=p)


def test_on_numpy_it_drops_pixels():
    check.experiment(
        on_the_host(images, 0.5), drop_pixels, "half the pixels of three images, on NumPy"
    )


def test_on_a_device_it_does_the_same_and_fetches_nothing():
    check.experiment(
        on_the_device(images, 0.5), drop_pixels, "half the pixels of three images, on a device"
    )


def test_float32_stays_float32_there():
    check.experiment(
        on_the_device(images.astype(numpy.float32), 0.3), drop_pixels, "float32, on a device"
    )


def test_none_and_all():
    check.experiment(on_the_device(images, 0.0), drop_pixels, "no pixel, on a device")
    check.experiment(on_the_device(images, 1.0), drop_pixels, "every pixel, on a device")


def test_x_stays_as_it_was():
    def run(function):
        with device():
            x = to_device(images)
            function(x, numpy.random.default_rng(5), p=0.5)
            return {"x afterwards": to_host(x)}

    check.experiment(run, drop_pixels, "x, on a device")
