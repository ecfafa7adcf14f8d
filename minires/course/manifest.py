"""The manifest: the exercises in order, and their counterparts in the library. One TOML file per chapter."""

import importlib
import inspect
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minires import names

FOLDER = Path(__file__).parent / "exercises"
KINDS = ("write", "bug hunt", "write the test")
NOT_MISTAKES = ("in_engine", "hunted")  # functions of an answer file that are not mistakes


class ManifestError(ValueError):
    """An inconsistent entry of the manifest."""


@dataclass(frozen=True)
class Exercise:
    """An exercise, as its entry in the manifest defines it.

    id, name  "05c", "im2col": the learner's file is e05c_im2col.py    function  what the learner writes there, usually the name
    title  a few words    task  added to the docstring of the stub    chapter, minutes  for the learner
    needs  ids of earlier exercises    hints  a question, the formula, the shape of the code
    library  the dotted name of its counterpart, whose plain form is the reference; by default, the answer file's function of
        the same name is
    poisoned  dotted names that may not be called either, because they would give the answer away
    replaces  what it replaces in `train --mine`: by default `library`; "" for nothing
        These two name functions with forms, and so does `library` unless it is a class.
    hides  how lines of the reference's docstring begin that the stub leaves out: a formula to derive, or what no claim asks for
    imports  lines at the top of the stub    holes  in a class: the methods that the learner writes; the others stay
    """

    id: str
    name: str
    title: str
    chapter: int
    minutes: int
    hints: tuple
    kind: str = "write"
    function: str = ""
    task: str = ""
    needs: tuple = ()
    library: str = ""
    poisoned: tuple = ()
    replaces: str | None = None
    hides: tuple = ()
    imports: tuple = ()
    holes: tuple = ()

    @property
    def module(self):
        """The name of the learner's module."""
        return f"e{self.id}_{self.name}"

    @property
    def file(self):
        """The name of the learner's file."""
        return f"{self.module}.py"

    @property
    def test(self):
        """The name of the file with the claims."""
        return f"test_{self.module}.py"

    @property
    def target(self):
        """The dotted name of what it replaces in the engine, or ""."""
        return self.library if self.replaces is None else self.replaces

    def answers(self):
        """The module with the known mistakes, and the reference if it is not the library's."""
        return importlib.import_module(f"minires.course.answers.{self.module}")

    def reference(self):
        """The function or class that the learner's is compared with: of a function with forms, the plain one."""
        found = resolve(self.library) if self.library else getattr(self.answers(), self.function)
        return getattr(found, "plain", found)

    def forbidden(self):
        """The names of the functions with forms that the learner's function may not call; for a class, the methods that the learner writes."""
        whole = resolve(self.library) if self.library else None
        own = (
            [f"{self.library}.{hole}" for hole in self.holes]
            if inspect.isclass(whole)
            else [self.library]
        )
        return [form for form in map(form_name, filter(None, (*own, *self.poisoned))) if form]

    def all_mistakes(self):
        """Return the mistakes, and in a bug hunt also the function as provided."""
        hunted = getattr(self.answers(), "hunted", None)
        return {**({"hunted": hunted} if hunted else {}), **self.mistakes()}

    def mistakes(self):
        """Return key -> function: wrong ones whose docstrings complete the sentence "This is what comes out when ..."."""
        module = self.answers()
        found = {key: value for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
                 and (inspect.isroutine(value) or inspect.isclass(value)) and not key.startswith("_")}  # fmt: skip
        apart = {self.function, *NOT_MISTAKES}
        return {key: value for key, value in found.items() if key not in apart}


@cache
def exercises():
    """Return all exercises, in order: id -> Exercise.

    Raises  ManifestError: an entry has an unknown or missing key, an unknown kind, or needs that do not come before it.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["exercise"]:
            try:
                exercise = _exercise(entry)
            except TypeError as error:
                raise ManifestError(f"{path.name}, {entry.get('id', '?')}: {error}") from None
            if exercise.id in found or exercise.kind not in KINDS or len(exercise.hints) != 3:
                raise ManifestError(
                    f"{path.name}, {exercise.id}: expected a new id, a kind among {KINDS}, and three hints"
                )
            missing = [id for id in exercise.needs if id not in found]
            if missing:
                raise ManifestError(
                    f"{path.name}, {exercise.id}: needs {', '.join(missing)}, which should come before it"
                )
            found[exercise.id] = exercise
    return found


def _exercise(entry):
    entry = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    entry["task"] = entry.get("task", "").strip()
    return Exercise(**{"function": entry.get("name", ""), **entry})


def exercise(which):
    """Return an exercise by its id ("05c", or "5c"), its name ("im2col") or its file, in upper or lower case.

    Raises  ValueError: there is none; the message suggests the nearest.
    """
    word = Path(str(which)).name.casefold().removesuffix(".py").removeprefix("test_")
    word = f"0{word}" if re.fullmatch(r"\d[a-z]", word) else word
    for one in exercises().values():
        if word in (one.id, one.name, one.module):
            return one
    known = [*exercises(), *(one.name for one in exercises().values())]
    listed = [f"the {len(exercises())} that `minires exercises` lists"]
    return exercises()[names.check("exercise", str(which).casefold(), known, listed=listed)]


def resolve(dotted):
    """Return the object with a dotted name: minires.ops.conv.im2col, minires.nn.module.Module.parameters.

    Raises  ManifestError: no module has such a name.
    """
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ManifestError(f"{dotted} is in no module")


def form_name(dotted):
    """Return the name by which ops.standing_in knows the function with this dotted name; None if it has no forms."""
    forms = getattr(resolve(dotted), "forms", None)
    return forms and forms.name
