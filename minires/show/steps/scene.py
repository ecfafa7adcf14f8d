"""An SVG drawing whose parts have names, so that a step can change them."""

from xml.etree import ElementTree

# Text and thin lines take the colour of the page; fills let it through. So a scene is readable on light and on dark.
STYLE = """
.minires-svg{color:inherit;overflow:hidden}
.minires-svg text{font:14px system-ui,sans-serif;fill:currentColor;text-anchor:middle;dominant-baseline:central}
.minires-svg .left{text-anchor:start}
.minires-svg .title{font-weight:600;text-anchor:start}
.minires-svg .small{font-size:12px}
.minires-svg .bold{font-weight:700}
.minires-svg .cell,.minires-svg .grid,.minires-svg .node,.minires-svg .leaf{fill:none;stroke:currentColor;stroke-opacity:.45}
.minires-svg .grid{stroke-opacity:.25}
.minires-svg .pad{fill:#8c8c8c;fill-opacity:.2;stroke:currentColor;stroke-opacity:.45;stroke-dasharray:3 3}
.minires-svg .now{fill:#e69f00;fill-opacity:.3;stroke:#d55e00;stroke-opacity:1;stroke-width:3}
.minires-svg .done{fill:#2b8cc4;fill-opacity:.2}
.minires-svg .edge{fill:none;stroke:currentColor;stroke-opacity:.35;stroke-width:1.5}
.minires-svg .move{transition:transform .25s}
.minires-svg .off{display:none}
.minires-svg .paper{fill:#fff}
.minires-live .paper{display:none}
@media (prefers-reduced-motion:reduce){.minires-svg .move{transition:none}}
"""


class Scene:
    """A drawing of this size. What is added with a `name` can be changed by steps, under keys such as "name.class"."""

    def __init__(self, width, height, style=""):
        self.width, self.height = round(width), round(height)
        self.root = ElementTree.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "minires-svg",
                "viewBox": f"0 0 {self.width} {self.height}",
                "width": str(self.width),
                "height": str(self.height),
            },
        )
        ElementTree.SubElement(self.root, "style").text = (STYLE + style).replace("\n", "")
        self.named = {}
        self.add("rect", "paper", width=self.width, height=self.height)

    def add(self, tag, kind="", *, inside=None, name=None, text=None, **attributes):
        """Add an element of a class `kind`, and return it. In names of attributes, _ stands for -."""
        found = {key.replace("_", "-"): number(value) for key, value in attributes.items()}
        if kind:
            found["class"] = kind
        element = ElementTree.SubElement(self.root if inside is None else inside, tag, found)
        if text is not None:
            element.text = str(text)
        if name is not None:
            element.set("data-name", name)
            self.named[name] = element
        return element

    def rect(self, x, y, width, height, kind, **options):
        """Add a rectangle."""
        return self.add("rect", kind, x=x, y=y, width=width, height=height, **options)

    def text(self, x, y, text, kind="", **options):
        """Add a text, centred at (x, y) unless its class says otherwise."""
        return self.add("text", kind, x=x, y=y, text=text, **options)

    def get(self, key):
        """Return the value of "name.attribute"; the attribute `text` is the text inside."""
        name, attribute = key.split(".")
        element = self.named[name]
        return (element.text if attribute == "text" else element.get(attribute)) or ""

    def change(self, changes):
        """Give parts new values: {"name.attribute": value}."""
        for key, value in changes.items():
            name, attribute = key.split(".")
            if attribute == "text":
                self.named[name].text = value
            else:
                self.named[name].set(attribute, value)

    def svg(self):
        """Return the drawing as SVG."""
        return ElementTree.tostring(self.root, encoding="unicode")


def number(value):
    """Return a coordinate as short text; text is returned unchanged."""
    return value if isinstance(value, str) else f"{round(value, 1):g}"


def shift(x, y):
    """Return the style that moves a part by this much."""
    return f"transform:translate({number(x)}px,{number(y)}px)"


def grid(rows, columns, cell, x=0, y=0):
    """Return the path of the lines of a table whose upper left corner is at (x, y)."""
    across = "".join(f"M{number(x)} {number(y + i * cell)}h{number(columns * cell)}" for i in range(rows + 1))  # fmt: skip
    down = "".join(f"M{number(x + j * cell)} {number(y)}v{number(rows * cell)}" for j in range(columns + 1))  # fmt: skip
    return across + down
