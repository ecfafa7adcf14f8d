"""SGD and Adam as kernels. They replace optim's sgd and adam."""

from minires.fast.cuda.start import c_bool, c_float, each
from minires.ops.forms import faster
from minires.optim.optimizers import adam, sgd


@faster(sgd, on="cupy")
def sgd_kernel(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Run one thread per weight."""
    arrays = w, g, w if v is None else v
    kind = c_float(*arrays)
    if kind is None or not _whole(*arrays):
        return NotImplemented
    flags = f"{c_bool(v is not None)}, {c_bool(nesterov)}"
    each(
        "update.cu",
        f"sgd<{kind}, {flags}>",
        w.size,
        *arrays,
        *map(w.dtype.type, (lr, momentum, weight_decay)),
    )
    return None


@faster(adam, on="cupy")
def adam_kernel(w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """Run one thread per weight."""
    kind, (b1, b2) = c_float(w, g, m, v), betas
    if kind is None or not _whole(w, g, m, v):
        return NotImplemented
    numbers = lr, b1, b2, eps, weight_decay, 1 - b1**t, 1 - b2**t
    each(
        "update.cu",
        f"adam<{kind}, {c_bool(decoupled)}>",
        w.size,
        w,
        g,
        m,
        v,
        *map(w.dtype.type, numbers),
    )
    return None


def _whole(*arrays):
    """Return True if all of them are contiguous, as they are changed in place."""
    return all(array.flags.c_contiguous for array in arrays)
