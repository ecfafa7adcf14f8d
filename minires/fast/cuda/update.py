"""SGD and Adam as kernels. They replace optim's sgd and adam."""

from minires.backend import is_array
from minires.fast.cuda.start import c_bool, c_float, each
from minires.ops.forms import faster, has_forms
from minires.optim.optimizers import adam, sgd


@faster(sgd, on="cupy")
def sgd_kernel(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Run one thread per weight."""
    arrays, flags = (w, g, w if v is None else v), (c_bool(v is not None), c_bool(nesterov))
    return _updated("sgd", arrays, (lr,), (momentum, weight_decay), flags)


@faster(adam, on="cupy")
def adam_kernel(w, g, m, v, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """Run one thread per weight."""
    b1, b2 = betas
    changing, fixed = (lr, 1 - b1**t, 1 - b2**t), (b1, b2, eps, weight_decay)
    return _updated("adam", (w, g, m, v), changing, fixed, (c_bool(decoupled),))


def _updated(kernel, arrays, changing, fixed, flags):
    whole = all(array.flags.c_contiguous for array in arrays)  # they are changed in place
    if c_float(*arrays) is None or not whole:
        return NotImplemented
    return launch_update(kernel, arrays, changing, fixed, flags)


@has_forms
def launch_update(kernel, arrays, changing, fixed, flags):
    """Launch the kernel of an optimizer.

    changing  numbers that may differ at each step: passed by value, or arrays of one float64 each, which it reads
    fixed  other numbers    flags  in the kernel's name
    """
    w, kind = arrays[0], c_float(*arrays)
    number, real = kind, w.dtype.type
    if is_array(changing[0]):
        number = "const double*"
    else:
        changing = map(real, changing)
    name = f"{kernel}<{', '.join((kind, number, *flags))}>"
    each("update.cu", name, w.size, *arrays, *changing, *map(real, fixed))
