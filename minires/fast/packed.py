"""Many parameters as one array: on a GPU one kernel updates them all; separate kernels would mostly wait to be launched.

These forms replace Optimizer.update_groups, which updates the parameters one by one, and graph.accumulate, which copies the
gradient of each: they are copied into one array as well, so that none of them is copied twice.
"""

import operator
import weakref

from minires.backend import is_array, xp
from minires.graph import accumulate
from minires.nn.module import Parameter
from minires.ops.forms import faster
from minires.optim.optimizers import Optimizer


@faster(Optimizer.update_groups, on="cupy")
def packed_update(optimizer):
    """Update the parameters of each group as one array, if they can be packed."""
    # Group's number -> its PackedParameters.
    packed_before = vars(optimizer).setdefault("_packed", Groups())
    for i, group in enumerate(optimizer.groups):
        moved = [parameter for parameter in group["params"] if parameter.grad is not None]
        for parameter in moved:
            parameter.written_by(f"{type(optimizer).__name__}.step()")
        packed = PackedParameters.of(moved, optimizer.state, packed_before.get(i))
        if packed is not None:
            packed_before[i] = packed
            optimizer.update(packed, group, packed.state)
            packed.unpack_state(optimizer.state)
        else:
            for parameter in moved:
                optimizer.update(parameter, group, optimizer.state.setdefault(parameter, {}))


class Groups(dict):
    """{number of a group: its PackedParameters}. A copy is empty: views of one array become separate arrays when copied."""

    def __reduce__(self):
        return Groups, ()


def rewind_point(optimizer):
    """Return a function that undoes what steps of the optimizer have counted since; arrays stay unchanged."""
    packed = vars(optimizer).get("_packed", {}).values()
    steps, state = optimizer.steps, {key: dict(kept) for key, kept in optimizer.state.items()}
    whole = [(one, dict(one.state)) for one in packed]

    def rewind():
        optimizer.steps = steps
        optimizer.state.update((key, dict(kept)) for key, kept in state.items())
        for one, kept in whole:
            one.state = dict(kept)

    return rewind


def kept_gradients(optimizer):
    """Return a function that gives the parameters the gradients which they have now, the same arrays."""
    gradients = [(p, p.grad) for group in optimizer.groups for p in group["params"]]
    packed = vars(optimizer).get("_packed", {}).values()
    whole = [(one, one.gradients) for one in packed]

    def give():
        for parameter, gradient in gradients:
            parameter.grad = gradient
        for one, kept in whole:
            one.gradients, one.unused = kept, set()

    return give


def lasting_gradients(optimizer):
    """Return the arrays that updates get as gradients, except those that are joined for one update."""
    gradients = [parameter.grad for group in optimizer.groups for parameter in group["params"]]
    return gradients + [one.gradients[0] for one in vars(optimizer).get("_packed", {}).values()]


@faster(accumulate, on="cupy")
def accumulate_in_place(leaf, g):
    """Copy the first gradient of a packed parameter next to those of the others."""
    place = getattr(leaf, "place", None)
    view = place.view(leaf) if place and leaf.grad is None else None
    if view is None:
        return NotImplemented
    view[...] = g
    leaf.grad = view
    return None


class Place:
    """The place of a parameter's gradient among those that are packed with it: it is number i of `packed`."""

    def __init__(self, packed, i):
        self.packed, self.i = weakref.ref(packed), i

    def view(self, parameter):
        """Return an array for a new gradient; or None if the parameter is a copy, or its weights have been replaced."""
        packed = self.packed()
        if packed is None or packed.parameters[self.i] is not parameter:
            return None
        if parameter.data is not packed.weights[self.i]:
            return None
        return packed.new_gradient(self.i)

    def __reduce__(self):  # in a file there is no place
        return type(None), ()


class PackedParameters:
    """Parameters one after the other in one array, and likewise the optimizer's state for them.

    The parameters and their states become views of these arrays. It has `data` and `grad`, like a parameter.
    """

    def __init__(self, parameters, state):
        self.parameters, self.state = parameters, {}
        self.data = _joined([parameter.data for parameter in parameters])
        for parameter, view in zip(parameters, self._views(self.data)):
            parameter.data = view
        self.weights = [parameter.data for parameter in parameters]
        for name, value in state.get(parameters[0], {}).items():
            self.state[name] = (
                _joined([state[parameter][name] for parameter in parameters])
                if is_array(value)
                else value
            )
        self._shared = {}
        self.unpack_state(state)
        # (the array of the newest gradients, its parts), and the numbers of the parts that are not in use yet.
        self.gradients, self.unused = (None, []), set()
        for i, parameter in enumerate(parameters):
            if isinstance(parameter, Parameter):
                parameter.place = Place(self, i)

    @classmethod
    def of(cls, parameters, state, before=None):
        """Return the PackedParameters of these parameters: `before`, if it holds them and none of their arrays was replaced; None
        if they cannot be packed.
        """
        if before is not None and before._holds(parameters, state):
            return before
        return cls(parameters, state) if cls.can_pack(parameters, state) else None

    @staticmethod
    def can_pack(parameters, state):
        """Return True if they can be one array: there are several, of one dtype, with the same kinds of state."""
        if len(parameters) < 2 or len({parameter.dtype for parameter in parameters}) > 1:
            return False
        kinds = {tuple((name, None if is_array(value) else value) for name, value in state.get(parameter, {}).items())
                 for parameter in parameters}  # fmt: skip
        return len(kinds) == 1

    @property
    def grad(self):
        """All gradients, one after the other: the array that they were written to, or a copy if any of them is elsewhere."""
        found, (whole, parts) = [parameter.grad for parameter in self.parameters], self.gradients
        return whole if _same(found, parts) else _joined(found)

    def new_gradient(self, i):
        """Return an array for the gradient of parameter i. Each is given once: whoever keeps a gradient keeps its numbers."""
        if i not in self.unused:
            whole = xp.empty(self.data.shape, dtype=self.data.dtype)
            self.gradients, self.unused = (whole, self._views(whole)), set(range(len(self.weights)))
        self.unused.remove(i)
        return self.gradients[1][i]

    def unpack_state(self, state):
        """Give each parameter its part of what has changed of the state."""
        for name, value in self.state.items():
            if not is_array(value):
                parts = [value] * len(self.parameters)
            elif name in self._shared and self._shared[name][0] is value:
                continue
            else:
                parts = self._views(value)
                self._shared[name] = value, parts
            for parameter, part in zip(self.parameters, parts):
                state.setdefault(parameter, {})[name] = part

    def _views(self, array):
        views, start = [], 0
        for parameter in self.parameters:
            views.append(array[start : start + parameter.size].reshape(parameter.shape))
            start += parameter.size
        return views

    def _holds(self, parameters, state):
        weights = [parameter.data for parameter in parameters]
        if not _same(parameters, self.parameters) or not _same(weights, self.weights):
            return False
        kept = [state.get(parameter, {}) for parameter in parameters]
        if any([one.keys() != self.state.keys() for one in kept]):
            return False
        for name, value in self.state.items():
            own = self._shared[name][1] if name in self._shared else [value] * len(kept)
            if not _same([one[name] for one in kept], own):
                return False
        return True


def _same(objects, others):
    return len(objects) == len(others) and all(map(operator.is_, objects, others))


def _joined(arrays):
    return xp.concatenate([array.reshape(-1) for array in arrays])
