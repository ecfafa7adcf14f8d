"""Solutions of 05b."""

import itertools

from minires.backend import xp
from minires.ops.windows import output_size, window
from tests.course.kinds import right, wrong

PIXEL, AS_IT_IS, CHANNELS = ("test_a_1x1_kernel_mixes_the_channels", "test_the_kernel_is_not_flipped",
                             "test_the_sum_runs_over_all_channels")  # fmt: skip
FILTER = "test_each_filter_makes_its_own_feature_map"
APART = "test_height_and_width_are_told_apart"
STRIDE, PADDING = "test_the_window_moves_by_the_stride", "test_the_padding_is_zeros_on_all_sides"


class Sizes:
    """The sizes of a convolution, and its image in a frame of zeros."""

    def __init__(self, x, weight, stride, padding, **frame):
        (self.n, self.h, self.w, self.c), (self.kh, self.kw, _, self.f) = x.shape, weight.shape
        _, (self.sh, self.sw), (self.ph, self.pw) = window((self.kh, self.kw), stride, padding)
        self.oh, self.ow = output_size(
            (self.h, self.w), (self.kh, self.kw), (self.sh, self.sw), (self.ph, self.pw)
        )
        self.image = xp.pad(x, ((0, 0), (self.ph,) * 2, (self.pw,) * 2, (0, 0)), **frame)

    def patch(self, i, j):
        """(N, KH, KW, C)."""
        return self.image[
            :, i * self.sh : i * self.sh + self.kh, j * self.sw : j * self.sw + self.kw
        ]

    def patches(self):
        """(N, OH, OW, KH, KW, C)."""
        rows = [
            xp.stack([self.patch(i, j) for j in range(self.ow)], axis=1) for i in range(self.oh)
        ]
        return xp.stack(rows, axis=1)


@right
def seven_loops(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.empty((s.n, s.oh, s.ow, s.f), x.dtype)
    for n, i, j, f in xp.ndindex(y.shape):
        total = 0.0
        for u, v, c in xp.ndindex(s.kh, s.kw, s.c):
            row, column = i * s.sh + u - s.ph, j * s.sw + v - s.pw
            if 0 <= row < s.h and 0 <= column < s.w:
                total += float(x[n, row, column, c]) * float(weight[u, v, c, f])
        y[n, i, j, f] = total
    return y


@right
def by_patches(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.zeros((s.n, s.oh, s.ow, s.f), x.dtype)
    for i, j in itertools.product(range(s.oh), range(s.ow)):
        y[:, i, j] = xp.tensordot(s.patch(i, j), weight, 3)
    return y


@right
def by_places(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = 0
    for v in reversed(range(s.kw)):
        for u in range(s.kh):
            y = (
                y
                + s.image[:, u : u + s.sh * s.oh : s.sh, v : v + s.sw * s.ow : s.sw] @ weight[u, v]
            )
    return y


@right
def by_einsum_in_float64(x, weight, *, stride=1, padding=0):
    s = Sizes(x.astype("float64"), weight, stride, padding)
    return xp.einsum("nijuvc,uvcf->nijf", s.patches(), weight.astype("float64")).astype(x.dtype)


@wrong(AS_IT_IS, mistake="flipped")
def turned(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    return xp.einsum("nijuvc,uvcf->nijf", s.patches()[:, :, :, ::-1, ::-1], weight)


@wrong(STRIDE, mistake="stride_forgotten")
def steps_of_one(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.zeros((s.n, s.oh, s.ow, s.f), x.dtype)
    for u, v in xp.ndindex(s.kh, s.kw):
        y += s.image[:, u : u + s.oh, v : v + s.ow] @ weight[u, v]
    return y


@wrong(STRIDE, mistake="dilated")
def holes(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.zeros((s.n, s.oh, s.ow, s.f), x.dtype)
    for i, j, u, v in xp.ndindex(s.oh, s.ow, s.kh, s.kw):
        row, column = i + s.sh * u, j + s.sw * v
        if row < s.image.shape[1] and column < s.image.shape[2]:
            y[:, i, j] += s.image[:, row, column] @ weight[u, v]
    return y


@wrong(CHANNELS, mistake="one_channel")
def channel_0(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    return xp.einsum("nijuv,uvf->nijf", s.patches()[..., 0], weight[:, :, 0])


@wrong(CHANNELS, mistake="mean_of_channels")
def mean_over_c(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    return (s.patches()[..., None] * weight).mean(axis=5).sum(axis=(3, 4))


@wrong(AS_IT_IS, mistake="averaged")
def mean_over_all(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    return (s.patches()[..., None] * weight).mean(axis=(3, 4, 5))


@wrong(AS_IT_IS, mistake="last_place_only")
def assigned(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.zeros((s.n, s.oh, s.ow, s.f), x.dtype)
    for i, j, u, v in xp.ndindex(s.oh, s.ow, s.kh, s.kw):
        y[:, i, j] = s.patch(i, j)[:, u, v] @ weight[u, v]
    return y


@wrong(PADDING, mistake="edge_repeated")
def clipped_to_the_edge(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.zeros((s.n, s.oh, s.ow, s.f), x.dtype)
    for i, j, u, v in xp.ndindex(s.oh, s.ow, s.kh, s.kw):
        row = min(max(i * s.sh + u - s.ph, 0), s.h - 1)
        y[:, i, j] += x[:, row, min(max(j * s.sw + v - s.pw, 0), s.w - 1)] @ weight[u, v]
    return y


@wrong(PADDING, mistake="padded_at_the_end")
def only_the_upper_edge_is_watched(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.zeros((s.n, s.oh, s.ow, s.f), x.dtype)
    for i, j, u, v in xp.ndindex(s.oh, s.ow, s.kh, s.kw):
        if i * s.sh + u < s.h and j * s.sw + v < s.w:
            y[:, i, j] += x[:, i * s.sh + u, j * s.sw + v] @ weight[u, v]
    return y


@wrong(PADDING)
def ones_around(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding, constant_values=1)
    return xp.einsum("nijuvc,uvcf->nijf", s.patches(), weight)


@wrong(PADDING)
def negative_indices_wrap(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.zeros((s.n, s.oh, s.ow, s.f), x.dtype)
    for i, j, u, v in xp.ndindex(s.oh, s.ow, s.kh, s.kw):
        row, column = i * s.sh + u - s.ph, j * s.sw + v - s.pw
        if row < s.h and column < s.w:
            y[:, i, j] += x[:, row, column] @ weight[u, v]
    return y


@wrong(APART)
def weights_read_across_first(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    turned = weight.transpose(1, 0, 2, 3).reshape(weight.shape)
    return xp.einsum("nijuvc,uvcf->nijf", s.patches(), turned)


@wrong(CHANNELS)
def channels_first(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    rows = s.patches().transpose(0, 1, 2, 5, 3, 4).reshape(s.n, s.oh, s.ow, -1)
    return rows @ weight.reshape(-1, s.f)


@wrong(FILTER)
def one_filter_for_all(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    return xp.repeat(
        xp.einsum("nijuvc,uvc->nij", s.patches(), weight[..., 0])[..., None], s.f, axis=3
    )


@wrong(FILTER)
def filters_summed(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    return xp.einsum("nijuvc,uvcf->nij", s.patches(), weight)


@wrong(FILTER)
def first_image_for_all(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    return xp.einsum(
        "nijuvc,uvcf->nijf",
        xp.broadcast_to(s.patches()[:1], (s.n, s.oh, s.ow, s.kh, s.kw, s.c)),
        weight,
    )


@wrong(PIXEL)
def float64_result(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    y = xp.zeros((s.n, s.oh, s.ow, s.f))
    for i, j in xp.ndindex(s.oh, s.ow):
        y[:, i, j] = xp.tensordot(s.patch(i, j), weight, 3)
    return y


@wrong(STRIDE)
def first_stride_for_both(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    s.sw, s.image = s.sh, xp.pad(s.image, ((0, 0), (0, 0), (0, 40), (0, 0)))
    return xp.einsum("nijuvc,uvcf->nijf", s.patches(), weight)


@wrong(PIXEL)
def weights_of_the_window_shared_by_all_channels(x, weight, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    return xp.einsum("nijuvc,uvf->nijf", s.patches(), weight[:, :, 0])
