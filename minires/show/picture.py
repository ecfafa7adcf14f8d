"""A matplotlib Figure that shows itself in a notebook, and is written whole or not at all."""

import io

from matplotlib.figure import Figure

from minires import files


class Picture(Figure):
    """A Figure that a notebook shows without being told to."""

    def _repr_png_(self):
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=110)
        return file.getvalue()

    def save(self, path):
        """Write the picture as PNG: whole, or not at all.

        Raises  OSError: it cannot be written; the message names the path and the size.
        """
        files.write(path, self._repr_png_())
