"""Solutions of 06e: mended ones, and ones that were mended in the wrong way."""

from minires.backend import xp
from minires.ops.windows import output_size, overlap_add, pad_images, views, window
from tests.course.kinds import right, wrong

LARGEST, FRAME, SIDE = ("test_the_result_is_the_maximum_of_each_window", "test_the_padding_never_wins",
                        "test_without_overlaps_each_gradient_goes_to_its_own_pixel")  # fmt: skip
TIE, TWICE, OVERLAPS = ("test_on_a_tie_the_first_gets_all", "test_a_maximum_of_two_windows_gets_both_gradients",
                        "test_overlaps_with_padding_and_ties")  # fmt: skip


class Pool:
    """A max pooling by loops over its steps: the result, and the index of each winner in the framed image."""

    def __init__(self, x, kernel, stride, padding, fill=-float("inf"), last=False):
        self.shape, self.dtype = x.shape, x.dtype
        self.kernel, self.stride, self.padding = window(kernel, stride or kernel, padding)
        self.steps = output_size(x.shape[1:3], self.kernel, self.stride, self.padding)
        self.image = pad_images(x, self.padding, fill)
        self.y, self.winners = xp.empty((len(x), *self.steps, x.shape[3]), x.dtype), {}
        for n, i, j, c in xp.ndindex(self.y.shape):
            best = None
            for row, column in self.under(i, j):
                number = self.image[n, row, column, c]
                if best is None or number > best or (last and number == best):
                    best, self.winners[n, i, j, c] = number, (n, row, column, c)
            self.y[n, i, j, c] = best

    def under(self, i, j):
        """(row, column) of each pixel under a step."""
        for u, v in xp.ndindex(*self.kernel):
            yield i * self.stride[0] + u, j * self.stride[1] + v

    def cut(self, image):
        (ph, pw), (_, h, w, _) = self.padding, self.shape
        return image[:, ph : ph + h, pw : pw + w]

    def back(self, lay):
        """backward; lay(image, place, g of a window) lays it in."""

        def backward(g):
            image = xp.zeros(self.image.shape, g.dtype)
            for index, place in self.winners.items():
                lay(image, place, g[index])
            return (self.cut(image),)

        return backward


def add(image, place, g):
    image[place] += g


@right
def one_after_the_other(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(add)


@right
def counted_up(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    flat = xp.array(
        [xp.ravel_multi_index(place, pool.image.shape) for place in pool.winners.values()]
    )

    def backward(g):
        sums = xp.bincount(flat, weights=g.reshape(-1), minlength=pool.image.size)
        return (pool.cut(sums.reshape(pool.image.shape)).astype(g.dtype),)

    return pool.y, backward


@right
def place_by_place(x, *, kernel, stride=None, padding=0):
    kernel, stride, padding = window(kernel, stride or kernel, padding)
    steps, shape = output_size(x.shape[1:3], kernel, stride, padding), x.shape
    seen = xp.stack(list(views(pad_images(x, padding, -xp.inf), kernel, stride, steps)))
    first = seen.argmax(axis=0)

    def backward(g):
        parts = (xp.where(first == k, g, 0) for k in range(kernel[0] * kernel[1]))
        return (overlap_add(parts, shape, kernel, stride, padding, g.dtype),)

    return seen.max(axis=0), backward


@wrong(TIE, mistake="all_ties")
def whoever_equals_the_largest(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)

    def backward(g):
        image = xp.zeros(pool.image.shape, g.dtype)
        for n, i, j, c in xp.ndindex(g.shape):
            for row, column in pool.under(i, j):
                image[n, row, column, c] += g[n, i, j, c] * (
                    pool.image[n, row, column, c] == pool.y[n, i, j, c]
                )
        return (pool.cut(image),)

    return pool.y, backward


@wrong(TIE, mistake="ties_share")
def divided_among_the_largest(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)

    def backward(g):
        image = xp.zeros(pool.image.shape, g.dtype)
        for n, i, j, c in xp.ndindex(g.shape):
            ties = [
                (n, *at, c)
                for at in pool.under(i, j)
                if pool.image[n, *at, c] == pool.y[n, i, j, c]
            ]
            for place in ties:
                image[place] += g[n, i, j, c] / len(ties)
        return (pool.cut(image),)

    return pool.y, backward


@wrong(TIE, mistake="last_of_ties")
def not_smaller(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding, last=True)
    return pool.y, pool.back(add)


@wrong(TWICE, mistake="averaged")
def mean_of_the_windows(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    won = list(pool.winners.values())
    return pool.y, pool.back(lambda image, place, g: add(image, place, g / won.count(place)))


@wrong(SIDE, mistake="g_left_out")
def windows_counted(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(lambda image, place, g: add(image, place, 1))


@wrong(FRAME, mistake="zeros_around")
def plain_pad(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding, fill=0.0)
    return pool.y, pool.back(add)


@wrong(LARGEST, mistake="side_by_side")
def stride_ignored(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, None, padding)
    return pool.y, pool.back(add)


@wrong(TWICE)
def as_found(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(lambda image, place, g: image.__setitem__(place, g))


@wrong(TWICE)
def first_window_wins(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    return pool.y, pool.back(lambda image, place, g: add(image, place, 0 if image[place] else g))


@wrong(TWICE)
def largest_gradient_wins(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)

    def lay(image, place, g):
        image[place] = g if abs(g) > abs(image[place]) else image[place]

    return pool.y, pool.back(lay)


@wrong(TWICE)
def times_the_windows(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    won = list(pool.winners.values())
    return pool.y, pool.back(lambda image, place, g: image.__setitem__(place, g * won.count(place)))


@wrong(OVERLAPS)
def only_pairs_of_neighbours_add(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)

    def backward(g):
        image, before = xp.zeros(pool.image.shape, g.dtype), None
        for index, place in pool.winners.items():
            image[place] = g[index] + (image[place] if place == before else 0)
            before = place
        return (pool.cut(image),)

    return pool.y, backward


@wrong(OVERLAPS)
def wrong_end_cropped(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    pool.cut = lambda image: image[:, : pool.shape[1], : pool.shape[2]]
    return pool.y, pool.back(add)


@wrong(SIDE)
def gradient_spread_over_the_window(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)

    def backward(g):
        image = xp.zeros(pool.image.shape, g.dtype)
        for n, i, j, c in xp.ndindex(g.shape):
            for row, column in pool.under(i, j):
                image[n, row, column, c] += g[n, i, j, c] / (pool.kernel[0] * pool.kernel[1])
        return (pool.cut(image),)

    return pool.y, backward


@wrong(SIDE)
def float64_gradient(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)
    back = pool.back(add)
    return pool.y, lambda g: (back(g.astype("float64"))[0],)


KEPT = {}


@wrong(SIDE)
def image_not_emptied(x, *, kernel, stride=None, padding=0):
    pool = Pool(x, kernel, stride, padding)

    def backward(g):
        image = KEPT.setdefault(
            (pool.image.shape, pool.steps, g.dtype), xp.zeros(pool.image.shape, g.dtype)
        )
        for index, place in pool.winners.items():
            image[place] += g[index]
        return (pool.cut(image).copy(),)

    return pool.y, backward
