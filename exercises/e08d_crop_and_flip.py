"""Exercise 08d, chapter 08, 20 minutes: images shifted and mirrored. Check: pytest exercises/test_e08d_crop_and_flip.py"""

from minires.backend import xp


def crop_and_flip(images, down, across, mirrored):
    """Each image seen through a window of its size, which is moved by so many pixels, and mirrored or not.

    images, result  (N, H, W, C)    down, across, mirrored  (N,)

    images  (N, H, W, C), of any type, which stays    down, across  ints (N,), also negative    mirrored  bools (N,)
    result[n, i, j] is images[n, i + down[n], q + across[n]], where q is j, or W - 1 - j in an image that is mirrored; 0 where
    that is beyond the edge. So the window of H x W pixels moves over the image, and then what is seen in it is mirrored.
    A loop over the images will do. Chapter 08.
    """
    raise NotImplementedError("exercise 08d: write crop_and_flip")
