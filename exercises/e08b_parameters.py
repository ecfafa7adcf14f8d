"""Exercise 08b, chapter 08, 20 minutes: the parameters of a tree of modules. Check: pytest exercises/test_e08b_parameters.py"""

from minires.nn import Module, Parameter


def parameters(module):
    """All Parameters of a module and of all that is below it, each once: a list.

    module  a Module    result  the Parameters themselves

    vars(module) is a dict of its attributes, in the order in which they were written. Among them may be Parameters, Modules,
    lists, tuples and dicts of them (of any depth), and anything else, which is passed by: numbers, None, arrays, tensors that
    are no Parameter. They come in the order of the tree: all that is in an attribute before what is in the next one. A
    Parameter or a module may stand in several places, and a module may even know the one above it. Chapter 08.
    """
    raise NotImplementedError("exercise 08b: write parameters")
