"""Claims about parameters: all in the tree, in the order of the attributes, each once."""

from collections import OrderedDict, namedtuple

import numpy
from e08b_parameters import parameters

from minires.course import Check
from minires.nn import BatchNorm, Linear, Module, Parameter
from minires.tensor import Tensor

check = Check("08b")
Pair = namedtuple("Pair", "first second")


class Box(Module):
    """Return a module with these attributes."""

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)


class Scaled(Parameter):
    """A parameter of a class of its own."""


class Other:
    """Not a module."""


class Tied(Box):
    """A module with a parameter on its class, which is not an attribute of the module."""

    shared = Parameter(numpy.zeros(2))

    @property
    def alias(self):
        """The last parameter, which is found where it is."""
        return self.second.w


def p(size=2, **options):
    """Return a parameter whose values others may have as well."""
    return Parameter(numpy.zeros(size), **options)


def found(make):
    """Experiment: the parameters by name; make() returns a tree, and the names of parameters and of other values."""

    def run(parameters):
        tree, names = make()
        known = {id(value): name for name, value in names.items()}
        got = parameters(tree)
        return {
            "what it is": type(got).__name__,
            "the parameters": [known.get(id(one), "something else") for one in got],
        }

    return run


def test_a_layer_has_its_own():
    def layer():
        layer = Linear(3, 2)
        return layer, {"weight": layer.weight, "bias": layer.bias}

    check.experiment(found(layer), parameters, "Linear(3, 2)")


def test_anything_else_is_skipped():
    def norm():
        norm = BatchNorm(3)
        norm.note, norm.none, norm.seen = "text", None, Tensor(numpy.zeros(2), requires_grad=True)
        return norm, {
            "weight": norm.weight,
            "bias": norm.bias,
            "running_mean": norm.running_mean,
            "seen": norm.seen,
        }

    check.experiment(
        found(norm),
        parameters,
        "BatchNorm(3), with a string, None and a tensor among its attributes",
    )


def test_frozen_ones_are_parameters_too():
    def frozen():
        a, b = p(requires_grad=False), p()
        return Box(a=a, b=b), {"a": a, "b": b}

    check.experiment(
        found(frozen), parameters, "a module whose first parameter requires no gradient"
    )


def test_nested_modules_come_in_the_order_of_attributes():
    def nested():
        a, b, c, d = p(), p(), p(), p()
        return Box(z=a, inner=Box(y=b, innermost=Box(x=c)), a=d), {"a": a, "b": b, "c": c, "d": d}

    check.experiment(
        found(nested),
        parameters,
        "a module with a parameter, a module (which contains one too), and a parameter",
    )


def test_lists_and_tuples_are_searched():
    def listed():
        a, b, c, d = p(), p(), p(), p()
        tree = Box(blocks=[Box(w=a), Box(w=b)], pair=(c, [Box(w=d)]))
        return tree, {"a": a, "b": b, "c": c, "d": d}

    check.experiment(
        found(listed), parameters, "a list of modules, and a tuple of a parameter and a list"
    )


def test_trees_may_be_deep():
    def deep():
        a, b, end = p(), p(), p()
        lists, modules = [a], Box(w=b)
        for i in range(20):
            lists, modules = [lists] if i % 2 else {"x": lists}, Box(inner=modules)
        return Box(lists=lists, modules=modules, end=end), {"a": a, "b": b, "end": end}

    check.experiment(found(deep), parameters, "20 lists and dicts in each other, and 20 modules")


def test_dicts_are_searched():
    def keyed():
        a, b, c, d = p(), p(), p(), p()
        tree = Box(heads={"second": Box(w=a), "first": b}, more=[{"x": {"y": c}}, d])
        return tree, {"a": a, "b": b, "c": c, "d": d}

    check.experiment(
        found(keyed),
        parameters,
        "a dict of modules and parameters, and a list with a dict in a dict",
    )


def test_subclasses_count_as_what_they_are_subclasses_of():
    def kinds():
        a, b, c, d = p(), p(), p(), p()
        special = Scaled(numpy.ones(2))
        tree = Box(pair=Pair(a, Box(w=b)), ordered=OrderedDict(z=c, a=Box(w=d)), special=special)
        return tree, {"a": a, "b": b, "c": c, "d": d, "special": special}

    check.experiment(
        found(kinds),
        parameters,
        "a namedtuple, an OrderedDict, and a parameter of a subclass of Parameter",
    )


def test_names_keys_and_sizes_make_no_difference():
    def odd():
        a, b, c, d, e = p(), p(size=0), p(size=()), p(size=(1, 1)), p()
        tree = Box(
            _a=a, training=False, B=[b, [], {}, (), Box()], keyed={3: c, None: d, ("x", 1): e}
        )
        return tree, {"a": a, "b": b, "c": c, "d": d, "e": e}

    check.experiment(
        found(odd),
        parameters,
        "a private name, keys that are not strings, empty lists and modules, and parameters with no elements or one",
    )


def test_objects_of_other_kinds_are_not_searched():
    def others():
        a, hidden, end = p(), p(), p()
        other = Other()
        other.w, Other.on_the_class = hidden, hidden
        tree = Box(a=a, other=other, made=(one for one in [hidden]), keys={(hidden,): 1}, unordered={hidden}, among=["text", 3, None, numpy.zeros(2)],
                   function=lambda: hidden, kind=Box, end=[end])  # fmt: skip
        return tree, {"a": a, "hidden": hidden, "end": end}

    check.experiment(
        found(others),
        parameters,
        "an object, a generator, a key, a set, a function and a class, with a list of other values",
    )


def test_attributes_of_the_class_and_properties_are_not_searched():
    def inherited():
        a, b = p(), p()
        tree = Tied(first=a, second=Box(w=b))
        return tree, {"a": a, "b": b, "on the class": Tied.shared}

    check.experiment(
        found(inherited),
        parameters,
        "a module whose class has a parameter, and a property that returns one",
    )


def test_a_tree_that_changes_is_searched_again():
    def run(parameters):
        a, b, c = p(), p(), p()
        inner = Box(w=a)
        tree, names = Box(inner=inner, blocks=[]), {id(a): "a", id(b): "b", id(c): "c"}

        def told(module):
            return [names[id(one)] for one in parameters(module)]

        found = {"at first": told(tree)}
        tree.blocks.append(Box(w=b))
        found["with a block more"] = told(tree)
        inner.w = c
        found["with a different weight"] = told(tree)
        found["of its part"] = told(inner)
        found["of a tree with the same part"] = told(Box(inner=inner))
        parameters(tree).clear()
        return {**found, "after the list was cleared": told(tree)}

    check.experiment(run, parameters, "a tree that changes between the calls")


def test_the_tree_stays_unchanged():
    def run(parameters):
        inner = Box(w=p())
        tree = Box(inner=inner, blocks=[p()])
        parameters(tree)
        return {"its attributes": sorted(vars(tree)), "those of its part": sorted(vars(inner))}

    check.experiment(run, parameters, "a module with a module and a list")


def test_what_is_shared_occurs_once():
    def tied():
        shared, own = p(), p()
        return Box(encoder=Box(w=shared), decoder=Box(own=own, w=shared), again=shared), {
            "shared": shared,
            "own": own,
        }

    def twice():
        w = p()
        block = Box(w=w)
        return Box(first=block, blocks=[block, block]), {"w": w}

    check.experiment(found(tied), parameters, "a weight that is in two modules, and next to them")
    check.experiment(found(twice), parameters, "a module that occurs in three places")


def test_equal_values_are_not_the_same_parameter():
    def equal():
        data = numpy.ones(2)
        a, b = Parameter(data), Parameter(data)
        return Box(a=a, parts=[b]), {"a": a, "b": b}

    check.experiment(found(equal), parameters, "two parameters on the same array")


def test_a_module_may_have_its_parent_as_an_attribute():
    def circle():
        a, b = p(), p()
        inner = Box(w=b)
        tree = Box(w=a, inner=inner)
        inner.above = [tree]
        return tree, {"a": a, "b": b}

    check.experiment(found(circle), parameters, "a module whose parent is one of its attributes")
