"""What goes through a net that learns, or does not: statistics of each layer's activation and of its gradient.

    with watch.layers(model) as watched:             # a step for each forward pass of the model in this block
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
    show.layers(watched.rows)
    watch.findings(watched.rows)

A layer is an op that was run while the model was: its name is the path of its module, with the op's name where that is not
the module's one job (`layer1.0.conv1`, `fc.relu`); its second run in the same pass is `fc.relu(2)`. A batch norm that adds a
shortcut and takes the maximum is one layer, `layer1.0.bn2`: its activation is what comes out after these.
While something is watched, stand-ins that note what passes take the place of the ops; results and gradients stay as they
are, bit by bit, and no activation is kept.
"""

from minires.watch.findings import findings
from minires.watch.record import Row, read, write
from minires.watch.recording import WATCHED, Watch, layers

__all__ = ["WATCHED", "Row", "Watch", "findings", "layers", "read", "write"]
