"""Exercise 05b: convolution by loops, and what goes wrong with it."""

from minires.backend import xp
from minires.ops.windows import output_size, window


def conv2d_by_loops(x, weight, *, stride=1, padding=0):
    """y[n, i, j, f] = sum over u, v, c of x[n, i * SH + u - PH, j * SW + v - PW, c] * weight[u, v, c, f].

    x  (N, H, W, C)    weight  (KH, KW, C, F)    result  (N, OH, OW, F)
    """
    n, h, w, _ = x.shape
    kh, kw, _, f = weight.shape
    kernel, (sh, sw), (ph, pw) = window((kh, kw), stride, padding)
    oh, ow = output_size((h, w), kernel, (sh, sw), (ph, pw))
    padded = xp.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    y = xp.zeros((n, oh, ow, f), dtype=x.dtype)
    for i in range(oh):
        for j in range(ow):
            for u in range(kh):
                for v in range(kw):
                    # (N, C) @ (C, F)
                    y[:, i, j] += padded[:, i * sh + u, j * sw + v] @ weight[u, v]
    return y


def _convolved(x, weight, stride, padding, *, at=lambda i, step, u, k: i * step + u, cut=None):
    """Return the sum with one part wrong.

    at  which pixel is under kernel position u at step i    cut  (padded, padding) -> what replaces the padded image
    """
    kernel, steps, (ph, pw) = window(weight.shape[:2], stride, padding)
    oh, ow = output_size(x.shape[1:3], kernel, steps, (ph, pw))
    padded = xp.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    padded = cut(padded, (ph, pw)) if cut else padded
    y = xp.zeros((len(x), oh, ow, weight.shape[3]), dtype=x.dtype)
    for i, j in xp.ndindex(oh, ow):
        for u, v in xp.ndindex(*kernel):
            row, column = at(i, steps[0], u, kernel[0]), at(j, steps[1], v, kernel[1])
            y[:, i, j] += padded[:, row, column] @ weight[u, v]
    return y


def flipped(x, weight, *, stride=1, padding=0):
    """the kernel is flipped first: mathematics calls that convolution, but here the kernel is not flipped"""
    return _convolved(x, weight[::-1, ::-1], stride, padding)


def stride_forgotten(x, weight, *, stride=1, padding=0):
    """the stride is left out: window (i, j) starts at pixel (i, j), and not `stride` times as far"""
    return _convolved(x, weight, stride, padding, at=lambda i, step, u, k: i + u)


def dilated(x, weight, *, stride=1, padding=0):
    """the stride spreads the kernel positions instead of the steps: that is dilation"""
    wide = ((0, 0), *((0, s * k) for s, k in zip(window(1, stride, 0)[1], weight.shape)), (0, 0))
    return _convolved(
        x,
        weight,
        stride,
        padding,
        at=lambda i, step, u, k: i + u * step,
        cut=lambda x, _: xp.pad(x, wide),
    )


def one_channel(x, weight, *, stride=1, padding=0):
    """only the first channel is used: the sum should run over all of them"""
    return _convolved(x[..., :1], weight[:, :, :1], stride, padding)


def mean_of_channels(x, weight, *, stride=1, padding=0):
    """the channels are averaged: they should be summed"""
    return _convolved(x, weight, stride, padding) / x.shape[3]


def averaged(x, weight, *, stride=1, padding=0):
    """the sum is divided by the number of its terms"""
    return _convolved(x, weight, stride, padding) / (weight.size // weight.shape[3])


def last_place_only(x, weight, *, stride=1, padding=0):
    """y is assigned in the loop instead of added to: only the last kernel position is left"""
    last = xp.zeros_like(weight)
    last[-1, -1] = weight[-1, -1]
    return _convolved(x, last, stride, padding)


def edge_repeated(x, weight, *, stride=1, padding=0):
    """the padding repeats the pixels at the edge: it should be zeros"""

    def cut(padded, padding):
        return xp.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)), mode="edge")

    return _convolved(x, weight, stride, padding, cut=cut)


def padded_at_the_end(x, weight, *, stride=1, padding=0):
    """all of the padding is at the bottom and the right, so that the image is shifted"""

    def cut(padded, padding):
        return xp.pad(x, ((0, 0), (0, 2 * padding[0]), (0, 2 * padding[1]), (0, 0)))

    return _convolved(x, weight, stride, padding, cut=cut)
