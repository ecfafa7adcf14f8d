"""Freezing parts of a network by their names, as in `--freeze`."""

from minires import names
from minires.nn import Module


def freeze(model: Module, parts: str) -> list[str]:
    """Freeze parts of a model (see Module.freeze), and return their names.

    parts  names separated by commas, such as "conv1,bn1,layer1" or "layer1.0"; or "until:layer4", for everything before layer4 in
           the order of the tree. With "until:fc", only the last layer learns

    Raises  ValueError: an unknown name, nothing comes before it, or nothing is left to learn.
    """
    modules = {name: module for name, module in model.modules() if name}
    first = [name for name in modules if "." not in name]  # enough for an error to list
    before, until, name = parts.partition("until:")
    if until:
        if before:
            raise ValueError(
                f"freeze: expected until:NAME alone, or names separated by commas, got {parts!r}"
            )
        names.check("part of the net", name, modules, listed=first)
        chosen: list[str] = []
        for other in modules:
            if other == name:
                break
            around = name.startswith(f"{other}.")
            within = chosen and other.startswith(f"{chosen[-1]}.")
            if not around and not within:
                chosen.append(other)
        if not chosen:
            raise ValueError(f"freeze: nothing comes before {name}")
    else:
        chosen = [
            names.check("part of the net", part.strip(), modules, listed=first)
            for part in parts.split(",")
        ]
    for part in chosen:
        modules[part].freeze()
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(f"freeze: {parts!r} leaves nothing to learn")
    return chosen
