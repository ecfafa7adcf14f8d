"""Steppers for tests: one of each kind, the loops that say what they should show, their pages, and how a reader uses one."""

import base64
import html
import json
import re
from xml.etree import ElementTree

import pytest

from minires import show
from minires.backend import xp
from tests.browser import bare_page, page_of
from tests.test_walk import Small, sent_on_at_once

RATES = [0.02, 0.05, 0.09, 0.11]
NORMS = {f"gain {gain}": [gain**i for i in range(6)] for gain in (0.5, 1.0, 2.0)}
COLUMNS = [[r + 10.0 * k for k in range(4)] for r in range(6)]
DEPTHS = {
    "gradient norm": {"plain": [1.0, 10.0, 100.0, 1e3], "skip": [2.0, 2.0, 2.0, 2.0]},
    "variance": {"plain": [1.0, 0.1, 0.01, 0.0], "skip": [1.0, 2.0, 4.0, float("nan")]},
}
BLOCKS = [f"{stage}.{i}" for stage in (1, 2, 3) for i in range(3)]
LEFT = [805, 102, 932, 940]  # images classified correctly with one block's branch left out
LAYERS = [(3, 1), (3, 2), (2, 1), (1, 2), (3, 1)]  # kernel, stride
GAINS = [0.0, 0.5, 1.0, 3.0]
WHICH = [
    "walk",
    "im2col",
    "col2im",
    "windows",
    "valley",
    "gradients",
    "depth",
    "paths",
    "lesions",
    "receptive_field",
]


def bowl(w):
    """A valley 20 times as steep along w[1], with its gradient by hand."""
    return 0.5 * (w[0] ** 2 + 20 * w[1] ** 2), (w[0], 20 * w[1])


def patches(image, kernel, stride, padding):
    """Yield (pixels, values) of each patch by loops; pixels are those of the image, and outside of it there are zeros."""
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    for top in range(-ph, len(image) + ph - kh + 1, sh):
        for left in range(-pw, len(image[0]) + pw - kw + 1, sw):
            pixels = [(i, j) for i in range(top, top + kh) for j in range(left, left + kw)]
            inside = [0 <= i < len(image) and 0 <= j < len(image[0]) for i, j in pixels]
            yield pixels, [image[i][j] if ok else 0 for (i, j), ok in zip(pixels, inside)]


IMAGE = [[9.0, 1.5, -2.0, 7.0], [3.0, 0.0, 4.0, 8.0], [6.0, 5.0, -0.25, 2.0]]


def steppers():
    """One of each kind, at the size that a chapter shows."""
    small = Small("b", 2.0, (Small("x"),))
    yield "walk", show.steps.walk(Small("d", 1.0, (Small("c", 3.0, (small,)), small)), sent_on_at_once)  # fmt: skip
    yield "im2col", show.steps.im2col(xp.arange(25.0).reshape(5, 5), 3)
    yield "col2im", show.steps.col2im(xp.ones((9, 9)), (5, 5), 3)
    yield "windows", show.steps.windows(5)
    rates = [0.01 * i for i in range(1, 13)]
    yield "valley", show.steps.valley(bowl, (4, 1.5), rates)
    norms = {f"gain {gain}": [gain**i for i in range(20)] for gain in (0.5, 0.9, 1.0, 1.5)}
    yield "gradients", show.steps.gradients(norms)
    nets = {f"net {i}": [(0.4 + 0.3 * i) ** k for k in range(32)] for i in range(6)}
    yield "depth", show.steps.depth({"gradient norm": nets, "variance of the maps": nets})
    yield "paths", show.steps.paths(5)
    yield "lesions", show.steps.lesions(range(400, 940, 60), 1017, whole=932, names=BLOCKS)
    many = [0.5 + 0.007 * i for i in range(54)]
    yield (
        "many lesions",
        show.steps.lesions(many, 1, whole=0.9, names=[f"3.{i}" for i in range(54)]),
    )
    stem = [(7, 2), (3, 2), (3, 1), (3, 1), (3, 1)]
    yield "receptive_field", show.steps.receptive_field(stem)
    yield "many paths", show.steps.paths(54, [0.05 * i for i in range(1, 9)])


def made():
    """One stepper of each kind, in the order of WHICH, small enough to go through all its steps in a browser."""
    b = Small("b", 2.0, (Small("x"),))
    return [
        show.steps.walk(Small("d", 1.0, (Small("c", 3.0, (b,)), b, None)), sent_on_at_once, 10.0),
        show.steps.im2col(IMAGE, (2, 3), padding=(1, 0)),
        show.steps.col2im(COLUMNS, (3, 4), 2),
        show.steps.windows(4),
        show.steps.valley(bowl, (4, 1), RATES, steps=12),
        show.steps.gradients(NORMS),
        show.steps.depth(DEPTHS),
        show.steps.paths(3, GAINS),
        show.steps.lesions(LEFT, 1017, whole=932, names=BLOCKS[1:5]),
        show.steps.receptive_field(LAYERS),
    ]


def picture(stepper):
    """Return (the stepper's page, its picture as a tree, the picture's alt text)."""
    page = stepper._repr_mimebundle_()["text/html"]
    ((alt, data),) = re.findall(r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]+)">', page)  # fmt: skip
    return page, ElementTree.fromstring(base64.b64decode(data)), html.unescape(alt)


def shown(stepper):
    """Return what the page's data says: for each run the sentences, and the state of every part in each step."""
    page, _, _ = picture(stepper)
    data = json.loads(html.unescape(re.search(r"data-steps='([^']*)'", page)[1]))

    def text(packed):
        index, *gaps = packed if isinstance(packed, list) else [packed]
        pieces = data["templates"][index].split("{}") if gaps else [data["templates"][index]]
        written = [gap if isinstance(gap, str) else f"{gap:.6f}".rstrip("0").rstrip(".") for gap in gaps]  # fmt: skip
        return "".join(a + b for a, b in zip(pieces, [*written, ""]))

    found = []
    for run in data["runs"]:
        state, frames = list(data["base"]), []
        for frame in run:
            for slot, value in zip(frame[1::2], frame[2::2]):
                state[slot] = value
            frames.append((text(frame[0]), dict(zip(data["slots"], map(text, state)))))
        found.append(frames)
    return found


def bundle(stepper):
    return stepper._repr_mimebundle_()


def depends(layers, width):
    """For each layer, the pixels of a row that each element depends on, by loops from the image upwards; [{0}, {1}, ...] first."""
    rows = [[{i} for i in range(width)]]
    for kernel, stride in layers:
        below = rows[-1]
        starts = range(0, len(below) - kernel + 1, stride)
        rows.append([set().union(*below[start : start + kernel]) for start in starts])
    return rows


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """The page that nbconvert makes of a notebook with all steppers, and of each one twice in a row."""
    nbformat = pytest.importorskip("nbformat")
    outputs = [nbformat.v4.new_output("display_data", data=bundle(stepper)) for stepper in made()]
    cells = [nbformat.v4.new_code_cell("show.steps", outputs=[output]) for output in outputs]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"title": "Steppers"})
    return page_of(notebook, tmp_path_factory.mktemp("lesson") / "lesson.html")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A page with all steppers and nothing else."""
    parts = [bundle(stepper)["text/html"] for stepper in made()]
    return bare_page(parts, tmp_path_factory.mktemp("bare") / "bare.html")


class Figure:
    """A stepper on a page, as somebody who looks at it has it."""

    def __init__(self, page, name):
        self.page, self.root = page, page.locator(".minires-steps").nth(WHICH.index(name))

    def says(self):
        return self.root.locator("[aria-live=polite]").inner_text()

    def count(self):
        step, steps = re.fullmatch(r"Step (\d+) of (\d+)", self.root.locator("span").inner_text()).groups()  # fmt: skip
        return int(step), int(steps)

    def press(self, key):
        self.root.locator("figure").focus()
        self.page.keyboard.press(key)

    def control(self, label):
        return self.root.get_by_label(label, exact=True)

    def click(self, name):
        self.root.get_by_role("button", name=name).click(force=True)  # Next at the end too

    def text(self, name):
        return self.texts()[name]

    def texts(self):
        """Name -> text, of each part of the picture that has a name."""
        parts = self.root.locator("[data-name]")
        return dict(
            parts.evaluate_all("parts => parts.map(part => [part.dataset.name, part.textContent])")
        )

    def box(self, name):
        self.page.wait_for_timeout(300)  # it glides there for a quarter of a second
        return self.root.locator(f"[data-name={name}]").bounding_box()

    def inside(self, name):
        """The texts of the picture whose middle is inside a part of it."""
        around = self.box(name)
        texts = self.root.locator("svg text").evaluate_all(
            "texts => texts.map(t => [t.textContent, t.getBoundingClientRect()])"
            ".map(([text, r]) => [text, r.x + r.width / 2, r.y + r.height / 2])"
        )
        return [text for text, x, y in texts
                if around["x"] < x < around["x"] + around["width"] and around["y"] < y < around["y"] + around["height"]]  # fmt: skip


def eight_nodes():
    """Eight nodes and two leaves, with 15 * 2 runs where each path is walked: every other node uses its operand twice."""
    at = Small("x")
    for i in range(4):
        at = Small(f"node {i}a", 0.5, (at,))
        at = Small(f"node {i}b", 3.0, (at, Small("w"), at) if i == 3 else (at, at))
    return at
