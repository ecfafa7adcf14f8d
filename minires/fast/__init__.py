"""The faster forms: each file says what it stands for, and equals it. Nothing plain imports this package.

`import minires` imports it, and so registers its forms (minires.ops.forms). `ops.plain()` does without all of them,
`ops.without("winograd")` without one; `minires info` lists those in use.
"""

from minires.fast import conv, heap, onepass, parts, pool, products, update  # noqa: F401
from minires.fast import winograd  # noqa: F401, I001  tried before those of conv
from minires.fast import blocks, packed  # noqa: F401
from minires.fast import half  # noqa: F401, I001  autocast comes before them all
from minires.fast import cuda  # noqa: F401

__all__: list[str] = []  # nothing to import: a form runs where its plain function is called
heap.keep()
