"""What a model is made of: layers, shapes, parameters, multiply-adds, and the memory that training keeps for an image."""

import copy
from typing import NamedTuple

from minires.backend import xp
from minires.nn import Conv2d, Linear, init
from minires.tensor import Node, Tensor, kept


class Row(NamedTuple):
    """One module of the tree. The numbers are of this module alone, not of those below it."""

    name: str
    kind: str
    output: tuple  # the shape of the result, without N
    parameters: int
    multiply_adds: int  # for one image
    kept: int  # bytes that backward keeps, for one image


class Summary(NamedTuple):
    """summary()'s result: `rows`, and their sums. print() shows the table."""

    rows: list
    parameters: int
    multiply_adds: int
    kept: int

    def __str__(self):
        head = ("layer", "kind", "output", "parameters", "multiply-adds", "kept, KiB")
        lines = [head] + [_cells(*row) for row in self.rows]
        lines.append(_cells("sum", "", (), self.parameters, self.multiply_adds, self.kept))
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        text = [
            "  ".join(cell.ljust(width) if i < 3 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths)))
            for line in lines
        ]
        rule = "-" * len(text[0])
        return "\n".join([text[0], rule, *text[1:-1], rule, text[-1].rstrip()])

    __repr__ = __str__


def summary(model, input_shape):
    """Run a copy of `model` on zeros, in training, and write down what each module does.

    input_shape  (H, W, C), or (features,), of one example
    Raises  whatever the model raises on such an input.

    `kept` counts the arrays that the backward passes keep until they run, without the parameters, each once.
    """
    model = copy.deepcopy(model).train()
    rows = {name: None for name, _ in model.modules()}
    sizes, inside, seen = dict.fromkeys(rows, 0), [""], {id(parameter.data) for parameter in model.parameters()}
    batch = 2  # batch norm takes no single value

    def watch(name, module):
        forward = module.forward

        def watched(x):
            sizes[inside[-1]] += _newly_kept(x, seen)  # by what the module around it did since its last part
            inside.append(name)
            y = forward(x)
            inside.pop()
            sizes[name] += _newly_kept(y, seen)
            before = rows[name].multiply_adds if rows[name] else 0
            rows[name] = _row(name, module, y, before)
            return y

        module.forward = watched

    for name, module in model.modules():
        watch(name, module)
    with init.kept_generator():
        model(Tensor(xp.zeros((batch, *input_shape), dtype=xp.float32)))
    rows = [row._replace(kept=sizes[name] // batch) for name, row in rows.items() if row and row.kind != "Identity"]
    return Summary(rows, *(sum(getattr(row, key) for row in rows) for key in ("parameters", "multiply_adds", "kept")))


def _row(name, module, y, multiply_adds):
    own = [value for _, value in module.named_attributes() if isinstance(value, Tensor)]
    if isinstance(module, Conv2d):
        multiply_adds += module.weight.size * y.shape[1] * y.shape[2]
    elif isinstance(module, Linear):
        multiply_adds += module.weight.size * (y.size // (len(y) * y.shape[-1]))
    return Row(name, type(module).__name__, y.shape[1:], sum(p.size for p in own), multiply_adds, 0)


def _newly_kept(tensor, seen):
    """The bytes of arrays that nodes below `tensor` keep, for nodes and arrays that are not among `seen`; they are then."""
    size, stack = 0, [tensor.node]
    while stack:
        node = stack.pop()
        if not isinstance(node, Node) or id(node) in seen:
            continue
        stack.extend(node.parents)
        arrays = [array for array in kept(node.backward).values() if id(array) not in seen]
        size += sum(array.nbytes for array in arrays)
        seen.update(map(id, [node, *arrays]))
    return size


def _cells(name, kind, output, parameters, multiply_adds, size):
    shape = " x ".join(map(str, output))
    return (name or "(itself)", kind, shape, f"{parameters:,}" if parameters else "", f"{multiply_adds:,}" if multiply_adds else "",
            f"{size / 1024:,.1f}" if size else "")  # fmt: skip
