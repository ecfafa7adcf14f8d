"""The choice of the form that runs: a stand-in if there is one, or a faster form that does not decline, or the plain form.

    @op                                       the plain form: in ops/, to be read
    def conv2d(x, weight, ...): ...

    @faster("conv2d", on="numpy")             a faster form, elsewhere: NotImplemented says "not for these arguments"
    def winograd(x, weight, ...): ...

    with standing_in(conv2d=mine): ...        a stand-in, for a block: a learner's function, a counter, a test's
    with plain(): ...                         only plain forms
    with without("winograd"): ...             all except these

in_use() lists the faster forms that are tried here.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any, NamedTuple, TypeVar

from minires import names
from minires.backend.settings import Settings, settings, using

Function = TypeVar("Function", bound=Callable)


class Form(NamedTuple):
    """A faster form."""

    run: Callable
    on: tuple = ()  # the libraries that it is for; empty for all
    covers: tuple = ()  # functions that the plain form calls and this one does not: it declines if they have stand-ins
    when: Callable | None = (
        None  # returns True if it runs under these settings; None: where plain() is off
    )
    prunes: bool = False  # True if it takes needs_input_grad, a bool per operand

    @property
    def names(self) -> set[str]:
        """The form's own name and that of its file; without() takes either."""
        return {self.run.__name__, self.run.__module__.rpartition(".")[2]}

    def runs(self, now: Settings) -> bool:
        """Return True if it is tried under these settings."""
        if self.on and not {now.library.name, now.library.family} & {*self.on}:
            return False
        if self.names & now.without or any(name in now.stand_ins for name in self.covers):
            return False
        return not now.plain if self.when is None else self.when(now)


class Forms:
    """The forms of one function: its plain one, and faster ones in the order in which they are tried."""

    def __init__(self, plain: Callable | None, name: str, is_op: bool) -> None:
        self.plain, self.name, self.is_op, self.faster, self.default = plain, name, is_op, (), None

    def chosen(self, now: Settings) -> list[tuple[Callable, bool]]:
        """(function, prunes) of each form that may run under these settings."""
        own = [(form.run, form.prunes) for form in self.faster if form.runs(now)]
        every = EVERY_OP.faster if self.is_op else ()
        return own + [(partial(form.run, self), form.prunes) for form in every if form.runs(now)]


FUNCTIONS = {}  # name -> Forms; filled while modules are imported, and by anyone who registers a form of their own
# Its forms take an op's Forms and its operands; they come after the op's own.
EVERY_OP = Forms(None, "every op", is_op=False)


def has_forms(plain: Function, is_op: bool = False) -> Function:
    """Decorator: other forms may run instead of this function. Its name is its qualified name, such as "BasicBlock.forward".

    `.plain` is the function itself; `.default` is what runs without a stand-in; `.here()` returns the form to try first, for
    functions whose forms never decline and that are called many times.
    """
    name = plain.__qualname__
    if name in FUNCTIONS and FUNCTIONS[name].plain.__module__ != plain.__module__:
        name = f"{plain.__module__}.{name}"  # the name is taken: a relu of your own, next to the library's
    forms = FUNCTIONS[name] = Forms(plain, name, is_op)

    @wraps(plain)
    def run(*inputs, needs_input_grad=None, stand_in=True, **options):
        now = settings()
        if stand_in and name in now.stand_ins:
            return now.stand_ins[name](*inputs, **options)
        known, chosen = now.chosen.get(name, (None, ()))
        if known is not forms.faster:  # a form was registered since
            chosen = forms.chosen(now)
            now.chosen[name] = forms.faster, chosen
        for form, prunes in chosen:
            if prunes and needs_input_grad:
                made = form(*inputs, needs_input_grad=needs_input_grad, **options)
            else:
                made = form(*inputs, **options)
            if made is not NotImplemented:
                return made
        return plain(*inputs, **options)

    def here():
        now = settings()
        known, chosen = now.chosen.get(name, (None, ()))
        if known is not forms.faster:
            chosen = forms.chosen(now)
            now.chosen[name] = forms.faster, chosen
        return now.stand_ins.get(name, chosen[0][0] if chosen else plain)

    run.plain, run.forms, run.here = plain, forms, here
    run.default = forms.default = wraps(plain)(partial(run, stand_in=False))
    return run


def op(plain: Callable) -> Any:
    """Decorator: this function from arrays to (result, backward) is an op, and other forms may run instead of it."""
    return has_forms(plain, is_op=True)


def faster(
    function: str | Callable,
    *,
    on: str | Iterable[str] = (),
    covers: Iterable[str] = (),
    when: Callable[[Settings], bool] | None = None,
) -> Callable[[Function], Function]:
    """Register a form of a function with forms, given itself or by name, to be tried before those registered earlier.

    on  the libraries that it is for: "numpy", "strict", "cupy", or several (default: all)
    covers  names of other functions that the plain form calls and this one does not
    when  takes the Settings and returns True if the form runs. Without it, a form runs wherever plain() is off

    The form takes what the plain form takes, and `needs_input_grad` if it likes. It has the same values, gradients and errors as
    the plain form, or returns NotImplemented.
    """

    name = function if isinstance(function, str) else function.forms.name
    forms = FUNCTIONS[names.check("function with forms", name, FUNCTIONS)]

    def register(run):
        libraries = (on,) if isinstance(on, str) else tuple(on)
        prunes = "needs_input_grad" in inspect.signature(run).parameters
        forms.faster = (Form(run, libraries, tuple(covers), when, prunes), *forms.faster)
        return run

    return register


def plain() -> using:
    """Context manager: run plain forms only. MINIRES_PLAIN=1 does so from the start."""
    return using(plain=True)


def without(*forms: str) -> using:
    """Context manager: switch off some faster forms, by their names or those of their files: "winograd", "blocks".

    Raises  ValueError: an unknown form.
    """
    known = sorted(
        {name for function in FUNCTIONS.values() for form in function.faster for name in form.names}
    )
    return using(
        without=settings().without | {names.check("faster form", form, known) for form in forms}
    )


def standing_in(functions: Mapping[str, Callable] | None = None, /, **named: Callable) -> using:
    """Context manager: run these functions instead of others: {name: function}, or name=function.

    Raises  ValueError: a name that is not that of a function with forms.
    """
    functions = {**(functions or {}), **named}
    for name in functions:
        names.check("function with forms", name, FUNCTIONS)
    return using(stand_ins={**settings().stand_ins, **functions})


def in_use() -> dict[str, list[str]]:
    """Return {name of each function: the names of the faster forms that are tried here, in their order}."""
    now = settings()
    forms = {
        name: [form.run.__name__ for form in function.faster if form.runs(now)]
        for name, function in FUNCTIONS.items()
    }
    return {name: found for name, found in sorted(forms.items()) if found}
