"""Exercise 08b: the parameters of a tree of modules, and what goes wrong with them."""

from minires.nn import Module, Parameter


def parameters(module):
    """All Parameters of a module and of all that is below it, each once: a list.

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
    """The same, with parts(value), wanted(value), and where not deep, of the module alone."""
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
    """dicts are not opened: what is in them is never trained"""
    return _walk(module, parts=lambda value: [] if isinstance(value, dict) else _parts(value))


def opened_once(module):
    """a list is opened, but not what lies in a list within it"""

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
    """a parameter that stands in two places comes twice: it would be updated twice in each step"""
    return _walk(module, twice=True)


def tensors_too(module):
    """any tensor counts: only a Parameter is one"""
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
    """those that require no gradient are left out: they are parameters all the same, and may thaw"""
    return [parameter for parameter in _walk(module) if parameter.requires_grad]


def level_by_level(module):
    """a module's own parameters come before those of the modules in it: they come in the order written"""
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
    """what was seen is not remembered: where a module knows the one above it, the walk never ends"""
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
    """the modules below are not looked into"""
    return _walk(module, deep=False)
