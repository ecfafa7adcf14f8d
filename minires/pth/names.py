"""Names of weights as PyTorch's trainers write them, and the network inside a larger module."""

import re

# What wrappers put before names: compiled and sharded modules anywhere in a name, parallel ones at its beginning.
INNER = re.compile(r"(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
OUTER = "module."
COUNTS = ("num_batches_tracked", "n_averaged")  # numbers that PyTorch keeps next to weights
# In names of weights that are averaged over steps, or of a second network that follows the first.
AVERAGES = ("ema", "swa", "averag", "avg", "shadow", "teacher", "momentum")


def renamed(arrays):
    """Return arrays under our names: without wrappers and counts, and with torchvision's names for the parts of a ResNet.

    Raises  ValueError: two names would become one.
    """
    kept = [name for name in arrays if name.rpartition(".")[2] not in COUNTS]
    ours = [INNER.sub("", name) for name in kept]
    while ours and all(name.startswith(OUTER) for name in ours):
        ours = [name.removeprefix(OUTER) for name in ours]
    for root in _roots(ours):
        ours = [_as_torchvision(name, root) for name in ours]
    found = {}
    for name, given in zip(ours, kept):
        if name in found:
            raise ValueError(
                f"{found[name]} and {given} would both be {name}: expected one of them"
            )
        found[name] = given
    return {name: arrays[given] for name, given in found.items()}


def _as_torchvision(name, root):
    """A name with torchvision's words for the last layer and the projections of a ResNet, whose names begin with `root`."""
    if not name.startswith(root):
        return name
    rest = re.sub(r"^linear\.(?=\w+$)", "fc.", name.removeprefix(root))
    return root + re.sub(r"^(layer\d+\.\d+\.)shortcut\.", r"\1downsample.", rest)


def behind(prefix, arrays):
    """Return the arrays whose names begin with a prefix, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def net_within(state):
    """Return the part of a state that is a ResNet, under a ResNet's names, and the names of the other arrays.

    Trainers often keep a network inside a larger module, so that its names begin with `model.`, `backbone.` or the like. If a
    state contains a network and an average of it, the network itself is returned.

    Raises  ValueError: there are several networks.
    """
    roots = _roots(state)
    plain = [root for root in roots if not is_average(root)] or roots
    if not roots:
        return dict(state), []
    if len(plain) > 1 and "" not in plain:
        raise ValueError(
            f"expected one network, got {len(plain)}, whose names begin with {', '.join(plain)}"
        )
    root = "" if "" in plain else plain[0]
    others = tuple(other for other in roots if other != root and other.startswith(root))
    inner = {
        name: array
        for name, array in behind(root, state).items()
        if not f"{root}{name}".startswith(others)
    }
    return inner, [name for name in state if name.removeprefix(root) not in inner]


def is_average(name):
    """Return True if a name says that its weights are an average of others, or a second network that follows the first.

    >>> is_average("state_dict_ema"), is_average("state_dict")
    (True, False)
    """
    return any(word in name.lower() for word in AVERAGES)


def _roots(names):
    """The prefix of each ResNet in a state: "" if its names have none."""
    prefixes = [
        name.removesuffix("conv1.weight") for name in names if f".{name}".endswith(".conv1.weight")
    ]
    return [root for root in prefixes if any(name.startswith(f"{root}layer1.") for name in names)]
