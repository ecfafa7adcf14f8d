"""The updates of SGD and Adam in chunks, on all cores. They replace optim's sgd and adam, which copy whole parameters.

A small parameter, whose copies stay in the cache, is left to the plain forms: sharing out costs more than its update.
"""

from minires.backend import xp
from minires.fast.parts import scratch, sum_over_chunks
from minires.ops.forms import faster
from minires.optim.optimizers import adam, sgd

SMALL = 1 << 18  # bytes


@faster(sgd)
def sgd_in_chunks(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """sgd, a chunk of the parameter at a time."""
    if w.nbytes < SMALL:
        return NotImplemented

    def move(w, g, v=None):
        step = scratch("step", w.shape, w.dtype)
        if weight_decay:
            g = xp.add(g, xp.multiply(w, weight_decay, out=step), out=step)
        if v is not None:
            v *= momentum
            v += g
            ahead = scratch("ahead", w.shape, w.dtype)
            g = xp.add(g, xp.multiply(v, momentum, out=ahead), out=step) if nesterov else v
        w -= xp.multiply(g, lr, out=step)

    return _in_chunks(move, w, g, *([] if v is None else [v]))


@faster(adam)
def adam_in_chunks(
    w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False
):
    """adam, a chunk of the parameter at a time."""
    if w.nbytes < SMALL:
        return NotImplemented
    b1, b2 = betas
    m_part, v_part = 1 - b1**t, 1 - b2**t  # corrections for the start at zero

    def move(w, g, m, v):
        step, root = scratch("step", w.shape, w.dtype), scratch("ahead", w.shape, w.dtype)
        if weight_decay and decoupled:
            w *= 1 - lr * weight_decay
        elif weight_decay:
            decayed = scratch("decayed", w.shape, w.dtype)
            g = xp.add(g, xp.multiply(w, weight_decay, out=step), out=decayed)
        m *= b1
        m += xp.multiply(g, 1 - b1, out=step)
        v *= b2
        xp.multiply(g, g, out=step)
        step *= 1 - b2
        v += step
        xp.sqrt(xp.divide(v, v_part, out=root), out=root)
        root += eps
        xp.divide(m, m_part, out=step)
        step *= lr
        step /= root
        w -= step

    return _in_chunks(move, w, g, m, v)


def _in_chunks(move, *arrays):
    """Call move(chunk of each array), with flat arrays, so that no array as large as a parameter is made."""
    if not all(array.flags.c_contiguous for array in arrays):
        move(*arrays)
        return
    flat = [array.reshape(-1) for array in arrays]
    bytes_each = 2 * len(flat) * flat[0].dtype.itemsize
    sum_over_chunks(lambda chunk: move(*(array[chunk] for array in flat)), flat[0].size, bytes_each)
