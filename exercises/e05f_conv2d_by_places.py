"""Exercise 05f, chapter 05, 20 minutes: a bug hunt in a convolution. Check: pytest exercises/test_e05f_conv2d_by_places.py"""

from minires.backend import xp
from minires.ops.windows import output_size, pad_images, window


def conv2d_by_places(x, weight, *, stride=1, padding=0):
    """A convolution as a sum of KH * KW products: for each kernel position, the pixels under it @ the weights there.

    x  (N, H, W, C)    weight  (KH, KW, C, F)    result  (N, OH, OW, F)

    Saves  x with its padding, and weight.

    One line is wrong. You won't notice with a 1x1 kernel, or with a symmetric kernel such as a blur. Find the
    line and fix it. Chapter 05.
    """
    (kh, kw), (sh, sw), (ph, pw) = window(weight.shape[:2], stride, padding)
    n, h, w, _ = x.shape
    oh, ow = output_size((h, w), (kh, kw), (sh, sw), (ph, pw))
    image = pad_images(x, (ph, pw))
    y = xp.zeros((n, oh, ow, weight.shape[3]), dtype=x.dtype)
    for u in range(kh):
        for v in range(kw):
            # (N, OH, OW, C) @ (C, F)
            y += image[:, u : u + sh * oh : sh, v : v + sw * ow : sw] @ weight[u, v]

    def backward(g):
        g_image, g_weight = xp.zeros_like(image), xp.empty_like(weight)
        for u in range(kh):
            for v in range(kw):
                pixels = slice(None), slice(u, u + sh * oh, sh), slice(v, v + sw * ow, sw)
                g_weight[u, v] = xp.tensordot(image[pixels], g, ([0, 1, 2], [0, 1, 2]))  # (C, F)
                # Backward convolves with the flipped kernel.
                g_image[pixels] += g @ weight[kh - 1 - u, kw - 1 - v].T
        return g_image[:, ph : ph + h, pw : pw + w], g_weight

    return y, backward
