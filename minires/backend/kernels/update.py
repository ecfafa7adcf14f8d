"""SGD and Adam."""

from minires.backend.kernels.start import TYPES, each


def move_sgd(w, g, v, lr, momentum, decay, nesterov):
    """optim.optimizers.move_sgd."""
    kind = _kind(w, g, w if v is None else v)
    if kind is None:
        return NotImplemented
    flags = f"{'true' if v is not None else 'false'}, {'true' if nesterov else 'false'}"
    each("update.cu", f"sgd<{kind}, {flags}>", w.size, w, g, w if v is None else v, *map(w.dtype.type, (lr, momentum, decay)))
    return None


def move_adam(w, g, m, v, lr, b1, b2, eps, decay, m_part, v_part, decoupled):
    """optim.optimizers.move_adam."""
    kind = _kind(w, g, m, v)
    if kind is None:
        return NotImplemented
    each("update.cu", f"adam<{kind}, {'true' if decoupled else 'false'}>", w.size, w, g, m, v,
         *map(w.dtype.type, (lr, b1, b2, eps, decay, m_part, v_part)))  # fmt: skip
    return None


def _kind(*arrays):
    """The C name of the type of all of them, where it is one, of floats, and all lie without gaps."""
    same = {array.dtype for array in arrays}
    whole = all(array.flags.c_contiguous for array in arrays)
    return TYPES.get(same.pop().name) if len(same) == 1 and whole and arrays[0].dtype.kind == "f" else None
