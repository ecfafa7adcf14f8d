"""A figure that moves in steps: one SVG scene, the changes of each step, and a sentence that describes it."""

import base64
import html
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?")
# Those that JavaScript writes as they are written here; others stay text.
SAME = re.compile(r"0|-?[1-9]\d{0,8}|-?(?:0|[1-9]\d{0,5})\.\d{0,5}[1-9]")
LONG = 60  # characters; what is longer often occurs again, and is kept whole


@dataclass(frozen=True)
class Frame:
    """One step: a sentence that describes it, and the values that parts of the scene have in it.

    changes  "name.attribute" -> value. A part that a frame doesn't mention is as the scene draws it
    """

    say: str
    changes: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A control besides the step: a label, and the values that it chooses among."""

    label: str
    values: tuple
    slider: bool = False


class Stepper:
    """A figure that a notebook shows by itself, with buttons, a slider and the keyboard to move through its steps.

    scene  the drawing    title  what it shows, in a few words
    runs  one list of frames for each combination of the choices, those of the last choice side by side
    at_end  whether it opens at the last step. Where no script runs, a picture of the last step of the first run is seen

    Raises  ValueError: the number of runs does not fit the choices, or a run is empty.
    """

    def __init__(self, scene, runs, choices=(), *, title, at_end=False):
        self.runs, self.choices, self.title = [list(run) for run in runs], tuple(choices), title
        expected = math.prod(len(choice.values) for choice in self.choices)
        if len(self.runs) != expected or not all(self.runs):
            raise ValueError(
                f"Stepper: expected {expected} runs of at least one frame, got {len(self.runs)} "
                f"with {[len(run) for run in self.runs]} frames"
            )
        keys = dict.fromkeys(key for run in self.runs for frame in run for key in frame.changes)
        start = {key: scene.get(key) for key in keys}
        data = _packed(start, self.runs)
        data |= {"title": title, "atEnd": at_end}
        data["choices"] = [
            {"label": choice.label, "values": [str(value) for value in choice.values], "slider": choice.slider}
            for choice in self.choices
        ]  # fmt: skip
        self._data = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        scene.change({**start, **self.runs[0][-1].changes})
        scene.root.set("role", "img")
        scene.root.set("aria-label", self._alt())
        self._svg = scene.svg()

    def __repr__(self):
        counts = sorted({len(run) for run in self.runs})
        steps = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        text = f"{self.title}: a stepper of {steps} step{'s' * (counts[-1] != 1)}"
        for choice in self.choices:
            text += f"; {choice.label}: {', '.join(map(str, choice.values))}"
        return f"{text}. {self.runs[0][-1].say}"

    def _alt(self):
        return f"{self.title}. {self.runs[0][-1].say}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self._html(), "text/plain": repr(self)}

    def _html(self):
        picture = base64.b64encode(self._svg.encode()).decode()
        data = self._data.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")
        return (
            f"<style>{_asset('player.css')}</style>\n"
            f"<div class=\"minires-steps\" data-steps='{data}'>\n"
            f'<img alt="{html.escape(self._alt())}" src="data:image/svg+xml;base64,{picture}">\n'
            f"</div>\n<script>{_asset('player.js')}</script>"
        )


def _asset(name):
    """Return a file of this package without its comments and indentation."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    stripped = [line.strip() for line in lines]
    return "\n".join(line for line in stripped if line and not line.startswith(("//", "/*")))


def _packed(start, runs):
    """Return the frames as small JSON: each holds only what differs from the one before it.

    A text is the number of a template, and what goes into its gaps: "row 3" becomes [t, 3], where template t is "row {}".
    A frame is [sentence, slot, text, slot, text, ...], and slots are names and attributes of the scene.
    """
    templates, slots = {}, {key: i for i, key in enumerate(start)}

    def text(value, whole=False):
        found = NUMBER.findall(value) if not whole and "{}" not in value else []
        template = NUMBER.sub("{}", value) if found else value
        index = templates.setdefault(template, len(templates))
        gaps = [json.loads(gap) if SAME.fullmatch(gap) else gap for gap in found]
        return [index, *gaps] if gaps else index

    packed = []
    for run in runs:
        before, frames = start, []
        for frame in run:
            now = {**start, **frame.changes}
            row = [text(frame.say)]
            for key, slot in slots.items():
                if now[key] != before[key]:
                    row += [slot, text(now[key], len(now[key]) > LONG)]
            frames.append(row)
            before = now
        packed.append(frames)
    base = [text(value) for value in start.values()]
    return {"slots": list(slots), "base": base, "runs": packed, "templates": list(templates)}
