"""Solutions of 08b."""

from minires.nn import Module, Parameter
from minires.tensor import Tensor
from tests.course.kinds import right, wrong


def held(value):
    """What a value holds, as a list; None where it is nothing to look into."""
    if isinstance(value, Module):
        return list(value.__dict__.values())
    if isinstance(value, dict):
        return [value[key] for key in value]
    return [*value] if isinstance(value, (list, tuple)) else None


@right
def with_a_stack(module):
    found, seen, stack = {}, [], [module]
    while stack:
        value = stack.pop()
        if isinstance(value, Parameter):
            found.setdefault(id(value), value)
        elif held(value) is not None and not any(value is one for one in seen):
            seen.append(value)
            stack.extend(held(value)[::-1])
    return list(found.values())


@right
def by_generators(module):
    def below(value, above):
        if isinstance(value, Parameter):
            yield value
        elif not any(value is one for one in above):
            for part in held(value) or ():
                yield from below(part, [*above, value])

    return list(dict.fromkeys(below(module, [])))


@right
def opened_then_walked(module):
    def opened(value):
        if isinstance(value, (list, tuple, dict)):
            return [part for one in held(value) for part in opened(one)]
        return [value]

    def walk(module, modules, found):
        modules.add(module)
        for value in opened(list(vars(module).values())):
            if isinstance(value, Module):
                if value not in modules:
                    walk(value, modules, found)
            elif isinstance(value, Parameter) and value not in found:
                found.append(value)
        return found

    return walk(module, set(), [])


NESTED = "test_nested_modules_come_in_the_order_of_attributes"
LISTS = "test_lists_and_tuples_are_searched"
DICTS, SHARED = "test_dicts_are_searched", "test_what_is_shared_occurs_once"
OTHERS = "test_anything_else_is_skipped"


def walked(module, holds=held, keep=lambda value: isinstance(value, Parameter)):
    """Depth first, each once."""
    order, seen = [], set()
    stack = [module]
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if keep(value):
            order.append(value)
        else:
            stack += (holds(value) or [])[::-1]
    return order


@wrong(NESTED, mistake="own_only")
def attributes_alone(module):
    return [value for value in vars(module).values() if isinstance(value, Parameter)]


@wrong(LISTS, mistake="lists_missed")
def modules_and_dicts(module):
    return walked(module, lambda value: held(value) if isinstance(value, (Module, dict)) else None)


@wrong(DICTS, mistake="dicts_missed")
def modules_and_lists(module):
    return walked(module, lambda value: None if isinstance(value, dict) else held(value))


@wrong(LISTS, mistake="opened_once")
def one_level_of_lists(module):
    def holds(value):
        if not isinstance(value, Module):
            return None
        parts = []
        for part in vars(value).values():
            parts += held(part) if isinstance(part, (list, tuple, dict)) else [part]
        return parts

    return walked(module, holds)


@wrong(SHARED, mistake="duplicates")
def one_after_the_other(module):
    found, modules = [], set()

    def walk(value):
        if isinstance(value, Parameter):
            found.append(value)
        elif id(value) not in modules and held(value):
            modules.add(id(value))
            for part in held(value):
                walk(part)

    walk(module)
    return found


@wrong(OTHERS, mistake="tensors_too")
def every_tensor(module):
    return walked(module, keep=lambda value: isinstance(value, Tensor))


@wrong(OTHERS, mistake="buffers_too")
def whatever_has_numbers(module):
    return walked(
        module, keep=lambda value: isinstance(value, Parameter) or type(value).__name__ == "ndarray"
    )


@wrong("test_frozen_ones_are_parameters_too", mistake="frozen_left_out")
def those_to_be_trained(module):
    return walked(module, keep=lambda value: isinstance(value, Parameter) and value.requires_grad)


@wrong(NESTED, mistake="level_by_level")
def breadth_first(module):
    queue, seen = [module], {}
    for value in queue:
        if value is not module and id(value) in seen:
            continue
        seen[id(value)] = value
        if not isinstance(value, Parameter):
            queue += held(value) or []
    return [value for value in seen.values() if isinstance(value, Parameter)]


@wrong("test_a_module_may_have_its_parent_as_an_attribute", mistake="circle", crashes=True)
def without_memory(module):
    def below(value):
        return (
            [value]
            if isinstance(value, Parameter)
            else [one for part in held(value) or () for one in below(part)]
        )

    return list(dict.fromkeys(below(module)))


@wrong(NESTED)
def sorted_by_name(module):
    return walked(
        module,
        lambda value: (
            [vars(value)[key] for key in sorted(vars(value))]
            if isinstance(value, Module)
            else held(value)
        ),
    )


@wrong("test_a_layer_has_its_own")
def a_generator(module):
    return (parameter for parameter in with_a_stack(module))


@wrong("test_a_layer_has_its_own")
def arrays(module):
    return [parameter.data for parameter in with_a_stack(module)]


@wrong("test_a_layer_has_its_own")
def copies(module):
    return [Parameter(parameter.data) for parameter in with_a_stack(module)]


@wrong("test_equal_values_are_not_the_same_parameter")
def by_array(module):
    return list(
        {id(parameter.data): parameter for parameter in reversed(with_a_stack(module))}.values()
    )[::-1]


@wrong(SHARED)
def the_last_place_counts(module):
    return list(dict.fromkeys(one_after_the_other(module)[::-1]))[::-1]


@wrong(LISTS)
def tuples_missed(module):
    return walked(module, lambda value: None if isinstance(value, tuple) else held(value))


@wrong("test_nested_modules_come_in_the_order_of_attributes")
def weights_and_biases_by_name(module):
    return [
        value
        for value in walked(module)
        if value in [getattr(module, name, None) for name in ("weight", "bias")]
    ]


@wrong("test_trees_may_be_deep")
def eight_levels(module):
    found = {}

    def go(value, depth):
        if isinstance(value, Parameter):
            found.setdefault(id(value), value)
        for part in (held(value) or ()) if depth < 8 else ():
            go(part, depth + 1)

    go(module, 0)
    return list(found.values())


@wrong("test_objects_of_other_kinds_are_not_searched")
def sets_too(module):
    return with_a_stack_of(
        module, lambda value: [*value] if isinstance(value, set) else held(value)
    )


def with_a_stack_of(module, parts):
    found, seen, stack = {}, set(), [module]
    while stack:
        value = stack.pop()
        if isinstance(value, Parameter):
            found.setdefault(id(value), value)
        elif id(value) not in seen:
            seen.add(id(value))
            stack.extend(reversed(parts(value) or ()))
    return list(found.values())


@wrong("test_the_tree_stays_unchanged")
def number_noted_on_the_module(module):
    found = with_a_stack(module)
    module.number = len(found)
    return found
