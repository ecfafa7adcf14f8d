"""The layout of a loop's state in a checkpoint, besides the weights, and earlier layouts.

A state is a dict of dicts of numbers and arrays. In loop.safetensors, each array is named by its
path ("optimizer/0.velocity"), and the rest is JSON, with the number of the layout:

    2  a dict for each stateful part of the loop
    1  no number in the file, and a different layout for each part
"""

from minires import __version__, nn
from minires.checkpoint import CheckpointError

LAYOUT = 2


def pack(state):
    """Split a state into (arrays, facts), for Run.save."""
    arrays, facts = _split(state)
    return arrays, {"layout": LAYOUT, **facts}


def unpack(arrays, facts):
    """Return the state that pack() split.

    Raises  CheckpointError: the layout belongs to a later version.
    """
    layout = facts.get("layout", 1)
    if layout == 1:
        return _from_layout_1(arrays, facts)
    if layout != LAYOUT:
        raise CheckpointError(
            f"the checkpoint has layout {layout}; minires {__version__} reads layouts 1 to "
            f"{LAYOUT}: update it (git pull)"
        )
    state = {name: value for name, value in facts.items() if name != "layout"}
    for path, array in arrays.items():
        *outer, name = path.split("/")
        place = state
        for part in outer:
            place = place[part]
        place[name] = array
    return state


def _split(state):
    """Return the arrays of nested dicts, by their paths, and the dicts without them."""
    arrays, facts = {}, {}
    for name, value in state.items():
        if isinstance(value, dict):
            inner, facts[name] = _split(value)
            arrays.update({f"{name}/{path}": array for path, array in inner.items()})
        elif hasattr(value, "shape"):
            arrays[name] = value
        else:
            facts[name] = value
    return arrays, facts


def _from_layout_1(arrays, facts):
    """Return the state in the present layout. That of the optimizer includes GradScaler's and Lookahead's."""
    scaler = {f"scaler.{name}": value for name, value in (facts.get("scaler") or {}).items()}
    losses, correct, count, last = facts["score"]
    meter = {"losses": losses, "correct": correct, "count": count, "last": last}
    return {
        "optimizer": {**arrays, **facts["optimizer"], **scaler, "steps": facts["step"]},
        "generator": facts["generator"],
        "meter": {"steps": facts["step"], **meter},
        "log": {"rows": facts["log"], "seconds": facts["seconds"]},
    }


class Generator:
    """The generator of nn.init, which draws weights and dropout masks."""

    def state_dict(self):
        """Return its position in the stream of random numbers."""
        return nn.init.generator().bit_generator.state

    def load_state_dict(self, state):
        """Continue from where state_dict() was called."""
        nn.init.generator().bit_generator.state = state
