"""Finding the weights among everything that one of PyTorch's files contains."""

from itertools import count, islice

from minires.pth.archive import TorchFileError, one_after_the_other, zipped
from minires.pth.names import is_average
from minires.pth.tensors import Tensor
from minires.unpickling import PickleError, stood_for

# The keys under which training scripts keep the weights, the most usual first.
WRAPPERS = (
    *("state_dict", "model", "model_state_dict", "model_state"),
    *("net", "network", "module", "weights", "params"),
)
EXTRA = "_extra_state"  # what a module keeps next to its weights: any object
DEEPEST, WIDEST = 6, 512  # dicts within dicts, and how many of them on a level


def is_one(data):
    """Return True if bytes look like such a file: a zip archive, or a pickle of protocol 2 or later."""
    return data[:2] == b"PK" or (data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05")


def loads(data, key=None, tell=None):
    """Return the weights in such a file (bytes), name -> NumPy array; bfloat16 becomes float32.

    If a checkpoint contains several sets of weights, those under state_dict, model, net or the like are read, and not an average.

    key  the set to read instead, by its name in the file: "state_dict_ema", or "ema.module" for nested dicts
    tell  is called with a sentence if there was a choice

    Raises  TorchFileError. NoSuchSet, one of them: there is no set of that name.
    """
    try:
        content, storages = (zipped if data[:2] == b"PK" else one_after_the_other)(data)
        sets = _sets(content)
        if not _nets(sets):  # only then do weights in lists and tuples count
            sets = _sets(content, lists=True) or sets
        if not sets:
            raise TorchFileError(_nothing(content))
        chosen = _choice(sets, key)
        nets = _nets(sets)
        if tell and len(nets) > 1:
            tell(f"contains {', '.join(map(_called, nets))}: using {_called(chosen)}")
        return {name: _array(name, value, storages) for name, value in sets[chosen].items()}
    except (TorchFileError, MemoryError):
        raise
    except PickleError as error:
        raise TorchFileError(str(error)) from None
    except Exception as error:  # a damaged archive fails in any way it likes
        raise TorchFileError(f"the archive is damaged or cut off ({error})") from None


class NoSuchSet(TorchFileError):
    """There are no weights under a key."""


def _sets(content, lists=False):
    """Every set of weights in the content of a pickle, by its path: "state_dict", "ema.module"; "" is the content itself.

    lists  also those in lists and tuples, by their numbers: "models.0"
    """
    found, level, kinds = {}, {"": content}, (dict, list, tuple) if lists else dict
    for _ in range(DEEPEST):
        found.update({path: _weights(part, path) for path, part in level.items()})
        inner = (
            (f"{path}.{name}" if path else name, value)
            for path, part in level.items()
            for name, value in _items(part, lists)
            if isinstance(name, str) and isinstance(value, kinds)
        )
        level = dict(islice(inner, WIDEST))
    return {path: weights for path, weights in found.items() if weights}


def _items(part, lists):
    """The items of a dict; with `lists`, also those of a list or tuple, with their numbers as names."""
    if isinstance(part, dict):
        return part.items()
    return zip(map(str, count()), part) if lists and isinstance(part, (list, tuple)) else ()


def _weights(part, path):
    """The tensors by name in a dict, and the stand-ins among them; {} if there are no tensors."""
    tensors = {
        name: value
        for name, value in _items(part, lists=False)
        if isinstance(name, str)
        and (isinstance(value, Tensor) or (stood_for(value) and not name.endswith(EXTRA)))
    }
    names = [name for name, value in tensors.items() if isinstance(value, Tensor)]
    # If weights are mixed with other things, the dots in their names give them away.
    mixed = not path and any("." in name for name in names)
    others = {name for name in tensors if mixed and "." not in name and name not in names}
    return {name: value for name, value in tensors.items() if names and name not in others}


def _nets(sets):
    """The paths of the sets that contain a matrix: the state of a random generator is a tensor with a name, too."""
    return [
        path
        for path, weights in sets.items()
        if any(isinstance(value, Tensor) and len(value.size) > 1 for value in weights.values())
    ]


def _choice(sets, key):
    """The path of the set to read."""
    if key in sets:
        return key
    if key is not None:
        raise NoSuchSet(f"no weights under {key!r}: choose from {', '.join(map(_called, sets))}")
    usual = [path for path in sets if {*path.split(".")} <= {*WRAPPERS}]
    if usual:
        return min(usual, key=lambda path: WRAPPERS.index(path.partition(".")[0]))
    nets = _nets(sets) or [*sets]
    nets = [path for path in nets if not is_average(path)] or nets
    if "" in nets or len(nets) == 1:
        return "" if "" in nets else nets[0]
    raise TorchFileError(
        f"the file contains {len(nets)} sets of weights: choose one with "
        + " or ".join(f"FILE:{path}" for path in nets)
    )


def _called(path):
    return path or "weights at the top level"


def _array(name, value, storages):
    if named := stood_for(value):
        raise TorchFileError(f"{name} is {named}: expected a plain tensor of ints or floats")
    return value.array(storages)


def _nothing(content):
    """The error message for a pickle without weights."""
    level = [content]
    for _ in range(DEEPEST + 1):
        asked = next(filter(None, map(stood_for, level)), None)
        if asked:
            return (
                f"the pickle asks for {asked}, which was not run, and contains no named tensors: "
                "of a whole model, save its state_dict() instead"
            )
        inner = (value for part in level if isinstance(part, dict) for value in part.values())
        level = [*islice(inner, WIDEST)]
    return (
        "the file contains no named tensors: "
        "expected what torch.save(model.state_dict(), path) writes"
    )
