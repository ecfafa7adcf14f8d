"""SGD and Adam."""

from minires.backend.kernels.start import c_bool, c_float, each


def move_sgd(w, g, v, lr, momentum, decay, nesterov):
    """optim.optimizers.move_sgd."""
    arrays = w, g, w if v is None else v
    kind = c_float(*arrays)
    if kind is None or not _whole(*arrays):
        return NotImplemented
    flags = f"{c_bool(v is not None)}, {c_bool(nesterov)}"
    each("update.cu", f"sgd<{kind}, {flags}>", w.size, *arrays, *map(w.dtype.type, (lr, momentum, decay)))
    return None


def move_adam(w, g, m, v, lr, b1, b2, eps, decay, m_part, v_part, decoupled):
    """optim.optimizers.move_adam."""
    kind = c_float(w, g, m, v)
    if kind is None or not _whole(w, g, m, v):
        return NotImplemented
    each("update.cu", f"adam<{kind}, {c_bool(decoupled)}>", w.size, w, g, m, v,
         *map(w.dtype.type, (lr, b1, b2, eps, decay, m_part, v_part)))  # fmt: skip
    return None


def _whole(*arrays):
    """Whether all of them lie without gaps: they are changed in place."""
    return all(array.flags.c_contiguous for array in arrays)
