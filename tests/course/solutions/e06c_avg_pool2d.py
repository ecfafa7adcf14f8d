"""Solutions of 06c."""

from minires.backend import xp
from minires.ops.conv import col2im, im2col
from minires.ops.windows import output_size, window
from tests.course.kinds import right, wrong

MEAN, SIDE, APART = ("test_the_result_is_the_mean_of_each_window", "test_without_a_stride_windows_are_next_to_each_other",
                     "test_height_and_width_are_told_apart")  # fmt: skip
PADDING, SHARE, SEVERAL = ("test_the_padding_counts_as_zeros", "test_each_pixel_gets_its_share",
                           "test_a_pixel_of_several_windows_gets_a_share_of_each")  # fmt: skip
DROPPED, KEPT = "test_what_falls_on_the_padding_is_dropped", "test_only_a_shape_is_saved"


class Steps:
    """The steps of a pooling window, and what lies under each."""

    def __init__(self, x, kernel, stride, padding):
        self.shape, self.dtype = x.shape, x.dtype
        (self.kh, self.kw), (self.sh, self.sw), (self.ph, self.pw) = window(
            kernel, stride or kernel, padding
        )
        n, h, w, c = x.shape
        self.oh, self.ow = output_size(
            (h, w), (self.kh, self.kw), (self.sh, self.sw), (self.ph, self.pw)
        )
        self.size = self.kh * self.kw
        self.whole = n, h + 2 * self.ph, w + 2 * self.pw, c

    def under(self, image, i, j):
        return image[:, i * self.sh : i * self.sh + self.kh, j * self.sw : j * self.sw + self.kw]

    def frame(self, x, **how):
        return xp.pad(x, ((0, 0), (self.ph,) * 2, (self.pw,) * 2, (0, 0)), **how)

    def pooled(self, x, pool=lambda patch: patch.mean(axis=(1, 2)), **how):
        image = self.frame(x, **how)
        y = xp.empty((self.shape[0], self.oh, self.ow, self.shape[3]), self.dtype)
        for i, j in xp.ndindex(self.oh, self.ow):
            y[:, i, j] = pool(self.under(image, i, j))
        return y

    def spread(self, g, divisor=None, lay=lambda patch, part: patch + part, top=None, left=None):
        """g / divisor, laid under each step."""
        image, parts = xp.zeros(self.whole, g.dtype), g / (divisor or self.size)
        for i, j in xp.ndindex(self.oh, self.ow):
            patch = self.under(image, i, j)
            patch[...] = lay(patch, parts[:, i, j][:, None, None])
        top, left = self.ph if top is None else top, self.pw if left is None else left
        return image[:, top : top + self.shape[1], left : left + self.shape[2]]


@right
def step_by_step(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(g),)


@right
def by_columns(x, *, kernel, stride=None, padding=0):
    options = {"kernel": kernel, "stride": kernel if stride is None else stride, "padding": padding}
    steps, shape = Steps(x, kernel, stride, padding), x.shape
    patches = im2col(x, **options)[0].reshape(len(x), steps.oh, steps.ow, steps.size, shape[3])

    def backward(g):
        share = xp.repeat(g[:, :, :, None] / steps.size, steps.size, axis=3)
        return (col2im(share.reshape(-1, steps.size * shape[3]), shape=shape, **options)[0],)

    return patches.mean(axis=3), backward


@right
def as_a_product_of_two_matrices(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)

    def means(size, count, k, s, p):
        rows = xp.zeros((count, size + 2 * p))
        for i in range(count):
            rows[i, i * s : i * s + k] = 1 / k
        return rows[:, p : p + size]

    down = means(x.shape[1], steps.oh, steps.kh, steps.sh, steps.ph)
    across = means(x.shape[2], steps.ow, steps.kw, steps.sw, steps.pw)

    def backward(g):
        return (xp.einsum("ih,nijc,jw->nhwc", down, g, across).astype(g.dtype),)

    return xp.einsum("ih,nhwc,jw->nijc", down, x, across).astype(x.dtype), backward


@right
def in_float64(x, *, kernel, stride=None, padding=0):
    wide = x.astype("float64")
    steps = Steps(wide, kernel, stride, padding)
    return steps.pooled(wide).astype(x.dtype), lambda g: (
        steps.spread(g.astype("float64")).astype(g.dtype),
    )


@wrong(MEAN, mistake="summed")
def sums(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x, lambda patch: patch.sum(axis=(1, 2))), lambda g: (steps.spread(g, 1),)


@wrong(SHARE, mistake="gradient_not_divided")
def whole_gradient(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(g, 1),)


@wrong(MEAN, mistake="divided_by_one_side")
def mean_down_sum_across(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x, lambda patch: patch.mean(axis=1).sum(axis=1)), lambda g: (
        steps.spread(g, steps.kh),
    )


@wrong(PADDING, mistake="padding_not_counted")
def mean_of_real_pixels(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    y = steps.pooled(x, lambda patch: xp.nanmean(patch, axis=(1, 2)), constant_values=xp.nan)
    counts = steps.pooled(xp.ones_like(x), lambda patch: patch.sum(axis=(1, 2)))
    return y, lambda g: (steps.spread(g / counts, 1),)


@wrong(SEVERAL, mistake="overlaps_assigned")
def one_share_is_left(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)

    def backward(g):
        image, share = xp.zeros(steps.whole, g.dtype), g / steps.size
        for u, v in xp.ndindex(steps.kh, steps.kw):
            xp.copyto(
                image[
                    :,
                    u : u + steps.sh * steps.oh : steps.sh,
                    v : v + steps.sw * steps.ow : steps.sw,
                ],
                share,
            )
        return (
            image[:, steps.ph : steps.ph + steps.shape[1], steps.pw : steps.pw + steps.shape[2]],
        )

    return steps.pooled(x), backward


@wrong(SEVERAL, mistake="last_window_wins")
def last_step_wins(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(g, lay=lambda patch, part: part),)


@wrong(SEVERAL, mistake="averaged_back")
def divided_by_the_visits(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)

    def backward(g):
        visits = steps.spread(xp.ones_like(g), 1)
        return (steps.spread(g) / xp.where(visits == 0, 1, visits),)

    return steps.pooled(x), backward


@wrong(SIDE, mistake="stride_of_one")
def one_step(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride or (1, 1), padding)
    return steps.pooled(x), lambda g: (steps.spread(g),)


@wrong(SHARE, mistake="upstream_ignored")
def counts_of_visits(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(0 * g + 1),)


@wrong(SHARE, mistake="to_the_largest")
def as_max_pooling(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    framed, (_, h, w, _) = steps.frame(x, constant_values=-xp.inf), x.shape
    first = xp.stack(
        [
            steps.under(framed, i, j).reshape(len(x), -1, x.shape[3]).argmax(axis=1).astype("int8")
            for i, j in xp.ndindex(steps.oh, steps.ow)
        ]
    )

    def backward(g):
        image = xp.zeros(steps.whole, g.dtype)
        for (i, j), where in zip(xp.ndindex(steps.oh, steps.ow), first):
            for n, c in xp.ndindex(where.shape):
                u, v = divmod(int(where[n, c]), steps.kw)
                image[n, i * steps.sh + u, j * steps.sw + v, c] += g[n, i, j, c]
        return (image[:, steps.ph : steps.ph + h, steps.pw : steps.pw + w],)

    return steps.pooled(x), backward


@wrong(KEPT, mistake="x_kept")
def zeros_like_x(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x), lambda g: (xp.zeros_like(x) + steps.spread(g),)


@wrong(KEPT)
def result_kept(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    y = steps.pooled(x)
    return y, lambda g: (steps.spread(g.reshape(y.shape)),)


@wrong(PADDING)
def edge_repeated(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x, mode="edge"), lambda g: (steps.spread(g),)


@wrong(DROPPED)
def wrong_end_cropped(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(g, top=0, left=0),)


@wrong(DROPPED)
def one_padding_for_both(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(g, left=steps.ph),)


@wrong(DROPPED)
def gradient_divided_by_real_pixels(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    counts = steps.pooled(xp.ones_like(x), lambda patch: patch.sum(axis=(1, 2)))
    return steps.pooled(x), lambda g: (steps.spread(g / counts, 1),)


@wrong(APART)
def kernel_turned(x, *, kernel, stride=None, padding=0):
    kernel, stride, padding = window(kernel, stride or kernel, padding)
    steps = Steps(x, kernel[::-1], stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(g),)


@wrong(MEAN)
def over_channels_too(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x, lambda patch: patch.mean(axis=(1, 2, 3))[:, None]), lambda g: (
        steps.spread(g),
    )


@wrong(MEAN)
def float64_result(x, *, kernel, stride=None, padding=0):
    steps = Steps(x.astype("float64"), kernel, stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(g),)


@wrong(SHARE)
def divided_twice(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x), lambda g: (steps.spread(g, steps.size**2),)


@wrong(SHARE)
def first_pixel_gets_all(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    first = (xp.arange(steps.size) == 0).reshape(1, steps.kh, steps.kw, 1)
    return steps.pooled(x), lambda g: (
        steps.spread(g, 1, lay=lambda patch, part: patch + part * first),
    )


@wrong(MEAN)
def median(x, *, kernel, stride=None, padding=0):
    steps = Steps(x, kernel, stride, padding)
    return steps.pooled(x, lambda patch: xp.median(patch, axis=(1, 2))), lambda g: (
        steps.spread(g),
    )
