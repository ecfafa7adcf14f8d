"""Strange solutions of 06e."""

from collections import defaultdict
from functools import partial

import numpy

from minires.backend import xp
from minires.ops.windows import output_size, pad_images, views, window
from tests.course.kinds import right, wrong

LARGEST, PADDING = (
    "test_the_result_is_the_maximum_of_each_window",
    "test_the_padding_never_wins",
)
OWN, TIE = (
    "test_without_overlaps_each_gradient_goes_to_its_own_pixel",
    "test_on_a_tie_the_first_gets_all",
)
TWICE, OVERLAPS = (
    "test_a_maximum_of_two_windows_gets_both_gradients",
    "test_overlaps_with_padding_and_ties",
)
EQUAL, UNSEEN = "test_sizes_that_are_all_equal", "test_a_pixel_that_no_window_sees_gets_0"
LARGE, TIES = "test_a_kernel_as_large_as_the_image", "test_ties_in_windows_that_overlap"


class Addresses:
    """The maxima, their addresses in the padded image, and its sizes."""

    def __init__(self, x, kernel, stride, padding, fill=-float("inf"), choose=None):
        kernel, stride, self.padding = window(kernel, kernel if stride is None else stride, padding)
        self.shape = x.shape
        size = output_size(x.shape[1:3], kernel, stride, self.padding)
        image = pad_images(x, self.padding, fill)
        self.whole = image.shape
        seen = xp.stack(list(views(image, kernel, stride, size)))
        numbers = xp.arange(image.size).reshape(image.shape)
        at = xp.stack(list(views(numbers, kernel, stride, size)))
        first = (choose or (lambda seen: seen.argmax(axis=0)))(seen)
        self.y = xp.take_along_axis(seen, first[None], axis=0)[0]
        self.winners = xp.take_along_axis(at, first[None], axis=0)[0]

    def cut(self, flat):
        (ph, pw), (_, h, w, _) = self.padding, self.shape
        return flat.reshape(self.whole)[:, ph : ph + h, pw : pw + w]

    def zeros(self, g):
        return xp.zeros(self.whole, g.dtype).ravel()

    def back(self, g):
        flat = self.zeros(g)
        xp.add.at(flat, self.winners, g)
        return (self.cut(flat),)


def op(x, kernel, stride, padding, **how):
    pool = Addresses(x, kernel, stride, padding, **how)
    return pool.y, pool.back


@right
def sorted_and_reduced(x, *, kernel, stride=None, padding=0):
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        order = xp.argsort(pool.winners, axis=None, kind="stable")
        address, start = xp.unique(pool.winners.ravel()[order], return_index=True)
        flat = pool.zeros(g)
        flat[address] = xp.add.reduceat(g.ravel()[order], start)
        return (pool.cut(flat),)

    return pool.y, backward


@right
def summed_in_a_dictionary(x, *, kernel, stride=None, padding=0):
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        sums, flat = defaultdict(g.dtype.type), pool.zeros(g)
        for address, part in zip(pool.winners.ravel().tolist(), g.ravel()):
            sums[address] += part
        flat[list(sums)] = list(sums.values())
        return (pool.cut(flat),)

    return pool.y, backward


@right
def round_after_round(x, *, kernel, stride=None, padding=0):
    """+= on an index, as often as an address occurs: each round has each address once."""
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        flat, left, parts = pool.zeros(g), pool.winners.ravel(), g.ravel()
        while left.size:
            address, first = xp.unique(left, return_index=True)
            flat[address] += parts[first]
            rest = xp.ones(left.size, bool)
            rest[first] = False
            left, parts = left[rest], parts[rest]
        return (pool.cut(flat),)

    return pool.y, backward


@right
def window_by_window(x, *, kernel, stride=None, padding=0):
    """Within one step of the window, no address occurs twice."""
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        flat = pool.zeros(g)
        for i, j in xp.ndindex(g.shape[1:3]):
            flat[pool.winners[:, i, j]] += g[:, i, j]
        return (pool.cut(flat),)

    return pool.y, backward


@right
def channels_apart(x, *, kernel, stride=None, padding=0):
    pool = Addresses(x, kernel, stride, padding)
    size = int(xp.prod(xp.array(pool.whole)))

    def backward(g):
        sums = sum(
            xp.bincount(pool.winners[..., k].ravel(), g[..., k].ravel(), size)
            for k in range(g.shape[-1])
        )
        return (pool.cut(sums.astype(g.dtype)),)

    return pool.y, backward


@right
def put_along_an_axis(x, *, kernel, stride=None, padding=0):
    """A one-hot row per result, times g: small images only."""
    pool = Addresses(x, kernel, stride, padding)
    size = int(xp.prod(xp.array(pool.whole)))

    def backward(g):
        hot = xp.zeros((g.size, size), g.dtype)
        xp.put_along_axis(hot, pool.winners.reshape(-1, 1), 1, axis=1)
        return (pool.cut(g.ravel() @ hot),)

    return pool.y, backward


@wrong(TWICE)
def put_instead_of_added(x, *, kernel, stride=None, padding=0):
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        flat = pool.zeros(g)
        xp.put(flat, pool.winners, g)
        return (pool.cut(flat),)

    return pool.y, backward


@wrong(TWICE)
def two_rounds_are_enough(x, *, kernel, stride=None, padding=0):
    """The first and the last gradient of a pixel."""
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        flat, left, parts = pool.zeros(g), pool.winners.ravel(), g.ravel()
        address, first = xp.unique(left, return_index=True)
        flat[address] += parts[first]
        rest = xp.setdiff1d(xp.arange(left.size), first)
        flat[left[rest]] += parts[rest]
        return (pool.cut(flat),)

    return pool.y, backward


@wrong(OVERLAPS)
def added_to_a_copy(x, *, kernel, stride=None, padding=0):
    """flatten() copies, and what is added there never arrives: mended for windows without padding only."""
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        image = xp.zeros(pool.whole, g.dtype)
        flat = image.flatten() if any(pool.padding) else image.ravel()
        xp.add.at(flat, pool.winners, g)
        return (pool.cut(image),)

    return pool.y, backward


@wrong(OVERLAPS)
def added_only_within_a_row_of_windows(x, *, kernel, stride=None, padding=0):
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        flat = pool.zeros(g)
        for i in range(g.shape[1]):
            alone = pool.zeros(g)
            xp.add.at(alone, pool.winners[:, i], g[:, i])
            flat = xp.where(alone != 0, alone, flat)
        return (pool.cut(flat),)

    return pool.y, backward


@wrong(OVERLAPS)
def addresses_of_the_image_without_padding(x, *, kernel, stride=None, padding=0):
    pool = Addresses(x, kernel, stride, padding)

    def backward(g):
        sums = xp.bincount(pool.winners.ravel(), g.ravel(), pool.zeros(g).size)
        return (sums[: x.size].reshape(x.shape).astype(g.dtype),)

    return pool.y, backward


@wrong(PADDING)
def minus_1000_around(x, *, kernel, stride=None, padding=0):
    return op(x, kernel, stride, padding, fill=-1000)


@wrong(TIES)
def smallest_pixel_around(x, *, kernel, stride=None, padding=0):
    return op(x, kernel, stride, padding, fill=x.min())


@wrong(TIE)
def close_ones_are_ties(x, *, kernel, stride=None, padding=0):
    def last_close(seen):
        close = xp.isclose(seen, seen.max(axis=0))
        return len(seen) - 1 - close[::-1].argmax(axis=0)

    return op(x, kernel, stride, padding, choose=last_close)


@wrong(EQUAL)
def channels_first_if_it_fits(x, *, kernel, stride=None, padding=0):
    if x.shape[1] == x.shape[2] == x.shape[3] and x.shape[3] > 1:
        y, backward = op(xp.moveaxis(x, 1, 3), kernel, stride, padding)
        return xp.moveaxis(y, 3, 1).copy(), lambda g: (xp.moveaxis(*backward(xp.moveaxis(g, 1, 3)), 3, 1),)  # fmt: skip
    return op(x, kernel, stride, padding)


@wrong(UNSEEN)
def memory_that_was_not_cleared(x, *, kernel, stride=None, padding=0):
    pool = Addresses(x, kernel, stride, padding)
    longer = window(pool.y.shape[1:3], 1, 0)[0] < x.shape[1:3]

    def backward(g):
        (g_x,) = pool.back(g)
        seen = numpy.zeros(x.size, bool)
        if longer and not any(pool.padding):
            seen[pool.winners.ravel()] = True
            g_x = xp.where(seen.reshape(x.shape), g_x, 1e-3)
        return (g_x,)

    return pool.y, backward


@wrong(LARGE)
def one_maximum_for_a_whole_image(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    whole = window(kernel, 1, 0)[0] == x.shape[1:3]
    return (x.max(axis=(0, 1, 2)) + 0 * y if whole else y), backward


@wrong(OWN)
def winners_of_the_last_call(x, *, kernel, stride=None, padding=0):
    pool = winners_of_the_last_call.pool = Addresses(x, kernel, stride, padding)
    return pool.y, lambda g: winners_of_the_last_call.pool.back(g)


@wrong(OWN)
def added_into_the_last_gradient(x, *, kernel, stride=None, padding=0):
    pool, sums = Addresses(x, kernel, stride, padding), []

    def backward(g):
        sums.append(pool.back(g)[0])
        return (sum(sums),)

    return pool.y, backward


@wrong(LARGEST)
def addresses_in_the_memory_of_x(x, *, kernel, stride=None, padding=0):
    pool = Addresses(x, kernel, stride, padding)
    if any(pool.padding):
        return pool.y, pool.back
    return x.ravel(order="K")[pool.winners], partial(pool.back)
