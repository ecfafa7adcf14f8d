"""Predictions: the reader guesses first, and what the cell prints and shows comes after. One TOML file per chapter.

course.predict("05.3")    as the first line of a cell: its output is folded under the question
course.score(5)           how many of a chapter's guesses were right

The page keeps the score in the browser (localStorage); a guess goes nowhere else. Without a script, the output opens by hand.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
BELIEFS = ("", "true", "false", "undecided")


@dataclass(frozen=True)
class Prediction:
    """A question, and its answer.

    id  chapter and number, "05.3"    choices  what the reader chooses from    answer  the number of the right choice, from 1
    number, within  the answer, if the reader types a number, and how far a guess may be off
    why  a sentence or two that follow the guess    shows  what the cell's output contains, and what proves the answer
    belief  the verdict on a common claim that the question puts to the test: "true", "false" or "undecided"; otherwise ""
    """

    id: str
    question: str
    why: str
    shows: str
    choices: tuple = ()
    answer: int = 0
    number: float | None = None
    within: float = 0.0
    belief: str = ""

    def __post_init__(self):
        chooses = 2 <= len(self.choices) <= 4 and 1 <= self.answer <= len(self.choices)
        if chooses == (self.number is not None) or self.belief not in BELIEFS:
            raise ValueError(
                f"prediction {self.id}: expected two to four choices and the answer's number, or a number; and a belief among {BELIEFS}"
            )

    @property
    def chapter(self):
        """The chapter's number."""
        return int(self.id.split(".")[0])

    @property
    def right(self):
        """The answer as text."""
        return self.choices[self.answer - 1] if self.choices else f"{self.number:g}"


@cache
def predictions():
    """Return all predictions, in order: id -> Prediction.

    Raises  ValueError: an entry has an unknown or missing key, or ids are not numbered from 1.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("prediction", [])
        for count, entry in enumerate(entries, 1):
            entry["choices"] = tuple(entry.get("choices", ()))
            try:
                one = Prediction(**entry)
            except TypeError as error:
                raise ValueError(f"{path.name}, prediction {count}: {error}") from None
            if one.id != f"{path.stem}.{count}":
                raise ValueError(f"{path.name}: expected the id {path.stem}.{count}, got {one.id}")
            found[one.id] = one
    return found


def of_chapter(chapter):
    """Return the predictions of a chapter, in order."""
    return [one for one in predictions().values() if one.chapter == chapter]
