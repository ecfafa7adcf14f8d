"""The faster forms. Each file names the plain functions that it replaces and equals. Nothing plain imports this package.

`import minires` imports it, which registers its forms (minires.ops.forms). `ops.plain()` switches all of them off,
`ops.without("winograd")` one of them; `minires info` lists those in use.
"""

# Forms registered later are tried earlier.
from minires.fast import heap, memory, parts, products, conv
import minires.fast.cuda.columns
from minires.fast import winograd, channels, onepass, pool, update, blocks, packed
import minires.fast.cuda.augment
import minires.fast.cuda.loss
import minires.fast.cuda.norm
import minires.fast.cuda.pool
import minires.fast.cuda.update
import minires.fast.cuda.graph
import minires.fast.cuda.winograd
from minires.fast import half  # autocast comes before them all

__all__: list[str] = []  # nothing to import: a form runs when its plain function is called
heap.keep()
