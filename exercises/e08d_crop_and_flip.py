"""Exercise 08d, chapter 08, 20 minutes: images shifted and mirrored. Check: pytest exercises/test_e08d_crop_and_flip.py"""

from minires.backend import xp


def crop_and_flip(images, down, across, mirrored):
    """Each image seen through a window of its size, which is shifted by `down` and `across` pixels, and mirrored or not.

    images, result  (N, H, W, C)    down, across, mirrored  (N,)

    images may have any dtype: keep it. down and across hold ints, which may be negative, and mirrored holds bools.
    result[n, i, j] is images[n, i + down[n], q + across[n]], where q is j, or W - 1 - j in an image that is
    mirrored; beyond the edge it is 0. So a window of H x W pixels moves over the image, and then its contents
    are mirrored. A shift may be larger than the image. Return a new array. You needn't handle NaN
    or infinity. A loop over the images is fine. Chapter 08.
    """
    raise NotImplementedError("exercise 08d: write crop_and_flip")
