"""The faster forms: each file says what it stands for, and equals it. Nothing plain imports this package.

`import minires` imports it, and so registers its forms (minires.ops.forms). `ops.plain()` does without all of them,
`ops.without("winograd")` without one; `minires info` lists those in use.
"""

# A form that is registered later is tried earlier.
from minires.fast import heap, parts, products, conv, winograd, onepass, pool, update
from minires.fast import blocks, packed
from minires.fast import cuda
from minires.fast import half  # autocast comes before them all

__all__: list[str] = []  # nothing to import: a form runs where its plain function is called
heap.keep()
