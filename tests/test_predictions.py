"""Predictions: each is made once, its answer is what the cell prints, and the page folds the output until then."""

import re
from collections import Counter

import pytest

from minires import course
from minires.course import predictions
from minires.course.predictions import Prediction, page
from tests import chapters, notebooks

ALL = predictions.predictions()
each_chapter = pytest.mark.parametrize("path", chapters.PATHS, ids=lambda path: path.stem)


def made(path):
    """[(id, cell)] of a chapter's predictions."""
    return [
        (id, cell)
        for cell in chapters.cells(path)
        if cell.cell_type == "code"
        for id in chapters.PREDICT.findall(cell.source)
    ]


def test_each_is_made_once_in_its_chapter_in_order():
    found = [(chapters.number(path), id) for path in chapters.PATHS for id, _ in made(path)]
    assert [id for _, id in found] == list(ALL)
    assert all(chapter == ALL[id].chapter for chapter, id in found)


@each_chapter
def test_it_is_the_first_line_of_a_cell_whose_output_proves_the_answer(path):
    for id, cell in made(path):
        assert cell.source.startswith(f'course.predict("{id}")\n'), id
        (out,) = [out for out in cell.outputs if "minires-predict" in out.get("data", {}).get("text/html", "")]  # fmt: skip
        question, output = page.text(ALL[id]), out.data["text/plain"]
        assert output.startswith(question), id
        assert ALL[id].shows and ALL[id].shows in output.removeprefix(question), id
        assert len(cell.outputs) == 1, f"{id}: something is shown outside the fold"


@each_chapter
def test_nothing_else_asks_the_reader_to_predict(path):
    assert not re.findall(r"\*\*Predict\b", chapters.markdown(path))


PARTS = {"I": (range(9), 80, 100, 15), "II": (range(9, 14), 40, 55, 12),
         "III": (range(14, 17), 24, 36, 8)}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_enough_but_not_too_many_and_a_third_of_its_beliefs_is_true(part):
    chapters_of_it, least, most, beliefs = PARTS[part]
    own = [one for one in ALL.values() if one.chapter in chapters_of_it]
    assert least <= len(own) <= most
    verdicts = Counter(one.belief for one in own if one.belief)
    assert sum(verdicts.values()) >= beliefs
    assert verdicts["true"] * 3 >= verdicts["true"] + verdicts["false"]


def test_each_prediction_belongs_to_a_part():
    assert {one.chapter for one in ALL.values()} <= {n for part, *_ in PARTS.values() for n in part}


def test_right_answers_stand_in_all_places():
    places = Counter(one.answer for one in ALL.values() if one.choices)
    assert max(places.values()) <= 0.5 * sum(places.values())


def test_set_pieces_vary():
    text = "\n".join(chapters.markdown(path) for path in chapters.PATHS)
    assert len(re.findall(r"\bit is (?:often |sometimes )said\b", text, re.IGNORECASE)) == 0


# The page and the fold themselves.

ONE = Prediction("05.1", "Which, `a` or *b*?", "Because <a>.", "3", choices=("a", "b"), answer=2)


def test_the_page_escapes_and_folds():
    parts = [({"text/plain": "x < 3\n"}, {}), ({"image/png": b"png", "text/plain": "A line."}, {"image/png": {"alt": 'A "line".'}})]  # fmt: skip
    found = page.bundle(ONE, parts)
    markup = found["text/html"]
    before, folded = markup.split("<details>")
    assert "<code>a</code> or <em>b</em>" in before and "x &lt; 3" in folded
    assert "Because &lt;a&gt;." in folded and 'alt="A &quot;line&quot;."' in folded
    assert "Because" not in before and '"answer": 2' in before.replace("&quot;", '"')
    assert found["text/plain"].endswith("x < 3\nA line.")


@pytest.mark.parametrize(
    "options",
    [
        {"choices": ("a",), "answer": 1},
        {"choices": ("a", "b"), "answer": 3},
        {"choices": ("a", "b"), "answer": 1, "number": 2.0},
        {},
        {"number": 2.0, "belief": "perhaps"},
    ],
)
def test_a_prediction_without_one_answer_is_refused(options):
    with pytest.raises(ValueError, match="prediction 05.1: expected two to four choices"):
        Prediction("05.1", "Which?", "So.", "3", **options)


def test_outside_a_notebook_the_question_is_printed(capsys):
    id = next(iter(ALL))
    course.predict(id)
    assert capsys.readouterr().out.startswith(f"Predict {id}: {ALL[id].question}")
    with pytest.raises(ValueError, match="unknown prediction '5': choose"):
        course.predict("5")


CELLS = (
    """course.predict({id!r})
print("one")
display({{"text/plain": "two"}}, raw=True)
print("three")
40 + 2""",
    """print("after")
7""",
    """course.predict({id!r})
print("so far")
raise ValueError("too far")""",
    "print('still')",
)


@pytest.mark.slow
def test_the_rest_of_a_cell_is_folded_in_order_and_the_next_is_not(tmp_path):
    import nbformat

    id = next(iter(ALL))
    made = [nbformat.v4.new_code_cell("from minires import course")]
    made += [nbformat.v4.new_code_cell(source.format(id=id)) for source in CELLS]
    made[3].metadata.tags = ["raises-exception"]
    path = tmp_path / "made.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    _, folded, after, failed, still = notebooks.run(path, tmp_path).cells
    (out,) = folded.outputs
    assert out.data["text/plain"].endswith("\n\none\ntwo\nthree\n42")
    assert "".join(notebooks.texts(after)) == "after\n7"
    assert "so far" in "".join(notebooks.texts(failed))
    assert [out.ename for out in failed.outputs if out.output_type == "error"] == ["ValueError"]
    assert "".join(notebooks.texts(still)) == "still\n"
