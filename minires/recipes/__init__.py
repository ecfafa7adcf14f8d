"""Settings for `minires train --recipe NAME`, one file per recipe. They are data: nothing is computed here."""

__all__: list[str] = []
