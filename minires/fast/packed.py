"""Many parameters as one array: on a GPU one kernel updates them all; separate kernels would mostly wait to be launched.

This form replaces Optimizer.update_groups, which updates the parameters one by one.
"""

from minires.backend import is_array, xp
from minires.ops.forms import faster
from minires.optim.optimizers import Optimizer


@faster(Optimizer.update_groups, on="cupy")
def packed_update(optimizer):
    """Update the parameters of each group as one array, if they can be packed."""
    # Group's number -> its PackedParameters.
    packed_before = vars(optimizer).setdefault("_packed", {})
    for i, group in enumerate(optimizer.groups):
        moved = [parameter for parameter in group["params"] if parameter.grad is not None]
        for parameter in moved:
            parameter.written_by(f"{type(optimizer).__name__}.step()")
        if PackedParameters.can_pack(moved, optimizer.state):
            packed = PackedParameters.of(moved, optimizer.state, packed_before.get(i))
            packed_before[i] = packed
            optimizer.update(packed, group, packed.state)
            packed.unpack_state(optimizer.state)
        else:
            for parameter in moved:
                optimizer.update(parameter, group, optimizer.state.setdefault(parameter, {}))


class PackedParameters:
    """Parameters one after the other in one array, and likewise the optimizer's state for them.

    The parameters and their states become views of these arrays. It has `data` and `grad`, like a parameter.
    """

    def __init__(self, parameters, state):
        self.parameters, self.state = parameters, {}
        self.data = _joined([parameter.data for parameter in parameters])
        for parameter, view in zip(parameters, self._views(self.data)):
            parameter.data = view
        self._weights = [parameter.data for parameter in parameters]
        for name, value in state.get(parameters[0], {}).items():
            self.state[name] = (
                _joined([state[parameter][name] for parameter in parameters])
                if is_array(value)
                else value
            )
        self._shared = {}
        self.unpack_state(state)

    @classmethod
    def of(cls, parameters, state, before=None):
        """Return the PackedParameters of these parameters: `before`, if it holds them and none of their arrays was replaced."""
        return (
            before
            if before is not None and before._holds(parameters, state)
            else cls(parameters, state)
        )

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
        """A copy of all gradients, one after the other."""
        return _joined([parameter.grad for parameter in self.parameters])

    def unpack_state(self, state):
        """Give each parameter its part of the state."""
        for name, value in self.state.items():
            if is_array(value) and (name not in self._shared or self._shared[name][0] is not value):
                self._shared[name] = value, self._views(value)
        for i, parameter in enumerate(self.parameters):
            parts = {
                name: self._shared[name][1][i] if is_array(value) else value
                for name, value in self.state.items()
            }
            state[parameter] = parts

    def _views(self, array):
        views, start = [], 0
        for parameter in self.parameters:
            views.append(array[start : start + parameter.size].reshape(parameter.shape))
            start += parameter.size
        return views

    def _holds(self, parameters, state):
        if len(parameters) != len(self.parameters) or any(
            a is not b for a, b in zip(parameters, self.parameters)
        ):
            return False
        if any(parameter.data is not view for parameter, view in zip(parameters, self._weights)):
            return False
        for i, parameter in enumerate(parameters):
            kept = state.get(parameter, {})
            if kept.keys() != self.state.keys():
                return False
            for name, value in kept.items():
                if value is not (self._shared[name][1][i] if is_array(value) else self.state[name]):
                    return False
        return True


def _joined(arrays):
    return xp.concatenate([array.reshape(-1) for array in arrays])
