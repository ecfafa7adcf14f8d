"""A table of a model: layers, shapes, parameters, multiply-adds, and the memory that training takes per image."""

import copy
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from minires.backend import xp
from minires.graph import Node, saved
from minires.nn import Conv2d, Linear, Module, Parameter, init
from minires.tensor import Tensor


class Row(NamedTuple):
    """One module of the tree. The numbers are for this module alone, without the modules inside it."""

    name: str
    kind: str
    output: tuple[int, ...]  # the shape of the result, without N
    parameters: int
    multiply_adds: int  # for one image
    saved: int  # bytes that backward passes save, for one image
    learns: int  # number of parameters that require a gradient


class Summary(NamedTuple):
    """The result of summary(): `rows`, and their sums. print() shows the table."""

    rows: list[Row]
    parameters: int
    multiply_adds: int
    saved: int
    learns: int

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "parameters", "multiply-adds", "saved, KiB")
        lines = [head] + [_cells(*row[:-1]) for row in self.rows]
        lines.append(_cells("sum", "", (), self.parameters, self.multiply_adds, self.saved))
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        text = [
            "  ".join(
                cell.ljust(width) if i < 3 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths))
            )
            for line in lines
        ]
        rule = "-" * len(text[0])
        learn = (
            [f"{self.learns:,} of the parameters learn"] if self.learns < self.parameters else []
        )
        return "\n".join([text[0], rule, *text[1:-1], rule, text[-1].rstrip(), *learn])

    def __repr__(self) -> str:
        return str(self)


def summary(model: Module, input_shape: Sequence[int]) -> Summary:
    """Run copies of `model` on zeros, in training mode, and record what each module does.

    input_shape  (H, W, C), or (features,), of one example
    Raises  what the model raises for such an input.

    A frozen module is marked as frozen. `saved` counts the arrays that are saved for the backward pass, each once and
    without the parameters, when blocks run op by op. It is the difference between three images and two, so arrays with one
    number per channel do not count. A parameter that two modules share counts for the first.
    """
    few, many = (
        [
            row
            for row in _rows(model, (n, *input_shape))
            if not row.kind.startswith(("Identity", "NoShortcut"))
        ]
        for n in (2, 3)
    )
    rows = [three._replace(saved=three.saved - two.saved) for two, three in zip(few, many)]
    return Summary(
        rows,
        *(
            sum(getattr(row, key) for row in rows)
            for key in ("parameters", "multiply_adds", "saved", "learns")
        ),
    )


def _rows(model: Module, shape: tuple[int, ...]) -> list[Row]:
    """Return a Row for each module of a copy of `model`, run on zeros of `shape`; `saved` is for the whole batch."""
    model = copy.deepcopy(model).train()
    ran, inside, seen = {}, [""], {id(parameter.data) for parameter in model.parameters()}
    multiply_adds, sizes = Counter[str](), Counter[str]()

    def watch(name: str, module: Module) -> None:
        forward = module.forward

        def watched(*inputs: Any, **options: Any) -> Any:
            for x in (*inputs, *options.values()):
                # Saved by the enclosing module since the last module inside it.
                sizes[inside[-1]] += _newly_saved(x, seen)
            inside.append(name)
            y = forward(*inputs, **options)
            inside.pop()
            sizes[name] += _newly_saved(y, seen)
            multiply_adds[name] += _multiply_adds(module, y)
            ran[name] = getattr(y, "shape", ())[1:]
            return y

        module.forward = watched  # type: ignore[method-assign]  # for this module alone

    for name, module in model.modules():
        watch(name, module)
    with init.kept_generator():
        model(Tensor(xp.zeros(shape, dtype=xp.float32)))
    counted, rows = set[int](), []
    for name, module in model.modules():
        if name in ran:
            own = {
                id(value): value
                for _, value in module.named_attributes()
                if isinstance(value, Parameter)
            }
            count = sum(value.size for key, value in own.items() if key not in counted)
            learns = sum(
                value.size
                for key, value in own.items()
                if key not in counted and value.requires_grad
            )
            kind = type(module).__name__ + ", frozen" * module.frozen
            rows.append(Row(name, kind, ran[name], count, multiply_adds[name], sizes[name], learns))
            counted |= own.keys()
    return rows


def _multiply_adds(module: Module, y: Tensor) -> int:
    """Count the multiply-adds for one image of a module whose result is y."""
    if isinstance(module, Conv2d):
        return module.weight.size * y.shape[1] * y.shape[2]
    return (
        module.weight.size * (y.size // (len(y) * y.shape[-1])) if isinstance(module, Linear) else 0
    )


def _newly_saved(tensor: Any, seen: set[int]) -> int:
    """Return the bytes of arrays saved by nodes below `tensor`, skipping those in `seen`, and add them to it."""
    size, stack = 0, [getattr(tensor, "node", None)]
    while stack:
        node = stack.pop()
        if not isinstance(node, Node) or id(node) in seen:
            continue
        stack.extend(node.parents)
        arrays = {
            id(array): array for array in saved(node.backward).values() if id(array) not in seen
        }
        size += sum(array.nbytes for array in arrays.values())
        seen.update(arrays, [id(node)])
    return size


def _cells(
    name: str, kind: str, output: tuple, parameters: int, multiply_adds: int, size: float
) -> tuple[str, ...]:
    shape = " x ".join(map(str, output))
    return (name or "(itself)", kind, shape, f"{parameters:,}" if parameters else "", f"{multiply_adds:,}" if multiply_adds else "",
            f"{size / 1024:,.1f}" if size else "")  # fmt: skip
