"""Reading a pickle without running what it may hold.

A pickle is a program: it names functions and calls them. Here, names are looked up in a short list of stand-ins, and nowhere else.
The stand-ins check their own arguments. A pickle that is made to take a long time can still do so.
"""

import pickle
import pickletools

# Names that run programs or code, or that read and write files. Nobody needs them among weights or arrays.
ACTING = {
    *("_pickle", "asyncio", "bdb", "code", "commands", "ctypes", "http", "httplib", "importlib", "marshal", "nt", "os", "pdb"),
    *("pickle", "pip", "posix", "pty", "requests", "runpy", "shutil", "socket", "subprocess", "sys", "timeit", "urllib", "webbrowser"),
}  # fmt: skip
ACTING_BUILTINS = ("__import__", "breakpoint", "compile", "eval", "exec", "execfile", "input", "open")  # fmt: skip


class PickleError(ValueError):
    """A pickle that is damaged, or asks for more than it may."""


class StandIn(dict):
    """An inert object in place of one that is not read. It takes any arguments, state and items; of these it keeps items by key.

    The classes derived from it, one per name, stand in for functions and classes; `named` is the name in the pickle.
    """

    named = ""

    def __new__(cls, /, *_, **__):
        """Return an instance, whatever the arguments."""
        return dict.__new__(cls)

    def _ignore(*_, **__):
        pass

    __init__ = __setstate__ = append = extend = add = _ignore
    __hash__, __eq__ = object.__hash__, object.__eq__

    def __call__(self, /, *_, **__):
        """Return the stand-in itself: what a pickle makes may be called again."""
        return self


class Unpickler(pickle.Unpickler):
    """Look up names in ADMITTED, and nowhere else."""

    ADMITTED = {}  # (module, name) -> what stands for it
    NEEDED = "nothing here needs"  # what to say of a name that is not among them

    def find_class(self, module, name):
        """Return what stands for a name."""
        if (module, name) in self.ADMITTED:
            return self.ADMITTED[module, name]
        return self.unknown(module, name)

    def unknown(self, module, name):
        """Refuse a name that is not admitted."""
        advice = ". Do not trust this file" if acts(module, name) else ""
        raise PickleError(
            f"the pickle asks for {module}.{name}, which {self.NEEDED}: it was not run{advice}"
        )

    def persistent_load(self, _):
        """Refuse an object that the pickle does not hold itself."""
        raise PickleError("the pickle refers to something outside it")


class TolerantUnpickler(Unpickler):
    """Names that are not admitted become inert stand-ins, unless they would run code."""

    def __init__(self, file, **options):
        super().__init__(file, **options)
        self.stand_ins = {}

    def unknown(self, module, name):
        """Return the stand-in for a name, a class that does nothing; refuse one that would run code."""
        if acts(module, name):
            super().unknown(module, name)
        named = f"{module}.{name}"
        return self.stand_ins.setdefault(named, stand_in(named))


def stand_in(named):
    """Return a class of stand-ins for a name."""
    return type("StandIn", (StandIn,), {"named": named})


def stood_for(thing):
    """Return the name of what a stand-in stands for, or None if the thing is no stand-in."""
    kind = thing if isinstance(thing, type) else type(thing)
    return kind.named if issubclass(kind, StandIn) else None


def acts(module, name):
    """Return True if a name is one that runs code or opens files, rather than one of data.

    >>> acts("posix", "system"), acts("argparse", "Namespace")
    (True, False)
    """
    if module in ("builtins", "__builtin__"):
        return name.partition(".")[0] in ACTING_BUILTINS
    return module.partition(".")[0] in ACTING


def load(unpickler, file, **options):
    """Return what the pickle holds that begins at the file's position, and move the file to its end.

    unpickler  Unpickler, or a class derived from it    options  for it

    Raises  PickleError: a name that may not be asked for, before any of it is run; or the pickle is damaged.
    """
    begin = file.tell()
    try:
        _check_codes(file)
        file.seek(begin)
        return unpickler(file, **options).load()
    except PickleError:
        raise
    except Exception as error:  # a damaged pickle fails in any way it likes
        raise PickleError(
            f"the pickle is damaged or cut off ({type(error).__name__}: {error})"
        ) from None


def _check_codes(file):
    """Refuse two kinds of instruction that find_class does not see.

    A memo index that is higher than the number of things so far takes that much memory; the extension registry holds objects
    of this process.
    """
    for i, (code, argument, _) in enumerate(pickletools.genops(file)):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > i:
            raise PickleError(
                f"the pickle asks for {argument:,} places, and holds {i:,} things: do not trust this file"
            )
        if code.name in ("EXT1", "EXT2", "EXT4"):
            raise PickleError(
                "the pickle asks for an object of the extension registry: do not trust this file"
            )
