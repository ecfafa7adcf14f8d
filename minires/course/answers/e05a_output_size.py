"""Exercise 05a: what goes wrong with the size of an output."""


def _each(size, kernel, stride, padding, count, refuse=True):
    """Return a pair of counts, each from its (size, kernel, stride, padding)."""
    if refuse and any(k > s + 2 * p for s, k, p in zip(size, kernel, padding)):
        raise ValueError("the window is larger than the padded image")
    return tuple(count(*numbers) for numbers in zip(size, kernel, stride, padding))


def padding_once(size, kernel, stride, padding):
    """the padding is counted once: it is on both sides of the image"""
    return _each(size, kernel, stride, padding, lambda s, k, step, p: (s + p - k) // step + 1)


def padding_forgotten(size, kernel, stride, padding):
    """the padding is left out: it makes the image larger"""
    return _each(size, kernel, stride, padding, lambda s, k, step, p: (s - k) // step + 1)


def rounded_up(size, kernel, stride, padding):
    """the quotient is rounded up: the last window would go beyond the edge"""
    return _each(
        size, kernel, stride, padding, lambda s, k, step, p: -((k - s - 2 * p) // step) + 1
    )


def divided_too_late(size, kernel, stride, padding):
    """the 1 is added before the division: it stands for the first position, and is not a pixel"""
    return _each(size, kernel, stride, padding, lambda s, k, step, p: (s + 2 * p - k + 1) // step)


def first_place_forgotten(size, kernel, stride, padding):
    """the steps are counted instead of the positions: the window has a position before its first step"""
    return _each(size, kernel, stride, padding, lambda s, k, step, p: (s + 2 * p - k) // step)


def stride_forgotten(size, kernel, stride, padding):
    """the stride is left out, as if the window moved by one pixel"""
    return _each(size, kernel, stride, padding, lambda s, k, step, p: s + 2 * p - k + 1)


def one_number_for_both(size, kernel, stride, padding):
    """the number of rows is used for the number of columns too"""
    rows, _ = _each(
        size, kernel, stride, padding, lambda s, k, step, p: (s + 2 * p - k) // step + 1
    )
    return rows, rows


def turned(size, kernel, stride, padding):
    """the horizontal number comes before the vertical one: the first number counts rows"""
    return _each(size, kernel, stride, padding, lambda s, k, step, p: (s + 2 * p - k) // step + 1)[
        ::-1
    ]


def not_refused(size, kernel, stride, padding):
    """a window larger than the padded image is not refused: the formula then returns less than 1"""
    return _each(
        size,
        kernel,
        stride,
        padding,
        lambda s, k, step, p: (s + 2 * p - k) // step + 1,
        refuse=False,
    )
