"""Module: a node in the tree of layers. Its attributes are the tree; nothing has to be registered.

A Parameter among the attributes is a parameter; an array is a buffer (state that is saved but not trained); a Module,
or one in a list or dict, is a child. They are in the order in which they were written.
"""

import operator
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, zip_longest
from typing import Any, Self

from minires.backend import Array, HostArray, to_device, to_host, xp
from minires.ops.forms import has_forms
from minires.tensor import Tensor

MOST = 12  # mismatches that an error names


class Parameter(Tensor):
    """A tensor that a module owns and an optimizer changes in place, together with the array that it was made from.

    place  set by a faster form that writes the gradients of many parameters into one array
    """

    __slots__ = ("place",)

    def __init__(self, data: Any, *, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)


class Module:
    """The base of all layers and models: write forward(), call the module."""

    training, frozen = True, False

    def forward(self, *inputs: Any, **options: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    @has_forms
    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self.forward(*inputs, **options)

    # The tree of modules.

    def named_attributes(self) -> Iterator[tuple[str, Any]]:
        """Yield (name, value) of each attribute; items of a list, tuple or dict are name.0, name.key."""
        for name, value in vars(self).items():
            yield from _opened(name, value)

    def children(self) -> list[tuple[str, "Module"]]:
        """Return (name, module) of each module right below this one."""
        return [
            (name, value) for name, value in self.named_attributes() if isinstance(value, Module)
        ]

    def modules(self, name: str = "") -> list[tuple[str, "Module"]]:
        """Return (name, module) of this module and all below it; a module that is shared is listed once."""
        return [pair for pair in _walk(self, name, set()) if isinstance(pair[1], Module)]

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield (name, Parameter) of all in the tree; one that is shared is listed once."""
        return (
            (name, value) for name, value in _walk(self, "", set()) if isinstance(value, Parameter)
        )

    @has_forms
    def parameters(self) -> list[Parameter]:
        """Return all Parameters in the tree, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Yield (name, array) of all state that is saved but not trained, such as running statistics."""
        return ((name, value) for name, value in _walk(self, "", set()) if _is_buffer(value))

    # Modes and types.

    def train(self, mode: bool = True) -> Self:
        """Switch the tree to training mode, except what is frozen: batch norm and dropout depend on it. Returns the module."""
        for _, module in self.modules():
            module.training = mode and not module.frozen
        return self

    def eval(self) -> Self:
        """Switch the tree to evaluation mode. Returns the module."""
        return self.train(False)

    def freeze(self, frozen: bool = True) -> Self:
        """Stop the tree from learning: no parameter requires a gradient, and every module stays in evaluation mode, so that the
        statistics of batch norm don't change either. With False it learns again. Returns the module.

        If nothing before it learns either, no graph is recorded for it: it needs no backward pass and saves nothing.
        """
        for _, module in self.modules():
            module.frozen, module.training = frozen, not frozen
        for parameter in self.parameters():
            parameter.requires_grad = not frozen
        return self

    def astype(self, dtype: Any) -> Self:
        """Convert all parameters and buffers of floats to a different dtype of floats, such as "float64". Returns the module.

        Raises  TypeError: a dtype that is not of floats.
        """
        if xp.dtype(dtype).kind != "f":
            raise TypeError(
                f"astype: expected a dtype of floats, got {dtype}; ints and bools in a module stay unchanged"
            )
        # id -> (array, the new one): what two modules share, they still share afterwards.
        new = dict[int, tuple[Array, Array]]()

        def changed(value: Any) -> Any:
            """Return the value in the new dtype; lists and dicts are changed in place."""
            if isinstance(value, dict):
                value.update((key, changed(item)) for key, item in value.items())
            elif isinstance(value, list):
                value[:] = map(changed, value)
            elif isinstance(value, tuple):
                parts = [*map(changed, value)]
                same = all(map(operator.is_, parts, value))
                return value if same else getattr(value, "_make", type(value))(parts)
            elif _is_buffer(value) and value.dtype.kind == "f":
                return new.setdefault(id(value), (value, value.astype(dtype, copy=False)))[1]
            return value

        for parameter in self.parameters():
            before, parameter.data, parameter.grad = parameter.dtype, changed(parameter.data), None
            if parameter.dtype != before:
                parameter.written_by("astype()")
        for _, module in self.modules():
            changed(vars(module))
        return self

    # The state that is saved.

    def state_dict(self) -> dict[str, HostArray]:
        """Return {name: NumPy array} of all parameters and buffers, as copies, in the order of the tree."""
        return {name: to_host(array).copy() for name, array in _state(self)}

    def load_state_dict(self, state: Mapping[str, HostArray]) -> None:
        """Write the arrays of `state` into the parameters and buffers. Either all of them are written or none.

        Raises  ValueError: it names arrays that are missing or unknown, of the wrong shape, or of a dtype that would lose
        digits (complex numbers, or floats for ints).
        """
        own = dict(_state(self))
        missing = [f"missing: {name}" for name in own if name not in state]
        unknown = [f"unknown: {name}" for name in state if name not in own]
        misfits = {
            name: _misfit(state[name], array) for name, array in own.items() if name in state
        }
        other = [f"{name}: {misfit}" for name, misfit in misfits.items() if misfit]
        if missing or unknown or other:
            raise ValueError(
                f"the state does not fit {type(self).__name__}:\n  "
                + "\n  ".join(_some(missing, unknown, other))
            )
        new = {
            name: to_device(state[name]).astype(array.dtype, copy=False)
            for name, array in own.items()
        }
        for parameter in self.parameters():
            parameter.written_by("load_state_dict()")
        for name, array in own.items():
            array[...] = new[name]

    # The text that print() shows.

    def describe(self) -> str:
        """Return the text in the brackets of this layer's line in the tree."""
        return ""

    def __repr__(self) -> str:
        return "\n".join(_lines(self, "", set()))


class Sequential(Module):
    """Modules one after the other. They are named 0, 1, 2, ..."""

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(f"Sequential: expected a Module as part {i}, got {module!r}")
            setattr(self, str(i), module)

    @has_forms
    def forward(self, x: Any) -> Any:
        for module in [value for value in vars(self).values() if isinstance(value, Module)]:
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(list(self.children()))

    def __getitem__(self, i: int) -> Module:
        return [module for _, module in self.children()][i]


def _is_buffer(value: Any) -> bool:
    """Return True for an array: a NumPy scalar has a dtype too, but nothing can be written into it."""
    return hasattr(value, "dtype") and hasattr(value, "__setitem__")


def _some(*kinds: list[str]) -> list[str]:
    """Return the first faults of each kind: if all names are missing, the unknown ones show why."""
    in_turn = [fault for faults in zip_longest(*kinds) for fault in faults if fault]
    told = [fault for fault in chain(*kinds) if fault in in_turn[:MOST]]
    return told + ([f"and {len(in_turn) - MOST} more"] if len(in_turn) > MOST else [])


def _misfit(value: Any, array: Array) -> str | None:
    """Return the reason why `value` cannot be written into `array`, or None if it can."""
    if not hasattr(value, "shape"):
        return f"expected an array of shape {array.shape}, got a {type(value).__name__}"
    if tuple(value.shape) != array.shape:
        return f"expected shape {array.shape}, got {tuple(value.shape)}"
    fits = xp.can_cast(to_device(value).dtype, array.dtype, "same_kind")
    return None if fits else f"expected {array.dtype}, got {value.dtype}"


@has_forms
def _opened(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, value), or for a list, tuple or dict each item with its path, however deep."""
    if isinstance(value, (dict, list, tuple)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _opened(f"{name}.{key}", item)
    else:
        yield name, value


@has_forms
def _walk(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of each module, parameter and buffer in a value, in the order written, each once."""
    if isinstance(value, (dict, list, tuple)):
        parts: Iterable = value.items() if isinstance(value, dict) else enumerate(value)
    elif isinstance(value, (Module, Parameter)) or _is_buffer(value):
        if id(value) in seen:
            return
        seen.add(id(value))
        yield path, value
        parts = vars(value).items() if isinstance(value, Module) else ()
    else:
        return
    for key, part in parts:
        yield from _walk(part, f"{path}.{key}" if path else key, seen)


def _state(module: Module) -> Iterator[tuple[str, Array]]:
    """Yield (name, array) of all that is saved."""
    for name, value in _walk(module, "", set()):
        if isinstance(value, Parameter):
            yield name, value.data
        elif not isinstance(value, Module):
            yield name, value


def _lines(module: Module, name: str, above: set[int]) -> Iterator[str]:
    """Yield a line per module of a tree: name, class, shapes, number of parameters. A module that contains itself ends there."""
    shapes = [
        f"{key} {value.shape}"
        for key, value in module.named_attributes()
        if isinstance(value, Parameter)
    ]
    count = sum(parameter.size for parameter in module.parameters())
    line = f"{name}: " * bool(name) + f"{type(module).__name__}({module.describe()})"
    yield line + "".join(f"  {shape}" for shape in shapes) + f"  {count:,} parameters" * bool(count)
    if id(module) not in above:
        for key, child in module.children():
            yield from ("  " + line for line in _lines(child, key, above | {id(module)}))
