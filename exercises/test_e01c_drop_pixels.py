"""Claims about drop_pixels: the same on every backend, without a detour through the host."""

import numpy
from e01c_drop_pixels import drop_pixels

from minires.backend import is_array, to_device, to_host
from minires.course import Check
from minires.course.device import device

check = Check("01c")
check_float32 = Check("01c", tolerance=1e-6)
images = numpy.random.default_rng(9).standard_normal((3, 4, 5, 2))


def on_the_device(array, p, seed=5):
    """Experiment: a run on "strict", with the number of copies to the host."""

    def run(function):
        with device() as its:
            result = function(to_device(array), numpy.random.default_rng(seed), p=p)
            nothing, there = not its.fetched, is_array(result)
            return {
                "it returns an array on the device": there,
                "it copies nothing to the host": nothing,
                "the values": to_host(result) if there else result,
            }

    return run


def on_the_host(array, p, seed=5):
    """Experiment: a run on NumPy, and the generators afterwards. Each pixel takes one number of rng."""

    def run(function):
        rng, before = numpy.random.default_rng(seed), numpy.random.get_state()[1].copy()
        return {
            "the values": function(array.copy(order="K"), rng, p=p),
            "the next number of rng": rng.random(),
            "NumPy's global generator is unchanged": bool(
                (numpy.random.get_state()[1] == before).all()
            ),
        }

    return run


def test_on_numpy_it_drops_pixels():
    check.experiment(
        on_the_host(images, 0.5), drop_pixels, "half the pixels of three images, on NumPy"
    )
    check.experiment(
        on_the_host(images[:, :, ::2] * 3, 0.4, 6), drop_pixels, "three other images, on NumPy"
    )


def test_images_may_have_any_size():
    square = images[:, :3, :3, [0, 1, 1]]  # (3, 3, 3, 3)
    check.experiment(on_the_host(square, 0.5, 8), drop_pixels, "images (3, 3, 3, 3), on NumPy")
    check.experiment(on_the_device(images[:1, :1], 0.5), drop_pixels, "one image, 1x5")
    check.experiment(on_the_device(images[..., :1], 0.5), drop_pixels, "images with one channel")
    wide = images.transpose(0, 2, 1, 3)
    check.experiment(on_the_host(wide, 0.5), drop_pixels, "images that are transposed in memory")


def test_on_a_device_it_does_the_same_and_copies_nothing_to_the_host():
    check.experiment(
        on_the_device(images, 0.5), drop_pixels, "half the pixels of three images, on a device"
    )
    check.experiment(
        on_the_device(images[::-1] - 1, 0.2, 7), drop_pixels, "three other images, on a device"
    )


def test_float32_stays_float32_there():
    check_float32.experiment(
        on_the_device(images.astype(numpy.float32), 0.3), drop_pixels, "float32, on a device"
    )


def test_none_and_all():
    check.experiment(on_the_device(images, 0.0), drop_pixels, "no pixel, on a device")
    check.experiment(on_the_device(images, 1.0), drop_pixels, "every pixel, on a device")


def test_with_p_0_and_1_as_many_numbers_are_drawn():
    check.experiment(on_the_host(images, 0.0), drop_pixels, "no pixel, on NumPy")
    check.experiment(on_the_host(images, 1.0), drop_pixels, "every pixel, on NumPy")


def test_x_is_left_unchanged():
    def run(function):
        with device():
            x = to_device(images)
            result = function(x, numpy.random.default_rng(5), p=0.5)
            result *= 0
            return {"x afterwards, when the result has been overwritten": to_host(x)}

    check.experiment(run, drop_pixels, "x, on a device")
    check.experiment(
        lambda function: kept(function, 0.0), drop_pixels, "x, on NumPy, where no pixel is dropped"
    )


def kept(function, p):
    """Return x after a call whose result is overwritten."""
    x = images.copy()
    function(x, numpy.random.default_rng(5), p=p)[...] = 0
    return {"x afterwards, when the result has been overwritten": x}
