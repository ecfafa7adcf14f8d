"""The facts that a training step depends on, apart from the numbers in its arrays, and which arrays it changes.

A recorded step has addresses and numbers of its time. These functions tell whether they still hold: each returns
(objects, values), of which the objects must be the same and the values equal.
"""

import operator

from minires.backend import is_array, settings, to_host, xp
from minires.tensor import Tensor

PLAIN = bool, int, float, str, type(None)


def of_model(model, *values):
    """Return the facts of a model: its modules, their numbers and modes, the arrays and parameters in them; and the device."""
    objects, values = [model], [xp.cuda.Device().id, *values]
    for _, module in model.modules():
        objects.append(module)
        for name, value in module.named_attributes():
            if isinstance(value, PLAIN):
                values.append((name, value))
            else:
                objects.append(value)
    return objects, values


def of_step(modules, constants, optimizer):
    """Return the facts that may change between two steps: arrays, modes, options of the optimizer, settings.

    constants  tensors of the model that the optimizer does not update
    """
    parameters, state = parameters_of(optimizer), optimizer.state
    kept = [state.get(parameter, {}).values() for parameter in parameters]
    objects = [tensor.data for tensors in (parameters, constants) for tensor in tensors]
    objects += [tensor.requires_grad for tensors in (parameters, constants) for tensor in tensors]
    objects += [value for values in kept for value in values if hasattr(value, "shape")]
    objects += [module.training for module in modules]
    options = [{**group, "params": None, "lr": None} for group in optimizer.groups]
    return objects, [settings(), options]


def same(facts, others):
    """Return True if the objects are the same and the values equal."""
    (objects, values), (other_objects, other_values) = facts, others
    if len(objects) != len(other_objects) or values != other_values:
        return False
    return all(map(operator.is_, objects, other_objects))


def parameters_of(optimizer):
    """Return the parameters of all groups."""
    return [parameter for group in optimizer.groups for parameter in group["params"]]


def constants_of(model, optimizer):
    """Return [(name, tensor)] of the model's tensors that the optimizer does not update."""
    own = {id(parameter) for parameter in parameters_of(optimizer)}
    return [
        (f"{path}.{name}" if path else name, value)
        for path, module in model.modules()
        for name, value in module.named_attributes()
        if isinstance(value, Tensor) and id(value) not in own
    ]


def changed_arrays(model, optimizer):
    """Return the arrays that a step changes: weights, the optimizer's state and running statistics."""
    parameters, state = parameters_of(optimizer), optimizer.state
    return [
        *(parameter.data for parameter in parameters),
        *(array for p in parameters for array in state.get(p, {}).values() if is_array(array)),
        *(array for _, array in model.named_buffers()),
    ]


def copies(arrays):
    """Return a copy of each array."""
    return [array.copy() for array in arrays]


def restore(arrays, numbers):
    """Write copies back into the arrays that they were made of."""
    for array, copied in zip(arrays, numbers):
        array[...] = copied


def bits(arrays):
    """Return the bytes of each array. On a GPU this waits."""
    return [to_host(array).tobytes() for array in arrays]
