"""How steppers look in Chromium: still until asked, on a telephone, without scripts, and readable on any background."""

import re

import pytest

from tests.browser import bare_page, chromium, opened, too_wide  # noqa: F401  a fixture
from tests.steppers import WHICH, Figure, bare, bundle, lesson, made  # noqa: F401  fixtures

pytestmark = pytest.mark.slow


def test_nothing_moves_until_play_is_pressed(chromium, bare):
    with opened(chromium, bare, reduced_motion="reduce") as (page, _):
        page.clock.install()
        figure = Figure(page, "im2col")
        page.clock.run_for(10_000)
        assert figure.count()[0] == 1
        style = "part => getComputedStyle(part).transitionDuration"
        assert figure.root.locator("[data-name=k0]").evaluate(style) == "0s"
        figure.click("Play")
        page.clock.run_for(3100)
        assert figure.count()[0] == 3
        figure.click("Pause")
        page.clock.run_for(10_000)
        assert figure.count()[0] == 3
        figure.press("End")
        figure.click("Play")
        page.clock.run_for(100_000)
        last = figure.count()[1]
        assert figure.count() == (last, last)
        assert figure.root.get_by_role("button", name="Play").count() == 1


@pytest.mark.parametrize("name", WHICH)
def test_a_telephone_shows_all_of_it_without_scrolling(chromium, bare, name):
    with opened(chromium, bare, width=360) as (page, complaints):
        figure = Figure(page, name)
        assert too_wide(page) <= 0
        for part in ("figure > svg", ".say"):
            box = figure.root.locator(part).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    assert complaints.errors == [] and complaints.foreign == []


def test_without_scripts_pictures_are_there_and_no_dead_buttons(chromium, lesson, bare):
    for path in (lesson, bare):
        with opened(chromium, path, scripts=False) as (page, complaints):
            pictures = page.locator(".minires-steps img")
            assert pictures.count() == len(WHICH)
            for picture in pictures.all():
                assert len(picture.get_attribute("alt")) >= 15
                box = picture.bounding_box()
                assert box["width"] > 200 and box["height"] > 100
            # In a picture that failed to load, all pixels would be those of the page.
            assert len(set(pictures.first.screenshot())) > 100
            assert page.locator(".minires-steps :is(button, input, select)").count() == 0
        assert complaints.errors == [] and complaints.foreign == []


COLOURS = """root => [...root.querySelectorAll("svg *")].map(part => {
    const style = getComputedStyle(part);
    return {tag: part.tagName, kind: part.getAttribute("class") || "", fill: style.fill, share: Number(style.fillOpacity)};
})"""


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    parts = [value / 255 for value in colour]
    parts = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]  # fmt: skip
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), parts))


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((0, 0, 0), (255, 255, 255)), ((224, 224, 224), (17, 17, 17)), ((33, 33, 33), (250, 250, 250))],
)  # fmt: skip
def test_texts_stand_out_from_whatever_is_behind_them(chromium, tmp_path, ink, paper):
    style = "body{{color:rgb{};background:rgb{}}}".format(ink, paper)  # noqa: UP032
    parts = [bundle(stepper)["text/html"] for stepper in made()]
    with opened(chromium, bare_page(parts, tmp_path / "colours.html", style)) as (page, _):
        for name in WHICH:
            fills, texts = [], set()
            for part in Figure(page, name).root.evaluate(COLOURS):
                if not (found := re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", part["fill"])):
                    continue
                colour = tuple(map(int, found.groups()))
                if part["tag"] == "text":
                    texts.add((part["kind"], colour))
                elif part["tag"] in ("rect", "path") and part["kind"] not in ("paper", "head"):
                    fills.append(
                        (
                            part["kind"],
                            [
                                round(part["share"] * a + (1 - part["share"]) * b)
                                for a, b in zip(colour, paper)
                            ],
                        )
                    )
            assert texts
            for kind, colour in texts:
                if kind == "sent":  # on a pill of its own
                    behind = [fill for other, fill in fills if other == "pill"]
                else:
                    behind = [paper, *(fill for other, fill in fills if other != "pill")]
                assert behind and min(contrast(colour, fill) for fill in behind) >= 4.5
