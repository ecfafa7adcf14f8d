"""Pages in Chromium, offline: steppers by keyboard, by clicks and as front ends insert them; and the page of each chapter.

The numbers that a stepper should show are computed by loops. How steppers look is in tests/test_browser_looks.py.
"""

import math
import re
from pathlib import Path

import pytest

from tests.browser import bare_page, chromium, opened, page_of, too_wide  # noqa: F401  a fixture
from tests.steppers import (
    COLUMNS,
    IMAGE,
    NORMS,
    RATES,
    WHICH,
    Figure,
    bundle,
    lesson,  # noqa: F401  a fixture
    made,
    patches,
)

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
pytestmark = pytest.mark.slow


@pytest.fixture
def page(chromium, lesson):
    """The lesson, opened. It may ask no other host for anything, and put no error on the console."""
    with opened(chromium, lesson) as (page, complaints):
        yield page
    assert complaints.errors == [] and complaints.foreign == []


def all_steps(figure, forward):
    """Yield the sentence of each step, from the first to the last."""
    figure.press("Home")
    _, steps = figure.count()
    for k in range(1, steps + 1):
        assert figure.count() == (k, steps)
        yield figure.says()
        forward()
    assert figure.count() == (steps, steps)  # at the end it stays there


def ways_forward(figure):
    return lambda: figure.press("ArrowRight"), lambda: figure.click("Next")


def test_the_walk_by_keyboard_and_by_clicks(page):
    """Along d -> c -> b -> x and d -> b -> x: the factors are 1, 3 and 2, and 10 is sent in."""
    figure, total, expected = Figure(page, "walk"), 0, []
    for path in (("d", "c", "b"), ("b",)):
        g = 10
        for name in path:
            sent = {"d": 1, "c": 3, "b": 2}[name] * g
            total += sent if name == "b" else 0
            end = (
                f"sends {sent} to x, whose gradient is now {total}."
                if name == "b"
                else f"sends {sent} to "
            )
            expected.append((name, g, end))
            g = sent
    for forward in ways_forward(figure):
        said = list(all_steps(figure, forward))
        assert len(said) == 4
        for sentence, (name, g, end) in zip(said, expected):
            assert sentence.startswith(f"{name} runs") and f"upstream gradient {g} and" in sentence and end in sentence  # fmt: skip
    figure.press("ArrowLeft")
    assert figure.count() == (3, 4) and figure.says() == said[2]
    figure.click("Back")
    assert figure.count() == (2, 4)
    figure.press("End")
    assert figure.count() == (4, 4)


def test_im2col_shows_each_patch_under_the_window_and_in_its_row(page):
    figure = Figure(page, "im2col")
    expected = [[f"{value:g}" for value in row] for _, row in patches(IMAGE, (2, 3), (1, 1), (1, 0))]  # fmt: skip
    steps = all_steps(figure, lambda: figure.press("ArrowRight"))
    for r, (sentence, row) in enumerate(zip(steps, expected, strict=True)):
        assert sentence.endswith(f"become row {r} of the im2col matrix: {' '.join(row)}.")
        assert figure.inside("k0") == row
        assert figure.inside("row") == row
        visible = [figure.root.locator(f"[data-name=r{i}] text").first.is_visible() for i in range(len(expected))]  # fmt: skip
        assert visible == [i <= r for i in range(len(expected))]


def test_col2im_adds_up(page):
    figure = Figure(page, "col2im")
    image = [[0.0] * 4 for _ in range(3)]
    steps = all_steps(figure, lambda: figure.click("Next"))
    places = [pixels for pixels, _ in patches(image, (2, 2), (1, 1), (0, 0))]
    touched = set()
    for sentence, pixels, row in zip(steps, places, COLUMNS, strict=True):
        for (i, j), value in zip(pixels, row):
            image[i][j] += value
        again = len(touched & set(pixels))
        touched |= set(pixels)
        assert (f"{again} of the pixels already" in sentence) == bool(again)
        texts = figure.texts()
        for i in range(3):
            for j in range(4):
                text = f"{image[i][j]:g}" if (i, j) in touched else ""
                assert texts[f"p{i}_{j}"] == text
        assert figure.inside("row") == [f"{value:g}" for value in row]


def test_windows_has_each_size_of_output_and_the_kernel_stays_in_the_image(page):
    figure = Figure(page, "windows")
    for k in (2, 3):
        figure.control("kernel").select_option(str(k))
        for s in (1, 2, 3):
            figure.control("stride").select_option(str(s))
            for p in (0, 1, 2):
                figure.control("padding").select_option(str(p))
                out = sum((at + p) % s == 0 for at in range(-p, 4 + p - k + 1))
                assert figure.text("title") == f"output {out}x{out}"
                assert figure.count() == (1, out * out)
                figure.press("End")
                at = (out - 1) * s
                assert f"Output ({out - 1}, {out - 1}): the kernel covers rows {at} to {at + k - 1}" in figure.says()  # fmt: skip
                kernel, image = (
                    figure.box("frame"),
                    figure.root.locator("svg path.cell").first.bounding_box(),
                )
                for place, extent in (
                    ("x", "width"),
                    ("y", "height"),
                ):  # of the middle: an outline is wide
                    middle = kernel[place] + kernel[extent] / 2 - image[place]
                    assert middle / (image[extent] / 4) == pytest.approx(at - p + k / 2, abs=0.2)


def test_the_valleys_slider_chooses_the_path(page):
    figure = Figure(page, "valley")
    slider = figure.control("learning rate")
    for i, rate in enumerate(RATES):
        if i:
            slider.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") == f"{rate:g}"
        x, y, losses = 4.0, 1.0, []
        for _ in range(13):
            losses.append(0.5 * (x * x + 20 * y * y))
            last = x, y
            x, y = x - rate * x, y - rate * 20 * y
        assert figure.count() == (13, 13)  # the whole path, unless somebody goes back
        found = re.match(r"After 12 updates: w = \((\S+), (\S+)\), loss (\S+)\. ", figure.says())
        assert [float(number) for number in found.groups()[:2]] == pytest.approx(last, abs=0.0051)
        assert float(found[3]) == pytest.approx(losses[-1], rel=0.006)
        assert ("diverges" in figure.says()) == (losses[-1] > losses[0])
        # The marker is at the end of the path.
        points = figure.root.locator("[data-name=way]").get_attribute("points").split()
        end = ", ".join(f"{number}px" for number in points[-1].split(","))
        assert end.replace(" ", "") in figure.root.locator("[data-name=here]").get_attribute("style").replace(" ", "")  # fmt: skip
    figure.press("Home")
    assert figure.says() == "At the start: w = (4, 1), loss 18."
    slider.press("ArrowLeft")
    assert figure.count()[0] == 1


def test_gradients_by_menu_and_by_arrow_keys(page):
    figure = Figure(page, "gradients")
    menu = figure.control("show")
    for name, values in NORMS.items():
        menu.select_option(name)
        assert f"{name}: the gradient norm is {values[0]:.3g} in layer 1 and {values[-1]:.3g} in layer 6" in figure.says()  # fmt: skip
        heights = [
            float(point.split(",")[1])
            for point in figure.root.locator("[data-name=line]").get_attribute("points").split()
        ]
        grows = [(a > b) - (a < b) for a, b in zip(heights, heights[1:])]  # noqa: RUF007  y points down
        assert grows == [round(math.copysign(1, values[1] - values[0])) if values[1] != values[0] else 0] * 5  # fmt: skip
    figure.press("Home")
    assert menu.input_value() == "0" and figure.says().startswith("gain 0.5")
    figure.press("ArrowRight")
    assert menu.input_value() == "1" and figure.says().startswith("gain 1.0")
    assert figure.root.get_by_role("button").count() == 0


def test_steppers_on_a_page_are_independent(page):
    before = [Figure(page, name).says() for name in WHICH]
    Figure(page, "im2col").click("Next")
    after = [Figure(page, name).says() for name in WHICH]
    assert [a != b for a, b in zip(before, after)] == [name == "im2col" for name in WHICH]
    assert page.evaluate("Object.keys(window).filter(name => /minires/i.test(name))") == []


def test_each_control_has_a_name_and_shows_when_it_has_the_focus(page):
    for name in WHICH:
        root = Figure(page, name).root
        controls = root.locator("button, input, select, figure")
        for i in range(controls.count()):
            control = controls.nth(i)
            named = "c => c.getAttribute('aria-label') || c.labels?.[0]?.innerText || c.innerText"
            assert control.evaluate(named).strip()
            control.focus()
            page.keyboard.press("Shift")  # the keyboard is in use, so the focus has to be seen
            style = "c => [c.matches(':focus-visible'), getComputedStyle(c).outlineStyle, getComputedStyle(c).outlineWidth]"
            assert control.evaluate(style) == [True, "solid", "3px"]
        assert root.locator("figure > svg").get_attribute("role") == "img"
        assert len(root.locator("figure > svg").get_attribute("aria-label")) >= 15


# How front ends put an output's HTML into the page: as text, and then they run its scripts.
AS_JUPYTERLAB = """html => {
    const host = document.body.appendChild(document.createElement("div"));
    host.innerHTML = html;
    for (const old of host.querySelectorAll("script")) {
        const script = document.createElement("script");
        script.textContent = old.textContent;
        old.replaceWith(script);
    }
}"""
AS_VSCODE = """html => {
    const host = document.body.appendChild(document.createElement("div"));
    host.innerHTML = html;
    for (const old of host.querySelectorAll("script")) {
        const script = document.createElement("script");
        script.text = old.textContent;
        host.appendChild(script);
        script.remove();
    }
}"""


def test_what_jupyterlab_leaves_of_a_stepper_in_an_untrusted_notebook_stays_a_picture(
    chromium, tmp_path
):
    """Its sanitizer removes the style, the script and the data; another notebook's script must pass such a picture by."""
    output = bundle(made()[1])["text/html"]
    rest = re.sub(r"<(style|script)>.*?</\1>| data-steps='[^']*'", "", output, flags=re.DOTALL)
    with opened(chromium, bare_page([rest], tmp_path / "untrusted.html")) as (page, complaints):
        page.evaluate(AS_JUPYTERLAB, output)
        roots = page.locator(".minires-steps")
        assert [roots.nth(i).locator("img").count() for i in (0, 1)] == [1, 0]
        assert [roots.nth(i).locator("figure").count() for i in (0, 1)] == [0, 1]
    assert complaints.errors == [] and complaints.foreign == []


@pytest.mark.parametrize("insert", [AS_JUPYTERLAB, AS_VSCODE], ids=["JupyterLab", "VS Code"])
def test_a_cell_that_runs_again_shows_a_stepper_that_works(chromium, tmp_path, insert):
    output = bundle(made()[1])["text/html"]
    with opened(chromium, bare_page([], tmp_path / "empty.html")) as (page, complaints):
        for _ in range(2):
            page.evaluate(insert, output)
        roots = page.locator(".minires-steps")
        assert roots.count() == 2
        for i, steps in enumerate((2, 4)):
            for _ in range(steps):
                roots.nth(i).get_by_role("button", name="Next").click()
        assert roots.locator("span").all_inner_texts() == ["Step 3 of 8", "Step 5 of 8"]
        assert roots.locator("figure svg").count() == 2
    assert complaints.errors == [] and complaints.foreign == []


@pytest.mark.proof
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapters_page_is_quiet_and_each_figure_has_a_text(chromium, tmp_path, path):
    """To a figure without a text nbconvert gives one that says so."""
    nbformat = pytest.importorskip("nbformat")
    converted = page_of(nbformat.read(path, as_version=4), tmp_path / f"{path.stem}.html")
    with opened(chromium, converted, width=1200) as (page, complaints):
        silent = page.locator("img").evaluate_all(
            "images => images.filter(image => image.alt.trim().length < 15 || image.alt.startsWith('No description'))"
            ".map(image => [image.alt, image.closest('.jp-Cell')?.innerText.slice(0, 80)])"
        )
        assert silent == []
        assert too_wide(page) <= 0
    assert complaints.errors == [] and complaints.foreign == []
