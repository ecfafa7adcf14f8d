"""Exercise 08b: the parameters of a tree of modules, and what goes wrong with them."""

from minires.nn import Module, Parameter


def parameters(module):
    """All Parameters of a module and of everything below it, each once: a list.

    module  a Module    result  the Parameters themselves
    """
    found, seen = [], set()

    def walk(value):
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, Parameter):
            found.append(value)
        elif isinstance(value, Module):
            for part in vars(value).values():
                walk(part)
        elif isinstance(value, dict):
            for part in value.values():
                walk(part)
        elif isinstance(value, (list, tuple)):
            for part in value:
                walk(part)

    walk(module)
    return found


def _parts(value):
    if isinstance(value, Module):
        return list(vars(value).values())
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else []


def _walk(
    module,
    *,
    parts=_parts,
    wanted=lambda value: isinstance(value, Parameter),
    deep=True,
    twice=False,
):
    """Return the same list, with parts(value) and wanted(value); unless `deep`, of this module alone."""
    found, seen = [], set()

    def walk(value, depth):
        if id(value) in seen and not (twice and isinstance(value, Parameter)):
            return
        seen.add(id(value))
        if wanted(value):
            found.append(value)
        elif depth == 0 or deep:
            for part in parts(value):
                walk(part, depth + 1)

    walk(module, 0)
    return found


def lists_missed(module):
    """lists and tuples are not opened: a list of blocks is never trained"""
    return _walk(
        module, parts=lambda value: [] if isinstance(value, (list, tuple)) else _parts(value)
    )


def dicts_missed(module):
    """dicts are not opened: their contents are never trained"""
    return _walk(module, parts=lambda value: [] if isinstance(value, dict) else _parts(value))


def opened_once(module):
    """a list is opened, but not a list inside it"""

    def parts(value):
        if isinstance(value, Module):
            return [
                part
                for one in vars(value).values()
                for part in ([one] if isinstance(one, Module) else _parts(one) or [one])
            ]
        return []

    return _walk(module, parts=parts)


def duplicates(module):
    """a parameter that occurs in two places is returned twice: each step would update it twice"""
    return _walk(module, twice=True)


def tensors_too(module):
    """any tensor counts: only Parameters should"""
    return _walk(module, wanted=lambda value: hasattr(value, "requires_grad"))


def buffers_too(module):
    """arrays count too: running statistics are saved, but not trained"""
    return _walk(
        module,
        wanted=lambda value: (
            isinstance(value, Parameter) or (hasattr(value, "dtype") and not hasattr(value, "grad"))
        ),
    )


def frozen_left_out(module):
    """parameters that require no gradient are left out: they are still parameters, and may be unfrozen later"""
    return [parameter for parameter in _walk(module) if parameter.requires_grad]


def level_by_level(module):
    """a module's own parameters come before those of its submodules: they should come in the order of the attributes"""
    found, level, seen = [], [module], set()
    while level:
        below = []
        for value in level:
            if id(value) not in seen:
                seen.add(id(value))
                found += [value] if isinstance(value, Parameter) else []
                below += [] if isinstance(value, Parameter) else _parts(value)
        level = below
    return found


def circle(module):
    """what was seen is not remembered: if a module has its parent as an attribute, the recursion never ends"""
    found = []

    def walk(value):
        if isinstance(value, Parameter) and not any(value is one for one in found):
            found.append(value)
        elif not isinstance(value, Parameter):
            for part in _parts(value):
                walk(part)

    walk(module)
    return found


def own_only(module):
    """submodules are not searched"""
    return _walk(module, deep=False)
