"""Predictions in Chromium: a guess opens the answer and counts, without a script the answer opens by hand."""

import re

import pytest

from minires.course import predictions
from minires.course.predictions import Prediction, page
from tests.browser import bare_page, chromium, opened  # noqa: F401  a fixture

pytestmark = pytest.mark.slow
TWO = Prediction("05.1", "Which, `a` or `b`?", "Because.", "3", choices=("a", "b"), answer=2)
TYPED = Prediction("05.2", "How many?", "So many.", "12", number=12, within=0.5)
NEVER = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } });"


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A page with two predictions and the score, each with its own copy of the script."""
    monkeypatch.setattr(predictions, "predictions", lambda: {"05.1": TWO, "05.2": TYPED})
    parts = [({"text/plain": "the output\n"}, {})]
    bundles = [page.bundle(TWO, parts), page.bundle(TYPED, parts), page.score(5)]
    return bare_page([one["text/html"] for one in bundles], tmp_path / "page.html")


def says(browser_page, i):
    return browser_page.locator(".minires-predict").nth(i).locator("[role=status]").text_content()


def test_a_guess_opens_the_answer_and_counts_once(chromium, lesson):
    with opened(chromium, lesson) as (found, complaints):
        first = found.locator(".minires-predict").first
        assert not first.get_by_text("the output").is_visible()
        first.get_by_role("button", name="a", exact=True).click()
        assert first.get_by_text("the output").is_visible()
        assert says(found, 0) == "✗ Not this time. In this chapter: 0 of 1 right so far."
        first.get_by_role("button", name="b", exact=True).click()
        assert says(found, 0).startswith("✓ Right. In this chapter: 0 of 1"), (
            "the first guess counts"
        )
        field = found.get_by_label("Your guess")
        for typed, told in (("11.4", "✗"), ("12,5", "✓")):
            field.fill(typed)
            field.press("Enter")
            assert says(found, 1).startswith(told), typed
        score = found.locator(".minires-score")
        assert "0 of 2 predictions right, 0 not made" in score.text_content()
        found.reload()
        assert says(found, 0) == "You guessed before: not right."
        assert not first.get_by_text("the output").is_visible()
        score.get_by_role("button").click()
        assert "0 of 2 predictions right, 2 not made" in score.text_content()
    assert complaints.errors == [] and complaints.foreign == []


def test_the_keyboard_reaches_each_choice_and_the_answer(chromium, lesson):
    with opened(chromium, lesson) as (found, _):
        found.keyboard.press("Tab")
        found.keyboard.press("Tab")
        assert found.evaluate("document.activeElement.textContent") == "b"
        found.keyboard.press("Enter")
        assert says(found, 0).startswith("✓ Right. In this chapter: 1 of 1")


def test_where_nothing_can_be_stored_the_score_lasts_as_long_as_the_page(chromium, lesson):
    lesson.write_text(
        lesson.read_text(encoding="utf-8").replace("<body>", f"<body><script>{NEVER}</script>")
    )
    with opened(chromium, lesson) as (found, complaints):
        found.locator("ol button").nth(1).click()
        assert (
            "1 of 2 predictions right, 1 not made" in found.locator(".minires-score").text_content()
        )
    assert complaints.errors == []


def test_what_a_front_end_does_not_trust_stays_a_list_and_hinders_no_other(chromium, lesson):
    text = lesson.read_text(encoding="utf-8")
    untrusted = re.sub(r"<script>.*?</script>| data-(facts|ids)='[^']*'", "", text, flags=re.DOTALL)
    lesson.write_text(untrusted + text, encoding="utf-8")
    with opened(chromium, lesson) as (found, complaints):
        boxes = found.locator(".minires-predict")
        assert [boxes.nth(i).locator("button").count() for i in range(4)] == [0, 0, 2, 1]
        boxes.nth(2).locator("button").first.click()
        scores = found.locator(".minires-score").all_text_contents()
        assert "has 2 predictions" in scores[0] and "0 of 2 predictions right" in scores[1]
    assert complaints.errors == []


def test_without_a_script_the_choices_are_a_list_and_the_answer_opens_by_hand(chromium, lesson):
    with opened(chromium, lesson, scripts=False) as (found, _):
        first = found.locator(".minires-predict").first
        assert found.locator("button").count() == 0 and first.locator("li").count() == 2
        assert not first.get_by_text("the output").is_visible()
        first.locator("summary").click()
        assert first.get_by_text("the output").is_visible()
        assert first.get_by_text("Because.").is_visible()
