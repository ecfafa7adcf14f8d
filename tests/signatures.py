"""A stand-in for CuPy, for machines without a GPU: it checks each call against the signature of CuPy's own function, notes it, and lets
something else answer.

CuPy's compiled functions have their signatures in their docstrings: "memcpy(intptr_t dst, intptr_t src, size_t size, int kind)".
Cython converts what it gets to these types: of 1.0 it makes the address 1 without a word. Here that is a TypeError.
"""

import inspect
import operator
import re
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

# C types of whole numbers, and their least and largest values.
WHOLE = {"int": (-(1 << 31), (1 << 31) - 1), "unsigned int": (0, (1 << 32) - 1), "size_t": (0, (1 << 64) - 1),
         **dict.fromkeys(("long long", "intptr_t", "ptrdiff_t", "Py_ssize_t", "int64_t"), (-(1 << 63), (1 << 63) - 1))}  # fmt: skip
CHECKED = {"str": str, "tuple": tuple, "bytes": bytes}
PAGE = 4096  # no address is below: what is there is nobody's
SIGNATURE = re.compile(r"(?:\w+\.)*(\w+)\((.*)\)(?: -> [\w ]+)?")
PARAMETER = re.compile(r"(?:(?P<kind>\w[\w ]*?)\s+)?(?P<name>\*{0,2}\w+)\s*(?:=\s*(?P<value>.*))?")
KINDS = inspect.Parameter


def parsed(line):
    """The inspect.Signature of the first line of a docstring; the C types are the annotations. None if it is no signature."""
    found = SIGNATURE.fullmatch(line.strip())
    if not found:
        return None
    parameters, kind = [], KINDS.POSITIONAL_OR_KEYWORD
    for part in filter(None, re.split(r",\s*(?![^()\[\]]*[)\]])", found[2])):
        part = part.replace("\\", "").strip()
        if part == "*":
            kind = KINDS.KEYWORD_ONLY
        if part in ("*", "/", "self"):
            continue
        written = PARAMETER.fullmatch(part)
        if not written:
            raise ValueError(f"a parameter of an unknown form: {part!r} in {line!r}")
        name = written["name"]
        stars = len(name) - len(name.lstrip("*"))
        parameters.append(KINDS(
            name[stars:],
            {0: kind, 1: KINDS.VAR_POSITIONAL, 2: KINDS.VAR_KEYWORD}[stars],
            default=KINDS.empty if written["value"] is None else written["value"],
            annotation=written["kind"] or KINDS.empty,
        ))  # fmt: skip
        if stars == 1:
            kind = KINDS.KEYWORD_ONLY
    return inspect.Signature(parameters)


def signature(function):
    """The signature of one of CuPy's functions or classes, compiled or not."""
    first = (function.__doc__ or "").strip().partition("\n")[0]
    found = parsed(first)
    return inspect.signature(function) if found is None else found


def check(name, wanted, arguments, options, addresses=False):
    """Check a call against a signature.

    addresses  True if each size_t is an address, as in cublas
    Raises  TypeError: a parameter is unknown or missing, or a value is not of its C type.
    """
    try:
        given = wanted.bind(*arguments, **options).arguments
    except TypeError as error:
        raise TypeError(f"{name}{wanted}: {error}") from None
    for parameter in wanted.parameters.values():
        kind = parameter.annotation
        if parameter.name not in given or not isinstance(kind, str):
            continue
        value, where = given[parameter.name], f"{name}: {kind} {parameter.name}"
        if kind in WHOLE:
            try:
                number = operator.index(value)
            except TypeError:
                raise TypeError(f"{where}: expected a whole number, got {value!r}") from None
            least, largest = WHOLE[kind]
            if not least <= number <= largest:
                raise TypeError(f"{where}: {number} does not fit")
            if addresses and kind == "size_t" and number < PAGE:
                raise TypeError(f"{where}: expected an address, got {number}")
        elif kind in CHECKED and not (isinstance(value, CHECKED[kind]) or value is None):
            raise TypeError(f"{where}: got {value!r}")


def compiled_functions(module):
    """The functions of a compiled module that cannot be imported here, since the library it is made for is not installed: only
    with their docstrings, which are in its file as they are.
    """
    contents = Path(find_spec(module).origin).read_bytes()
    lines = re.findall(rb"(?<=\0)(\w+\([\w ,*=.]*\)(?: -> \w+)?)(?=[\n\0])", contents)
    functions = {
        line.decode().partition("(")[0]: SimpleNamespace(__doc__=line.decode()) for line in lines
    }
    return SimpleNamespace(**functions)


class Held:
    """An answer: an object that stands in for one of CuPy's classes."""

    def __init__(self, real, **answers):
        self.real, self.answers = real, SimpleNamespace(**answers)


class StandIn:
    """What stands in for something of CuPy's.

    real  CuPy's own, which says what there is and how it is called
    path  its name: "cupy.cuda.runtime", or "cupy.cuda.Device()" for what is returned
    answer  what answers in its place: a function, a type or number, or an object with such attributes
    used  the set of paths, to which those that are used are added; "cupy.arange()." says that the result is an array or a number
    """

    def __init__(self, real, path, answer, used):
        self._real, self._path, self._answer, self._used = real, path, answer, used

    def __getattr__(self, name):
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        path = f"{self._path}.{name}"
        try:
            real = getattr(self._real, name)
        except ImportError:  # CuPy is installed, and CUDA's library for this module is not
            real = compiled_functions(f"cupy_backends.cuda.libs.{name}")
        except AttributeError:
            raise AttributeError(f"CuPy has no {path}") from None
        self._used.add(path)
        answer = getattr(self._answer, name, NotImplemented)
        if answer is NotImplemented:
            raise NotImplementedError(
                f"{path} is used for the first time: tests/test_cupy_calls.py has no answer"
            )
        plain = isinstance(answer, (type, str, int, float)) or answer is None
        if plain:
            self._used.add(f"{path}.")
        return answer if plain else StandIn(real, path, answer, self._used)

    def __call__(self, *arguments, **options):
        own = self._real.__call__ if self._path.endswith("()") else self._real
        check(self._path, signature(own), arguments, options, ".cublas." in self._path)
        made = (self._answer if callable(self._answer) else self._answer.call)(
            *arguments, **options
        )
        if isinstance(made, Held):
            return StandIn(made.real, f"{self._path}()", made.answers, self._used)
        self._used.add(f"{self._path}().")
        return made

    def __enter__(self):
        assert hasattr(self._real, "__enter__"), f"{self._path} is no context manager"
        return self

    def __exit__(self, *error):
        return None
