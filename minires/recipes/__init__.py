"""Settings for `minires train --recipe NAME`, a file each. They are data: nothing is computed here."""

__all__: list[str] = []
