"""The folder of exercises, and the learner's files in it."""

import ast
import importlib.util
import linecache
import sys
from pathlib import Path

from minires.course import stubs


class NoExercises(ValueError):
    """There is no folder of exercises here."""


def find(start=None):
    """Return the folder `exercises` of the clone that contains `start` (by default, the current folder), or of the one minires runs from.

    Raises  NoExercises: there is none; the message says what to do.
    """
    start = Path(start or Path.cwd()).resolve()
    own = Path(__file__).parents[2]
    for folder in (start, *start.parents, own):
        if (folder / "exercises" / "conftest.py").is_file() and list(
            (folder / "exercises").glob("test_e*.py")
        ):
            return folder / "exercises"
        if (folder / "conftest.py").is_file() and list(folder.glob("test_e*.py")):
            return folder
    raise NoExercises(
        f"no folder of exercises at {start} or above it. They come with the repository, not with the package: "
        "clone it, go there, and try again"
    )


def untouched(exercise, folder):
    """Return True if the learner's function is still as provided; comments and imports do not count."""
    try:
        text = source(Path(folder) / exercise.file)
        return _body(text, exercise.function) == _body(stubs.cut(exercise), exercise.function)
    except (
        SyntaxError,
        ValueError,
        OSError,
        RecursionError,
        MemoryError,
    ):  # ast.parse raises all of these
        return False


def as_provided(exercise, folder):
    """Return True if the learner's file is still as provided, comments included; line endings do not count."""
    try:
        return source(Path(folder) / exercise.file) == stubs.cut(exercise)
    except (SyntaxError, OSError):
        return False


def source(path):
    """Return the text of a Python file, without a byte order mark and with "\\n" as line endings.

    Raises  SyntaxError: it cannot be read as text. OSError
    """
    data = Path(path).read_bytes()
    try:
        text = importlib.util.decode_source(data)
        end = text.find("\0")
        trouble = "it has null bytes" if end >= 0 else ""
    except (SyntaxError, LookupError) as error:  # from a line that names the encoding
        end, trouble = 0, str(error)
    except UnicodeDecodeError as error:
        end, trouble = error.start, str(error)
    if trouble:
        line = data[: max(end, 0)].count(b"\n") + 1
        message = f"the file is not UTF-8 text ({trouble}): save it as UTF-8"
        raise SyntaxError(message, (str(path), line, None, None))
    return text


def _body(text, function):
    """Return the function's syntax tree as text, without its docstring."""
    for node in ast.parse(text).body:
        if getattr(node, "name", None) == function:
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            return [ast.dump(part) for part in body]
    return None


def load(path, name=None):
    """Return a new module from a file, and put it into sys.modules under its name.

    Raises  any error of running it: SyntaxError, ImportError, ...
    """
    path = Path(path)
    name = name or path.stem
    linecache.checkcache(str(path))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        # Not from cached bytecode, which a save within the same second leaves unchanged.
        exec(compile(source(path), str(path), "exec"), vars(module))
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
