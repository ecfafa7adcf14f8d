"""The files that --watch leaves in a run's folder: the rows of each layer, and their picture."""

from contextlib import contextmanager

from minires import show, watch
from minires.cli.terminal import wrapped


@contextmanager
def drawn(watched, run):
    """Context manager: at the end, in any case, save and draw the watched layers, and print what stands out.

    watched  a Watch, or None
    """
    try:
        yield
    finally:
        if watched and watched.rows:
            path, rows = run.folder / "layers.csv", watched.rows
            picture = path.with_suffix(".png")
            watch.write(path, rows)
            show.layers(rows, title=run.folder.name).save(picture)
            lines = [f"layers in {path} and {picture}", *watch.findings(rows)]
            print("\n".join(map(wrapped, lines)))
