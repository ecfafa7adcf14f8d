"""The commands in README.md and docs: fenced blocks, and the comments before them that say how a command is run.

A line of a block ```sh is a command, a line of a block ```console that begins with $ too, and all blocks ```python of a page
are one program. A comment right before a block says what to do differently, and why:

    <!-- not run (it needs a GPU) -->
    <!-- run with --epochs 1 (two hours otherwise): minires train -->
    <!-- stopped at "lab/tree" (a server): make lab -->
    <!-- exits with 5 (no exercise was started): pytest -->

It holds for the lines that begin with the words after the colon; without a colon, for the whole block.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BEFORE = re.compile(r"(?:<!-- (?:(?!-->).)* -->\n)+\Z", re.DOTALL)  # comments up to a block
MARK = re.compile(
    r"(?P<kind>not run|run with|stopped at|exits with)(?: (?P<value>[^(]+?))? \((?P<reason>[^()]+)\)(?:: (?P<start>.+))?"
)
INLINE = re.compile(
    r"`((?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(?:minires|make|python|pytest|pip) [^`]*|minires|pytest)`"
)


@dataclass(frozen=True)
class Mark:
    """A comment about the commands that begin with `start`: kind, value, reason."""

    kind: str
    value: str | None
    reason: str
    start: str = ""


@dataclass
class Command:
    """A command as it is printed: in which document, on which line, with its mark, and with the output that is shown."""

    document: Path
    line: int
    text: str
    language: str = "sh"
    mark: Mark | None = None
    output: list[str] = field(default_factory=list)

    @property
    def place(self):
        """Its file and line, as an editor takes them."""
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    def is_a(self, kind):
        """Return True if the command's mark is of this kind."""
        return self.mark is not None and self.mark.kind == kind


def documents():
    """Return README.md and all of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(document, text=None):
    """Return the commands of a document, in its order; a program in Python comes where its first block is.

    Raises  ValueError: a mark that cannot be read, or for which there is no command.
    """
    text = document.read_text(encoding="utf-8") if text is None else text
    found, program = [], None
    for block in FENCE.finditer(text):
        language, body = block.groups()
        line = text.count("\n", 0, block.start()) + 2
        marks = list(_marks(document, text[: block.start()]))
        made = list(_of_block(document, line, language, body))
        for mark in marks:
            chosen = [command for command in made if command.text.startswith(mark.start)]
            if not chosen:
                raise ValueError(
                    f"{document.name}:{line}: a comment is about {mark.start!r}, and no command begins so"
                )
            for command in chosen:
                command.mark = mark
        if language == "python" and not marks:
            if program is not None:
                program.text += "\n" + body
                continue
            (program,) = made
        found += made
    return found


def _marks(document, before):
    """Yield the marks in the comments that end right before a block."""
    comments = BEFORE.search(before)
    for comment in re.findall(r"<!-- (.*?) -->", comments[0] if comments else "", re.DOTALL):
        comment = " ".join(comment.split())
        if comment.startswith(("not run", "run with", "stopped at", "exits with")):
            read = MARK.fullmatch(comment)
            if read is None:
                line = before.count("\n")
                raise ValueError(
                    f"{document.name}:{line}: expected KIND VALUE (REASON): COMMAND, got {comment!r}"
                )
            value = read["value"] and read["value"].strip('"')
            yield Mark(read["kind"], value, read["reason"], read["start"] or "")


def _of_block(document, line, language, body):
    if language == "python":
        yield Command(document, line, body, "python")
    elif language == "sh":
        joined = ""
        for number, text in enumerate(body.splitlines(), line):
            if text.endswith("\\"):
                joined += text[:-1]
                continue
            command, joined = re.sub(r"(?:^|\s)\s*#.*", "", joined + text).strip(), ""
            if command:
                yield Command(document, number, command)
    elif language == "console":
        command = None
        for number, text in enumerate(body.splitlines(), line):
            if text.startswith("$ "):
                if command:
                    yield command
                command = Command(document, number, text[2:].strip())
            elif command:
                command.output.append(text)
        if command:
            yield command


def named(document):
    """Return the commands that a document names within a sentence, once each; those with placeholders in capitals are left out."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    found = dict.fromkeys(" ".join(match.split()) for match in INLINE.findall(text))
    return [
        command
        for command in found
        if not re.search(r"\.\.\.|(?<![\w=-])[A-Z]{2,}\b(?!=)", command)
    ]
