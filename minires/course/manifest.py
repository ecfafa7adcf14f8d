"""The manifest: which exercises there are, in order, and what each is of the library. One TOML file a chapter."""

import importlib
import inspect
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minires import names

FOLDER = Path(__file__).parent / "exercises"
KINDS = ("write", "bug hunt", "write the test")
NOT_MISTAKES = ("in_engine", "hunted")  # functions of an answer file with a part of their own


class ManifestError(ValueError):
    """An entry of the manifest that does not hold together."""


@dataclass(frozen=True)
class Exercise:
    """An exercise as its entry in the manifest has it.

    id, name  "05c", "im2col": the learner's file is e05c_im2col.py    function  what is to be written there, as a rule the name
    title  what it is, in a few words    task  added to the docstring of the stub    chapter, minutes  for the learner
    needs  ids of those that come before    hints  a question, the formula, the shape of the code
    library  the dotted name of its counterpart, whose plain form is the reference; without one the answer file has that, under
        the function's name
    poisoned  dotted names that may not be called either, as they would give the answer away
    replaces  what it stands in for in `train --mine`: without it `library`; "" for nothing
        Those in these two, and in `library` where it is no class, are functions with forms.
    imports  lines at the top of the stub    holes  of a class: the methods that are to be written; the others stay as they are
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
        """The module with the known mistakes, and the reference where the library is not it."""
        return importlib.import_module(f"minires.course.answers.{self.module}")

    def reference(self):
        """The function or class that it is compared with: of a function with forms the plain one."""
        found = resolve(self.library) if self.library else getattr(self.answers(), self.function)
        return getattr(found, "plain", found)

    def forbidden(self):
        """The names of the functions with forms that the learner's function may not call; of a class the methods to be written."""
        whole = resolve(self.library) if self.library else None
        own = (
            [f"{self.library}.{hole}" for hole in self.holes]
            if inspect.isclass(whole)
            else [self.library]
        )
        return [form for form in map(form_name, filter(None, (*own, *self.poisoned))) if form]

    def all_mistakes(self):
        """Those, and of a bug hunt the function that was given out."""
        hunted = getattr(self.answers(), "hunted", None)
        return {**({"hunted": hunted} if hunted else {}), **self.mistakes()}

    def mistakes(self):
        """Key -> function: wrong ones whose docstrings end the sentence "This is what comes out when ..."."""
        module = self.answers()
        found = {key: value for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
                 and (inspect.isroutine(value) or inspect.isclass(value)) and not key.startswith("_")}  # fmt: skip
        apart = {self.function, *NOT_MISTAKES}
        return {key: value for key, value in found.items() if key not in apart}


@cache
def exercises():
    """All of them, in order: id -> Exercise.

    Raises  ManifestError: an entry with an unknown or missing key, a kind that there is not, needs that do not come before.
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
                    f"{path.name}, {exercise.id}: the id twice, the kind none of {KINDS}, or not three hints"
                )
            missing = [id for id in exercise.needs if id not in found]
            if missing:
                raise ManifestError(
                    f"{path.name}, {exercise.id}: it needs {', '.join(missing)}, which do not come before it"
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
    """An exercise by its id ("05c"), its name ("im2col") or its file, in upper or lower case.

    Raises  ValueError: there is none; the message says which was probably meant.
    """
    word = Path(str(which)).name.casefold().removesuffix(".py").removeprefix("test_")
    for one in exercises().values():
        if word in (one.id, one.name, one.module):
            return one
    known = [*exercises(), *(one.name for one in exercises().values())]
    listed = [f"the {len(exercises())} that `minires exercises` lists"]
    return exercises()[names.check("exercise", str(which).casefold(), known, listed=listed)]


def resolve(dotted):
    """What a dotted name stands for: minires.ops.conv.im2col, minires.nn.module.Module.parameters.

    Raises  ManifestError: no module begins so.
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
    """The name by which ops.standing_in knows the function with this dotted name; None if it has no forms."""
    forms = getattr(resolve(dotted), "forms", None)
    return forms and forms.name
