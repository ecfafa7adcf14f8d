"""Statistics of each layer's activation and gradient, in a network that learns or does not.

    with watch.layers(model) as watched:             # each forward pass of the model in this block is a step
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
    show.layers(watched.rows)
    watch.findings(watched.rows)

A layer is an op that ran during the model's forward pass. Its name is the path of its module, with the op's name if that is
not the module's one job (`layer1.0.conv1`, `fc.relu`); if it runs a second time in the same pass, that is `fc.relu(2)`.
Recording replaces the ops with stand-ins that record what passes through them. Results and gradients stay the same, bit by
bit, and no activation is kept.
"""

from minires.watch.findings import findings
from minires.watch.record import Row, read, write
from minires.watch.recording import WATCHED, Watch, layers

__all__ = ["WATCHED", "Row", "Watch", "findings", "layers", "read", "write"]
