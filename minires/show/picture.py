"""A matplotlib Figure that shows itself in a notebook and is written atomically."""

import base64
import html
import io

from matplotlib.figure import Figure
from matplotlib.text import Text

from minires import files

DPI = 110  # pixels per inch


class Picture(Figure):
    """A Figure that a notebook shows by itself, with a description for those who cannot see it.

    alt  the description, the picture's alt text; by default, its titles, axes and legends
    """

    def __init__(self, *arguments, alt="", **options):
        super().__init__(*arguments, **options)
        self._alt = alt

    @property
    def alt(self):
        """The alt text."""
        return self._alt or self._labels()

    def described(self, alt):
        """Set the alt text, one or two sentences, and return the picture."""
        self._alt = " ".join(alt.split())
        return self

    def _labels(self):
        """Return the titles, the axes and the legends as text."""
        said = [self.get_suptitle()]
        for axes in self.axes:
            x, y = axes.get_xlabel(), axes.get_ylabel()
            said += [axes.get_title(), f"{y} against {x}" if x and y else x or y]
            said.append(", ".join(axes.get_legend_handles_labels()[1]))
        return "; ".join(["Figure", *dict.fromkeys(filter(None, said))])

    def _repr_mimebundle_(self, include=None, exclude=None):
        # As HTML, since notebooks give a bare PNG no alt text.
        image = base64.b64encode(self.png()).decode()
        markup = f'<img style="max-width: 100%; background: white" alt="{html.escape(self.alt)}" src="data:image/png;base64,{image}">'
        return {"text/html": markup, "text/plain": self.alt}

    def png(self):
        """Return the picture as PNG, for a notebook: at most 1000 pixels wide, as its file should stay small."""
        return self._png(min(DPI, 1000 / self.get_figwidth()))

    def _png(self, dpi):
        for text in self.findobj(Text):
            said = text.get_text()
            drawn = said.encode(errors="backslashreplace").decode()
            if drawn != said:  # a file's name that is not UTF-8, which matplotlib refuses
                text.set_text(drawn)
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=dpi)
        return file.getvalue()

    def save(self, path):
        """Write the picture as PNG, atomically.

        Raises  OSError: it cannot be written; the message names the path and the size. ValueError: the name does not end in .png.
        """
        if not str(path).lower().endswith(".png"):
            raise ValueError(f"picture: expected a name that ends in .png, got {path}")
        files.write(path, self._png(DPI))
