"""Things to look at: the graph of a tensor, the source of an op, what a backward keeps, the curves of a run.

Pictures are matplotlib Figures: a notebook shows them, picture.savefig("name.png") writes them.
"""

import inspect
import io
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from minires import tensor as engine
from minires.tensor import Tensor

LEAF, PARAMETER, OP = "#e8eef7", "#f7e9d7", "#ffffff"


def source(op):
    """The source of an op, as it is now. In a notebook it is coloured."""
    return Source(inspect.getsource(inspect.unwrap(op)))


class Source(str):
    """Source text that a notebook shows in colour, and print() as it is."""

    def __repr__(self):
        return str(self)

    def _repr_markdown_(self):
        return f"```python\n{self}```"


class Picture(Figure):
    """A Figure that a notebook shows without being told to."""

    def _repr_png_(self):
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=110)
        return file.getvalue()


class Kept(NamedTuple):
    """One array that a backward keeps."""

    name: str
    shape: tuple
    dtype: str
    bytes: int


def kept(backward):
    """What an op's backward keeps until it runs: a list of Kept. For a Tensor, what the last op that made it keeps.

    Raises  ValueError: a tensor that no op made, or whose graph has been used.
    """
    if isinstance(backward, Tensor):
        if backward.node is None or backward.node.backward is None:
            raise ValueError("nothing is kept for this tensor: no op made it, or backward() has been through")
        backward = backward.node.backward
    return [Kept(name, array.shape, str(array.dtype), array.nbytes) for name, array in engine.kept(backward).items()]


def graph(tensor, *, names=None):
    """A picture of the graph below a tensor: operands above, results below. An arrow says who is an operand of whom.

    names  tensors to name, such as {"x": x}, or a module, whose parameters are named

    Raises  ValueError: the graph has more than 400 nodes, or backward() has been through.
    """
    named = dict(names.named_parameters()) if hasattr(names, "named_parameters") else dict(names or {})
    labels = {id(leaf): name for name, leaf in named.items()}
    root = tensor if tensor.node is None else tensor.node
    order, rows = _levels(root)
    places = {id(node): (x, -y) for y, row in enumerate(rows) for x, node in zip(_spread(len(row)), row)}
    wide = max(map(len, rows))

    figure = Picture(figsize=(max(4, 1.7 * wide), max(2, 0.9 * len(rows))), layout="constrained")
    axes = figure.add_subplot()
    axes.axis("off")
    axes.set_xlim(-wide / 2 - 0.1, wide / 2 + 0.1)
    axes.set_ylim(0.5 - len(rows), 0.5)
    for node in order:
        for parent in _operands(node):
            arrow = {"arrowstyle": "-|>", "color": "#555555", "shrinkA": 13, "shrinkB": 13}
            axes.annotate("", xy=places[id(node)], xytext=places[id(parent)], arrowprops=arrow)
    for node in order:
        text, colour = _face(node, labels)
        box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "#777777"}
        axes.text(*places[id(node)], text, ha="center", va="center", fontsize=8, bbox=box)
    return figure


def _operands(node):
    return [] if isinstance(node, Tensor) else [parent for parent in node.parents if parent is not None]


def _levels(root, most=400):
    """(all nodes, rows of them): each node stands one row below the lowest of its operands."""
    order, done, stack = [], set(), [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in done:
            done.add(id(node))
            if not isinstance(node, Tensor) and node.backward is None:
                raise ValueError("backward() has been through this graph: draw it before")
            stack.append((node, True))
            stack.extend((parent, False) for parent in _operands(node))
        if len(done) > most:
            raise ValueError(f"the graph has more than {most} nodes: draw a part of it, or a smaller model")
    depth = {}
    for node in order:
        depth[id(node)] = max((depth[id(parent)] + 1 for parent in _operands(node)), default=0)
    for leaf in (node for node in order if isinstance(node, Tensor)):  # leaves move down to their first user
        depth[id(leaf)] = min((depth[id(user)] - 1 for user in order if leaf in _operands(user)), default=0)
    rows = [[] for _ in range(max(depth.values()) + 1)]
    for node in order:
        rows[depth[id(node)]].append(node)
    return order, rows


def _spread(count):
    return [i - (count - 1) / 2 for i in range(count)]


def _face(node, labels):
    """(text, colour) of a node's box."""
    shape = " x ".join(map(str, node.shape)) or "number"
    if not isinstance(node, Tensor):
        return f"{node.op}\n{shape}", OP
    return f"{labels.get(id(node), 'tensor')}\n{shape}", PARAMETER if id(node) in labels else LEAF


def curves(log, *, title=""):
    """A picture of a run: loss and accuracy by epoch.

    log  a dict of lists of one length: "train loss", "validation loss", "train accuracy", "validation accuracy"
    (any of them), accuracies as shares
    """
    figure = Picture(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for name, values in log.items():
        part, quantity = name.rsplit(" ", 1)
        axes, factor = (loss, 1) if quantity == "loss" else (accuracy, 100)
        style = {"color": "#c1553b" if part == "train" else "#2f6f9f", "label": part, "marker": ".", "linewidth": 1.5}
        axes.plot(range(1, len(values) + 1), [factor * value for value in values], **style)
    loss.set(xlabel="epoch", ylabel="cross entropy, nats", yscale="log")
    accuracy.set(xlabel="epoch", ylabel="accuracy, %")
    for axes in (loss, accuracy):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(title)
    return figure

