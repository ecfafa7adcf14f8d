"""The ops, lifted to tensors: a line each, and Tensor's operators and methods are these lines.

`ops.relu` is looked up when it is called, so that another function may stand in for it. Operands are tensors, arrays of
the backend in use, numbers, or lists of numbers. The documentation of each is that of its op.
"""
# fmt: off

from minires import ops
from minires.backend import to_device
from minires.tensor import Tensor, apply


def add(a, b): return apply(ops.add, a, b)
def subtract(a, b): return apply(ops.subtract, a, b)
def multiply(a, b): return apply(ops.multiply, a, b)
def divide(a, b): return apply(ops.divide, a, b)
def power(a, b): return apply(ops.power, a, b)
def matmul(a, b): return apply(ops.matmul, a, b)
def maximum(a, b): return apply(ops.maximum, a, b)
def where(condition, a, b): return apply(ops.where, condition, a, b)

def negative(x): return apply(ops.negative, x)
def exp(x): return apply(ops.exp, x)
def log(x): return apply(ops.log, x)
def sqrt(x): return apply(ops.sqrt, x)
def tanh(x): return apply(ops.tanh, x)
def sigmoid(x): return apply(ops.sigmoid, x)
def relu(x): return apply(ops.relu, x)

def sum(x, axis=None, keepdims=False): return apply(ops.sum, x, axis=axis, keepdims=keepdims)
def mean(x, axis=None, keepdims=False): return apply(ops.mean, x, axis=axis, keepdims=keepdims)
def max(x, axis=None, keepdims=False): return apply(ops.max, x, axis=axis, keepdims=keepdims)
def var(x, axis=None, ddof=0, keepdims=False): return apply(ops.var, x, axis=axis, ddof=ddof, keepdims=keepdims)

def reshape(x, shape): return apply(ops.reshape, x, shape=shape)
def transpose(x, axes=None): return apply(ops.transpose, x, axes=axes)
def getitem(x, index): return apply(ops.getitem, x, index=_bare_index(index))
def concatenate(tensors, axis=0): return apply(ops.concatenate, *tensors, axis=axis)
def pad(x, widths): return apply(ops.pad, x, widths=widths)
def broadcast_to(x, shape): return apply(ops.broadcast_to, x, shape=shape)

def linear(x, weight, bias=None): return apply(ops.linear, x, weight, *_given(bias))
def im2col(x, kernel, *, stride=1, padding=0): return apply(ops.im2col, x, kernel=kernel, stride=stride, padding=padding)
def col2im(columns, shape, kernel, *, stride=1, padding=0): return apply(ops.col2im, columns, shape=shape, kernel=kernel, stride=stride, padding=padding)
def conv2d(x, weight, bias=None, *, stride=1, padding=0, algorithm=None): return apply(ops.conv2d, x, weight, *_given(bias), stride=stride, padding=padding, **({"algorithm": algorithm} if algorithm else {}))
def max_pool2d(x, kernel, *, stride=None, padding=0): return apply(ops.max_pool2d, x, kernel=kernel, stride=stride, padding=padding)
def avg_pool2d(x, kernel, *, stride=None, padding=0): return apply(ops.avg_pool2d, x, kernel=kernel, stride=stride, padding=padding)
def global_avg_pool(x): return apply(ops.global_avg_pool, x)
def batch_norm(x, gamma, beta, *, eps=1e-5, stats=None): return apply(ops.batch_norm, x, gamma, beta, eps=eps, stats=stats)
def batch_norm_frozen(x, gamma, beta, *, mean, var, eps=1e-5): return apply(ops.batch_norm_frozen, x, gamma, beta, mean=mean, var=var, eps=eps)
def norm_add_relu(x, gamma, beta, add=None, *, eps=1e-5, stats=None, moving=True, relu=True): return apply(ops.norm_add_relu, x, gamma, beta, *_given(add), eps=eps, stats=stats, moving=moving, relu=relu)
def add_relu(x, add=None, *, relu=True): return apply(ops.add_relu, x, *_given(add), relu=relu)
def dropout(x, keep, *, p): return apply(ops.dropout, x, keep, p=p)

def softmax(x, axis=-1): return apply(ops.softmax, x, axis=axis)
def log_softmax(x, axis=-1): return apply(ops.log_softmax, x, axis=axis)
def cross_entropy(logits, labels, *, label_smoothing=0.0): return apply(ops.cross_entropy, logits, to_device(labels) if isinstance(labels, (list, tuple)) else labels, label_smoothing=label_smoothing)
def mse_loss(x, target): return apply(ops.mse_loss, x, target)


def _given(operand):
    """An operand that may be left out, as a list."""
    return [] if operand is None else [operand]


def _bare_index(index):
    """Arrays in place of tensors."""
    if isinstance(index, tuple):
        return tuple(_bare_index(part) for part in index)
    return index.data if isinstance(index, Tensor) else index


LIFTED = (add, subtract, multiply, divide, power, matmul, maximum, where, negative, exp, log, sqrt, tanh, sigmoid, relu,
          sum, mean, max, var, reshape, transpose, getitem, concatenate, pad, broadcast_to, linear, im2col, col2im, conv2d,
          max_pool2d, avg_pool2d, global_avg_pool, batch_norm, batch_norm_frozen, norm_add_relu, add_relu, dropout, softmax, log_softmax,
          cross_entropy, mse_loss)
for _function in LIFTED:
    _function.__doc__ = getattr(ops, _function.__name__).__doc__

for _name, _function in {"add": add, "sub": subtract, "mul": multiply, "truediv": divide, "pow": power, "matmul": matmul}.items():
    setattr(Tensor, f"__{_name}__", _function)
    setattr(Tensor, f"__r{_name}__", lambda b, a, function=_function: function(a, b))
Tensor.__neg__, Tensor.__getitem__ = negative, getitem
for _function in (exp, log, sqrt, tanh, sigmoid, relu, sum, mean, max, var, softmax, log_softmax):
    setattr(Tensor, _function.__name__, _function)
Tensor.reshape = lambda x, *shape: reshape(x, shape[0] if len(shape) == 1 else shape)
Tensor.transpose = lambda x, *axes: transpose(x, axes or None)
Tensor.T = property(transpose)
