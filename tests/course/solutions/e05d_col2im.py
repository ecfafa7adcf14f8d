"""Solutions of 05d."""

from minires.backend import xp
from minires.ops.conv import im2col
from minires.ops.windows import output_size, window
from tests.course.kinds import right, wrong

MUTATED = ("minires.ops.windows.overlap_add", "minires.ops.windows.views")


class Laid:
    """The sizes of a col2im, its columns as patches (N, OH, OW, KH, KW, C), and a framed image of zeros."""

    def __init__(self, columns, shape, kernel, stride, padding):
        self.kernel, self.stride, self.padding = window(kernel, stride, padding)
        self.n, self.h, self.w, self.c = self.shape = shape
        self.steps = output_size((self.h, self.w), self.kernel, self.stride, self.padding)
        self.patches = columns.reshape(self.n, *self.steps, *self.kernel, self.c)
        (ph, pw) = self.padding
        self.image = xp.zeros((self.n, self.h + 2 * ph, self.w + 2 * pw, self.c), columns.dtype)

    def places(self, image=None):
        """(what lies under a place, its patches' part) for each place."""
        image = self.image if image is None else image
        (sh, sw), (oh, ow) = self.stride, self.steps
        for u in range(self.kernel[0]):
            for v in range(self.kernel[1]):
                yield (
                    image[:, u : u + sh * oh : sh, v : v + sw * ow : sw],
                    self.patches[:, :, :, u, v],
                )

    def steps_of(self):
        """(image of a step, its patch) for each step."""
        (kh, kw), (sh, sw) = self.kernel, self.stride
        for i in range(self.steps[0]):
            for j in range(self.steps[1]):
                yield (
                    self.image[:, i * sh : i * sh + kh, j * sw : j * sw + kw],
                    self.patches[:, i, j],
                )

    def cropped(self, top=None, left=None):
        top = self.padding[0] if top is None else top
        left = self.padding[1] if left is None else left
        return self.image[:, top : top + self.h, left : left + self.w]

    def back(self):
        options = {"kernel": self.kernel, "stride": self.stride, "padding": self.padding}
        return lambda g: (im2col(g, **options)[0],)


@right
def place_by_place(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    for view, part in laid.places():
        view += part
    return laid.cropped(), laid.back()


@right
def step_by_step(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    for view, patch in laid.steps_of():
        view += patch
    return laid.cropped().copy(), laid.back()


@right
def by_index(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns.astype("float64"), shape, kernel, stride, padding)
    down = (
        laid.stride[0] * xp.arange(laid.steps[0])[:, None, None, None]
        + xp.arange(laid.kernel[0])[:, None]
    )
    across = laid.stride[1] * xp.arange(laid.steps[1])[:, None, None] + xp.arange(laid.kernel[1])
    xp.add.at(laid.image, (slice(None), down, across), laid.patches)
    return laid.cropped().astype(columns.dtype), laid.back()


@wrong("test_overlapping_windows_add_up", mistake="assigns")
def last_place_wins(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    for view, part in laid.places():
        xp.copyto(view, part)
    return laid.cropped(), laid.back()


@wrong("test_overlapping_windows_add_up", mistake="averaged")
def an_inverse(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    counts = xp.zeros_like(laid.image)
    for (view, part), (count, _) in zip(laid.places(), laid.places(counts)):
        view += part
        count += 1
    laid.image = xp.divide(laid.image, counts, out=xp.zeros_like(laid.image), where=counts > 0)
    return laid.cropped(), laid.back()


@wrong("test_what_falls_on_the_padding_is_dropped", mistake="not_cropped")
def with_the_frame(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    for view, patch in laid.steps_of():
        view += patch
    return laid.image, laid.back()


@wrong("test_what_falls_on_the_padding_is_dropped", mistake="wrong_end_cropped")
def cropped_at_the_end(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    for view, patch in laid.steps_of():
        view += patch
    return laid.cropped(0, 0), laid.back()


@wrong("test_a_row_keeps_the_channels_of_a_pixel_together", mistake="channels_first")
def channels_outside(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    n, oh, ow, kh, kw, c = laid.patches.shape
    laid.patches = xp.einsum("nijcuv->nijuvc", columns.reshape(n, oh, ow, c, kh, kw))
    for view, part in laid.places():
        view += part
    return laid.cropped(), laid.back()


@wrong("test_height_and_width_are_told_apart", mistake="flipped")
def backwards(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    laid.patches = laid.patches[:, :, :, ::-1, ::-1]
    for view, patch in laid.steps_of():
        view += patch
    return laid.cropped(), laid.back()


@wrong("test_the_patches_are_as_far_apart_as_the_stride_says", mistake="stride_forgotten")
def side_by_side(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    back = laid.back()
    laid.stride = (1, 1)
    for view, patch in laid.steps_of():
        view += patch
    return laid.cropped(), back


@wrong("test_overlapping_windows_add_up")
def added_at_duplicates_once(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    down = (
        laid.stride[0] * xp.arange(laid.steps[0])[:, None, None, None]
        + xp.arange(laid.kernel[0])[:, None]
    )
    across = laid.stride[1] * xp.arange(laid.steps[1])[:, None, None] + xp.arange(laid.kernel[1])
    laid.image[:, down, across] += laid.patches
    return laid.cropped(), laid.back()


@wrong("test_overlapping_windows_add_up")
def float64_image(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    laid.image = laid.image.astype("float64")
    for view, part in laid.places():
        view += part
    return laid.cropped(), laid.back()


KEPT = {}


@wrong("test_overlapping_windows_add_up")
def buffer_not_emptied(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    laid.image = KEPT.setdefault((shape, kernel, stride, padding, columns.dtype), laid.image)
    for view, part in laid.places():
        view += part
    return laid.cropped().copy(), laid.back()


@wrong("test_height_and_width_are_told_apart")
def steps_turned(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    n, (oh, ow) = laid.n, laid.steps
    laid.patches = columns.reshape(n, ow, oh, *laid.kernel, laid.c).swapaxes(1, 2)
    for view, part in laid.places():
        view += part
    return laid.cropped(), laid.back()


@wrong("test_backward_is_im2col")
def backward_without_padding(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    for view, part in laid.places():
        view += part
    return laid.cropped(), lambda g: (
        xp.resize(im2col(g, kernel=kernel, stride=stride)[0], columns.shape),
    )


@wrong("test_backward_is_im2col")
def backward_gives_the_columns(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    for view, part in laid.places():
        view += part
    return laid.cropped(), lambda g: (columns * g.mean(),)


@wrong("test_what_falls_on_the_padding_is_dropped")
def one_padding_for_both(columns, *, shape, kernel, stride=1, padding=0):
    laid = Laid(columns, shape, kernel, stride, padding)
    for view, part in laid.places():
        view += part
    return laid.cropped(left=laid.padding[0]), laid.back()
