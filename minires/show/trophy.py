"""The card of a network that you trained: a picture that it classifies, its learning curve, filters and errors, and whose code ran."""

import math

from matplotlib import colormaps
from matplotlib.patches import FancyBboxPatch, Rectangle, Wedge

from minires.backend import to_device, to_host, xp
from minires.show.maps import checked, draw, mosaic
from minires.show.outcome import confusion_matrix
from minires.show.picture import Picture
from minires.tensor import Tensor, no_grad

INK, PAPER = "#1b2a41", "#fbf9f4"
PALE, DIM, GOLD, GREEN = "#c9d3e0", "#3d4d66", "#f2c14e", "#5cc9a0"  # on the header, which is INK
OWN, OURS = "#00674a", "#ece7dc"  # backgrounds of tiles: white text on the first, INK on the second
BAR, BEST = "#9dc3e0", "#0072b2"
BATCH = 256  # test images that are evaluated at once
TILES = 4  # in a row
WIDE = 8  # filters in a row
BELOW = 0.56  # the picture and the filters end above it


def trophy(
    model, picture, test, *, layers=None, log=None, report=None, title="A network of my own"
):
    """Draw the card of a trained network: picture, prediction, filters, feature maps, confusion matrix, and whose code ran.

    A ring counts the functions that are the learner's own. Once all are, it is gold, with a star in it.

    model  with ten outputs or so; it is evaluated in evaluation mode, and put back into its earlier modes
    picture  uint8 (H, W, C), of the test images' shape: one of them, or that of data.drawing
    test  a Dataset    layers  title -> feature maps (1, H, W, F) of the picture    report  that of course.mine()
    log  of the training run, by epoch: its "validation accuracy" becomes a curve

    Raises  TypeError, ValueError: a picture of a different type or shape.
    """
    picture = to_host(picture)
    if picture.dtype.name != "uint8":
        raise TypeError(f"trophy: expected a picture of uint8, got {picture.dtype}")
    if picture.shape != test.images.shape[1:]:
        raise ValueError(
            f"trophy: expected a picture of the test images' shape {test.images.shape[1:]}, got {picture.shape}"
        )
    logits = _logits(model, [picture[None], *_split(test.images)], test)
    guesses, chances = [line.index(max(line)) for line in logits[1:]], _softmax(logits[0])
    labels, guess = to_host(test.labels).tolist(), chances.index(max(chances))
    right = sum(one == other for one, other in zip(labels, guesses))
    parameters = sum(parameter.size for parameter in model.parameters())
    rows = report.rows() if report is not None else []
    own = sum(mine for _, _, mine in rows)

    figure = Picture(figsize=(11, 10), facecolor=PAPER)
    curve = list((log or {}).get("validation accuracy", ()))
    facts = [f"{parameters:,} parameters", f"{100 * right / len(labels):.1f} % of {len(labels):,} test images correct"]  # fmt: skip
    facts += [f"{own} of {len(rows)} functions are mine"] if rows else []
    _header(figure, title, facts, curve, own, len(rows))

    _heading(figure, 0.03, 0.84, f"It says: {test.classes[guess]}", 15)
    _picture(figure.add_axes((0.03, 0.573, 0.23, 0.253)), picture, test)
    _bars(figure.add_axes((0.30, 0.573, 0.19, 0.253)), chances, test.classes)
    shown = {name: checked(name, maps) for name, maps in (layers or {}).items()}
    weights = [to_host(parameter.data) for parameter in model.parameters() if parameter.ndim == 4]
    if weights:
        _filters(figure, weights[0])
    bottom = BELOW
    for name, maps in shown.items():
        if weights and maps.shape[2] == weights[0].shape[3] and bottom == BELOW:
            _strip(figure, (0.53, 0.573, 0.44, 0.107), name, maps, WIDE)  # each below its filter
        else:
            bottom -= 0.066
            _strip(figure, (0.03, bottom, 0.94, 0.032), name, maps, 4 * WIDE)
    matrix = figure.add_axes((0.07, 0.05, 0.335, 0.325), facecolor=PAPER)
    confusion_matrix(matrix, labels, guesses, test.classes, rotation=0)
    _heading(figure, 0.03, 0.39, "Confusion matrix, in % of each row")
    _tiles(figure, (0.45, 0.03, 0.52, 0.35), rows)
    told = f"The card of a network, titled {title}. The picture is classified as {test.classes[guess]}, with {100 * chances[guess]:.1f} %."
    told += f" {right} of {len(labels)} test images are correct."
    if curve:
        first, last = (f"{100 * accuracy:.0f} %" for accuracy in (curve[0], curve[-1]))
        told += f" Validation accuracy went from {first} to {last} in {len(curve)} epochs."
    if rows:
        told += f" {own} of {len(rows)} functions that ran are the learner's own"
        told += ", which earns a gold star." if own == len(rows) else "."
    return figure.described(told)


def _logits(model, parts, dataset):
    """Return the logits of all images as lists, from the model in evaluation mode."""
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    found = []
    with no_grad():
        for images in parts:
            x = to_device(images).astype("float32") / dataset.max_value
            x = (x - xp.asarray(dataset.mean, x.dtype)) / xp.asarray(dataset.std, x.dtype)
            found += to_host(model(Tensor(x)).data).tolist()
    for module, mode in modes:
        module.training = mode
    return found


def _split(images):
    return [images[i : i + BATCH] for i in range(0, len(images), BATCH)]


def _softmax(logits):
    powers = [math.exp(value - max(logits)) for value in logits]
    return [power / sum(powers) for power in powers]


def _header(figure, title, facts, curve, own, ran):
    """Draw the dark band at the top: title, facts, the learning curve, and a ring that counts the learner's own functions."""
    figure.add_artist(Rectangle((0, 0.885), 1, 0.115, color=INK, zorder=-1))  # behind the axes
    figure.text(0.03, 0.948, title, fontsize=24, color="white", weight="bold", va="center")
    figure.text(0.03, 0.908, "   ·   ".join(facts), fontsize=10.5, color=PALE, va="center")
    if curve:
        axes = figure.add_axes((0.65, 0.924, 0.2, 0.062))
        axes.plot(range(1, len(curve) + 1), curve, color=GOLD, linewidth=2)
        axes.plot(len(curve), curve[-1], "o", color=GOLD, markersize=5, clip_on=False)
        axes.axis("off")
        first, last = (f"{100 * accuracy:.0f} %" for accuracy in (curve[0], curve[-1]))
        told = f"validation: {first} to {last}, {len(curve)} epochs"
        figure.text(0.75, 0.908, told, fontsize=8.5, color=PALE, ha="center", va="center")
    if ran:
        axes = figure.add_axes((0.88, 0.89, 0.105, 0.105))
        for share, colour in ((1, DIM), (own / ran, GOLD if own == ran else GREEN)):
            axes.add_patch(Wedge((0, 0), 1, 90 - 360 * share, 90, width=0.2, color=colour, linewidth=0))  # fmt: skip
        if own == ran:
            axes.plot(0, 0, "*", color=GOLD, markersize=36)
        else:
            axes.text(0, 0, f"{own}/{ran}", fontsize=13, color="white", weight="bold", ha="center", va="center")  # fmt: skip
        axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
        axes.axis("off")


def _heading(figure, x, y, text, size=11.5):
    figure.text(x, y, text, fontsize=size, color=INK, weight="bold")


def _picture(axes, picture, dataset):
    light = picture[..., 0] if picture.shape[2] == 1 else picture / dataset.max_value
    axes.imshow(light, cmap="gray", vmin=0, vmax=dataset.max_value, interpolation="nearest")
    axes.set(xticks=[], yticks=[], anchor="NW")


def _bars(axes, chances, classes):
    """Draw a bar for the probability of each class, the largest one darker."""
    colours = [BEST if chance == max(chances) else BAR for chance in chances]
    axes.barh(range(len(classes)), chances, color=colours, height=0.75)
    for y, chance in enumerate(chances):
        axes.text(chance + 0.03, y, f"{100 * chance:.1f} %", va="center", fontsize=9, color=INK)
    axes.set_yticks(range(len(classes)), classes, fontsize=10, color=INK)
    axes.set(xlim=(0, 1.3), ylim=(len(classes) - 0.5, -0.5), xticks=[], facecolor=PAPER)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _filters(figure, weight):
    """Draw the filters of the first convolution: red is positive, blue negative."""
    kh, kw, _, f = weight.shape
    most = float(abs(weight).max()) or 1.0
    _heading(figure, 0.53, 0.84, f"Its first {f} filters, {kh}x{kw}")
    axes = figure.add_axes((0.53, 0.719, 0.44, 0.107))
    axes.imshow(mosaic(weight.mean(axis=2), WIDE), cmap=colormaps["RdBu_r"].resampled(11), vmin=-most, vmax=most, interpolation="nearest")  # fmt: skip
    axes.set_anchor("NW")
    axes.axis("off")


def _strip(figure, place, name, maps, columns):
    """Draw the feature maps of a layer."""
    h, w, f = maps.shape
    _heading(figure, place[0], place[1] + place[3] + 0.01, f"{name}: {f} feature maps of {h}x{w}")
    axes = figure.add_axes(place)
    draw(axes, maps, columns)
    axes.set_anchor("NW")


def _tiles(figure, place, rows):
    """Draw a tile for each function that ran: green with a check mark if it is the learner's."""
    if not rows:
        return
    _heading(figure, place[0], place[1] + place[3] + 0.01, "Whose code ran")
    axes = figure.add_axes(place)
    lines = -(-len(rows) // TILES)
    for i, (name, calls, mine) in enumerate(rows):
        x, y = i % TILES, lines - 1 - i // TILES
        style = "round,pad=0,rounding_size=0.06"
        axes.add_patch(FancyBboxPatch((x + 0.03, y + 0.06), 0.94, 0.88, boxstyle=style, color=OWN if mine else OURS, linewidth=0))  # fmt: skip
        ink = "white" if mine else INK
        axes.text(x + 0.5, y + 0.62, name, ha="center", va="center", fontsize=9, color=ink)
        whose = "\N{CHECK MARK} mine" if mine else "minires"
        axes.text(x + 0.5, y + 0.28, f"{whose} · {calls:,}", ha="center", va="center", fontsize=8, color=ink)  # fmt: skip
    axes.set(xlim=(0, TILES), ylim=(0, lines))
    axes.axis("off")
