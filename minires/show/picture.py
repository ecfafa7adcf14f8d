"""A matplotlib Figure that shows itself in a notebook and is written atomically."""

import io

from matplotlib.figure import Figure
from matplotlib.text import Text

from minires import files

DPI = 110  # pixels per inch


class Picture(Figure):
    """A Figure that a notebook shows by itself."""

    def _repr_png_(self):
        # A notebook is at most this wide, and its file should stay small.
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
