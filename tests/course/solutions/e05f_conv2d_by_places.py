"""Solutions of 05f: mended ones, and ones that were mended in the wrong place."""

from minires.backend import xp
from minires.ops.conv import col2im, im2col
from minires.ops.windows import output_size, pad_images, views, window
from tests.course.kinds import right, wrong

RESULT = "test_the_result_is_the_convolution"
PIXEL = "test_a_1x1_kernel"
ONE = "test_one_channel_and_one_filter"
BOTH, MOVED = "test_both_gradients_are_right", "test_with_stride_and_padding_too"


def op(x, weight, stride, padding, g_x=None, g_weight=None, y=None):
    """A right one on columns, of which some parts are others: functions of g, and of what is right."""
    kernel, steps, frame = window(weight.shape[:2], stride, padding)
    options, f = {"kernel": kernel, "stride": steps, "padding": frame}, weight.shape[3]
    columns, _ = im2col(x, **options)
    result = (columns @ weight.reshape(-1, f)).reshape(
        len(x), *output_size(x.shape[1:3], kernel, steps, frame), f
    )

    def backward(g):
        rows = g.reshape(-1, f)
        mine = (
            col2im(rows @ weight.reshape(-1, f).T, shape=x.shape, **options)[0],
            (columns.T @ rows).reshape(weight.shape),
        )
        return g_x(g, mine[0]) if g_x else mine[0], g_weight(g, mine[1]) if g_weight else mine[1]

    return y(result) if y else result, backward


def sent(x, weight, stride, padding, lay):
    """(g, right g_x) -> the gradient of x, where lay(view, part, place) lays a place's part into the framed image."""
    kernel, steps, frame = window(weight.shape[:2], stride, padding)
    output = output_size(x.shape[1:3], kernel, steps, frame)

    def g_x(g, _):
        image = xp.zeros_like(pad_images(x, frame))
        for place, view in zip(xp.ndindex(*kernel), views(image, kernel, steps, output)):
            lay(view, g, place)
        return image[:, frame[0] : frame[0] + x.shape[1], frame[1] : frame[1] + x.shape[2]]

    return g_x


@right
def mended(x, weight, *, stride=1, padding=0):
    def lay(view, g, place):
        view += g @ weight[place].T

    return op(x, weight, stride, padding, g_x=sent(x, weight, stride, padding, lay))


@right
def on_columns(x, weight, *, stride=1, padding=0):
    return op(x, weight, stride, padding)


@right
def gathered_with_the_turned_weight(x, weight, *, stride=1, padding=0):
    """The belief where it holds: g, spread out by the stride in a wide frame, under the turned weight."""
    (kh, kw), (sh, sw), (ph, pw) = window(weight.shape[:2], stride, padding)
    n, h, w, c = x.shape

    def g_x(g, _):
        oh, ow = g.shape[1:3]
        wide = xp.zeros((n, h + 2 * ph + kh - 1, w + 2 * pw + kw - 1, weight.shape[3]), g.dtype)
        wide[:, kh - 1 : kh - 1 + sh * oh : sh, kw - 1 : kw - 1 + sw * ow : sw] = g
        columns, _ = im2col(wide, kernel=(kh, kw))
        turned = weight[::-1, ::-1].transpose(0, 1, 3, 2).reshape(-1, c)
        return (columns @ turned).reshape(n, h + 2 * ph, w + 2 * pw, c)[:, ph : ph + h, pw : pw + w]

    return op(x, weight, stride, padding, g_x=g_x)


@wrong(ONE)
def as_found(x, weight, *, stride=1, padding=0):
    turned = weight[::-1, ::-1]

    def lay(view, g, place):
        view += g @ turned[place].T

    return op(x, weight, stride, padding, g_x=sent(x, weight, stride, padding, lay))


@wrong(RESULT, mistake="forward_turned")
def all_on_the_turned_weight(x, weight, *, stride=1, padding=0):
    return op(x, xp.flip(weight, (0, 1)), stride, padding)


@wrong(BOTH, mistake="weight_gradient_turned")
def the_other_line_turned(x, weight, *, stride=1, padding=0):
    return op(x, weight, stride, padding, g_weight=lambda g, mine: xp.rot90(mine, 2).copy())


@wrong(ONE)
def both_turned(x, weight, *, stride=1, padding=0):
    turned = xp.rot90(weight, 2)

    def lay(view, g, place):
        view += xp.einsum("nijf,cf->nijc", g, turned[place])

    g_x = sent(x, weight, stride, padding, lay)
    return op(x, weight, stride, padding, g_x=g_x, g_weight=lambda g, mine: mine[::-1, ::-1])


@wrong(ONE, mistake="turned_down_only")
def one_index_mended(x, weight, *, stride=1, padding=0):
    def lay(view, g, place):
        view += g @ weight[len(weight) - 1 - place[0], place[1]].T

    return op(x, weight, stride, padding, g_x=sent(x, weight, stride, padding, lay))


@wrong(BOTH, mistake="assigned")
def last_place_wins(x, weight, *, stride=1, padding=0):
    def lay(view, g, place):
        xp.copyto(view, g @ weight[place].T)

    return op(x, weight, stride, padding, g_x=sent(x, weight, stride, padding, lay))


@wrong(PIXEL, mistake="not_transposed")
def reshaped(x, weight, *, stride=1, padding=0):
    def lay(view, g, place):
        view += g @ weight[place].reshape(weight.shape[3], weight.shape[2])

    return op(x, weight, stride, padding, g_x=sent(x, weight, stride, padding, lay))


@wrong(MOVED, mistake="wrong_end_cropped")
def shifted(x, weight, *, stride=1, padding=0):
    (ph, pw), (_, h, w, _) = window(1, 1, padding)[2], x.shape

    def lay(view, g, place):
        view += g @ weight[place].T

    def g_x(g, _):
        wide = xp.pad(x, ((0, 0), (0, 2 * ph), (0, 2 * pw), (0, 0)))  # all of the frame at the end
        return sent(wide, weight, stride, 0, lay)(g, None)[:, :h, :w]

    return op(x, weight, stride, padding, g_x=g_x)


@wrong(ONE)
def turned_across_only(x, weight, *, stride=1, padding=0):
    def lay(view, g, place):
        view += g @ weight[place[0], weight.shape[1] - 1 - place[1]].T

    return op(x, weight, stride, padding, g_x=sent(x, weight, stride, padding, lay))


@wrong(MOVED)
def stride_lost_on_the_way(x, weight, *, stride=1, padding=0):
    (kh, kw), _, (ph, pw) = window(weight.shape[:2], stride, padding)

    def g_x(g, mine):
        image = xp.zeros_like(pad_images(x, (ph, pw)))
        for u, v in xp.ndindex(kh, kw):
            image[:, u : u + g.shape[1], v : v + g.shape[2]] += g @ weight[u, v].T
        return image[:, ph : ph + x.shape[1], pw : pw + x.shape[2]]

    return op(x, weight, stride, padding, g_x=g_x)


@wrong(BOTH)
def the_other_gradient_mended(x, weight, *, stride=1, padding=0):
    turned = weight[::-1, ::-1]

    def lay(view, g, place):
        view += g @ turned[place].T

    g_x = sent(x, weight, stride, padding, lay)
    return op(
        x,
        weight,
        stride,
        padding,
        g_x=g_x,
        g_weight=lambda g, mine: mine.swapaxes(0, 1).reshape(mine.shape),
    )


@wrong(BOTH)
def places_turned_over_the_diagonal(x, weight, *, stride=1, padding=0):
    turned = weight.swapaxes(0, 1).reshape(weight.shape)

    def lay(view, g, place):
        view += g @ turned[place].T

    return op(x, weight, stride, padding, g_x=sent(x, weight, stride, padding, lay))


@wrong(BOTH)
def made_symmetric(x, weight, *, stride=1, padding=0):
    half = (weight + weight[::-1, ::-1]) / 2

    def lay(view, g, place):
        view += g @ half[place].T

    return op(x, weight, stride, padding, g_x=sent(x, weight, stride, padding, lay))


@wrong(PIXEL)
def weight_gradient_averaged(x, weight, *, stride=1, padding=0):
    return op(x, weight, stride, padding, g_weight=lambda g, mine: mine / g[..., 0].size)


@wrong(RESULT)
def the_result_mended(x, weight, *, stride=1, padding=0):
    return op(x, weight, stride, padding, y=lambda y: y[:, ::-1, ::-1].copy())
