"""The model that weights belong to, found from their names and shapes."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from minires.backend import HostArray
from minires.models.nets import NARROW, NETS


def infer_model(state: Mapping[str, HostArray]) -> tuple[str, dict[str, Any]] | None:
    """Return (name, options) of the model in NETS, or of resnet8, that a state_dict() fits; or None.

    A net of 16, 32, 64 channels without weights on its shortcuts is treated as the paper's, option A.
    """
    shapes = {name: tuple(array.shape) for name, array in state.items()}
    if len(shapes.get("conv1.weight", ())) != 4 or len(shapes.get("fc.weight", ())) != 2:
        return None
    kernel, _, in_channels, channels = shapes["conv1.weight"]
    options = {"num_classes": shapes["fc.weight"][1], "in_channels": in_channels}
    if "layer1.conv1.weight" in shapes:
        return "resnet8", options
    blocks = {tuple(name.split(".")[:2]) for name in shapes if re.match(r"layer\d+\.\d+\.", name)}
    depths = Counter(stage for stage, _ in blocks)
    widths = tuple(shapes.get(f"{stage}.0.conv1.weight", (0,))[-1] for stage in sorted(depths))
    kind = "bottleneck" if "layer1.0.conv3.weight" in shapes else "basic"
    made = kind, tuple(depths[stage] for stage in sorted(depths)), widths
    name = next((name for name, net in NETS.items() if net == made), None)
    if name is None or channels != widths[0] or kernel not in (3, 7):
        return None
    projected = any(".downsample." in key for key in shapes)
    if not projected and widths != NARROW:
        return None  # a plain net, or one with zero-padded shortcuts: the names don't tell which
    options["shortcut"] = "B" if projected else "A"
    options["stem"] = "imagenet" if kernel == 7 else "cifar"
    if "bn.weight" in shapes:
        options["preactivation"] = True
    return name, options
