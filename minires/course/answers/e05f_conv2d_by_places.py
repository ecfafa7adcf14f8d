"""Exercise 05f: a convolution as a sum over the kernel positions, with a bug, and what else goes wrong with it."""

from minires.backend import xp
from minires.ops.windows import output_size, pad_images, views, window


def conv2d_by_places(x, weight, *, stride=1, padding=0):
    """A convolution as a sum of KH * KW products: for each kernel position, the pixels under it @ the weights there.

    x  (N, H, W, C)    weight  (KH, KW, C, F)    result  (N, OH, OW, F)

    Saves  x with its padding, and weight.
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
                g_image[pixels] += g @ weight[u, v].T
        return g_image[:, ph : ph + h, pw : pw + w], g_weight

    return y, backward


def hunted(x, weight, *, stride=1, padding=0):
    """weight is flipped in the gradient of x, as in the original, although each g returns by the u and v that it came from"""
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


def _by_places(
    x,
    weight,
    stride,
    padding,
    *,
    forward=lambda w: w,
    back=lambda w: w,
    grown=lambda w: w,
    add=True,
    top=None,
):
    """Return the op with the functions `forward` of weight in forward, `back` of weight in the gradient of x, and `grown` of the
    gradient of weight. top  where the padding is cut."""
    kernel, steps, frame = window(weight.shape[:2], stride, padding)
    (_, h, w, _), output = x.shape, output_size(x.shape[1:3], kernel, steps, frame)
    image, flat = pad_images(x, frame), (-1, *weight.shape[2:])
    y = sum(
        view @ part
        for view, part in zip(views(image, kernel, steps, output), forward(weight).reshape(flat))
    )

    def backward(g):
        g_image = xp.zeros_like(image)
        for view, part in zip(views(g_image, kernel, steps, output), back(weight).reshape(flat)):
            view[...] = (view if add else 0) + g @ part.T
        parts = [
            xp.tensordot(view, g, ([0, 1, 2], [0, 1, 2]))
            for view in views(image, kernel, steps, output)
        ]
        (ph, pw) = frame if top is None else top
        return g_image[:, ph : ph + h, pw : pw + w], grown(xp.stack(parts).reshape(weight.shape))

    return y, backward


def _turned(weight):
    return weight[::-1, ::-1]


def forward_turned(x, weight, *, stride=1, padding=0):
    """the forward pass was flipped to match: the result was right before"""
    return _by_places(x, weight, stride, padding, forward=_turned, back=_turned)


def weight_gradient_turned(x, weight, *, stride=1, padding=0):
    """the gradient of weight is flipped now: it was right before"""
    return _by_places(x, weight, stride, padding, grown=_turned)


def turned_down_only(x, weight, *, stride=1, padding=0):
    """weight is still flipped along one axis"""
    return _by_places(x, weight, stride, padding, back=lambda weight: weight[::-1])


def assigned(x, weight, *, stride=1, padding=0):
    """the contributions to the gradient of x are assigned instead of added: windows overlap"""
    return _by_places(x, weight, stride, padding, add=False)


def not_transposed(x, weight, *, stride=1, padding=0):
    """the weights at a position are reshaped to (F, C): they should be transposed"""

    def reshaped(weight):
        kh, kw, c, f = weight.shape
        return weight.reshape(kh, kw, f, c).swapaxes(2, 3)

    return _by_places(x, weight, stride, padding, back=reshaped)


def wrong_end_cropped(x, weight, *, stride=1, padding=0):
    """the padding is cut off at the bottom and the right only, so that the gradient of x is shifted"""
    return _by_places(x, weight, stride, padding, top=(0, 0))
