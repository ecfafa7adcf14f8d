"""Strange solutions of 08b."""

import functools
import itertools
from collections import deque

from minires.nn import Module, Parameter
from tests.course.kinds import right, wrong

LAYER = "test_a_layer_has_its_own"
NESTED = "test_nested_modules_come_in_the_order_of_attributes"
SUBCLASSES = "test_subclasses_count_as_what_they_are_subclasses_of"
NAMES = "test_names_keys_and_sizes_make_no_difference"
OTHERS = "test_objects_of_other_kinds_are_not_searched"
CLASS = "test_attributes_of_the_class_and_properties_are_not_searched"
CHANGES = "test_a_tree_that_changes_is_searched_again"
SHARED = "test_what_is_shared_occurs_once"


def inside(value):
    """What a value contains."""
    if isinstance(value, Module):
        return [*vars(value).values()]
    if isinstance(value, dict):
        return [*value.values()]
    return [*value] if isinstance(value, (list, tuple)) else []


def search(module, inside=inside, is_one=lambda value: isinstance(value, Parameter)):
    """All of them, each once."""
    queue, seen, found = deque([module]), set(), []
    while queue:
        value = queue.popleft()
        if id(value) not in seen:
            seen.add(id(value))
            if is_one(value):
                found.append(value)
            else:
                queue.extendleft(reversed(inside(value)))
    return found


@right
def by_iterators_on_a_stack(module):
    found, seen, stack = {}, {id(module)}, [iter(vars(module).values())]
    while stack:
        for value in stack[-1]:
            if isinstance(value, Parameter):
                found[id(value)] = value
            elif id(value) not in seen and (parts := inside(value)):
                seen.add(id(value))
                stack.append(iter(parts))
                break
        else:
            stack.pop()
    return [*found.values()]


@right
def a_list_that_unfolds(module):
    values, seen, i = [module], set(), 0
    while i < len(values):
        value = values[i]
        if isinstance(value, Parameter):
            i += 1
        else:
            values[i : i + 1] = [] if id(value) in seen else inside(value)
            seen.add(id(value))
    return list({id(value): value for value in values}.values())


@right
def level_after_level_then_sorted(module):
    """Each with its path, which is sorted in the end; a shared one counts at the first."""
    level, seen, paths = [((), module)], {}, {}
    while level:
        below = []
        for path, value in level:
            key = id(value)
            if isinstance(value, Parameter):
                paths[key] = min(paths.get(key, (path, value)), (path, value), key=lambda x: x[0])
            elif key not in seen or path < seen[key]:
                seen[key] = path
                below += [((*path, i), part) for i, part in enumerate(inside(value))]
        level = below
    return [value for _, value in sorted(paths.values(), key=lambda pair: pair[0])]


class Search:
    """An object for each call."""

    def __init__(self):
        self.order, self.seen = {}, []

    def __call__(self, value):
        if isinstance(value, Parameter):
            self.order.setdefault(id(value), value)
        elif not any(value is one for one in self.seen):
            parts = inside(value)
            if parts:
                self.seen.append(value)
                [*map(self, parts)]
        return self


@right
def by_an_object(module):
    return list(Search()(module).order.values())


@right
def chained(module):
    def below(value, above=()):
        if isinstance(value, Parameter):
            return iter([value])
        if any(value is one for one in above):
            return iter(())
        return itertools.chain.from_iterable(below(v, (*above, value)) for v in inside(value))

    return list({id(value): value for value in below(module)}.values())


SEEN = set()


@wrong(LAYER)
def seen_as_a_default(module, seen=SEEN):
    if len(seen) > 1000:
        seen.clear()
    found = []
    for value in [module] if not isinstance(module, Module) else inside(module):
        if id(value) in seen:
            continue
        seen.add(id(value))
        found += [value] if isinstance(value, Parameter) else seen_as_a_default(value, seen)
    return found


@wrong(LAYER)
def found_on_the_function(module):
    """A list that all calls share."""
    found = vars(found_on_the_function).setdefault("found", [])
    found += [one for one in search(module) if not any(one is other for other in found)]
    return found


@wrong(CHANGES)
def kept_on_the_module(module):
    if not hasattr(module, "_found"):
        object.__setattr__(module, "_found", tuple(search(module)))
    return list(module._found)


@wrong(CHANGES)
def cached_parts(module):
    """Each module's own list is kept: new weights in it are not seen."""
    found = {}
    for value in inside(module):
        part = _of_part(value) if isinstance(value, Module) else search(value)
        found.update((id(one), one) for one in part)
    return list(found.values())


@functools.lru_cache(100)
def _of_part(part):
    return search(part)


@wrong(SUBCLASSES)
def exact_types(module):
    def parts(value):
        if isinstance(value, Module):
            return inside(value)
        return inside(value) if type(value) in (list, tuple, dict) else []

    return search(module, parts)


@wrong(SUBCLASSES)
def parameters_of_the_class_itself(module):
    return search(module, is_one=lambda value: type(value) is Parameter)


@wrong(SUBCLASSES)
def dicts_sorted(module):
    def parts(value):
        if isinstance(value, dict):
            return [value[key] for key in sorted(value, key=str)]
        return inside(value)

    return search(module, parts)


@wrong(NAMES)
def private_names_skipped(module):
    def parts(value):
        if isinstance(value, Module):
            return [part for name, part in vars(value).items() if not name.startswith("_")]
        return inside(value)

    return search(module, parts)


@wrong(NAMES)
def empty_parameters_skipped(module):
    return [one for one in search(module) if one.data.size]


@wrong(NAMES)
def vectors_and_more(module):
    return search(module, is_one=lambda value: isinstance(value, Parameter) and value.shape)


@wrong(NAMES)
def keys_as_names(module):
    def parts(value):
        if isinstance(value, dict):
            return [part for key, part in value.items() if isinstance(key, str)]
        return inside(value)

    return search(module, parts)


@wrong(OTHERS)
def whatever_has_attributes(module):
    def parts(value):
        return inside(value) or list(getattr(value, "__dict__", {}).values())

    return search(module, parts)


@wrong(OTHERS)
def whatever_can_be_iterated_over(module):
    def parts(value):
        if isinstance(value, (Module, dict)) or not hasattr(value, "__next__"):
            return inside(value)
        return list(value)

    return search(module, parts)


@wrong(OTHERS)
def keys_too(module):
    def parts(value):
        return [*value.keys(), *value.values()] if isinstance(value, dict) else inside(value)

    return search(module, parts)


@wrong(CLASS)
def attributes_of_the_class_too(module):
    def parts(value):
        if isinstance(value, Module):
            return [*inside(value), *vars(type(value)).values()]
        return inside(value)

    return search(module, parts)


@wrong(CLASS)
def by_dir(module):
    def parts(value):
        if isinstance(value, Module):
            names = [name for name in dir(value) if not name.startswith("__")]
            return [getattr(value, name) for name in names]
        return inside(value)

    return search(module, parts)


@wrong(SHARED)
def neighbours_compared(module):
    """A parameter is left out if it comes right after itself."""
    found, modules = [], set()

    def walk(value):
        if isinstance(value, Parameter):
            if not found or found[-1] is not value:
                found.append(value)
        elif id(value) not in modules:
            if isinstance(value, Module):
                modules.add(id(value))
            for part in inside(value):
                walk(part)

    walk(module)
    return found


@wrong(NESTED)
def two_levels_of_modules(module):
    """No recursion, so no circle; and nothing below."""
    found = []
    for value in inside(module):
        parts = [value] if isinstance(value, Parameter) else inside(value)
        found += [one for one in parts if isinstance(one, Parameter)]
    return list(dict.fromkeys(found))
