"""Grids of images, and images with a model's predictions."""

from minires.backend import to_host
from minires.show.picture import Picture

SIDE = 0.94  # the longer side of an image in a grid whose cells are 1 wide
TITLE = 0.22  # the height above it for a line of text
LETTERS = 14  # letters that fit into that line
RIGHT, OTHER = "#009e73", "#56b4e9"


def images(images, labels=None, classes=None, *, columns=10, rows=None, titles=None, max_value=255):
    """Draw a grid of images with sharp pixels, each under its class name.

    images  uint8 (N, H, W, C), or a list of (H, W, C), where C is 1 or 3    labels  ints (N,)    classes  a name for each
    rows  maximum number of rows; further images are left out    titles  texts instead of the class names
    max_value  the value of white

    Raises  TypeError: images of a different type or shape. ValueError: no images, not one name per image, or an unknown
    class.
    """
    if columns < 1 or (rows is not None and rows < 1):
        raise ValueError(
            f"images: expected at least 1 column and row, got columns {columns}, rows {rows}"
        )
    pictures = _checked(images)
    if titles is None:
        titles = (
            [""] * len(pictures)
            if labels is None
            else [_class(label, classes) for label in _numbers(labels)]
        )
    if len(titles) != len(pictures):
        raise ValueError(
            f"images: expected a name for each of {len(pictures)} images, got {len(titles)}"
        )
    pictures = pictures if rows is None else pictures[: rows * columns]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    title = TITLE if any(titles) else 1 - SIDE
    high = title + max(_size(picture)[1] for picture in pictures)

    figure = Picture(figsize=(columns, rows * high))
    axes = figure.add_axes((0, 0, 1, 1))
    for i, (picture, text) in enumerate(zip(pictures, titles)):
        x, y = i % columns + 0.5, i // columns * high + title
        width, height = _size(picture)
        _draw(axes, picture, max_value, extent=(x - width / 2, x + width / 2, y + height, y))
        axes.text(x, y - title / 2, _short(text, LETTERS), ha="center", va="center", fontsize=7.5)
    axes.set(xlim=(0, columns), ylim=(rows * high, 0))
    return figure


def predictions(
    images, probabilities, classes, *, top=5, titles=None, labels=None, columns=2, max_value=255
):
    """Draw each image next to a bar chart of its `top` most likely classes.

    images  as in images()    probabilities  (N, K), from 0 to 1    classes  K names
    titles  a text for each image, such as its file name    labels  the true classes (N,), if known: green bars

    Raises  TypeError: images of a different type or shape. ValueError: no images, probabilities of a different shape or
    outside 0 to 1, or not one title or label per image.
    """
    pictures, probabilities = _checked(images), to_host(probabilities)
    if probabilities.shape != (len(pictures), len(classes)):
        raise ValueError(f"probabilities: expected shape ({len(pictures)}, {len(classes)}), images by classes, "
                         f"got {probabilities.shape}")  # fmt: skip
    # A softmax in float16 may return slightly more than 1.
    if not (probabilities.min() >= 0 and probabilities.max() <= 1.001):
        raise ValueError(f"probabilities: expected 0 to 1, got {probabilities.min():.3g} to {probabilities.max():.3g}: "
                         "softmax turns logits into probabilities")  # fmt: skip
    labels = [None] * len(pictures) if labels is None else _numbers(labels)
    titles = [""] * len(pictures) if titles is None else titles
    if not len(pictures) == len(labels) == len(titles):
        raise ValueError(
            f"predictions: expected a title and a label for each of {len(pictures)} images, got {len(titles)} and {len(labels)}"
        )
    if top < 1 or columns < 1:
        raise ValueError(
            f"predictions: expected top and columns of at least 1, got {top} and {columns}"
        )
    top, columns = min(top, len(classes)), min(columns, len(pictures))
    rows = -(-len(pictures) // columns)

    figure = Picture(
        figsize=(4.6 * columns, (0.45 + 0.22 * max(top, 5)) * rows), layout="constrained"
    )
    panels = list(
        figure.subplots(rows, 2 * columns, squeeze=False, width_ratios=[1.1, 2] * columns).flat
    )
    for axes in panels:
        axes.axis("off")
    for i, (picture, chances, title, label) in enumerate(
        zip(pictures, probabilities.tolist(), titles, labels)
    ):
        height, width, _ = picture.shape
        _draw(panels[2 * i], picture, max_value, extent=(0, width, height, 0))
        panels[2 * i].set_aspect("equal")
        panels[2 * i].set_title(_short(title, 44), fontsize=8.5, loc="left")
        most_likely = sorted(range(len(classes)), key=lambda k: -chances[k])[:top]
        _bars(
            panels[2 * i + 1],
            [(_short(classes[k], 22), chances[k], k == label) for k in most_likely],
        )
    return figure


def _bars(axes, bars):
    """Draw a horizontal bar for each (name, probability, whether it is the true class), the first on top."""
    axes.axis("on")
    colours = [RIGHT if right else OTHER for _, _, right in bars]
    axes.barh(range(len(bars)), [chance for _, chance, _ in bars], color=colours, height=0.7)
    for y, (_, chance, _) in enumerate(bars):
        axes.text(chance + 0.02, y, f"{100 * chance:.1f} %", va="center", fontsize=8)
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars], fontsize=8)
    axes.set(xlim=(0, 1.25), ylim=(max(len(bars), 5) - 0.5, -0.5), xticks=[])
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def _draw(axes, picture, max_value, *, extent):
    """Draw one image into the axes, in grey if it has one channel."""
    axes.axis("off")
    picture = picture[..., 0] if picture.shape[-1] == 1 else picture
    light, most = (
        (picture, 255)
        if max_value == 255
        else ((picture.astype("float32") / max_value).clip(0, 1), 1)
    )
    axes.imshow(
        light, cmap="gray", vmin=0, vmax=most, interpolation="nearest", extent=extent, aspect="auto"
    )


def _checked(images):
    """Return the images as a list of NumPy arrays (H, W, C)."""
    pictures = [to_host(image) for image in images]
    if not pictures:
        raise ValueError("images: expected at least one, got none")
    for i, picture in enumerate(pictures):
        if (
            picture.dtype.name != "uint8"
            or picture.ndim != 3
            or picture.shape[-1] not in (1, 3)
            or not picture.size
        ):
            raise TypeError(
                f"image {i}: expected uint8 (H, W, C) with C 1 or 3, got {picture.dtype} {picture.shape}"
            )
    return pictures


def _size(picture):
    """Return (width, height) of an image whose longer side is SIDE."""
    height, width, _ = picture.shape
    return SIDE * width / max(height, width), SIDE * height / max(height, width)


def _class(label, classes):
    if classes is None:
        return str(label)
    if not 0 <= label < len(classes):
        raise ValueError(
            f"label: expected 0 to {len(classes) - 1} for {len(classes)} classes, got {label}"
        )
    return classes[label]


def _numbers(labels):
    return list(labels) if isinstance(labels, (list, tuple)) else to_host(labels).tolist()


def _short(text, letters):
    return text if len(text) <= letters else text[: letters - 1] + "…"
