"""The page of a prediction: question, choices, and the folded output; and that of a chapter's score. HTML, and as text."""

import html
import json
import re
from pathlib import Path

from minires.course import predictions

SCRIPT = Path(__file__).with_name("predict.js")
BOX = "border: 1px solid rgba(128, 128, 128, 0.6); border-radius: 6px; padding: 0.6em 1em; margin: 0.3em 0; max-width: 62em"


def bundle(prediction, parts):
    """Return the output of a cell: {"text/html": ..., "text/plain": ...}.

    parts  [(data, metadata)], what the cell printed and showed, each with the keys of a display message
    """
    return {"text/html": _html(prediction, parts), "text/plain": text(prediction, parts)}


def text(prediction, parts=()):
    """Return the question as text, and below it what the cell printed, and what it showed as text."""
    lines = [f"Predict {prediction.id}: {prediction.question}"]
    lines += [f"  {i}. {choice}" for i, choice in enumerate(prediction.choices, 1)]
    return "\n".join(lines) + "\n\n" + "\n".join(_plain(data).rstrip("\n") for data, _ in parts)


def score(chapter):
    """Return the page with a chapter's score: {"text/html": ..., "text/plain": ...}."""
    ids = [one.id for one in predictions.of_chapter(chapter)]
    said = f"Chapter {chapter:02d} has {len(ids)} predictions. The page keeps the score in this browser; nothing is sent anywhere."
    markup = (
        f"<div class='minires-score' style='{BOX}' data-ids='{html.escape(json.dumps(ids), quote=True)}'>"
        f"<p role='status' style='margin: 0'>{said}</p></div>"
    )
    return {"text/html": markup + _script(), "text/plain": said}


def _html(prediction, parts):
    number, count = (
        int(prediction.id.split(".")[1]),
        len(predictions.of_chapter(prediction.chapter)),
    )
    facts = {
        "id": prediction.id,
        "answer": prediction.answer,
        "number": prediction.number,
        "within": prediction.within,
    }
    choices = "".join(f"<li>{_inline(choice)}</li>" for choice in prediction.choices)
    shown = "".join(_part(data, metadata) for data, metadata in parts)
    return (
        f"<div class='minires-predict' style='{BOX}' data-facts='{html.escape(json.dumps(facts), quote=True)}'>"
        f"<p><strong>Predict ({number} of {count}).</strong> {_inline(prediction.question)}</p>"
        + (f"<ol>{choices}</ol>" if choices else "")
        + "<details><summary style='cursor: pointer'>Show the answer</summary>"
        f"<p><strong>{_inline(prediction.right)}.</strong> {_inline(prediction.why)}</p>{shown}</details></div>"
        + _script()
    )


def _part(data, metadata):
    """Return one output as HTML."""
    if "text/html" in data:
        return data["text/html"]
    if "image/png" in data:
        alt = metadata.get("image/png", {}).get("alt") or data.get("text/plain", "")
        return f'<p><img style="max-width: 100%; background: white" alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{_base64(data["image/png"])}"></p>'
    return f"<pre style='white-space: pre-wrap; font-family: monospace'>{html.escape(data.get('text/plain', ''))}</pre>"


def _base64(png):
    if isinstance(png, bytes):
        import base64

        return base64.b64encode(png).decode()
    return "".join(png.split())


def _plain(data):
    return data.get("text/plain", "")


def _inline(text):
    """Return a text as HTML: `code`, *emphasis*."""
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", text)


def _script():
    return f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"
