"""Solutions of 06b."""

from minires.backend import xp
from minires.ops.windows import output_size, window
from tests.course.kinds import right, wrong


class Pool:
    """The patches (N, OH, OW, K, C) of a pooling, their maxima, and where these lie."""

    def __init__(self, x, kernel, stride, padding, fill=-xp.inf):
        self.x = x
        self.kernel, self.stride, self.padding = window(kernel, stride or kernel, padding)
        (self.kh, self.kw) = self.kernel
        (self.sh, self.sw) = self.stride
        (self.ph, self.pw) = self.padding
        self.n, self.h, self.w, self.c = x.shape
        self.oh, self.ow = output_size((self.h, self.w), self.kernel, self.stride, self.padding)
        frame = ((0, 0), (self.ph, self.ph), (self.pw, self.pw), (0, 0))
        self.image = xp.pad(x, frame, constant_values=fill)
        self.patches = xp.stack([self.image[:, i * self.sh : i * self.sh + self.kh, j * self.sw : j * self.sw + self.kw]
                                 for i in range(self.oh) for j in range(self.ow)], axis=1)  # fmt: skip
        self.patches = self.patches.reshape(self.n, self.oh, self.ow, self.kh * self.kw, self.c)
        self.y = self.patches.max(axis=3)
        self.ties = self.patches == self.y[:, :, :, None]

    def first(self):
        return xp.arange(self.kh * self.kw)[:, None] == self.patches.argmax(axis=3)[:, :, :, None]

    def to_image(self, parts, add=True):
        """The parts (N, OH, OW, K, C), laid back."""
        image = xp.zeros(self.image.shape, parts.dtype)
        parts = parts.reshape(self.n, self.oh, self.ow, self.kh, self.kw, self.c)
        for i in range(self.oh):
            for j in range(self.ow):
                place = (
                    slice(None),
                    slice(i * self.sh, i * self.sh + self.kh),
                    slice(j * self.sw, j * self.sw + self.kw),
                )
                image[place] = (
                    image[place] + parts[:, i, j]
                    if add
                    else xp.where(parts[:, i, j] != 0, parts[:, i, j], image[place])
                )
        return image[:, self.ph : self.ph + self.h, self.pw : self.pw + self.w]

    def back(self, share, **how):
        return lambda g: (self.to_image((share * g[:, :, :, None]).astype(g.dtype), **how),)


@right
def patches(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(pool.first())


@right
def loops(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    y, places = xp.empty_like(pool.y), {}
    for n, i, j, c in xp.ndindex(y.shape):
        best = None
        for u in range(pool.kh):
            for v in range(pool.kw):
                number = pool.image[n, i * pool.sh + u, j * pool.sw + v, c]
                if best is None or number > best:
                    best, places[n, i, j, c] = number, (n, i * pool.sh + u, j * pool.sw + v, c)
        y[n, i, j, c] = best

    def backward(g):
        image = xp.zeros(pool.image.shape, g.dtype)
        for index, place in places.items():
            image[place] += g[index]
        return (image[:, pool.ph : pool.ph + pool.h, pool.pw : pool.pw + pool.w],)

    return y, backward


@right
def in_float64(x, *, kernel, stride=None, padding=0):
    pool = Pool(x.astype("float64"), kernel, stride, padding)
    wide = pool.back(pool.first())
    return pool.y.astype(x.dtype), lambda g: (wide(g.astype("float64"))[0].astype(g.dtype),)


@right
def running_maximum(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    y, place = pool.patches[:, :, :, 0].copy(), xp.zeros(pool.y.shape, int)
    for k in range(1, pool.kh * pool.kw):
        larger = pool.patches[:, :, :, k] > y
        y[larger], place[larger] = pool.patches[:, :, :, k][larger], k
    return y, pool.back(xp.eye(pool.kh * pool.kw)[place].swapaxes(3, 4))


TIE, TWICE = "test_on_a_tie_the_first_gets_all", "test_a_maximum_of_two_windows_gets_both_gradients"


@wrong(TIE, mistake="all_ties")
def equal_to_the_maximum(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(xp.where(pool.ties, 1, 0))


@wrong(TIE, mistake="ties_share")
def divided(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(pool.ties / pool.ties.sum(axis=3, keepdims=True))


@wrong(TIE, mistake="last_of_ties")
def not_smaller(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    y, place = pool.patches[:, :, :, 0], xp.zeros(pool.y.shape, int)
    for k in range(1, pool.kh * pool.kw):
        place = xp.where(pool.patches[:, :, :, k] >= y, k, place)
        y = xp.maximum(y, pool.patches[:, :, :, k])
    return y, pool.back(xp.eye(pool.kh * pool.kw)[place].swapaxes(3, 4))


@wrong("test_the_padding_never_wins", mistake="zeros_around")
def plain_pad(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding, fill=0)
    return pool.y, pool.back(pool.first())


@wrong(TWICE, mistake="last_window_wins")
def only_the_last_window(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(pool.first(), add=False)


@wrong(TWICE, mistake="overlaps_assigned")
def one_position_after_the_other(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    first = xp.moveaxis(pool.first(), 3, 0)

    def backward(g):
        image = xp.zeros(pool.image.shape, g.dtype)
        for k, won in enumerate(first):
            u, v = divmod(k, pool.kw)
            for n, i, j, c in xp.argwhere(won):
                image[n, i * pool.sh + u, j * pool.sw + v, c] = g[n, i, j, c]
        return (image[:, pool.ph : pool.ph + pool.h, pool.pw : pool.pw + pool.w],)

    return pool.y, backward


@wrong("test_without_a_stride_windows_are_next_to_each_other", mistake="stride_of_one")
def one_step(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride or (1, 1), padding)
    return pool.y, pool.back(pool.first())


@wrong("test_the_gradient_goes_to_the_maximum", mistake="upstream_ignored")
def the_mask(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, lambda g: (pool.to_image(pool.first().astype(g.dtype)),)


@wrong("test_the_gradient_goes_to_the_maximum", mistake="averaged")
def spread(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(xp.ones(pool.patches.shape) / (pool.kh * pool.kw))


@wrong("test_the_result_is_the_maximum_of_each_window")
def mean(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.patches.mean(axis=3), pool.back(xp.ones(pool.patches.shape) / (pool.kh * pool.kw))


@wrong("test_the_result_is_the_maximum_of_each_window")
def over_channels_too(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.patches.max(axis=(3, 4)), pool.back(pool.first())


@wrong("test_the_padding_never_wins")
def minus_one_around(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding, fill=-1)
    return pool.y, pool.back(pool.first())


@wrong("test_height_and_width_are_told_apart")
def kernel_turned(x, *, kernel, stride=None, padding=0):
    kernel, stride, padding = window(kernel, stride or kernel, padding)
    pool = Pool(x, kernel[::-1], stride, padding)
    return pool.y, pool.back(pool.first())


@wrong("test_the_result_is_the_maximum_of_each_window")
def float64_result(x, *, kernel, stride=None, padding=0):
    pool = Pool(x.astype("float64"), kernel, stride, padding)
    return pool.y, pool.back(pool.first())


@wrong("test_the_gradient_goes_to_the_maximum")
def gradient_to_the_first_pixel(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(xp.arange(pool.kh * pool.kw)[:, None] == 0)


@wrong("test_a_maximum_of_two_windows_gets_both_gradients")
def frame_left_on(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    back = pool.back(pool.first())

    def backward(g):
        (g_x,) = back(g)
        return (xp.pad(g_x, ((0, 0), (pool.ph,) * 2, (pool.pw,) * 2, (0, 0))),)

    return pool.y, backward


@wrong("test_the_result_is_the_maximum_of_each_window")
def no_tuple(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    back = pool.back(pool.first())
    return pool.y * 1.001, lambda g: back(g)[0]
