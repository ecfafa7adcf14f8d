"""Reading a pickle without running any code in it.

A pickle is a program: it names functions and calls them. Here, names are only looked up in a short list of stand-ins, which check
their arguments. A pickle made to take a long time can still do so.
"""

import pickle
import pickletools

# Modules that run programs or code, or that read and write files. Neither weights nor arrays need them.
ACTING = {
    *("_frozen_importlib", "_frozen_importlib_external", "_pickle", "_posixsubprocess", "aiohttp", "asyncio", "bdb", "cProfile"),
    *("code", "codeop", "commands", "ctypes", "distutils", "doctest", "ensurepip", "ftplib", "http", "httplib", "idlelib"),
    *("importlib", "marshal", "nt", "os", "pdb", "pickle", "pip", "pkgutil", "popen2", "posix", "profile", "pty", "pydoc"),
    *("requests", "runpy", "setuptools", "shutil", "site", "smtplib", "socket", "socketserver", "sqlite3", "subprocess", "sys"),
    *("telnetlib", "tempfile", "timeit", "trace", "urllib", "venv", "webbrowser", "xmlrpc", "zipimport"),
}  # fmt: skip
ACTING_BUILTINS = ("__import__", "breakpoint", "compile", "eval", "exec", "execfile", "input", "open")  # fmt: skip
ACTING_ANYWHERE = ("eval", "exec", "open", "popen", "system")  # functions of any module: io.open


class PickleError(ValueError):
    """A pickle is damaged, or asks for something it may not have."""


class StandIn(dict):
    """An inert object that replaces one that is not read. It takes any arguments, state and items, and keeps only items with keys.

    Subclasses, one per name, replace functions and classes; `named` is the name in the pickle.
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
        """Return the stand-in itself: a pickle may call what it made."""
        return self


class Unpickler(pickle.Unpickler):
    """Look up names in ADMITTED, and nowhere else."""

    ADMITTED = {}  # (module, name) -> what stands for it
    NEEDED = "nothing here needs"  # how the error describes a name that is not in it

    def find_class(self, module, name):
        """Return the object for a name."""
        if (module, name) in self.ADMITTED:
            return self.ADMITTED[module, name]
        return self.unknown(module, name)

    def unknown(self, module, name):
        """Reject a name that is not in ADMITTED."""
        advice = ". Do not trust this file" if acts(module, name) else ""
        raise PickleError(
            f"the pickle asks for {module}.{name}, which {self.NEEDED}: it was not run{advice}"
        )

    def persistent_load(self, _):
        """Reject an object that is outside the pickle."""
        raise PickleError("the pickle refers to something outside it")


class TolerantUnpickler(Unpickler):
    """Turn names that are not in ADMITTED into inert stand-ins, unless they would run code."""

    def __init__(self, file, **options):
        super().__init__(file, **options)
        self.stand_ins = {}

    def unknown(self, module, name):
        """Return a class that does nothing; reject a name that would run code."""
        if acts(module, name):
            super().unknown(module, name)
        named = f"{module}.{name}"
        return self.stand_ins.setdefault(named, stand_in(named))


def stand_in(named):
    """Return the class of stand-ins for a name."""
    return type("StandIn", (StandIn,), {"named": named})


def stood_for(thing):
    """Return the name that a stand-in replaces, or None if the thing is not a stand-in."""
    kind = thing if isinstance(thing, type) else type(thing)
    return kind.named if issubclass(kind, StandIn) else None


def acts(module, name):
    """Return True if a name runs code or opens files, instead of describing data.

    >>> acts("posix", "system"), acts("io", "open"), acts("io", "BytesIO"), acts("argparse", "Namespace")
    (True, True, False, False)
    """
    if module in ("builtins", "__builtin__"):
        return name.partition(".")[0] in ACTING_BUILTINS
    return module.partition(".")[0] in ACTING or name in ACTING_ANYWHERE


def load(unpickler, file, **options):
    """Return the content of the pickle at a file's current position, and move the position to its end.

    unpickler  Unpickler or a subclass    options  for it

    Raises  PickleError: the pickle asks for a name that is rejected (nothing is run), or it is damaged.
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
    """Reject two kinds of instruction that never reach find_class.

    A memo index above the number of objects so far takes that much memory. The extension registry contains objects of this process.
    """
    for i, (code, argument, _) in enumerate(pickletools.genops(file)):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > i:
            raise PickleError(
                f"the pickle asks for {argument:,} places, and contains {i:,} objects: do not trust this file"
            )
        if code.name in ("EXT1", "EXT2", "EXT4"):
            raise PickleError(
                "the pickle asks for an object from the extension registry: do not trust this file"
            )
