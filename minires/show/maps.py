"""Feature maps: what the filters of a layer see in one image."""

import math

from matplotlib import colormaps

from minires.backend import to_host
from minires.show.picture import Picture
from minires.tensor import Tensor

COLOURS, FEW = "magma", 16  # few colours, so that a notebook stays small
GAP = 0.1  # between two maps, in widths of a map
FINE = 5  # points of the picture per side of a value, so that gaps can be narrower than a value


def feature_maps(layers, *, columns=16):
    """Draw the feature maps of some layers, for one image. The darkest colour is 0, the brightest a layer's largest value.

    layers  title -> feature maps (H, W, F) or (1, H, W, F), an array or a tensor    columns  maximum number in a row

    Raises  ValueError: no layers, maps of a different shape, or fewer than one column.
    """
    if not layers or columns < 1:
        raise ValueError(
            f"feature_maps: expected at least one layer and one column, got {len(layers)} layers, columns {columns}"
        )
    layers = {title: checked(title, maps) for title, maps in layers.items()}
    heights = [-(-maps.shape[2] // columns) * 0.6 + 0.3 for maps in layers.values()]
    figure = Picture(figsize=(0.6 * columns, sum(heights)), layout="constrained")
    places = figure.subplots(len(layers), 1, squeeze=False, height_ratios=heights)[:, 0]
    for place, (title, maps) in zip(places, layers.items()):
        draw(place, maps, columns)
        place.set_title(f"{title}: {maps.shape[2]} maps of {maps.shape[0]}x{maps.shape[1]}", fontsize=9, loc="left")  # fmt: skip
    return figure


def checked(title, maps):
    """Return a layer's feature maps as a NumPy array (H, W, F).

    Raises  ValueError: a different shape.
    """
    maps = to_host(maps.data if isinstance(maps, Tensor) else maps)
    if maps.ndim == 4 and len(maps) == 1:
        maps = maps[0]
    if maps.ndim != 3 or not maps.size:
        raise ValueError(
            f"feature maps {title!r}: expected the shape (H, W, F) or (1, H, W, F), got {maps.shape}"
        )
    return maps


def draw(axes, maps, columns):
    """Draw maps (H, W, F) into axes, in rows of `columns`, from 0 to their largest value."""
    lowest, highest = min(0.0, float(maps.min())), float(maps.max())
    limits = {"vmin": lowest, "vmax": max(highest, lowest + 1e-6)}
    axes.imshow(
        mosaic(maps, columns),
        cmap=colormaps[COLOURS].resampled(FEW),
        interpolation="nearest",
        **limits,
    )
    axes.axis("off")


def mosaic(maps, columns):
    """Return maps (H, W, F) as one picture, a list of rows, in rows of `columns` with gaps between them."""
    h, w, f = maps.shape
    gap, columns = max(round(GAP * w * FINE), 2), min(columns, f)
    rows, wide, high = -(-f // columns), w * FINE + gap, h * FINE + gap
    picture = [[math.nan] * (columns * wide - gap) for _ in range(rows * high - gap)]
    for i, one in enumerate(maps.transpose(2, 0, 1).tolist()):
        top, left = i // columns * high, i % columns * wide
        for y in range(h * FINE):
            line = [value for value in one[y // FINE] for _ in range(FINE)]
            picture[top + y][left : left + w * FINE] = line
    return picture
