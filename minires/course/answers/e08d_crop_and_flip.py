"""Exercise 08d: images shifted and mirrored one by one, and what goes wrong with them."""

from minires.backend import xp


def crop_and_flip(images, down, across, mirrored):
    """Each image seen through a window of its size, which is shifted by `down` and `across` pixels, and mirrored or not.

    images, result  (N, H, W, C)    down, across, mirrored  (N,)
    """
    n, h, w, _ = images.shape
    result = xp.zeros_like(images)
    for i in range(n):
        frame = max(abs(int(down[i])), abs(int(across[i])))
        framed = xp.pad(images[i], ((frame, frame), (frame, frame), (0, 0)))
        top, left = frame + int(down[i]), frame + int(across[i])
        window = framed[top : top + h, left : left + w]
        result[i] = window[:, ::-1] if mirrored[i] else window
    return result


def in_engine(crop_and_flip):
    """Return what batches needs: a function that takes the chosen images, shifts them, and cuts a square out of each."""

    def moved(images, chosen, moves, cutout):
        result = crop_and_flip(images[chosen], moves[:, 0], moves[:, 1], moves[:, 2] != 0)
        if cutout:
            for image, top, left in zip(result, moves[:, 3], moves[:, 4]):
                image[
                    max(int(top), 0) : max(int(top) + cutout, 0),
                    max(int(left), 0) : max(int(left) + cutout, 0),
                ] = 0
        return result

    return moved


def _gathered(images, down, across, mirrored, *, place=None, seen=True):
    """Return images in which pixel (n, i, j) comes from row and column place(n, i, j). Beyond the edge it is 0, or with seen=False
    the last pixel."""
    _, h, w, _ = images.shape
    result = xp.zeros_like(images)
    for n in range(len(images)):
        for i in range(h):
            for j in range(w):
                row, column = i + int(down[n]), (w - 1 - j if mirrored[n] else j) + int(across[n])
                row, column = place(n, i, j) if place else (row, column)
                if 0 <= row < h and 0 <= column < w:
                    result[n, i, j] = images[n, row, column]
                elif not seen:
                    result[n, i, j] = images[n, min(max(row, 0), h - 1), min(max(column, 0), w - 1)]
    return result


def wrapped(images, down, across, mirrored):
    """what leaves at one edge comes back at the other: beyond the edge it should be 0"""
    _, h, w, _ = images.shape

    def place(n, i, j):
        return (i + int(down[n])) % h, ((w - 1 - j if mirrored[n] else j) + int(across[n])) % w

    return _gathered(images, down, across, mirrored, place=place)


def edge_repeated(images, down, across, mirrored):
    """beyond the edge the last pixel is repeated: it should be 0"""
    return _gathered(images, down, across, mirrored, seen=False)


def image_moved(images, down, across, mirrored):
    """the image moves down and to the right: it is the window that should move, so that its contents move up and to the left"""
    w = images.shape[2]

    def place(n, i, j):
        return i - int(down[n]), (w - 1 - j if mirrored[n] else j) - int(across[n])

    return _gathered(images, down, across, mirrored, place=place)


def mirrored_first(images, down, across, mirrored):
    """the image is mirrored before the window moves: it should be mirrored afterwards, otherwise the window moves to the other side"""
    w = images.shape[2]

    def place(n, i, j):
        column = j + int(across[n])
        return i + int(down[n]), w - 1 - column if mirrored[n] else column

    return _gathered(images, down, across, mirrored, place=place)


def upside_down(images, down, across, mirrored):
    """the rows are reversed: mirrored means that the columns are"""
    h = images.shape[1]

    def place(n, i, j):
        return (h - 1 - i if mirrored[n] else i) + int(down[n]), j + int(across[n])

    return _gathered(images, down, across, mirrored, place=place)


def axes_swapped(images, down, across, mirrored):
    """down and across are exchanged"""
    return _gathered(images, across, down, mirrored)


def one_for_all(images, down, across, mirrored):
    """all images are shifted like the first: each has its own shift"""
    n = len(images)
    return _gathered(images, [down[0]] * n, [across[0]] * n, [mirrored[0]] * n)


def never_mirrored(images, down, across, mirrored):
    """`mirrored` is ignored"""
    return _gathered(images, down, across, mirrored * 0)
