"""Exercise 14a, chapter 14, 20 minutes: a hole in each image. Check: pytest exercises/test_e14a_cutout.py"""

from minires.backend import xp


def cutout(images, size, rng):
    """Return the images with a square hole in each.

    images, result  (N, H, W, C)    size  the side of the squares, in pixels    rng  a numpy.random.Generator

    For each image, draw a centre (row, column): every one of its H * W pixels is equally likely, and no image's centre
    depends on another's. Row and column count from 0. The hole is the square of size x size pixels whose first row is row -
    size // 2 and whose first column is column - size // 2. What extends beyond the edge is cut off: don't move the square.
    In the hole every channel is 0, and all other values stay unchanged. images may have any dtype: keep it. size is an int,
    1 or more, and may be larger than the image. Return a new array and leave images unchanged. rng is a
    numpy.random.Generator: take all random numbers from it, in whichever order you like. A loop over the images is fine.
    Chapter 14.
    """
    raise NotImplementedError("exercise 14a: write cutout")
