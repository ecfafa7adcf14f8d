"""im2col window by window, and col2im row by row."""

import math

from minires import ops
from minires.backend import BackendError, to_device, to_host
from minires.ops.windows import output_size, window
from minires.show.steps.scene import Scene, grid, shift
from minires.show.steps.stepper import Frame, Stepper

MOST_PIXELS, MOST_ENTRIES, MOST_ROWS = 150, 400, 36
GAP, TOP = 34, 30  # pixels: between image and matrix; above them, for titles
STYLE = """
.minires-svg .later text{display:none}
.minires-svg .plus{font-size:12px;font-weight:700}
"""


def im2col(x, kernel, *, stride=1, padding=0):
    """Return a stepper: window by window, the row of the im2col matrix that the patch becomes.

    x  a small image (H, W) or (H, W, C)    kernel, stride, padding  an int or a pair

    Raises  ValueError: x is not a small image, the kernel is larger than the padded image, or the matrix is too large to read.
    """
    image = _array(x, "im2col: x")
    if image.ndim not in (2, 3) or not image.size:
        raise ValueError(
            f"im2col: expected an image of shape (H, W) or (H, W, C), got {image.shape}"
        )
    h, w, c = (*image.shape, 1)[:3]
    layout = _Layout("im2col", (h, w), c, kernel, stride, padding)
    with ops.plain():
        columns, _ = ops.im2col(
            to_device(image).reshape(1, h, w, c), kernel=layout.kernel, stride=layout.stride, padding=layout.padding
        )  # fmt: skip
    rows = _texts(columns)
    pixels = [[[_short(value) for value in pixel] for pixel in line] for line in image.reshape(h, w, c).tolist()]  # fmt: skip
    entries = [text for row in rows for text in row]
    layout.fit([text for line in pixels for pixel in line for text in pixel], entries, 32)
    scene = layout.scene("image" if not any(layout.padding) else "image with padding")
    layout.image_cells(scene, pixels)
    layout.matrix_cells(scene, rows)
    frames = []
    for r, row in enumerate(rows):
        said = f": {' '.join(row)}" if len(row) <= 12 else ""
        frames.append(
            Frame(
                f"{layout.where(r)} The {len(row)} elements that it covers become row {r} of the im2col matrix{said}.",
                layout.at(r) | {f"r{later}.class": "later" for later in range(r + 1, len(rows))},
            )
        )
    return Stepper(scene, [frames], title=layout.title("im2col"))


def col2im(columns, shape, kernel, *, stride=1, padding=0):
    """Return a stepper: row by row, the matrix is added back where each patch was, and values accumulate.

    columns  (OH*OW, KH*KW)    shape  (H, W) of the image    kernel, stride, padding  an int or a pair

    Raises  ValueError: columns or a shape that do not fit, or an image or matrix too large to read.
    """
    try:
        h, w = (int(size) for size in shape)
    except (TypeError, ValueError):
        raise ValueError(f"col2im: expected a shape (H, W), got {shape!r}") from None
    columns = _array(columns, "col2im: columns")
    layout = _Layout("col2im", (h, w), 1, kernel, stride, padding)
    expected = (layout.rows, math.prod(layout.kernel))
    if columns.shape != expected:
        raise ValueError(f"col2im: expected columns of shape {expected}, got {columns.shape}")
    rows = _texts(columns)
    images = [_added(columns, r + 1, (h, w), layout) for r in range(layout.rows)]
    entries = [text for row in rows for text in row]
    sums = [text for image in images for line in image for text in line]
    layout.fit([*sums, *map(_signed, entries)], entries, 44)
    scene = layout.scene("image" if not any(layout.padding) else "image with padding", "columns")
    layout.image_cells(scene, [[[""] for _ in range(w)] for _ in range(h)], named=True)
    layout.matrix_cells(scene, rows)
    frames, touched, changes = [], set(), {}
    for r, row in enumerate(rows):
        pixels = layout.pixels(r)
        inside = [pixel for pixel in pixels if 0 <= pixel[0] < h and 0 <= pixel[1] < w]
        again = len(touched & set(inside))
        touched |= set(inside)
        changes = changes | {f"p{i}_{j}.text": images[r][i][j] for i, j in inside}
        plus = {f"a{i}_{j}.text": _signed(part) for (i, j), part in zip(pixels, row) if (i, j) in inside}  # fmt: skip
        say = f"{layout.where(r)} Row {r} is added there."
        if again:
            say += f" {again} of the pixels already {'holds' if again == 1 else 'hold'} a value: the values accumulate."
        if lost := len(pixels) - len(inside):
            say += f" {lost} of the {len(pixels)} values {'falls' if lost == 1 else 'fall'} on the padding and {'is' if lost == 1 else 'are'} dropped."
        frames.append(Frame(say, changes | plus | layout.at(r)))
    return Stepper(scene, [frames], title=layout.title("col2im"))


class _Layout:
    """The positions of the cells of the image and of the matrix, and which of them a row of the matrix belongs to."""

    def __init__(self, name, size, channels, kernel, stride, padding):
        self.kernel, self.stride, self.padding = window(kernel, stride, padding)
        self.oh, self.ow = output_size(size, self.kernel, self.stride, self.padding)
        self.size, self.channels = size, channels
        self.rows, self.columns = self.oh * self.ow, math.prod(self.kernel) * channels
        self.padded = [extent + 2 * pad for extent, pad in zip(size, self.padding)]
        pixels, entries = math.prod(self.padded) * channels, self.rows * self.columns
        for what, found, most in [
            ("pixels of the padded image", pixels, MOST_PIXELS),
            ("rows of the im2col matrix", self.rows, MOST_ROWS),
            ("elements of the im2col matrix", entries, MOST_ENTRIES),
        ]:
            if found > most:
                raise ValueError(f"{name}: expected at most {most} {what}, got {found}: use a smaller image")  # fmt: skip

    def fit(self, pixels, entries, least):
        """Make the cells wide enough for these texts, and those of the image at least `least` pixels wide."""
        self.cell = max(least, _width(pixels))
        self.down = self.padded[0] * self.cell + TOP  # from one channel to the next
        self.narrow = max(28, _width(entries))  # a cell of the matrix
        self.left = self.padded[1] * self.cell + GAP + 40

    def scene(self, image, matrix="im2col matrix"):
        """Draw the titles and what moves."""
        height = max(self.down * self.channels, TOP + self.rows * 26 + 16)
        scene = Scene(self.left + self.columns * self.narrow + 4, height + 6, STYLE)
        for c in range(self.channels):
            title = f"channel {c}" if self.channels > 1 else image
            scene.text(2, 14 + c * self.down, title, "title")
        scene.text(self.left, 14, matrix, "title")
        kh, kw = self.kernel
        for c in range(self.channels):
            scene.rect(2, TOP + c * self.down, kw * self.cell, kh * self.cell, "now move", name=f"k{c}", rx=3)  # fmt: skip
        scene.rect(self.left, TOP, self.columns * self.narrow, 26, "now move", name="row", rx=3)
        return scene

    def image_cells(self, scene, values, named=False):
        """Draw the padded image, channel by channel. With names, each pixel has a text for its value and one for what is added."""
        (h, w), (ph, pw), cell = self.size, self.padding, self.cell
        for c in range(self.channels):
            y, x = TOP + c * self.down, 2
            if ph or pw:
                scene.add("path", "pad", d=_ring(x, y, self.padded, self.size, self.padding, cell))
                scene.add("path", "grid", d=grid(*self.padded, cell, x, y))
            scene.add("path", "cell", d=grid(h, w, cell, x + pw * cell, y + ph * cell))
            for i in range(self.padded[0]):
                for j in range(self.padded[1]):
                    u, v = i - ph, j - pw
                    middle = x + (j + 0.5) * cell, y + (i + 0.5) * cell
                    if 0 <= u < h and 0 <= v < w:
                        if named:
                            scene.text(middle[0], middle[1] + 0.12 * cell, "", name=f"p{u}_{v}")
                            scene.text(
                                middle[0], middle[1] - 0.3 * cell, "", "plus", name=f"a{u}_{v}"
                            )
                        else:
                            scene.text(*middle, values[u][v][c])
                    elif not named:
                        scene.text(*middle, "0", "small")

    def matrix_cells(self, scene, rows):
        """Draw the matrix, with the output position of each row next to it."""
        scene.add("path", "grid", d="".join(
            f"M{self.left} {TOP + i * 26}h{self.columns * self.narrow}" for i in range(len(rows) + 1)
        ) + "".join(
            f"M{self.left + j * self.narrow} {TOP}v{26 * len(rows)}" for j in range(self.columns + 1)
        ))  # fmt: skip
        for r, row in enumerate(rows):
            y = TOP + (r + 0.5) * 26
            scene.text(self.left - 20, y, f"{r // self.ow}, {r % self.ow}", "small")
            group = scene.add("g", name=f"r{r}")
            for j, text in enumerate(row):
                scene.text(self.left + (j + 0.5) * self.narrow, y, text, inside=group)

    def at(self, r):
        """Return the changes that move the window and the outline of the row to row r."""
        i, j = self.corner(r)
        moved = shift(j * self.cell, i * self.cell)
        return {f"k{c}.style": moved for c in range(self.channels)} | {"row.style": shift(0, r * 26)}  # fmt: skip

    def corner(self, r):
        """Return the first row and column of the padded image that the window of row r covers."""
        return r // self.ow * self.stride[0], r % self.ow * self.stride[1]

    def pixels(self, r):
        """Return (row, column) of each pixel of the patch, in the image without its padding."""
        (i, j), (kh, kw), (ph, pw) = self.corner(r), self.kernel, self.padding
        return [(i + u - ph, j + v - pw) for u in range(kh) for v in range(kw)]

    def where(self, r):
        """Return a sentence that says where the window of row r is."""
        (i, j), (kh, kw) = self.corner(r), self.kernel
        of = " of the padded image" if any(self.padding) else ""
        return (
            f"Output position ({r // self.ow}, {r % self.ow}): the kernel covers {_range('row', i, kh)} "
            f"and {_range('column', j, kw)}{of}."
        )

    def title(self, name):
        """Return what the figure shows, with all sizes."""
        (h, w), (kh, kw), (sh, sw), (ph, pw) = self.size, self.kernel, self.stride, self.padding
        stride = sh if sh == sw else (sh, sw)
        padding = ph if ph == pw else (ph, pw)
        return f"{name} of a {h}x{w} image with a {kh}x{kw} kernel, stride {stride}, padding {padding}"  # fmt: skip


def _array(array, name):
    """Return an array on the host.

    Raises  TypeError: it does not consist of numbers.
    """
    try:
        array = to_host(array if hasattr(array, "dtype") else to_device(array))
        return array.astype(float)
    except (TypeError, ValueError, BackendError):
        raise TypeError(f"{name}: expected an array of numbers, got {type(array).__name__}") from None  # fmt: skip


def _added(columns, count, size, layout):
    """Return the texts of the image to which the first `count` rows have been added."""
    part = columns.copy()
    part[count:] = 0
    with ops.plain():
        image, _ = ops.col2im(
            to_device(part), shape=(1, *size, 1), kernel=layout.kernel, stride=layout.stride, padding=layout.padding
        )  # fmt: skip
    return _texts(image.reshape(size))


def _texts(array):
    return [[_short(value) for value in row] for row in to_host(array).tolist()]


def _width(texts):
    return 8 * max(map(len, texts)) + 8


def _short(value):
    return f"{value:.3g}" if value else "0"


def _signed(text):
    return text if text.startswith("-") else f"+{text}"


def _range(what, start, count):
    return f"{what} {start}" if count == 1 else f"{what}s {start} to {start + count - 1}"


def _ring(x, y, padded, size, padding, cell):
    """Return the path of the padding: the padded image, and the image cut out of it by going round the other way."""
    (high, wide), (h, w), (ph, pw) = padded, size, padding
    return (
        f"M{x} {y}h{wide * cell}v{high * cell}h{-wide * cell}z"
        f"M{x + pw * cell} {y + ph * cell}v{h * cell}h{w * cell}v{-h * cell}z"
    )
