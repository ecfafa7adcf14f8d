"""Exercise 06e, chapter 06, 15 minutes: a bug hunt in max pooling. Check: pytest exercises/test_e06e_max_pool_by_address.py"""

from minires.backend import xp
from minires.ops.windows import output_size, pad_images, views, window


def max_pool_by_address(x, *, kernel, stride=None, padding=0):
    """The maximum under each window, recorded by its address. On a tie, the first one, row by row, gets the gradient.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride`, windows are next to each other. The padding counts as -inf, and is at most half the kernel.

    Saves  one address per result.

    The address of a pixel is its offset in memory: with k channels, pixel (n, i, j, c) of the framed image is at
    address ((n * height + i) * width + j) * k + c. One line is wrong, and it reads like the right one. If
    windows don't overlap, you won't notice. Find the line and fix it. Chapter 06.
    """
    kernel, stride, (ph, pw) = window(kernel, kernel if stride is None else stride, padding)
    _, h, w, _ = x.shape
    steps = output_size((h, w), kernel, stride, (ph, pw))
    image = pad_images(x, (ph, pw), -xp.inf)
    shape, dtype = image.shape, x.dtype
    addresses = xp.arange(image.size).reshape(shape)
    seen = xp.stack(list(views(image, kernel, stride, steps)))  # (KH*KW, N, OH, OW, C)
    seen_at = xp.stack(list(views(addresses, kernel, stride, steps)))
    first = seen.argmax(axis=0)
    winners = xp.take_along_axis(seen_at, first[None], axis=0)[0]  # (N, OH, OW, C)

    def backward(g):
        g_image = xp.zeros(shape, dtype=dtype)
        g_image.ravel()[winners] += g
        return (g_image[:, ph : ph + h, pw : pw + w],)

    return xp.take(image, winners), backward
