"""Exercise 08b, chapter 08, 20 minutes: the parameters of a tree of modules. Check: pytest exercises/test_e08b_parameters.py"""

from minires.nn import Module, Parameter


def parameters(module):
    """All Parameters of a module and of everything below it, each once: a list.

    module  a Module    result  the Parameters themselves

    vars(module) is a dict of its attributes, in the order in which they were set. They may be Parameters,
    Modules, lists, tuples and dicts of these (nested to any depth), instances of subclasses of all of them, and
    anything else: skip numbers, None, arrays, tensors that aren't Parameters, and objects of other classes. Of a
    dict, only the values count. The parameters come in the order of the tree: everything in one attribute before
    everything in the next. A Parameter or a module may occur in several places, and a module may even have an
    attribute that is its own parent. The tree may change between two calls.
    Leave it unchanged yourself. Chapter 08.
    """
    raise NotImplementedError("exercise 08b: write parameters")
